// Who stands first in the grid: who needs a look. The order is calm: a card moves up only when its trouble has
// lasted, down only when it has been well for a while, and never while somebody reaches for one.

export interface Candidate {
  athlete: string;
  name: string;
  /** 0 fine · 1 watch · 2 not good · 3 cannot be measured. */
  urgency: number;
}

export type SortBy = "attention" | "name";

/** Trouble shorter than this (a link that flickers) moves nobody. */
export const UP_AFTER_MS = 1_500;
/** Well again for this long before a card goes back among the others: about two repetitions. */
export const DOWN_AFTER_MS = 12_000;

interface Standing {
  rank: number;
  /** Since when the urgency has been above, or below, the rank without a break. */
  risingSinceMs: number | null;
  fallingSinceMs: number | null;
}

export class AttentionOrder {
  readonly #standings = new Map<string, Standing>();
  #shown: readonly string[] = [];

  /** The athletes in the order to show them at `nowMs`; while `held` only who came or went changes it. */
  order(candidates: readonly Candidate[], sortBy: SortBy, nowMs: number, held = false): readonly string[] {
    const present = new Set(candidates.map((candidate) => candidate.athlete));
    for (const gone of [...this.#standings.keys()].filter((id) => !present.has(id))) this.#standings.delete(gone);
    for (const candidate of candidates) this.#settle(candidate, nowMs);
    const sorted = [...candidates]
      .sort((a, b) => (sortBy === "attention" ? this.#rank(b) - this.#rank(a) : 0) || byName(a, b))
      .map((candidate) => candidate.athlete);
    if (held) {
      const kept = this.#shown.filter((id) => present.has(id));
      const shown = new Set(kept);
      this.#shown = [...kept, ...sorted.filter((id) => !shown.has(id))];
    } else this.#shown = sorted;
    return this.#shown;
  }

  #settle({ athlete, urgency }: Candidate, nowMs: number): void {
    const standing = this.#standings.get(athlete);
    if (!standing) {
      // Who is new stands where they belong at once: a late joiner sees the right order.
      this.#standings.set(athlete, { rank: urgency, risingSinceMs: null, fallingSinceMs: null });
      return;
    }
    standing.risingSinceMs = urgency > standing.rank ? (standing.risingSinceMs ?? nowMs) : null;
    standing.fallingSinceMs = urgency < standing.rank ? (standing.fallingSinceMs ?? nowMs) : null;
    const { risingSinceMs, fallingSinceMs } = standing;
    const moves =
      (risingSinceMs !== null && nowMs - risingSinceMs >= UP_AFTER_MS) ||
      (fallingSinceMs !== null && nowMs - fallingSinceMs >= DOWN_AFTER_MS);
    if (moves) this.#standings.set(athlete, { rank: urgency, risingSinceMs: null, fallingSinceMs: null });
  }

  #rank({ athlete, urgency }: Candidate): number {
    return this.#standings.get(athlete)?.rank ?? urgency;
  }
}

function byName(a: Candidate, b: Candidate): number {
  return a.name.localeCompare(b.name, undefined, { numeric: true }) || a.athlete.localeCompare(b.athlete);
}
