// The form of a prescription: texts as people type them in, arguments of the command out, or what is wrong.

import type { AthleteState, Prescribe } from "./payloads";
import { readTempo, tempoText, type TempoMistake } from "./tempo";
import { kilogramsOf, loadIn, type LoadUnit } from "./units";

export interface PrescriptionForm {
  exercise: string;
  side: "" | "both" | "left" | "right";
  repetitions: string;
  sets: string;
  tempo: string;
  load: string;
  support: "" | "yes" | "no";
  range: string;
}

export type Mistakes = Partial<Record<"repetitions" | "sets" | "load" | "range", true> & { tempo: TempoMistake }>;

const EMPTY: PrescriptionForm = {
  exercise: "",
  side: "",
  repetitions: "",
  sets: "",
  tempo: "",
  load: "",
  support: "",
  range: "",
};

/** What is asked now, as the form shows it. */
export function formOf(state: AthleteState | null, unit: LoadUnit): PrescriptionForm {
  const target = state?.target;
  if (!state || !target) return EMPTY;
  const text = (value: number | null) => (value === null ? "" : String(value));
  return {
    exercise: state.exercise,
    side: state.side,
    repetitions: text(target.repetitions),
    sets: text(target.sets),
    tempo: tempoText(target),
    load: target.load_kg === null ? "" : String(loadIn(target.load_kg, unit)),
    support: target.is_supported === null ? "" : target.is_supported ? "yes" : "no",
    range: text(target.minimum_range_deg),
  };
}

/** The arguments of the command, without what is left open; or what cannot be read. */
export function readForm(
  athlete: string,
  form: PrescriptionForm,
  unit: LoadUnit,
): { args: Prescribe } | { mistakes: Mistakes } {
  const mistakes: Mistakes = {};
  const args: Prescribe = { athlete };
  if (form.exercise) args.exercise = form.exercise;
  if (form.side) args.side = form.side;
  for (const field of ["repetitions", "sets"] as const) {
    const text = form[field].trim();
    if (text === "") continue;
    if (/^[1-9]\d{0,3}$/.test(text)) args[field] = Number(text);
    else mistakes[field] = true;
  }
  if (form.tempo.trim() !== "") {
    const tempo = readTempo(form.tempo);
    if (typeof tempo === "string") mistakes.tempo = tempo;
    else args.tempo = form.tempo.trim().toUpperCase();
  }
  const load = readNumber(form.load);
  if (load === undefined) mistakes.load = true;
  else if (load !== null) args.load_kg = Math.round(kilogramsOf(load, unit) * 1000) / 1000;
  const range = readNumber(form.range);
  if (range === undefined || (range !== null && !(range > 0 && range <= 180))) mistakes.range = true;
  else if (range !== null) args.minimum_range_deg = range;
  if (form.support) args.support = form.support === "yes";
  return Object.keys(mistakes).length > 0 ? { mistakes } : { args };
}

/** null for nothing, undefined for what is no number of 0 or more. */
function readNumber(text: string): number | null | undefined {
  const trimmed = text.trim().replace(",", ".");
  if (trimmed === "") return null;
  return /^\d+(\.\d+)?$/.test(trimmed) ? Number(trimmed) : undefined;
}
