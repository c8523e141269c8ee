import { useState } from "preact/hooks";
import { pageNow } from "../../clock";
import type { Athlete } from "../../gym";
import type { SensorStatus } from "../../payloads";
import type { Store } from "../../store";
import { COACH, LINK, placementName, targetWords, TEXT } from "../../strings";
import { AskedLog } from "./asked_log";
import { PrescriptionDialog } from "./prescription_dialog";

/** What a coach can do; whether it was done is told below, in the bridge's words. */
export function Actions({ store, athlete, sensors }: { store: Store; athlete: Athlete; sensors: SensorStatus[] }) {
  const [isPrescribing, setPrescribing] = useState(false);
  const id = athlete.id;
  const target = athlete.state?.data.target ?? null;
  return (
    <section class="card actions" aria-label={COACH.actions}>
      <p class="prescribed" data-testid="prescribed">
        <span>{target ? COACH.asked(targetWords(target)) : COACH.nothingAsked}</span>
        <button type="button" class="button" onClick={() => setPrescribing(true)}>
          {COACH.change}
        </button>
      </p>
      <div class="buttons">
        <button type="button" class="button" onClick={() => store.ask("start-set", { athlete: id })}>
          {COACH.startSet}
        </button>
        <button type="button" class="button" onClick={() => store.ask("end-set", { athlete: id })}>
          {COACH.endSet}
        </button>
        <button
          type="button"
          class="button"
          title={COACH.reZeroHint}
          onClick={() => store.ask("re-zero", { athlete: id })}
        >
          {COACH.reZero}
        </button>
        <button
          type="button"
          class="button"
          title={COACH.missedHint}
          onClick={() => store.ask("missed-repetition", { athlete: id, at_ms: Math.round(store.bridgeTime(pageNow())) })}
        >
          {COACH.missed}
        </button>
      </div>
      <NoteForm label={COACH.note} onNote={(text) => store.ask("note", { athlete: id, text })} />
      <AskedLog store={store} athlete={id} sensors={sensors.map((sensor) => sensor.sensor)} />
      <WornSensors store={store} athlete={athlete} sensors={sensors} />
      {isPrescribing && <PrescriptionDialog store={store} athlete={athlete} onClose={() => setPrescribing(false)} />}
    </section>
  );
}

/** One line of text for the archive. */
export function NoteForm({ label, onNote }: { label: string; onNote: (text: string) => void }) {
  const [text, setText] = useState("");
  const submit = (event: Event) => {
    event.preventDefault();
    if (text.trim() === "") return;
    onNote(text.trim());
    setText("");
  };
  return (
    <form class="note-form" onSubmit={submit}>
      <input
        aria-label={label}
        placeholder={label}
        maxLength={500}
        autocomplete="off"
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <button type="submit" class="button" disabled={text.trim() === ""}>
        {COACH.addNote}
      </button>
    </form>
  );
}

function WornSensors({ store, athlete, sensors }: { store: Store; athlete: Athlete; sensors: SensorStatus[] }) {
  const worn = new Map((athlete.state?.data.calibration ?? []).map((entry) => [entry.placement, entry]));
  if (sensors.length === 0) return <p class="muted">{TEXT.noSensors}</p>;
  return (
    <ul class="worn-sensors" aria-label={COACH.sensors}>
      {sensors.map((sensor) => (
        <li key={sensor.sensor} class={`sensor link-${sensor.link}`}>
          <span class="worn-place">{placementName(sensor.placement)}</span>
          <span class="link">{LINK[sensor.link]}</span>
          <span class="muted">
            {sensor.battery_percent === null ? TEXT.batteryUnknown : TEXT.battery(sensor.battery_percent)}
          </span>
          <span class="muted">{COACH.calibrationOf(worn.get(sensor.placement)?.quality_deg ?? null)}</span>
          <button
            type="button"
            class="button button-small"
            aria-label={COACH.identifyLabel(sensor.name)}
            onClick={() => store.ask("identify", { sensor: sensor.sensor })}
          >
            {COACH.identify}
          </button>
        </li>
      ))}
    </ul>
  );
}
