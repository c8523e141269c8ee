import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Athlete } from "../../gym";
import { formOf, type Mistakes, type PrescriptionForm, readForm } from "../../prescribing";
import type { Store } from "../../store";
import { askedWords, COACH, exerciseName, PRESCRIBABLE, TEMPO_MISTAKE } from "../../strings";
import { kilogramsOf, loadIn, loadUnit, switchLoadUnit } from "../../units";
import { OutcomeWords } from "./asked_log";

interface Props {
  store: Store;
  athlete: Athlete;
  onClose: () => void;
}

/** Asks for another prescription; closes when the bridge has taken it, and says why when it has not. */
export function PrescriptionDialog({ store, athlete, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [form, setForm] = useState<PrescriptionForm>(() => formOf(athlete.state?.data ?? null, loadUnit.value));
  const [mistakes, setMistakes] = useState<Mistakes>({});
  const [request, setRequest] = useState<string | null>(null);
  const asked = store.asked.value.find((entry) => entry.request === request);
  const change = (changes: Partial<PrescriptionForm>) => setForm((old) => ({ ...old, ...changes }));

  useEffect(() => dialog.current?.showModal(), []);
  useEffect(() => {
    if (asked?.outcome === "done") onClose();
  }, [asked?.outcome]);

  const ask = (event: Event) => {
    event.preventDefault();
    const read = readForm(athlete.id, form, loadUnit.value);
    setMistakes("mistakes" in read ? read.mistakes : {});
    if ("args" in read) setRequest(store.ask("prescribe", read.args));
  };
  const switchUnit = () => {
    const from = loadUnit.value;
    switchLoadUnit();
    const typed = Number(form.load.replace(",", "."));
    if (form.load.trim() !== "" && Number.isFinite(typed)) change({ load: String(loadIn(kilogramsOf(typed, from))) });
  };
  const number = (field: "repetitions" | "sets" | "range", wrong: string, mistake: boolean | undefined) => (
    <Field name={field} label={COACH.fields[field]} complaint={mistake ? wrong : null}>
      <input
        id={`prescribe-${field}`}
        inputMode="numeric"
        autocomplete="off"
        value={form[field]}
        aria-invalid={mistake === true}
        aria-describedby={`prescribe-${field}-wrong`}
        onInput={(event) => change({ [field]: event.currentTarget.value })}
      />
    </Field>
  );

  return (
    <dialog class="dialog" ref={dialog} aria-labelledby="prescribe-title" onClose={onClose} data-testid="prescribe">
      <form onSubmit={ask} noValidate>
        <h2 id="prescribe-title">
          {COACH.prescription} · {athlete.name}
        </h2>
        <div class="fields">
          <Field name="exercise" label={COACH.fields.exercise} complaint={null}>
            <select
              id="prescribe-exercise"
              value={form.exercise}
              onChange={(event) => change({ exercise: event.currentTarget.value })}
            >
              <option value="">{COACH.notSaid}</option>
              {[...new Set([...PRESCRIBABLE, form.exercise])].filter(Boolean).map((code) => (
                <option key={code} value={code}>
                  {exerciseName(code, "both")}
                </option>
              ))}
            </select>
          </Field>
          <Choice
            name="side"
            value={form.side}
            options={COACH.sides}
            onChange={(side) => change({ side: side as PrescriptionForm["side"] })}
          />
          {number("sets", COACH.wrong.whole, mistakes.sets)}
          {number("repetitions", COACH.wrong.whole, mistakes.repetitions)}
          <Field name="tempo" label={COACH.fields.tempo} complaint={mistakes.tempo ? TEMPO_MISTAKE[mistakes.tempo] : null}>
            <input
              id="prescribe-tempo"
              autocomplete="off"
              autocapitalize="characters"
              placeholder="5-0-X-0"
              value={form.tempo}
              aria-invalid={mistakes.tempo !== undefined}
              aria-describedby="prescribe-tempo-wrong prescribe-tempo-hint"
              onInput={(event) => change({ tempo: event.currentTarget.value })}
            />
          </Field>
          <Field name="load" label={COACH.fields.load} complaint={mistakes.load ? COACH.wrong.load : null}>
            <span class="with-unit">
              <input
                id="prescribe-load"
                inputMode="decimal"
                autocomplete="off"
                value={form.load}
                aria-invalid={mistakes.load === true}
                aria-describedby="prescribe-load-wrong"
                onInput={(event) => change({ load: event.currentTarget.value })}
              />
              <button
                type="button"
                class="button"
                aria-label={COACH.switchUnit(loadUnit.value)}
                data-testid="load-unit"
                onClick={switchUnit}
              >
                {loadUnit.value} ⇄
              </button>
            </span>
          </Field>
          <Choice
            name="support"
            value={form.support}
            options={COACH.supports}
            onChange={(support) => change({ support: support as PrescriptionForm["support"] })}
          />
          {number("range", COACH.wrong.range, mistakes.range)}
        </div>
        <p class="muted" id="prescribe-tempo-hint">
          {COACH.tempoHint}
        </p>
        {asked && (
          <p class={`asked-line asked-${asked.outcome}`} role="status" data-testid="prescribe-outcome">
            <OutcomeWords entry={asked} what={askedWords(asked)} />
          </p>
        )}
        <div class="dialog-foot">
          <button
            type="button"
            class="button"
            onClick={() => setRequest(store.ask("prescribe", { athlete: athlete.id }))}
          >
            {COACH.takeAway}
          </button>
          <span class="spacer" />
          <button type="button" class="button" onClick={() => dialog.current?.close()}>
            {COACH.cancel}
          </button>
          <button type="submit" class="button button-main" disabled={asked?.outcome === "pending"}>
            {COACH.save}
          </button>
        </div>
      </form>
    </dialog>
  );
}

function Field(props: { name: string; label: string; complaint: string | null; children: ComponentChildren }) {
  return (
    <div class="field">
      <label for={`prescribe-${props.name}`}>{props.label}</label>
      {props.children}
      <span class="field-wrong" id={`prescribe-${props.name}-wrong`} role={props.complaint ? "alert" : undefined}>
        {props.complaint}
      </span>
    </div>
  );
}

function Choice(props: {
  name: "side" | "support";
  value: string;
  options: Readonly<Record<string, string>>;
  onChange: (value: string) => void;
}) {
  return (
    <Field name={props.name} label={COACH.fields[props.name]} complaint={null}>
      <select
        id={`prescribe-${props.name}`}
        value={props.value}
        onChange={(event) => props.onChange(event.currentTarget.value)}
      >
        <option value="">{COACH.notSaid}</option>
        {Object.entries(props.options).map(([value, words]) => (
          <option key={value} value={value}>
            {words}
          </option>
        ))}
      </select>
    </Field>
  );
}
