import { describe, expect, test } from "vitest";
import { bestRepetition, formBreak, readingOf, realDifference, sidesApart, sidesOf, trends } from "../src/set_review";
import { brief, repetition, state } from "./records";

const target = state().target;
const rep = (number: number, changes: Parameters<typeof repetition>[0] = {}) => repetition({ repetition: number, ...changes });
const opened = (value: number, sd: number) =>
  ({ code: "hip_open", value, threshold: 10, sd, kind: "measured", phase: null, repetition: null, direction: null }) as const;

describe("form broke at", () => {
  test("the first repetition with a fault of form, with what it was", () => {
    const set = [rep(1), rep(2), rep(3, { faults: [opened(14, 1)] }), rep(4, { lockout_deficit_deg: 9 })];
    expect(formBreak(set, target)).toEqual({ repetition: 3, findings: [{ code: "hip_open", mark: "watch", value: 14 }] });
    expect(formBreak([...set].reverse(), target)?.repetition).toBe(3);
  });

  test("is not said within its own error", () => {
    expect(formBreak([rep(1), rep(2, { faults: [opened(11, 1.5)] })], target)).toBeNull();
    expect(formBreak([rep(1), rep(2, { faults: [opened(11.6, 1.5)] })], target)?.repetition).toBe(2);
    expect(formBreak([rep(1, { lockout_deficit_deg: 6, sd: { lockout_deficit_deg: 2 } })], target)).toBeNull();
  });

  test("is not said of tempo or depth, nor of a repetition nobody is sure of", () => {
    expect(formBreak([rep(1, { eccentric_movement_s: 2 })], target)).toBeNull();
    expect(formBreak([rep(1, { status: "unconfirmed", faults: [opened(30, 1)] })], target)).toBeNull();
    expect(formBreak([], target)).toBeNull();
  });

  test("is told of the retained lines too", () => {
    expect(formBreak([brief(1), brief(2, { faults: ["pelvic_drop"] })], target)?.repetition).toBe(2);
  });
});

describe("the best repetition", () => {
  test("is the one nearest to what was asked, among those with the best mark", () => {
    const set = [
      rep(1, { eccentric_movement_s: 4.6 }),
      rep(2, { eccentric_movement_s: 5.0 }),
      rep(3, { eccentric_movement_s: 5.0, faults: [opened(30, 1)], lockout_deficit_deg: 0 }),
    ];
    expect(bestRepetition(set, target, "both")).toBe(2);
  });

  test("needs another one beside it", () => {
    expect(bestRepetition([rep(1)], target, "both")).toBeNull();
    expect(bestRepetition([rep(1), rep(2, { status: "unconfirmed" })], target, "both")).toBeNull();
  });
});

describe("a reading", () => {
  test("of depth is the working hip's, of both their mean, without thighs the pelvis'", () => {
    const both = rep(1, {
      hip_flexion_right_range_deg: 86,
      sd: { hip_flexion_left_range_deg: 3, hip_flexion_right_range_deg: 4 },
    });
    expect(readingOf(both, "depth", "both")).toEqual({ value: 84, sd: 2.5 });
    expect(readingOf(both, "depth", "right")).toEqual({ value: 86, sd: 4 });
    expect(readingOf(rep(1), "depth", "right")).toEqual({ value: 82, sd: null });
    const pelvisOnly = rep(1, { hip_flexion_left_range_deg: null });
    expect(readingOf(pelvisOnly, "depth", "both")).toEqual({ value: 58, sd: null });
    expect(readingOf(rep(1, { lockout_deficit_deg: null }), "lockout", "both")).toBeNull();
  });

  test("differs from another only beyond what both are uncertain", () => {
    const at = (value: number, sd: number | null) => ({ value, sd });
    expect(realDifference(at(60, 1), at(55, 1))).toBe(5);
    expect(realDifference(at(60, 2), at(55, 2))).toBeNull();
    expect(realDifference(at(60, null), at(5, 1))).toBeNull();
    expect(realDifference(null, at(5, 1))).toBeNull();
  });
});

describe("trends", () => {
  const lowering = (...seconds: number[]) => seconds.map((eccentric_movement_s, i) => rep(i + 1, { eccentric_movement_s, sd: { eccentric_movement_s: 0.05 } }));

  test("a lowering that gets shorter is found, with its pace", () => {
    const [trend, ...others] = trends(lowering(5.2, 5.0, 4.8, 4.6, 4.4), "both");
    expect(others).toEqual([]);
    expect(trend).toMatchObject({ aspect: "eccentric" });
    expect(trend!.slope).toBeCloseTo(-0.2, 6);
    expect([trend!.from, trend!.to]).toEqual([expect.closeTo(5.2, 6), expect.closeTo(4.4, 6)]);
  });

  test("scatter and uncertainty are no trend, nor are three repetitions", () => {
    expect(trends(lowering(5.0, 5.3, 4.8, 5.2, 4.9), "both")).toEqual([]);
    expect(trends(lowering(5.2, 4.8, 4.4), "both")).toEqual([]);
    const unsure = lowering(5.2, 5.1, 5.0, 4.9).map((r) => ({ ...r, sd: { eccentric_movement_s: 0.4 } }));
    expect(trends(unsure, "both")).toEqual([]);
  });
});

describe("sides", () => {
  const hips = (left: number, right: number, sd: number) => ({
    hip_flexion_left_range_deg: left,
    hip_flexion_right_range_deg: right,
    sd: { hip_flexion_left_range_deg: sd, hip_flexion_right_range_deg: sd },
  });

  test("in one set are compared where both thighs were measured", () => {
    expect(sidesOf([rep(1)])).toBeNull();
    const real = sidesOf([rep(1, hips(90, 80, 1)), rep(2, hips(91, 81, 1))]);
    expect(real).toMatchObject({ differenceDeg: 10, isReal: true, otherSet: null });
    expect(real!.detectableDeg).toBeCloseTo(1.96 * Math.SQRT2, 6);
    expect(sidesOf([rep(1, hips(84, 80, 2))])).toMatchObject({ differenceDeg: 4, isReal: false });
  });

  test("in two sets are told left minus right, whichever was first", () => {
    const left = [rep(1, hips(90, 0, 1))];
    const right = [rep(1, hips(0, 80, 1))];
    expect(sidesApart({ side: "left", set: left }, { number: 2, set: right })).toMatchObject({ differenceDeg: 10, otherSet: 2 });
    expect(sidesApart({ side: "right", set: right }, { number: 1, set: left })).toMatchObject({ differenceDeg: 10 });
    expect(sidesApart({ side: "both", set: left }, { number: 2, set: right })).toBeNull();
    expect(sidesApart({ side: "left", set: left }, { number: 2, set: [] })).toBeNull();
  });
});
