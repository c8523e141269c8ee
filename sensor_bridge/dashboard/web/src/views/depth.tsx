import { useRef } from "preact/hooks";
import { usePainter } from "../frames";
import type { Athlete } from "../gym";
import { TEXT } from "../strings";
import { ATHLETE } from "../strings/athlete";

/** How far down, as a share of the depth the bridge expects. */
export function Depth({ athlete }: { athlete: Athlete }) {
  const bar = useRef<HTMLDivElement>(null);
  const text = useRef<HTMLSpanElement>(null);
  const shown = useRef<number | null>(null);

  usePainter(bar, () => {
    const depth = athlete.live?.depth ?? null;
    if (!bar.current || !text.current || depth === shown.current) return;
    shown.current = depth;
    bar.current.style.setProperty("--fill", (depth ?? 0).toFixed(3));
    bar.current.setAttribute("aria-valuenow", String(Math.round((depth ?? 0) * 100)));
    bar.current.setAttribute("aria-valuetext", depth === null ? ATHLETE.depthUnknown : TEXT.percent(depth));
    text.current.textContent = depth === null ? "–" : TEXT.percent(depth);
  }, 2);

  return (
    <div class="depth">
      <span class="muted">{TEXT.depth}</span>
      <div
        class="depth-bar"
        ref={bar}
        role="meter"
        aria-label={TEXT.depth}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={0}
        aria-valuetext={ATHLETE.depthUnknown}
      />
      <span class="depth-value" ref={text}>
        –
      </span>
    </div>
  );
}
