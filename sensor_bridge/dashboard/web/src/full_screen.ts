// Filling the whole screen; some phones cannot.

import { signal } from "@preact/signals";

export const isFullScreen = signal(false);

/** Whether this browser can show a page on the whole screen. */
export function canFillScreen(): boolean {
  return document.fullscreenEnabled === true;
}

/** Fill the screen, or give it back; to be called from a touch. */
export function switchFullScreen(): void {
  const done = document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen();
  // Refused by the browser: everything is still there, only smaller.
  done.catch(() => undefined);
}

/** Follow what the browser does by itself (Escape, a turned phone) until the returned function is called. */
export function followFullScreen(): () => void {
  const look = () => {
    isFullScreen.value = document.fullscreenElement !== null;
  };
  document.addEventListener("fullscreenchange", look);
  look();
  return () => document.removeEventListener("fullscreenchange", look);
}
