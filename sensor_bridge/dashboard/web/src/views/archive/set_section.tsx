import type { AnglePlot, ArchivedRepetition, ArchivedSet } from "../../archive_types";
import { decimal } from "../../format";
import type { Target } from "../../payloads";
import { type Figure, type RepetitionRow, rowsOf } from "../../repetition_row";
import { MARK, TEXT } from "../../strings";
import { ARCHIVE, adherenceSentence, lasting, TIMED, withUnit } from "../../strings/archive";
import { targetWords } from "../../strings/coach";
import { SetPicture } from "./set_picture";

const ROOM_FOR_A_NUMBER = 0.1;

interface Props {
  set: ArchivedSet;
  target: Target | null;
  repetitions: readonly ArchivedRepetition[];
  /** Null: no angles were kept; undefined: still being asked for. */
  plot: AnglePlot | null | undefined;
}

/** A set: its figures, its picture, and its repetitions one by one. */
export function SetSection({ set, target, repetitions, plot }: Props) {
  const rows = rowsOf(repetitions, target);
  return (
    <section class="archive-card set-section" data-testid="set" aria-labelledby={`set-${set.set}`}>
      <h3 id={`set-${set.set}`}>
        {ARCHIVE.setTitle(set)} <span class="muted">{ARCHIVE.repetitions(rows.length)}</span>
      </h3>
      <dl class="set-facts">
        {target && <Fact label={ARCHIVE.asked} text={targetWords(target)} />}
        {set.tut_s !== null && <Fact label={ARCHIVE.tension} text={lasting(set.tut_s)} />}
        {set.mean_eccentric_s !== null && (
          <Fact label={`${TEXT.counting}, mean`} text={withUnit(set.mean_eccentric_s, 1, "s")} sd={set.sd.mean_eccentric_s} />
        )}
      </dl>
      {set.adherence && <p>{adherenceSentence(set.adherence, rows.length)}</p>}
      {set.form_broke_at !== null && <p class="mark-watch">△ {ARCHIVE.formBroke(set.form_broke_at)}</p>}
      {plot ? <SetPicture set={set.set} plot={plot} /> : plot === null && <p class="muted">{ARCHIVE.noPicture}</p>}
      {rows.length > 0 && <Repetitions rows={rows} repetitions={repetitions} />}
    </section>
  );
}

function Fact({ label, text, sd }: { label: string; text: string; sd?: number | undefined }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>
        {text} {sd !== undefined && sd >= 0.05 && <span class="sd">±{decimal(sd, 1)}</span>}
      </dd>
    </div>
  );
}

function Repetitions({ rows, repetitions }: { rows: RepetitionRow[]; repetitions: readonly ArchivedRepetition[] }) {
  const first = repetitions[0]!;
  const hasHips = rows.some((row) => row.depths.length > 1);
  const isTilt = first.hip_flexion_left_range_deg === null && first.hip_flexion_right_range_deg === null;
  const depth = isTilt ? ARCHIVE.tilt : ARCHIVE.depth;
  const depths = hasHips ? [`${depth}, ${ARCHIVE.left}`, `${depth}, ${ARCHIVE.right}`] : [depth];
  return (
    <div class="archive-wide">
      <table class="repetitions">
        <thead>
          <tr>
            <th scope="col">
              <span class="unseen">{ARCHIVE.repetition}</span>
            </th>
            <th scope="col" class="left tempo-cell">
              {ARCHIVE.tempo} <span class="sd">s</span>
            </th>
            {depths.map((label) => (
              <th key={label} scope="col">
                {label}
              </th>
            ))}
            <th scope="col">{ARCHIVE.level}</th>
            <th scope="col">{ARCHIVE.lockout}</th>
            <th scope="col" class="left remark-cell">
              {ARCHIVE.remark}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.number} data-testid="repetition">
              <th scope="row">{row.number}</th>
              <td class="tempo-cell">
                <TempoBar row={row} />
              </td>
              {row.depths.map((figure, index) => (
                <FigureCell key={index} figure={figure} label={depths[index] ?? depth} />
              ))}
              {hasHips && row.depths.length === 1 && <td>–</td>}
              <FigureCell figure={row.level} label={ARCHIVE.level} />
              <FigureCell figure={row.lockout} label={ARCHIVE.lockout} />
              <td class="left remark-cell">
                <span class={`mark-${row.mark}`} role="img" aria-label={MARK[row.mark].word}>
                  {MARK[row.mark].symbol}
                </span>{" "}
                {row.words.length === 0 ? MARK.good.word : row.words.join(" ")}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <TempoKey />
    </div>
  );
}

function FigureCell({ figure, label }: { figure: Figure; label: string }) {
  return (
    <td title={figure.reason ?? undefined} data-label={label}>
      <span class="value">{figure.text}</span>
      {figure.isProxy && <span title={TEXT.estimated}>*</span>} <span class="sd">{figure.sd}</span>
    </td>
  );
}

/** Lowering, hold and rise as lengths, all repetitions of the set on one scale. */
function TempoBar({ row }: { row: RepetitionRow }) {
  if (row.tempo.length === 0) return <span class="muted">–</span>;
  const label = row.tempo.map((part) => `${part.name} ${withUnit(part.seconds, 1, "s")}`).join(", ");
  return (
    <div class="tempo-bar" role="img" aria-label={ARCHIVE.tempoLabel(label)} title={label}>
      {row.tempo.map((part) => (
        <span key={part.phase} class={`tempo-${part.phase}`} style={{ width: `${part.share * 100}%` }}>
          {part.share >= ROOM_FOR_A_NUMBER && decimal(part.seconds, 1)}
        </span>
      ))}
    </div>
  );
}

function TempoKey() {
  return (
    <p class="tempo-key muted">
      {TIMED.map((phase) => (
        <span key={phase.field} class={`tempo-key-part key-${phase.field}`}>
          {phase.name}
        </span>
      ))}
    </p>
  );
}
