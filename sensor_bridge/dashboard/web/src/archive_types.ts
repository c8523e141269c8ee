// Written by `python -m sensor_bridge.dashboard.page_types` from the archive's answers: do not edit.

import type { FaultEvent, Note, Repetition, SetSummary, Target } from "./payloads";

export interface AthleteEntry {
  athlete: string;
  name: string;
  sessions: number;
  last_ms: number;
}

export interface SessionEntry {
  session: string;
  athlete: string;
  name: string;
  started_ms: number;
  ended_ms: number | null;
  sets: number;
  repetitions: number;
  exercises: Array<string>;
  faults: Record<string, number>;
}

export interface SessionDetail {
  session: string;
  athlete: string;
  name: string;
  started_ms: number;
  ended_ms: number | null;
  exercises: Array<string>;
  fault_counts: Record<string, number>;
  sets: Array<ArchivedSet>;
  repetitions: Array<ArchivedRepetition>;
  faults: Array<ArchivedFault>;
  notes: Array<ArchivedNote>;
  prescriptions: Array<ArchivedPrescription>;
}

export interface ArchivedSet extends SetSummary {
  id: string;
}

export interface ArchivedRepetition extends Repetition {
  id: string;
}

export interface ArchivedFault extends FaultEvent {
  id: string;
}

export interface ArchivedNote extends Note {
  id: string;
}

export interface ArchivedPrescription {
  since_ms: number;
  asked: Prescription | null;
}

export interface Prescription extends Target {
  athlete: string;
  exercise: string;
  side: "both" | "left" | "right";
}

export interface Progress {
  athlete: string;
  exercise: string | null;
  exercises: Array<string>;
  metrics: Record<string, MetricProgress>;
  sides: Record<string, SidesProgress>;
}

export interface MetricProgress {
  unit: string;
  digits: number;
  side: string;
  sessions: Array<SessionValue>;
  minimal_detectable_change: number | null;
  how: string;
  change: Change | null;
}

export interface SessionValue {
  n: number;
  median: number;
  sd_of_median: number | null;
  session: string;
  started_ms: number;
}

export interface Change {
  since: string;
  until: string;
  difference: number;
  is_change: boolean;
}

export interface SidesProgress {
  unit: string;
  digits: number;
  sessions: Array<Sides>;
}

export interface Sides {
  session: string;
  started_ms: number;
  left: SideValue;
  right: SideValue;
  difference: number;
  sd: number | null;
  detectable: number | null;
  symmetry_percent: number | null;
  is_difference: boolean;
}

export interface SideValue {
  n: number;
  median: number;
  sd_of_median: number | null;
}

export interface SetPicture {
  set: number;
  plot: AnglePlot | null;
}

export interface AnglePlot {
  curves: Array<Curve>;
  bands: Array<Band>;
  x_ticks: Array<Tick>;
  y_ticks: Array<Tick>;
  width: number;
  height: number;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

export interface Curve {
  name: string;
  path: string;
}

export interface Band {
  x: number;
  width: number;
  middle: number;
  label: string;
}

export interface Tick {
  at: number;
  label: string;
}
