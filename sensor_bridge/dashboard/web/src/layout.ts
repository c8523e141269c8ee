// How many columns, and how much on each card, so that everybody is seen at once where that is possible.

export type Density = "solo" | "full" | "medium" | "small";

export interface Layout {
  density: Density;
  columns: number;
  /** Height of a card, CSS px; null where its content decides. */
  height: number | null;
  /** How much larger than its least size a card may be drawn. */
  scale: number;
}

interface Size {
  width: number;
  height: number;
}

/** Below these a card of that density can no longer be read, CSS px. */
const LEAST: Record<Exclude<Density, "solo">, Size> = {
  full: { width: 400, height: 380 },
  medium: { width: 290, height: 244 },
  small: { width: 160, height: 148 },
};
export const GAP: Record<Density, number> = { solo: 0, full: 14, medium: 12, small: 8 };
const BEST_SHAPE = 1.3;
const LARGEST_SCALE = 1.9;
/** A hand-held screen scrolls; squeezing everybody into it would make nobody readable. */
const PHONE_WIDTH = 720;
const PHONE_CARD = { width: 340, height: 330 };
/** Nothing smaller than 16 px in the hand. */
const PHONE_SCALE = 16 / 14;

export function layoutFor(cards: number, { width, height }: Size): Layout {
  if (cards <= 1) return { density: "solo", columns: 1, height: null, scale: 1 };
  if (width < PHONE_WIDTH) {
    const columns = Math.max(1, Math.floor(width / PHONE_CARD.width));
    return { density: "medium", columns, height: PHONE_CARD.height, scale: PHONE_SCALE };
  }
  for (const density of ["full", "medium", "small"] as const) {
    const fitting = fit(cards, density, { width, height });
    if (fitting) return fitting;
  }
  const { width: least, height: leastHeight } = LEAST.small;
  const columns = Math.max(1, Math.floor((width + GAP.small) / (least + GAP.small)));
  return { density: "small", columns, height: leastHeight, scale: 1 };
}

/** The arrangement without scrolling whose cards come nearest to a good shape; null where there is none. */
function fit(cards: number, density: Exclude<Density, "solo">, { width, height }: Size): Layout | null {
  const gap = GAP[density];
  const least = LEAST[density];
  let best: Layout | null = null;
  let bestError = Infinity;
  for (let columns = 1; columns <= cards; columns += 1) {
    const rows = Math.ceil(cards / columns);
    const card = { width: (width - (columns - 1) * gap) / columns, height: (height - (rows - 1) * gap) / rows };
    if (card.width < least.width || card.height < least.height) continue;
    const empty = columns * rows - cards;
    const error = Math.abs(Math.log(card.width / card.height / BEST_SHAPE)) + (0.5 * empty) / cards;
    if (error >= bestError) continue;
    bestError = error;
    const scale = Math.min(LARGEST_SCALE, card.width / least.width, card.height / least.height);
    best = { density, columns, height: Math.floor(card.height), scale: Math.floor(scale * 100) / 100 };
  }
  return best;
}
