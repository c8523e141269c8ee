import { expect, test } from "vitest";
import { figureOf } from "../src/figure";

const pose = (tiltDeg: number, left: number | null, right: number | null) => ({
  tiltDeg,
  obliquityDeg: 0,
  thighLeftDeg: left,
  thighRightDeg: right,
  hipDeg: null,
});

test("standing is upright over the foot", () => {
  const figure = figureOf(pose(0, 0, 0), "both", "standing");
  expect(figure.hip.x).toBeCloseTo(0, 6);
  expect(figure.shoulder.x).toBeCloseTo(0, 6);
  expect(figure.head.y).toBeGreaterThan(figure.hip.y);
});

test("in a hinge the hips travel back and the head comes forward", () => {
  const figure = figureOf(pose(55, 24, 22), "both", "standing");
  expect(figure.hip.x).toBeLessThan(-12);
  expect(figure.shoulder.x).toBeGreaterThan(15);
  expect(figure.pelvisDeg).toBe(55);
});

test("the free leg of a single-leg deadlift goes back and leaves the floor", () => {
  const figure = figureOf(pose(60, 18, -52), "left", "standing");
  expect(figure.near.foot.x).toBeLessThan(figure.hip.x - 50);
  expect(figure.near.foot.y).toBeGreaterThan(20);
  expect(figure.far.foot.y).toBe(0);
});

test("a thigh without a sensor is drawn as a guess", () => {
  const figure = figureOf(pose(30, 12, null), "both", "standing");
  expect([figure.far.measured, figure.near.measured]).toEqual([true, false]);
});

test("lying down the head is on the floor and a lifted bridge lifts the hips", () => {
  const down = figureOf(pose(-90, 130, 130), "both", "supine");
  const up = figureOf(pose(-118, 108, 108), "both", "supine");
  expect(down.head.x).toBeLessThan(down.hip.x);
  expect(up.hip.y).toBeGreaterThan(down.hip.y + 15);
});
