import { useState } from "preact/hooks";
import { decimal, signed } from "../../format";
import type { KnownRepetition } from "../../gym";
import { askedThen, type Judgement, judge } from "../../judgement";
import type { Target } from "../../payloads";
import { type Aspect, bestRepetition, readingOf, realDifference, type Side } from "../../set_review";
import type { Store } from "../../store";
import { COACH, repetitionWords, spreadWords, TEXT } from "../../strings";
import { MarkSign } from "../mark_sign";
import { RepetitionDetails } from "./repetition_details";
import { TempoBar, type TempoParts } from "./tempo_bar";

const COLUMNS: readonly (readonly [aspect: Exclude<Aspect, "eccentric">, withSign: boolean])[] = [
  ["depth", false],
  ["level", true],
  ["lockout", true],
];
/** "As fast as possible" is drawn this long, s. */
const FAST_CONCENTRIC_S = 1;

interface Props {
  repetitions: readonly KnownRepetition[];
  target: Target | null;
  side: Side;
  athlete: string;
  store: Store;
}

/** The set, repetition by repetition; each opens to everything that was measured. */
export function RepetitionTable({ repetitions, target, side, athlete, store }: Props) {
  const [open, setOpen] = useState<number | null>(null);
  const told = repetitions.map((known) => known.detail ?? known.record);
  const bestNumber = bestRepetition(told, target, side);
  const best = told.find((one) => one.repetition === bestNumber) ?? null;
  const first = told[0];
  const askedParts = partsAsked(first ? askedThen(first, target) : target);
  const scaleS = Math.max(
    0.1,
    ...repetitions.map((known) => total(partsOf(known))),
    askedParts ? total(askedParts) : 0,
  );
  return (
    <table class="reps">
      <thead>
        <tr>
          <th scope="col">
            <span class="spoken">{TEXT.repetitions}</span>
          </th>
          <th scope="col">{COACH.columns.tempo}</th>
          {COLUMNS.map(([aspect]) => (
            <th scope="col" key={aspect}>
              {COACH.columns[aspect]}
            </th>
          ))}
          <th scope="col">{COACH.columns.words}</th>
        </tr>
      </thead>
      <tbody>
        {askedParts && (
          <tr class="rep-asked">
            <th scope="row">{COACH.askedTempo}</th>
            <td>
              <TempoBar parts={askedParts} scaleS={scaleS} askedEccentricS={askedParts[0]} mark={null} />
            </td>
            <td colSpan={4} />
          </tr>
        )}
        {repetitions.map((known) => (
          <Row
            key={known.repetition}
            known={known}
            target={target}
            side={side}
            best={best}
            scaleS={scaleS}
            isOpen={open === known.repetition}
            onOpen={() => setOpen((old) => (old === known.repetition ? null : known.repetition))}
            athlete={athlete}
            store={store}
          />
        ))}
      </tbody>
    </table>
  );
}

interface RowProps extends Omit<Props, "repetitions"> {
  known: KnownRepetition;
  best: KnownRepetition["record"] | null;
  scaleS: number;
  isOpen: boolean;
  onOpen: () => void;
}

function Row({ known, target, side, best, scaleS, isOpen, onOpen, athlete, store }: RowProps) {
  const told = known.detail ?? known.record;
  const judgement = judge(told, target);
  const isBest = best?.repetition === told.repetition;
  const details = `repetition-${known.set}-${known.repetition}`;
  return (
    <>
      <tr class={`rep rep-${judgement.mark}`} data-testid="repetition-row" data-repetition={known.repetition}>
        <th scope="row">
          <button
            type="button"
            class="rep-open"
            aria-expanded={isOpen}
            aria-controls={details}
            aria-label={COACH.more(known.repetition)}
            onClick={onOpen}
          >
            {known.repetition}
          </button>
          <MarkSign mark={judgement.mark} />
        </th>
        <td>
          <TempoBar
            parts={partsOf(known)}
            scaleS={scaleS}
            askedEccentricS={askedThen(told, target)?.eccentric_s ?? null}
            mark={judgement.findings.find((finding) => finding.code === "fast_eccentric")?.mark ?? "good"}
          />
        </td>
        {COLUMNS.map(([aspect, withSign]) => (
          <td key={aspect} class="reading" data-label={COACH.columns[aspect]} data-testid={`reading-${aspect}`}>
            <ReadingCell told={told} best={isBest ? null : best} aspect={aspect} side={side} withSign={withSign} onOpen={onOpen} />
          </td>
        ))}
        <td class="rep-words">
          {isBest && (
            <span class="best" title={COACH.bestLabel}>
              ★ {COACH.best}
            </span>
          )}{" "}
          {wordsOf(known, judgement, target)}
        </td>
      </tr>
      {isOpen && (
        <tr class="rep-details" id={details}>
          <td colSpan={6}>
            <RepetitionDetails known={known} target={target} athlete={athlete} store={store} />
          </td>
        </tr>
      )}
    </>
  );
}

interface CellProps {
  told: KnownRepetition["record"];
  best: KnownRepetition["record"] | null;
  aspect: Aspect;
  side: Side;
  withSign: boolean;
  onOpen: () => void;
}

function ReadingCell({ told, best, aspect, side, withSign, onOpen }: CellProps) {
  const reading = readingOf(told, aspect, side);
  if (!reading) {
    return (
      <button type="button" class="missing" title={TEXT.notMeasurable} aria-label={TEXT.notMeasurable} onClick={onOpen}>
        –
      </button>
    );
  }
  const difference = best ? realDifference(reading, readingOf(best, aspect, side)) : null;
  return (
    <>
      <span class="value">
        {withSign ? signed(reading.value, 0) : decimal(reading.value, 0)}°
      </span>{" "}
      {reading.sd !== null && <span class="sd">{spreadWords(reading.sd, 1)}</span>}
      {difference !== null && (
        <span class="against" aria-label={COACH.againstBestLabel(difference, "°", 0)} title={COACH.againstBestLabel(difference, "°", 0)}>
          {COACH.againstBest(difference, "°", 0)}
        </span>
      )}
    </>
  );
}

function wordsOf(known: KnownRepetition, { findings, doubtful }: Judgement, target: Target | null): string {
  // The bar and the figures tell what was good; words are for what was not.
  if (findings.length === 0 && !doubtful) return COACH.asAsked;
  const words = repetitionWords(known.detail ?? known.record, findings, target, doubtful);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The whole movements where they are known: the tempo that was asked for is held against these. */
function partsOf({ record, detail }: KnownRepetition): TempoParts {
  return [
    record.eccentric_movement_s ?? record.eccentric_s,
    record.bottom_pause_s,
    detail?.concentric_movement_s ?? record.concentric_s,
    detail?.top_pause_s ?? null,
  ];
}

function partsAsked(target: Target | null): TempoParts | null {
  if (!target || target.eccentric_s === null) return null;
  return [target.eccentric_s, target.bottom_s, target.concentric_s ?? FAST_CONCENTRIC_S, target.top_s];
}

function total(parts: TempoParts): number {
  return parts.reduce<number>((sum, part) => sum + (part ?? 0), 0);
}
