import { useState } from "preact/hooks";
import { decimal } from "../../format";
import type { KnownRepetition } from "../../gym";
import { askedThen } from "../../judgement";
import type { Repetition, Target } from "../../payloads";
import type { Store } from "../../store";
import { COACH, findingWords, QUANTITY, spreadWords, TEXT } from "../../strings";
import { NoteForm } from "./actions";

interface Props {
  known: KnownRepetition;
  target: Target | null;
  athlete: string;
  store: Store;
}

/** Everything measured of one repetition, what could not be measured and why, and what a coach may say of it. */
export function RepetitionDetails({ known, target, athlete, store }: Props) {
  const { detail } = known;
  return (
    <div class="details">
      {detail ? <Measured detail={detail} target={target} /> : <p class="muted">{COACH.onlyBrief}</p>}
      {known.id !== null ? <Disputed known={known} id={known.id} athlete={athlete} store={store} /> : null}
    </div>
  );
}

function Measured({ detail, target }: { detail: Repetition; target: Target | null }) {
  const value = (field: string) => detail[field as keyof Repetition] as number | null;
  const isLying = detail.exercise.includes("bridge");
  const missing = QUANTITY.filter(([field]) => value(field) === null && detail.reasons[field] !== undefined);
  return (
    <>
      <dl class="quantities">
        {QUANTITY.filter(([field]) => value(field) !== null).map(([field, label, unit, digits]) => (
          <div key={field}>
            <dt>{label}</dt>
            <dd>
              {detail.kind[field] === "proxy" && <abbr title={TEXT.estimated}>≈</abbr>}
              <span class="value">
                {decimal(value(field)!, digits)}
                {unit}
              </span>{" "}
              {detail.sd[field] !== undefined && <span class="sd">{spreadWords(detail.sd[field], Math.max(1, digits))}</span>}
            </dd>
          </div>
        ))}
      </dl>
      {detail.faults.map((fault) => (
        <p key={fault.code}>
          △ {COACH.fault(findingWords({ ...fault, mark: "watch" }, askedThen(detail, target), isLying), fault.threshold, fault.sd)}
        </p>
      ))}
      {detail.warnings.map((warning) => (
        <p key={warning} class="muted">
          {warning}
        </p>
      ))}
      {missing.map(([field, label]) => (
        <p key={field} class="muted">
          {COACH.notMeasured(label, detail.reasons[field] ?? TEXT.noReason)}
        </p>
      ))}
    </>
  );
}

function Disputed({ known, id, athlete, store }: { known: KnownRepetition; id: string; athlete: string; store: Store }) {
  const [why, setWhy] = useState("");
  const dispute = (event: Event) => {
    event.preventDefault();
    store.ask("not-a-repetition", { athlete, event: id, ...(why.trim() ? { text: why.trim() } : {}) });
  };
  return (
    <div class="dispute">
      <form class="note-form" onSubmit={dispute}>
        <input
          aria-label={COACH.why}
          placeholder={COACH.why}
          maxLength={500}
          autocomplete="off"
          value={why}
          onInput={(event) => setWhy(event.currentTarget.value)}
        />
        <button type="submit" class="button" aria-label={COACH.notOneLabel(known.repetition)}>
          {COACH.notOne}
        </button>
      </form>
      <NoteForm
        label={COACH.noteOn(known.repetition)}
        onNote={(text) => store.ask("note", { athlete, text, event: id })}
      />
    </div>
  );
}
