// One repetition of a session that is over: its figures as people read them, its tempo as a bar, its verdict.

import type { ArchivedPrescription, ArchivedRepetition, ArchivedSet } from "./archive_types";
import { decimal, signed } from "./format";
import { type Finding, judge, type Mark } from "./judgement";
import type { Target } from "./payloads";
import { findingSentence } from "./strings";
import { ARCHIVE, partSentence, TIMED, TIMED_LYING } from "./strings/archive";

export interface Figure {
  text: string;
  /** One sigma, "±1.2"; empty where it is not known. */
  sd: string;
  /** Why there is no figure; null where there is one. */
  reason: string | null;
  isProxy: boolean;
}

export interface TempoPart {
  phase: (typeof TIMED | typeof TIMED_LYING)[number]["field"];
  name: string;
  seconds: number;
  /** Part of the longest repetition of the set, 0 to 1. */
  share: number;
}

export interface RepetitionRow {
  number: number;
  mark: Mark;
  words: string[];
  tempo: TempoPart[];
  depths: Figure[];
  level: Figure;
  lockout: Figure;
}

/** `target` is what was asked when the set began. */
export function rowsOf(repetitions: readonly ArchivedRepetition[], target: Target | null): RepetitionRow[] {
  const longestS = Math.max(1e-9, ...repetitions.map((one) => partsOf(one).reduce((sum, part) => sum + part.seconds, 0)));
  return repetitions.map((one) => ({
    number: one.repetition,
    ...verdictOf(one, target),
    tempo: partsOf(one).map((part) => ({ ...part, share: part.seconds / longestS })),
    depths: hipsOf(one).map((field) => figure(one, field, 0)),
    level: figure(one, "pelvic_obliquity_peak_deg", 1, true),
    lockout: figure(one, "lockout_deficit_deg", 1, true),
  }));
}

type Measure = "pelvic_obliquity_peak_deg" | "lockout_deficit_deg" | HipField | "pelvic_tilt_range_deg";
type HipField = "hip_flexion_left_range_deg" | "hip_flexion_right_range_deg";

/** The ranges that say how deep it was: the working hips, or the tilt where no thigh sensor is worn. */
function hipsOf(one: ArchivedRepetition): Measure[] {
  const working: HipField[] =
    one.side === "both"
      ? ["hip_flexion_left_range_deg", "hip_flexion_right_range_deg"]
      : [`hip_flexion_${one.side}_range_deg`];
  return working.some((field) => one[field] !== null) ? working : ["pelvic_tilt_range_deg"];
}

/** What was asked when a set began; null where nothing was. */
export function targetOf(set: ArchivedSet, prescriptions: readonly ArchivedPrescription[]): Target | null {
  const startMs = set.start_ms ?? -Infinity;
  return prescriptions.filter(({ since_ms }) => since_ms <= startMs).at(-1)?.asked ?? null;
}

function partsOf(one: ArchivedRepetition): Omit<TempoPart, "share">[] {
  const parts = one.exercise.includes("bridge") ? TIMED_LYING : TIMED;
  return parts.flatMap(({ field, name }) => {
    const seconds = one[field];
    return seconds === null ? [] : [{ phase: field, name, seconds }];
  });
}

function verdictOf(one: ArchivedRepetition, target: Target | null): { mark: Mark; words: string[] } {
  const { findings, mark, doubtful } = judge(one, target);
  const missed = one.adherence.filter((part) => part.keeping === "short" || part.keeping === "long");
  const isTempoTold = missed.some((part) => part.part === "eccentric");
  const lying = one.exercise.includes("bridge");
  const words = findings
    .filter((finding: Finding) => !(finding.code === "fast_eccentric" && isTempoTold))
    .map((finding) => findingSentence(finding, null, lying));
  words.push(...missed.map((part) => `${partSentence(part)}.`));
  if (doubtful) words.push(`${ARCHIVE.doubtful}.`);
  return { mark: mark === "good" && words.length > 0 ? "watch" : mark, words: words.map(capitalised) };
}

function capitalised(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

function figure(one: ArchivedRepetition, field: Measure, digits: number, isSigned = false): Figure {
  const value = one[field];
  if (value === null) return { text: "–", sd: "", reason: one.reasons[field] ?? null, isProxy: false };
  const sd = one.sd[field];
  return {
    text: `${isSigned ? signed(value, digits) : decimal(value, digits)}°`,
    sd: sd === undefined ? "" : `±${decimal(sd, 1)}`,
    reason: null,
    isProxy: one.kind[field] === "proxy",
  };
}
