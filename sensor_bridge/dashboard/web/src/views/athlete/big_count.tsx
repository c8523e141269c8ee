import { useEffect, useRef } from "preact/hooks";
import { isBetween } from "../../athlete_scene";
import { type Count, countAt, pipWidths } from "../../count";
import { usePainter } from "../../frames";
import type { Athlete } from "../../gym";
import type { Mark } from "../../judgement";
import { Metronome } from "../../metronome";
import type { Live, Target } from "../../payloads";
import { askedFor } from "../../phase_start";
import { tickSound } from "../../sound";
import { MARK, TEXT } from "../../strings";
import { callOf } from "../../strings/athlete";

/** Without news for this long the count stands still and the ticks stop. */
const TRUSTED_MS = 1_500;
/** A pause shorter than this is called, not counted. */
const SHORTEST_COUNTED_S = 1;

interface Props {
  athlete: Athlete;
  target: Target | null;
  /** The repetition that has just been done, shown until the next begins. */
  done: { repetition: number; mark: Mark } | null;
  /** Instead of a count, where nothing is being done. */
  words: string | null;
}

/** What the athlete looks at: the count of the phase, or what to do, as large as the screen lets it be. */
export function BigCount({ athlete, target, done, words }: Props) {
  const stage = useRef<HTMLDivElement>(null);
  const numeral = useRef<HTMLSpanElement>(null);
  const over = useRef<HTMLSpanElement>(null);
  const pips = useRef<HTMLDivElement>(null);
  const metronome = useRef<Metronome | null>(null);
  const { phase, posture } = athlete.progress;
  const askedS = askedFor(phase, target);
  // After the last repetition that was asked for there is no pause to count.
  const isLast = done !== null && isBetween(athlete) && done.repetition === target?.repetitions;
  const isCounted = isCountedPhase(phase, askedS) && words === null && !isLast;
  // The pips of the lowering stay where they are in the phases that are not counted.
  const pipsS = isCounted ? askedS : (target?.eccentric_s ?? null);
  const doneHere = isBetween(athlete) && !isCounted && words === null ? done : null;
  const call = words ?? (doneHere ? String(doneHere.repetition) : callOf(phase, posture, askedS !== null));

  useEffect(() => () => metronome.current?.follow(null), []);
  usePainter(stage, (now) => {
    if (!stage.current || !numeral.current || !over.current || !pips.current) return;
    const found = isCounted ? countNow(athlete, now, askedS) : null;
    follow(metronome, found?.isFresh ? { phase, startPageMs: found.startPageMs, askedS } : null);
    const count = found?.count ?? null;
    const text = count ? String(count.called) : call;
    if (numeral.current.textContent !== text) numeral.current.textContent = text;
    const label = count ? TEXT.countLabel(count.called, askedS) : text;
    if (numeral.current.getAttribute("aria-label") !== label) numeral.current.setAttribute("aria-label", label);
    stage.current.dataset["kind"] = count ? "count" : doneHere ? "done" : words === null ? "call" : "words";
    const overText = count && count.overS >= 0.1 ? TEXT.over(count.overS) : "";
    if (over.current.textContent !== overText) over.current.textContent = overText;
    for (const [index, pip] of [...pips.current.children].entries()) {
      if (!(pip instanceof HTMLElement)) continue;
      const fill = count?.fills[index] ?? 0;
      pip.style.setProperty("--fill", fill.toFixed(3));
      pip.classList.toggle("is-under", fill > 0.5);
    }
  });

  return (
    <>
      <div class="athlete-stage" ref={stage} data-kind="words" data-testid="stage">
        <span class={`big ${doneHere ? `mark-${doneHere.mark}` : ""}`}>
          <span role="timer" aria-live="off" data-testid="big-count" ref={numeral} />
          {doneHere && (
            <span class="big-mark" role="img" aria-label={MARK[doneHere.mark].word}>
              {MARK[doneHere.mark].symbol}
            </span>
          )}
          <span class="big-over" ref={over} />
        </span>
      </div>
      <div class="pips" aria-hidden="true" ref={pips}>
        {pipWidths(pipsS).map((width, index) => (
          <span key={index} class="pip" style={{ flexGrow: width }}>
            <span class="pip-number">{index + 1}</span>
          </span>
        ))}
      </div>
    </>
  );
}

function isCountedPhase(phase: Live["phase"], askedS: number | null): boolean {
  if (phase === "eccentric") return true;
  return askedS !== null && askedS >= SHORTEST_COUNTED_S;
}

interface RunningCount {
  count: Count;
  startPageMs: number;
  /** Whether the bridge has spoken lately. */
  isFresh: boolean;
}

function countNow(athlete: Athlete, nowMs: number, askedS: number | null): RunningCount | null {
  const { live } = athlete;
  const bridgeMs = athlete.clock.bridgeTime(nowMs);
  const startMs = athlete.phaseStart.startMs;
  if (!live || bridgeMs === null || startMs === null || live.phase !== athlete.progress.phase) return null;
  return {
    count: countAt(startMs, Math.min(bridgeMs, live.t_ms + TRUSTED_MS), askedS),
    startPageMs: nowMs - (bridgeMs - startMs),
    isFresh: bridgeMs - live.t_ms < TRUSTED_MS,
  };
}

function follow(kept: { current: Metronome | null }, movement: Parameters<Metronome["follow"]>[0]): void {
  const sound = tickSound();
  if (kept.current && kept.current.sound !== sound) {
    kept.current.follow(null);
    kept.current = null;
  }
  if (!sound) return;
  kept.current ??= new Metronome(sound);
  kept.current.follow(movement);
}
