// The tick of the count: when each beat of a phase is due on the audio clock, and which are still to come.
// Knows nothing of WebAudio; `sound.ts` makes the tones.

import type { Live } from "./payloads";

export type Tone = "count" | "bottom" | "turn";

export interface Beat {
  /** After the start of the phase, s. */
  afterS: number;
  tone: Tone;
}

/** What makes the tones, on a clock of its own. */
export interface Sound {
  /** Now, s. */
  readonly nowS: number;
  /** The same moment as `pageMs` on the page's clock, s. */
  timeOf(pageMs: number): number;
  /** Play a tone at `atS`; the returned function takes it back if it has not sounded. */
  play(tone: Tone, atS: number): () => void;
}

/** A phase that is going on. */
export interface Movement {
  phase: Live["phase"];
  /** On the page's clock, ms. */
  startPageMs: number;
  /** Seconds it was asked to last; null where it is free. */
  askedS: number | null;
}

const BEATS_WITHOUT_TARGET = 12;
/** A beat this late is still played, at once. */
const LATE_S = 0.03;
/** A start that is corrected by less keeps its beats. */
const SAME_START_MS = 40;

/** The beats of a phase: one as each second ends, and the end itself in another tone. */
export function beatsOf(phase: Live["phase"], askedS: number | null): Beat[] {
  if (askedS === null) {
    if (phase !== "eccentric") return [];
    return Array.from({ length: BEATS_WITHOUT_TARGET }, (_, index) => ({ afterS: index + 1, tone: "count" }));
  }
  const beats: Beat[] = [];
  for (let second = 1; second < askedS - 1e-6; second += 1) beats.push({ afterS: second, tone: "count" });
  beats.push({ afterS: askedS, tone: phase === "eccentric" ? "bottom" : "turn" });
  return beats;
}

export class Metronome {
  #planned: Movement | null = null;
  #takeBack: (() => void)[] = [];

  constructor(readonly sound: Sound) {}

  /** Keep the beats in step with what is going on; null: nothing is, so nothing more sounds. */
  follow(movement: Movement | null): void {
    if (isSame(movement, this.#planned)) return;
    for (const cancel of this.#takeBack) cancel();
    this.#takeBack = [];
    this.#planned = movement;
    if (!movement) return;
    const now = this.sound.nowS;
    for (const { afterS, tone } of beatsOf(movement.phase, movement.askedS)) {
      const atS = this.sound.timeOf(movement.startPageMs + afterS * 1000);
      if (atS >= now - LATE_S) this.#takeBack.push(this.sound.play(tone, Math.max(atS, now)));
    }
  }
}

function isSame(one: Movement | null, other: Movement | null): boolean {
  if (one === null || other === null) return one === other;
  return (
    one.phase === other.phase &&
    one.askedS === other.askedS &&
    Math.abs(one.startPageMs - other.startPageMs) < SAME_START_MS
  );
}
