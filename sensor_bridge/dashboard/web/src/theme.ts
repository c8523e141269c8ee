import { signal } from "@preact/signals";

export type Theme = "dark" | "light";

const KEY = "hipline-theme";

/** Dark unless somebody chose otherwise on this screen: gyms and TVs, whatever the system prefers. */
export const theme = signal<Theme>(remembered());

/** Show the page in the theme that is in force. */
export function showTheme(): void {
  document.documentElement.dataset.theme = theme.value;
}

/** Go from one theme to the other, and remember it on this screen. */
export function switchTheme(): void {
  theme.value = theme.value === "dark" ? "light" : "dark";
  showTheme();
  try {
    localStorage.setItem(KEY, theme.value);
  } catch {
    // A browser that stores nothing asks again next time.
  }
}

function remembered(): Theme {
  try {
    return localStorage.getItem(KEY) === "light" ? "light" : "dark";
  } catch {
    return "dark";
  }
}
