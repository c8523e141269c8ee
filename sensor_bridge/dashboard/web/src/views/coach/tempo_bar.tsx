import { briefly } from "../../format";
import type { Mark } from "../../judgement";
import { COACH, tempoWords } from "../../strings";

const PARTS = ["eccentric", "bottom", "concentric", "top"] as const;
/** Narrower than this share of the bar there is no room for the number. */
const LEAST_LABELLED = 0.07;

export type TempoParts = readonly [eccentric: number | null, bottom: number | null, concentric: number | null, top: number | null];

interface Props {
  parts: TempoParts;
  /** Length of the whole bar, s: the same for all bars of a set. */
  scaleS: number;
  /** Where the lowering should have ended, s. */
  askedEccentricS: number | null;
  mark: Mark | null;
}

/** Lowering, bottom, up and top one after the other, each as long as it took. */
export function TempoBar({ parts, scaleS, askedEccentricS, mark }: Props) {
  const label = COACH.tempoLabel(tempoWords(parts));
  return (
    <div class="tempo" role="img" aria-label={label} title={label}>
      {parts.map((seconds, index) => {
        if (!seconds) return null;
        const share = seconds / scaleS;
        return (
          <span
            key={PARTS[index]}
            class={`tempo-part tempo-${PARTS[index]} ${index === 0 && mark ? `tempo-${mark}` : ""}`}
            style={{ width: `${(share * 100).toFixed(2)}%` }}
            aria-hidden="true"
          >
            {share >= LEAST_LABELLED && briefly(Math.round(seconds * 10) / 10)}
          </span>
        );
      })}
      {askedEccentricS !== null && (
        <span class="tempo-asked" style={{ left: `${((askedEccentricS / scaleS) * 100).toFixed(2)}%` }} aria-hidden="true" />
      )}
    </div>
  );
}
