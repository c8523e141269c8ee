// The last half minute of angles of one athlete, for the figure and the trace.

import type { Live } from "./payloads";

export interface Pose {
  tiltDeg: number | null;
  obliquityDeg: number | null;
  thighLeftDeg: number | null;
  thighRightDeg: number | null;
  hipDeg: number | null;
}

interface Sample extends Pose {
  timeMs: number;
}

const KEPT_MS = 25_000;
const LONGEST_BRIDGED_MS = 300;
const RESTART_MS = 2_000;

export class AngleHistory {
  #samples: Sample[] = [];

  get newestMs(): number | null {
    return this.#samples.at(-1)?.timeMs ?? null;
  }

  append(live: Live, side: "both" | "left" | "right"): void {
    const newest = this.newestMs;
    // A replay or a restarted bridge may begin again at an earlier time.
    if (newest !== null && live.t_ms < newest - RESTART_MS) this.#samples = [];
    const columns = [
      live.pelvic_tilt_deg,
      live.pelvic_obliquity_deg,
      live.thigh_flexion_left_deg,
      live.thigh_flexion_right_deg,
      live.hip_flexion_left_deg,
      live.hip_flexion_right_deg,
    ] as const;
    const length = Math.max(0, ...columns.map((column) => column?.length ?? 0));
    for (let index = 0; index < length; index += 1) {
      const timeMs = live.t_ms - ((length - 1 - index) * 1000) / live.rate_hz;
      if (timeMs <= (this.newestMs ?? -Infinity)) continue;
      const [tiltDeg, obliquityDeg, thighLeftDeg, thighRightDeg, hipLeftDeg, hipRightDeg] = columns.map(
        (column) => column?.[index] ?? null,
      ) as [number | null, number | null, number | null, number | null, number | null, number | null];
      const hipDeg = workingHip(hipLeftDeg, hipRightDeg, side);
      this.#samples.push({ timeMs, tiltDeg, obliquityDeg, thighLeftDeg, thighRightDeg, hipDeg });
    }
    const oldest = (this.newestMs ?? 0) - KEPT_MS;
    if ((this.#samples[0]?.timeMs ?? Infinity) < oldest - 5_000) {
      this.#samples = this.#samples.filter((sample) => sample.timeMs >= oldest);
    }
  }

  clear(): void {
    this.#samples = [];
  }

  /** The pose at `timeMs`, interpolated; the last known one after the end, null before the beginning. */
  poseAt(timeMs: number): Pose | null {
    let later = this.#samples.length;
    while (later > 0 && this.#samples[later - 1]!.timeMs > timeMs) later -= 1;
    const before = this.#samples[later - 1];
    const after = this.#samples[later];
    if (!before) return null;
    if (!after || after.timeMs - before.timeMs > LONGEST_BRIDGED_MS) return before;
    const share = (timeMs - before.timeMs) / (after.timeMs - before.timeMs);
    const mix = (a: number | null, b: number | null) => (a === null || b === null ? a : a + (b - a) * share);
    return {
      tiltDeg: mix(before.tiltDeg, after.tiltDeg),
      obliquityDeg: mix(before.obliquityDeg, after.obliquityDeg),
      thighLeftDeg: mix(before.thighLeftDeg, after.thighLeftDeg),
      thighRightDeg: mix(before.thighRightDeg, after.thighRightDeg),
      hipDeg: mix(before.hipDeg, after.hipDeg),
    };
  }

  /**
   * Columns for the trace: seconds before `endMs`, hip angle, tilt. Every `stride`-th sample; a hole in the
   * data becomes a break in the lines.
   */
  trace(
    endMs: number,
    lengthS: number,
    stride: number,
  ): [x: number[], hip: (number | null)[], tilt: (number | null)[]] {
    const x: number[] = [];
    const hip: (number | null)[] = [];
    const tilt: (number | null)[] = [];
    let previousMs = -Infinity;
    for (let index = 0; index < this.#samples.length; index += 1) {
      const sample = this.#samples[index]!;
      const hole = sample.timeMs - previousMs > LONGEST_BRIDGED_MS && x.length > 0;
      previousMs = sample.timeMs;
      const seconds = (sample.timeMs - endMs) / 1000;
      if (seconds < -lengthS - 0.5 || (!hole && index % stride !== 0)) continue;
      if (seconds > 0) break;
      if (hole) {
        x.push(seconds - 1e-3);
        hip.push(null);
        tilt.push(null);
      }
      x.push(seconds);
      hip.push(sample.hipDeg);
      tilt.push(sample.tiltDeg);
    }
    return [x, hip, tilt];
  }
}

/** The hip angle that drives the repetition: the working side's, for both the mean of those worn. */
function workingHip(
  left: number | null,
  right: number | null,
  side: "both" | "left" | "right",
): number | null {
  if (side === "left") return left ?? right;
  if (side === "right") return right ?? left;
  if (left !== null && right !== null) return (left + right) / 2;
  return left ?? right;
}
