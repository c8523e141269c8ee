// Keeps the screen awake while a page wants it. A browser gives the lock back whenever the page is hidden, so it
// is asked for again when it comes back; where there is none the page has to say so.

import { signal } from "@preact/signals";

export type Wakefulness = "off" | "held" | "refused" | "unsupported";

export const wakefulness = signal<Wakefulness>("off");

/** Keep the screen awake until the returned function is called. */
export function stayAwake(): () => void {
  if (!("wakeLock" in navigator)) {
    // Browsers have it on secure pages only: https, or the bridge's own machine.
    wakefulness.value = "unsupported";
    return () => {
      wakefulness.value = "off";
    };
  }
  let lock: WakeLockSentinel | null = null;
  let isWanted = true;
  let isAsking = false;

  const ask = async () => {
    if (!isWanted || isAsking || document.visibilityState !== "visible" || (lock && !lock.released)) return;
    isAsking = true;
    try {
      lock = await navigator.wakeLock.request("screen");
      lock.addEventListener("release", () => {
        // Hidden pages lose it and ask again; one that is looked at lost it to the system.
        if (isWanted && document.visibilityState === "visible") wakefulness.value = "refused";
      });
      if (isWanted) wakefulness.value = "held";
      else void lock.release();
    } catch {
      // An empty battery, or a setting of the system.
      wakefulness.value = "refused";
    } finally {
      isAsking = false;
    }
  };

  const onVisible = () => void ask();
  document.addEventListener("visibilitychange", onVisible);
  void ask();
  return () => {
    isWanted = false;
    document.removeEventListener("visibilitychange", onVisible);
    void lock?.release();
    wakefulness.value = "off";
  };
}
