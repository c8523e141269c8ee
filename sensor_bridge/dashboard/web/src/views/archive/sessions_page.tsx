import { useMemo, useState } from "preact/hooks";
import { token } from "../../access";
import { type AnswerTo, QUESTION } from "../../archive";
import type { SessionEntry } from "../../archive_types";
import { athleteOf, linkTo } from "../../route";
import type { Store } from "../../store";
import { exerciseName } from "../../strings";
import { ARCHIVE, dayAndTime } from "../../strings/archive";
import { ArchivePage, NotHere, useArchive } from "./archive_page";

/** All sessions, the newest first; those of one athlete where one is chosen. */
export function SessionsPage({ store }: { store: Store }) {
  const [answer, again] = useArchive<AnswerTo["sessions"]>(QUESTION.sessions(null));
  const [chosen, setChosen] = useState("");
  const own = athleteOf(token.value?.user ?? null);
  const all = answer.state === "here" ? answer.data : [];
  const names = useMemo(() => new Map(all.map((entry) => [entry.athlete, entry.name])), [all]);
  const shown = all.filter((entry) => chosen === "" || entry.athlete === chosen);
  const athlete = own ?? (chosen || null);
  return (
    <ArchivePage store={store} title={ARCHIVE.sessions}>
      <div class="archive-head">
        <h2>{ARCHIVE.sessions}</h2>
        {names.size > 1 && (
          <label class="archive-filter">
            <span class="muted">{ARCHIVE.filter}</span>
            <select value={chosen} onChange={(event) => setChosen(event.currentTarget.value)} data-testid="athlete-filter">
              <option value="">{ARCHIVE.everybody}</option>
              {[...names].sort(([, a], [, b]) => a.localeCompare(b)).map(([id, name]) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        )}
        {athlete !== null && all.length > 0 && (
          <a class="archive-button" href={linkTo({ view: "progress", athlete })}>
            {ARCHIVE.progress}
          </a>
        )}
      </div>
      {answer.state !== "here" ? (
        <NotHere answer={answer} again={again} absent={ARCHIVE.noArchive} absentHint={ARCHIVE.noArchiveHint} />
      ) : shown.length === 0 ? (
        <div class="archive-empty" data-testid="no-sessions">
          <p>{chosen === "" ? ARCHIVE.noSessions : ARCHIVE.noSessionsOf}</p>
          <p class="muted">{ARCHIVE.noSessionsHint}</p>
        </div>
      ) : (
        <ul class="session-list">
          {shown.map((entry) => (
            <li key={`${entry.session} ${entry.athlete}`}>
              <SessionLine entry={entry} />
            </li>
          ))}
        </ul>
      )}
    </ArchivePage>
  );
}

function SessionLine({ entry }: { entry: SessionEntry }) {
  const { session, athlete, name, started_ms, ended_ms, sets, repetitions, exercises } = entry;
  const faults = Object.values(entry.faults).reduce((sum, found) => sum + found, 0);
  return (
    <a class="session-line" href={linkTo({ view: "session", session, athlete })} data-testid="session-line">
      <span class="session-who">{name}</span>
      <time class="session-when" dateTime={new Date(started_ms).toISOString()}>
        {dayAndTime(started_ms)}
        {ended_ms === null && <span class="session-open"> · {ARCHIVE.goesOn}</span>}
      </time>
      <span class="session-what">{exercises.map((code) => exerciseName(code, "both")).join(", ")}</span>
      <span class="session-much muted">
        {repetitions === 0 ? ARCHIVE.nothingDone : `${ARCHIVE.sets(sets)}, ${ARCHIVE.repetitions(repetitions)}`}
      </span>
      <span class="session-faults mark-watch">{faults > 0 && `△ ${ARCHIVE.faults(faults)}`}</span>
    </a>
  );
}
