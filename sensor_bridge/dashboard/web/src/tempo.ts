// The tempo notation of METRICS.md: eccentric-bottom-concentric-top in seconds, X = as fast as possible.

import { briefly } from "./format";
import type { Target } from "./payloads";

export interface Tempo {
  eccentricS: number;
  bottomS: number;
  /** null: as fast as possible. */
  concentricS: number | null;
  topS: number;
}

export type TempoMistake = "parts" | "number" | "only-concentric-x";

const NUMBER = /^\d+(\.\d+)?$/;

/** Read "5-0-X-0"; what is wrong with it where it cannot be read. */
export function readTempo(text: string): Tempo | TempoMistake {
  const parts = text.trim().split("-").map((part) => part.trim());
  if (parts.length !== 4) return "parts";
  const seconds: (number | null)[] = [];
  for (const [index, part] of parts.entries()) {
    if (part.toUpperCase() === "X") {
      if (index !== 2) return "only-concentric-x";
      seconds.push(null);
    } else if (NUMBER.test(part)) seconds.push(Number(part));
    else return "number";
  }
  const [eccentricS, bottomS, concentricS, topS] = seconds as [number, number, number | null, number];
  return { eccentricS, bottomS, concentricS, topS };
}

/** The tempo that was asked for as it is written; empty where none was. */
export function tempoText(target: Target | null): string {
  if (!target || target.eccentric_s === null) return "";
  const { eccentric_s, bottom_s, concentric_s, top_s } = target;
  return [briefly(eccentric_s), briefly(bottom_s ?? 0), concentric_s === null ? "X" : briefly(concentric_s), briefly(top_s ?? 0)].join("-");
}
