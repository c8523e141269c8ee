// Which page the address asks for. Everything is behind the "#", so that the server knows one page only.

import { signal } from "@preact/signals";

export type Route =
  | { view: "grid" }
  | { view: "set"; athlete: string }
  | { view: "athlete"; athlete: string }
  | { view: "sessions" }
  | { view: "session"; session: string; athlete: string }
  | { view: "progress"; athlete: string }
  | { view: "unknown" };

const ID = /^[A-Za-z0-9_-]{1,64}$/;
const ATHLETE_USER = "athlete-";

/** The page an address' fragment asks for; what is no page of ours is `unknown`. */
export function routeOf(hash: string): Route {
  const path = hash.replace(/^#/, "");
  // "#token=…" is not an address: whoever opened the page with it wants its front.
  if (path === "" || path === "/" || !path.startsWith("/")) return { view: "grid" };
  const [page, first, second, ...rest] = path.split("/").slice(1).filter((part) => part !== "");
  if (rest.length > 0 || [first, second].some((id) => id !== undefined && !ID.test(id))) return { view: "unknown" };
  if (page === "sessions") {
    if (first === undefined) return { view: "sessions" };
    return second === undefined ? { view: "unknown" } : { view: "session", session: first, athlete: second };
  }
  if (first === undefined || second !== undefined) return { view: "unknown" };
  if (page === "coach") return { view: "set", athlete: first };
  if (page === "athlete" || page === "progress") return { view: page, athlete: first };
  return { view: "unknown" };
}

/** The fragment that leads to a page; the reverse of `routeOf`. */
export function linkTo(route: Route): string {
  switch (route.view) {
    case "set":
      return `#/coach/${route.athlete}`;
    case "athlete":
    case "progress":
      return `#/${route.view}/${route.athlete}`;
    case "sessions":
      return "#/sessions";
    case "session":
      return `#/sessions/${route.session}/${route.athlete}`;
    default:
      return "#/";
  }
}

/** Where `user` ends up who asks for `asked`: an athlete sees nobody's pages but their own. */
export function ledTo(asked: Route, user: string | null): Route {
  const own = athleteOf(user);
  if (own === null || asked.view === "sessions") return asked;
  return "athlete" in asked && asked.athlete === own && asked.view !== "set" ? asked : { view: "athlete", athlete: own };
}

/** The athlete whose token the page holds; null for a coach. */
export function athleteOf(user: string | null): string | null {
  return user?.startsWith(ATHLETE_USER) ? user.slice(ATHLETE_USER.length) : null;
}

/** The page the address bar asks for now. */
export const route = signal<Route>(routeOf(globalThis.location?.hash ?? ""));

/** Follow the address bar for as long as the page lives. */
export function followAddress(): void {
  window.addEventListener("hashchange", () => {
    route.value = routeOf(location.hash);
    window.scrollTo(0, 0);
  });
}
