// One athlete's part of a session as the bridge's archive has it.

import { authorization, refuseToken, token } from "./access";
import { fetchConfig } from "./config";

const LONGEST_ANSWER_MS = 10_000;

/** Null where the page server has no archive, or none for this reader. */
export async function askArchive(session: string, athlete: string): Promise<Record<string, unknown> | null> {
  const config = await fetchConfig();
  const asking = token.value;
  if (!config.hasArchive || asking === null) return null;
  const response = await fetch(`./api/v1/sessions/${encodeURIComponent(session)}/${encodeURIComponent(athlete)}`, {
    headers: { Authorization: authorization(asking) },
    cache: "no-store",
    signal: AbortSignal.timeout(LONGEST_ANSWER_MS),
  });
  if (response.status === 401) refuseToken(asking);
  if (response.status >= 400 && response.status < 500) return null;
  if (!response.ok) throw new Error(`archive: ${response.status}`);
  return (await response.json()) as Record<string, unknown>;
}
