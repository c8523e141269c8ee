"""The bridge walkout: with the hips held up, the feet walk away from the body and back, step by step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hardware_sim.errors import ScenarioError
from hardware_sim.exercises import Side

if TYPE_CHECKING:
    from hardware_sim.spectral import FloatArray

BEFORE_S, AFTER_S = 0.2, 0.5
_SETTLE_S = 0.8
_FOOT_LIFT_M = 0.04


@dataclass(frozen=True, slots=True)
class Walkout:
    """How the feet walk.

    Parameters
    ----------
    steps
        Steps away; as many lead back.
    interval_s, step_s
        From one step to the next, and how long a foot is off the floor, s.
    length_m
        Length of a step, m.
    same_side_at
        Steps, from 2, done with the foot that did the one before; back again likewise.
    sag_deg, dip_deg
        How far the hips sink, and the pelvis on the side of the lifted foot, in each step, degrees.
    sag_from
        Step of the repetition from which the hips sink.
    """

    steps: int = 4
    interval_s: float = 1.2
    step_s: float = 0.5
    length_m: float = 0.10
    same_side_at: tuple[int, ...] = ()
    sag_deg: float = 0.0
    dip_deg: float = 2.0
    sag_from: int = 1

    def __post_init__(self) -> None:
        for name, low, high in (
            ("steps", 2, 20),
            ("interval_s", 0.6, 10.0),
            ("step_s", 0.25, 2.0),
            ("length_m", 0.04, 0.2),
            ("sag_deg", 0.0, 20.0),
            ("dip_deg", 0.0, 20.0),
            ("sag_from", 1, 40),
        ):
            value = getattr(self, name)
            if not (math.isfinite(value) and low <= value <= high):
                raise ScenarioError(f"walkout.{name} = {value:g} is out of range; choose {low:g} to {high:g}")
        if self.interval_s < self.step_s + 0.1:
            raise ScenarioError("walkout.interval_s is shorter than a step; choose step_s + 0.1 or more")
        if any(not 2 <= step <= self.steps for step in self.same_side_at):
            raise ScenarioError(f"walkout.same_side_at names a step that is not one of 2 to {self.steps}")

    @property
    def hold_s(self) -> float:
        """How long the hips are held up, s."""
        return 2.0 * _SETTLE_S + 2 * self.steps * self.interval_s

    def sides(self) -> tuple[Side, ...]:
        """Side of each step, there and back."""
        sides = [Side.LEFT]
        for number in range(2, self.steps + 1):
            same = number in self.same_side_at
            sides.append(sides[-1] if same else _other(sides[-1]))
        return (*sides, *sides)


def _other(side: Side) -> Side:
    return Side.RIGHT if side is Side.LEFT else Side.LEFT


@dataclass(frozen=True, slots=True)
class Step:
    """One planned step: whose, when, and how far away from the body (m)."""

    set_number: int
    repetition: int
    number: int
    side: Side
    start_s: float
    end_s: float
    length_m: float
    sag_deg: float
    dip_deg: float


def plan_steps(
    walkout: Walkout, set_number: int, repetition: int, hold_start_s: float, generator: np.random.Generator
) -> tuple[Step, ...]:
    """Lay out the steps of one repetition whose hips are up from ``hold_start_s``."""
    steps = []
    for index, side in enumerate(walkout.sides()):
        start_s = hold_start_s + _SETTLE_S + index * walkout.interval_s + generator.uniform(0.0, 0.08)
        sags = index + 1 >= walkout.sag_from
        steps.append(
            Step(
                set_number=set_number,
                repetition=repetition,
                number=index + 1,
                side=side,
                start_s=start_s,
                end_s=start_s + walkout.step_s,
                length_m=walkout.length_m if index < walkout.steps else -walkout.length_m,
                sag_deg=walkout.sag_deg * float(generator.uniform(0.8, 1.2)) if sags else 0.0,
                dip_deg=walkout.dip_deg * float(generator.uniform(0.8, 1.2)),
            )
        )
    return tuple(steps)


@dataclass(frozen=True, slots=True, eq=False)
class StepMotion:
    """What steps do to feet and pelvis.

    Parameters
    ----------
    forward_m, up_m
        Way of each foot away from the body and off the floor, m, shape (n,), by side.
    sag_rad, dip_rad
        Added to tilt (+ sinking) and obliquity (+ right side up), rad, shape (n,).
    """

    forward_m: dict[Side, FloatArray]
    up_m: dict[Side, FloatArray]
    sag_rad: FloatArray
    dip_rad: FloatArray


def step_motion(steps: tuple[Step, ...], time_s: FloatArray) -> StepMotion:
    """Motion of all steps of a recording on ``time_s``, shape (n,)."""
    motion = StepMotion(
        forward_m={side: np.zeros_like(time_s) for side in (Side.LEFT, Side.RIGHT)},
        up_m={side: np.zeros_like(time_s) for side in (Side.LEFT, Side.RIGHT)},
        sag_rad=np.zeros_like(time_s),
        dip_rad=np.zeros_like(time_s),
    )
    for step in steps:
        share = np.clip((time_s - step.start_s) / (step.end_s - step.start_s), 0.0, 1.0)
        # Minimum jerk, so that speed and acceleration have no steps.
        motion.forward_m[step.side][:] += step.length_m * share**3 * (10.0 + share * (6.0 * share - 15.0))
        # Off the floor and back, slow at both ends.
        motion.up_m[step.side][:] += _FOOT_LIFT_M * 64.0 * (share * (1.0 - share)) ** 3
        # The pelvis is one leg short from shortly before to shortly after.
        wide = np.clip((time_s - step.start_s + 0.1) / (step.end_s - step.start_s + 0.2), 0.0, 1.0)
        bump = 64.0 * (wide * (1.0 - wide)) ** 3
        motion.sag_rad[:] += np.radians(step.sag_deg) * bump
        sinking_left = 1.0 if step.side is Side.LEFT else -1.0
        motion.dip_rad[:] += sinking_left * np.radians(step.dip_deg) * bump
    return motion


@dataclass(frozen=True, slots=True)
class TrueStep:
    """One step as it really was.

    Parameters
    ----------
    set, repetition, step
        From 1.
    side
        Of the foot.
    start_s, end_s
        Foot off the floor, s.
    sag_deg, dip_deg
        Largest sinking of the hips (tilt) and of the pelvis on the side of the foot (obliquity) from what
        they were 0.2 s before it to 0.5 s after its start, degrees.
    is_alternation_error
        The same foot as in the step before.
    """

    set: int
    repetition: int
    step: int
    side: str
    start_s: float
    end_s: float
    sag_deg: float
    dip_deg: float
    is_alternation_error: bool


def true_hold_s(tilt_deg: FloatArray, rate_hz: float) -> float:
    """Time from where the hips first to where they last are at nine tenths of their usual height, s.

    Parameters
    ----------
    tilt_deg
        Exact pelvic tilt from before the lift to after it, shape (n,), degrees.
    rate_hz
        Rate of it.
    """
    lift = np.median(tilt_deg[: max(1, round(0.1 * rate_hz))]) - tilt_deg
    usual = np.median(lift[lift > 0.5 * lift.max()])
    up = np.flatnonzero(lift >= 0.9 * usual)
    return float((up[-1] - up[0]) / rate_hz)


def true_steps(
    steps: tuple[Step, ...], time_s: FloatArray, tilt_deg: FloatArray, obliquity_deg: FloatArray
) -> tuple[TrueStep, ...]:
    """Measure the steps on exact angles, shape (n,), degrees."""
    before = {(step.set_number, step.repetition, step.number): step.side for step in steps}
    found = []
    for step in steps:
        first, last = np.searchsorted(time_s, [step.start_s - BEFORE_S, step.start_s + AFTER_S])
        dip = (obliquity_deg[first:last] - obliquity_deg[first]) * (1.0 if step.side is Side.LEFT else -1.0)
        found.append(
            TrueStep(
                set=step.set_number,
                repetition=step.repetition,
                step=step.number,
                side=str(step.side),
                start_s=step.start_s,
                end_s=step.end_s,
                sag_deg=float(np.max(tilt_deg[first:last] - tilt_deg[first])),
                dip_deg=float(np.max(dip)),
                is_alternation_error=before.get((step.set_number, step.repetition, step.number - 1))
                is step.side,
            )
        )
    return tuple(found)
