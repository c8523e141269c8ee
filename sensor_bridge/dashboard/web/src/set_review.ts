// What a set tells beyond its repetitions: which was the best, what drifts, where form broke, how the sides
// compare. Nothing is said that the uncertainty of the numbers could explain.

import { judge, type Finding, type Mark } from "./judgement";
import type { Repetition, RepetitionBrief, Target } from "./payloads";

export type Told = Repetition | RepetitionBrief;
export type Side = "both" | "left" | "right";
export type Aspect = "eccentric" | "depth" | "level" | "lockout";

/** A number with its one-sigma uncertainty; the sd is null where none was told. */
export interface Reading {
  value: number;
  sd: number | null;
}

/** Two readings further apart than this many sigma of their difference are said to differ (95 %). */
const DETECTABLE_SIGMA = 1.96;
const FEWEST_FOR_A_TREND = 4;
const NOT_FORM: ReadonlySet<string> = new Set(["fast_eccentric", "uneven_tempo", "short_range"]);
const ASPECTS: readonly Aspect[] = ["eccentric", "depth", "level", "lockout"];

/** One aspect of a repetition; null where it was not measured. */
export function readingOf(told: Told, aspect: Aspect, side: Side): Reading | null {
  const { sd } = told;
  const single = (value: number | null, name: string): Reading | null =>
    value === null ? null : { value, sd: sd[name] ?? null };
  switch (aspect) {
    case "eccentric":
      return told.eccentric_movement_s === null
        ? single(told.eccentric_s, "eccentric_s")
        : single(told.eccentric_movement_s, "eccentric_movement_s");
    case "level":
      return single(told.pelvic_obliquity_peak_deg, "pelvic_obliquity_peak_deg");
    case "lockout":
      return single(told.lockout_deficit_deg, "lockout_deficit_deg");
    case "depth": {
      const left = single(told.hip_flexion_left_range_deg, "hip_flexion_left_range_deg");
      const right = single(told.hip_flexion_right_range_deg, "hip_flexion_right_range_deg");
      if (side === "both" && left && right) {
        return { value: (left.value + right.value) / 2, sd: either(left.sd, right.sd, (a, b) => Math.hypot(a, b) / 2) };
      }
      const hip = side === "right" ? (right ?? left) : (left ?? right);
      return hip ?? single(told.pelvic_tilt_range_deg, "pelvic_tilt_range_deg");
    }
  }
}

/** How far `one` lies from `other`; null where the uncertainty could explain all of it, or is not known. */
export function realDifference(one: Reading | null, other: Reading | null): number | null {
  if (!one || !other || one.sd === null || other.sd === null) return null;
  const difference = one.value - other.value;
  return Math.abs(difference) > DETECTABLE_SIGMA * Math.hypot(one.sd, other.sd) ? difference : null;
}

export interface FormBreak {
  repetition: number;
  findings: Finding[];
}

/**
 * The first repetition that is certain and has a fault of form: posture, not tempo or depth. A fault that
 * exceeds its threshold by less than its own uncertainty is none.
 */
export function formBreak(set: readonly Told[], target: Target | null): FormBreak | null {
  for (const told of inOrder(set)) {
    if (told.status !== "confirmed") continue;
    const found = judge(told, target).findings.filter(
      (finding) => !NOT_FORM.has(finding.code) && !isWithinItsError(told, finding),
    );
    if (found.length > 0) return { repetition: told.repetition, findings: found };
  }
  return null;
}

function isWithinItsError(told: Told, { code }: Finding): boolean {
  for (const fault of told.faults) {
    if (typeof fault === "string" || fault.code !== code) continue;
    const { value, threshold, sd } = fault;
    if (value !== null && threshold !== null && sd !== null) return Math.abs(value) - Math.abs(threshold) < sd;
  }
  return false;
}

/** The repetition the others are held against: no worse mark than any, then nearest to what was asked. */
export function bestRepetition(set: readonly Told[], target: Target | null, side: Side): number | null {
  const sure = inOrder(set).filter((told) => told.status === "confirmed");
  if (sure.length < 2) return null;
  const deepest = Math.max(0, ...sure.map((told) => readingOf(told, "depth", side)?.value ?? 0));
  const cost = (told: Told) => MARK_COST[judge(told, target).mark] + distance(told, target, side, deepest);
  return sure.reduce((best, told) => (cost(told) < cost(best) ? told : best)).repetition;
}

const MARK_COST: Record<Mark, number> = { good: 0, watch: 1_000, bad: 2_000 };

/** How far from what was asked, each aspect in units of what is still well: 10 % of tempo and depth, 5°. */
function distance(told: Told, target: Target | null, side: Side, deepest: number): number {
  const [eccentric, depth, level, lockout] = ASPECTS.map((aspect) => readingOf(told, aspect, side)?.value ?? null);
  const asked = target?.eccentric_s ?? null;
  let sum = 0;
  if (asked && eccentric != null) sum += Math.abs(eccentric - asked) / (0.1 * asked);
  if (deepest > 0 && depth != null) sum += (deepest - depth) / (0.1 * deepest);
  if (level != null) sum += Math.abs(level) / 5;
  if (lockout != null) sum += Math.max(0, lockout) / 5;
  return sum;
}

export interface Trend {
  aspect: Aspect;
  /** Change from one repetition to the next, and its one-sigma uncertainty. */
  slope: number;
  sd: number;
  /** The line at the first and at the last repetition. */
  from: number;
  to: number;
}

/** What drifts within the set: straight lines that are steeper than their uncertainty explains (95 %). */
export function trends(set: readonly Told[], side: Side): Trend[] {
  return ASPECTS.map((aspect) => trendOf(set, aspect, side)).filter((trend) => trend !== null);
}

function trendOf(set: readonly Told[], aspect: Aspect, side: Side): Trend | null {
  const points = inOrder(set)
    .filter((told) => told.status !== "unconfirmed")
    .map((told) => ({ number: told.repetition, reading: readingOf(told, aspect, side) }))
    .filter((point): point is { number: number; reading: Reading } => point.reading !== null);
  if (points.length < FEWEST_FOR_A_TREND) return null;
  const n = points.length;
  const middle = points.reduce((sum, point) => sum + point.number, 0) / n;
  const mean = points.reduce((sum, point) => sum + point.reading.value, 0) / n;
  const spread = points.reduce((sum, point) => sum + (point.number - middle) ** 2, 0);
  const slope = points.reduce((sum, point) => sum + (point.number - middle) * point.reading.value, 0) / spread;
  const line = (number: number) => mean + slope * (number - middle);
  const left = points.reduce((sum, point) => sum + (point.reading.value - line(point.number)) ** 2, 0);
  const own = points.reduce((sum, point) => sum + (point.reading.sd ?? 0) ** 2, 0) / n;
  // Repetitions differ more than they are uncertain, or less: the larger of the two makes the doubt.
  const sd = Math.sqrt(Math.max(left / (n - 2), own) / spread);
  if (sd === 0 || Math.abs(slope) <= studentAt95(n - 2) * sd) return null;
  return { aspect, slope, sd, from: line(points[0]!.number), to: line(points.at(-1)!.number) };
}

/** Two-sided 95 % quantile of Student's t for `freedom` ≥ 2 (Abramowitz & Stegun 1964, table 26.10). */
function studentAt95(freedom: number): number {
  return [4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228][freedom - 2] ?? 2.2;
}

export interface SidesCompared {
  /** Left minus right, degrees, with the smallest difference that would be one. */
  differenceDeg: number;
  detectableDeg: number;
  isReal: boolean;
  /** The set of the other side it was compared with; null: both sides in one set. */
  otherSet: number | null;
}

/** The hips of both sides in one set; null unless both thighs were measured. */
export function sidesOf(set: readonly Told[]): SidesCompared | null {
  const pairs = set.flatMap((told) => {
    const { hip_flexion_left_range_deg: left, hip_flexion_right_range_deg: right, sd: sds } = told;
    const sd = either(sds["hip_flexion_left_range_deg"], sds["hip_flexion_right_range_deg"], Math.hypot);
    return left === null || right === null || sd === null ? [] : [{ value: left - right, sd }];
  });
  // How a sensor sits does not change from one repetition to the next: it does not average out.
  if (pairs.length === 0) return null;
  const steady = average(pairs.map((pair) => pair.sd));
  return comparison(average(pairs.map((pair) => pair.value)), Math.hypot(steady, scatterOfMean(pairs)), null);
}

/** A one-sided set against the last one of the other side. */
export function sidesApart(
  own: { side: Side; set: readonly Told[] },
  other: { number: number; set: readonly Told[] },
): SidesCompared | null {
  const otherSide = own.side === "left" ? "right" : "left";
  const [mine, theirs] = [depths(own.set, own.side), depths(other.set, otherSide)];
  if (own.side === "both" || mine.length === 0 || theirs.length === 0) return null;
  const sign = own.side === "left" ? 1 : -1;
  const difference = sign * (average(mine.map((r) => r.value)) - average(theirs.map((r) => r.value)));
  const steady = Math.hypot(average(mine.map((r) => r.sd)), average(theirs.map((r) => r.sd)));
  const scatter = Math.hypot(scatterOfMean(mine), scatterOfMean(theirs));
  return comparison(difference, Math.hypot(steady, scatter), other.number);
}

function depths(set: readonly Told[], side: Side): { value: number; sd: number }[] {
  return set
    .map((told) => readingOf(told, "depth", side))
    .filter((reading): reading is { value: number; sd: number } => reading !== null && reading.sd !== null);
}

function comparison(differenceDeg: number, sd: number, otherSet: number | null): SidesCompared {
  const detectableDeg = DETECTABLE_SIGMA * sd;
  return { differenceDeg, detectableDeg, isReal: Math.abs(differenceDeg) > detectableDeg, otherSet };
}

function scatterOfMean(readings: { value: number }[]): number {
  const n = readings.length;
  if (n < 2) return 0;
  const mean = average(readings.map((reading) => reading.value));
  return Math.sqrt(readings.reduce((sum, { value }) => sum + (value - mean) ** 2, 0) / (n - 1) / n);
}

function average(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function either(
  one: number | null | undefined,
  other: number | null | undefined,
  join: (a: number, b: number) => number,
): number | null {
  return one == null || other == null ? null : join(one, other);
}

function inOrder(set: readonly Told[]): Told[] {
  return [...set].sort((a, b) => a.repetition - b.repetition);
}
