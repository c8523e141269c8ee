// Reads what comes from the broker: topic and text in, a checked message out, or the reason why not.
// Nothing that fails here reaches the page.

import schema from "./payload_schema.json";
import type { PayloadByChannel } from "./payloads";

export type Channel = keyof PayloadByChannel;

export type Message = {
  [C in Channel]: {
    channel: C;
    /** Athlete, sensor or service the topic names. */
    subject: string;
    id: string;
    /** Sample time, UTC ms. */
    timeMs: number;
    session: string;
    data: PayloadByChannel[C];
  };
}[Channel];

/** A retained message was cleared: its subject is gone. */
export interface Removal {
  channel: Channel;
  subject: string;
  removed: true;
}

export class Unreadable extends Error {}

interface Schema {
  type?: string;
  enum?: readonly unknown[];
  anyOf?: readonly Schema[];
  items?: Schema;
  $ref?: string;
  properties?: Readonly<Record<string, Schema>>;
  required?: readonly string[];
  additionalProperties?: Schema;
  default?: unknown;
}

const SCHEMA_VERSION = 1;
const DEFINITIONS = schema.$defs as unknown as Readonly<Record<string, Schema>>;

const SENSOR_ID = /^[a-z0-9][a-z0-9-]*$/;

const CHANNEL_BY_TOPIC: ReadonlyArray<readonly [pattern: RegExp, channel: Channel]> = [
  [/^athlete\/([a-z0-9-]+)\/live$/, "live"],
  [/^athlete\/([a-z0-9-]+)\/rep$/, "rep"],
  [/^athlete\/([a-z0-9-]+)\/set$/, "set"],
  [/^athlete\/([a-z0-9-]+)\/fault$/, "fault"],
  [/^athlete\/([a-z0-9-]+)\/note$/, "note"],
  [/^athlete\/([a-z0-9-]+)\/state$/, "state"],
  [/^sensor\/([a-z0-9-]+)\/status$/, "sensor"],
  [/^svc\/([a-z0-9-]+)\/status$/, "service"],
  [/^svc\/bridge\/rsp\/([a-z0-9-]+)$/, "response"],
];

/** Subscriptions below the gym's root with their quality of service: live moments may be lost, events not. */
const SUBSCRIPTIONS: Readonly<Record<string, 0 | 1>> = {
  "athlete/+/live": 0,
  "athlete/+/rep": 1,
  "athlete/+/set": 1,
  "athlete/+/fault": 1,
  "athlete/+/note": 1,
  "athlete/+/state": 1,
  "sensor/+/status": 1,
  "svc/+/status": 1,
};

/** What a coach subscribes to, or an athlete, who may read nothing of others. */
export function subscriptionsFor(athlete: string | null): Record<string, 0 | 1> {
  if (athlete === null) return SUBSCRIPTIONS;
  const own = Object.entries(SUBSCRIPTIONS)
    .filter(([below]) => !below.startsWith("sensor/"))
    .map(([below, qos]) => [below.replace("athlete/+/", `athlete/${athlete}/`).replace("svc/+", "svc/bridge"), qos]);
  return Object.fromEntries(own) as Record<string, 0 | 1>;
}

/** The sensors that an athlete's state names. */
export function wornSensors(text: string): string[] {
  try {
    const data: unknown = (JSON.parse(text) as { data?: unknown } | null)?.data;
    const sensors = isObject(data) ? data["sensors"] : undefined;
    return Array.isArray(sensors) ? sensors.filter((name) => typeof name === "string" && SENSOR_ID.test(name)) : [];
  } catch {
    return [];
  }
}

export function readMessage(topicRoot: string, topic: string, text: string): Message | Removal {
  const below = topic.startsWith(`${topicRoot}/`) ? topic.slice(topicRoot.length + 1) : "";
  for (const [pattern, channel] of CHANNEL_BY_TOPIC) {
    const subject = pattern.exec(below)?.[1];
    if (subject === undefined) continue;
    if (text === "") return { channel, subject, removed: true };
    return readEnvelope(channel, subject, text);
  }
  throw new Unreadable(`unexpected topic ${topic}`);
}

function readEnvelope(channel: Channel, subject: string, text: string): Message {
  let envelope: unknown;
  try {
    envelope = JSON.parse(text);
  } catch {
    throw new Unreadable("not JSON");
  }
  if (!isObject(envelope)) throw new Unreadable("not an object");
  const { v, id, ts, session, data } = envelope;
  if (v !== SCHEMA_VERSION) throw new Unreadable(`schema version ${String(v)}`);
  if (typeof id !== "string" || typeof ts !== "string" || typeof session !== "string") {
    throw new Unreadable("incomplete envelope");
  }
  const timeMs = Date.parse(ts);
  if (Number.isNaN(timeMs)) throw new Unreadable("no time");
  if (!conforms(payloadOf(channel), data)) throw new Unreadable(`not a ${channel} payload`);
  return { channel, subject, id, timeMs, session, data } as unknown as Message;
}

const ARCHIVED = { sets: "set", repetitions: "rep", faults: "fault", notes: "note" } as const;

/** Reads what the archive tells of one athlete's session: payloads, each with the id of its event. */
export function readRecords(athlete: string, session: string, told: Record<string, unknown>): Message[] {
  const messages: Message[] = [];
  for (const [list, channel] of Object.entries(ARCHIVED)) {
    const records = told[list];
    for (const record of Array.isArray(records) ? records : []) {
      if (!isObject(record) || typeof record.id !== "string") continue;
      if (!conforms(payloadOf(channel), record)) continue;
      const timeMs = timeOfId(record.id);
      messages.push({ channel, subject: athlete, id: record.id, timeMs, session, data: record } as unknown as Message);
    }
  }
  return messages;
}

/** When an event happened: a UUIDv7 begins with it, ms since 1970. */
function timeOfId(id: string): number {
  return Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16);
}

function payloadOf(channel: Channel): Schema {
  return { $ref: `#/$defs/${schema.channels[channel]}` };
}

/** Whether `value` is what `schema` describes; absent properties that have a default get it. */
function conforms(schema: Schema, value: unknown): boolean {
  if (schema.$ref !== undefined) {
    const definition = DEFINITIONS[schema.$ref.slice("#/$defs/".length)];
    return definition !== undefined && conforms(definition, value);
  }
  if (schema.anyOf) return schema.anyOf.some((option) => conforms(option, value));
  if (schema.enum) return schema.enum.includes(value);
  switch (schema.type) {
    case "null":
      return value === null;
    case "string":
    case "boolean":
      return typeof value === schema.type;
    case "number":
      return typeof value === "number";
    case "integer":
      return Number.isInteger(value);
    case "array":
      return Array.isArray(value) && value.every((item) => !schema.items || conforms(schema.items, item));
    case "object":
      return isObject(value) && objectConforms(schema, value);
    default:
      return false;
  }
}

function objectConforms(schema: Schema, value: Record<string, unknown>): boolean {
  if (schema.required?.some((name) => !Object.hasOwn(value, name))) return false;
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (!Object.hasOwn(value, name)) value[name] = structuredClone(property.default);
    else if (!conforms(property, value[name])) return false;
  }
  const other = schema.additionalProperties;
  if (!schema.properties && other) return Object.values(value).every((item) => conforms(other, item));
  return true;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
