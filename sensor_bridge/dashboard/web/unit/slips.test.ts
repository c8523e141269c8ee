import { expect, test } from "vitest";
import { Athlete } from "../src/gym";
import { slipTrouble, slipTroubleBriefly } from "../src/strings/slips";
import { needsLook, verdictOn } from "../src/verdict";
import { sensor, state } from "./records";

const SEAT = { placement: "thigh_left", method: "movement", quality_deg: 2, warnings: [] };
const SLIPPED = { ...SEAT, slip: { angle_deg: 14.4, set: 1, repetition: 6 } };

test("a sensor that slipped says after which repetition, how far, and what to do", () => {
  expect(slipTrouble({ ...SEAT, slip: null }, 1)).toBeNull();
  expect(slipTrouble(SLIPPED, 1)).toBe(
    "Left thigh sensor slipped after repetition 6: 14° off since. Re-clip it.",
  );
  const earlier = slipTrouble({ ...SEAT, slip: { angle_deg: 9, set: 1, repetition: 0 } }, 2);
  expect(earlier).toContain("slipped before the first repetition of set 1: ");
  expect(slipTroubleBriefly(SLIPPED)).toBe("left thigh: slipped, re-clip it");
  expect(slipTroubleBriefly({ ...SEAT, slip: null })).toBeNull();
});

test("whoever wears it needs a look; a sensor that is away is said before", () => {
  const athlete = new Athlete("a1");
  athlete.enter("s1", 0);
  athlete.applyState(state({ calibration: [SLIPPED] }), 0);
  const verdict = verdictOn(athlete, [sensor()]);
  expect(verdict.trouble).toContain("slipped after repetition 6");
  expect(needsLook(verdict)).toBe(true);
  expect(verdictOn(athlete, [sensor({ link: "lost" })]).trouble).toContain("out of reach");
});
