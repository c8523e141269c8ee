import { expect, test } from "vitest";
import { AttentionOrder, type Candidate, DOWN_AFTER_MS, UP_AFTER_MS } from "../src/attention";

const gym = (urgencies: Record<string, number>): Candidate[] =>
  Object.entries(urgencies).map(([name, urgency]) => ({ athlete: name.toLowerCase(), name, urgency }));

test("who needs a look comes first, otherwise by name", () => {
  const order = new AttentionOrder();
  expect(order.order(gym({ "Athlete 10": 0, "Athlete 2": 0, Zoe: 1, Mia: 3 }), "attention", 0)).toEqual([
    "mia",
    "zoe",
    "athlete 2",
    "athlete 10",
  ]);
  expect(order.order(gym({ Zoe: 1, Mia: 3, Ben: 0 }), "name", 0)).toEqual(["ben", "mia", "zoe"]);
});

test("a trouble that flickers moves nobody, one that lasts does", () => {
  const order = new AttentionOrder();
  const at = (nowMs: number, b: number) => order.order(gym({ A: 0, B: b }), "attention", nowMs);
  at(0, 0);
  expect(at(100, 3)).toEqual(["a", "b"]);
  expect(at(100 + UP_AFTER_MS - 1, 3)).toEqual(["a", "b"]);
  expect(at(100 + UP_AFTER_MS, 0)).toEqual(["a", "b"]);
  expect(at(5_000, 2)).toEqual(["a", "b"]);
  expect(at(5_000 + UP_AFTER_MS, 3)).toEqual(["b", "a"]);
});

test("who is well again stays where they are for a while", () => {
  const order = new AttentionOrder();
  const at = (nowMs: number, b: number) => order.order(gym({ A: 0, B: b }), "attention", nowMs);
  expect(at(0, 2)).toEqual(["b", "a"]);
  expect(at(1_000, 0)).toEqual(["b", "a"]);
  expect(at(1_000 + DOWN_AFTER_MS - 1, 0)).toEqual(["b", "a"]);
  expect(at(1_000 + DOWN_AFTER_MS, 2)).toEqual(["b", "a"]);
  at(20_000, 1);
  expect(at(20_000 + DOWN_AFTER_MS, 0)).toEqual(["a", "b"]);
});

test("while somebody reaches for a card nothing moves but who comes and goes", () => {
  const order = new AttentionOrder();
  order.order(gym({ A: 0, B: 0, C: 0 }), "attention", 0);
  order.order(gym({ A: 0, B: 0, C: 3 }), "attention", 1);
  expect(order.order(gym({ A: 0, C: 3, D: 3 }), "attention", 9_000, true)).toEqual(["a", "c", "d"]);
  expect(order.order(gym({ A: 0, C: 3, D: 3 }), "attention", 9_001)).toEqual(["c", "d", "a"]);
});
