// What is said of a set when it is over: from the bridge's summary where it came, else from the repetitions
// that are known. What could not be measured stays null, with its reason.

import type { KnownRepetition } from "./gym";
import { type Finding, judge, type Mark } from "./judgement";
import type { Repetition, RepetitionBrief, SetSummary, Target } from "./payloads";

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
  formBrokeAt: number | null;
  /** The best repetition and those that cannot be told apart from it; empty with fewer than two. */
  best: number[];
}

type Known = Repetition | RepetitionBrief;
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
  return {
    set: last.set,
    repetitions: told?.repetitions ?? records.length,
    asked: target?.repetitions ?? null,
    mark: faults.some((fault) => fault.mark === "bad") ? "bad" : faults.length > 0 ? "watch" : "good",
    rows: [
      lowering(records, told, target),
      depth(records, target),
      worst("level", records, "pelvic_obliquity_peak_deg", Math.abs),
      worst("lockout", records, "lockout_deficit_deg", (deficit) => deficit),
      tension(records, told),
      velocityLoss(repetitions, told),
    ],
    faults,
    formBrokeAt: told?.form_broke_at ?? null,
    best: bestOf(records, target),
  };
}

/** Against a tempo the whole movement counts, with its slow ends; for itself the lowering proper. */
function lowering(records: readonly Known[], told: SetSummary | null, target: Target | null): SummaryRow {
  const asked = target?.eccentric_s ?? null;
  const whole = asked === null ? null : meanOf(records, "eccentric_movement_s");
  if (whole) return { ...row("lowering", whole), asked };
  if (told && told.mean_eccentric_s !== null) {
    const sd = told.sd["mean_eccentric_s"] ?? null;
    return { ...row("lowering", { value: told.mean_eccentric_s, sd }), asked };
  }
  const mean = meanOf(records, "eccentric_s");
  return { ...row("lowering", mean, told?.reasons["mean_eccentric_s"] ?? reasonIn(records, "eccentric_s")), asked };
}

/** The bend of the working hip; without a thigh sensor there is none, and the tilt is no stand-in for it. */
function depth(records: readonly Known[], target: Target | null): SummaryRow {
  const [near, far] = HIP_FIELDS[sideOf(records)];
  const field = meanOf(records, near) ? near : far;
  const found = row("depth", meanOf(records, field), reasonIn(records, near));
  return { ...found, asked: target?.minimum_range_deg ?? null };
}

const HIP_FIELDS: Record<Repetition["side"], readonly [Field, Field]> = {
  both: ["hip_flexion_left_range_deg", "hip_flexion_right_range_deg"],
  left: ["hip_flexion_left_range_deg", "hip_flexion_left_range_deg"],
  right: ["hip_flexion_right_range_deg", "hip_flexion_right_range_deg"],
};

function sideOf(records: readonly Known[]): Repetition["side"] {
  for (const record of records) if ("side" in record) return record.side;
  return "both";
}

function worst(name: RowName, records: readonly Known[], field: Field, badness: (value: number) => number): SummaryRow {
  let found: Known | null = null;
  for (const record of records) {
    const value = record[field];
    if (value !== null && (found === null || badness(value) > badness(found[field]!))) found = record;
  }
  if (!found) return row(name, null, reasonIn(records, field));
  return { ...row(name, { value: found[field]!, sd: found.sd[field] ?? null }), repetition: found.repetition };
}

function tension(records: readonly Known[], told: SetSummary | null): SummaryRow {
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

function row(name: RowName, found: { value: number; sd: number | null } | null, reason: string | null = null): SummaryRow {
  const { value, sd } = found ?? { value: null, sd: null };
  return { name, value, sd, asked: null, repetition: null, reason: found ? null : reason };
}

function meanOf(records: readonly Known[], field: Field): { value: number; sd: number | null } | null {
  const measured = records.filter((record) => record[field] !== null);
  if (measured.length === 0) return null;
  const value = measured.reduce((sum, record) => sum + record[field]!, 0) / measured.length;
  const sds = measured.map((record) => record.sd[field]).filter((sd) => sd !== undefined);
  const sd = sds.length < measured.length ? null : Math.hypot(...sds) / sds.length;
  return { value, sd };
}

function reasonIn(records: readonly Known[], field: Field): string | null {
  for (const record of records) {
    const reason = "reasons" in record ? record.reasons[field] : undefined;
    if (reason) return reason;
  }
  return null;
}

function faultsOf(records: readonly Known[], target: Target | null): FaultyRepetition[] {
  return records.flatMap((record) => {
    const { mark, findings } = judge(record, target);
    const [finding] = findings;
    return finding ? [{ repetition: record.repetition, mark, finding, more: findings.length - 1 }] : [];
  });
}

const SEVERITY: Record<Mark, number> = { good: 0, watch: 1, bad: 2 };

/** Fewest faults first, then nearest to the tempo asked; without one, the deepest. */
function bestOf(records: readonly Known[], target: Target | null): number[] {
  if (records.length < 2) return [];
  const rated = records
    .filter((record) => record.status !== "unconfirmed")
    .map((record) => {
      const { mark, findings } = judge(record, target);
      return { record, fault: SEVERITY[mark] * 100 + findings.length, ...distance(record, target) };
    });
  const fewest = Math.min(...rated.map(({ fault }) => fault));
  const clean = rated.filter(({ fault, off }) => fault === fewest && off !== null);
  const best = clean.reduce<(typeof clean)[number] | null>((a, b) => (a === null || b.off! < a.off! ? b : a), null);
  if (!best) return [];
  return clean
    .filter(({ off, sd }) => off! - best.off! <= Math.hypot(sd, best.sd))
    .map(({ record }) => record.repetition);
}

/** How far a repetition is from what was wanted of it, and the uncertainty of that. */
function distance(record: Known, target: Target | null): { off: number | null; sd: number } {
  const asked = target?.eccentric_s ?? null;
  if (asked !== null) {
    const field = record.eccentric_movement_s === null ? "eccentric_s" : "eccentric_movement_s";
    const done = record[field];
    return { off: done === null ? null : Math.abs(done - asked), sd: record.sd[field] ?? 0 };
  }
  const range = record.pelvic_tilt_range_deg;
  return { off: range === null ? null : -range, sd: record.sd["pelvic_tilt_range_deg"] ?? 0 };
}
