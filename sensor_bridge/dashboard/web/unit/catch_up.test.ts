import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { CatchUp, type Ask } from "../src/catch_up";
import { Gym } from "../src/gym";
import { readRecords, type Message } from "../src/messages";
import { repetition, state } from "./records";

const idAt = (ms: number) => {
  const hex = ms.toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
};
const told = (...numbers: number[]) => ({
  repetitions: numbers.map((number) => ({ ...repetition({ repetition: number }), id: idAt(number * 10_000) })),
});

class Page {
  readonly gym = new Gym();
  get sessions() {
    return new Map([...this.gym.athletes.values()].map(({ id, session }) => [id, session]));
  }
  learn(messages: readonly Message[]) {
    for (const message of messages) this.gym.apply(message, 0);
  }
  see(session: string, timeMs: number) {
    const data = state({ session, repetitions: [] });
    this.gym.apply({ channel: "state", subject: "a1", id: "s", timeMs, session, data }, 0);
  }
  get numbers() {
    return this.gym.athletes.get("a1")?.repetitions.map((known) => known.repetition);
  }
}

describe("catching up", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test("what happened while the page was away is there afterwards, and nothing twice", async () => {
    const page = new Page();
    const ask = vi.fn<Ask>(async () => told(1, 2, 3));
    const catchUp = new CatchUp(page, ask);
    page.see("s1", 1_000);
    page.learn(readRecords("a1", "s1", told(1)));
    catchUp.wasAway();
    await vi.runAllTimersAsync();
    expect(page.numbers).toEqual([1, 2, 3]);
    expect(ask).toHaveBeenCalledExactlyOnceWith("s1", "a1");
  });

  test("each session is asked for once, and again after the page was away", async () => {
    const page = new Page();
    const ask = vi.fn<Ask>(async () => null);
    const catchUp = new CatchUp(page, ask);
    page.see("s1", 1_000);
    for (const session of ["s1", "s1", "s2", "s2"]) catchUp.saw("a1", session);
    await vi.runAllTimersAsync();
    catchUp.wasAway();
    await vi.runAllTimersAsync();
    expect(ask.mock.calls.map(([session]) => session)).toEqual(["s1", "s2", "s1"]);
  });

  test("a session that has only begun is asked for when the archive has had time to write it", async () => {
    const page = new Page();
    const ask = vi.fn<Ask>(async () => null);
    const catchUp = new CatchUp(page, ask);
    catchUp.sawBeginning("a1", "s1");
    await vi.runAllTimersAsync();
    catchUp.saw("a1", "s1");
    catchUp.saw("a1", "s1");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(ask).not.toHaveBeenCalled();
    await vi.runAllTimersAsync();
    expect(ask).toHaveBeenCalledExactlyOnceWith("s1", "a1");
  });

  test("an archive that does not answer is asked until it does", async () => {
    const page = new Page();
    const ask = vi.fn<Ask>(async () => {
      if (ask.mock.calls.length < 4) throw new Error("no network");
      return told(1, 2);
    });
    page.see("s1", 1_000);
    new CatchUp(page, ask).wasAway();
    await vi.runAllTimersAsync();
    expect(page.numbers).toEqual([1, 2]);
    expect(ask).toHaveBeenCalledTimes(4);
  });

  test("an answer about a session that is over does not bring it back", async () => {
    const page = new Page();
    page.see("s1", 1_000);
    const ask = async () => {
      page.see("s2", 90_000);
      return told(1, 2);
    };
    new CatchUp(page, ask).wasAway();
    await vi.runAllTimersAsync();
    expect(page.sessions.get("a1")).toBe("s2");
    expect(page.numbers).toEqual([]);
  });

  test("what is no record is left out", () => {
    const good = told(2).repetitions[0];
    const bad = [null, "x", {}, { ...good, id: 5 }, { ...good, repetition: "<b>" }];
    expect(readRecords("a1", "s1", { repetitions: [...bad, good], sets: "none" }).map(({ id }) => id)).toEqual([
      idAt(20_000),
    ]);
    expect(readRecords("a1", "s1", { repetitions: [good] })[0]?.timeMs).toBe(20_000);
  });
});
