import { expect, test } from "vitest";
import { askedThen, judge, targetTutS } from "../src/judgement";
import { repetitionSentence } from "../src/strings";
import { brief, repetition } from "./records";

const target = {
  repetitions: 8,
  sets: 3,
  eccentric_s: 5,
  bottom_s: 0,
  concentric_s: null,
  top_s: 0,
  minimum_range_deg: null,
  load_kg: null,
  is_supported: null,
};

test("a repetition as asked is good", () => {
  const record = repetition();
  const judgement = judge(record, target);
  expect(judgement).toEqual({ mark: "good", findings: [], doubtful: false });
  expect(repetitionSentence(record, [], target, false)).toBe(
    "Repetition 1: 5.0 s down, stood all the way up, hips level.",
  );
});

test("the whole movement is held against the tempo, not the shorter phase", () => {
  expect(judge(repetition({ eccentric_s: 4.4, eccentric_movement_s: 4.6 }), target).mark).toBe("good");
  expect(judge(repetition({ eccentric_s: 4.2, eccentric_movement_s: 4.4 }), target).findings).toEqual([
    { code: "fast_eccentric", mark: "watch", value: 4.4 },
  ]);
  expect(judge(repetition({ eccentric_s: 2.9, eccentric_movement_s: 3.1 }), target).mark).toBe("bad");
});

test("what the uncertainty can explain is not found fault with", () => {
  expect(judge(repetition({ lockout_deficit_deg: 6, sd: { lockout_deficit_deg: 2 } }), target).mark).toBe("good");
  expect(judge(repetition({ lockout_deficit_deg: 8, sd: { lockout_deficit_deg: 2 } }), target).mark).toBe("watch");
  expect(judge(repetition({ lockout_deficit_deg: 14, sd: { lockout_deficit_deg: 2 } }), target).mark).toBe("bad");
});

test("a bridge is told as a bridge", () => {
  const record = repetition({ exercise: "glute_bridge", lockout_deficit_deg: 8 });
  expect(repetitionSentence(record, [], target, false)).toContain("hips all the way up");
  expect(repetitionSentence(record, judge(record, target).findings, target, false)).toBe(
    "Repetition 1: hips stopped 8° short of the top. Push them all the way up.",
  );
});

test("leaning back past standing is not a lock-out", () => {
  expect(judge(repetition({ lockout_deficit_deg: -12 }), target).findings[0]?.code).toBe("over_extension");
});

test("the bridge's own fault stands and is not told twice", () => {
  const fault = {
    code: "pelvic_drop",
    value: 13,
    threshold: 5,
    sd: 0.5,
    kind: "measured",
    phase: null,
    repetition: 1,
    direction: null,
  } as const;
  const record = repetition({ pelvic_obliquity_peak_deg: 13, faults: [{ ...fault }] });
  const { findings } = judge(record, target);
  expect(findings).toEqual([{ code: "pelvic_drop", mark: "bad", value: 13 }]);
  expect(repetitionSentence(record, findings, target, false)).toBe(
    "Repetition 1: right hip 13° higher. Keep both hips level.",
  );
});

test("several reasons are told at once, the worst first", () => {
  const opened = { code: "hip_open", value: 12, threshold: 5, sd: 1, kind: "measured", phase: null, repetition: null, direction: null } as const;
  const record = repetition({ repetition: 5, eccentric_s: 4.0, eccentric_movement_s: 4.1, faults: [{ ...opened }] });
  const { findings } = judge(record, target);
  expect(repetitionSentence(record, findings, target, false)).toBe(
    "Repetition 5: hips opened 12°, 4.1 s down instead of 5.",
  );
});

test("a line of the state is judged like the whole record", () => {
  expect(judge(brief(3, { eccentric_s: 3, eccentric_movement_s: 3.2 }), target).findings[0]?.code).toBe("fast_eccentric");
  expect(judge(brief(3, { faults: ["hip_open"] }), target).findings).toEqual([
    { code: "hip_open", mark: "watch", value: null },
  ]);
  expect(judge(brief(3, { lockout_deficit_deg: 7 }), target).findings).toEqual([
    { code: "incomplete_lockout", mark: "watch", value: 7 },
  ]);
  expect(judge(brief(3, { lockout_deficit_deg: 7, sd: { lockout_deficit_deg: 3 } }), target).mark).toBe("good");
  expect(judge(brief(3), target)).toEqual({ mark: "good", findings: [], doubtful: false });
});

test("names that mean something to JavaScript are only names", () => {
  const { findings } = judge(brief(1, { faults: ["constructor"] }), target);
  expect(repetitionSentence(repetition(), findings, target, false)).toBe("Repetition 1: Constructor.");
});

test("time under tension that was asked for", () => {
  expect(targetTutS(target)).toBe(6);
  expect(targetTutS({ ...target, bottom_s: 1, concentric_s: 2 })).toBe(8);
  expect(targetTutS({ ...target, eccentric_s: null })).toBeNull();
  expect(targetTutS(null)).toBeNull();
});

test("a repetition is held against what was asked when it was done", () => {
  const asked = (part: string, seconds: number) => ({ part, asked: seconds, done: null, sd: null, keeping: "kept" }) as const;
  const record = repetition({ eccentric_s: 2.0, eccentric_movement_s: 2.1, adherence: [asked("eccentric", 2), asked("top", 1)] });
  expect(judge(record, target).mark).toBe("good");
  expect(askedThen(record, target)).toMatchObject({ eccentric_s: 2, top_s: 1, bottom_s: null, repetitions: 8 });
  const short = { ...record, eccentric_movement_s: 1.2 };
  expect(repetitionSentence(short, judge(short, target).findings, target, false)).toContain("1.2 s down instead of 2.");
  expect(askedThen(repetition(), target)).toBe(target);
});
