import { useEffect } from "preact/hooks";
import { type AnswerTo, QUESTION } from "../../archive";
import type { ArchivedNote, ArchivedRepetition, ArchivedSet, SessionDetail, SetPicture } from "../../archive_types";
import { rowsOf, targetOf } from "../../repetition_row";
import { linkTo } from "../../route";
import type { Store } from "../../store";
import { faultSentence } from "../../strings";
import { ARCHIVE, clockTime, dayAndTime, lasting, noteName } from "../../strings/archive";
import { ArchivePage, NotHere, useArchive } from "./archive_page";
import { Downloads } from "./downloads";
import { SetSection } from "./set_section";
import { SidesSection } from "./sides_section";

/** A session that goes on is asked for again. */
const FOLLOW_EVERY_MS = 20_000;

interface Props {
  store: Store;
  session: string;
  athlete: string;
}

/** One athlete's part of a session: set by set, repetition by repetition. */
export function SessionPage({ store, session, athlete }: Props) {
  const [answer, again] = useArchive<AnswerTo["session"]>(QUESTION.session(session, athlete));
  const [pictures, drawAgain] = useArchive<AnswerTo["pictures"]>(QUESTION.pictures(session, athlete));
  const goesOn = answer.state === "here" && answer.data.ended_ms === null;
  useEffect(() => {
    if (!goesOn) return undefined;
    const timer = setInterval(() => {
      again();
      drawAgain();
    }, FOLLOW_EVERY_MS);
    return () => clearInterval(timer);
  }, [goesOn, again, drawAgain]);
  if (answer.state !== "here") {
    return (
      <ArchivePage store={store} title={ARCHIVE.sessions}>
        <NotHere answer={answer} again={again} />
      </ArchivePage>
    );
  }
  const detail = answer.data;
  const standing = detail.repetitions.filter((one) => one.status !== "withdrawn");
  const sets = detail.sets.filter((set) => !set.withdrawn);
  return (
    <ArchivePage store={store} title={detail.name}>
      <div class="archive-head">
        <div>
          <h2>{detail.name}</h2>
          <p class="muted">
            <time dateTime={new Date(detail.started_ms).toISOString()}>{dayAndTime(detail.started_ms)}</time>
            {detail.ended_ms === null && ` · ${ARCHIVE.goesOn}`}
          </p>
        </div>
        <a class="archive-button" href={linkTo({ view: "progress", athlete })}>
          {ARCHIVE.progress}
        </a>
      </div>
      <Summary detail={detail} standing={standing} sets={sets} />
      {standing.length === 0 && <p class="archive-card">{ARCHIVE.nothingDone}.</p>}
      {sets.map((set) => (
        <SetSection
          key={set.id}
          set={set}
          target={targetOf(set, detail.prescriptions)}
          repetitions={standing.filter((one) => one.set === set.set)}
          plot={pictures.state === "asking" ? undefined : pictureOf(pictures.state === "here" ? pictures.data : [], set.set)}
        />
      ))}
      {sets.length > 0 && <p class="muted archive-legend">{ARCHIVE.legend}</p>}
      {detail.exercises.map((exercise) => (
        <SidesSection key={exercise} athlete={athlete} exercise={exercise} session={session} />
      ))}
      <Notes detail={detail} />
      <Downloads session={session} athlete={athlete} name={fileName(detail)} />
    </ArchivePage>
  );
}

function pictureOf(pictures: readonly SetPicture[], set: number): SetPicture["plot"] {
  return pictures.find((picture) => picture.set === set)?.plot ?? null;
}

/** What a downloaded file is called: who and when, nothing that a file name cannot hold. */
export function fileName({ athlete, started_ms }: SessionDetail): string {
  return `hipline-${athlete}-${new Date(started_ms).toISOString().slice(0, 16).replace(/[:T]/g, "-")}`;
}

interface SummaryProps {
  detail: SessionDetail;
  standing: ArchivedRepetition[];
  sets: ArchivedSet[];
}

function Summary({ detail, standing, sets }: SummaryProps) {
  const tensionS = standing.reduce((sum, one) => sum + (one.tut_s ?? 0), 0);
  const looks = sets
    .flatMap((set) => rowsOf(standing.filter((one) => one.set === set.set), targetOf(set, detail.prescriptions)))
    .filter((row) => row.mark !== "good").length;
  const lastedS = detail.ended_ms === null ? null : (detail.ended_ms - detail.started_ms) / 1000;
  const tiles: [string, string][] = [
    [ARCHIVE.setsLabel(sets.length), String(sets.length)],
    [ARCHIVE.repetitionsLabel(standing.length), String(standing.length)],
    [ARCHIVE.tension, lasting(tensionS)],
    [ARCHIVE.toLookAt, String(looks)],
  ];
  if (lastedS !== null) tiles.push([ARCHIVE.lasted, lasting(lastedS)]);
  return (
    <dl class="archive-tiles">
      {tiles.map(([label, text]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
  );
}

function Notes({ detail }: { detail: SessionDetail }) {
  const notes = detail.notes.filter((note) => !note.withdrawn);
  const events = detail.faults.filter((fault) => !fault.withdrawn);
  if (notes.length === 0 && events.length === 0) return null;
  return (
    <section class="archive-card" data-testid="notes">
      {notes.length > 0 && (
        <>
          <h3>{ARCHIVE.notes}</h3>
          <ul class="note-list">
            {notes.map((note) => (
              <li key={note.id}>
                <span class="muted">{clockTime(note.at_ms)}</span> <strong>{noteName(note.kind)}</strong>
                {placeOf(note, detail)} {note.by && <span class="muted">{ARCHIVE.by(note.by)}</span>}
                {note.text && <p class="note-text">{note.text}</p>}
              </li>
            ))}
          </ul>
        </>
      )}
      {events.length > 0 && (
        <>
          <h3>{ARCHIVE.events}</h3>
          <ul class="note-list">
            {events.map((fault) => (
              <li key={fault.id}>
                <span class="muted">{clockTime(fault.t_ms)}</span> {faultSentence(fault.code, fault.value, fault.repetition, fault.text)}
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function placeOf(note: ArchivedNote, detail: SessionDetail): string {
  const repetition = detail.repetitions.find((one) => one.id === note.event);
  if (repetition) return `, ${ARCHIVE.place(repetition.set, repetition.repetition)}`;
  const set = detail.sets.find((one) => one.id === note.event);
  return set ? `, ${ARCHIVE.place(set.set, null)}` : "";
}
