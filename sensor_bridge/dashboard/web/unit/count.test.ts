import { expect, test } from "vitest";
import { countAt, pipWidths } from "../src/count";

test("the number called is the second that is running", () => {
  const called = [0, 999, 1000, 2500, 4999].map((ms) => countAt(10_000, 10_000 + ms, 5).called);
  expect(called).toEqual([1, 1, 2, 3, 5]);
});

test("pips fill one after the other", () => {
  const { fills, overS } = countAt(0, 2_250, 5);
  expect(fills).toEqual([1, 1, 0.25, 0, 0]);
  expect(overS).toBe(0);
});

test("past the target the count stays and the excess is told", () => {
  const count = countAt(0, 5_750, 5);
  expect(count.called).toBe(5);
  expect(count.fills).toEqual([1, 1, 1, 1, 1]);
  expect(count.overS).toBeCloseTo(0.75, 9);
});

test("a target of two and a half seconds has a half pip at the end", () => {
  expect(pipWidths(2.5)).toEqual([1, 1, 0.5]);
  expect(countAt(0, 2_250, 2.5).fills).toEqual([1, 1, 0.5]);
  expect(countAt(0, 2_600, 2.5).called).toBe(3);
});

test("without a target it simply counts on", () => {
  const count = countAt(0, 7_500, null);
  expect(count.called).toBe(8);
  expect(count.overS).toBe(0);
  expect(count.widthsS).toHaveLength(8);
});

test("a start that lies a little ahead of the page's clock counts from one", () => {
  expect(countAt(10_050, 10_000, 5)).toMatchObject({ called: 1, elapsedS: 0, fills: [0, 0, 0, 0, 0] });
});
