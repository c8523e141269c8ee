// What a coach asks of the bridge, and what became of it. Nothing is taken for done before the bridge says so.

import type { ArgumentsByCommand, Response } from "./payloads";

export type CommandName = keyof ArgumentsByCommand;

/** `unanswered`: sent, and nobody knows; `unsent`: it never left this page. */
export type Outcome = "pending" | "done" | "refused" | "unanswered" | "unsent";

export interface Asked<Name extends CommandName = CommandName> {
  readonly request: string;
  readonly name: Name;
  readonly arguments: ArgumentsByCommand[Name];
  readonly athlete: string | null;
  readonly atMs: number;
  readonly outcome: Outcome;
  /** The bridge's own words; empty until it spoke. */
  readonly text: string;
  /** Whether an undo of it was done. */
  readonly undone: boolean;
}

export interface Outgoing {
  /** Below the gym's root. */
  topic: string;
  text: string;
}

/** The bridge refuses what is older; by then its answer must have come. */
const ANSWER_WITHIN_MS = 10_000;
const REMEMBERED = 100;
const UNDOABLE: ReadonlySet<CommandName> = new Set(["prescribe", "not-a-repetition", "missed-repetition", "note"]);

/** Where answers to this page go, below the gym's root. */
export function replyTopic(replyTo: string): string {
  return `svc/bridge/rsp/${replyTo}`;
}

export class CommandDesk {
  #asked: readonly Asked[] = [];
  #sequence = 0;

  constructor(
    readonly replyTo: string,
    private readonly onChange: () => void = () => {},
  ) {}

  /** Everything asked from this page, the newest first. */
  get asked(): readonly Asked[] {
    return this.#asked;
  }

  /**
   * Write down a command as pending.
   *
   * @param nowMs by the page's clock, for waiting; `stampMs` by the bridge's, which refuses what is stale.
   */
  ask<Name extends CommandName>(
    name: Name,
    args: ArgumentsByCommand[Name],
    nowMs: number,
    stampMs: number = nowMs,
  ): Outgoing & { request: string } {
    const request = uuid7(stampMs);
    const athlete = "athlete" in args ? args.athlete : null;
    const entry = { request, name, arguments: args, athlete, atMs: nowMs, outcome: "pending", text: "", undone: false };
    this.#asked = [entry as Asked, ...this.#asked].slice(0, REMEMBERED);
    this.onChange();
    const message = {
      v: 1,
      id: request,
      ts: new Date(Math.round(stampMs)).toISOString(),
      session: "",
      seq: this.#sequence++,
      data: { request, reply_to: this.replyTo, arguments: args },
    };
    return { request, topic: `svc/bridge/cmd/${name}`, text: JSON.stringify(message) };
  }

  /** The bridge answered, perhaps late, perhaps twice: its word stands. */
  settle({ request, ok, text }: Response): void {
    const told = this.#asked.find((entry) => entry.request === request);
    if (!told) return;
    this.#change(request, { outcome: ok ? "done" : "refused", text });
    if (ok && told.name === "undo") {
      this.#change((told.arguments as ArgumentsByCommand["undo"]).request, { undone: true });
    }
  }

  /** It could not be sent: there is no way to the broker. */
  giveUp(request: string): void {
    this.#change(request, { outcome: "unsent" });
  }

  /** Say of what nobody answered that nobody did. */
  expire(nowMs: number): void {
    for (const entry of this.#asked) {
      if (entry.outcome === "pending" && nowMs - entry.atMs >= ANSWER_WITHIN_MS) {
        this.#change(entry.request, { outcome: "unanswered" });
      }
    }
  }

  #change(request: string, changes: Partial<Asked>): void {
    let changed = false;
    this.#asked = this.#asked.map((entry) => {
      if (entry.request !== request) return entry;
      changed = true;
      return { ...entry, ...changes };
    });
    if (changed) this.onChange();
  }
}

/** Whether an undo may be asked for: it was done, it has a way back, and nobody took it yet. */
export function mayUndo(entry: Asked): boolean {
  return entry.outcome === "done" && !entry.undone && UNDOABLE.has(entry.name);
}

/** RFC 9562, version 7: sorted by `timeMs`, random otherwise. */
export function uuid7(timeMs: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const time = Math.max(0, Math.round(timeMs)).toString(16).padStart(12, "0").slice(-12);
  const variant = ((bytes[8]! & 0x3f) | 0x80).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex.slice(13, 16)}-${variant}${hex.slice(18, 20)}-${hex.slice(20)}`;
}
