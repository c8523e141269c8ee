// Written by `python -m sensor_bridge.dashboard.page_types` from the payload models: do not edit.

export interface Live {
  t_ms: number;
  rate_hz: number;
  posture: "other" | "standing" | "supine" | "unknown";
  phase: "bottom" | "calibrating" | "concentric" | "eccentric" | "rest" | "standing" | "top" | "unknown";
  set: number;
  repetition: number;
  pelvic_tilt_deg: Array<number | null> | null;
  pelvic_obliquity_deg: Array<number | null> | null;
  pelvic_rotation_deg: Array<number | null> | null;
  thigh_flexion_left_deg: Array<number | null> | null;
  thigh_flexion_right_deg: Array<number | null> | null;
  hip_flexion_left_deg: Array<number | null> | null;
  hip_flexion_right_deg: Array<number | null> | null;
  eccentric_start_ms: number | null;
  depth: number | null;
  count: number | null;
  count_of: number | null;
  early_s: number | null;
}

export interface Repetition {
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
}

export interface PartAdherence {
  part: string;
  asked: number;
  done: number | null;
  sd: number | null;
  keeping: "doubtful" | "kept" | "long" | "short" | "unmeasured";
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

export interface SetSummary {
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
}

export interface SetAdherence {
  repetitions_asked: number | null;
  sets_asked: number | null;
  is_side_kept: boolean | null;
  parts_kept: number;
  parts_judged: number;
}

export interface FaultEvent {
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
}

export interface Note {
  athlete: string;
  revision: number;
  kind: "missed_repetition" | "not_a_repetition" | "note";
  at_ms: number;
  event: string | null;
  text: string;
  by: string;
  withdrawn: boolean;
}

export interface AthleteState {
  athlete: string;
  name: string;
  session: string;
  exercise: string;
  side: "both" | "left" | "right";
  set: number;
  repetition: number;
  phase: "bottom" | "calibrating" | "concentric" | "eccentric" | "rest" | "standing" | "top" | "unknown";
  target: Target | null;
  last_repetition: Repetition | null;
  repetitions: Array<RepetitionBrief>;
  calibration: Array<SegmentCalibration>;
  sensors: Array<string>;
}

export interface Target {
  repetitions: number | null;
  sets: number | null;
  eccentric_s: number | null;
  bottom_s: number | null;
  concentric_s: number | null;
  top_s: number | null;
  minimum_range_deg: number | null;
  load_kg: number | null;
  is_supported: boolean | null;
}

export interface RepetitionBrief {
  repetition: number;
  revision: number;
  status: "confirmed" | "provisional" | "unconfirmed" | "withdrawn";
  eccentric_s: number | null;
  bottom_pause_s: number | null;
  concentric_s: number | null;
  tut_s: number | null;
  eccentric_movement_s: number | null;
  pelvic_tilt_range_deg: number | null;
  hip_flexion_left_range_deg: number | null;
  hip_flexion_right_range_deg: number | null;
  pelvic_obliquity_peak_deg: number | null;
  lockout_deficit_deg: number | null;
  sd: Record<string, number>;
  faults: Array<string>;
}

export interface SegmentCalibration {
  placement: string;
  method: string;
  quality_deg: number | null;
  warnings: Array<string>;
  slip: Slip | null;
}

export interface Slip {
  angle_deg: number;
  set: number;
  repetition: number;
}

export interface SensorStatus {
  received: number;
  backfilled: number;
  lost: number;
  missing: number;
  duplicated: number;
  rejected: number;
  dropped: number;
  gaps: number;
  lost_s: number;
  sensor: string;
  athlete: string;
  placement: string;
  name: string;
  link: "connected" | "connecting" | "lost" | "scanning" | "stopped";
  reason: string | null;
  reconnects: number;
  overflow: number;
  battery_percent: number | null;
  rssi_dbm: number | null;
  firmware: string | null;
  sampling_rate_hz: number | null;
  connection_interval_ms: number | null;
  clock_residual_ms: number | null;
  clock_drift_ppm: number | null;
  lacks: Array<"clock" | "gyroscope" | "loss">;
}

export interface ServiceStatus {
  state: "offline" | "online";
  version: string;
  alarms: Array<string>;
}

export interface Response {
  request: string;
  ok: boolean;
  text: string;
}

export interface PayloadByChannel {
  live: Live;
  rep: Repetition;
  set: SetSummary;
  fault: FaultEvent;
  note: Note;
  state: AthleteState;
  sensor: SensorStatus;
  service: ServiceStatus;
  response: Response;
}

export interface StartSet {
  athlete: string;
}

export interface EndSet {
  athlete: string;
}

export interface Prescribe {
  athlete: string;
  exercise?: string | null;
  repetitions?: number | null;
  sets?: number | null;
  side?: "both" | "left" | "right" | null;
  tempo?: string | null;
  minimum_range_deg?: number | null;
  load_kg?: number | null;
  support?: boolean | null;
}

export interface ReZero {
  athlete: string;
}

export interface Identify {
  sensor: string;
}

export interface NotARepetition {
  athlete: string;
  event: string;
  text?: string;
}

export interface MissedRepetition {
  athlete: string;
  at_ms: number;
  text?: string;
}

export interface TakeNote {
  athlete: string;
  text: string;
  event?: string | null;
}

export interface Undo {
  athlete: string;
  request: string;
}

export interface ArgumentsByCommand {
  "start-set": StartSet;
  "end-set": EndSet;
  "prescribe": Prescribe;
  "re-zero": ReZero;
  "identify": Identify;
  "not-a-repetition": NotARepetition;
  "missed-repetition": MissedRepetition;
  "note": TakeNote;
  "undo": Undo;
}
