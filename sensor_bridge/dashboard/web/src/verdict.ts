// The one sentence under a card, and whether the athlete needs a look.

import type { Athlete } from "./gym";
import { judge, type Mark } from "./judgement";
import type { SegmentCalibration, SensorStatus } from "./payloads";
import type { Presence } from "./presence";
import { faultSentence, repetitionSentence, repetitionWords, sensorTrouble, sensorTroubleBriefly, setSentence, TEXT } from "./strings";
import { slipTrouble, slipTroubleBriefly } from "./strings/slips";

export interface Verdict {
  mark: Mark | null;
  sentence: string;
  trouble: string | null;
  /** Trouble or sentence in as few words as say it. */
  brief: string;
  /** Whether angles are missing while the trouble lasts. */
  isBlind: boolean;
}

export function verdictOn(athlete: Athlete, sensors: readonly SensorStatus[]): Verdict {
  const isBlind = sensors.some((sensor) => sensor.reason !== null || ["lost", "stopped"].includes(sensor.link));
  const told = toldOf(athlete, sensors);
  const troubleBriefly = troubleWith(athlete, sensors, sensorTroubleBriefly, slipTroubleBriefly);
  return { ...told, isBlind, brief: troubleBriefly ?? (told.brief || told.sentence) };
}

function toldOf(athlete: Athlete, sensors: readonly SensorStatus[]): Omit<Verdict, "isBlind" | "brief"> & { brief?: string } {
  const trouble = troubleWith(athlete, sensors, sensorTrouble, slipTrouble);
  const target = athlete.state?.data.target ?? null;
  const last = athlete.lastRepetition;
  const finished = athlete.latestSet;
  const fault = athlete.latestFault?.data;
  const lastEndMs = last?.concentric_end_ms ?? last?.eccentric_end_ms ?? -Infinity;
  const faultIsNews =
    fault !== undefined &&
    fault.t_ms > lastEndMs &&
    (!finished || fault.t_ms > (finished.data.end_ms ?? finished.timeMs));
  if (fault && faultIsNews) {
    return {
      mark: "watch",
      sentence: faultSentence(fault.code, fault.value, fault.repetition, fault.text),
      trouble,
    };
  }
  const isResting = ["rest", "standing", "top", "unknown"].includes(athlete.progress.phase);
  if (finished?.data.final && isResting && (!last || finished.data.set >= last.set)) {
    const worst = athlete.repetitions.map((known) => judge(known.detail ?? known.record, target).mark);
    const mark = worst.includes("bad") || worst.includes("watch") ? "watch" : "good";
    return { mark, sentence: setSentence(finished.data), trouble };
  }
  if (!last) {
    const isWaiting = athlete.progress.phase === "calibrating" || athlete.progress.phase === "unknown";
    return { mark: null, sentence: isWaiting ? TEXT.standStill : TEXT.notStarted, trouble };
  }
  const { mark, findings, doubtful } = judge(last, target);
  return {
    mark: doubtful && mark === "good" ? "watch" : mark,
    sentence: repetitionSentence(last, findings, target, doubtful),
    brief: repetitionWords(last, findings, target, doubtful),
    trouble,
  };
}

/** What is wrong with the sensors: first the ones that are not heard, then those that sit otherwise. */
function troubleWith(
  athlete: Athlete,
  sensors: readonly SensorStatus[],
  wordsOnLink: (sensor: SensorStatus) => string | null,
  wordsOnSeat: (seat: SegmentCalibration, currentSet: number) => string | null,
): string | null {
  const seats = athlete.state?.data.calibration ?? [];
  const slips = seats.map((seat) => wordsOnSeat(seat, athlete.progress.set));
  return [...sensors.map(wordsOnLink), ...slips].find((words) => words !== null) ?? null;
}

export function needsLook(verdict: Verdict): boolean {
  return verdict.trouble !== null || verdict.mark === "watch" || verdict.mark === "bad";
}

/** 0 fine · 1 watch · 2 not good · 3 cannot be measured: see `attention.ts`. */
export function urgencyOf(verdict: Verdict, presence: Presence): number {
  if (verdict.isBlind || presence.is === "silent") return 3;
  if (verdict.mark === "bad") return 2;
  return needsLook(verdict) ? 1 : 0;
}
