// What is said of a set when it is over: from the bridge's summary where it came, else from the repetitions
// that are known. What could not be measured stays null, with its reason.

import type { KnownRepetition } from "./gym";
import { type Finding, judge, type Mark } from "./judgement";
import type { Repetition, RepetitionBrief, SetSummary, Target } from "./payloads";
import { bestRepetition, type Reading, readingOf, type Side, type Told } from "./set_review";

export type RowName = "lowering" | "depth" | "level" | "lockout" | "tension" | "velocityLoss";

export interface SummaryRow {
  name: RowName;
  value: number | null;
  /** One-sigma uncertainty of `value`, where it is known. */
  sd: number | null;
  /** What was asked for, in the unit of `value`. */
  asked: number | null;
  /** The repetition the value was found in; null where it stands for all of them. */
  repetition: number | null;
  /** Why there is no value; null: no reason was told. */
  reason: string | null;
}

export interface FaultyRepetition {
  repetition: number;
  mark: Mark;
  finding: Finding;
  /** How many more findings there were in it. */
  more: number;
}

export interface SetReport {
  set: number;
  repetitions: number;
  asked: number | null;
  mark: Mark;
  rows: SummaryRow[];
  faults: FaultyRepetition[];
  /** Null with fewer than two to choose from. */
  best: number | null;
}

type Field = Extract<keyof Repetition & keyof RepetitionBrief, `${string}_${"s" | "deg"}`>;

/** What the set came to; null before its first repetition. */
export function reportOn(
  repetitions: readonly KnownRepetition[],
  summary: SetSummary | null,
  target: Target | null,
): SetReport | null {
  const last = repetitions.at(-1);
  if (!last) return null;
  const told = summary && summary.set === last.set && !summary.withdrawn ? summary : null;
  const records = repetitions.map((known) => known.detail ?? known.record);
  const faults = faultsOf(records, target);
  const side = sideOf(records);
  return {
    set: last.set,
    repetitions: told?.repetitions ?? records.length,
    asked: target?.repetitions ?? null,
    mark: faults.some((fault) => fault.mark === "bad") ? "bad" : faults.length > 0 ? "watch" : "good",
    rows: [
      lowering(records, told, target),
      depth(records, target, side),
      worst("level", records, "pelvic_obliquity_peak_deg", Math.abs),
      worst("lockout", records, "lockout_deficit_deg", (deficit) => deficit),
      tension(records, told),
      velocityLoss(repetitions, told),
    ],
    faults,
    best: bestRepetition(records, target, side),
  };
}

/** Against a tempo the whole movement counts, with its slow ends; for itself the lowering proper. */
function lowering(records: readonly Told[], told: SetSummary | null, target: Target | null): SummaryRow {
  const asked = target?.eccentric_s ?? null;
  const whole = asked === null ? null : meanOf(readingsOf(records, "eccentric_movement_s"));
  if (whole) return { ...row("lowering", whole), asked };
  if (told && told.mean_eccentric_s !== null) {
    const sd = told.sd["mean_eccentric_s"] ?? null;
    return { ...row("lowering", { value: told.mean_eccentric_s, sd }), asked };
  }
  const mean = meanOf(readingsOf(records, "eccentric_s"));
  return { ...row("lowering", mean, told?.reasons["mean_eccentric_s"] ?? reasonIn(records, "eccentric_s")), asked };
}

/** The bend of the working hip; without a thigh sensor there is none, and the tilt is no stand-in for it. */
function depth(records: readonly Told[], target: Target | null, side: Side): SummaryRow {
  const bent = records.filter((record) => HIP_FIELDS.some((field) => record[field] !== null));
  const readings = bent.map((record) => readingOf(record, "depth", side)).filter((reading) => reading !== null);
  const reason = reasonIn(records, HIP_FIELDS[side === "right" ? 1 : 0]);
  return { ...row("depth", meanOf(readings), reason), asked: target?.minimum_range_deg ?? null };
}

const HIP_FIELDS = ["hip_flexion_left_range_deg", "hip_flexion_right_range_deg"] as const;

function sideOf(records: readonly Told[]): Side {
  for (const record of records) if ("side" in record) return record.side;
  return "both";
}

function worst(name: RowName, records: readonly Told[], field: Field, badness: (value: number) => number): SummaryRow {
  let found: Told | null = null;
  for (const record of records) {
    const value = record[field];
    if (value !== null && (found === null || badness(value) > badness(found[field]!))) found = record;
  }
  if (!found) return row(name, null, reasonIn(records, field));
  return { ...row(name, { value: found[field]!, sd: found.sd[field] ?? null }), repetition: found.repetition };
}

function tension(records: readonly Told[], told: SetSummary | null): SummaryRow {
  if (told) {
    const value = told.tut_s;
    const found = value === null ? null : { value, sd: told.sd["tut_s"] ?? null };
    return row("tension", found, told.reasons["tut_s"] ?? null);
  }
  const times = records.map((record) => record.tut_s).filter((time) => time !== null);
  // A sum that lacks some of its parts would be too small.
  if (times.length < records.length) return row("tension", null, reasonIn(records, "tut_s"));
  return row("tension", { value: times.reduce((sum, time) => sum + time, 0), sd: null });
}

function velocityLoss(repetitions: readonly KnownRepetition[], told: SetSummary | null): SummaryRow {
  const field = "velocity_loss_percent";
  const source = told ?? repetitions.at(-1)?.detail ?? null;
  const value = source?.[field] ?? null;
  const found = value === null ? null : { value, sd: source?.sd[field] ?? null };
  return row("velocityLoss", found, source?.reasons[field] ?? null);
}

function row(name: RowName, found: Reading | null, reason: string | null = null): SummaryRow {
  const { value, sd } = found ?? { value: null, sd: null };
  return { name, value, sd, asked: null, repetition: null, reason: found ? null : reason };
}

function readingsOf(records: readonly Told[], field: Field): Reading[] {
  return records.flatMap((record) => {
    const value = record[field];
    return value === null ? [] : [{ value, sd: record.sd[field] ?? null }];
  });
}

function meanOf(readings: readonly Reading[]): Reading | null {
  if (readings.length === 0) return null;
  const value = readings.reduce((sum, reading) => sum + reading.value, 0) / readings.length;
  const sds = readings.map((reading) => reading.sd).filter((sd) => sd !== null);
  return { value, sd: sds.length < readings.length ? null : Math.hypot(...sds) / sds.length };
}

function reasonIn(records: readonly Told[], field: Field): string | null {
  for (const record of records) {
    const reason = "reasons" in record ? record.reasons[field] : undefined;
    if (reason) return reason;
  }
  return null;
}

function faultsOf(records: readonly Told[], target: Target | null): FaultyRepetition[] {
  return records.flatMap((record) => {
    const { mark, findings } = judge(record, target);
    const [finding] = findings;
    return finding ? [{ repetition: record.repetition, mark, finding, more: findings.length - 1 }] : [];
  });
}
