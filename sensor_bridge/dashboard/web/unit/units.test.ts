import { expect, test } from "vitest";
import { kilogramsOf, loadIn, loadText, loadUnit, switchLoadUnit } from "../src/units";

test("a load is read in the unit of the screen, to the smallest plate", () => {
  expect(loadText(60, "kg")).toBe("60 kg");
  expect(loadText(62.5, "kg")).toBe("62.5 kg");
  expect(loadText(60, "lb")).toBe("132 lb");
  expect(loadText(61.235, "lb")).toBe("135 lb");
  expect(loadIn(61.235, "kg")).toBe(61);
});

test("what is typed in pounds is kept in kilograms and read back the same", () => {
  expect(kilogramsOf(135, "lb")).toBeCloseTo(61.235, 3);
  for (const pounds of [5, 45, 135, 225, 405]) expect(loadIn(kilogramsOf(pounds, "lb"), "lb")).toBe(pounds);
  expect(kilogramsOf(60, "kg")).toBe(60);
});

test("the switch goes to and fro", () => {
  expect(loadUnit.value).toBe("kg");
  switchLoadUnit();
  expect(loadText(60)).toBe("132 lb");
  switchLoadUnit();
  expect(loadText(60)).toBe("60 kg");
});
