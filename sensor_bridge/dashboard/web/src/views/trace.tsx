import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { decimal } from "../format";
import { usePainter } from "../frames";
import type { Athlete } from "../gym";
import { TEXT } from "../strings";
import { theme } from "../theme";
import { PLAYBACK_DELAY_MS } from "./figure_view";

const LENGTH_S = 20;
const PAINT_EVERY = 4;
const STEP_DEG = 15;

interface Colours {
  live: string;
  muted: string;
  grid: string;
  band: string;
}

/** Hip angle and pelvic tilt of the last 20 s; the lowerings are shaded. */
export function Trace({ athlete, withAxis }: { athlete: Athlete; withAxis: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const endMs = useRef(0);
  const hipText = useRef<HTMLSpanElement>(null);
  const tiltText = useRef<HTMLSpanElement>(null);

  useEffect(() => {
    const place = box.current;
    if (!place) return undefined;
    const build = () => {
      plot.current?.destroy();
      plot.current = new uPlot(options(place, withAxis, (u) => shadeLowerings(u, athlete, endMs.current)), [[], [], []], place);
    };
    build();
    const sizes = new ResizeObserver(() => plot.current?.setSize({ width: place.clientWidth, height: place.clientHeight }));
    sizes.observe(place);
    return () => {
      sizes.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [athlete, withAxis, theme.value]);

  usePainter(box, (now) => {
    const bridgeMs = athlete.clock.bridgeTime(now);
    if (bridgeMs === null || !plot.current) return;
    const shownMs = bridgeMs - PLAYBACK_DELAY_MS;
    const pose = athlete.angles.poseAt(shownMs);
    write(hipText.current, pose?.hipDeg ?? null);
    write(tiltText.current, pose?.tiltDeg ?? null);
    endMs.current = shownMs;
    const [x, hip, tilt] = athlete.angles.trace(shownMs, LENGTH_S, withAxis ? 1 : 3);
    plot.current.setData([x, hip, tilt], false);
    plot.current.batch(() => {
      plot.current?.setScale("x", { min: -LENGTH_S, max: 0 });
      plot.current?.setScale("y", rangeOf([...hip, ...tilt]));
    });
  }, PAINT_EVERY);

  return (
    <div class="trace">
      <div class="trace-key" aria-label={TEXT.liveAngles}>
        <span class="key-hip">
          {TEXT.hip}{" "}
          <span class="value" data-testid="hip" ref={hipText}>
            –
          </span>
        </span>
        <span class="key-tilt">
          {TEXT.tilt}{" "}
          <span class="value" data-testid="tilt" ref={tiltText}>
            –
          </span>
        </span>
      </div>
      <div class="trace-plot" role="img" aria-label={TEXT.traceLabel} ref={box} />
    </div>
  );
}

function write(element: HTMLElement | null, degrees: number | null): void {
  const text = degrees === null ? "–" : `${decimal(degrees, 0)}°`;
  if (element && element.textContent !== text) element.textContent = text;
}

/** Full steps around what there is, never less than three of them, so that the picture does not breathe. */
function rangeOf(values: (number | null)[]): { min: number; max: number } {
  let low = 0;
  let high = 0;
  for (const value of values) {
    if (value === null) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const min = Math.floor((low - 2) / STEP_DEG) * STEP_DEG;
  const max = Math.max(Math.ceil((high + 2) / STEP_DEG) * STEP_DEG, min + 3 * STEP_DEG);
  return { min, max };
}

function colours(): Colours {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string) => style.getPropertyValue(name).trim();
  return { live: read("--live"), muted: read("--trace-second"), grid: read("--line"), band: read("--band") };
}

function options(place: HTMLElement, withAxis: boolean, shade: (u: uPlot) => void): uPlot.Options {
  const { live, muted, grid } = colours();
  const axis: uPlot.Axis = {
    show: withAxis,
    stroke: muted,
    grid: { stroke: grid, width: 1 },
    ticks: { show: false },
    font: "13px system-ui, sans-serif",
  };
  return {
    width: Math.max(place.clientWidth, 10),
    height: Math.max(place.clientHeight, 10),
    legend: { show: false },
    cursor: { show: false },
    padding: [6, withAxis ? 22 : 2, withAxis ? 0 : 6, 2],
    scales: { x: { time: false, range: [-LENGTH_S, 0] }, y: { auto: false, range: [-15, 75] } },
    axes: [
      { ...axis, size: 26, values: (_, ticks) => ticks.map((tick) => (TEXT.ago(tick))) },
      { ...axis, size: 46, values: (_, ticks) => ticks.map((tick) => `${decimal(tick, 0)}°`) },
    ],
    series: [
      {},
      { stroke: live, width: withAxis ? 3 : 2, points: { show: false }, spanGaps: false },
      { stroke: muted, width: withAxis ? 2 : 1.5, points: { show: false }, spanGaps: false },
    ],
    hooks: { drawClear: [shade] },
  };
}

function shadeLowerings(u: uPlot, athlete: Athlete, endMs: number): void {
  const { band } = colours();
  const { left, top, width, height } = u.bbox;
  const position = (timeMs: number) => u.valToPos(Math.max(-LENGTH_S, Math.min(0, (timeMs - endMs) / 1000)), "x", true);
  const spans = athlete.repetitions.map(({ detail }) => [detail?.eccentric_start_ms, detail?.eccentric_end_ms] as const);
  const live = athlete.live;
  const current = live?.phase === "eccentric" ? [[live.eccentric_start_ms, endMs] as const] : [];
  u.ctx.save();
  u.ctx.fillStyle = band;
  for (const [start, end] of [...spans, ...current]) {
    if (start == null || end == null || end < endMs - LENGTH_S * 1000) continue;
    const from = Math.max(left, position(start));
    const to = Math.min(left + width, position(end));
    if (to > from) u.ctx.fillRect(from, top, to - from, height);
  }
  u.ctx.restore();
}
