import type { Density } from "../../layout";
import { linkTo } from "../../route";
import type { Store } from "../../store";
import { COACH, exerciseName } from "../../strings";
import { needsLook, verdictOn } from "../../verdict";
import { Counting } from "../counting";
import { FigureView } from "../figure_view";
import { Level } from "../level";
import { MarkSign } from "../mark_sign";
import { RepetitionStrip } from "../repetition_strip";
import { Sensors } from "../sensors";
import { Tally } from "../tally";
import { CalibrationNote } from "./calibration_note";
import { PresenceNote } from "./presence_note";
import { Spark } from "./spark";

/** A card among many: the same in less room. */
export function Tile({ id, store, density }: { id: string; store: Store; density: Extract<Density, "medium" | "small"> }) {
  void store.version(id).value;
  const athlete = store.gym.athletes.get(id);
  if (!athlete) return null;
  const sensors = store.gym.sensorsOf(id);
  const verdict = verdictOn(athlete, sensors);
  const { set, repetition } = athlete.progress;
  const state = athlete.state?.data ?? null;
  const target = state?.target ?? null;
  const total = target?.repetitions ?? null;
  const mark = verdict.trouble ? "watch" : verdict.mark;
  const isSmall = density === "small";

  return (
    <article
      class={`card tile tile-${density} ${needsLook(verdict) ? "card-look" : ""}`}
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
        {!isSmall && state && <span class="facts">{exerciseName(state.exercise, state.side)}</span>}
        <Sensors sensors={sensors} withWords={false} />
      </header>
      <div class="tile-figure">
        <FigureView athlete={athlete} />
        <Level athlete={athlete} />
      </div>
      <div class="tile-lead">
        <Tally repetition={repetition} total={total} noun="" />
        <p class="card-set">
          {set > 0 && COACH.setShort(set, target?.sets ?? null)}{" "}
          <CalibrationNote calibration={state?.calibration ?? []} onlyDoubtful={isSmall} />
        </p>
        <Counting athlete={athlete} targetS={target?.eccentric_s ?? null} />
        <Spark athlete={athlete} />
      </div>
      {!isSmall && <RepetitionStrip repetitions={athlete.repetitions} target={target} />}
      <footer class="verdict" data-testid="verdict" title={[verdict.trouble, verdict.sentence].filter(Boolean).join(" ")}>
        <p>
          {mark && <MarkSign mark={mark} />}
          <span class="verdict-words">{isSmall ? verdict.brief : (verdict.trouble ?? verdict.sentence)}</span>
        </p>
      </footer>
      <PresenceNote athlete={athlete} />
    </article>
  );
}
