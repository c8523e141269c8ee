// A sensor that no longer sits where it sat, in words.

import { capital, decimal } from "../format";
import type { SegmentCalibration } from "../payloads";
import { placementName } from "../strings";

/** Null while the sensor sits as it did. */
export function slipTrouble({ placement, slip }: SegmentCalibration, currentSet: number): string | null {
  if (!slip) return null;
  const inSet = slip.set === currentSet ? "" : ` of set ${slip.set}`;
  const when = slip.repetition > 0 ? `after repetition ${slip.repetition}${inSet}` : `before the first repetition${inSet}`;
  const sensor = `${capital(placementName(placement))} sensor`;
  return `${sensor} slipped ${when}: ${decimal(slip.angle_deg, 0)}° off since. Re-clip it.`;
}

/** The same for a card with little room. */
export function slipTroubleBriefly({ placement, slip }: SegmentCalibration): string | null {
  return slip ? `${placementName(placement)}: slipped, re-clip it` : null;
}
