// Where the parts of the stick figure are, from the side, facing right. Angles in degrees as published;
// lengths in figure units, y upwards from the floor. Shanks, trunk, head and arms are guesses and drawn grey.

import type { Pose } from "./angle_history";

export interface Point {
  x: number;
  y: number;
}

export interface Leg {
  knee: Point;
  foot: Point;
  measured: boolean;
}

export interface Figure {
  hip: Point;
  /** Turn of the pelvis, degrees, clockwise positive (anterior tilt). */
  pelvisDeg: number;
  pelvisMeasured: boolean;
  shoulder: Point;
  head: Point;
  hand: Point;
  near: Leg;
  far: Leg;
}

const THIGH = 44;
const SHANK = 42;
const TRUNK = 50;
const NECK = 17;
const ARM = 46;
const FAR_OFFSET = 3;
/** A thigh this far behind the other one is a free leg, not a standing one. */
const FREE_LEG_DEG = 25;

export function figureOf(
  pose: Pose,
  side: "both" | "left" | "right",
  posture: "other" | "standing" | "supine" | "unknown",
): Figure {
  return posture === "supine" ? lying(pose) : standing(pose, side);
}

function standing(pose: Pose, side: "both" | "left" | "right"): Figure {
  const { thighLeftDeg: left, thighRightDeg: right, tiltDeg } = pose;
  // We look at the right side of the athlete; a lone stance leg carries the figure wherever it is.
  const stance = side === "left" ? (left ?? right) : side === "right" ? (right ?? left) : mean(left, right);
  const support = stance ?? guessedThigh(tiltDeg);
  const knee = plus({ x: 0, y: 0 }, SHANK, shankLean(support), 1);
  const hip = { x: knee.x - THIGH * sin(support), y: knee.y + THIGH * cos(support) };
  const legOf = (deg: number | null, floorX: number): Leg => {
    const angle = deg ?? support;
    const ownKnee = { x: hip.x + THIGH * sin(angle), y: hip.y - THIGH * cos(angle) };
    const isFree = deg !== null && support - deg > FREE_LEG_DEG;
    const foot = isFree
      ? { x: ownKnee.x + SHANK * sin(angle), y: ownKnee.y - SHANK * cos(angle) }
      : { x: floorX, y: 0 };
    return { knee: ownKnee, foot, measured: deg !== null };
  };
  return {
    hip,
    ...upperBody(hip, tiltDeg, tiltDeg ?? 0),
    near: legOf(right, 0),
    far: legOf(left, right === null ? 0 : FAR_OFFSET),
  };
}

function lying(pose: Pose): Figure {
  const tilt = pose.tiltDeg ?? -90;
  const liftDeg = Math.min(50, Math.max(0, -90 - tilt));
  const shoulder = { x: -TRUNK * 0.9, y: 5 };
  const hip = { x: shoulder.x + TRUNK * cos(liftDeg), y: shoulder.y + TRUNK * sin(liftDeg) };
  const foot = { x: shoulder.x + TRUNK + THIGH * 0.95, y: 0 };
  const legOf = (deg: number | null): Leg => {
    const angle = deg ?? mean(pose.thighLeftDeg, pose.thighRightDeg) ?? 125;
    return {
      knee: { x: hip.x + THIGH * sin(angle), y: hip.y - THIGH * cos(angle) },
      foot,
      measured: deg !== null,
    };
  };
  return {
    hip,
    pelvisDeg: tilt,
    pelvisMeasured: pose.tiltDeg !== null,
    shoulder,
    head: { x: shoulder.x - NECK, y: shoulder.y + 3 },
    hand: { x: shoulder.x + ARM * 0.8, y: 1 },
    near: legOf(pose.thighRightDeg),
    far: legOf(pose.thighLeftDeg),
  };
}

function upperBody(hip: Point, measuredTilt: number | null, tilt: number) {
  const shoulder = plus(hip, TRUNK, tilt, 1);
  // People look ahead rather than at the floor: the neck takes back a part of the tilt.
  const head = plus(shoulder, NECK, tilt * 0.75, 1);
  return {
    pelvisDeg: tilt,
    pelvisMeasured: measuredTilt !== null,
    shoulder,
    head,
    hand: { x: shoulder.x + 2, y: shoulder.y - ARM },
  };
}

/** Without a thigh sensor the hips still have to travel back to keep the feet under the weight. */
function guessedThigh(tiltDeg: number | null): number {
  return Math.max(0, (tiltDeg ?? 0) * 0.3);
}

/** The shank stays about upright in a hinge and leans forward only when the knees bend far, as in a squat. */
function shankLean(thighDeg: number): number {
  return thighDeg > 35 ? (thighDeg - 35) * 0.45 : -thighDeg * 0.08;
}

function plus(from: Point, length: number, deg: number, up: 1 | -1): Point {
  return { x: from.x + length * sin(deg), y: from.y + up * length * cos(deg) };
}

function mean(a: number | null, b: number | null): number | null {
  if (a === null) return b;
  return b === null ? a : (a + b) / 2;
}

const sin = (deg: number) => Math.sin((deg * Math.PI) / 180);
const cos = (deg: number) => Math.cos((deg * Math.PI) / 180);
