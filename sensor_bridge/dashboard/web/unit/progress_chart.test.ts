import { expect, test } from "vitest";
import type { MetricProgress } from "../src/archive_types";
import { CHART, chartOf, dateLabel, NARROW } from "../src/progress_chart";
import { changeSentence, quantityName, sidesSentence } from "../src/strings/archive";

const WEEK_MS = 7 * 86_400_000;
const FIRST_MS = Date.UTC(2026, 8, 1, 12);

function metric(medians: number[], changes: Partial<MetricProgress> = {}): MetricProgress {
  const sessions = medians.map((median, week) => ({
    session: `s${week}`,
    started_ms: FIRST_MS + week * WEEK_MS,
    n: 8,
    median,
    sd_of_median: 1,
  }));
  const difference = medians.at(-1)! - medians[0]!;
  return {
    unit: "°",
    digits: 0,
    side: "both",
    sessions,
    minimal_detectable_change: 4,
    how: "1.96 · √2 · 1.4° standard error of measurement",
    change: { since: "s0", until: `s${medians.length - 1}`, difference, is_change: Math.abs(difference) > 4 },
    ...changes,
  };
}

test("sessions lie where their days do, higher values higher", () => {
  const { points, line } = chartOf(metric([80, 82, 84, 90]));
  const gaps = points.slice(1).map((point, index) => point.x - points[index]!.x);
  expect(Math.max(...gaps) - Math.min(...gaps)).toBeLessThan(0.3);
  expect(points.map((point) => point.y)).toEqual([...points.map((point) => point.y)].sort((a, b) => b - a));
  expect(line).toMatch(/^M[\d.]+ [\d.]+(L[\d.]+ [\d.]+){3}$/);
});

test("the band is what lies within the minimal detectable change of the first session", () => {
  const chart = chartOf(metric([80, 83.9, 84.1, 75]));
  const perDegree = (chart.points[0]!.y - chart.points[1]!.y) / 3.9;
  expect(chart.band!.bottom - chart.band!.top).toBeCloseTo(8 * perDegree, 0);
  expect(chart.points.map((point) => point.isChange)).toEqual([false, false, true, true]);
  expect(chart.band!.bottom).toBeLessThanOrEqual(CHART.height - CHART.bottom);
});

test("without a minimal detectable change there is no band and no point is a change", () => {
  const few = chartOf(metric([80, 95], { minimal_detectable_change: null, change: null }));
  expect(few.band).toBeNull();
  expect(few.points.some((point) => point.isChange)).toBe(false);
});

test("one session alone stands in the middle, and a doubt that is not known is not drawn", () => {
  const [session] = metric([80]).sessions;
  const alone = chartOf(
    metric([80], { sessions: [{ ...session!, sd_of_median: null }], minimal_detectable_change: null, change: null }),
  );
  expect(alone.points[0]!.x).toBeCloseTo((CHART.left + CHART.width - CHART.right) / 2, 0);
  expect(alone.points[0]!.low).toBeNull();
  expect(alone.yTicks.length).toBeGreaterThan(1);
});

test("ticks are round numbers", () => {
  expect(chartOf(metric([80, 82, 84, 90])).yTicks.map((tick) => tick.label)).toEqual(["75", "80", "85", "90", "95"]);
  const shares = metric([0.71, 0.72, 0.7, 0.73], { digits: 2, minimal_detectable_change: 0.03, unit: "" });
  const sessions = shares.sessions.map((session) => ({ ...session, sd_of_median: 0.01 }));
  expect(chartOf({ ...shares, sessions }).yTicks.every((tick) => /^0\.\d{1,3}$/.test(tick.label))).toBe(true);
});

test("dates never overlap, and the newest is always there", () => {
  const { xTicks } = chartOf(metric(Array.from({ length: 40 }, (_, week) => 80 + (week % 3))));
  const gaps = xTicks.slice(1).map((tick, index) => tick.at - xTicks[index]!.at);
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(60);
  expect(xTicks.at(-1)!.label).toBe(dateLabel(FIRST_MS + 39 * WEEK_MS, false));
});

test("a change is called one only beyond what repeats differ by", () => {
  expect(changeSentence(metric([80, 81, 82, 83]), "1 September")).toBe("No change beyond what repeats differ by (±4°).");
  expect(changeSentence(metric([80, 81, 82, 89]), "1 September")).toBe(
    "+9° since 1 September: more than repeats differ by (±4°).",
  );
  expect(changeSentence(metric([80, 79, 78, 71], { unit: "s", digits: 1 }), "1 September")).toBe(
    "−9.0 s since 1 September: more than repeats differ by (±4.0 s).",
  );
  const few = metric([80], { minimal_detectable_change: null, change: null, how: "a change can be told from 4 sessions on" });
  expect(changeSentence(few, "")).toBe("A change can be told from 4 sessions on.");
});

test("sides differ only beyond their doubt", () => {
  const value = { n: 8, median: 80, sd_of_median: 1 };
  const sides = { session: "s", started_ms: 0, left: value, right: value, sd: 1, symmetry_percent: null };
  expect(sidesSentence({ ...sides, difference: -2, detectable: 3, is_difference: false }, 0, "°")).toBe(
    "no difference that can be told (it takes 3°)",
  );
  expect(sidesSentence({ ...sides, difference: -6, detectable: 3, is_difference: true }, 0, "°")).toBe(
    "right more by 6° (it takes 3°)",
  );
  expect(sidesSentence({ ...sides, difference: 6, detectable: null, is_difference: false }, 0, "°")).toBe(
    "too few repetitions to compare",
  );
});

test("a quantity of one working side names it once", () => {
  expect(quantityName("eccentric_s.left")).toBe("Lowering, left");
  expect(quantityName("hip_flexion_left_range_deg.left")).toBe("Hip range, left");
  expect(quantityName("something_new")).toBe("something new");
});

test("what cannot be negative is not drawn below zero", () => {
  const level = metric([1, 0.8, 1.2, 0.9]);
  expect(chartOf(level, true).yTicks[0]!.label).toMatch(/^−/);
  const clipped = chartOf(level, false);
  expect(clipped.yTicks[0]!.label).toBe("0");
  expect(clipped.band!.bottom).toBe(CHART.height - CHART.bottom);
});

test("on a phone it is narrower, not smaller", () => {
  const chart = chartOf(metric([80, 82, 84, 90]), true, NARROW);
  expect(Math.max(...chart.points.map((point) => point.x))).toBeLessThan(NARROW);
  expect(chart.xTicks.length).toBeGreaterThan(1);
});
