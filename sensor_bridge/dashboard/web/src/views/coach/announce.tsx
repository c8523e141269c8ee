import { useEffect, useState } from "preact/hooks";
import { Announcer } from "../../announcer";
import { pageNow } from "../../clock";
import type { Store } from "../../store";
import { verdictOn } from "../../verdict";

const LOOK_EVERY_MS = 500;

/** Tells a screen reader what a glance would: new verdicts and troubles, at a rate that can be listened to. */
export function Announce({ store, athletes }: { store: Store; athletes: readonly string[] }) {
  const [spoken, setSpoken] = useState("");
  useEffect(() => {
    const announcer = new Announcer();
    const told = new Map<string, string>();
    const timer = setInterval(() => {
      const nowMs = pageNow();
      for (const id of athletes) {
        const athlete = store.gym.athletes.get(id);
        if (!athlete) continue;
        const { trouble, sentence, mark } = verdictOn(athlete, store.gym.sensorsOf(id));
        const text = `${athlete.name}. ${trouble ?? sentence}`;
        const isFirst = !told.has(id);
        if (told.get(id) === text) continue;
        told.set(id, text);
        if (!isFirst) announcer.offer({ athlete: id, text, isUrgent: trouble !== null || mark === "bad" }, nowMs);
      }
      const next = announcer.next(nowMs);
      if (next !== null) setSpoken(next);
    }, LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, [store, athletes.join(" ")]);
  return (
    <p class="spoken" role="status" aria-live="polite" data-testid="spoken">
      {spoken}
    </p>
  );
}
