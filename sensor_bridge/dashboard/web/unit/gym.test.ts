import { describe, expect, test } from "vitest";
import { Athlete, Gym } from "../src/gym";
import type { FaultEvent, SetSummary } from "../src/payloads";
import { brief, live, repetition, state } from "./records";

const setSummary = (changes: Partial<SetSummary> = {}) =>
  ({ athlete: "a1", set: 1, revision: 0, final: true, withdrawn: false, ...changes }) as SetSummary;
const fault = (changes: Partial<FaultEvent> = {}) =>
  ({ athlete: "a1", code: "repetition_aborted", revision: 0, withdrawn: false, ...changes }) as FaultEvent;
const numbers = (athlete: Athlete) => athlete.repetitions.map((known) => known.repetition);

describe("repetition events", () => {
  test("the same event twice is one repetition", () => {
    const athlete = new Athlete("a1");
    athlete.applyRepetition("id-1", repetition(), 7_400);
    athlete.applyRepetition("id-1", repetition(), 7_400);
    expect(numbers(athlete)).toEqual([1]);
  });

  test("the highest revision stands, whatever the order", () => {
    const athlete = new Athlete("a1");
    athlete.applyRepetition("id-1", repetition({ revision: 2, eccentric_s: 4.9 }), 7_400);
    athlete.applyRepetition("id-1", repetition({ revision: 1, eccentric_s: 4.2 }), 7_400);
    athlete.applyRepetition("id-1", repetition({ revision: 0, eccentric_s: 3.0 }), 7_400);
    expect(athlete.lastRepetition?.eccentric_s).toBe(4.9);
  });

  test("a withdrawn repetition vanishes and a late older revision does not bring it back", () => {
    const athlete = new Athlete("a1");
    athlete.applyRepetition("id-1", repetition(), 7_400);
    athlete.applyRepetition("id-1", repetition({ revision: 1, status: "withdrawn" }), 7_400);
    athlete.applyRepetition("id-1", repetition(), 7_400);
    expect(numbers(athlete)).toEqual([]);
    expect(athlete.lastRepetition).toBeNull();
  });

  test("a revision that renumbers a repetition moves it", () => {
    const athlete = new Athlete("a1");
    athlete.applyRepetition("id-2", repetition({ repetition: 2 }), 17_400);
    athlete.applyRepetition("id-2", repetition({ repetition: 1, revision: 1 }), 17_400);
    expect(numbers(athlete)).toEqual([1]);
  });

  test("corrections that pass numbers on from one repetition to the next lose none, in any order", () => {
    const corrected = [
      ["id-1", repetition({ repetition: 1, revision: 3 }), 7_400],
      ["id-new", repetition({ repetition: 2, eccentric_s: 3.3 }), 12_400],
      ["id-2", repetition({ repetition: 3, revision: 3 }), 17_400],
      ["id-3", repetition({ repetition: 4, revision: 1 }), 27_400],
    ] as const;
    for (const order of [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]]) {
      const athlete = new Athlete("a1");
      athlete.applyRepetition("id-1", repetition({ repetition: 1, revision: 2 }), 7_400);
      athlete.applyRepetition("id-2", repetition({ repetition: 2, revision: 2 }), 17_400);
      athlete.applyRepetition("id-3", repetition({ repetition: 3 }), 27_400);
      for (const place of order) {
        const [id, told, timeMs] = corrected[place]!;
        athlete.applyRepetition(id, told, timeMs);
      }
      expect(numbers(athlete)).toEqual([1, 2, 3, 4]);
      expect(athlete.repetitions[1]?.detail?.eccentric_s).toBe(3.3);
    }
  });

  test("only the repetitions of the set being done are shown", () => {
    const athlete = new Athlete("a1");
    athlete.applyRepetition("id-1", repetition({ set: 1 }), 7_400);
    athlete.applyRepetition("id-2", repetition({ set: 2 }), 97_400);
    athlete.applyLive(live({ t_ms: 98_000, set: 2, repetition: 1 }), 98_100);
    expect(athlete.repetitions.map((known) => known.set)).toEqual([2]);
  });
});

describe("retained state", () => {
  test("gives a late joiner the whole set and the last numbers", () => {
    const athlete = new Athlete("a1");
    const last = repetition({ repetition: 2, eccentric_s: 4.7 });
    athlete.applyState(
      state({ repetition: 2, repetitions: [brief(1), brief(2, { eccentric_s: 4.7 })], last_repetition: last }),
      20_000,
    );
    expect(numbers(athlete)).toEqual([1, 2]);
    expect(athlete.lastRepetition?.eccentric_s).toBe(4.7);
    expect(athlete.progress).toMatchObject({ set: 1, repetition: 2, phase: "standing" });
  });

  test("takes away what was withdrawn while the page was away", () => {
    const athlete = new Athlete("a1");
    athlete.applyRepetition("id-1", repetition({ repetition: 1 }), 7_400);
    athlete.applyRepetition("id-2", repetition({ repetition: 2 }), 15_400);
    athlete.applyState(state({ repetition: 1, repetitions: [brief(1)] }), 20_000);
    expect(numbers(athlete)).toEqual([1]);
  });

  test("does not take away a repetition that is newer than itself", () => {
    const athlete = new Athlete("a1");
    athlete.applyRepetition("id-1", repetition({ repetition: 1 }), 7_400);
    athlete.applyRepetition("id-2", repetition({ repetition: 2 }), 15_400);
    athlete.applyState(state({ repetition: 1, repetitions: [brief(1)] }), 9_000);
    expect(numbers(athlete)).toEqual([1, 2]);
  });

  test("does not put a short line in the place of a full record of the same revision", () => {
    const athlete = new Athlete("a1");
    athlete.applyRepetition("id-1", repetition({ repetition: 1 }), 7_400);
    athlete.applyState(state({ repetition: 1, repetitions: [brief(1)] }), 9_000);
    expect(athlete.repetitions[0]?.detail?.lockout_deficit_deg).toBe(1.2);
  });

  test("an older one that arrives late changes nothing", () => {
    const athlete = new Athlete("a1");
    athlete.applyState(state({ name: "New" }), 9_000);
    athlete.applyState(state({ name: "Old" }), 8_000);
    expect(athlete.name).toBe("New");
  });
});

describe("messages", () => {
  const envelope = { id: "x", session: "s1" };

  test("progress comes from whoever spoke last", () => {
    const gym = new Gym();
    gym.apply({ ...envelope, channel: "live", subject: "a1", timeMs: 5_000, data: live({ t_ms: 5_000, repetition: 3 }) }, 0);
    gym.apply({ ...envelope, channel: "state", subject: "a1", timeMs: 6_000, data: state({ repetition: 4 }) }, 0);
    expect(gym.athletes.get("a1")?.progress.repetition).toBe(4);
    gym.apply({ ...envelope, channel: "live", subject: "a1", timeMs: 6_100, data: live({ t_ms: 6_100, repetition: 5 }) }, 0);
    expect(gym.athletes.get("a1")?.progress.repetition).toBe(5);
  });

  test("motion alone does not redraw the card, a new phase does", () => {
    const gym = new Gym();
    const say = (t_ms: number, phase: "standing" | "eccentric") =>
      gym.apply({ ...envelope, channel: "live", subject: "a1", timeMs: t_ms, data: live({ t_ms, phase }) }, t_ms).redraw;
    expect([say(1_000, "standing"), say(1_100, "standing"), say(1_200, "eccentric")]).toEqual([true, false, true]);
  });

  test("a new session begins with an empty set, and the old one's late events stay out", () => {
    const gym = new Gym();
    const rep = (session: string, timeMs: number, number: number) =>
      gym.apply(
        { id: `${session}-${number}`, session, channel: "rep", subject: "a1", timeMs, data: repetition({ repetition: number }) },
        0,
      );
    rep("s1", 7_400, 1);
    gym.apply({ id: "y", session: "s2", channel: "live", subject: "a1", timeMs: 50_000, data: live({ t_ms: 50_000 }) }, 0);
    rep("s1", 15_400, 2);
    expect(gym.athletes.get("a1")?.repetitions).toEqual([]);
    rep("s2", 60_000, 1);
    expect(numbers(gym.athletes.get("a1")!)).toEqual([1]);
  });

  test("a cleared state takes the athlete off the page", () => {
    const gym = new Gym();
    gym.apply({ ...envelope, channel: "state", subject: "a1", timeMs: 1, data: state() }, 0);
    gym.apply({ channel: "state", subject: "a1", removed: true }, 0);
    expect([...gym.athletes.keys()]).toEqual([]);
  });
});

describe("what turned out not to have happened", () => {
  test("a withdrawn set is no longer the latest", () => {
    const athlete = new Athlete("a1");
    athlete.applySet("set-2", setSummary({ set: 2 }), 60_000);
    athlete.applySet("set-2", setSummary({ set: 2, revision: 1, withdrawn: true }), 60_000);
    expect(athlete.latestSet).toBeNull();
  });

  test("a withdrawn fault is taken out, another one stays", () => {
    const athlete = new Athlete("a1");
    athlete.applyFault("fault-1", fault(), 7_000);
    athlete.applyFault("fault-2", fault(), 9_000);
    athlete.applyFault("fault-1", fault({ revision: 1, withdrawn: true }), 7_000);
    expect(athlete.latestFault?.id).toBe("fault-2");
    athlete.applyFault("fault-2", fault({ revision: 1, withdrawn: true }), 9_000);
    expect(athlete.latestFault).toBeNull();
  });
});

test("a session has begun for the page with its first repetition, whoever tells of it", () => {
  const athlete = new Athlete("a1");
  athlete.enter("s1", 0);
  athlete.applyState(state(), 0);
  expect(athlete.hasBegun).toBe(false);
  athlete.applyRepetition("id-1", repetition(), 7_400);
  expect(athlete.hasBegun).toBe(true);
  const joined = new Athlete("a2");
  joined.applyState(state({ set: 2 }), 0);
  expect(joined.hasBegun).toBe(true);
});
