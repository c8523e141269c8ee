import type { SegmentCalibration } from "../../payloads";
import { COACH } from "../../strings";

/** An error as large as the limit of a level pelvis could hide a fault or make one. */
const DOUBTFUL_DEG = 5;
const UNKNOWN_DEG = 90;

/** How well it is known how the sensors sit: the least known of them decides. */
export function CalibrationNote({ calibration, onlyDoubtful }: { calibration: SegmentCalibration[]; onlyDoubtful: boolean }) {
  if (calibration.length === 0) return null;
  const worst = Math.max(...calibration.map(({ quality_deg: deg }) => deg ?? Infinity));
  const isDoubtful = worst > DOUBTFUL_DEG;
  if (onlyDoubtful && !isDoubtful) return null;
  const isUnknown = worst >= UNKNOWN_DEG;
  return (
    <span
      class={`worn ${isDoubtful ? "worn-doubtful" : ""}`}
      role="img"
      aria-label={isUnknown ? COACH.wornUnknownLabel : COACH.wornLabel(worst)}
      title={isUnknown ? COACH.wornUnknownLabel : COACH.wornLabel(worst)}
      data-testid="calibration"
    >
      {isDoubtful && "△ "}
      {isUnknown ? COACH.wornUnknown : COACH.worn(worst)}
    </span>
  );
}
