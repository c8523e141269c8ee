// What the athlete's page shows at the moment: which scene, which repetition, which line.

import type { Athlete } from "./gym";
import { judge, type Mark } from "./judgement";
import type { Live, SensorStatus, SetSummary } from "./payloads";
import { warningLine } from "./strings/athlete";
import { verdictOn } from "./verdict";

export type Scene = "calibrating" | "ready" | "working" | "resting";

type Phase = Live["phase"];

const WORKING: readonly Phase[] = ["eccentric", "bottom", "concentric", "top"];

export function sceneOf(athlete: Athlete): Scene {
  const { phase, set } = athlete.progress;
  if (WORKING.includes(phase)) return "working";
  if (athlete.repetitions.length > 0) return "resting";
  return phase === "rest" || phase === "standing" || set > 0 ? "ready" : "calibrating";
}

/** Whether the athlete is between two repetitions: lying, the work begins at the floor; standing, at the top. */
export function isBetween(athlete: Athlete): boolean {
  const { phase, posture } = athlete.progress;
  return phase === (posture === "supine" ? "bottom" : "top");
}

/** The repetition that is being done, or was done last; 0 before the first. */
export function repetitionNow(athlete: Athlete): number {
  const { repetition, phase } = athlete.progress;
  return WORKING.includes(phase) && !isBetween(athlete) ? repetition + 1 : repetition;
}

/** The repetition done last in this set with its mark, once it has been judged. */
export function lastDone(athlete: Athlete): { repetition: number; mark: Mark } | null {
  const { set, repetition } = athlete.progress;
  const last = athlete.lastRepetition;
  if (!last || last.set !== set || last.repetition !== repetition) return null;
  return { repetition, mark: judge(last, athlete.state?.data.target ?? null).mark };
}

export interface Line {
  mark: Mark | null;
  sentence: string;
  trouble: string | null;
}

/** The one line on the last repetition; empty before the first of the set that is being done. */
export function lineOn(athlete: Athlete, sensors: readonly SensorStatus[]): Line {
  const verdict = verdictOn(athlete, sensors);
  const { set } = athlete.progress;
  const last = athlete.lastRepetition;
  const isFirst = sceneOf(athlete) === "working" && (last === null || last.set !== set);
  if (isFirst && verdict.mark !== "watch") return { mark: null, sentence: "", trouble: verdict.trouble };
  const spoilt = last?.warnings[0];
  return { ...verdict, trouble: verdict.trouble ?? (spoilt ? warningLine(last.repetition, spoilt) : null) };
}

/** The bridge's summary of the set that is in view, where it came. */
export function summaryInView(athlete: Athlete): SetSummary | null {
  const shown = athlete.repetitions.at(-1)?.set;
  const summary = athlete.latestSet?.data;
  return summary && summary.set === shown ? summary : null;
}

/** When the last repetition ended, UTC ms: rest is counted from there. */
export function restSinceMs(athlete: Athlete): number | null {
  const last = athlete.lastRepetition;
  return last?.concentric_end_ms ?? last?.eccentric_end_ms ?? summaryInView(athlete)?.end_ms ?? null;
}
