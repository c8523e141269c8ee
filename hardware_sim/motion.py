"""The athlete's joint angles over time: the intended movement, and everything a living body adds to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hardware_sim.exercises import MOVEMENTS, Side, Stance
from hardware_sim.spectral import FloatArray, band_noise
from hardware_sim.timeline import Timeline, activity, glide, levels
from hardware_sim.walkout import step_motion

if TYPE_CHECKING:
    from hardware_sim.scenario import Scenario
    from hardware_sim.walkout import StepMotion

# Lean of shank and thigh in relaxed standing, rad: the knee is bent by the sum, so that the legs never lock.
STANDING_SHANK_RAD = np.radians(5.0)
STANDING_THIGH_RAD = np.radians(5.0)
_STUMBLE_S = 0.4
_TURNS_BACK_AT = 0.65  # of the time of the way out
_STILL_GAINED = 0.065  # of the way, until turning back outweighs the way that is left


@dataclass(frozen=True, slots=True, eq=False)
class JointMotion:
    """Driving angles of the chain, each shape (n,), rad (``sideways_m``: m).

    Parameters
    ----------
    tilt, obliquity, rotation
        Pelvis in space, signs of METRICS, turned in the order rotation, obliquity, tilt.
    opening
        Turn of the pelvis about its own long axis, after the three above; + left side backwards.
    shank, thigh
        Lean of the shank (+ forward) and flexion of the thigh (+ knee ahead of hip) of the carrying leg.
    sideways_m
        Shift of the hips to the left, m.
    free_hip, free_spread
        Flexion and abduction of the free hip relative to the pelvis.
    steps
        What the feet do, where they walk (bridges).
    """

    tilt: FloatArray
    obliquity: FloatArray
    rotation: FloatArray
    opening: FloatArray
    shank: FloatArray
    thigh: FloatArray
    sideways_m: FloatArray
    free_hip: FloatArray
    free_spread: FloatArray
    steps: StepMotion | None = None


def joint_motion(
    scenario: Scenario, timeline: Timeline, time_s: FloatArray, rate_hz: float, generator: np.random.Generator
) -> JointMotion:
    """Joint angles of every exercise done in place.

    Parameters
    ----------
    scenario, timeline
        What shall happen, and when.
    time_s, rate_hz
        Time grid, shape (n,), s, and its rate, Hz.
    generator
        Source of sway, tremor and differences.

    Returns
    -------
    JointMotion
        On ``time_s``.
    """
    movement, form = MOVEMENTS[scenario.exercise], scenario.form
    n = len(time_s)
    body = scenario.body
    free_side = {Side.LEFT: -1.0, Side.RIGHT: 1.0, Side.BOTH: 0.0}[scenario.side]  # + if the left is free
    onto_foot = _onto_one_foot(scenario, time_s)
    sway = body.sway * (1.0 + (movement.sway - 1.0) * onto_foot)
    lying = scenario.stance is Stance.SHOULDERS

    def noise(sd_deg: float, low_hz: float, high_hz: float, slope: float = 0.8) -> FloatArray:
        return np.asarray(np.radians(sd_deg) * band_noise(generator, n, rate_hz, low_hz, high_hz, slope))

    tilt_deg = movement.tilt_deg if form.tilt_deg is None else form.tilt_deg
    thigh_deg = movement.thigh_deg if form.thigh_deg is None else form.thigh_deg
    shank_deg = movement.shank_deg if form.shank_deg is None else form.shank_deg
    faulty = _switched_on(scenario, timeline, time_s)
    # Knee-dominant work: part of the pelvis' way is done by bending the knees instead.
    moved_deg = form.knee_share * tilt_deg * faulty
    hesitation = 0.008 * body.sway * band_noise(generator, n, rate_hz, 0.3, 1.5) * activity(timeline, time_s)
    pelvis_level = levels(timeline, time_s, 0.06) + hesitation
    leg_level = levels(timeline, time_s, -0.06) + hesitation

    # Lying, the floor carries the pelvis: it sways only as far as it is lifted.
    freedom = 0.05 + 0.95 * pelvis_level if lying else np.ones(n)
    ankle = sway * noise(0.30, 0.1, 1.2)
    breath = np.radians(0.12) * np.sin(2.0 * np.pi * 0.25 * time_s + generator.uniform(0.0, 2.0 * np.pi))
    tremor = body.tremor * (1.0 + pelvis_level)

    bump = movement.tilt_bump_deg * 16.0 * (pelvis_level * (1.0 - pelvis_level)) ** 2
    tilt = np.radians((tilt_deg - moved_deg) * pelvis_level + bump)
    if form.tilt_reversal_deg:
        back_deg = _turned_back_deg(timeline, time_s, pelvis_level, tilt_deg, form.tilt_reversal_deg)
        tilt -= np.radians(back_deg * faulty)
    tilt += freedom * (sway * noise(0.35, 0.15, 2.0) + tremor * noise(0.006, 6.0, 11.0, 0.0)) + breath
    shank = np.radians((shank_deg + 0.4 * moved_deg) * leg_level) + ankle + STANDING_SHANK_RAD
    thigh = np.radians((thigh_deg + moved_deg) * leg_level) - ankle + STANDING_THIGH_RAD
    thigh += sway * noise(0.20, 0.15, 2.0) + tremor * noise(0.0015, 6.0, 11.0, 0.0)

    # Which way this athlete leans and turns a little with depth.
    lean_deg, turn_deg = generator.normal(0.0, 1.0), generator.normal(0.0, 1.2)
    drop_side = free_side or 1.0
    scale = min(1.0, abs(tilt_deg) / 45.0)
    obliquity = np.radians((lean_deg * scale + drop_side * form.pelvic_drop_deg * faulty) * pelvis_level)
    obliquity += freedom * (sway * noise(0.20, 0.1, 1.5) + tremor * noise(0.003, 6.0, 11.0, 0.0))
    rotation = np.radians((turn_deg * scale + form.pelvic_rotation_deg * faulty) * pelvis_level)
    rotation += freedom * sway * noise(0.30, 0.1, 1.5)
    opening = np.radians(drop_side * form.hip_open_deg * faulty * pelvis_level)

    obliquity += np.radians(form.stumble_deg) * faulty * _stumbles(timeline, time_s)

    sideways_m = 0.004 * sway * freedom * band_noise(generator, n, rate_hz, 0.1, 1.2, 0.8)
    free_hip = np.radians(movement.free_hip_deg) * leg_level + sway * noise(0.3, 0.15, 2.0)
    free_spread = sway * noise(0.3, 0.15, 1.5)
    if scenario.stance is Stance.ONE_FOOT:
        sideways_m = sideways_m - free_side * 0.04 * onto_foot
        free_hip = free_hip + np.radians(3.0) * onto_foot
    steps = step_motion(timeline.steps, time_s) if timeline.steps else None
    if steps is not None:
        tilt = tilt + steps.sag_rad
        obliquity = obliquity + steps.dip_rad
    return JointMotion(
        tilt, obliquity, rotation, opening, shank, thigh, sideways_m, free_hip, free_spread, steps
    )


def _turned_back_deg(
    timeline: Timeline, time_s: FloatArray, level: FloatArray, tilt_deg: float, reversal_deg: float
) -> FloatArray:
    """Tell what the pelvis gives back late on the way out: what it still gains, and more; shape (n,)."""
    back = np.zeros_like(time_s)
    for e in timeline.excursions:
        out_s = e.first_out_end_s - e.out_start_s
        turn_s = e.out_start_s + _TURNS_BACK_AT * out_s
        gained = level[np.searchsorted(time_s, e.back_start_s)] - level[np.searchsorted(time_s, turn_s)]
        away = glide((time_s - turn_s) / (e.first_out_end_s - turn_s), 0.5, 0.0)
        again = glide((time_s - e.back_start_s) / (e.back_end_s - e.back_start_s), 0.5, 0.0)
        back += (reversal_deg + tilt_deg * (gained - _STILL_GAINED)) * (away - again)
    return back


def _stumbles(timeline: Timeline, time_s: FloatArray) -> FloatArray:
    """Tipping and catching oneself half-way down every repetition, 0 ... 1, shape (n,)."""
    tipped = np.zeros_like(time_s)
    for e in timeline.excursions:
        since_s = time_s - 0.5 * (e.out_start_s + e.first_out_end_s)
        inside = (since_s > 0.0) & (since_s < _STUMBLE_S)
        tipped[inside] = np.sin(np.pi * since_s[inside] / _STUMBLE_S) ** 2
    return tipped


def _onto_one_foot(scenario: Scenario, time_s: FloatArray) -> FloatArray:
    """0 on two feet, 1 with the weight over one: the change comes after the still standing."""
    if scenario.stance is not Stance.ONE_FOOT:
        return np.ones_like(time_s)
    start_s = max(2.05, scenario.lead_in_s - 1.3)
    return glide((time_s - start_s) / (scenario.lead_in_s - 0.1 - start_s), 0.5, 0.0)


def _switched_on(scenario: Scenario, timeline: Timeline, time_s: FloatArray) -> FloatArray:
    """0 before the repetition from which form fails, 1 from it to the end of its set, without steps."""
    if scenario.form.fault_from <= 1:
        return np.ones_like(time_s)
    switched = np.zeros_like(time_s)
    for set_number in range(1, scenario.sets + 1):
        faulty = [
            e
            for e in timeline.excursions
            if e.set_number == set_number and e.number >= scenario.form.fault_from
        ]
        if faulty:
            switched += glide((time_s - faulty[0].out_start_s) / 0.4, 0.5, 0.0)
            switched -= glide((time_s - faulty[-1].back_end_s) / 0.4, 0.5, 0.0)
    return switched


@dataclass(frozen=True, slots=True, eq=False)
class GaitMotion:
    """Walking: pelvis path and both thighs, each shape (n,), rad or m."""

    tilt: FloatArray
    obliquity: FloatArray
    rotation: FloatArray
    forward_m: FloatArray
    sideways_m: FloatArray
    upward_m: FloatArray
    thigh_left: FloatArray
    thigh_right: FloatArray


def gait_motion(
    scenario: Scenario, timeline: Timeline, time_s: FloatArray, rate_hz: float, generator: np.random.Generator
) -> GaitMotion:
    """Walk between two spells of standing, 0.9 strides a second.

    Amplitudes follow textbook gait at about 1.2 m/s: thigh 40° from end to end, pelvis a few degrees and 4 cm
    up and down; every heel strike rings for a tenth of a second.

    Returns
    -------
    GaitMotion
        On ``time_s``.
    """
    n = len(time_s)
    moving = glide((time_s - timeline.moving_start_s) / 1.5, 0.5, 0.0) - glide(
        (time_s - timeline.moving_end_s + 1.5) / 1.5, 0.5, 0.0
    )
    stride_hz = 0.9 * (1.0 + 0.02 * band_noise(generator, n, rate_hz, 0.05, 0.4))
    phase = 2.0 * np.pi * np.cumsum(stride_hz) / rate_hz

    def noise(sd_deg: float) -> FloatArray:
        sway = scenario.body.sway * np.radians(sd_deg)
        return np.asarray(sway * band_noise(generator, n, rate_hz, 0.1, 2.0, 0.8))

    def thigh(angle: FloatArray) -> FloatArray:
        return moving * np.radians(5.0 + 19.0 * np.sin(angle) + 4.0 * np.sin(2.0 * angle + 0.8)) + noise(0.4)

    ringing = _heel_strikes(phase, moving, rate_hz, generator)
    return GaitMotion(
        tilt=moving * np.radians(2.0 + 1.5 * np.sin(2.0 * phase + 0.5)) + noise(0.3),
        obliquity=moving * np.radians(4.0) * np.sin(phase + 0.4) + noise(0.3),
        rotation=-moving * np.radians(5.0) * np.sin(phase) + noise(0.5),
        forward_m=np.cumsum(1.2 * moving) / rate_hz,
        sideways_m=0.02 * moving * np.sin(phase + 1.2),
        upward_m=0.9 + 0.02 * moving * np.cos(2.0 * phase + 0.6) + ringing,
        thigh_left=thigh(phase),
        thigh_right=thigh(phase + np.pi),
    )


def _heel_strikes(
    phase: FloatArray, moving: FloatArray, rate_hz: float, generator: np.random.Generator
) -> FloatArray:
    """Upward displacement, m, of a damped 12 Hz ringing after every step, shape (n,)."""
    strikes = np.zeros_like(phase)
    steps = np.flatnonzero(np.diff(np.floor(phase / np.pi + 0.35)) > 0.5)
    strikes[steps] = moving[steps] * (1.0 + 0.2 * generator.standard_normal(len(steps)))
    since_s = np.arange(int(0.3 * rate_hz)) / rate_hz
    kernel = 0.0008 * (since_s / 0.02) ** 3 * np.exp(-since_s / 0.02) * np.sin(2.0 * np.pi * 12.0 * since_s)
    return np.convolve(strikes, kernel)[: len(phase)]
