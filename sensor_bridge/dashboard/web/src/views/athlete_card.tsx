import { linkTo } from "../route";
import type { Store } from "../store";
import { COACH, exerciseName, TEXT } from "../strings";
import { needsLook, verdictOn } from "../verdict";
import { CalibrationNote } from "./coach/calibration_note";
import { PresenceNote } from "./coach/presence_note";
import { Counting } from "./counting";
import { Depth } from "./depth";
import { FigureView } from "./figure_view";
import { LastRepetition } from "./last_repetition";
import { Level } from "./level";
import { RepetitionStrip } from "./repetition_strip";
import { Sensors } from "./sensors";
import { Tally } from "./tally";
import { Trace } from "./trace";
import { VerdictLines } from "./verdict_lines";

export function AthleteCard({ id, store, solo }: { id: string; store: Store; solo: boolean }) {
  void store.version(id).value;
  const athlete = store.gym.athletes.get(id);
  if (!athlete) return null;
  const sensors = store.gym.sensorsOf(id);
  const verdict = verdictOn(athlete, sensors);
  const { set, repetition } = athlete.progress;
  const state = athlete.state?.data ?? null;
  const target = state?.target ?? null;
  const total = target?.repetitions ?? null;

  return (
    <article
      class={`card ${solo ? "card-solo" : ""} ${needsLook(verdict) ? "card-look" : ""}`}
      data-testid="athlete-card"
      data-athlete={id}
      aria-label={athlete.name}
    >
      <header class="card-head">
        <h2>
          <a class="card-open" href={linkTo({ view: "set", athlete: id })} aria-label={COACH.open(athlete.name)}>
            {athlete.name}
          </a>
        </h2>
        {state && <span class="facts">{exerciseName(state.exercise, state.side)}</span>}
        {set > 0 && <span class="card-set">{`${state ? "· " : ""}${TEXT.set(set, target?.sets ?? null)}`}</span>}
        <Sensors sensors={sensors} withWords={solo} />
      </header>
      <div class="card-figure">
        <FigureView athlete={athlete} />
        <Level athlete={athlete} />
        <CalibrationNote calibration={state?.calibration ?? []} onlyDoubtful={false} />
      </div>
      <div class="card-lead">
        <Tally repetition={repetition} total={total} noun={TEXT.repetitions} />
        <Counting athlete={athlete} targetS={target?.eccentric_s ?? null} />
        <Depth athlete={athlete} />
      </div>
      <Trace athlete={athlete} withAxis={solo} />
      <LastRepetition repetition={athlete.lastRepetition} target={target} currentSet={set} />
      <RepetitionStrip repetitions={athlete.repetitions} target={target} />
      <VerdictLines verdict={verdict} />
      <PresenceNote athlete={athlete} />
    </article>
  );
}
