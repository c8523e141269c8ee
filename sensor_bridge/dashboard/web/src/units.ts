// Loads are kept in kilograms everywhere; people read and type them in the unit this screen was set to.

import { signal } from "@preact/signals";
import { briefly } from "./format";

export type LoadUnit = "kg" | "lb";

const KEY = "hipline-load-unit";
/** The international avoirdupois pound, exact by definition (1959). */
const KILOGRAMS_A_POUND = 0.45359237;
/** The smallest plates there are: half a kilogram, a pound. */
const STEP: Record<LoadUnit, number> = { kg: 0.5, lb: 1 };

export const loadUnit = signal<LoadUnit>(remembered());

/** Go from one unit to the other, and remember it on this screen. */
export function switchLoadUnit(): void {
  loadUnit.value = loadUnit.value === "kg" ? "lb" : "kg";
  try {
    localStorage.setItem(KEY, loadUnit.value);
  } catch {
    // A browser that stores nothing asks again next time.
  }
}

/** A load as people read it, to the smallest plate: "60 kg", "132 lb". */
export function loadText(kilograms: number, unit: LoadUnit = loadUnit.value): string {
  return `${briefly(loadIn(kilograms, unit))} ${unit}`;
}

/** A load in `unit`, to the smallest plate. */
export function loadIn(kilograms: number, unit: LoadUnit = loadUnit.value): number {
  const exact = unit === "kg" ? kilograms : kilograms / KILOGRAMS_A_POUND;
  return Math.round(exact / STEP[unit]) * STEP[unit];
}

/** What somebody typed in `unit`, in kilograms. */
export function kilogramsOf(amount: number, unit: LoadUnit = loadUnit.value): number {
  return unit === "kg" ? amount : amount * KILOGRAMS_A_POUND;
}

function remembered(): LoadUnit {
  try {
    return localStorage.getItem(KEY) === "lb" ? "lb" : "kg";
  } catch {
    return "kg";
  }
}
