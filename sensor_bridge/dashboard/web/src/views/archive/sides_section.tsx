import { type AnswerTo, QUESTION } from "../../archive";
import type { SidesProgress, SideValue } from "../../archive_types";
import { decimal } from "../../format";
import { exerciseName } from "../../strings";
import { ARCHIVE, quantityName, sidesSentence, withUnit } from "../../strings/archive";
import { useArchive } from "./archive_page";

interface Props {
  athlete: string;
  exercise: string;
  session: string;
}

/** Left against right in one session; nothing where they cannot be compared. */
export function SidesSection({ athlete, exercise, session }: Props) {
  const [answer] = useArchive<AnswerTo["progress"]>(QUESTION.progress(athlete, exercise));
  if (answer.state !== "here") return null;
  return (
    <SidesTable
      sides={answer.data.sides}
      session={session}
      title={`${ARCHIVE.sides}: ${exerciseName(exercise, "both")}`}
    />
  );
}

interface TableProps {
  sides: Record<string, SidesProgress>;
  /** Which session; null: the newest of each quantity. */
  session: string | null;
  title: string;
}

export function SidesTable({ sides, session, title }: TableProps) {
  const lines = Object.entries(sides).flatMap(([name, told]) => {
    const found = session === null ? told.sessions.at(-1) : told.sessions.find((one) => one.session === session);
    return found ? [{ name, told, found }] : [];
  });
  if (lines.length === 0) return null;
  return (
    <section class="archive-card" data-testid="sides">
      <h3>{title}</h3>
      <div class="archive-wide">
        <table class="sides">
          <thead>
            <tr>
              <th scope="col" class="left">
                {ARCHIVE.median}
              </th>
              <th scope="col">{ARCHIVE.left}</th>
              <th scope="col">{ARCHIVE.right}</th>
              <th scope="col" class="left remark-cell">
                {ARCHIVE.difference}
              </th>
            </tr>
          </thead>
          <tbody>
            {lines.map(({ name, told, found }) => (
              <tr key={name}>
                <th scope="row" class="left">
                  {quantityName(name)}
                </th>
                <SideCell value={found.left} told={told} label={ARCHIVE.left} />
                <SideCell value={found.right} told={told} label={ARCHIVE.right} />
                <td class={`left remark-cell ${found.is_difference ? "mark-watch" : "muted"}`}>
                  {found.is_difference && "△ "}
                  {sidesSentence(found, told.digits, told.unit)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function SideCell({ value, told, label }: { value: SideValue; told: SidesProgress; label: string }) {
  const { median, sd_of_median: sd, n } = value;
  return (
    <td data-label={label}>
      <span class="value">{withUnit(median, told.digits, told.unit)}</span>{" "}
      <span class="sd">
        {sd !== null && `±${decimal(sd, told.digits + 1)}, `}
        {ARCHIVE.of(n)}
      </span>
    </td>
  );
}
