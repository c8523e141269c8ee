import { useEffect, useRef } from "preact/hooks";
import { usePainter } from "../../frames";
import type { Athlete } from "../../gym";
import { TEXT } from "../../strings";
import { theme } from "../../theme";
import { PLAYBACK_DELAY_MS } from "../figure_view";

const LENGTH_S = 12;
const LOWEST_DEG = -10;
const LEAST_SPAN_DEG = 60;
const EVERY_NTH_SAMPLE = 3;
const LINE_PX = 2;

/** The hip angle of the last seconds as one cheap line, for pages with many of them. */
export function Spark({ athlete }: { athlete: Athlete }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const colour = useRef("");
  useEffect(() => {
    colour.current = getComputedStyle(document.documentElement).getPropertyValue("--live").trim();
  }, [theme.value]);
  useEffect(() => {
    const element = canvas.current;
    if (!element) return undefined;
    const sizes = new ResizeObserver(() => {
      const density = Math.min(2, devicePixelRatio);
      element.width = Math.round(element.clientWidth * density);
      element.height = Math.round(element.clientHeight * density);
    });
    sizes.observe(element);
    return () => sizes.disconnect();
  }, []);

  usePainter(
    canvas,
    (now) => {
      const context = canvas.current?.getContext("2d");
      const bridgeMs = athlete.clock.bridgeTime(now);
      if (!canvas.current || !context || bridgeMs === null) return;
      const { width, height } = canvas.current;
      const [x, hip] = athlete.angles.trace(bridgeMs - PLAYBACK_DELAY_MS, LENGTH_S, EVERY_NTH_SAMPLE);
      const highest = hip.reduce<number>((most, deg) => Math.max(most, deg ?? 0), LOWEST_DEG + LEAST_SPAN_DEG);
      context.clearRect(0, 0, width, height);
      context.strokeStyle = colour.current;
      context.lineWidth = LINE_PX * Math.min(2, devicePixelRatio);
      context.lineJoin = "round";
      context.beginPath();
      let pen = false;
      for (const [index, seconds] of x.entries()) {
        const deg = hip[index];
        if (deg == null) {
          pen = false;
          continue;
        }
        const atX = width * (1 + seconds / LENGTH_S);
        const atY = height * (1 - (deg - LOWEST_DEG) / (highest - LOWEST_DEG)) * 0.9 + height * 0.05;
        if (pen) context.lineTo(atX, atY);
        else context.moveTo(atX, atY);
        pen = true;
      }
      context.stroke();
    },
    4,
  );

  return (
    <div class="spark">
      <canvas role="img" aria-label={TEXT.hipTraceLabel(LENGTH_S)} ref={canvas} />
    </div>
  );
}
