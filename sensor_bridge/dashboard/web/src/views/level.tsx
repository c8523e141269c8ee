import { useRef } from "preact/hooks";
import { decimal } from "../format";
import { usePainter } from "../frames";
import type { Athlete } from "../gym";
import { isLevel, LEVEL_LIMIT_DEG } from "../judgement";
import { TEXT } from "../strings";
import { PLAYBACK_DELAY_MS } from "./figure_view";

const RANGE_DEG = 15;
/** Often enough for whoever asks; a label that changes with every sample cannot be read out. */
const LABEL_EVERY_MS = 1_000;

/** The pelvis from the front as in a mirror: the bubble rises to the higher hip. */
export function Level({ athlete }: { athlete: Athlete }) {
  const box = useRef<HTMLDivElement>(null);
  const bubble = useRef<HTMLSpanElement>(null);
  const text = useRef<HTMLSpanElement>(null);
  const labelledMs = useRef(-Infinity);

  usePainter(box, (now) => {
    if (!box.current || !bubble.current || !text.current) return;
    const bridgeMs = athlete.clock.bridgeTime(now);
    const degrees =
      bridgeMs === null ? null : (athlete.angles.poseAt(bridgeMs - PLAYBACK_DELAY_MS)?.obliquityDeg ?? null);
    const shown = degrees === null ? "–" : `${decimal(Math.abs(degrees), 0)}°`;
    if (text.current.textContent !== shown) text.current.textContent = shown;
    if (now - labelledMs.current > LABEL_EVERY_MS) {
      labelledMs.current = now;
      box.current.setAttribute("aria-label", TEXT.levelLabel(degrees));
    }
    box.current.dataset["level"] = degrees === null ? "unknown" : isLevel(degrees) ? "ok" : "tipped";
    const place = Math.max(-1, Math.min(1, (degrees ?? 0) / RANGE_DEG));
    bubble.current.style.setProperty("--place", place.toFixed(3));
  });

  return (
    <div class="level" ref={box} role="img" aria-label={TEXT.levelLabel(null)} data-level="unknown">
      <span class="level-side">{TEXT.left}</span>
      <span class="level-tube">
        <span class="level-mark" style={{ "--place": -LEVEL_LIMIT_DEG / RANGE_DEG }} />
        <span class="level-mark" style={{ "--place": LEVEL_LIMIT_DEG / RANGE_DEG }} />
        <span class="level-slide" ref={bubble}>
          <span class="level-bubble" />
        </span>
      </span>
      <span class="level-side">{TEXT.right}</span>
      <span class="level-value" ref={text}>
        –
      </span>
    </div>
  );
}
