import { useEffect, useState } from "preact/hooks";
import type { MetricProgress } from "../../archive_types";
import { CHART, chartOf, NARROW } from "../../progress_chart";
import { ARCHIVE, day, withUnit } from "../../strings/archive";

const PHONE = "(max-width: 620px)";

/** Medians with their doubt, on the band of what is no change from the first session. */
export function ProgressChart({ metric, label, isSigned }: { metric: MetricProgress; label: string; isSigned: boolean }) {
  const isNarrow = useNarrow();
  const { width, points, line, band, xTicks, yTicks } = chartOf(metric, isSigned, isNarrow ? NARROW : CHART.width);
  const right = width - CHART.right;
  return (
    <figure class="progress-chart">
      <svg viewBox={`0 0 ${width} ${CHART.height}`} role="img" aria-label={ARCHIVE.chart(label)}>
        {band && <rect class="chart-band" x={CHART.left} y={band.top} width={right - CHART.left} height={band.bottom - band.top} />}
        {yTicks.map((tick) => (
          <g key={tick.label}>
            <line class="plot-grid" x1={CHART.left} x2={right} y1={tick.at} y2={tick.at} />
            <text x={CHART.left - 8} y={tick.at + 4} text-anchor="end">
              {tick.label}
              {metric.unit === "°" && "°"}
            </text>
          </g>
        ))}
        {xTicks.map((tick) => (
          <text key={tick.at} x={tick.at} y={CHART.height - 8} text-anchor="middle">
            {tick.label}
          </text>
        ))}
        <path class="chart-line" d={line} />
        {points.map((point, index) => {
          const { median, n, started_ms } = metric.sessions[index]!;
          return (
            <g key={index} class={point.isChange ? "chart-point is-change" : "chart-point"}>
              <title>{`${day(started_ms)}: ${withUnit(median, metric.digits, metric.unit)}, ${ARCHIVE.repetitions(n)}`}</title>
              {point.low !== null && point.high !== null && (
                <path d={`M${point.x} ${point.high}V${point.low}M${point.x - 4} ${point.high}h8M${point.x - 4} ${point.low}h8`} />
              )}
              <circle cx={point.x} cy={point.y} r={5} />
            </g>
          );
        })}
      </svg>
      <figcaption class="muted">
        <span class="chart-key">{ARCHIVE.chartKey}</span>
        {band && <span class="chart-key is-band">{ARCHIVE.bandKey}</span>}
      </figcaption>
    </figure>
  );
}

function useNarrow(): boolean {
  const [isNarrow, setNarrow] = useState(() => window.matchMedia(PHONE).matches);
  useEffect(() => {
    const query = window.matchMedia(PHONE);
    const follow = () => setNarrow(query.matches);
    query.addEventListener("change", follow);
    return () => query.removeEventListener("change", follow);
  }, []);
  return isNarrow;
}
