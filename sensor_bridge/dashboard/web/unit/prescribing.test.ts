import { expect, test } from "vitest";
import { formOf, readForm } from "../src/prescribing";
import { state } from "./records";

const empty = formOf(null, "kg");

test("what is asked now is what the form shows", () => {
  const target = { ...state().target!, load_kg: 60, is_supported: true, minimum_range_deg: 45 };
  expect(formOf(state({ target }), "kg")).toEqual({
    exercise: "romanian_deadlift",
    side: "both",
    repetitions: "8",
    sets: "3",
    tempo: "5-0-X-0",
    load: "60",
    support: "yes",
    range: "45",
  });
  expect(formOf(state({ target }), "lb").load).toBe("132");
  expect(formOf(state({ target: null }), "kg")).toEqual(empty);
});

test("what is left open is left out, and all left open asks for nothing", () => {
  expect(readForm("a1", empty, "kg")).toEqual({ args: { athlete: "a1" } });
  expect(readForm("a1", { ...empty, exercise: "deadlift", repetitions: "5", tempo: "3-1-x-0" }, "kg")).toEqual({
    args: { athlete: "a1", exercise: "deadlift", repetitions: 5, tempo: "3-1-X-0" },
  });
});

test("a load is told in kilograms, whatever it was typed in", () => {
  expect(readForm("a1", { ...empty, load: "62,5" }, "kg")).toEqual({ args: { athlete: "a1", load_kg: 62.5 } });
  expect(readForm("a1", { ...empty, load: "135", support: "no" }, "lb")).toEqual({
    args: { athlete: "a1", load_kg: 61.235, support: false },
  });
});

test("every mistake is named at once", () => {
  const wrong = { ...empty, repetitions: "0", sets: "2.5", tempo: "5-0-X", load: "-3", range: "181" };
  expect(readForm("a1", wrong, "kg")).toEqual({
    mistakes: { repetitions: true, sets: true, tempo: "parts", load: true, range: true },
  });
  for (const load of ["1e9", "NaN", "sixty", "6 0"]) expect(readForm("a1", { ...empty, load }, "kg")).toHaveProperty("mistakes");
});
