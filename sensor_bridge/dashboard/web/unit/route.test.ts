import { expect, test } from "vitest";
import { athleteOf, ledTo, linkTo, type Route, routeOf } from "../src/route";

const ROUTES: Route[] = [
  { view: "grid" },
  { view: "set", athlete: "a1" },
  { view: "athlete", athlete: "a1" },
  { view: "sessions" },
  { view: "session", session: "0197a-2", athlete: "a1" },
  { view: "progress", athlete: "a1" },
];

test("every page has an address that leads back to it", () => {
  for (const route of ROUTES) expect(routeOf(linkTo(route))).toEqual(route);
});

test("the front page is where nothing else is asked for", () => {
  for (const hash of ["", "#", "#/", "#token=coach.abc"]) expect(routeOf(hash)).toEqual({ view: "grid" });
});

test("what is no page is unknown, however it is written", () => {
  for (const hash of [
    "#/nowhere",
    "#/coach",
    "#/coach/a1/b",
    "#/coach/<img src=x>",
    "#/sessions/only",
    "#/sessions/a/b/c",
    "#/athlete/../config",
    "#/constructor/a1",
  ]) {
    expect(routeOf(hash)).toEqual({ view: "unknown" });
  }
});

test("an athlete is led to their own page, a coach anywhere", () => {
  for (const route of ROUTES) expect(ledTo(route, "coach")).toEqual(route);
  const own: Route = { view: "athlete", athlete: "a1" };
  for (const asked of ["#/", "#/coach/a1", "#/athlete/a2", "#/sessions/s/a2", "#/progress/a2", "#/nowhere"]) {
    expect(ledTo(routeOf(asked), "athlete-a1")).toEqual(own);
  }
  for (const asked of ["#/athlete/a1", "#/sessions", "#/sessions/s/a1", "#/progress/a1"]) {
    expect(ledTo(routeOf(asked), "athlete-a1")).toEqual(routeOf(asked));
  }
  expect([athleteOf("athlete-a1"), athleteOf("coach"), athleteOf(null)]).toEqual(["a1", null, null]);
});
