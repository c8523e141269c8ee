import { expect, test } from "vitest";
import { BridgeClock } from "../src/clock";

test("before the first message nothing is known", () => {
  expect(new BridgeClock().bridgeTime(1_000)).toBeNull();
});

test("the fastest message tells the offset, slower ones do not move it", () => {
  const clock = new BridgeClock();
  clock.observe(100_000, 500_180);
  clock.observe(100_100, 500_140);
  clock.observe(100_200, 500_900);
  expect(clock.bridgeTime(500_940)).toBe(100_900);
});

test("a fast message is forgotten after half a minute", () => {
  const clock = new BridgeClock();
  clock.observe(0, 10);
  clock.observe(10_000, 10_050);
  expect(clock.bridgeTime(20_000)).toBe(19_990);
  clock.observe(40_000, 40_050);
  expect(clock.bridgeTime(41_000)).toBe(40_950);
});
