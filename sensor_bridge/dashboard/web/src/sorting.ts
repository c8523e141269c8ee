import { signal } from "@preact/signals";
import type { SortBy } from "./attention";

const KEY = "hipline-sort";

/** What decides the order of the cards on this screen. */
export const sortBy = signal<SortBy>(remembered());

export function sortCards(by: SortBy): void {
  sortBy.value = by;
  try {
    localStorage.setItem(KEY, by);
  } catch {
    // A browser that stores nothing asks again next time.
  }
}

function remembered(): SortBy {
  try {
    return localStorage.getItem(KEY) === "name" ? "name" : "attention";
  } catch {
    return "attention";
  }
}
