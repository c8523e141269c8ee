import { expect, test } from "vitest";
import { readMessage, Unreadable } from "../src/messages";
import { live } from "./records";

const ROOT = "hipline/v1/gym-1";
const envelope = (data: unknown, changes: object = {}) =>
  JSON.stringify({ v: 1, id: "i", ts: "2026-11-21T09:15:30.123Z", session: "s1", seq: 0, data, ...changes });

test("reads topic, time and payload", () => {
  expect(readMessage(ROOT, `${ROOT}/athlete/a1/live`, envelope(live()))).toMatchObject({
    channel: "live",
    subject: "a1",
    timeMs: 1_795_252_530_123,
    session: "s1",
    data: { rate_hz: 50 },
  });
});

test("fills in what the sender left to its default", () => {
  const short = { t_ms: 1, rate_hz: 50, posture: "standing", phase: "top", set: 1, repetition: 2 };
  expect(readMessage(ROOT, `${ROOT}/athlete/a1/live`, envelope(short))).toMatchObject({
    data: { depth: null, eccentric_start_ms: null, pelvic_tilt_deg: null },
  });
});

test("an empty payload is a removal", () => {
  expect(readMessage(ROOT, `${ROOT}/athlete/a1/state`, "")).toEqual({ channel: "state", subject: "a1", removed: true });
});

test.each([
  ["not JSON", "{"],
  ["a list", "[]"],
  ["another schema version", envelope(live(), { v: 2 })],
  ["no time", envelope(live(), { ts: "yesterday" })],
  ["no payload", envelope(undefined)],
  ["a word that is not one of ours", envelope({ ...live(), phase: "flying" })],
  ["text where numbers belong", envelope({ ...live(), pelvic_tilt_deg: ["1", 2] })],
  ["half a sample number", envelope({ ...live(), repetition: 1.5 })],
])("does not let %s through", (_, text) => {
  expect(() => readMessage(ROOT, `${ROOT}/athlete/a1/live`, text)).toThrow(Unreadable);
});

test.each(["hipline/v1/gym-2/athlete/a1/live", `${ROOT}/athlete/a1/other`, `${ROOT}/athlete/A b/live`])(
  "does not take the topic %s",
  (topic) => {
    expect(() => readMessage(ROOT, topic, envelope(live()))).toThrow(Unreadable);
  },
);
