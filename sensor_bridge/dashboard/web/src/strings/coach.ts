// The words of the coach's pages.

import type { Asked, CommandName, Outcome } from "../commands";
import { briefly, decimal, signed } from "../format";
import type { Repetition, Target } from "../payloads";
import type { Presence } from "../presence";
import type { Aspect, SidesCompared, Trend } from "../set_review";
import { tempoText, type TempoMistake } from "../tempo";
import { loadText, type LoadUnit } from "../units";
import type { FindingWords } from "./findings";

export const COACH = {
  sortBy: "Order of the cards",
  sort: { attention: "needs a look first", name: "by name" },
  open: (name: string) => `${name}: the set in detail`,
  back: "All athletes",
  ownPage: "Athlete view",
  unknownAthlete: "Nobody of that name is here now.",
  setShort: (number: number, asked: number | null) => (asked === null ? `set ${number}` : `set ${number}/${asked}`),
  worn: (deg: number) => `worn ±${decimal(deg, 0)}°`,
  wornLabel: (deg: number) => `how the sensors are worn is known to ±${decimal(deg, 1)} degrees`,
  wornUnknown: "not calibrated",
  wornUnknownLabel: "how the sensors are worn is not known yet: stand still, then move",
  sets: "Sets of this session",
  setNow: "now",
  asked: (text: string) => `asked: ${text}`,
  nothingAsked: "nothing prescribed",
  noRepetitions: "No repetition in this set yet.",
  columns: { tempo: "tempo", depth: "depth", level: "level", lockout: "lock-out", words: "how it went" },
  tempoLabel: (parts: string) => `tempo ${parts}`,
  askedTempo: "asked",
  best: "best",
  bestLabel: "the best of this set; the others are held against it",
  againstBest: (difference: number, unit: string, digits: number) => `${signed(difference, digits)}${unit}`,
  againstBestLabel: (difference: number, unit: string, digits: number) =>
    `${signed(difference, digits)}${unit} against the best repetition`,
  more: (number: number) => `repetition ${number}: everything measured`,
  steady: "No drift within the set beyond what can be measured.",
  formHolds: "Form held in every repetition so far.",
  formHeld: "Form held in every repetition.",
  asAsked: "Nothing to remark.",
  notMeasured: (label: string, why: string) => `${label} not measurable: ${why}`,
  onlyBrief: "Only the main figures of this repetition are known here.",
  fault: ({ what }: FindingWords, threshold: number | null, sd: number | null) =>
    `${what}${threshold === null ? "" : ` (limit ${decimal(Math.abs(threshold), 1)}${sd === null ? "" : `, ±${decimal(sd, 1)}`})`}`,
  notes: "Notes",
  noteKind: { note: "note", not_a_repetition: "not a repetition", missed_repetition: "missed repetition" },
  noteAbout: (repetition: number) => `repetition ${repetition}`,
  live: "Now",
  actions: "Coach",
  startSet: "Start set",
  endSet: "End set",
  reZero: "Re-zero",
  reZeroHint: "The athlete stands still; angles count from that stance.",
  missed: "Missed one",
  missedHint: "Marks that a repetition just now was not counted.",
  notOne: "Not a repetition",
  notOneLabel: (number: number) => `Not a repetition: number ${number}`,
  why: "why (may stay empty)",
  note: "Note",
  addNote: "Add note",
  noteOn: (number: number) => `Note on repetition ${number}`,
  identify: "Identify",
  identifyLabel: (name: string) => `Identify the sensor ${name}: let it show itself`,
  sensors: "Sensors",
  calibrationOf: (deg: number | null) => (deg === null || deg >= 90 ? "not calibrated" : `±${decimal(deg, 1)}°`),
  prescription: "Prescription",
  change: "Prescribe…",
  save: "Ask the bridge",
  takeAway: "Take away",
  cancel: "Cancel",
  fields: {
    exercise: "Exercise",
    side: "Side",
    repetitions: "Repetitions",
    sets: "Sets",
    tempo: "Tempo",
    load: "Load",
    support: "Support",
    range: "Least range of the hip, °",
  },
  notSaid: "not said",
  sides: { both: "both", left: "left", right: "right" },
  supports: { yes: "with a hand on something", no: "free standing" },
  tempoHint: "eccentric-bottom-concentric-top in seconds, X = as fast as possible; such as 5-0-X-0",
  switchUnit: (from: LoadUnit) => `${from}: switch to ${from === "kg" ? "lb" : "kg"}`,
  wrong: {
    whole: "a whole number from 1",
    load: "a number, 0 or more",
    range: "a number of degrees from 1 to 180",
  },
  log: "Asked of the bridge",
  undo: "Undo",
  undoLabel: (what: string) => `Undo: ${what}`,
  undone: "undone",
} as const;

export const TEMPO_MISTAKE: Record<TempoMistake, string> = {
  parts: "four parts joined by -, such as 5-0-X-0",
  number: "each part a number of seconds",
  "only-concentric-x": "only the third part, going up, may be X",
};

export function presenceWords(presence: Presence): string {
  if (presence.is === "silent") return `last seen ${duration(presence.seconds)} ago`;
  return presence.is === "kept" ? "no live data: the last picture known" : "";
}

function duration(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7_200 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3_600)} h`;
}

const COMMAND: Record<CommandName, string> = {
  "start-set": "Start set",
  "end-set": "End set",
  prescribe: "Prescription",
  "re-zero": "Re-zero",
  identify: "Identify",
  "not-a-repetition": "Not a repetition",
  "missed-repetition": "Missed a repetition",
  note: "Note",
  undo: "Undo",
};

/** What was asked, in a few words. */
export function askedWords(entry: Asked): string {
  const what = COMMAND[entry.name];
  const args = entry.arguments as { text?: string | null; sensor?: string };
  const detail = args.sensor ?? args.text ?? "";
  return detail ? `${what}: ${detail}` : what;
}

export const OUTCOME: Record<Outcome, { symbol: string; word: string }> = {
  pending: { symbol: "…", word: "asked, no answer yet" },
  done: { symbol: "✓", word: "done" },
  refused: { symbol: "✕", word: "refused" },
  unanswered: { symbol: "?", word: "no answer in 10 s: it may or may not have been done" },
  unsent: { symbol: "✕", word: "not sent: no connection" },
};

/** "3 × 8 · 5-0-X-0 · 60 kg · with support" */
export function targetWords(target: Target | null): string {
  if (!target) return "";
  const { repetitions, sets, load_kg: load, is_supported: supported, minimum_range_deg: range } = target;
  const parts: string[] = [];
  if (repetitions !== null) parts.push(sets === null ? `${repetitions} repetitions` : `${sets} × ${repetitions}`);
  else if (sets !== null) parts.push(`${sets} sets`);
  const tempo = tempoText(target);
  if (tempo) parts.push(tempo);
  if (load !== null) parts.push(loadText(load));
  if (range !== null) parts.push(`at least ${decimal(range, 0)}°`);
  if (supported !== null) parts.push(supported ? "with support" : "without support");
  return parts.join(" · ");
}

const ASPECT: Record<Aspect, { name: string; unit: string; digits: number; up: string; down: string }> = {
  eccentric: { name: "Lowering", unit: " s", digits: 1, up: "longer", down: "shorter" },
  depth: { name: "Depth", unit: "°", digits: 0, up: "deeper", down: "shallower" },
  level: { name: "Pelvis", unit: "°", digits: 0, up: "further to the right side up", down: "further to the left side up" },
  lockout: { name: "Lock-out", unit: "°", digits: 0, up: "further from standing", down: "nearer to standing" },
};

export function trendWords({ aspect, slope, from, to }: Trend): string {
  const { name, unit, digits, up, down } = ASPECT[aspect];
  const pace = decimal(Math.abs(slope), digits === 0 ? 1 : 2);
  const span = `${decimal(from, digits)} → ${decimal(to, digits)}${unit}`;
  return `${name} gets ${pace}${unit} ${slope > 0 ? up : down} each repetition (${span}).`;
}

export function sidesWords({ differenceDeg, detectableDeg, isReal, otherSet }: SidesCompared): string {
  const where = otherSet === null ? "" : ` (against set ${otherSet})`;
  const least = `a difference would show from ${decimal(detectableDeg, 0)}° on`;
  const apart = decimal(Math.abs(differenceDeg), 0);
  if (!isReal) return `Left and right hip alike${where}: ${apart}° apart, ${least}.`;
  return `${differenceDeg > 0 ? "Left" : "Right"} hip ${apart}° deeper${where}; ${least}.`;
}

export function formBrokeWords(repetition: number, reasons: readonly FindingWords[]): string {
  const why = reasons.map(({ what }) => what).join(", ");
  return `Form broke at repetition ${repetition}${why ? `: ${why}` : ""}.`;
}

export function tempoWords(parts: readonly (number | null)[]): string {
  return parts.map((part) => (part === null ? "–" : briefly(Math.round(part * 10) / 10))).join("-");
}

/** One sigma; never a zero, which nothing measured has. */
export function spreadWords(sd: number, digits: number): string {
  const text = decimal(sd, digits);
  return Number(text) === 0 ? `±<${decimal(10 ** -digits, digits)}` : `±${text}`;
}

/** Every quantity of a repetition by its name, unit and digits, in the order people ask for them. */
export const QUANTITY: readonly (readonly [field: keyof Repetition & string, label: string, unit: string, digits: number])[] = [
  ["eccentric_s", "lowering", " s", 2],
  ["eccentric_movement_s", "whole lowering", " s", 2],
  ["bottom_pause_s", "pause at the bottom", " s", 2],
  ["concentric_s", "up", " s", 2],
  ["concentric_movement_s", "whole way up", " s", 2],
  ["top_pause_s", "pause at the top", " s", 2],
  ["tut_s", "time under tension", " s", 1],
  ["pelvic_tilt_range_deg", "tilt range", "°", 1],
  ["hip_flexion_left_range_deg", "left hip range", "°", 1],
  ["hip_flexion_right_range_deg", "right hip range", "°", 1],
  ["hinge_share", "hinge share", "", 2],
  ["lockout_deficit_deg", "short of standing", "°", 1],
  ["pelvic_obliquity_peak_deg", "pelvis off level", "°", 1],
  ["pelvic_rotation_range_deg", "pelvis turned", "°", 1],
  ["free_side_drop_peak_deg", "free side dropped", "°", 1],
  ["tilt_reversal_deg", "pelvis turned back going down", "°", 1],
  ["concentric_peak_deg_s", "fastest going up", "°/s", 0],
  ["concentric_mean_deg_s", "mean speed going up", "°/s", 0],
  ["velocity_loss_percent", "loss of speed", " %", 0],
  ["sway_deg_s", "sway", "°/s", 1],
  ["tremor_deg_s", "tremor", "°/s", 1],
  ["smoothness", "smoothness", "", 1],
];
