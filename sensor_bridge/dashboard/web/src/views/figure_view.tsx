import { useRef } from "preact/hooks";
import type { Pose } from "../angle_history";
import { type Figure, figureOf, type Leg, type Point } from "../figure";
import { usePainter } from "../frames";
import type { Athlete } from "../gym";
import { TEXT } from "../strings";

/** Shown this much later than the newest moment, so that the motion between two messages is smooth. */
export const PLAYBACK_DELAY_MS = 120;
/** Before anything is known: somebody standing, nothing of it measured. */
const UNKNOWN: Pose = { tiltDeg: null, obliquityDeg: null, thighLeftDeg: null, thighRightDeg: null, hipDeg: null };
const STANDING_VIEW = "-88 -172 176 182";
const LYING_VIEW = "-78 -100 150 112";

/** The athlete from the side, facing right. */
export function FigureView({ athlete }: { athlete: Athlete }) {
  const svg = useRef<SVGSVGElement>(null);
  const drawn = useRef("");

  usePainter(svg, (now) => {
    const bridgeMs = athlete.clock.bridgeTime(now);
    const posture = athlete.progress.posture;
    const known = bridgeMs === null ? null : athlete.angles.poseAt(bridgeMs - PLAYBACK_DELAY_MS);
    const pose = known ?? UNKNOWN;
    if (!svg.current) return;
    const key = `${posture} ${athlete.side} ${pose.tiltDeg} ${pose.thighLeftDeg} ${pose.thighRightDeg}`;
    if (key === drawn.current) return;
    drawn.current = key;
    svg.current.setAttribute("viewBox", posture === "supine" ? LYING_VIEW : STANDING_VIEW);
    draw(svg.current, figureOf(pose, athlete.side, posture));
  });

  return (
    <svg class="figure" viewBox={STANDING_VIEW} role="img" aria-label={TEXT.figureLabel} ref={svg}>
      <line class="floor" x1={-66} x2={66} y1={5} y2={5} />
      <polyline data-part="farShank" class="limb guess far" />
      <polyline data-part="farThigh" class="limb thigh far" />
      <polyline data-part="arm" class="limb arm guess far" />
      <polyline data-part="trunk" class="limb guess" />
      <circle data-part="head" class="head" r={9.5} />
      <polyline data-part="nearShank" class="limb guess" />
      <polyline data-part="nearThigh" class="limb thigh" />
      <rect data-part="pelvis" class="pelvis" x={-11} y={-10} width={22} height={20} rx={7} />
    </svg>
  );
}

function draw(svg: SVGSVGElement, figure: Figure): void {
  const part = (name: string) => svg.querySelector<SVGElement>(`[data-part="${name}"]`);
  const line = (name: string, ...points: Point[]) => part(name)?.setAttribute("points", points.map(spot).join(" "));
  const leg = (prefix: "near" | "far", { knee, foot, measured }: Leg) => {
    line(`${prefix}Thigh`, figure.hip, knee);
    line(`${prefix}Shank`, knee, foot, { x: foot.x + (foot.y < 6 ? 11 : 6), y: foot.y - (foot.y < 6 ? 0 : 8) });
    part(`${prefix}Thigh`)?.classList.toggle("guess", !measured);
  };
  leg("near", figure.near);
  leg("far", figure.far);
  line("trunk", figure.hip, figure.shoulder);
  line("arm", figure.shoulder, figure.hand);
  part("head")?.setAttribute("cx", figure.head.x.toFixed(1));
  part("head")?.setAttribute("cy", (-figure.head.y).toFixed(1));
  const pelvis = part("pelvis");
  pelvis?.setAttribute("transform", `translate(${spot(figure.hip)}) rotate(${figure.pelvisDeg.toFixed(1)})`);
  pelvis?.classList.toggle("guess", !figure.pelvisMeasured);
}

/** A point in SVG's upside-down plane. */
function spot({ x, y }: Point): string {
  return `${x.toFixed(1)},${(-y).toFixed(1)}`;
}
