// Between messages and views: messages are stored and marked, once a frame the marks become signals.

import { signal, type Signal } from "@preact/signals";
import { AttentionOrder, type Candidate } from "./attention";
import { CatchUp, type Ask } from "./catch_up";
import { pageNow } from "./clock";
import { type Asked, CommandDesk, type CommandName, replyTopic } from "./commands";
import type { LinkState, Way } from "./connection";
import { onFrame } from "./frames";
import { Gym } from "./gym";
import { readMessage, Unreadable, type Message } from "./messages";
import type { ArgumentsByCommand } from "./payloads";
import { presenceOf } from "./presence";
import { sortBy } from "./sorting";
import type { ConnectionState } from "./strings";
import { urgencyOf, verdictOn } from "./verdict";

const ORDER_EVERY_MS = 500;

export interface Place {
  athlete: string;
  needsLook: boolean;
}

export class Store {
  readonly gym = new Gym();
  readonly connection = signal<ConnectionState>("connecting");
  /** The cards in the order they are shown. */
  readonly places = signal<readonly Place[]>([]);
  readonly unread = signal(0);
  /** What the bridge says is wrong with itself now. */
  readonly alarms = signal<readonly string[]>([]);
  readonly #versions = new Map<string, Signal<number>>();
  readonly #changed = new Set<string>();
  readonly #catchUp: CatchUp;
  /** What was asked of the bridge from this page, the newest first. */
  readonly asked = signal<readonly Asked[]>([]);
  /** While true the cards keep their places: somebody is reaching for one. */
  isOrderHeld = false;
  readonly #desk = new CommandDesk(`page-${Math.random().toString(36).slice(2, 12)}`, () => {
    this.asked.value = this.#desk.asked;
  });
  readonly #order = new AttentionOrder();
  readonly #candidates = new Map<string, Candidate>();
  #orderedMs = -Infinity;
  #way: Way | null = null;
  #hears: Promise<void> | null = null;
  #link: LinkState = "connecting";
  #unread = 0;

  constructor(ask: Ask = () => Promise.resolve(null)) {
    this.#catchUp = new CatchUp(this, ask);
    onFrame(() => this.#flush());
  }

  get sessions(): ReadonlyMap<string, string> {
    const begun = [...this.gym.athletes.values()].filter((athlete) => athlete.hasBegun);
    return new Map(begun.map(({ id, session }) => [id, session]));
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

  /** There is a way to the broker now, or none any more. */
  setWay(way: Way | null): void {
    this.#way = way;
    this.#hears = null;
  }

  /** Ask something of the bridge; what becomes of it is in `asked`, under the request that is returned. */
  ask<Name extends CommandName>(name: Name, args: ArgumentsByCommand[Name]): string {
    const nowMs = pageNow();
    const { request, topic, text } = this.#desk.ask(name, args, nowMs, this.bridgeTime(nowMs));
    this.#send(topic, text).catch(() => this.#desk.giveUp(request));
    return request;
  }

  async #send(topic: string, text: string): Promise<void> {
    if (!this.#way) throw new Error("no connection");
    this.#hears ??= this.#way.hear(replyTopic(this.#desk.replyTo)).catch((error: unknown) => {
      this.#hears = null;
      throw error;
    });
    await this.#hears;
    await this.#way.send(topic, text);
  }

  receive(topicRoot: string, topic: string, text: string): void {
    try {
      const message = readMessage(topicRoot, topic, text);
      if (!("removed" in message) && message.channel === "response") this.#desk.settle(message.data);
      const { athlete, redraw } = this.gym.apply(message, pageNow());
      if (!redraw) return;
      if (athlete === null) return this.#updateConnection();
      this.#changed.add(athlete);
      const known = this.gym.athletes.get(athlete);
      if (known?.hasBegun) this.#catchUp.saw(athlete, known.session);
      else if (known && message.channel === "state") this.#catchUp.sawBeginning(athlete, known.session);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      this.#unread += 1;
    }
  }

  /** The bridge's time where the page knows it: it takes no command that its own clock calls old. */
  bridgeTime(nowMs: number): number {
    const known = [...this.gym.athletes.values()].map((athlete) => athlete.clock.bridgeTime(nowMs));
    const newest = Math.max(-Infinity, ...known.filter((time) => time !== null));
    return Number.isFinite(newest) ? newest : nowMs;
  }

  #updateConnection(): void {
    const services = [...this.gym.services.values()];
    const alarms = services.flatMap((service) => (service.state === "online" ? service.alarms : []));
    if (alarms.join("\n") !== this.alarms.value.join("\n")) this.alarms.value = alarms;
    const stopped = services.length > 0 && services.every((service) => service.state === "offline");
    this.connection.value = this.#link === "live" && stopped ? "bridge-stopped" : this.#link;
  }

  #flush(): void {
    if (this.unread.value !== this.#unread) this.unread.value = this.#unread;
    for (const athlete of this.#changed) this.version(athlete).value += 1;
    const nowMs = pageNow();
    // Orders change slowly; silence, which no message tells of, is looked for meanwhile.
    if (nowMs - this.#orderedMs < ORDER_EVERY_MS && this.#changed.size === 0) return;
    const isDue = nowMs - this.#orderedMs >= ORDER_EVERY_MS;
    if (isDue) for (const athlete of this.gym.athletes.keys()) this.#changed.add(athlete);
    for (const athlete of this.#changed) this.#judge(athlete, nowMs);
    this.#changed.clear();
    if (isDue) {
      this.#orderedMs = nowMs;
      this.#desk.expire(nowMs);
    }
    this.#place(nowMs);
  }

  #judge(id: string, nowMs: number): void {
    const athlete = this.gym.athletes.get(id);
    if (!athlete) {
      this.#candidates.delete(id);
      return;
    }
    const verdict = verdictOn(athlete, this.gym.sensorsOf(id));
    const presence = presenceOf(athlete.liveArrivedMs, athlete.firstHeardMs, nowMs);
    this.#candidates.set(id, { athlete: id, name: athlete.name, urgency: urgencyOf(verdict, presence) });
  }

  #place(nowMs: number): void {
    const order = this.#order.order([...this.#candidates.values()], sortBy.value, nowMs, this.isOrderHeld);
    const places = order.map((athlete) => ({
      athlete,
      needsLook: (this.#candidates.get(athlete)?.urgency ?? 0) > 0,
    }));
    if (JSON.stringify(places) !== JSON.stringify(this.places.value)) this.places.value = places;
  }
}
