import { expect, test } from "vitest";
import { layoutFor } from "../src/layout";

const LAPTOP = { width: 1394, height: 820 };
const TV = { width: 1864, height: 1000 };
const PHONE = { width: 366, height: 780 };

test("one athlete alone has the whole screen", () => {
  for (const screen of [LAPTOP, TV, PHONE]) expect(layoutFor(1, screen).density).toBe("solo");
});

test("six, twelve and forty are seen at once on a laptop and on a TV", () => {
  expect(layoutFor(6, LAPTOP)).toMatchObject({ density: "full", columns: 3 });
  expect(layoutFor(6, TV)).toMatchObject({ density: "full", columns: 3 });
  expect(layoutFor(12, LAPTOP)).toMatchObject({ density: "medium", columns: 4 });
  expect(layoutFor(12, TV)).toMatchObject({ density: "medium", columns: 4 });
  expect(layoutFor(40, LAPTOP)).toMatchObject({ density: "small", columns: 8 });
  expect(layoutFor(40, TV)).toMatchObject({ density: "small", columns: 8 });
});

test("the rows fill the screen and not more", () => {
  for (const cards of [2, 5, 6, 12, 25, 40]) {
    for (const screen of [LAPTOP, TV]) {
      const { columns, height } = layoutFor(cards, screen);
      expect(Math.ceil(cards / columns) * height!).toBeLessThanOrEqual(screen.height);
    }
  }
});

test("a larger screen means larger cards, not emptier ones", () => {
  expect(layoutFor(12, TV).scale).toBeGreaterThan(1.3);
  expect(layoutFor(40, TV).scale).toBeGreaterThan(1.2);
  expect(layoutFor(40, LAPTOP).scale).toBeGreaterThanOrEqual(1);
});

test("a phone scrolls and stays readable", () => {
  expect(layoutFor(40, PHONE)).toMatchObject({ density: "medium", columns: 1 });
});

test("where not everybody fits the page scrolls, and no card is ever narrower than it can be read", () => {
  expect(layoutFor(200, LAPTOP)).toMatchObject({ density: "small", scale: 1, height: 148 });
  for (let cards = 2; cards <= 60; cards += 1) {
    const { columns, scale } = layoutFor(cards, { width: 1000, height: 700 });
    expect(columns * 160).toBeLessThanOrEqual(1000);
    expect(scale).toBeGreaterThanOrEqual(1);
  }
});
