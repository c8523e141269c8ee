import { TEXT } from "../strings";

/** How many repetitions are done, of how many; `noun` where nobody asked for a number. */
export function Tally({ repetition, total, noun }: { repetition: number; total: number | null; noun: string }) {
  return (
    <p class="tally" aria-label={TEXT.repetitionsLabel(repetition, total)}>
      <span class="tally-done" data-testid="repetition-count">
        {repetition}
      </span>
      <span class="tally-total">{total === null ? noun : TEXT.of(total)}</span>
    </p>
  );
}
