import { expect, test } from "vitest";
import { Announcer, SPOKEN_EVERY_MS } from "../src/announcer";

const say = (athlete: string, text: string, isUrgent = false) => ({ athlete, text, isUrgent });

test("one sentence at a time, however much happens", () => {
  const announcer = new Announcer();
  const heard: string[] = [];
  for (let nowMs = 0; nowMs < 30_000; nowMs += 100) {
    announcer.offer(say(`a${nowMs % 4_000}`, `at ${nowMs}`), nowMs);
    const text = announcer.next(nowMs);
    if (text !== null) heard.push(text);
  }
  expect(heard.length).toBe(30_000 / SPOKEN_EVERY_MS);
});

test("of each athlete only the newest, the urgent first", () => {
  const announcer = new Announcer();
  announcer.offer(say("a", "old"), 0);
  announcer.offer(say("b", "sensor away", true), 1);
  announcer.offer(say("a", "new"), 2);
  expect([0, 1, 2].map((turn) => announcer.next(10 + turn * SPOKEN_EVERY_MS))).toEqual(["sensor away", "new", null]);
});

test("what has become stale is not said any more", () => {
  const announcer = new Announcer();
  announcer.offer(say("a", "repetition 1"), 0);
  expect(announcer.next(60_000)).toBeNull();
});
