// Between messages and views: messages are stored and marked, once a frame the marks become signals.

import { signal, type Signal } from "@preact/signals";
import { CatchUp, type Ask } from "./catch_up";
import { pageNow } from "./clock";
import type { LinkState } from "./connection";
import { onFrame } from "./frames";
import { Gym } from "./gym";
import { readMessage, Unreadable, type Message } from "./messages";
import type { ConnectionState } from "./strings";
import { needsLook, verdictOn } from "./verdict";

export interface Place {
  athlete: string;
  needsLook: boolean;
}

export class Store {
  readonly gym = new Gym();
  readonly connection = signal<ConnectionState>("connecting");
  /** The cards in the order they are shown: who needs a look first, then by name. */
  readonly places = signal<readonly Place[]>([]);
  readonly unread = signal(0);
  readonly #versions = new Map<string, Signal<number>>();
  readonly #changed = new Set<string>();
  readonly #catchUp: CatchUp;
  #link: LinkState = "connecting";
  #unread = 0;

  constructor(ask: Ask = () => Promise.resolve(null)) {
    this.#catchUp = new CatchUp(this, ask);
    onFrame(() => this.#flush());
  }

  get sessions(): ReadonlyMap<string, string> {
    return new Map([...this.gym.athletes.values()].map(({ id, session }) => [id, session]));
  }

  /** Goes up whenever the card of `athlete` has to be drawn anew. */
  version(athlete: string): Signal<number> {
    let version = this.#versions.get(athlete);
    if (!version) {
      version = signal(0);
      this.#versions.set(athlete, version);
    }
    return version;
  }

  setLink(link: LinkState): void {
    this.#link = link;
    this.#updateConnection();
    if (link === "live") this.catchUp();
  }

  /** The page was away, without network or asleep: ask what it missed. */
  catchUp(): void {
    this.#catchUp.wasAway();
  }

  /** Take in events that came another way than from the broker. */
  learn(messages: readonly Message[]): void {
    for (const message of messages) {
      // Nobody who left the page while the answer was under way comes back by it.
      if (this.gym.athletes.has(message.subject)) this.gym.apply(message, pageNow());
      this.#changed.add(message.subject);
    }
  }

  receive(topicRoot: string, topic: string, text: string): void {
    try {
      const { athlete, redraw } = this.gym.apply(readMessage(topicRoot, topic, text), pageNow());
      if (!redraw) return;
      if (athlete === null) return this.#updateConnection();
      this.#changed.add(athlete);
      this.#catchUp.saw(athlete, this.gym.athletes.get(athlete)?.session ?? "");
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      this.#unread += 1;
    }
  }

  #updateConnection(): void {
    const services = [...this.gym.services.values()];
    const stopped = services.length > 0 && services.every((service) => service.state === "offline");
    this.connection.value = this.#link === "live" && stopped ? "bridge-stopped" : this.#link;
  }

  #flush(): void {
    if (this.unread.value !== this.#unread) this.unread.value = this.#unread;
    if (this.#changed.size === 0) return;
    for (const athlete of this.#changed) this.version(athlete).value += 1;
    this.#changed.clear();
    const places = [...this.gym.athletes.values()]
      .map((athlete) => ({
        athlete: athlete.id,
        name: athlete.name,
        needsLook: needsLook(verdictOn(athlete, this.gym.sensorsOf(athlete.id))),
      }))
      .sort(
        (a, b) =>
          Number(b.needsLook) - Number(a.needsLook) ||
          a.name.localeCompare(b.name, undefined, { numeric: true }) ||
          a.athlete.localeCompare(b.athlete),
      )
      .map(({ athlete, needsLook: look }) => ({ athlete, needsLook: look }));
    if (JSON.stringify(places) !== JSON.stringify(this.places.value)) this.places.value = places;
  }
}
