// What the archive answers, asked over HTTP with the page's token.

import { authorization, refuseToken, token } from "./access";
import type { Progress, SessionDetail, SessionEntry, SetPicture } from "./archive_types";

const LONGEST_ANSWER_MS = 10_000;

export type Question = string;

/** What came of a question: `absent` is a certain no (nothing there, or not for this reader). */
export type Answer<T> =
  | { state: "asking" }
  | { state: "here"; data: T }
  | { state: "absent" }
  | { state: "failed" };

export const EXPORTS = ["csv", "parquet", "json", "fit", "mot"] as const;
export type ExportFormat = (typeof EXPORTS)[number];

function part(id: string): string {
  return encodeURIComponent(id);
}

export const QUESTION = {
  sessions: (athlete: string | null): Question => `sessions${athlete === null ? "" : `?athlete=${part(athlete)}`}`,
  session: (session: string, athlete: string): Question => `sessions/${part(session)}/${part(athlete)}`,
  pictures: (session: string, athlete: string): Question => `sessions/${part(session)}/${part(athlete)}/pictures`,
  progress: (athlete: string, exercise: string | null): Question =>
    `athletes/${part(athlete)}/progress${exercise === null ? "" : `?exercise=${part(exercise)}`}`,
  file: (session: string, athlete: string, format: ExportFormat): Question =>
    `sessions/${part(session)}/${part(athlete)}/export.${format}`,
  report: (session: string, athlete: string): Question => `sessions/${part(session)}/${part(athlete)}/report.html`,
};

export interface AnswerTo {
  sessions: SessionEntry[];
  session: SessionDetail;
  pictures: SetPicture[];
  progress: Progress;
}

/** Ask; null where the archive has no such thing for this reader. Throws where it cannot be reached. */
export async function ask(question: Question): Promise<Response | null> {
  const asking = token.value;
  if (asking === null) return null;
  const response = await fetch(`./api/v1/${question}`, {
    headers: { Authorization: authorization(asking) },
    cache: "no-store",
    signal: AbortSignal.timeout(LONGEST_ANSWER_MS),
  });
  if (response.status === 401) refuseToken(asking);
  if (response.status >= 400 && response.status < 500) return null;
  if (!response.ok) throw new Error(`archive: ${response.status}`);
  return response;
}

export async function answerTo<T>(question: Question): Promise<Answer<T>> {
  try {
    const response = await ask(question);
    return response === null ? { state: "absent" } : { state: "here", data: (await response.json()) as T };
  } catch {
    return { state: "failed" };
  }
}

/** Hand a file to the browser; false where it could not be had. The token goes in a header, never in an address. */
export async function download(question: Question, name: string): Promise<boolean> {
  try {
    const response = await ask(question);
    if (response === null) return false;
    const address = URL.createObjectURL(await response.blob());
    const link = document.createElement("a");
    link.href = address;
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
    return true;
  } catch {
    return false;
  }
}
