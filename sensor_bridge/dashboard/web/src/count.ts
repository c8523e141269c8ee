// Counting the lowering: "1 … 2 … 3 … 4 … 5".

export interface Count {
  elapsedS: number;
  /** The number a coach would be calling now. */
  called: number;
  /** How full each pip is, 0 to 1. */
  fills: number[];
  /** Width of each pip in seconds; the last may be a fraction. */
  widthsS: number[];
  /** Time beyond the target, s. */
  overS: number;
}

const PIPS_WITHOUT_TARGET = 5;
const MOST_PIPS = 12;

export function pipWidths(targetS: number | null, elapsedS = 0): number[] {
  const total =
    targetS !== null && targetS > 0 ? targetS : Math.max(PIPS_WITHOUT_TARGET, Math.floor(elapsedS) + 1);
  const whole = Math.min(MOST_PIPS, Math.ceil(total - 1e-6));
  return Array.from({ length: whole }, (_, index) => Math.min(1, total - index));
}

export function countAt(startMs: number, nowMs: number, targetS: number | null): Count {
  const elapsedS = Math.max(0, (nowMs - startMs) / 1000);
  const widthsS = pipWidths(targetS, elapsedS);
  const fills = widthsS.map((width, index) => Math.min(1, Math.max(0, (elapsedS - index) / width)));
  const goalS = targetS !== null && targetS > 0 ? targetS : Infinity;
  const called = Math.min(Math.floor(elapsedS) + 1, Math.ceil(goalS - 1e-6));
  return { elapsedS, called, fills, widthsS, overS: Math.max(0, elapsedS - goalS) };
}
