import type { AthleteState, Live, Repetition, RepetitionBrief } from "../src/payloads";

export function repetition(changes: Partial<Repetition> = {}): Repetition {
  return {
    athlete: "a1",
    set: 1,
    repetition: 1,
    revision: 0,
    final: true,
    status: "confirmed",
    exercise: "romanian_deadlift",
    side: "both",
    eccentric_start_ms: 1_000,
    eccentric_end_ms: 6_000,
    concentric_start_ms: 6_300,
    concentric_end_ms: 7_400,
    eccentric_s: 5.0,
    bottom_pause_s: 0.3,
    concentric_s: 1.1,
    top_pause_s: 1.5,
    tut_s: 6.4,
    eccentric_movement_s: 5.2,
    concentric_movement_s: 1.3,
    pelvic_tilt_range_deg: 58,
    hip_flexion_left_range_deg: 82,
    hip_flexion_right_range_deg: null,
    pelvic_obliquity_peak_deg: 1.5,
    pelvic_rotation_range_deg: 2,
    lockout_deficit_deg: 1.2,
    hinge_share: 0.7,
    sd: {},
    kind: {},
    reasons: { hip_flexion_right_range_deg: "no sensor on the right thigh" },
    faults: [],
    warnings: [],
    ...changes,
  };
}

export function brief(number: number, changes: Partial<RepetitionBrief> = {}): RepetitionBrief {
  return {
    repetition: number,
    revision: 0,
    status: "confirmed",
    eccentric_s: 5,
    bottom_pause_s: 0.3,
    concentric_s: 1.1,
    tut_s: 6.4,
    eccentric_movement_s: 5.2,
    pelvic_tilt_range_deg: 58,
    hip_flexion_left_range_deg: 82,
    hip_flexion_right_range_deg: null,
    pelvic_obliquity_peak_deg: 1,
    lockout_deficit_deg: 1,
    sd: {},
    faults: [],
    ...changes,
  };
}

export function state(changes: Partial<AthleteState> = {}): AthleteState {
  return {
    athlete: "a1",
    name: "Athlete 1",
    session: "s1",
    exercise: "romanian_deadlift",
    side: "both",
    set: 1,
    repetition: 0,
    phase: "standing",
    target: { repetitions: 8, sets: 3, eccentric_s: 5, bottom_s: 0, concentric_s: null, top_s: 0 },
    last_repetition: null,
    repetitions: [],
    calibration: [],
    sensors: [],
    ...changes,
  };
}

export function live(changes: Partial<Live> = {}): Live {
  return {
    t_ms: 10_000,
    rate_hz: 50,
    posture: "standing",
    phase: "standing",
    set: 1,
    repetition: 0,
    pelvic_tilt_deg: null,
    pelvic_obliquity_deg: null,
    pelvic_rotation_deg: null,
    thigh_flexion_left_deg: null,
    thigh_flexion_right_deg: null,
    hip_flexion_left_deg: null,
    hip_flexion_right_deg: null,
    eccentric_start_ms: null,
    depth: null,
    ...changes,
  };
}
