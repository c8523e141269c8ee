import { useState } from "preact/hooks";
import { type AnswerTo, QUESTION } from "../../archive";
import type { MetricProgress, Progress } from "../../archive_types";
import { linkTo } from "../../route";
import type { Store } from "../../store";
import { exerciseName } from "../../strings";
import { ARCHIVE, changeSentence, day, isSigned, quantityName, withUnit } from "../../strings/archive";
import { ArchivePage, NotHere, useArchive } from "./archive_page";
import { ProgressChart } from "./progress_chart_view";
import { SidesTable } from "./sides_section";

/** What has changed over the sessions of an athlete, and what only seems so. */
export function ProgressPage({ store, athlete }: { store: Store; athlete: string }) {
  const [chosen, setChosen] = useState<string | null>(null);
  const [answer, again] = useArchive<AnswerTo["progress"]>(QUESTION.progress(athlete, chosen));
  const [sessions] = useArchive<AnswerTo["sessions"]>(QUESTION.sessions(athlete));
  const [known, setKnown] = useState<string[]>([]);
  const name = sessions.state === "here" ? (sessions.data[0]?.name ?? athlete) : athlete;
  const progress = answer.state === "here" ? answer.data : null;
  const exercises = progress?.exercises ?? known;
  return (
    <ArchivePage store={store} title={`${name}, ${ARCHIVE.progress}`}>
      <div class="archive-head">
        <h2>
          {name} <span class="muted">{ARCHIVE.progress}</span>
        </h2>
        {exercises.length > 0 && (
          <label class="archive-filter">
            <span class="muted">{ARCHIVE.exercise}</span>
            <select
              value={chosen ?? progress?.exercise ?? ""}
              data-testid="exercise"
              onChange={(event) => {
                setKnown(exercises);
                setChosen(event.currentTarget.value);
              }}
            >
              {exercises.map((code) => (
                <option key={code} value={code}>
                  {exerciseName(code, "both")}
                </option>
              ))}
            </select>
          </label>
        )}
      </div>
      {progress === null ? (
        <NotHere answer={answer} again={again} absent={ARCHIVE.noArchive} absentHint={ARCHIVE.noArchiveHint} />
      ) : (
        <Courses progress={progress} athlete={athlete} />
      )}
    </ArchivePage>
  );
}

function Courses({ progress, athlete }: { progress: Progress; athlete: string }) {
  const metrics = Object.entries(progress.metrics);
  if (metrics.length === 0) {
    return (
      <div class="archive-empty">
        <p>{ARCHIVE.noProgress}</p>
        <p class="muted">{ARCHIVE.noProgressHint}</p>
      </div>
    );
  }
  return (
    <>
      <div class="courses">
        {metrics.map(([key, metric]) => (
          <Course key={key} name={key} metric={metric} athlete={athlete} />
        ))}
      </div>
      <SidesTable sides={progress.sides} session={null} title={`${ARCHIVE.sides} ${ARCHIVE.newest}`} />
      <p class="muted archive-legend">{ARCHIVE.asTheyWere}</p>
    </>
  );
}

function Course({ name, metric, athlete }: { name: string; metric: MetricProgress; athlete: string }) {
  const label = quantityName(name);
  const since = metric.sessions.find((session) => session.session === metric.change?.since);
  const isChange = metric.change?.is_change === true;
  return (
    <section class="archive-card course" data-testid="course" data-metric={name}>
      <h3>
        {label}
        {metric.unit !== "°" && metric.unit !== "" && <span class="muted">{metric.unit}</span>}
      </h3>
      <p class={isChange ? "course-words is-change" : "course-words"} data-testid="change">
        {changeSentence(metric, since ? day(since.started_ms) : "")}
      </p>
      <ProgressChart metric={metric} label={label} isSigned={isSigned(name)} />
      <details>
        <summary>{ARCHIVE.table}</summary>
        {metric.minimal_detectable_change !== null && <p class="muted">{metric.how}.</p>}
        <div class="archive-wide">
          <table>
            <thead>
              <tr>
                <th scope="col" class="left">
                  {ARCHIVE.date}
                </th>
                <th scope="col">{ARCHIVE.n}</th>
                <th scope="col">{ARCHIVE.median}</th>
              </tr>
            </thead>
            <tbody>
              {metric.sessions.map(({ session, started_ms, n, median, sd_of_median: sd }) => (
                <tr key={session}>
                  <th scope="row" class="left">
                    <a href={linkTo({ view: "session", session, athlete })}>{day(started_ms)}</a>
                  </th>
                  <td>{n}</td>
                  <td>
                    <span class="value">{withUnit(median, metric.digits, metric.unit)}</span>{" "}
                    <span class="sd">{sd !== null && `±${withUnit(sd, metric.digits + 1, metric.unit)}`}</span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </section>
  );
}
