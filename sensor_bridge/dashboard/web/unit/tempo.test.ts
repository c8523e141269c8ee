import { expect, test } from "vitest";
import { readTempo, tempoText } from "../src/tempo";
import { state } from "./records";

test("the notation of the prescription is read", () => {
  expect(readTempo("5-0-X-0")).toEqual({ eccentricS: 5, bottomS: 0, concentricS: null, topS: 0 });
  expect(readTempo(" 3 - 0.5 - 2 - 1 ")).toEqual({ eccentricS: 3, bottomS: 0.5, concentricS: 2, topS: 1 });
  expect(readTempo("3-1-x-0")).toMatchObject({ concentricS: null });
});

test("a mistake is named", () => {
  expect(readTempo("5")).toBe("parts");
  expect(readTempo("5-0-X")).toBe("parts");
  expect(readTempo("5-0-X-0-1")).toBe("parts");
  expect(readTempo("X-0-1-0")).toBe("only-concentric-x");
  for (const wrong of ["five-0-X-0", "5-0--0", "5-0-NaN-0", "1e3-0-1-0", "5-0-1-Infinity"]) expect(readTempo(wrong)).toBe("number");
});

test("what was asked for is written as it is read", () => {
  const target = state().target!;
  expect(tempoText(target)).toBe("5-0-X-0");
  expect(readTempo(tempoText({ ...target, eccentric_s: 2.5, concentric_s: 1 }))).toMatchObject({ eccentricS: 2.5, concentricS: 1 });
  expect(tempoText(null)).toBe("");
  expect(tempoText({ ...target, eccentric_s: null })).toBe("");
});
