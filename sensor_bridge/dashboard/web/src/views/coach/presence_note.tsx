import { useRef } from "preact/hooks";
import { usePainter } from "../../frames";
import type { Athlete } from "../../gym";
import { presenceOf } from "../../presence";
import { presenceWords } from "../../strings";

/** Says so, and greys the card, when what is seen is not of now. */
export function PresenceNote({ athlete }: { athlete: Athlete }) {
  const box = useRef<HTMLSpanElement>(null);
  usePainter(
    box,
    (now) => {
      if (!box.current) return;
      const presence = presenceOf(athlete.liveArrivedMs, athlete.firstHeardMs, now);
      const words = presenceWords(presence);
      if (box.current.textContent !== words) box.current.textContent = words;
      box.current.closest(".card")?.classList.toggle("card-silent", presence.is !== "live");
    },
    6,
  );
  return <span class="silence" data-testid="presence" ref={box} />;
}
