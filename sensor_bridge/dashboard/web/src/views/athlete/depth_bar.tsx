import { useRef } from "preact/hooks";
import { decimal } from "../../format";
import { usePainter } from "../../frames";
import type { Athlete } from "../../gym";
import type { Target } from "../../payloads";
import { askedFor } from "../../phase_start";
import { TEXT } from "../../strings";
import { ATHLETE } from "../../strings/athlete";
import { PLAYBACK_DELAY_MS } from "../figure_view";

/** The bar goes this much beyond the depth that is wanted. */
const LENGTH = 1.15;
/** Less than this is the sway of somebody who stands. */
const LEAST_SHOWN = 0.03;
/** Full length of the bar while no depth is known to hold it against, degrees of hip flexion. */
const UNKNOWN_LENGTH_DEG = 120;

/** How deep an even lowering would be by now, as a share of the depth that is wanted; 0 where none is asked for. */
function paceOf(athlete: Athlete, target: Target | null, bridgeMs: number | null): number {
  const { phaseStart, progress } = athlete;
  const askedS = askedFor("eccentric", target);
  if (progress.phase !== "eccentric" || askedS === null || bridgeMs === null || phaseStart.startMs === null) return 0;
  return Math.min(1, Math.max(0, (bridgeMs - phaseStart.startMs) / 1000 / askedS));
}

/** How deep, against the depth that was asked for or is usual in this set; before that, in degrees. */
export function DepthBar({ athlete, target }: { athlete: Athlete; target: Target | null }) {
  const box = useRef<HTMLDivElement>(null);
  const bar = useRef<HTMLDivElement>(null);
  const text = useRef<HTMLSpanElement>(null);
  const asked = target?.minimum_range_deg ?? null;
  const name = athlete.progress.posture === "supine" ? ATHLETE.height : ATHLETE.depth;

  usePainter(box, (now) => {
    if (!box.current || !bar.current || !text.current) return;
    const bridgeMs = athlete.clock.bridgeTime(now);
    const hipDeg = bridgeMs === null ? null : (athlete.angles.poseAt(bridgeMs - PLAYBACK_DELAY_MS)?.hipDeg ?? null);
    const isStanding = athlete.progress.posture !== "supine";
    const ofAsked = asked !== null && isStanding && hipDeg !== null ? hipDeg / asked : null;
    const share = ofAsked ?? athlete.live?.depth ?? null;
    const bend = share === null && isStanding ? hipDeg : null;
    const fill = share !== null ? share / LENGTH : (bend ?? 0) / UNKNOWN_LENGTH_DEG;
    const shown = share !== null ? TEXT.percent(Math.max(0, share)) : bend === null ? "–" : `${decimal(Math.max(0, bend), 0)}°`;
    const told = share === null ? ATHLETE.depthUnknown : ATHLETE.depthOf(Math.max(0, share), ofAsked !== null);
    const pace = share === null ? 0 : paceOf(athlete, target, bridgeMs);
    bar.current.style.setProperty("--pace", (pace / LENGTH).toFixed(3));
    box.current.dataset["pace"] = pace > 0 ? "shown" : "none";
    bar.current.style.setProperty("--fill", fill < LEAST_SHOWN ? "0" : Math.min(1, fill).toFixed(3));
    if (text.current.textContent !== shown) text.current.textContent = shown;
    bar.current.setAttribute("aria-valuenow", String(Math.round(Math.max(0, share ?? 0) * 100)));
    bar.current.setAttribute("aria-valuetext", told);
    box.current.dataset["against"] = share === null ? "nothing" : ofAsked === null ? "usual" : "asked";
  });

  return (
    <div class="athlete-depth" ref={box} data-testid="depth" data-against="nothing" data-pace="none">
      <span class="muted">{name}</span>
      <span class="athlete-depth-value" ref={text}>
        –
      </span>
      <div
        class="athlete-depth-bar"
        ref={bar}
        role="meter"
        aria-label={name}
        aria-valuemin={0}
        aria-valuemax={115}
        aria-valuenow={0}
        aria-valuetext={ATHLETE.depthUnknown}
      >
        <span class="athlete-depth-pace" />
        <span class="athlete-depth-mark" style={{ left: `${100 / LENGTH}%` }} />
      </div>
    </div>
  );
}
