// Whether what is seen of an athlete is of now. A frozen figure must not be taken for a still athlete.

export type Presence =
  | { is: "live" }
  /** Nothing has come for `seconds`. */
  | { is: "silent"; seconds: number }
  /** Nothing live has come since the page knows of them; what is shown is what the broker kept. */
  | { is: "kept" };

/** Ten messages a second are due; a few may be lost on the way. */
export const SILENT_AFTER_MS = 2_500;

export function presenceOf(liveArrivedMs: number | null, firstHeardMs: number, nowMs: number): Presence {
  if (liveArrivedMs === null) return nowMs - firstHeardMs > SILENT_AFTER_MS ? { is: "kept" } : { is: "live" };
  const silentMs = nowMs - liveArrivedMs;
  return silentMs > SILENT_AFTER_MS ? { is: "silent", seconds: Math.floor(silentMs / 1000) } : { is: "live" };
}
