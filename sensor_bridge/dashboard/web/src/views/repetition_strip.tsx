import { decimal } from "../format";
import type { KnownRepetition } from "../gym";
import { judge, targetTutS } from "../judgement";
import type { Target } from "../payloads";
import { MARK, TEXT } from "../strings";

const TALLEST = 1.25;
/** Places shown where no number was asked for. */
const SLOTS_UNASKED = 5;

/** The set so far, a bar a repetition; what is still to come stays dark. */
export function RepetitionStrip({ repetitions, target }: { repetitions: KnownRepetition[]; target: Target | null }) {
  const asked = target?.repetitions ?? 0;
  const last = repetitions.at(-1)?.repetition ?? 0;
  const slots = Math.max(asked, last, asked > 0 ? 0 : SLOTS_UNASKED);
  const longest = Math.max(...repetitions.map((known) => known.record.tut_s ?? 0), 0.1);
  const full = targetTutS(target) ?? longest;
  const byNumber = new Map(repetitions.map((known) => [known.repetition, known]));
  return (
    <ol class="strip" aria-label={TEXT.strip}>
      {Array.from({ length: slots }, (_, index) => {
        const number = index + 1;
        const known = byNumber.get(number);
        if (!known) {
          return (
            <li key={number} class="bar bar-empty" aria-label={`${number}, ${TEXT.stillToCome}`}>
              <span class="bar-number">{number}</span>
            </li>
          );
        }
        const { mark, doubtful } = judge(known.detail ?? known.record, target);
        const tut = known.record.tut_s;
        const height = tut === null ? 0.15 : Math.min(TALLEST, Math.max(0.15, tut / full));
        const { symbol, word } = MARK[mark];
        const told = tut === null ? word : `${decimal(tut, 1)} s, ${word}`;
        return (
          <li
            key={number}
            class={`bar ${doubtful ? "bar-doubtful" : ""}`}
            style={{ "--height": height / TALLEST }}
            title={told}
            aria-label={`${number}: ${told}`}
            data-testid="repetition-bar"
          >
            <span class="bar-mark" aria-hidden="true">
              {symbol}
            </span>
            <span class={`bar-fill ${symbol ? `fill-${mark}` : "fill-plain"}`} />
            <span class="bar-number">{number}</span>
          </li>
        );
      })}
    </ol>
  );
}
