// The token that opens the broker: from the address the page was opened with, else as kept on this device,
// else asked for once.

import { signal } from "@preact/signals";

export interface Token {
  user: string;
  secret: string;
}

/** Why the page has to ask for a token: it has none, or the one it had was refused. */
export type Question = "none" | "refused";

const KEY = "hipline-token";
const FRAGMENT = /^#token=(.+)$/;

/** The token in use; null while there is none to try. */
export const token = signal<Token | null>(null);

/** What the page asks its visitor, null while there is nothing to ask. */
export const question = signal<Question | null>(null);

/** Read `<user>.<secret>` as it was pasted or typed; null where it is not of that form. */
export function readToken(text: string): Token | null {
  const [, user, secret] = /^([^.\s]+)\.(\S+)$/.exec(text.trim()) ?? [];
  return user !== undefined && secret !== undefined ? { user, secret } : null;
}

/** What the HTTP API wants to see. */
export function authorization(who: Token): string {
  return `Bearer ${who.user}.${who.secret}`;
}

/** Take the token out of the address bar, or the one this device keeps. */
export function openWithToken(): void {
  takeFromAddress();
  token.value ??= readToken(kept() ?? "");
  if (token.value === null) question.value = "none";
  // A link with a token, opened where the page is shown already, only changes the fragment. The page begins
  // anew, so that nothing stays that another user was shown.
  window.addEventListener("hashchange", () => {
    if (takeFromAddress()) location.reload();
  });
}

/** Use a token that was typed in, and keep it on this device. */
export function useToken(chosen: Token): void {
  keep(`${chosen.user}.${chosen.secret}`);
  question.value = null;
  token.value = chosen;
}

/** The broker or the server has refused the token: forget it and ask. */
export function refuseToken(refused: Token): void {
  if (token.value !== refused) return;
  keep(null);
  token.value = null;
  question.value = "refused";
}

/** Resolves as soon as there is a token to try. */
export function someToken(): Promise<Token> {
  return new Promise((resolve) => {
    const stop = token.subscribe((value) => {
      if (value === null) return;
      resolve(value);
      queueMicrotask(() => stop());
    });
  });
}

function takeFromAddress(): boolean {
  const [, encoded] = FRAGMENT.exec(location.hash) ?? [];
  if (encoded === undefined) return false;
  // Out of the address, so that it is neither seen, bookmarked nor passed on with it.
  history.replaceState(null, "", `${location.pathname}${location.search}`);
  const found = readToken(decoded(encoded));
  if (found) useToken(found);
  return found !== null;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

function kept(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function keep(text: string | null): void {
  try {
    if (text === null) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, text);
  } catch {
    // A browser that stores nothing asks again next time.
  }
}
