import { expect, test } from "vitest";
import type { ArchivedRepetition } from "../src/archive_types";
import { rowsOf, targetOf } from "../src/repetition_row";
import { repetition, setSummary, state } from "./records";

function archived(changes: Partial<ArchivedRepetition> = {}): ArchivedRepetition {
  return { ...repetition(), id: "01a1fd63-abcb-7ab0-9d27-907e105af7d8", ...changes };
}

test("tempo bars of a set are on one scale, in the order of the movement", () => {
  const slow = archived({ eccentric_s: 5, bottom_pause_s: 1, concentric_s: 2 });
  const fast = archived({ eccentric_s: 2, bottom_pause_s: 0.5, concentric_s: 1.5, repetition: 2 });
  const [first, second] = rowsOf([slow, fast], null);
  expect(first!.tempo.map((part) => [part.name, part.share])).toEqual([
    ["lowering", 0.625],
    ["hold", 0.125],
    ["rise", 0.25],
  ]);
  expect(second!.tempo.reduce((sum, part) => sum + part.share, 0)).toBeCloseTo(0.5);
  const [bridge] = rowsOf([archived({ exercise: "glute_bridge" })], null);
  expect(bridge!.tempo.map((part) => [part.name, part.seconds])).toEqual([
    ["rise", 1.1],
    ["hold", 1.5],
    ["lowering", 5],
  ]);
});

test("what could not be timed is left out of the bar", () => {
  const [row] = rowsOf([archived({ eccentric_s: null, bottom_pause_s: null, concentric_s: null })], null);
  expect(row!.tempo).toEqual([]);
});

test("figures have sign, unit and doubt, and say why where there is none", () => {
  const [row] = rowsOf([
    archived({ pelvic_obliquity_peak_deg: -2.34, lockout_deficit_deg: 0.04, sd: { pelvic_obliquity_peak_deg: 0.81 } }),
  ], null);
  expect(row!.level).toMatchObject({ text: "−2.3°", sd: "±0.8" });
  expect(row!.lockout).toMatchObject({ text: "0.0°", sd: "" });
  expect(row!.depths.map((figure) => figure.text)).toEqual(["82°", "–"]);
  expect(row!.depths[1]!.reason).toBe("no sensor on the right thigh");
});

test("depth is that of the working leg, or the pelvis where no thigh is worn", () => {
  const [left] = rowsOf([archived({ side: "left", hip_flexion_right_range_deg: 12 })], null);
  expect(left!.depths.map((figure) => figure.text)).toEqual(["82°"]);
  const [alone] = rowsOf([archived({ hip_flexion_left_range_deg: null, kind: { pelvic_tilt_range_deg: "proxy" } })], null);
  expect(alone!.depths).toMatchObject([{ text: "58°", isProxy: true }]);
});

test("faults and what was missed are said once, in sentences", () => {
  const part = { part: "eccentric", asked: 5, done: 4.1, sd: 0.05, keeping: "short" as const };
  const [row] = rowsOf([archived({ eccentric_movement_s: 4.1, adherence: [part], lockout_deficit_deg: 8 })], null);
  expect(row!.mark).toBe("watch");
  expect(row!.words).toEqual(["Stopped 8° short of standing. Finish tall.", "Whole lowering 4.1 s instead of 5 s."]);
  const [good] = rowsOf([archived()], null);
  expect(good).toMatchObject({ mark: "good", words: [] });
  const [unclear] = rowsOf([archived({ status: "unconfirmed" })], null);
  expect(unclear).toMatchObject({ mark: "watch", words: ["Counted, but not a clear one."] });
});

test("a set is held to what was asked when it began", () => {
  const asked = { ...state().target!, athlete: "a1", exercise: "romanian_deadlift", side: "both" as const };
  const set = { ...setSummary({ start_ms: 5_000 }), id: "01a1fd63-abcb-7ab0-9d27-907e105af7d8" };
  const known = [
    { since_ms: 1_000, asked },
    { since_ms: 9_000, asked: null },
  ];
  expect(targetOf(set, known)).toBe(asked);
  expect(targetOf({ ...set, start_ms: 9_500 }, known)).toBeNull();
  expect(targetOf({ ...set, start_ms: 500 }, known)).toBeNull();
});
