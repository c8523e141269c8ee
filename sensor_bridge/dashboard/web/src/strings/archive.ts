// The words of the pages of what was: sessions, one session, progress.

import type { ExportFormat } from "../archive";
import type { ArchivedNote, ArchivedSet, MetricProgress, Sides } from "../archive_types";
import { briefly, decimal, signed } from "../format";
import type { PartAdherence, SetAdherence } from "../payloads";
import { exerciseName } from "../strings";

const count = (number: number, one: string) => `${number} ${one}${number === 1 ? "" : "s"}`;

export const ARCHIVE = {
  sessions: "Sessions",
  live: "Live",
  progress: "Progress",
  asking: "Looking it up",
  failed: "The archive cannot be reached",
  failedHint: "What was measured is safe on the bridge's disk. Try again in a moment.",
  again: "Try again",
  noSessions: "No session yet",
  noSessionsHint: "Each session is here as soon as its first set is over.",
  noSessionsOf: "No session of this athlete yet",
  noArchive: "This page has no archive",
  noArchiveHint: "It is shown by a server that only passes on what is live.",
  absent: "There is no such session",
  absentHint: "It may have been deleted, or this token may not see it.",
  everybody: "all athletes",
  filter: "athlete",
  when: "when",
  who: "athlete",
  what: "exercises",
  sets: (number: number) => count(number, "set"),
  repetitions: (number: number) => count(number, "repetition"),
  setsLabel: (number: number) => (number === 1 ? "set" : "sets"),
  repetitionsLabel: (number: number) => (number === 1 ? "repetition" : "repetitions"),
  tension: "under tension",
  toLookAt: "to look at",
  lasted: "in all",
  asked: "asked",
  of: (n: number) => `n ${n}`,
  place: (set: number, repetition: number | null) => (repetition === null ? `set ${set}` : `set ${set}, repetition ${repetition}`),
  goesOn: "goes on",
  nothingDone: "no repetition stands",
  faults: (number: number) => count(number, "fault"),
  setTitle: (set: ArchivedSet) => `Set ${set.set}: ${exerciseName(set.exercise, set.side)}`,
  report: "Report",
  exports: "Take it along",
  exportsHint: "The report is one page to print or send; the files are for other programs.",
  downloadFailed: "That file could not be made.",
  picture: (set: number) => `Hip angles and pelvic tilt of set ${set} over time`,
  noPicture: "No picture: the angles of this set were not kept.",
  lowering: "lowering, with the number of the repetition",
  tempo: "tempo",
  repetition: "repetition",
  depth: "hip range",
  tilt: "tilt",
  level: "level",
  lockout: "lock-out",
  remark: "remarks",
  sides: "Sides compared",
  left: "left",
  right: "right",
  difference: "difference",
  notes: "Notes and disputes",
  by: (who: string) => `by ${who}`,
  events: "Between the repetitions",
  doubtful: "counted, but not a clear one",
  tempoLabel: (parts: string) => `tempo ${parts}`,
  formBroke: (repetition: number) => `Form broke at repetition ${repetition}.`,
  legend: "± is one sigma of the measurement. Level: + right side up. Lock-out: + short of standing. * estimated. A tempo that was asked is held against the whole movement with its slow ends, a little longer than what is shown.",
  noProgress: "Nothing to compare yet",
  noProgressHint: "Progress is told from the repetitions that stand.",
  exercise: "exercise",
  session: (number: number) => count(number, "session"),
  chart: (label: string) => `${label} over the sessions`,
  chartKey: "median of a session, ± one sigma",
  bandKey: "no change from the first session",
  table: "The numbers",
  date: "session",
  n: "repetitions",
  median: "median",
  newest: "in the newest session",
  asTheyWere: "Sessions are compared as they were: loads and prescriptions may have differed.",
} as const;

export const FORMAT_NAME: Record<ExportFormat, string> = {
  csv: "CSV",
  parquet: "Parquet",
  json: "JSON",
  fit: "FIT",
  mot: "OpenSim .mot",
};

export const CURVE_NAME = new Map(
  Object.entries({ hip_flexion_left_deg: "left hip", hip_flexion_right_deg: "right hip", pelvic_tilt_deg: "pelvic tilt" }),
);

/** The timed parts of a repetition, in the order of standing exercises. */
export const TIMED = [
  { field: "eccentric_s", name: "lowering" },
  { field: "bottom_pause_s", name: "hold" },
  { field: "concentric_s", name: "rise" },
] as const;

/** Those of a bridge: it begins with the rise, and is held at the top. */
export const TIMED_LYING = [
  { field: "concentric_s", name: "rise" },
  { field: "top_pause_s", name: "hold" },
  { field: "eccentric_s", name: "lowering" },
] as const;

const QUANTITY = new Map(
  Object.entries({
    hip_flexion_range_deg: "Hip range",
    hip_flexion_left_range_deg: "Hip range, left",
    hip_flexion_right_range_deg: "Hip range, right",
    pelvic_tilt_range_deg: "Range of the pelvic tilt",
    eccentric_s: "Lowering",
    concentric_mean_deg_s: "Mean speed of the rise",
    lockout_deficit_deg: "Short of full lock-out",
    pelvic_obliquity_peak_deg: "Pelvis out of level, at worst",
    hinge_share: "Share of the pelvis in the hinge",
  }),
);

/** Zero is not the least there can be; what has no sign of its own stays above it. */
export function isSigned(key: string): boolean {
  return key.startsWith("lockout_deficit_deg");
}

/** "eccentric_s.left" is the lowering of sets done on the left. */
export function quantityName(key: string): string {
  const [name = "", side] = key.split(".");
  const label = QUANTITY.get(name) ?? name.replaceAll("_", " ");
  return side === undefined || label.endsWith(side) ? label : `${label}, ${side}`;
}

export function withUnit(value: number, digits: number, unit: string): string {
  return `${decimal(value, digits)}${unit === "" || unit === "°" ? "" : " "}${unit}`;
}

/** What the newest session says against the first. */
export function changeSentence(metric: MetricProgress, sinceWhen: string): string {
  const { minimal_detectable_change: least, change, how, unit } = metric;
  if (least === null || change === null) return `${how.charAt(0).toUpperCase()}${how.slice(1)}.`;
  const digits = neededDigits(least, metric.digits);
  const amount = `±${withUnit(least, digits, unit)}`;
  if (!change.is_change) return `No change beyond what repeats differ by (${amount}).`;
  const space = unit === "°" ? "" : " ";
  return `${signed(change.difference, digits)}${space}${unit} since ${sinceWhen}: more than repeats differ by (${amount}).`;
}

export function sidesSentence(sides: Sides, digits: number, unit: string): string {
  if (sides.detectable === null) return "too few repetitions to compare";
  const shown = neededDigits(sides.detectable, digits);
  const least = withUnit(sides.detectable, shown, unit);
  if (!sides.is_difference) return `no difference that can be told (it takes ${least})`;
  const amount = withUnit(Math.abs(sides.difference), shown, unit);
  return `${sides.difference > 0 ? "left" : "right"} more by ${amount} (it takes ${least})`;
}

/** One digit more where the usual ones would say zero. */
function neededDigits(value: number, digits: number): number {
  return Number(decimal(Math.abs(value), digits)) === 0 ? digits + 1 : digits;
}

export function adherenceSentence(asked: SetAdherence, done: number): string {
  const parts = [asked.repetitions_asked === null ? ARCHIVE.repetitions(done) : `${done} of ${asked.repetitions_asked} repetitions`];
  parts.push(
    asked.parts_judged > 0
      ? `${asked.parts_kept} of ${asked.parts_judged} parts of tempo and range kept`
      : "tempo and range could not be judged",
  );
  if (asked.is_side_kept === false) parts.push("the other side was asked for");
  return `Against what was asked: ${parts.join(", ")}.`;
}

const PART = new Map(
  Object.entries({ eccentric: "whole lowering", bottom: "hold at the bottom", concentric: "whole rise", top: "pause at the top", range: "hip range" }),
);

export function partSentence({ part, asked, done }: PartAdherence): string {
  const unit = part === "range" ? "°" : " s";
  const achieved = done === null ? "–" : `${decimal(done, part === "range" ? 0 : 1)}${unit}`;
  return `${PART.get(part) ?? part} ${achieved} instead of ${briefly(asked)}${unit}`;
}

const NOTE: Record<ArchivedNote["kind"], string> = {
  note: "note",
  not_a_repetition: "not a repetition",
  missed_repetition: "a repetition was missed",
};

export function noteName(kind: ArchivedNote["kind"]): string {
  return NOTE[kind];
}

export function dayAndTime(timeMs: number): string {
  return new Date(timeMs).toLocaleString("en-GB", {
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
  });
}

export function clockTime(timeMs: number): string {
  return new Date(timeMs).toLocaleTimeString("en-GB");
}

export function day(timeMs: number): string {
  return new Date(timeMs).toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" });
}

export function lasting(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")} min`;
}
