import { expect, test } from "vitest";
import { beatsOf, Metronome, type Sound, type Tone } from "../src/metronome";

/** An audio clock that began 100 s after the page's and stands still until it is told. */
class Tape implements Sound {
  nowS = 0;
  played: { tone: Tone; atS: number }[] = [];

  timeOf(pageMs: number): number {
    return pageMs / 1000 - 100;
  }

  play(tone: Tone, atS: number): () => void {
    const beat = { tone, atS };
    this.played.push(beat);
    return () => {
      if (atS > this.nowS) this.played = this.played.filter((other) => other !== beat);
    };
  }

  get times(): number[] {
    return this.played.map((beat) => beat.atS);
  }
}

const LOWERING = { phase: "eccentric", startPageMs: 110_000, askedS: 5 } as const;

test("each second of the lowering has its beat, the bottom another tone", () => {
  expect(beatsOf("eccentric", 5).map((beat) => beat.afterS)).toEqual([1, 2, 3, 4, 5]);
  expect(beatsOf("eccentric", 5).map((beat) => beat.tone)).toEqual(["count", "count", "count", "count", "bottom"]);
  expect(beatsOf("eccentric", 2.5)).toEqual([
    { afterS: 1, tone: "count" },
    { afterS: 2, tone: "count" },
    { afterS: 2.5, tone: "bottom" },
  ]);
});

test("a pause that was asked for ends in a tone; what is free has none, but the lowering ticks on", () => {
  expect(beatsOf("bottom", 2).map((beat) => beat.tone)).toEqual(["count", "turn"]);
  expect(beatsOf("concentric", null)).toEqual([]);
  expect(beatsOf("eccentric", null)).toHaveLength(12);
  expect(new Set(beatsOf("eccentric", null).map((beat) => beat.tone))).toEqual(new Set(["count"]));
});

test("beats are set on the audio clock from the start the bridge reports, not from when it was heard of", () => {
  const tape = new Tape();
  tape.nowS = 10.4;
  new Metronome(tape).follow(LOWERING);
  expect(tape.times).toEqual([11, 12, 13, 14, 15]);
});

test("told again of the same lowering it adds nothing", () => {
  const tape = new Tape();
  tape.nowS = 10.4;
  const metronome = new Metronome(tape);
  metronome.follow(LOWERING);
  metronome.follow({ ...LOWERING, startPageMs: 110_010 });
  expect(tape.played).toHaveLength(5);
});

test("a corrected start moves what has not sounded", () => {
  const tape = new Tape();
  tape.nowS = 10.4;
  const metronome = new Metronome(tape);
  metronome.follow(LOWERING);
  tape.nowS = 11.2;
  metronome.follow({ ...LOWERING, startPageMs: 109_800 });
  expect(tape.times).toEqual([11, expect.closeTo(11.8, 9), expect.closeTo(12.8, 9), expect.closeTo(13.8, 9), expect.closeTo(14.8, 9)]);
});

test("it stops with the movement", () => {
  const tape = new Tape();
  tape.nowS = 10.4;
  const metronome = new Metronome(tape);
  metronome.follow(LOWERING);
  tape.nowS = 12.5;
  metronome.follow(null);
  expect(tape.times).toEqual([11, 12]);
});

test("heard of late, the beats that have passed are left out", () => {
  const tape = new Tape();
  tape.nowS = 12.02;
  new Metronome(tape).follow(LOWERING);
  expect(tape.times).toEqual([12.02, 13, 14, 15]);
});
