import { useRef } from "preact/hooks";
import { countAt, pipWidths } from "../count";
import { usePainter } from "../frames";
import type { Athlete } from "../gym";
import { phaseName, TEXT } from "../strings";

/** Without news for this long the count stands still. */
const TRUSTED_MS = 1_500;

interface Props {
  athlete: Athlete;
  targetS: number | null;
}

/** The phase, and the lowering counted aloud: a numeral, and pips that fill on the page's own clock. */
export function Counting({ athlete, targetS }: Props) {
  const { phase, posture } = athlete.progress;
  const box = useRef<HTMLDivElement>(null);
  const numeral = useRef<HTMLSpanElement>(null);
  const over = useRef<HTMLSpanElement>(null);
  const pips = useRef<HTMLDivElement>(null);
  const running = useRef(false);

  usePainter(pips, (now) => {
    const live = athlete.live;
    const bridgeMs = athlete.clock.bridgeTime(now);
    if (!box.current || !numeral.current || !over.current || !pips.current) return;
    if (!live || bridgeMs === null || live.eccentric_start_ms === null || live.phase !== "eccentric") {
      if (running.current) {
        running.current = false;
        box.current.dataset["active"] = "false";
      }
      return;
    }
    running.current = true;
    const count = countAt(live.eccentric_start_ms, Math.min(bridgeMs, live.t_ms + TRUSTED_MS), targetS);
    box.current.dataset["active"] = "true";
    const called = String(count.called);
    if (numeral.current.textContent !== called) {
      numeral.current.textContent = called;
      numeral.current.setAttribute("aria-label", TEXT.countLabel(count.called, targetS));
    }
    const overText = count.overS >= 0.1 ? TEXT.over(count.overS) : "";
    if (over.current.textContent !== overText) over.current.textContent = overText;
    for (const [index, fill] of count.fills.entries()) {
      const pip = pips.current.children[index];
      if (!(pip instanceof HTMLElement)) continue;
      pip.style.setProperty("--fill", fill.toFixed(3));
      pip.classList.toggle("is-under", fill > 0.6);
    }
  });

  return (
    <div class="counting" ref={box} data-active="false">
      <span class={`phase phase-${phase}`} data-testid="phase" data-phase={phase}>
        {phaseName(phase, posture)}
      </span>
      <span class="counting-number">
        <span data-testid="eccentric-count" role="timer" ref={numeral} />
        <span class="counting-over" ref={over} />
      </span>
      <div class="pips" aria-hidden="true" ref={pips}>
        {pipWidths(targetS).map((width, index) => (
          <span key={index} class="pip" style={{ flexGrow: width }}>
            <span class="pip-number">{index + 1}</span>
          </span>
        ))}
      </div>
    </div>
  );
}
