import { expect, test } from "vitest";
import { briefly, decimal, signed } from "../src/format";

test("numbers have a real minus and no negative zero", () => {
  expect([decimal(-4.26, 1), decimal(-0.04, 1), decimal(4.96, 1)]).toEqual(["\u22124.3", "0.0", "5.0"]);
  expect([signed(2.4, 0), signed(-2.4, 0), signed(0.2, 0)]).toEqual(["+2", "\u22122", "0"]);
  expect([briefly(5), briefly(2.5)]).toEqual(["5", "2.5"]);
});
