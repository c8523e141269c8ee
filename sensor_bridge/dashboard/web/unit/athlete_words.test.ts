import { expect, test } from "vitest";
import { bestLine, callOf, faultLine, minutes, rowAmount, rowAside, rowSpread, tempoLine } from "../src/strings/athlete";
import type { SetReport, SummaryRow } from "../src/set_summary";
import { state } from "./records";

const TARGET = state().target!;

function row(changes: Partial<SummaryRow>): SummaryRow {
  return { name: "lowering", value: null, sd: null, asked: null, repetition: null, reason: null, ...changes };
}

test("what is asked is told as something to do", () => {
  expect(tempoLine(TARGET, false)).toBe("Lower on a count of 5, up as fast as you can.");
  expect(tempoLine({ ...TARGET, bottom_s: 1, concentric_s: 2, top_s: 1.5 }, false)).toBe(
    "Lower on a count of 5, stay down for 1, up on a count of 2, stay up for 1.5.",
  );
  expect(tempoLine({ ...TARGET, eccentric_s: 2, top_s: 2 }, true)).toBe(
    "Up as fast as you can, stay up for 2, lower on a count of 2.",
  );
  expect(tempoLine({ ...TARGET, eccentric_s: null }, false)).toBeNull();
});

test("each phase has its call, standing and lying", () => {
  expect(callOf("bottom", "standing", false)).toBe("Up");
  expect(callOf("bottom", "standing", true)).toBe("Hold");
  expect(callOf("top", "supine", false)).toBe("Hold");
  expect(callOf("concentric", "supine", false)).toBe("Up");
});

test("figures have their unit, their uncertainty and what they are held against", () => {
  const lowering = row({ value: 4.96, sd: 0.06, asked: 5 });
  expect([rowAmount(lowering), rowSpread(lowering), rowAside(lowering)]).toEqual(["5.0 s", "±0.06", "asked 5 s"]);
  const level = row({ name: "level", value: -4.2, sd: 0.8, repetition: 2 });
  expect([rowAmount(level), rowSpread(level), rowAside(level)]).toEqual(["\u22124°", "±0.8", "repetition 2"]);
  expect(rowAmount(row({ name: "velocityLoss", value: 12 }))).toBe("12 %");
  expect(rowSpread(row({ name: "tension", value: 50, sd: 0.001 }))).toBe("");
  expect(rowAmount(row({}))).toBeNull();
});

test("a faulty repetition is told in one line", () => {
  const finding = { code: "incomplete_lockout", mark: "watch", value: 7 } as const;
  expect(faultLine({ repetition: 5, mark: "watch", finding, more: 0 }, TARGET, false)).toBe(
    "Repetition 5: stopped 7° short of standing. Finish tall.",
  );
  expect(faultLine({ repetition: 5, mark: "watch", finding, more: 2 }, TARGET, false)).toContain("Finish tall. And 2 more faults.");
});

test("the best is named where there is one", () => {
  expect(bestLine({ best: null } as SetReport)).toBeNull();
  expect(bestLine({ best: 3 } as SetReport)).toBe("Best: repetition 3.");
});

test("rest is told in minutes and seconds", () => {
  expect([0, 9.9, 65, 600, -3].map(minutes)).toEqual(["0:00", "0:09", "1:05", "10:00", "0:00"]);
});
