// What a screen reader is told, and how often: one sentence at a time, the urgent ones first, never more than
// one every few seconds, and of each athlete only the newest.

export interface Announcement {
  athlete: string;
  text: string;
  isUrgent: boolean;
}

/** A sentence of fifteen words takes about this long to be spoken. */
export const SPOKEN_EVERY_MS = 5_000;
/** Later than this nobody wants to hear it. */
const STALE_AFTER_MS = 20_000;

export class Announcer {
  readonly #waiting = new Map<string, Announcement & { atMs: number }>();
  #lastMs = -Infinity;

  offer(announcement: Announcement, nowMs: number): void {
    this.#waiting.delete(announcement.athlete);
    this.#waiting.set(announcement.athlete, { ...announcement, atMs: nowMs });
  }

  /** The sentence to say at `nowMs`; null where there is none or one is still being spoken. */
  next(nowMs: number): string | null {
    for (const [athlete, { atMs }] of this.#waiting) {
      if (nowMs - atMs > STALE_AFTER_MS) this.#waiting.delete(athlete);
    }
    if (nowMs - this.#lastMs < SPOKEN_EVERY_MS) return null;
    const waiting = [...this.#waiting.values()];
    const chosen = waiting.find((one) => one.isUrgent) ?? waiting.at(-1);
    if (!chosen) return null;
    this.#waiting.delete(chosen.athlete);
    this.#lastMs = nowMs;
    return chosen.text;
  }
}
