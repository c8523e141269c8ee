// The tones of the metronome, by WebAudio. Off until somebody asks: browsers let a page sound only after a touch.

import { signal } from "@preact/signals";
import { pageNow } from "./clock";
import type { Sound, Tone } from "./metronome";

const FREQUENCY_HZ: Record<Tone, number> = { count: 880, bottom: 440, turn: 1320 };
const LENGTH_S: Record<Tone, number> = { count: 0.06, bottom: 0.22, turn: 0.12 };
const LOUDNESS = 0.35;
const ATTACK_S = 0.004;
const SILENCE = 0.0001;

/** Whether the count ticks. */
export const ticking = signal(false);

let speaker: Speaker | null = null;

/** What plays the ticks; null while they are off. */
export function tickSound(): Sound | null {
  return ticking.value ? speaker : null;
}

/** Let the count tick, or no longer; to be called from a touch. */
export function switchTick(): void {
  ticking.value = !ticking.value;
  if (!ticking.value) {
    void speaker?.context.suspend();
    return;
  }
  speaker ??= new Speaker(new AudioContext({ latencyHint: "interactive" }));
  void speaker.context.resume();
  // Heard at once, so that nobody trains with a loudspeaker that is turned down.
  speaker.play("count", speaker.nowS);
}

// Phones take the sound away while they are locked.
globalThis.document?.addEventListener("visibilitychange", () => {
  if (ticking.value && document.visibilityState === "visible") void speaker?.context.resume();
});

/** Whether this browser can tick at all. */
export const canTick = typeof AudioContext !== "undefined";

class Speaker implements Sound {
  constructor(readonly context: AudioContext) {}

  get nowS(): number {
    return this.context.currentTime;
  }

  timeOf(pageMs: number): number {
    const { contextTime, performanceTime } = this.#pair();
    return contextTime + (pageMs - performance.timeOrigin - performanceTime) / 1000;
  }

  play(tone: Tone, atS: number): () => void {
    const { context } = this;
    const oscillator = context.createOscillator();
    const volume = context.createGain();
    const endS = atS + LENGTH_S[tone];
    oscillator.frequency.value = FREQUENCY_HZ[tone];
    volume.gain.setValueAtTime(SILENCE, atS);
    volume.gain.linearRampToValueAtTime(LOUDNESS, atS + ATTACK_S);
    volume.gain.exponentialRampToValueAtTime(SILENCE, endS);
    oscillator.connect(volume).connect(context.destination);
    oscillator.start(atS);
    oscillator.stop(endS);
    return () => {
      if (atS > context.currentTime) oscillator.disconnect();
    };
  }

  /** One moment on both clocks: the one that is heard, where the browser knows it, else the one being made. */
  #pair(): { contextTime: number; performanceTime: number } {
    const { contextTime, performanceTime } = this.context.getOutputTimestamp?.() ?? {};
    if (contextTime && performanceTime) return { contextTime, performanceTime };
    return { contextTime: this.context.currentTime, performanceTime: pageNow() - performance.timeOrigin };
  }
}
