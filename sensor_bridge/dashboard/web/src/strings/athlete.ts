// The words of the athlete's page.

import { briefly, capital, decimal, signed } from "../format";
import type { Live, Target } from "../payloads";
import type { FaultyRepetition, RowName, SetReport, SummaryRow } from "../set_summary";
import { findingSentence, TEXT } from "../strings";
import type { LoadUnit } from "../units";
import type { Wakefulness } from "../wake_lock";

export const ATHLETE = {
  pageLabel: (name: string) => `${name}: live`,
  waiting: (id: string) => `Waiting for ${id}`,
  waitingHint: "The page fills by itself as soon as a sensor is worn.",
  standStill: "Stand still",
  standStillHint: "The sensors are finding out how they are worn.",
  ready: "Ready",
  readyHint: "Begin when you like.",
  repetition: (number: number) => `repetition ${number}`,
  repetitionsAsked: (total: number) => (total === 1 ? "1 repetition" : `${total} repetitions`),
  repetitionOf: (number: number, total: number) => `repetition ${number} of ${total}`,
  tempoLabel: "tempo: lowering, bottom, up, top",
  tickOn: "tick the count aloud",
  tickOff: "stop ticking",
  fillScreen: "fill the whole screen",
  leaveFullScreen: "leave the full screen",
  theme: (next: "dark" | "light") => `switch to ${next} colours`,
  /** Begins with what the button shows, for those who speak to it. */
  unit: (now: LoadUnit) => (now === "kg" ? "kg: show loads in pounds" : "lb: show loads in kilograms"),
  bottom: "bottom",
  depth: "depth",
  height: "height",
  depthOf: (share: number, asked: boolean) => `${decimal(share * 100, 0)} % of ${asked ? "the depth asked for" : "your usual depth"}`,
  depthUnknown: "depth not known yet",
  rest: "rest",
  restLabel: "time since the last repetition",
  setDone: (set: number) => `Set ${set} done`,
  setDoneOf: (set: number, total: number) => `Set ${set} of ${total} done`,
  allSetsDone: (total: number) => (total === 1 ? "The set is done" : `All ${total} sets done`),
  repetitionsDone: (done: number, asked: number | null) =>
    asked === null || asked === done
      ? done === 1
        ? "1 repetition"
        : `${done} repetitions`
      : `${done} of ${asked} repetitions`,
  asked: (amount: string) => `asked ${amount}`,
  inRepetition: (number: number) => `repetition ${number}`,
  notMeasured: "could not be measured",
  onAverage: "on average",
  furtherFaults: (count: number) => (count === 1 ? "one more repetition with faults" : `${count} more repetitions with faults`),
  alsoThere: (count: number) => (count === 1 ? " And one more fault." : ` And ${count} more faults.`),
  elsewhere: "other pages",
  sessions: "Sessions",
  progress: "Progress",
  summary: "The set in figures",
  faults: "What to work on",
  nothingToMend: "Every repetition was clean.",
} as const;

/** What the athlete is to do now, as large as the count. */
export function callOf(phase: Live["phase"], posture: Live["posture"], isPauseAsked: boolean): string {
  const isLying = posture === "supine";
  switch (phase) {
    case "bottom":
      return isPauseAsked ? "Hold" : isLying ? "Down" : "Up";
    case "concentric":
      return "Up";
    case "top":
      return isLying ? "Hold" : "Top";
    default:
      return "";
  }
}

/** What to do in each repetition of the set; null where no tempo was asked for. */
export function tempoLine(target: Target | null, isLying: boolean): string | null {
  if (!target || target.eccentric_s === null) return null;
  const { eccentric_s, bottom_s, concentric_s, top_s } = target;
  const down = `lower on a count of ${briefly(eccentric_s)}`;
  const low = bottom_s !== null && bottom_s > 0 ? `stay down for ${briefly(bottom_s)}` : null;
  const up = concentric_s === null ? "up as fast as you can" : `up on a count of ${briefly(concentric_s)}`;
  const high = top_s !== null && top_s > 0 ? `stay up for ${briefly(top_s)}` : null;
  const parts = (isLying ? [up, high, down, low] : [down, low, up, high]).filter((part) => part !== null);
  return `${capital(parts.join(", "))}.`;
}

export const ROW: Record<RowName, { label: string; unit: "s" | "°" | "%"; digits: number; isSigned: boolean }> = {
  lowering: { label: "lowering", unit: "s", digits: 1, isSigned: false },
  depth: { label: "depth", unit: "°", digits: 0, isSigned: false },
  level: { label: "level", unit: "°", digits: 0, isSigned: true },
  lockout: { label: "lock-out", unit: "°", digits: 0, isSigned: true },
  tension: { label: "under tension", unit: "s", digits: 0, isSigned: false },
  velocityLoss: { label: "velocity loss", unit: "%", digits: 0, isSigned: false },
};

/** "5.1 s", "+3°", "12 %". */
export function rowAmount(row: SummaryRow): string | null {
  const { unit, digits, isSigned } = ROW[row.name];
  if (row.value === null) return null;
  const number = isSigned ? signed(row.value, digits) : decimal(row.value, digits);
  return unit === "°" ? `${number}°` : `${number} ${unit}`;
}

/** "±0.06": how sure the amount is; nothing where that is not known, or surer than can be shown. */
export function rowSpread(row: SummaryRow): string {
  const text = row.sd === null ? "" : TEXT.spread(row.sd, ROW[row.name].digits + 1);
  return /[1-9]/.test(text) ? text : "";
}

/** What goes with the amount: what was asked for, where it was found. */
export function rowAside(row: SummaryRow): string {
  const { unit } = ROW[row.name];
  const parts: string[] = [];
  if (row.asked !== null) parts.push(ATHLETE.asked(unit === "°" ? `${briefly(row.asked)}°` : `${briefly(row.asked)} ${unit}`));
  if (row.repetition !== null) parts.push(ATHLETE.inRepetition(row.repetition));
  return parts.join(" · ");
}

/** One line on a repetition that was not clean. */
export function faultLine(fault: FaultyRepetition, target: Target | null, isLying: boolean): string {
  const sentence = findingSentence(fault.finding, target, isLying);
  return `${capital(ATHLETE.repetition(fault.repetition))}: ${sentence}${fault.more > 0 ? ATHLETE.alsoThere(fault.more) : ""}`;
}

/** What spoils the numbers of a repetition, as the bridge tells it. */
export function warningLine(repetition: number, warning: string): string {
  return `${capital(ATHLETE.repetition(repetition))}: ${warning}.`;
}

/** Which repetition was the best; null where there is nothing to compare. */
export function bestLine({ best }: SetReport): string | null {
  return best === null ? null : `Best: repetition ${best}.`;
}

export const AWAKE: Record<Wakefulness, string> = {
  off: "",
  held: "",
  refused: "The screen may go dark: this device does not let the page keep it awake.",
  unsupported: "The screen may go dark: this browser cannot keep it awake here. Set a longer screen time-out.",
};

/** "1:05". */
export function minutes(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
