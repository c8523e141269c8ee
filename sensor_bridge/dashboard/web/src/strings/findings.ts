// What went wrong in a repetition, in words: what happened, how much, and what to do about it.

import { briefly, decimal } from "../format";
import type { Finding } from "../judgement";
import type { Target } from "../payloads";

/** More reasons than this in one sentence are not taken in at a glance. */
export const MOST_REASONS = 2;

export interface FindingWords {
  what: string;
  /** Empty where there is nothing to do about it. */
  advice: string;
}

/** What a fault means and what to do about it. */
export function findingWords({ code, value }: Finding, target: Target | null, lying = false): FindingWords {
  const amount = value === null ? null : Math.abs(value);
  const degrees = amount === null ? "" : ` ${decimal(amount, 0)}°`;
  const words = (what: string, advice = ""): FindingWords => ({ what, advice });
  switch (code) {
    case "fast_eccentric":
      if (value === null) return words("lowered too fast", "Slow it down.");
      if (target?.eccentric_s) {
        return words(`${decimal(value, 1)} s down instead of ${briefly(target.eccentric_s)}`, "Slow the lowering.");
      }
      return words(`${decimal(value, 1)} s down`, "Slow the lowering.");
    case "incomplete_lockout":
      if (lying) return words(`hips stopped${degrees} short${degrees && " of the top"}`, "Push them all the way up.");
      return words(`stopped${degrees} short of standing`, "Finish tall.");
    case "over_extension":
      return words(`leaned back${degrees} past standing`, "Stop when tall.");
    case "pelvic_drop":
      if (value === null) return words("pelvis tipped", "Keep both hips level.");
      return words(`${value > 0 ? "right" : "left"} hip${degrees} higher`, "Keep both hips level.");
    case "hip_open":
      return words(`hips opened${degrees}`, "Keep both hip bones facing the floor.");
    case "pelvic_rotation":
      return words(`pelvis turned${degrees}`, "Keep the hips square.");
    case "knee_dominant":
      return words("more knees than hips", "Push the hips back.");
    case "balance_loss":
      return words("lost balance", "Slow down, or hold on to something.");
    case "uneven_tempo":
      return words("uneven tempo", "Keep one steady count.");
    case "short_range":
      return words(`shorter range than before${degrees && ` (${degrees.trim()})`}`, "Go as deep as in the first ones.");
    case "rounding_proxy":
      return words(`pelvis turned back${degrees} on the way down: the back may have rounded`, "Stop a little higher.");
    case "alternation_error":
      return words("same foot twice", "Left, right, left.");
    case "hip_sag":
      return words(`hips sagged${degrees}`, "Push them up.");
    case "aborted":
    case "repetition_aborted":
      return words("broken off, not counted");
    default:
      return words(spaced(code));
  }
}

export function sentence({ what, advice }: FindingWords): string {
  return advice ? `${what}. ${advice}` : `${what}.`;
}

/** A code as words, where there are no better ones. */
export function spaced(code: string): string {
  const words = code.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
