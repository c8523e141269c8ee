// Written by `python -m sensor_bridge.dashboard.page_types` from the archive's answers: do not edit.

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

export interface ArchivedSet {
  bottom_tut_s: number | null;
  concentric_tut_s: number | null;
  eccentric_trend_s: number | null;
  concentric_speed_trend_deg_s: number | null;
  range_trend_deg: number | null;
  lockout_trend_deg: number | null;
  velocity_loss_percent: number | null;
  hip_range_difference_deg: number | null;
  hip_range_detectable_deg: number | null;
  hip_range_symmetry_percent: number | null;
  form_broke_at: number | null;
  fastest_repetition: number | null;
  slowest_repetition: number | null;
  athlete: string;
  set: number;
  revision: number;
  final: boolean;
  exercise: string;
  side: "both" | "left" | "right";
  repetitions: number;
  exercise_confidence: number | null;
  tut_s: number | null;
  eccentric_tut_s: number | null;
  mean_eccentric_s: number | null;
  start_ms: number | null;
  end_ms: number | null;
  sd: Record<string, number>;
  kind: Record<string, "measured" | "not_measurable" | "proxy">;
  reasons: Record<string, string>;
  adherence: SetAdherence | null;
  faults: Array<FoundFault>;
  withdrawn: boolean;
  id: string;
}

export interface SetAdherence {
  repetitions_asked: number | null;
  sets_asked: number | null;
  is_side_kept: boolean | null;
  parts_kept: number;
  parts_judged: number;
}

export interface FoundFault {
  code: string;
  value: number | null;
  threshold: number | null;
  sd: number | null;
  kind: "measured" | "not_measurable" | "proxy";
  phase: "bottom" | "calibrating" | "concentric" | "eccentric" | "rest" | "standing" | "top" | "unknown" | null;
  repetition: number | null;
  direction: "backward" | "forward" | "left" | "right" | null;
}

export interface ArchivedRepetition {
  eccentric_start_ms: number | null;
  eccentric_end_ms: number | null;
  concentric_start_ms: number | null;
  concentric_end_ms: number | null;
  eccentric_s: number | null;
  bottom_pause_s: number | null;
  concentric_s: number | null;
  top_pause_s: number | null;
  tut_s: number | null;
  eccentric_movement_s: number | null;
  concentric_movement_s: number | null;
  pelvic_tilt_range_deg: number | null;
  hip_flexion_left_range_deg: number | null;
  hip_flexion_right_range_deg: number | null;
  pelvic_obliquity_peak_deg: number | null;
  pelvic_rotation_range_deg: number | null;
  lockout_deficit_deg: number | null;
  hinge_share: number | null;
  concentric_peak_deg_s: number | null;
  concentric_mean_deg_s: number | null;
  velocity_loss_percent: number | null;
  pelvic_obliquity_eccentric_peak_deg: number | null;
  pelvic_obliquity_bottom_peak_deg: number | null;
  pelvic_obliquity_concentric_peak_deg: number | null;
  pelvic_rotation_eccentric_range_deg: number | null;
  pelvic_rotation_bottom_range_deg: number | null;
  pelvic_rotation_concentric_range_deg: number | null;
  free_side_drop_peak_deg: number | null;
  free_side_rise_peak_deg: number | null;
  tilt_reversal_deg: number | null;
  hinge_share_quarter: number | null;
  hinge_share_half: number | null;
  hinge_share_three_quarters: number | null;
  sway_deg_s: number | null;
  tremor_deg_s: number | null;
  smoothness: number | null;
  balance_burst_deg_s: number | null;
  athlete: string;
  set: number;
  repetition: number;
  revision: number;
  final: boolean;
  status: "confirmed" | "provisional" | "unconfirmed" | "withdrawn";
  exercise: string;
  side: "both" | "left" | "right";
  sd: Record<string, number>;
  kind: Record<string, "measured" | "not_measurable" | "proxy">;
  reasons: Record<string, string>;
  adherence: Array<PartAdherence>;
  faults: Array<FoundFault>;
  warnings: Array<string>;
  id: string;
}

export interface PartAdherence {
  part: string;
  asked: number;
  done: number | null;
  sd: number | null;
  keeping: "doubtful" | "kept" | "long" | "short" | "unmeasured";
}

export interface ArchivedFault {
  athlete: string;
  code: string;
  t_ms: number;
  set: number;
  repetition: number;
  revision: number;
  phase: "bottom" | "calibrating" | "concentric" | "eccentric" | "rest" | "standing" | "top" | "unknown";
  value: number | null;
  threshold: number | null;
  sd: number | null;
  kind: "measured" | "not_measurable" | "proxy";
  text: string;
  withdrawn: boolean;
  id: string;
}

export interface ArchivedNote {
  athlete: string;
  revision: number;
  kind: "missed_repetition" | "not_a_repetition" | "note";
  at_ms: number;
  event: string | null;
  text: string;
  by: string;
  withdrawn: boolean;
  id: string;
}

export interface ArchivedPrescription {
  since_ms: number;
  asked: Prescription | null;
}

export interface Prescription {
  repetitions: number | null;
  sets: number | null;
  eccentric_s: number | null;
  bottom_s: number | null;
  concentric_s: number | null;
  top_s: number | null;
  minimum_range_deg: number | null;
  load_kg: number | null;
  is_supported: boolean | null;
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
