import { expect, test } from "vitest";
import { presenceOf } from "../src/presence";

test("whoever sends is there, a lost message or two notwithstanding", () => {
  expect(presenceOf(10_000, 0, 10_000)).toEqual({ is: "live" });
  expect(presenceOf(10_000, 0, 12_500)).toEqual({ is: "live" });
});

test("who has fallen silent was last seen so many seconds ago", () => {
  expect(presenceOf(10_000, 0, 12_600)).toEqual({ is: "silent", seconds: 2 });
  expect(presenceOf(10_000, 0, 22_400)).toEqual({ is: "silent", seconds: 12 });
});

test("what the broker kept is not called live, after a moment's grace", () => {
  expect(presenceOf(null, 1_000, 3_000)).toEqual({ is: "live" });
  expect(presenceOf(null, 1_000, 60_000)).toEqual({ is: "kept" });
});
