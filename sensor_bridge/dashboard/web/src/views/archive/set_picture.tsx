import type { AnglePlot } from "../../archive_types";
import { ARCHIVE, CURVE_NAME } from "../../strings/archive";

/** Hip angles and tilt over a set, as the bridge has laid them out; the report shows the same. */
export function SetPicture({ set, plot }: { set: number; plot: AnglePlot }) {
  const { width, height, left, right, top, bottom, bands, curves } = plot;
  return (
    <figure class="set-picture">
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={ARCHIVE.picture(set)}>
        {bands.map((band) => (
          <g key={band.label}>
            <rect class="plot-band" x={band.x} y={top} width={band.width} height={bottom - top} />
            <text class="plot-number" x={band.middle} y={top - 6} text-anchor="middle">
              {band.label}
            </text>
          </g>
        ))}
        {plot.y_ticks.map((tick) => (
          <g key={tick.label}>
            <line class={tick.label === "0°" ? "plot-zero" : "plot-grid"} x1={left} x2={right} y1={tick.at} y2={tick.at} />
            <text x={left - 6} y={tick.at + 4} text-anchor="end">
              {tick.label}
            </text>
          </g>
        ))}
        {plot.x_ticks.map((tick) => (
          <text key={tick.label} x={tick.at} y={bottom + 17} text-anchor="middle">
            {tick.label}
          </text>
        ))}
        {[...curves].reverse().map(({ name, path }) => (
          <path key={name} class={`curve curve-${name}`} d={path} />
        ))}
      </svg>
      <figcaption>
        {curves.map(({ name }) => (
          <span key={name} class={`curve-key curve-${name}`}>
            {CURVE_NAME.get(name) ?? name}
          </span>
        ))}
        <span class="curve-key curve-band">{ARCHIVE.lowering}</span>
      </figcaption>
    </figure>
  );
}
