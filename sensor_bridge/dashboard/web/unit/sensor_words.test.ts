import { expect, test } from "vitest";
import { linkDetails, linkFigures, sensorTrouble, sensorTroubleBriefly } from "../src/strings";
import { sensor } from "./records";

test("figures of a link leave out what is not known", () => {
  expect(linkFigures(sensor())).toEqual([]);
  expect(linkDetails(sensor())).toEqual(["0 samples received, 0 lost"]);
  expect(linkFigures(sensor({ received: 10, rssi_dbm: -61, connection_interval_ms: 15 }))).toEqual([
    "nothing lost",
    "\u221261 dBm",
    "every 15 ms",
  ]);
});

test("lost samples are told as gaps with their length once they are measured", () => {
  expect(linkFigures(sensor({ received: 10, lost: 3 }))).toEqual(["3 samples lost"]);
  expect(linkFigures(sensor({ received: 10, lost: 3, missing: 2 }))).toEqual(["2 samples still to be fetched"]);
  expect(linkDetails(sensor({ received: 10, backfilled: 4 }))).toEqual(["10 samples received, 4 fetched later, 0 lost"]);
  expect(linkFigures(sensor({ lost: 30, gaps: 1, lost_s: 0.3 }))).toEqual(["1 gap, 0.3 s"]);
  expect(linkFigures(sensor({ lost: 30, gaps: 2, lost_s: 0.3 }))).toEqual(["2 gaps, 0.3 s"]);
});

test("of a sensor that sends neither time nor number nobody says that nothing was lost", () => {
  const vendors = sensor({ received: 10, lacks: ["clock", "gyroscope", "loss"] });
  expect(linkFigures(vendors)).toEqual(["losses cannot be seen"]);
  expect(linkDetails(vendors)).toEqual(["timed by arrival", "no gyroscope", "10 samples received"]);
});

test("counts that are 0 are not told", () => {
  const told = linkDetails(sensor({ received: 9, sampling_rate_hz: 100, clock_drift_ppm: -12.4, reconnects: 2 }));
  expect(told).toEqual(["100 Hz", "clock \u221212 ppm", "9 samples received, 0 lost", "2 reconnects"]);
});

test("a sensor that is away is said with the reason, whatever is being done about it", () => {
  for (const link of ["lost", "scanning", "connecting"] as const) {
    expect(sensorTrouble(sensor({ link, reason: "its battery was at 3 %: charge it" }))).toContain("charge it. Its angles");
  }
  expect(sensorTrouble(sensor({ link: "lost" }))).toContain("out of reach");
  expect(sensorTrouble(sensor({ link: "scanning" }))).toBeNull();
  expect(sensorTrouble(sensor({ battery_percent: 9 }))).toContain("9 % battery left");
});

test("a sensor that is connected and sends nothing is not called away", () => {
  const why = "it has stopped sending and says so, though the link is up; switch it off and on again";
  expect(sensorTrouble(sensor({ link: "connected", reason: why }))).toBe(
    `The sensor on the pelvis is connected, but ${why}. Its angles are missing until then.`,
  );
});

test("where room is short a trouble is told in few words, and never more often than in many", () => {
  expect(sensorTroubleBriefly(sensor())).toBeNull();
  expect(sensorTroubleBriefly(sensor({ battery_percent: 9 }))).toBe("pelvis: 9 % battery left");
  expect(sensorTroubleBriefly(sensor({ link: "lost" }))).toBe("pelvis: sensor away");
  expect(sensorTroubleBriefly(sensor({ link: "stopped" }))).toBe("pelvis: sensor stopped");
  expect(sensorTroubleBriefly(sensor({ reason: "it sends nothing" }))).toBe("pelvis: connected, sends nothing");
});
