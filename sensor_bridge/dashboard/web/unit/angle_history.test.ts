import { expect, test } from "vitest";
import { AngleHistory } from "../src/angle_history";
import { live } from "./records";

test("samples are spread back from the time of the last one", () => {
  const history = new AngleHistory();
  history.append(live({ t_ms: 1_000, pelvic_tilt_deg: [10, 20, 30] }), "both");
  expect(history.poseAt(960)?.tiltDeg).toBe(10);
  expect(history.poseAt(990)?.tiltDeg).toBeCloseTo(25, 9);
  expect(history.poseAt(1_400)?.tiltDeg).toBe(30);
  expect(history.poseAt(900)).toBeNull();
});

test("a hole in the data breaks the line and is not bridged", () => {
  const history = new AngleHistory();
  history.append(live({ t_ms: 1_000, pelvic_tilt_deg: [10] }), "both");
  history.append(live({ t_ms: 3_000, pelvic_tilt_deg: [50] }), "both");
  expect(history.poseAt(2_000)?.tiltDeg).toBe(10);
  expect(history.trace(3_000, 20, 1)[2]).toEqual([10, null, 50]);
});

test("the hip angle is the working side's, for both the mean", () => {
  const sides = (["both", "left", "right"] as const).map((side) => {
    const history = new AngleHistory();
    history.append(live({ hip_flexion_left_deg: [80], hip_flexion_right_deg: [60] }), side);
    return history.poseAt(10_000)?.hipDeg;
  });
  expect(sides).toEqual([70, 80, 60]);
});

test("what is not measured stays unknown", () => {
  const history = new AngleHistory();
  history.append(live({ pelvic_tilt_deg: [5, null] }), "both");
  expect(history.poseAt(10_000)).toMatchObject({
    tiltDeg: null,
    obliquityDeg: null,
    thighLeftDeg: null,
    thighRightDeg: null,
    hipDeg: null,
  });
});

test("a recording that starts over begins a new history", () => {
  const history = new AngleHistory();
  history.append(live({ t_ms: 90_000, pelvic_tilt_deg: [40] }), "both");
  history.append(live({ t_ms: 10_000, pelvic_tilt_deg: [5] }), "both");
  expect(history.newestMs).toBe(10_000);
});

test("it keeps half a minute at most", () => {
  const history = new AngleHistory();
  for (let second = 0; second < 120; second += 1) {
    history.append(live({ t_ms: second * 1_000, pelvic_tilt_deg: Array<number>(50).fill(second) }), "both");
  }
  expect(history.poseAt(80_000)).toBeNull();
  expect(history.poseAt(100_000)?.tiltDeg).toBeGreaterThan(99);
});
