// What happened while the page was away (no Wi-Fi, asleep, not opened yet) is asked of the bridge's archive.
// The broker retains only the running set; events are told to those who listen.

import { readRecords, type Message } from "./messages";

/** Asks for all events of one athlete in one session; null where there is nobody to ask. */
export type Ask = (session: string, athlete: string) => Promise<Record<string, unknown> | null>;

export interface Learner {
  /** Athletes on the page who have done something, and the session each is in. */
  readonly sessions: ReadonlyMap<string, string>;
  learn(messages: readonly Message[]): void;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;
/** By then the archive has what it heard. */
const WRITTEN_MS = 5_000;

export class CatchUp {
  readonly #asked = new Map<string, string>();
  readonly #waiting = new Map<string, string>();
  readonly #young = new Map<string, string>();
  #isAsking = false;

  constructor(
    private readonly learner: Learner,
    private readonly ask: Ask,
  ) {}

  /** The page was away: whatever it knows may be out of date. */
  wasAway(): void {
    this.#asked.clear();
    for (const [athlete, session] of this.learner.sessions) this.saw(athlete, session);
  }

  /** An athlete was heard of; asks once for each session. */
  saw(athlete: string, session: string): void {
    if (session === "" || this.#asked.get(athlete) === session) return;
    this.#asked.set(athlete, session);
    if (this.#young.get(athlete) !== session) return this.#wait(athlete, session);
    // The page was there: there is only what came before it, notes say, and the archive may still be writing.
    this.#young.delete(athlete);
    setTimeout(() => this.#wait(athlete, session), WRITTEN_MS);
  }

  #wait(athlete: string, session: string): void {
    this.#waiting.set(athlete, session);
    if (!this.#isAsking) void this.#askAll();
  }

  /** No repetition has been done yet in a session of an athlete: the archive need not know it so soon. */
  sawBeginning(athlete: string, session: string): void {
    this.#young.set(athlete, session);
  }

  async #askAll(): Promise<void> {
    this.#isAsking = true;
    let waitMs = FIRST_WAIT_MS;
    for (let next = this.#next(); next; next = this.#next()) {
      const [athlete, session] = next;
      try {
        const told = await this.ask(session, athlete);
        if (this.#waiting.get(athlete) === session) this.#waiting.delete(athlete);
        if (told) this.learner.learn(readRecords(athlete, session, told));
        waitMs = FIRST_WAIT_MS;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, waitMs));
        waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2);
      }
    }
    this.#isAsking = false;
  }

  #next(): [athlete: string, session: string] | undefined {
    return this.#waiting.entries().next().value;
  }
}
