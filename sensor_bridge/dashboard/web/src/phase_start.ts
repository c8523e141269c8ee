// When the phase that is going on began, on the bridge's clock, and how long it was asked to last.

import type { Live, Target } from "./payloads";

type Phase = Live["phase"];

/** Follows the live messages of one athlete. */
export class PhaseStart {
  #phase: Phase = "unknown";
  #startMs: number | null = null;
  #newestMs: number | null = null;

  /** Begin of the phase of the newest message, UTC ms; null before the first. */
  get startMs(): number | null {
    return this.#startMs;
  }

  take(live: Live): void {
    const { phase, t_ms: timeMs, eccentric_start_ms: reportedMs } = live;
    if (phase === "eccentric" && reportedMs !== null) this.#startMs = reportedMs;
    else if (phase !== this.#phase || this.#startMs === null) {
      // It changed somewhere between this message and the one before.
      const previousMs = this.#newestMs;
      const isNext = previousMs !== null && timeMs > previousMs && timeMs - previousMs < LONGEST_STEP_MS;
      this.#startMs = isNext ? (previousMs + timeMs) / 2 : timeMs;
    }
    this.#phase = phase;
    this.#newestMs = timeMs;
  }
}

/** Messages further apart than this say nothing of the time between them. */
const LONGEST_STEP_MS = 500;

/** Seconds asked for a phase; null where it is free, as fast as possible, or no pause at all. */
export function askedFor(phase: Phase, target: Target | null): number | null {
  const askedS =
    phase === "eccentric"
      ? target?.eccentric_s
      : phase === "bottom"
        ? target?.bottom_s
        : phase === "concentric"
          ? target?.concentric_s
          : phase === "top"
            ? target?.top_s
            : null;
  return askedS != null && askedS > 0 ? askedS : null;
}
