import { useEffect, useState } from "preact/hooks";
import { paceFor } from "../../frames";
import type { Athlete, KnownRepetition } from "../../gym";
import type { Target } from "../../payloads";
import { linkTo } from "../../route";
import { formBreak, type SidesCompared, sidesApart, sidesOf, trends } from "../../set_review";
import type { Store } from "../../store";
import { COACH, findingWords, formBrokeWords, setSentence, sidesWords, TEXT, trendWords } from "../../strings";
import { Top } from "../top";
import { Actions } from "./actions";
import { Announce } from "./announce";
import { LivePanel } from "./live_panel";
import { RepetitionTable } from "./repetition_table";

/** One athlete's set in detail, and what a coach can do about it. */
export function SetPage({ store, id }: { store: Store; id: string }) {
  void store.version(id).value;
  void store.places.value;
  const athlete = store.gym.athletes.get(id);
  const [chosen, choose] = useState<number | null>(null);
  useEffect(() => paceFor(1), []);
  useEffect(() => {
    document.title = TEXT.title(athlete?.name ?? id);
  });
  const back = (
    <>
      <a href={linkTo({ view: "grid" })}>← {COACH.back}</a>
      <a href={linkTo({ view: "athlete", athlete: id })}>{COACH.ownPage}</a>
    </>
  );
  if (!athlete) {
    return (
      <div class={`page is-${store.connection.value}`}>
        <Top store={store} about={back} />
        <main class="nobody">
          <p>{COACH.unknownAthlete}</p>
        </main>
      </div>
    );
  }
  const sensors = store.gym.sensorsOf(id);
  const current = athlete.repetitions[0]?.set ?? athlete.progress.set;
  const shown = chosen !== null && athlete.sets.includes(chosen) ? chosen : current;
  return (
    <div class={`page page-set is-${store.connection.value}`}>
      <Top store={store} about={back} />
      <main class="set">
        <LivePanel athlete={athlete} sensors={sensors} />
        <div class="card set-review">
          <SetTabs sets={athlete.sets} shown={shown} current={current} onChoose={choose} />
          <Review athlete={athlete} set={shown} isOver={shown !== current} />
          {athlete.repetitionsOf(shown).length === 0 ? (
            <p class="muted">{COACH.noRepetitions}</p>
          ) : (
            <RepetitionTable
              repetitions={athlete.repetitionsOf(shown)}
              target={athlete.state?.data.target ?? null}
              side={sideOf(athlete, shown)}
              athlete={id}
              store={store}
            />
          )}
          <Notes athlete={athlete} />
        </div>
        <Actions store={store} athlete={athlete} sensors={sensors} />
      </main>
      <Announce store={store} athletes={[id]} />
    </div>
  );
}

function SetTabs(props: { sets: number[]; shown: number; current: number; onChoose: (set: number) => void }) {
  const numbers = [...new Set([...props.sets, props.current])].filter((set) => set > 0).sort((a, b) => a - b);
  return (
    <div class="switch set-tabs" role="group" aria-label={COACH.sets}>
      {numbers.map((set) => (
        <button
          type="button"
          key={set}
          aria-pressed={set === props.shown}
          data-testid="set-tab"
          onClick={() => props.onChoose(set)}
        >
          {TEXT.set(set, null)}
          {set === props.current && ` · ${COACH.setNow}`}
        </button>
      ))}
    </div>
  );
}

/** What the set tells beyond its repetitions. */
function Review({ athlete, set, isOver }: { athlete: Athlete; set: number; isOver: boolean }) {
  const known = athlete.repetitionsOf(set);
  const told = known.map((one) => one.detail ?? one.record);
  const target: Target | null = athlete.state?.data.target ?? null;
  const side = sideOf(athlete, set);
  const summary = athlete.summaryOf(set);
  const broke = formBreak(told, target);
  const drifts = trends(told, side);
  const sides = side === "both" ? sidesOf(told) : againstTheOther(athlete, set, side);
  const isDone = isOver || summary?.final === true;
  if (told.length === 0) return null;
  const isLying = (athlete.state?.data.exercise ?? "").includes("bridge");
  return (
    <ul class="review" data-testid="review">
      {isDone && summary && <li>{setSentence(summary)}</li>}
      <li class={broke ? "review-watch" : "review-good"}>
        {broke
          ? formBrokeWords(
              broke.repetition,
              broke.findings.map((finding) => findingWords(finding, null, isLying)),
            )
          : isDone
            ? COACH.formHeld
            : COACH.formHolds}
      </li>
      {drifts.map((trend) => (
        <li key={trend.aspect}>{trendWords(trend)}</li>
      ))}
      {drifts.length === 0 && told.length >= 4 && <li>{COACH.steady}</li>}
      {sides && <li>{sidesWords(sides)}</li>}
    </ul>
  );
}

function Notes({ athlete }: { athlete: Athlete }) {
  const notes = athlete.notes;
  if (notes.length === 0) return null;
  const numberById = new Map<string, KnownRepetition>();
  for (const set of athlete.sets) {
    for (const known of athlete.repetitionsOf(set)) if (known.id !== null) numberById.set(known.id, known);
  }
  return (
    <section aria-label={COACH.notes}>
      <h3>{COACH.notes}</h3>
      <ul class="notes" data-testid="notes">
        {notes.map((note) => {
          const about = note.event === null ? undefined : numberById.get(note.event);
          return (
            <li key={note.id}>
              <time class="muted" dateTime={new Date(note.at_ms).toISOString()}>
                {new Date(note.at_ms).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })}
              </time>{" "}
              <b>{COACH.noteKind[note.kind]}</b>
              {about && ` · ${COACH.noteAbout(about.repetition)}`} {note.text}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function sideOf(athlete: Athlete, set: number): "both" | "left" | "right" {
  const detail = athlete.repetitionsOf(set).find((known) => known.detail)?.detail;
  return detail?.side ?? athlete.side;
}

/** The last set of the same exercise that the other side did in this session. */
function againstTheOther(athlete: Athlete, set: number, side: "left" | "right"): SidesCompared | null {
  const details = (number: number) => athlete.repetitionsOf(number).flatMap((known) => known.detail ?? []);
  const own = details(set);
  const other = [...athlete.sets].reverse().find((number) => {
    const first = details(number)[0];
    return first && first.exercise === own[0]?.exercise && first.side !== side && first.side !== "both";
  });
  return other === undefined ? null : sidesApart({ side, set: own }, { number: other, set: details(other) });
}
