// A sensor that no longer sits where it sat, in words.

import { decimal } from "../format";
import type { SegmentCalibration } from "../payloads";
import { placementName } from "../strings";

/** Null while the sensor sits as it did. */
export function slipTrouble({ placement, slip }: SegmentCalibration, currentSet: number): string | null {
  if (!slip) return null;
  const inSet = slip.set === currentSet ? "" : ` of set ${slip.set}`;
  const when = slip.repetition > 0 ? `after repetition ${slip.repetition}${inSet}` : `before the first repetition${inSet}`;
  const off = `its angles are off by ${decimal(slip.angle_deg, 0)}° since`;
  return `The sensor on the ${placementName(placement)} slipped ${when}: ${off}. Re-clip it and zero it again.`;
}

/** The same for a card with little room. */
export function slipTroubleBriefly({ placement, slip }: SegmentCalibration): string | null {
  return slip ? `${placementName(placement)}: slipped, re-clip it` : null;
}
