import { expect, test } from "vitest";
import type { KnownRepetition } from "../src/gym";
import type { FoundFault, Repetition, RepetitionBrief, SetSummary } from "../src/payloads";
import { reportOn, type RowName, type SetReport } from "../src/set_summary";
import { brief, repetition, setSummary, state } from "./records";

const TARGET = state().target;

function known(record: Repetition | RepetitionBrief): KnownRepetition {
  const detail = "athlete" in record ? record : null;
  const { repetition: number, revision } = record;
  return { set: 1, repetition: number, revision, timeMs: 0, record, detail, id: null };
}

function report(records: (Repetition | RepetitionBrief)[], summary: SetSummary | null = null, target = TARGET): SetReport {
  const found = reportOn(records.map(known), summary, target);
  if (!found) throw new Error("no report");
  return found;
}

function rowOf(found: SetReport, name: RowName) {
  return found.rows.find((row) => row.name === name)!;
}

function fault(code: string, value: number, threshold: number): FoundFault {
  return { code, value, threshold, sd: 0.5, kind: "measured", phase: null, repetition: null, direction: null };
}

test("before the first repetition there is nothing to say", () => {
  expect(reportOn([], setSummary(), TARGET)).toBeNull();
});

test("the lowering is held against the tempo by the whole movement", () => {
  const sd = { eccentric_movement_s: 0.06 };
  const row = rowOf(
    report([repetition({ eccentric_movement_s: 5.2, sd }), repetition({ repetition: 2, eccentric_movement_s: 4.8, sd })]),
    "lowering",
  );
  expect(row).toMatchObject({ asked: 5, reason: null });
  expect(row.value).toBeCloseTo(5, 9);
  expect(row.sd).toBeCloseTo(0.06 / Math.SQRT2, 9);
});

test("with nothing asked the bridge's mean of the lowering stands", () => {
  const row = rowOf(report([repetition()], setSummary({ mean_eccentric_s: 4.7, sd: { mean_eccentric_s: 0.03 } }), null), "lowering");
  expect(row).toMatchObject({ value: 4.7, sd: 0.03, asked: null });
});

test("depth is the bend of the working hip, or its reason", () => {
  const right = { side: "right", hip_flexion_left_range_deg: 20, hip_flexion_right_range_deg: 90 } as const;
  expect(rowOf(report([repetition(right)]), "depth").value).toBe(90);
  expect(rowOf(report([repetition({ hip_flexion_left_range_deg: null, hip_flexion_right_range_deg: 75 })]), "depth").value).toBe(75);
  const both = repetition({ hip_flexion_left_range_deg: 80, hip_flexion_right_range_deg: 90 });
  expect(rowOf(report([both]), "depth").value).toBe(85);
  const none = repetition({
    hip_flexion_left_range_deg: null,
    reasons: { hip_flexion_left_range_deg: "no sensor on either thigh" },
  });
  expect(rowOf(report([none]), "depth")).toMatchObject({ value: null, reason: "no sensor on either thigh" });
});

test("level and lock-out are the worst, and say where", () => {
  const found = report([
    repetition({ pelvic_obliquity_peak_deg: 2, lockout_deficit_deg: 1 }),
    repetition({ repetition: 2, pelvic_obliquity_peak_deg: -4, lockout_deficit_deg: 3 }),
    repetition({ repetition: 3, pelvic_obliquity_peak_deg: null, lockout_deficit_deg: -2 }),
  ]);
  expect(rowOf(found, "level")).toMatchObject({ value: -4, repetition: 2 });
  expect(rowOf(found, "lockout")).toMatchObject({ value: 3, repetition: 2 });
});

test("time under tension is not summed where a part of it is missing", () => {
  expect(rowOf(report([repetition(), repetition({ repetition: 2 })]), "tension").value).toBeCloseTo(12.8, 9);
  const holed = repetition({ repetition: 2, tut_s: null, reasons: { tut_s: "samples are missing" } });
  expect(rowOf(report([repetition(), holed]), "tension")).toMatchObject({ value: null, reason: "samples are missing" });
  expect(rowOf(report([repetition()], setSummary({ tut_s: 51.6 })), "tension").value).toBe(51.6);
});

test("velocity loss is told where it was measured, else its reason", () => {
  expect(rowOf(report([repetition()], setSummary({ velocity_loss_percent: 12 })), "velocityLoss").value).toBe(12);
  const reasons = { velocity_loss_percent: "a single repetition" };
  const alone = rowOf(report([repetition()], setSummary({ velocity_loss_percent: null, reasons })), "velocityLoss");
  expect(alone).toMatchObject({ value: null, reason: "a single repetition" });
  expect(rowOf(report([brief(1)]), "velocityLoss")).toMatchObject({ value: null, reason: null });
});

test("faults are listed by repetition, the worst of each", () => {
  const found = report([
    repetition(),
    repetition({ repetition: 2, faults: [fault("incomplete_lockout", 7, 5), fault("hip_open", 13, 5)] }),
    repetition({ repetition: 3, eccentric_movement_s: 4.2, eccentric_s: 4.0 }),
  ]);
  expect(found.faults.map(({ repetition: number, finding, more }) => [number, finding.code, more])).toEqual([
    [2, "hip_open", 1],
    [3, "fast_eccentric", 0],
  ]);
  expect(found.mark).toBe("bad");
  expect(report([repetition()]).mark).toBe("good");
});

test("the best is the one that the coach is shown too", () => {
  const lowered = (number: number, seconds: number) => repetition({ repetition: number, eccentric_movement_s: seconds });
  expect(report([lowered(1, 5.4), lowered(2, 5.0), lowered(3, 4.7)]).best).toBe(2);
  expect(report([lowered(1, 5.0)]).best).toBeNull();
});

test("a summary of another set, or one taken back, is not believed", () => {
  expect(report([repetition()], setSummary({ set: 2, repetitions: 8 })).repetitions).toBe(1);
  expect(report([repetition()], setSummary({ repetitions: 8, withdrawn: true })).repetitions).toBe(1);
  expect(report([repetition()], setSummary({ repetitions: 8 })).repetitions).toBe(8);
});
