// The geometry of a quantity over sessions: points with their doubt, and the band that holds no change.

import type { MetricProgress } from "./archive_types";
import { decimal } from "./format";

export const CHART = { width: 640, height: 220, left: 52, right: 14, top: 14, bottom: 30 } as const;
/** Width of the chart on a phone: letters stay as large there. */
export const NARROW = 340;

export interface Point {
  x: number;
  y: number;
  /** Ends of the bar of one sigma; null where it is not known. */
  low: number | null;
  high: number | null;
  isChange: boolean;
}

export interface Chart {
  width: number;
  points: Point[];
  line: string;
  /** Top and bottom of what is no change from the first session; null where that cannot be said. */
  band: { top: number; bottom: number } | null;
  yTicks: { at: number; label: string }[];
  xTicks: { at: number; label: string }[];
}

const STEPS = [1, 2, 5, 10];
const MOST_TICKS = 5;
const LEAST_LABEL_WIDTH = 62;
const DAY_MS = 86_400_000;

export function chartOf(metric: MetricProgress, isSigned = true, width: number = CHART.width): Chart {
  const { sessions, minimal_detectable_change: detectable } = metric;
  const first = firstOf(metric);
  const edges = sessions.flatMap(({ median, sd_of_median: sd }) => [median - (sd ?? 0), median + (sd ?? 0)]);
  if (first !== null && detectable !== null) edges.push(first - detectable, first + detectable);
  const step = stepFor(Math.max(...edges) - Math.min(...edges), metric.digits);
  const lowest = isSigned ? Math.min(...edges) : Math.max(0, Math.min(...edges));
  const low = Math.floor(lowest / step) * step;
  const high = Math.max(Math.ceil(Math.max(...edges) / step) * step, low + step);
  const y = (value: number) => round(CHART.height - CHART.bottom - ((Math.max(value, low) - low) / (high - low)) * plotHeight());
  const times = sessions.map((session) => session.started_ms);
  const x = placesOf(times, width);
  const points = sessions.map(({ median, sd_of_median: sd }, index) => ({
    x: x[index]!,
    y: y(median),
    low: sd === null ? null : y(median - sd),
    high: sd === null ? null : y(median + sd),
    isChange: first !== null && detectable !== null && Math.abs(median - first) > detectable,
  }));
  return {
    width,
    points,
    line: points.map((point, index) => `${index === 0 ? "M" : "L"}${point.x} ${point.y}`).join(""),
    band: first === null || detectable === null ? null : { top: y(first + detectable), bottom: y(first - detectable) },
    yTicks: ticks(low, high, step).map((value) => ({ at: y(value), label: decimal(value, digitsOf(step)) })),
    xTicks: datesThatFit(times, x),
  };
}

/** Median of the session that changes are counted from; null where none can be. */
function firstOf({ change, sessions }: MetricProgress): number | null {
  return sessions.find((session) => session.session === change?.since)?.median ?? null;
}

function plotHeight(): number {
  return CHART.height - CHART.top - CHART.bottom;
}

/** Sessions lie where their days do; one alone in the middle. */
function placesOf(times: readonly number[], width: number): number[] {
  const inset = 16;
  const from = CHART.left + inset;
  const to = width - CHART.right - inset;
  const begin = Math.min(...times);
  const span = Math.max(...times) - begin;
  return times.map((time) => round(span === 0 ? (from + to) / 2 : from + ((time - begin) / span) * (to - from)));
}

function stepFor(span: number, digits: number): number {
  const least = 10 ** -digits;
  const rough = Math.max(span / MOST_TICKS, least);
  const power = 10 ** Math.floor(Math.log10(rough));
  return (STEPS.find((step) => step * power >= rough * 0.999) ?? 10) * power;
}

function digitsOf(step: number): number {
  for (const digits of [0, 1, 2]) if (Math.abs(step * 10 ** digits - Math.round(step * 10 ** digits)) < 1e-9) return digits;
  return 3;
}

function ticks(low: number, high: number, step: number): number[] {
  return Array.from({ length: Math.round((high - low) / step) + 1 }, (_, index) => low + index * step);
}

/** The newest date always, older ones where there is room. */
function datesThatFit(times: readonly number[], places: readonly number[]): { at: number; label: string }[] {
  const shown: { at: number; label: string }[] = [];
  const span = Math.max(...times) - Math.min(...times);
  for (let index = times.length - 1; index >= 0; index -= 1) {
    const at = places[index]!;
    if (shown.length === 0 || shown[0]!.at - at >= LEAST_LABEL_WIDTH) {
      shown.unshift({ at, label: dateLabel(times[index]!, span > 300 * DAY_MS) });
    }
  }
  return shown;
}

export function dateLabel(timeMs: number, withYear: boolean): string {
  const options: Intl.DateTimeFormatOptions = { day: "numeric", month: "short", ...(withYear && { year: "2-digit" }) };
  return new Date(timeMs).toLocaleDateString("en-GB", options);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
