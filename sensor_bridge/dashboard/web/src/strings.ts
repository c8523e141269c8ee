// Every word of the page. Sentences speak like a coach: what happened, how much, in which repetition, what to do.

import { briefly, decimal } from "./format";
import { askedThen, type Finding, type Mark } from "./judgement";
import type { Live, Repetition, RepetitionBrief, SensorStatus, SetSummary, Target } from "./payloads";
import { findingWords, MOST_REASONS, sentence, spaced } from "./strings/findings";
import type { Theme } from "./theme";

export * from "./strings/coach";
export { findingWords } from "./strings/findings";

export type ConnectionState = "connecting" | "live" | "reconnecting" | "offline" | "bridge-stopped";

export const TEXT = {
  product: "Hipline",
  of: (total: number) => `of ${total}`,
  repetitions: "repetitions",
  repetitionsLabel: (done: number, total: number | null) =>
    total === null ? `${done} repetitions done` : `${done} of ${total} repetitions done`,
  athletes: (count: number) => (count === 1 ? "1 athlete" : `${count} athletes`),
  needLook: (count: number) => (count === 1 ? "1 needs a look" : `${count} need a look`),
  nobody: "Waiting for the first athlete",
  nobodyHint: "The page fills by itself as soon as a sensor is worn.",
  unknownPage: "There is no such page",
  toTheGrid: "All athletes",
  set: (number: number, total: number | null) => (total === null ? `set ${number}` : `set ${number} of ${total}`),
  counting: "lowering",
  countingIdle: "last lowering",
  countLabel: (called: number, target: number | null) =>
    target === null ? `counting ${called}` : `counting ${called} of ${briefly(target)}`,
  over: (seconds: number) => `+${decimal(seconds, 1)} s`,
  depth: "depth",
  level: "level",
  levelLabel: (degrees: number | null) =>
    degrees === null
      ? "pelvic level not measured"
      : Math.abs(degrees) < 0.5
        ? "pelvis level"
        : `${degrees > 0 ? "right" : "left"} hip ${decimal(Math.abs(degrees), 0)} degrees higher`,
  left: "L",
  right: "R",
  figureLabel: "Live figure from the side: blue pelvis, lilac thighs; grey parts are not measured",
  hipTraceLabel: (seconds: number) => `Hip angle of the last ${seconds} seconds`,
  traceLabel: "Hip angle and pelvic tilt of the last 20 seconds",
  ago: (seconds: number) => (seconds === 0 ? "now" : `${decimal(seconds, 0)} s`),
  hip: "hip",
  tilt: "tilt",
  lastRepetition: "Last repetition",
  repetition: (number: number) => `Repetition ${number}`,
  target: (seconds: number, movementS: number | null) =>
    movementS === null ? `target ${briefly(seconds)} s` : `in all ${decimal(movementS, 1)} of ${briefly(seconds)} s`,
  fromThePreviousSet: (set: number) => `set ${set}`,
  movement: (seconds: number) => `whole movement ${decimal(seconds, 1)} s; the target is held against this`,
  strip: "Repetitions of this set; height is time under tension",
  stillToCome: "still to come",
  notMeasurable: "not measurable",
  noReason: "not measured with the sensors worn",
  noRepetition: "no repetition yet",
  notStarted: "No repetition yet.",
  standStill: "Stand still for a moment: the sensors are finding out how they are worn.",
  sensors: "sensors",
  noSensors: "no sensors",
  battery: (percent: number) => `battery ${decimal(percent, 0)} %`,
  batteryUnknown: "battery unknown",
  silent: (seconds: number) => `no data for ${decimal(seconds, 0)} s`,
  bridgeAlarms: (alarms: readonly string[]) => `The bridge says: ${alarms.join(" · ")}`,
  unread: (count: number) => (count === 1 ? "1 message not understood" : `${count} messages not understood`),
  liveAngles: "live angles",
  reason: (label: string, why: string) => `${label}: ${why}`,
  estimated: "estimated, not measured directly",
  spread: (sd: number, digits: number) => `±${decimal(sd, digits)}`,
  title: (detail: string) => `${detail} · Hipline`,
  themeToCome: (now: Theme) => `◐ ${now === "dark" ? "light" : "dark"}`,
  switchTheme: (now: Theme) => `switch to ${now === "dark" ? "light" : "dark"} colours`,
  percent: (share: number) => `${decimal(share * 100, 0)} %`,
} as const;

export const TOKEN = {
  title: "Hipline: your token",
  why: "The numbers of your gym are shown to those who have a token. This device keeps it: you are asked once.",
  label: "Token",
  example: "coach.abcdef…",
  malformed: "That is not a whole token: it is a name, a dot and 26 letters and digits. Copy all of it.",
  refused: "This token does not open this gym. It may have been renewed: ask for the present one.",
  open: "Open",
  where: "Whoever runs Hipline finds it with: hipline tokens",
} as const;

export const CONNECTION: Record<ConnectionState, string> = {
  connecting: "connecting",
  live: "live",
  reconnecting: "reconnecting",
  offline: "offline",
  "bridge-stopped": "bridge stopped",
};

export const CONNECTION_HINT: Record<ConnectionState, string> = {
  connecting: "Looking for the broker.",
  live: "Connected to the broker.",
  reconnecting: "The connection to the broker was lost. Numbers below are the last ones known; trying again.",
  offline: "Hipline cannot be reached. Numbers below are the last ones known; trying again.",
  "bridge-stopped": "The broker is there, but the sensor bridge has stopped.",
};

const PHASE: Record<Live["phase"], string> = {
  unknown: "waiting",
  calibrating: "stand still",
  standing: "ready",
  eccentric: "lowering",
  bottom: "hold",
  concentric: "up",
  top: "top",
  rest: "rest",
};

/** Lying on the back the work is at the top. */
const PHASE_LYING: Partial<Record<Live["phase"], string>> = { bottom: "down", top: "hold" };

export function phaseName(phase: Live["phase"], posture: Live["posture"]): string {
  return (posture === "supine" && PHASE_LYING[phase]) || PHASE[phase];
}

const EXERCISE = new Map(Object.entries({
  romanian_deadlift: "Romanian deadlift",
  deadlift: "Deadlift",
  hip_hinge: "Hip hinge",
  micro_hinge: "Micro hinge",
  single_leg_deadlift: "Single-leg deadlift",
  kickstand_deadlift: "Kickstand deadlift",
  glute_bridge: "Glute bridge",
  single_leg_glute_bridge: "Single-leg glute bridge",
  glute_bridge_walkout: "Glute bridge walkout",
  squat: "Squat",
  lunge: "Lunge",
  sit_to_stand: "Sit to stand",
  walk: "Walking",
  stairs: "Stairs",
  jump: "Jump",
  other: "Free exercise",
}));

/** What can be asked for; the others are only told apart from them. */
export const PRESCRIBABLE: readonly string[] = [...EXERCISE.keys()].slice(0, 9);

export function exerciseName(code: string, side: "both" | "left" | "right"): string {
  const name = EXERCISE.get(code) ?? spaced(code);
  return side === "both" ? name : `${name}, ${side}`;
}

const PLACEMENT = new Map(Object.entries({
  pelvis: "pelvis",
  thigh_left: "left thigh",
  thigh_right: "right thigh",
  thorax: "thorax",
  shank_left: "left shank",
  shank_right: "right shank",
}));

export function placementName(code: string): string {
  return PLACEMENT.get(code) ?? spaced(code);
}

export const LINK: Record<SensorStatus["link"], string> = {
  scanning: "searching",
  connecting: "connecting",
  connected: "connected",
  lost: "lost",
  stopped: "stopped",
};

export const MARK: Record<Mark, { symbol: string; word: string }> = {
  good: { symbol: "✓", word: "good" },
  watch: { symbol: "△", word: "watch" },
  bad: { symbol: "✕", word: "not good" },
};

export const METRIC = {
  eccentric: { label: "lowering", unit: "s" },
  tilt: { label: "tilt range", unit: "°" },
  hip: { label: "hip range", unit: "°" },
  level: { label: "level", unit: "°" },
  lockout: { label: "lock-out", unit: "°" },
} as const;

/** What a fault means and what to do about it. */
export function findingSentence(finding: Finding, target: Target | null, lying = false): string {
  return sentence(findingWords(finding, target, lying));
}

export function repetitionSentence(
  record: Repetition,
  findings: readonly Finding[],
  target: Target | null,
  doubtful: boolean,
): string {
  const words = repetitionWords(record, findings, target, doubtful);
  return words ? `${TEXT.repetition(record.repetition)}: ${words}` : `${TEXT.repetition(record.repetition)} counted.`;
}

/** The same without saying which repetition it was; empty where nothing was measured. */
export function repetitionWords(
  record: Repetition | RepetitionBrief,
  findings: readonly Finding[],
  target: Target | null,
  doubtful: boolean,
): string {
  const lying = "exercise" in record && record.exercise.includes("bridge");
  const told = findings.map((finding) => findingWords(finding, askedThen(record, target), lying));
  // One thing comes with what to do about it; of several only the reasons are told, the worst first.
  if (told.length > 1) return `${told.slice(0, MOST_REASONS).map(({ what }) => what).join(", ")}.`;
  if (told[0]) return sentence(told[0]);
  if (doubtful) return "counted, but not a clear one.";
  const parts: string[] = [];
  if (record.eccentric_s !== null) parts.push(`${decimal(record.eccentric_s, 1)} s down`);
  if (record.lockout_deficit_deg !== null) parts.push(lying ? "hips all the way up" : "stood all the way up");
  if (record.pelvic_obliquity_peak_deg !== null) parts.push("hips level");
  return parts.length ? `${parts.join(", ")}.` : "";
}

export function setSentence(summary: SetSummary): string {
  const parts = [`Set ${summary.set} done: ${summary.repetitions} repetitions`];
  if (summary.mean_eccentric_s !== null) parts.push(`${decimal(summary.mean_eccentric_s, 1)} s down on average`);
  if (summary.tut_s !== null) parts.push(`${decimal(summary.tut_s, 0)} s under tension`);
  return `${parts.join(", ")}.`;
}

export function faultSentence(code: string, value: number | null, repetition: number, text: string): string {
  const told = text || sentence(findingWords({ code, value, mark: "watch" }, null));
  return repetition > 0 ? `After repetition ${repetition}: ${told}` : told.charAt(0).toUpperCase() + told.slice(1);
}

/** Figures of a sensor's link, the most telling first; what is not known yet is left out. */
export function linkFigures(sensor: SensorStatus): string[] {
  const figures: string[] = [];
  if (sensor.missing > 0) figures.push(`${sensor.missing} samples still to be fetched`);
  else if (sensor.gaps > 0) figures.push(`${sensor.gaps} ${sensor.gaps === 1 ? "gap" : "gaps"}, ${decimal(sensor.lost_s, 1)} s`);
  else if (sensor.lost > 0) figures.push(`${sensor.lost} samples lost`);
  else if (sensor.lacks.includes("loss")) figures.push("losses cannot be seen");
  else if (sensor.received > 0) figures.push("nothing lost");
  if (sensor.rssi_dbm !== null) figures.push(`${decimal(sensor.rssi_dbm, 0)} dBm`);
  if (sensor.connection_interval_ms !== null) figures.push(`every ${decimal(sensor.connection_interval_ms, 0)} ms`);
  return figures;
}

/** The rest of them, for those who look closer. */
export function linkDetails(sensor: SensorStatus): string[] {
  const details: string[] = [];
  if (sensor.sampling_rate_hz !== null) details.push(`${decimal(sensor.sampling_rate_hz, 0)} Hz`);
  if (sensor.clock_residual_ms !== null) details.push(`jitter ${decimal(sensor.clock_residual_ms, 0)} ms`);
  if (sensor.clock_drift_ppm !== null) details.push(`clock ${decimal(sensor.clock_drift_ppm, 0)} ppm`);
  if (sensor.lacks.includes("clock")) details.push("timed by arrival");
  if (sensor.lacks.includes("gyroscope")) details.push("no gyroscope");
  const lost = sensor.lacks.includes("loss") ? "" : `, ${sensor.lost} lost`;
  const fetched = sensor.backfilled > 0 ? `, ${sensor.backfilled} fetched later` : "";
  details.push(`${sensor.received} samples received${fetched}${lost}`);
  const counts: [number, string][] = [
    [sensor.duplicated, "doubled"],
    [sensor.rejected, "refused"],
    [sensor.dropped, "dropped"],
    [sensor.overflow, "lost in the sensor"],
    [sensor.reconnects, "reconnects"],
  ];
  for (const [count, what] of counts) if (count > 0) details.push(`${count} ${what}`);
  return details;
}

export function sensorTrouble(sensor: SensorStatus): string | null {
  const name = placementName(sensor.placement);
  if (sensor.reason !== null && sensor.link === "connected") {
    return `The sensor on the ${name} is connected, but ${sensor.reason}. Its angles are missing until then.`;
  }
  if (sensor.reason !== null && sensor.link !== "stopped") {
    return `The sensor on the ${name} is away: ${sensor.reason}. Its angles are missing until it is back.`;
  }
  if (sensor.link === "lost") return `The sensor on the ${name} is out of reach. Its angles are missing until it is back.`;
  if (sensor.link === "stopped") return `The sensor on the ${name} has stopped.`;
  if (sensor.battery_percent !== null && sensor.battery_percent < LOW_BATTERY_PERCENT) {
    return `The sensor on the ${name} has ${decimal(sensor.battery_percent, 0)} % battery left. Charge it.`;
  }
  return null;
}

/** The same for a card with little room. */
export function sensorTroubleBriefly(sensor: SensorStatus): string | null {
  if (sensorTrouble(sensor) === null) return null;
  const name = placementName(sensor.placement);
  if (sensor.link === "connected" && sensor.reason !== null) return `${name}: connected, sends nothing`;
  if (sensor.link === "stopped") return `${name}: sensor stopped`;
  if (sensor.link !== "connected") return `${name}: sensor away`;
  return `${name}: ${decimal(sensor.battery_percent ?? 0, 0)} % battery left`;
}

export const LOW_BATTERY_PERCENT = 15;
