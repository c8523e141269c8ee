import { type Asked, mayUndo } from "../../commands";
import type { Store } from "../../store";
import { askedWords, COACH, OUTCOME } from "../../strings";

const SHOWN = 5;

/** What was asked of the bridge for this athlete, and what the bridge said to it. */
export function AskedLog({ store, athlete, sensors }: { store: Store; athlete: string; sensors: readonly string[] }) {
  const own = store.asked.value.filter(
    (entry) => entry.athlete === athlete || ("sensor" in entry.arguments && sensors.includes(entry.arguments.sensor)),
  );
  return (
    <section class="asked" aria-label={COACH.log}>
      <ul aria-live="polite" data-testid="asked">
        {own.slice(0, SHOWN).map((entry) => (
          <AskedLine key={entry.request} entry={entry} store={store} athlete={athlete} />
        ))}
      </ul>
    </section>
  );
}

function AskedLine({ entry, store, athlete }: { entry: Asked; store: Store; athlete: string }) {
  const what = askedWords(entry);
  return (
    <li class={`asked-line asked-${entry.outcome}`} data-testid="asked-line" data-outcome={entry.outcome}>
      <OutcomeWords entry={entry} what={what} />
      {entry.undone && <span class="muted"> ({COACH.undone})</span>}
      {mayUndo(entry) && (
        <button
          type="button"
          class="button button-small"
          aria-label={COACH.undoLabel(what)}
          onClick={() => store.ask("undo", { athlete, request: entry.request })}
        >
          {COACH.undo}
        </button>
      )}
    </li>
  );
}

/** Pending, done, refused, or that nobody knows: the bridge's own words where it spoke. */
export function OutcomeWords({ entry, what }: { entry: Asked; what: string }) {
  const { symbol, word } = OUTCOME[entry.outcome];
  const said = entry.text === "" ? word : `${word}: ${entry.text}`;
  return (
    <span class="asked-words">
      <span class="asked-mark" aria-hidden="true">
        {symbol}
      </span>
      <span>
        <b>{what}</b> <span class="asked-said">{said}</span>
      </span>
    </span>
  );
}
