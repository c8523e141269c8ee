// One animation loop for the whole page. Painters run at most once a frame and write to the DOM directly;
// the more cards there are, the fewer frames each of them gets.

import { useEffect, useRef } from "preact/hooks";
import { pageNow } from "./clock";

type Painter = (pageMs: number) => void;

interface Entry {
  paint: Painter;
  slot: number;
  slowdown: number;
}

const painters = new Set<Entry>();
let nextSlot = 0;
let frame = 0;
let running = false;
let everyNth = 1;

/** Tell the loop how crowded the page is. */
export function paceFor(cards: number): void {
  everyNth = cards <= 4 ? 1 : cards <= 12 ? 2 : 4;
}

function tick(): void {
  frame += 1;
  const now = pageNow();
  for (const { paint, slot, slowdown } of painters) {
    if ((frame + slot) % (everyNth * slowdown) === 0) paint(now);
  }
  requestAnimationFrame(tick);
}

export function onFrame(paint: Painter, slowdown = 1): () => void {
  nextSlot += 1;
  const entry = { paint, slot: nextSlot, slowdown };
  painters.add(entry);
  if (!running) {
    running = true;
    requestAnimationFrame(tick);
  }
  return () => painters.delete(entry);
}

/** Run `paint` in the loop while the component is on the page; `slowdown` 3 means every third turn. */
export function usePainter(paint: Painter, slowdown = 1): void {
  const latest = useRef(paint);
  latest.current = paint;
  useEffect(() => onFrame((now) => latest.current(now), slowdown), [slowdown]);
}
