// What the page knows: athletes, sensors and services, built up from messages. No DOM, no clock of its own.

import { AngleHistory } from "./angle_history";
import { BridgeClock } from "./clock";
import type { Message, Removal } from "./messages";
import type {
  AthleteState,
  FaultEvent,
  Live,
  Note,
  Repetition,
  RepetitionBrief,
  SensorStatus,
  ServiceStatus,
  SetSummary,
} from "./payloads";
import { PhaseStart } from "./phase_start";

/** A repetition as known so far: the whole record, or the line of it in the retained state. */
export interface KnownRepetition {
  set: number;
  repetition: number;
  revision: number;
  timeMs: number;
  record: Repetition | RepetitionBrief;
  detail: Repetition | null;
  /** Of the event it was last told by; null where only the retained state told it. */
  id: string | null;
}

interface Stamped<T> {
  timeMs: number;
  data: T;
}

export class Athlete {
  readonly angles = new AngleHistory();
  readonly clock = new BridgeClock();
  readonly phaseStart = new PhaseStart();
  session = "";
  state: Stamped<AthleteState> | null = null;
  live: Live | null = null;
  liveArrivedMs: number | null = null;
  /** When the page heard of them first, by its own clock. */
  firstHeardMs = 0;
  latestSet: (Stamped<SetSummary> & { id: string }) | null = null;
  latestFault: (Stamped<FaultEvent> & { id: string }) | null = null;
  readonly #repetitionsByPlace = new Map<string, KnownRepetition>();
  readonly #revisionById = new Map<string, { revision: number; place: string }>();
  readonly #setRevisionById = new Map<string, number>();
  readonly #summaryBySet = new Map<number, { id: string; summary: SetSummary }>();
  readonly #noteById = new Map<string, Note>();

  constructor(readonly id: string) {}

  get name(): string {
    return this.state?.data.name || this.id;
  }

  get side(): "both" | "left" | "right" {
    return this.state?.data.side ?? "both";
  }

  /** Whether anything has happened in the session that events tell of. */
  get hasBegun(): boolean {
    const { set, repetition } = this.progress;
    return set > 1 || repetition > 0 || this.#repetitionsByPlace.size > 0;
  }

  /** Set, completed repetitions and phase, from whichever spoke last. */
  get progress(): { set: number; repetition: number; phase: Live["phase"]; posture: Live["posture"] } {
    const { live, state } = this;
    const posture = live?.posture ?? "unknown";
    if (live && (!state || live.t_ms >= state.timeMs)) {
      return { set: live.set, repetition: live.repetition, phase: live.phase, posture };
    }
    if (state) {
      const { set, repetition, phase } = state.data;
      return { set, repetition, phase, posture };
    }
    return { set: 0, repetition: 0, phase: "unknown", posture };
  }

  /** The repetitions of the set that is being done, or was done last, in order. */
  get repetitions(): KnownRepetition[] {
    const all = [...this.#repetitionsByPlace.values()];
    const newest = Math.max(0, ...all.map((known) => known.set));
    const { set, phase } = this.progress;
    // While resting the finished set stays in view even though the next one has its number already.
    const shown = phase === "rest" || !all.some((known) => known.set === set) ? Math.min(newest, set || newest) : set;
    return this.repetitionsOf(shown);
  }

  /** The repetitions of one set, in order. */
  repetitionsOf(set: number): KnownRepetition[] {
    const all = [...this.#repetitionsByPlace.values()];
    return all.filter((known) => known.set === set).sort((a, b) => a.repetition - b.repetition);
  }

  /** The sets of this session that have repetitions, in order. */
  get sets(): number[] {
    return [...new Set([...this.#repetitionsByPlace.values()].map((known) => known.set))].sort((a, b) => a - b);
  }

  summaryOf(set: number): SetSummary | null {
    return this.#summaryBySet.get(set)?.summary ?? null;
  }

  /** What people said in this session and did not take back, in the order of the moments it is about. */
  get notes(): (Note & { id: string })[] {
    const standing = [...this.#noteById].filter(([, note]) => !note.withdrawn);
    return standing.map(([id, note]) => ({ ...note, id })).sort((a, b) => a.at_ms - b.at_ms);
  }

  get lastRepetition(): Repetition | null {
    const all = [...this.#repetitionsByPlace.values()].filter((known) => known.detail);
    all.sort((a, b) => a.set - b.set || a.repetition - b.repetition);
    return all.at(-1)?.detail ?? null;
  }

  /** Begin anew when the messages belong to another session. */
  enter(session: string, timeMs: number): void {
    if (session === this.session) return;
    const newest = Math.max(this.state?.timeMs ?? -Infinity, this.live?.t_ms ?? -Infinity);
    // An event of the former session that was kept for later must not wipe the present one.
    if (this.session !== "" && timeMs < newest) return;
    this.session = session;
    this.#repetitionsByPlace.clear();
    this.#revisionById.clear();
    this.#setRevisionById.clear();
    this.#summaryBySet.clear();
    this.#noteById.clear();
    this.latestSet = null;
    this.latestFault = null;
  }

  applyLive(live: Live, arrivedMs: number): void {
    this.clock.observe(live.t_ms, arrivedMs);
    this.angles.append(live, this.side);
    this.phaseStart.take(live);
    this.live = live;
    this.liveArrivedMs = arrivedMs;
  }

  applyState(state: AthleteState, timeMs: number): void {
    if (this.state && timeMs < this.state.timeMs) return;
    this.state = { timeMs, data: state };
    const listed = new Set(state.repetitions.map((brief) => placeOf(state.set, brief.repetition)));
    for (const [place, known] of this.#repetitionsByPlace) {
      // Withdrawn while the page was away: the list is complete for its set.
      if (known.set === state.set && known.timeMs <= timeMs && !listed.has(place)) {
        this.#repetitionsByPlace.delete(place);
      }
    }
    for (const brief of state.repetitions) this.#keep(null, state.set, brief, null, timeMs);
    const last = state.last_repetition;
    if (last && last.status !== "withdrawn") this.#keep(null, last.set, last, last, timeMs);
  }

  /** A repetition event: of all revisions with one id the highest stands, however often and in what order. */
  applyRepetition(id: string, repetition: Repetition, timeMs: number): void {
    const seen = this.#revisionById.get(id);
    if (seen && seen.revision >= repetition.revision) return;
    const place = placeOf(repetition.set, repetition.repetition);
    // A correction may give it another number, and its old one to another repetition, told before or after.
    if (seen && this.#repetitionsByPlace.get(seen.place)?.id === id) this.#repetitionsByPlace.delete(seen.place);
    this.#revisionById.set(id, { revision: repetition.revision, place });
    if (repetition.status !== "withdrawn") this.#keep(id, repetition.set, repetition, repetition, timeMs);
    else if (!seen && !this.#repetitionsByPlace.get(place)?.id) this.#repetitionsByPlace.delete(place);
  }

  applySet(id: string, summary: SetSummary, timeMs: number): void {
    if ((this.#setRevisionById.get(id) ?? -1) >= summary.revision) return;
    this.#setRevisionById.set(id, summary.revision);
    for (const [set, known] of this.#summaryBySet) if (known.id === id) this.#summaryBySet.delete(set);
    if (!summary.withdrawn) this.#summaryBySet.set(summary.set, { id, summary });
    if (summary.withdrawn) {
      if (this.latestSet?.id === id) this.latestSet = null;
    } else if (!this.latestSet || this.latestSet.id === id || summary.set >= this.latestSet.data.set) {
      this.latestSet = { id, timeMs, data: summary };
    }
  }

  applyFault(id: string, fault: FaultEvent, timeMs: number): void {
    if (fault.withdrawn) {
      if (this.latestFault?.id === id) this.latestFault = null;
    } else if (!this.latestFault || timeMs >= this.latestFault.timeMs) {
      this.latestFault = { id, timeMs, data: fault };
    }
  }

  applyNote(id: string, note: Note): void {
    const known = this.#noteById.get(id);
    if (!known || known.revision < note.revision) this.#noteById.set(id, note);
  }

  #keep(
    id: string | null,
    set: number,
    record: Repetition | RepetitionBrief,
    detail: Repetition | null,
    timeMs: number,
  ): void {
    const place = placeOf(set, record.repetition);
    const known = this.#repetitionsByPlace.get(place);
    if (record.status === "withdrawn") return;
    const isSame = known && (id === null || known.id === null || known.id === id);
    if (isSame && (known.revision > record.revision || (known.revision === record.revision && known.detail))) {
      return;
    }
    const { repetition, revision } = record;
    const told = id ?? known?.id ?? null;
    this.#repetitionsByPlace.set(place, { id: told, set, repetition, revision, timeMs, record, detail });
  }
}

export class Gym {
  readonly athletes = new Map<string, Athlete>();
  readonly sensors = new Map<string, SensorStatus>();
  readonly services = new Map<string, ServiceStatus>();

  /**
   * Take in one message.
   *
   * @returns the athlete concerned and whether more than the live motion may look different now.
   */
  apply(message: Message | Removal, arrivedMs: number): { athlete: string | null; redraw: boolean } {
    if ("removed" in message) return this.#remove(message);
    switch (message.channel) {
      case "sensor":
        this.sensors.set(message.subject, message.data);
        return { athlete: message.data.athlete, redraw: true };
      case "service":
        this.services.set(message.subject, message.data);
        return { athlete: null, redraw: true };
      case "response":
        // Answers belong to those who asked, not to the gym.
        return { athlete: null, redraw: false };
      default:
        return this.#applyToAthlete(message, arrivedMs);
    }
  }

  sensorsOf(athlete: string): SensorStatus[] {
    return [...this.sensors.values()]
      .filter((sensor) => sensor.athlete === athlete)
      .sort((a, b) => a.placement.localeCompare(b.placement) || a.sensor.localeCompare(b.sensor));
  }

  #applyToAthlete(
    message: Exclude<Message, { channel: "sensor" | "service" | "response" }>,
    arrivedMs: number,
  ): { athlete: string; redraw: boolean } {
    const id = message.subject;
    const known = this.athletes.get(id);
    const athlete = known ?? new Athlete(id);
    if (!known) athlete.firstHeardMs = arrivedMs;
    this.athletes.set(id, athlete);
    const before = JSON.stringify(athlete.progress);
    athlete.enter(message.session, message.timeMs);
    if (message.session !== athlete.session) return { athlete: id, redraw: !known };
    switch (message.channel) {
      case "live":
        athlete.applyLive(message.data, arrivedMs);
        return { athlete: id, redraw: !known || before !== JSON.stringify(athlete.progress) };
      case "state":
        athlete.applyState(message.data, message.timeMs);
        break;
      case "rep":
        athlete.applyRepetition(message.id, message.data, message.timeMs);
        break;
      case "set":
        athlete.applySet(message.id, message.data, message.timeMs);
        break;
      case "fault":
        athlete.applyFault(message.id, message.data, message.timeMs);
        break;
      case "note":
        athlete.applyNote(message.id, message.data);
        break;
    }
    return { athlete: id, redraw: true };
  }

  #remove({ channel, subject }: Removal): { athlete: string | null; redraw: boolean } {
    if (channel === "state") this.athletes.delete(subject);
    if (channel === "service") this.services.delete(subject);
    const athlete = channel === "sensor" ? (this.sensors.get(subject)?.athlete ?? null) : subject;
    if (channel === "sensor") this.sensors.delete(subject);
    return { athlete, redraw: true };
  }
}

function placeOf(set: number, repetition: number): string {
  return `${set}/${repetition}`;
}
