import type { Athlete } from "../../gym";
import type { SensorStatus } from "../../payloads";
import { COACH, exerciseName, MARK, phaseName, TEXT } from "../../strings";
import { verdictOn } from "../../verdict";
import { Counting } from "../counting";
import { Depth } from "../depth";
import { FigureView } from "../figure_view";
import { Level } from "../level";
import { Trace } from "../trace";
import { CalibrationNote } from "./calibration_note";
import { PresenceNote } from "./presence_note";

/** What happens now. */
export function LivePanel({ athlete, sensors }: { athlete: Athlete; sensors: SensorStatus[] }) {
  const verdict = verdictOn(athlete, sensors);
  const { set, repetition, phase, posture } = athlete.progress;
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
        <p class="tally" aria-label={TEXT.repetitionsLabel(repetition, total)}>
          <span class="tally-done" data-testid="repetition-count">
            {repetition}
          </span>
          <span class="tally-total">{total === null ? TEXT.repetitions : TEXT.of(total)}</span>
        </p>
        <Counting athlete={athlete} targetS={target?.eccentric_s ?? null}>
          <span class={`phase phase-${phase}`} data-testid="phase" data-phase={phase}>
            {phaseName(phase, posture)}
          </span>
        </Counting>
        <Depth athlete={athlete} />
      </div>
      <Trace athlete={athlete} withAxis={false} />
      <footer class="verdict" data-testid="verdict">
        {verdict.trouble && (
          <p class="trouble">
            <span class="mark" aria-hidden="true">
              △
            </span>
            {verdict.trouble}
          </p>
        )}
        <p>
          {verdict.mark && (
            <span class={`mark mark-${verdict.mark}`} role="img" aria-label={MARK[verdict.mark].word}>
              {MARK[verdict.mark].symbol}
            </span>
          )}
          {verdict.sentence}
        </p>
      </footer>
      <PresenceNote athlete={athlete} />
    </section>
  );
}
