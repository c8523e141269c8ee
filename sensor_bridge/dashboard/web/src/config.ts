// Where the broker is; the page server tells.

export interface PageConfig {
  websocketUrl: string;
  topicRoot: string;
  gym: string;
  /** Whether the page server answers for the archive too. */
  hasArchive: boolean;
}

const FIELDS = ["websocketUrl", "topicRoot", "gym"] as const;

export async function fetchConfig(): Promise<PageConfig> {
  const response = await fetch("./config.json", { cache: "no-store", signal: AbortSignal.timeout(5_000) });
  if (!response.ok) throw new Error(`config.json: ${response.status}`);
  const found = (await response.json()) as Record<string, unknown>;
  for (const field of FIELDS) {
    if (typeof found[field] !== "string") throw new Error(`config.json lacks ${field}`);
  }
  return { ...found, hasArchive: found.hasArchive === true } as unknown as PageConfig;
}
