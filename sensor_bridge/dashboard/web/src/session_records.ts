// One athlete's part of a session as the bridge's archive has it.

import { ask, QUESTION } from "./archive";
import { fetchConfig } from "./config";

/** Null where the page server has no archive, or none for this reader. */
export async function askArchive(session: string, athlete: string): Promise<Record<string, unknown> | null> {
  const config = await fetchConfig();
  if (!config.hasArchive) return null;
  const response = await ask(QUESTION.session(session, athlete));
  return response === null ? null : ((await response.json()) as Record<string, unknown>);
}
