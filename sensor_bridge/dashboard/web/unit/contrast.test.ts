// WCAG 2.2 AA, computed from the colours the pages use: 4.5 : 1 for text (1.4.3), 3 : 1 for what else has to be
// seen (1.4.11).

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const css = readFileSync(new URL("../src/style/page.css", import.meta.url), "utf8");

function colours(selector: string): Record<string, string> {
  const block = css.split(`${selector} {`)[1]?.split("}")[0] ?? "";
  return Object.fromEntries([...block.matchAll(/--([a-z-]+): (#[0-9a-f]{6});/g)].map(([, name, value]) => [name!, value!]));
}

/** Relative luminance as WCAG 2.2 defines it. */
function luminance(hex: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

const TEXTS: [ink: string, ground: string][] = [
  ...["text", "muted", "dim", "live", "good", "watch", "bad"].flatMap((ink) =>
    ["page", "card"].map((ground): [string, string] => [ink, ground]),
  ),
  ...["text", "muted"].map((ink): [string, string] => [ink, "raised"]),
  ["dim", "raised"],
  ["on-live", "live"],
  ["on-mark", "good"],
  ["on-mark", "watch"],
  ["on-mark", "bad"],
  ["on-mark", "dim"],
  ["text", "tempo-rest"],
  ["text", "tempo-up"],
];
const SHAPES: [ink: string, ground: string][] = [
  ["live", "card"],
  ["live", "raised"],
  ["thigh", "card"],
  ["guess", "card"],
  ["good", "raised"],
  ["watch", "card"],
  ["bad", "raised"],
  ["trace-second", "card"],
  ["control", "card"],
  ["control", "page"],
  ["dim", "raised"],
];

test("the measure is the one of WCAG", () => {
  expect(contrast("#000000", "#ffffff")).toBeCloseTo(21, 6);
  expect(contrast("#777777", "#ffffff")).toBeCloseTo(4.48, 2);
});

describe.each([
  ["dark", ":root"],
  ["light", ':root[data-theme="light"]'],
])("%s", (_, selector) => {
  const named = { ...colours(":root"), ...colours(selector) };
  test.each(TEXTS)("%s is read on %s", (ink, ground) => {
    expect(contrast(named[ink]!, named[ground]!)).toBeGreaterThanOrEqual(4.5);
  });
  test.each(SHAPES)("%s is seen on %s", (ink, ground) => {
    expect(contrast(named[ink]!, named[ground]!)).toBeGreaterThanOrEqual(3);
  });
});
