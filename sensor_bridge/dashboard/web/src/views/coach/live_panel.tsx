import type { Athlete } from "../../gym";
import type { SensorStatus } from "../../payloads";
import { COACH, exerciseName, TEXT } from "../../strings";
import { verdictOn } from "../../verdict";
import { Counting } from "../counting";
import { Depth } from "../depth";
import { FigureView } from "../figure_view";
import { Level } from "../level";
import { Tally } from "../tally";
import { Trace } from "../trace";
import { VerdictLines } from "../verdict_lines";
import { CalibrationNote } from "./calibration_note";
import { PresenceNote } from "./presence_note";

/** What happens now. */
export function LivePanel({ athlete, sensors }: { athlete: Athlete; sensors: SensorStatus[] }) {
  const verdict = verdictOn(athlete, sensors);
  const { set, repetition } = athlete.progress;
  const state = athlete.state?.data ?? null;
  const target = state?.target ?? null;
  const total = target?.repetitions ?? null;
  return (
    <section class="card now" aria-label={COACH.live} data-testid="now">
      <header class="card-head">
        <h2>{athlete.name}</h2>
        {state && <span class="facts">{exerciseName(state.exercise, state.side)}</span>}
        {set > 0 && <span class="card-set">· {TEXT.set(set, target?.sets ?? null)}</span>}
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
      <Trace athlete={athlete} withAxis={false} />
      <VerdictLines verdict={verdict} />
      <PresenceNote athlete={athlete} />
    </section>
  );
}
