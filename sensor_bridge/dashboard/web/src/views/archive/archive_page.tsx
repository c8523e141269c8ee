import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";
import { type Answer, answerTo, type Question } from "../../archive";
import { linkTo } from "../../route";
import type { Store } from "../../store";
import { TEXT } from "../../strings";
import { ARCHIVE } from "../../strings/archive";
import { Top } from "../top";

/** Ask the archive; ask again when the question changes, or when told to. */
export function useArchive<T>(question: Question): [Answer<T>, () => void] {
  const [answer, setAnswer] = useState<{ of: Question; answer: Answer<T> }>({ of: question, answer: { state: "asking" } });
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    let isWanted = true;
    void answerTo<T>(question).then((found) => isWanted && setAnswer({ of: question, answer: found }));
    return () => {
      isWanted = false;
    };
  }, [question, attempt]);
  const again = useCallback(() => setAttempt((before) => before + 1), []);
  return [answer.of === question ? answer.answer : { state: "asking" }, again];
}

interface Props {
  store: Store;
  title: string;
  children: ComponentChildren;
}

/** The frame of the pages of what was: where one is, and the way back. */
export function ArchivePage({ store, title, children }: Props) {
  useEffect(() => {
    document.title = TEXT.title(title);
  }, [title]);
  return (
    <div class={`page is-${store.connection.value}`}>
      <Top
        store={store}
        about={
          <nav class="archive-nav" aria-label={ARCHIVE.sessions}>
            <a href={linkTo({ view: "grid" })}>{ARCHIVE.live}</a>
            <a href={linkTo({ view: "sessions" })}>{ARCHIVE.sessions}</a>
          </nav>
        }
      />
      <main class="archive">{children}</main>
    </div>
  );
}

interface WaitingProps<T> {
  answer: Answer<T>;
  again: () => void;
  absent?: string;
  absentHint?: string;
}

/** What stands in the place of an answer that is not here. */
export function NotHere<T>({ answer, again, absent = ARCHIVE.absent, absentHint = ARCHIVE.absentHint }: WaitingProps<T>) {
  if (answer.state === "asking") return <p class="archive-empty muted" role="status">{ARCHIVE.asking}</p>;
  const isAbsent = answer.state === "absent";
  return (
    <div class="archive-empty" role={isAbsent ? "status" : "alert"}>
      <p>{isAbsent ? absent : ARCHIVE.failed}</p>
      <p class="muted">{isAbsent ? absentHint : ARCHIVE.failedHint}</p>
      {!isAbsent && (
        <button type="button" class="archive-button" onClick={again}>
          {ARCHIVE.again}
        </button>
      )}
    </div>
  );
}
