// How a repetition went, in one of three marks and a list of findings. The bridge's own faults stand; what it
// measures but does not judge is held against the default limits of METRICS.md. A finding is withheld where
// its uncertainty could explain it.

import type { FoundFault, Repetition, RepetitionBrief, Target } from "./payloads";

export type Mark = "good" | "watch" | "bad";

export interface Finding {
  code: string;
  mark: "watch" | "bad";
  value: number | null;
}

export interface Judgement {
  mark: Mark;
  findings: Finding[];
  /** Counted, but the bridge is not sure that it was one. */
  doubtful: boolean;
}

export const LEVEL_LIMIT_DEG = 5;
const LEVEL_BAD_DEG = 10;
const LOCKOUT_LIMIT_DEG = 5;
const LOCKOUT_BAD_DEG = 10;
const OVER_EXTENSION_DEG = -10;
/** Shorter than asked by more than a tenth, but never fussier than half a second. */
const ECCENTRIC_SLACK = 0.1;
const ECCENTRIC_SLACK_S = 0.5;

const OPEN: Target = {
  repetitions: null,
  sets: null,
  eccentric_s: null,
  bottom_s: null,
  concentric_s: null,
  top_s: null,
  minimum_range_deg: null,
  load_kg: null,
  is_supported: null,
};

/** What was asked when the repetition was done, where it tells; a prescription may have changed since. */
export function askedThen(record: Repetition | RepetitionBrief, now: Target | null): Target | null {
  const parts = "adherence" in record ? record.adherence : [];
  const asked = (part: string) => parts.find((one) => one.part === part)?.asked ?? null;
  if (asked("eccentric") === null) return now;
  return {
    ...(now ?? OPEN),
    eccentric_s: asked("eccentric"),
    bottom_s: asked("bottom"),
    concentric_s: asked("concentric"),
    top_s: asked("top"),
  };
}

export function judge(record: Repetition | RepetitionBrief, prescribed: Target | null): Judgement {
  const target = askedThen(record, prescribed);
  const findings = record.faults.map((fault) => (typeof fault === "string" ? fromCode(fault) : fromFault(fault)));
  const known = new Set(findings.map((finding) => finding.code));
  for (const finding of ownFindings(record, target)) {
    if (!known.has(finding.code)) findings.push(finding);
  }
  findings.sort((a, b) => Number(b.mark === "bad") - Number(a.mark === "bad"));
  return {
    mark: findings[0]?.mark ?? "good",
    findings,
    doubtful: record.status === "unconfirmed",
  };
}

export function isLevel(obliquityDeg: number): boolean {
  return Math.abs(obliquityDeg) <= LEVEL_LIMIT_DEG;
}

/** Time under tension that was asked for, s; null where the prescription leaves it open. */
export function targetTutS(target: Target | null): number | null {
  if (!target || target.eccentric_s === null) return null;
  const fastConcentricS = 1;
  return target.eccentric_s + (target.bottom_s ?? 0) + (target.concentric_s ?? fastConcentricS);
}

function fromCode(code: string): Finding {
  return { code, mark: "watch", value: null };
}

function fromFault(fault: FoundFault): Finding {
  const { code, value, threshold } = fault;
  const gross = value !== null && threshold !== null && threshold !== 0 && value / threshold >= 2;
  return { code, mark: gross ? "bad" : "watch", value };
}

function ownFindings(record: Repetition | RepetitionBrief, target: Target | null): Finding[] {
  const found: Finding[] = [];
  const { sd } = record;
  const exceeds = (value: number, limit: number, field: string) => value - limit > Math.max(0, sd[field] ?? 0);

  // Phases by speed threshold are a little shorter than the whole movement, which is what was asked for.
  const movementS = record.eccentric_movement_s;
  const eccentricS = movementS ?? record.eccentric_s;
  const askedS = target?.eccentric_s ?? null;
  if (eccentricS !== null && askedS !== null) {
    const field = movementS === null ? "eccentric_s" : "eccentric_movement_s";
    const slackS = Math.max(ECCENTRIC_SLACK_S, ECCENTRIC_SLACK * askedS);
    if (exceeds(askedS - eccentricS, slackS, field)) {
      const mark = exceeds(askedS - eccentricS, 2 * slackS, field) ? "bad" : "watch";
      found.push({ code: "fast_eccentric", mark, value: eccentricS });
    }
  }
  const lockout = record.lockout_deficit_deg;
  if (lockout !== null && exceeds(lockout, LOCKOUT_LIMIT_DEG, "lockout_deficit_deg")) {
    const mark = exceeds(lockout, LOCKOUT_BAD_DEG, "lockout_deficit_deg") ? "bad" : "watch";
    found.push({ code: "incomplete_lockout", mark, value: lockout });
  }
  if (lockout !== null && exceeds(-lockout, -OVER_EXTENSION_DEG, "lockout_deficit_deg")) {
    found.push({ code: "over_extension", mark: "watch", value: lockout });
  }
  const level = record.pelvic_obliquity_peak_deg;
  if (level !== null && exceeds(Math.abs(level), LEVEL_LIMIT_DEG, "pelvic_obliquity_peak_deg")) {
    const mark = exceeds(Math.abs(level), LEVEL_BAD_DEG, "pelvic_obliquity_peak_deg") ? "bad" : "watch";
    found.push({ code: "pelvic_drop", mark, value: level });
  }
  return found;
}
