// One animation loop for the whole page. Painters write to the DOM directly, at most once a frame and only
// where somebody can see it; the more cards there are, the fewer frames each of them gets.

import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { pageNow } from "./clock";

type Painter = (pageMs: number) => void;

interface Entry {
  paint: Painter;
  slot: number;
  slowdown: number;
  visible: boolean;
}

const entries = new Set<Entry>();
const entryByElement = new WeakMap<Element, Entry>();
let sight: IntersectionObserver | null = null;
let nextSlot = 0;
let frame = 0;
let running = false;
let everyNth = 1;

/** Tell the loop how crowded the page is. */
export function paceFor(cards: number): void {
  everyNth = cards <= 4 ? 1 : cards <= 12 ? 2 : 4;
}

/** Run `paint` in the loop until the returned function is called; `slowdown` 3 means every third turn. */
export function onFrame(paint: Painter, slowdown = 1): () => void {
  const entry = add(paint, slowdown);
  return () => entries.delete(entry);
}

/** Run `paint` in the loop while the element of `box`, which needs a box of its own, can be seen. */
export function usePainter(box: RefObject<Element | null>, paint: Painter, slowdown = 1): void {
  const latest = useRef(paint);
  latest.current = paint;
  useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const entry = add((now) => latest.current(now), slowdown);
    sight ??= new IntersectionObserver(notice, { rootMargin: "80px" });
    entryByElement.set(element, entry);
    sight.observe(element);
    return () => {
      sight?.unobserve(element);
      entries.delete(entry);
    };
  }, [box, slowdown]);
}

function add(paint: Painter, slowdown: number): Entry {
  nextSlot += 1;
  const entry = { paint, slot: nextSlot, slowdown, visible: true };
  entries.add(entry);
  if (!running) {
    running = true;
    requestAnimationFrame(tick);
  }
  return entry;
}

function notice(sightings: IntersectionObserverEntry[]): void {
  for (const { target, isIntersecting } of sightings) {
    const entry = entryByElement.get(target);
    if (entry) entry.visible = isIntersecting;
  }
}

function tick(): void {
  frame += 1;
  const now = pageNow();
  // On few frames much is painted rather than a little on every frame: a frame without paint costs next to nothing.
  if (frame % Math.ceil(everyNth / 2) === 0) {
    const turn = Math.floor(frame / everyNth);
    const half = frame % everyNth === 0 ? 0 : 1;
    for (const { paint, slot, slowdown, visible } of entries) {
      if (visible && (everyNth === 1 || slot % 2 === half) && (turn + slot) % slowdown === 0) paint(now);
    }
  }
  requestAnimationFrame(tick);
}
