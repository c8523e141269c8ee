import type { SensorStatus } from "../payloads";
import { LINK, linkDetails, linkFigures, LOW_BATTERY_PERCENT, placementName, TEXT } from "../strings";

const CELLS = 3;

/** Battery and link of each sensor worn, in words when there is room or when something is wrong. */
export function Sensors({ sensors, withWords }: { sensors: SensorStatus[]; withWords: boolean }) {
  if (sensors.length === 0) return <span class="sensors muted">{TEXT.noSensors}</span>;
  const emptiest = Math.min(...sensors.map((sensor) => sensor.battery_percent ?? 101));
  const shown = sensors.findIndex((sensor) => (sensor.battery_percent ?? 101) === emptiest);
  return (
    <ul class={`sensors ${withWords ? "sensors-wordy" : ""}`} aria-label={TEXT.sensors}>
      {sensors.map((sensor, index) => {
        const { battery_percent: battery, link } = sensor;
        const isLow = battery !== null && battery < LOW_BATTERY_PERCENT;
        // Where room is short only the emptiest battery and broken links are seen; all are read out.
        const isFine = index !== shown && link === "connected" && !isLow;
        const charge = battery === null ? TEXT.batteryUnknown : TEXT.battery(battery);
        return (
          <li
            key={sensor.sensor}
            class={`sensor link-${link} ${isLow ? "sensor-low" : ""} ${isFine ? "sensor-fine" : ""}`}
            title={[
              `${sensor.name}: ${placementName(sensor.placement)}, ${LINK[link]}, ${charge}`,
              [...linkFigures(sensor), ...linkDetails(sensor)].join(", "),
            ].join("\n")}
          >
            <span class="sensor-place">{placementName(sensor.placement)}</span>
            <span class="link" data-testid="sensor-link" data-link={link} data-sensor={sensor.sensor}>
              {LINK[link]}
            </span>
            <span class="battery" role="img" aria-label={charge}>
              {Array.from({ length: CELLS }, (_, cell) => (
                <span key={cell} class={`cell ${(battery ?? 0) > (cell * 100) / CELLS ? "cell-on" : ""}`} />
              ))}
            </span>
            <span class="battery-value">{battery === null ? "–" : `${Math.round(battery)} %`}</span>
            {withWords && (
              <span class={`link-figures ${sensor.gaps > 0 ? "link-lossy" : ""}`} data-testid="link-figures">
                {linkFigures(sensor).join(" · ")}
              </span>
            )}
          </li>
        );
      })}
    </ul>
  );
}
