// The bridge stamps with its own clock, the page counts with another. Every live message tells how far they
// are apart, plus its time on the way; the fastest one of the last half minute tells it best.

const BUCKET_MS = 2_000;
const BUCKETS = 15;

/** Milliseconds since 1970 on the page's clock, which never jumps. */
export function pageNow(): number {
  return performance.timeOrigin + performance.now();
}

export class BridgeClock {
  readonly #smallestByBucket = new Map<number, number>();

  /** A message about `bridgeMs` arrived at `pageMs`. */
  observe(bridgeMs: number, pageMs: number): void {
    const bucket = Math.floor(pageMs / BUCKET_MS);
    const difference = pageMs - bridgeMs;
    const known = this.#smallestByBucket.get(bucket);
    if (known === undefined || difference < known) this.#smallestByBucket.set(bucket, difference);
    for (const old of this.#smallestByBucket.keys()) {
      if (old <= bucket - BUCKETS) this.#smallestByBucket.delete(old);
    }
  }

  /** The newest bridge time that can have been heard of at `pageMs`; null before the first message. */
  bridgeTime(pageMs: number): number | null {
    if (this.#smallestByBucket.size === 0) return null;
    return pageMs - Math.min(...this.#smallestByBucket.values());
  }
}
