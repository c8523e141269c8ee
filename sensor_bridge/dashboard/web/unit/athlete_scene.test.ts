import { expect, test } from "vitest";
import { isBetween, lastDone, lineOn, repetitionNow, restSinceMs, sceneOf, summaryInView } from "../src/athlete_scene";
import { Athlete } from "../src/gym";
import type { Live } from "../src/payloads";
import { live, repetition, setSummary, state } from "./records";

function athlete(phase: Live["phase"], changes: Partial<Live> = {}): Athlete {
  const found = new Athlete("a1");
  found.enter("s1", 0);
  found.applyState(state({ phase: "standing" }), 0);
  found.applyLive(live({ phase, ...changes }), 10_000);
  return found;
}

test("each moment has its scene", () => {
  expect(sceneOf(athlete("calibrating", { set: 0 }))).toBe("calibrating");
  expect(sceneOf(athlete("standing"))).toBe("ready");
  expect(sceneOf(athlete("eccentric"))).toBe("working");
  const resting = athlete("rest", { set: 2 });
  resting.applyRepetition("r1", repetition(), 9_000);
  expect(sceneOf(resting)).toBe("resting");
  const again = athlete("eccentric", { set: 2 });
  again.applyRepetition("r1", repetition(), 9_000);
  expect(sceneOf(again)).toBe("working");
});

test("the repetition under way counts from its first movement, standing and lying", () => {
  expect(repetitionNow(athlete("eccentric", { repetition: 2 }))).toBe(3);
  expect(repetitionNow(athlete("concentric", { repetition: 2 }))).toBe(3);
  expect(repetitionNow(athlete("top", { repetition: 3 }))).toBe(3);
  expect(repetitionNow(athlete("concentric", { repetition: 2, posture: "supine" }))).toBe(3);
  expect(repetitionNow(athlete("top", { repetition: 2, posture: "supine" }))).toBe(3);
  expect(repetitionNow(athlete("bottom", { repetition: 3, posture: "supine" }))).toBe(3);
});

test("standing one is between repetitions at the top, lying on the floor", () => {
  expect(isBetween(athlete("top"))).toBe(true);
  expect(isBetween(athlete("bottom"))).toBe(false);
  expect(isBetween(athlete("top", { posture: "supine" }))).toBe(false);
  expect(isBetween(athlete("bottom", { posture: "supine" }))).toBe(true);
  expect(isBetween(athlete("standing"))).toBe(false);
});

test("what was done is shown with its own mark once it is judged", () => {
  const found = athlete("top", { repetition: 1 });
  expect(lastDone(found)).toBeNull();
  found.applyRepetition("r1", repetition({ lockout_deficit_deg: 7 }), 9_000);
  expect(lastDone(found)).toEqual({ repetition: 1, mark: "watch" });
  found.applyLive(live({ phase: "top", repetition: 2, t_ms: 11_000 }), 11_000);
  expect(lastDone(found)).toBeNull();
});

test("the line is of this set, not of the one before", () => {
  const found = athlete("eccentric");
  expect(lineOn(found, []).sentence).toBe("");
  found.applyRepetition("r1", repetition(), 9_000);
  expect(lineOn(found, []).sentence).toContain("Repetition 1: 5.0 s down");
  found.applyLive(live({ phase: "eccentric", set: 2, t_ms: 40_000 }), 40_000);
  expect(lineOn(found, [])).toMatchObject({ mark: null, sentence: "" });
});

test("what spoils the numbers of the last repetition is said with it", () => {
  const found = athlete("top", { repetition: 1 });
  found.applyRepetition("r1", repetition({ warnings: ["0.40 s of data are missing in this repetition"] }), 9_000);
  expect(lineOn(found, []).trouble).toBe("Repetition 1: 0.40 s of data are missing in this repetition.");
});

test("rest is counted from the end of the last repetition, by the summary where that was not timed", () => {
  const found = athlete("rest", { set: 2 });
  expect(restSinceMs(found)).toBeNull();
  found.applyRepetition("r1", repetition({ concentric_end_ms: null, eccentric_end_ms: null }), 9_000);
  found.applySet("s1", setSummary({ end_ms: 7_900 }), 16_000);
  expect(summaryInView(found)?.set).toBe(1);
  expect(restSinceMs(found)).toBe(7_900);
  found.applyRepetition("r1", repetition({ revision: 1 }), 9_000);
  expect(restSinceMs(found)).toBe(7_400);
});
