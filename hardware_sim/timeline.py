"""When each movement of a set begins and ends, and the smooth path between."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hardware_sim.errors import ScenarioError
from hardware_sim.exercises import MOVEMENTS, Exercise, Stance
from hardware_sim.walkout import plan_steps

if TYPE_CHECKING:
    from hardware_sim.scenario import Scenario
    from hardware_sim.spectral import FloatArray
    from hardware_sim.walkout import Step

_DIP_S = 0.6  # one half of a double dip
_DIP_RISE = 0.2
_DIP_DEEPER = 0.03  # the second bottom is the deeper one, so that the bottom is unique


@dataclass(frozen=True, slots=True)
class Excursion:
    """One way out and back: a repetition, or a broken-off one.

    "Out" is the lowering of a standing exercise and the lifting of a bridge; levels are shares of full depth.

    Parameters
    ----------
    set_number, number
        Set and repetition, from 1; a broken-off excursion has the number of the repetition before it.
    is_aborted
        Broken off half-way.
    out_start_s, out_end_s, back_start_s, back_end_s
        True beginning and end of both movements, s.
    start_level, depth, end_level
        Levels before, at the far end, and after.
    double_dip
        Comes up a little at the far end and goes down again.
    out_skew, back_skew, ramp_s
        Shape of the speed: positive skew has its speed early; time from rest to full speed, s.
    """

    set_number: int
    number: int
    is_aborted: bool
    out_start_s: float
    out_end_s: float
    back_start_s: float
    back_end_s: float
    start_level: float
    depth: float
    end_level: float
    double_dip: bool
    out_skew: float
    back_skew: float
    ramp_s: float

    @property
    def first_out_end_s(self) -> float:
        """End of the first way out: earlier than ``out_end_s`` in a double dip."""
        return self.out_end_s - 2.0 * _DIP_S if self.double_dip else self.out_end_s


@dataclass(frozen=True, slots=True)
class Timeline:
    """All excursions of a recording, the steps of walkouts, and its length in s."""

    excursions: tuple[Excursion, ...]
    moving_start_s: float
    moving_end_s: float
    duration_s: float
    steps: tuple[Step, ...] = ()


def build_timeline(scenario: Scenario, generator: np.random.Generator) -> Timeline:
    """Lay out all sets of a scenario.

    Parameters
    ----------
    scenario
        What shall happen.
    generator
        Source of the differences between repetitions.

    Returns
    -------
    Timeline
        Excursions in order of time.

    Raises
    ------
    ScenarioError
        ``duration_s`` is too short for what shall happen.
    """
    clock = scenario.lead_in_s
    near_pause_s = _in_order_of_time(scenario)[3]
    excursions: list[Excursion] = []
    steps: list[Step] = []
    level = 0.0
    for set_number in range(1, scenario.sets + 1):
        if set_number > 1:
            clock += scenario.rest_s
        for number in range(1, scenario.repetitions + 1):
            excursion = _excursion(scenario, generator, clock, level, set_number, number)
            excursions.append(excursion)
            if scenario.exercise is Exercise.GLUTE_BRIDGE_WALKOUT:
                steps.extend(plan_steps(scenario.walkout, set_number, number, excursion.out_end_s, generator))
            level = excursion.end_level
            clock = excursion.back_end_s + _pause(near_pause_s, scenario, generator)
            if number in scenario.form.aborted_after:
                aborted = _aborted(excursion, clock, scenario.form.aborted_depth)
                excursions.append(aborted)
                clock = aborted.back_end_s + _pause(near_pause_s, scenario, generator)
    moving_end_s = excursions[-1].back_end_s if excursions else scenario.lead_in_s + scenario.moving_s
    duration_s = moving_end_s + scenario.lead_out_s
    if scenario.duration_s is not None:
        if scenario.duration_s < moving_end_s + 1.0:
            raise ScenarioError(
                f"duration_s = {scenario.duration_s:g} is too short: movement ends at {moving_end_s:.1f} s; "
                f"choose at least {np.ceil(moving_end_s + 1.0):g} s or shorten the movement"
            )
        duration_s = scenario.duration_s
    return Timeline(tuple(excursions), scenario.lead_in_s, moving_end_s, duration_s, tuple(steps))


def hip_range_deg(scenario: Scenario) -> float:
    """Change of hip flexion at full depth, degrees, never 0."""
    movement, form = MOVEMENTS[scenario.exercise], scenario.form
    if scenario.stance is Stance.SHOULDERS:
        # Both legs of the triangle shoulder-hip-foot turn: the hip opens 2.3 times as far as the trunk.
        return 2.3 * abs(movement.tilt_deg if form.tilt_deg is None else form.tilt_deg)
    tilt = movement.tilt_deg if form.tilt_deg is None else form.tilt_deg
    thigh = movement.thigh_deg if form.thigh_deg is None else form.thigh_deg
    return max(1.0, abs(tilt + thigh))


def _in_order_of_time(scenario: Scenario) -> tuple[float, float, float, float]:
    """Lengths of the way out, the pause at the far end, the way back and the pause after it, s."""
    tempo = scenario.tempo
    if scenario.stance is Stance.SHOULDERS:
        return tempo.concentric_s, tempo.top_s, tempo.eccentric_s, tempo.bottom_s
    return tempo.eccentric_s, tempo.bottom_s, tempo.concentric_s, tempo.top_s


def _vary(value: float, sd: float, generator: np.random.Generator) -> float:
    return value * float(np.exp(sd * np.clip(generator.standard_normal(), -2.5, 2.5)))


def _pause(value_s: float, scenario: Scenario, generator: np.random.Generator) -> float:
    return _vary(value_s, 2.0 * scenario.body.tempo_variation, generator)


def _excursion(
    scenario: Scenario,
    generator: np.random.Generator,
    start_s: float,
    level: float,
    set_number: int,
    number: int,
) -> Excursion:
    form = scenario.form
    out_s, far_pause_s, back_s, _ = _in_order_of_time(scenario)
    out_s, back_s = (_vary(value, scenario.body.tempo_variation, generator) for value in (out_s, back_s))
    pause_s = _pause(far_pause_s, scenario, generator)
    if scenario.exercise is Exercise.GLUTE_BRIDGE_WALKOUT:
        pause_s = scenario.walkout.hold_s
    double_dip = number in form.double_dip
    out_end_s = start_s + out_s + (2.0 * _DIP_S if double_dip else 0.0)
    soft_deg = 0.0
    if number >= form.fault_from:
        soft_deg = form.soft_lockout_deg + form.lockout_drift_deg * (number - form.fault_from)
    depth = 1.0 + scenario.body.depth_variation * float(np.clip(generator.standard_normal(), -2.5, 2.5))
    soft = soft_deg / hip_range_deg(scenario)
    if scenario.stance is Stance.SHOULDERS:
        depth, soft = depth - soft, 0.0
    skews = generator.normal(0.1, 0.08, 2)
    return Excursion(
        set_number=set_number,
        number=number,
        is_aborted=False,
        out_start_s=start_s,
        out_end_s=out_end_s,
        back_start_s=out_end_s + pause_s,
        back_end_s=out_end_s + pause_s + back_s,
        start_level=level,
        depth=depth,
        end_level=soft,
        double_dip=double_dip,
        out_skew=float(np.clip(skews[0], -0.3, 0.4)),
        back_skew=float(np.clip(skews[1], -0.3, 0.4)),
        ramp_s=_vary(0.65, 0.15, generator),
    )


def _aborted(before: Excursion, start_s: float, depth: float) -> Excursion:
    out_s = max(0.5, depth * (before.first_out_end_s - before.out_start_s))
    return replace(
        before,
        is_aborted=True,
        out_start_s=start_s,
        out_end_s=start_s + out_s,
        back_start_s=start_s + out_s + 0.2,
        back_end_s=start_s + out_s + 0.2 + max(0.6, 0.6 * out_s),
        start_level=before.end_level,
        depth=before.end_level + depth,
        double_dip=False,
    )


def glide(fraction: FloatArray, ramp: float, skew: float) -> FloatArray:
    """Smooth path from 0 to 1: speeding up, even speed, slowing down; with ramp 0.5 close to minimum jerk.

    Parameters
    ----------
    fraction
        Elapsed part of the movement, shape (n,); below 0 gives 0, above 1 gives 1.
    ramp
        Part of the movement spent speeding up (and slowing down), 0 ... 0.5; 0.5 is a bell.
    skew
        -0.5 ... 0.5; positive brings the speed forward.

    Returns
    -------
    FloatArray
        Path, shape (n,); position, speed and acceleration are continuous.
    """
    x = np.clip(fraction, 0.0, 1.0)
    x = x + skew * x * (1.0 - x)
    speeding_up = _ramp_integral(np.minimum(x / ramp, 1.0)) * ramp
    slowing_down = _ramp_integral(np.minimum((1.0 - x) / ramp, 1.0)) * ramp
    even = np.clip(x - ramp, 0.0, 1.0 - 2.0 * ramp)
    return np.asarray((speeding_up + even + 0.5 * ramp - slowing_down) / (1.0 - ramp), dtype=np.float64)


def _ramp_integral(x: FloatArray) -> FloatArray:
    """Integral of the smooth step 3x² - 2x³ from 0 to x."""
    return np.asarray(x**3 - 0.5 * x**4, dtype=np.float64)


def levels(timeline: Timeline, time_s: FloatArray, lead: float) -> FloatArray:
    """Depth over time as a fraction of full depth.

    Parameters
    ----------
    timeline
        The excursions.
    time_s
        Shape (n,), s.
    lead
        Added to the skew on the way out, taken off on the way back: a joint that leads the others.

    Returns
    -------
    FloatArray
        Shape (n,).
    """
    level = np.zeros_like(time_s)
    for e in timeline.excursions:
        _add_move(
            level,
            time_s,
            e.out_start_s,
            e.first_out_end_s,
            e.depth - e.start_level,
            e.ramp_s,
            e.out_skew + lead,
        )
        depth = e.depth
        if e.double_dip:
            middle_s = e.first_out_end_s + _DIP_S
            _add_move(level, time_s, e.first_out_end_s, middle_s, -_DIP_RISE, e.ramp_s, 0.0)
            _add_move(level, time_s, middle_s, e.out_end_s, _DIP_RISE + _DIP_DEEPER, e.ramp_s, 0.0)
            depth += _DIP_DEEPER
        _add_move(
            level, time_s, e.back_start_s, e.back_end_s, e.end_level - depth, e.ramp_s, e.back_skew - lead
        )
    return level


def activity(timeline: Timeline, time_s: FloatArray) -> FloatArray:
    """How much the athlete is moving, 0 ... 1 without steps, shape (n,)."""
    active = np.zeros_like(time_s)
    for e in timeline.excursions:
        for start_s, end_s in ((e.out_start_s, e.out_end_s), (e.back_start_s, e.back_end_s)):
            inside = (time_s > start_s) & (time_s < end_s)
            active[inside] = np.sin(np.pi * (time_s[inside] - start_s) / (end_s - start_s)) ** 2
    return active


def _add_move(
    level: FloatArray,
    time_s: FloatArray,
    start_s: float,
    end_s: float,
    change: float,
    ramp_s: float,
    skew: float,
) -> None:
    length_s = end_s - start_s
    first = int(np.searchsorted(time_s, start_s))
    last = int(np.searchsorted(time_s, end_s))
    ramp = min(0.5, ramp_s / length_s)
    level[first:last] += change * glide((time_s[first:last] - start_s) / length_s, ramp, skew)
    level[last:] += change
