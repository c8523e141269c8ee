import { expect, test } from "vitest";
import { askedFor, PhaseStart } from "../src/phase_start";
import { live, state } from "./records";

test("a lowering began when the bridge says, even where it corrects itself", () => {
  const starts = new PhaseStart();
  expect(starts.startMs).toBeNull();
  starts.take(live({ t_ms: 10_400, phase: "eccentric", eccentric_start_ms: 10_050 }));
  expect(starts.startMs).toBe(10_050);
  starts.take(live({ t_ms: 10_500, phase: "eccentric", eccentric_start_ms: 10_020 }));
  expect(starts.startMs).toBe(10_020);
});

test("another phase began between two messages", () => {
  const starts = new PhaseStart();
  starts.take(live({ t_ms: 15_000, phase: "eccentric", eccentric_start_ms: 10_000 }));
  starts.take(live({ t_ms: 15_100, phase: "bottom" }));
  expect(starts.startMs).toBe(15_050);
  starts.take(live({ t_ms: 15_200, phase: "bottom" }));
  expect(starts.startMs).toBe(15_050);
});

test("after a hole, or another clock, it is taken to begin with the message", () => {
  const starts = new PhaseStart();
  starts.take(live({ t_ms: 15_000, phase: "bottom" }));
  starts.take(live({ t_ms: 19_000, phase: "top" }));
  expect(starts.startMs).toBe(19_000);
  starts.take(live({ t_ms: 2_000, phase: "bottom" }));
  expect(starts.startMs).toBe(2_000);
});

test("what is asked of a phase; no pause and as fast as possible are nothing to count", () => {
  const { target } = state();
  expect(askedFor("eccentric", target)).toBe(5);
  expect(askedFor("bottom", target)).toBeNull();
  expect(askedFor("concentric", target)).toBeNull();
  expect(askedFor("bottom", { ...target!, bottom_s: 2 })).toBe(2);
  expect(askedFor("concentric", { ...target!, concentric_s: 1.5 })).toBe(1.5);
  expect(askedFor("top", { ...target!, top_s: 1 })).toBe(1);
  expect(askedFor("standing", target)).toBeNull();
  expect(askedFor("eccentric", null)).toBeNull();
});
