import { useState } from "preact/hooks";
import { download, EXPORTS, QUESTION } from "../../archive";
import { ARCHIVE, FORMAT_NAME } from "../../strings/archive";

interface Props {
  session: string;
  athlete: string;
  /** Of the file, without its ending. */
  name: string;
}

/** The report, and the session as files for other programs. */
export function Downloads({ session, athlete, name }: Props) {
  const [hasFailed, setHasFailed] = useState(false);
  const take = (question: string, file: string) => {
    setHasFailed(false);
    void download(question, file).then((isHere) => setHasFailed(!isHere));
  };
  return (
    <section class="archive-card downloads" aria-labelledby="downloads">
      <h3 id="downloads">{ARCHIVE.exports}</h3>
      <p class="muted">{ARCHIVE.exportsHint}</p>
      <div class="download-buttons">
        <button
          type="button"
          class="archive-button is-first"
          data-testid="report"
          onClick={() => take(QUESTION.report(session, athlete), `${name}.html`)}
        >
          {ARCHIVE.report}
        </button>
        {EXPORTS.map((format) => (
          <button
            key={format}
            type="button"
            class="archive-button"
            data-testid={`export-${format}`}
            onClick={() => take(QUESTION.file(session, athlete, format), `${name}.${format}`)}
          >
            {FORMAT_NAME[format]}
          </button>
        ))}
      </div>
      {hasFailed && (
        <p class="mark-watch" role="alert">
          {ARCHIVE.downloadFailed}
        </p>
      )}
    </section>
  );
}
