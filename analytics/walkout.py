"""The bridge walkout: steps of the feet while the hips are held up, and what the pelvis does in each.

A step is a thigh that jerks, turns, and stays turned while the other one is quiet. Tried on the virtual
athlete only: everything here is a proxy until recordings of people say more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from analytics.exercises import Side
from analytics.filters import low_pass_zero_phase
from analytics.form import Fault, FaultCode, FaultPhase
from analytics.imu import Placement
from analytics.repetition_figures import Kind
from analytics.true_stretches import true_stretches

if TYPE_CHECKING:
    from analytics.alignment import AlignedBlock
    from analytics.angles import AngleBlock
    from analytics.imu import FloatArray
    from analytics.repetition_figures import Repetition
    from analytics.repetitions import CounterParameters


@dataclass(frozen=True, slots=True)
class WalkoutParameters:
    """Constants of the walkout; defaults of ours, not validated.

    Parameters
    ----------
    up_share
        The hips are held up from this part of their usual lift.
    moving_deg_s
        Thighs that turn faster against each other are stepping.
    joined_gap_s
        A foot goes up and down: pauses up to this long belong to one step.
    shortest_s
        A jolt is shorter than this.
    burst_m_s2
        Least peak of the acceleration's norm above 0.5 Hz.
    lasting_deg
        Least turn of the thigh against the other one that stays.
    before_s, after_s
        Sag and dip are looked for from so long before a step's start to so long after it.
    longest_hold_s
        The hips may be held up so long.
    path_to
        Largest way travelled by the pelvis as a part of up and down: it sags with every step.
    sag_deg
        Sinking of the hips in one step above which it is a fault.
    """

    up_share: float = 0.9
    moving_deg_s: float = 8.0
    joined_gap_s: float = 0.25
    shortest_s: float = 0.1
    burst_m_s2: float = 0.5
    lasting_deg: float = 2.0
    before_s: float = 0.2
    after_s: float = 0.5
    longest_hold_s: float = 80.0
    path_to: float = 6.0
    sag_deg: float = 5.0


@dataclass(frozen=True, slots=True)
class WalkoutStep:
    """One step.

    Parameters
    ----------
    side
        Of the foot.
    start_ns
        The foot leaves the floor, integer ns.
    sag_deg
        Sinking of the hips (tilt) around it, degrees.
    dip_deg
        Sinking of the pelvis on the side of the foot (obliquity), degrees.
    is_alternation_error
        The same foot as in the step before.
    """

    side: Side
    start_ns: int
    sag_deg: float
    dip_deg: float
    is_alternation_error: bool


@dataclass(frozen=True, slots=True)
class Walkout:
    """The steps of one repetition; all of it a proxy.

    Parameters
    ----------
    steps
        In order of time.
    hold_s
        From where the hips first to where they last were at nine tenths of their usual height, s.
    sd_deg
        One-sigma of each sag and dip, degrees.
    """

    steps: tuple[WalkoutStep, ...]
    hold_s: float
    sd_deg: float

    @property
    def alternation_errors(self) -> int:
        """Steps done with the foot that did the one before."""
        return sum(step.is_alternation_error for step in self.steps)

    @property
    def largest_sag_deg(self) -> float | None:
        """Largest sinking of the hips in a step, degrees; ``None`` without a step."""
        return max((step.sag_deg for step in self.steps), default=None)

    @property
    def largest_dip_deg(self) -> float | None:
        """Largest sinking of the pelvis on the side of the foot, degrees; ``None`` without a step."""
        return max((step.dip_deg for step in self.steps), default=None)


def counting_walkouts(
    parameters: CounterParameters, walkout: WalkoutParameters | None = None
) -> CounterParameters:
    """Let the hips be held up for long, and sag with every step, before a counter gives up."""
    p = walkout or WalkoutParameters()
    gate = parameters.lying_gate
    return replace(
        parameters,
        turning_points=replace(parameters.turning_points, no_progress_s=p.longest_hold_s),
        lying_gate=None if gate is None else replace(gate, path_to=p.path_to, path_most=p.path_to),
    )


def measure_walkout(
    window: AlignedBlock,
    angles: AngleBlock,
    repetition: Repetition,
    parameters: WalkoutParameters | None = None,
) -> Walkout | None:
    """Find the steps of a repetition.

    Parameters
    ----------
    window, angles
        Orientations over the repetition, measured again, and the angles taken from them.
    repetition
        As measured.
    parameters
        Constants.

    Returns
    -------
    None where the pelvis or a thigh has no sensor, or data are missing.
    """
    p = parameters or WalkoutParameters()
    span = slice(
        max(0, angles.index_of(repetition.start_ns)), min(len(angles), angles.index_of(repetition.close_ns))
    )
    tilt_deg = angles.pelvic_tilt_deg[span]
    if "pelvic_tilt_range_deg" not in repetition.sd or not bool(np.isfinite(tilt_deg).all()):
        return None
    first, last = (span.start + index for index in _held_up(tilt_deg, p.up_share))
    rate_hz = angles.sampling_rate_hz
    thighs = {
        Side.LEFT: (Placement.THIGH_LEFT, angles.thigh_flexion_left_deg),
        Side.RIGHT: (Placement.THIGH_RIGHT, angles.thigh_flexion_right_deg),
    }
    for placement, flexion in thighs.values():
        if placement not in window.segments or not bool(np.isfinite(flexion[first:last]).all()):
            return None
    hold = _Hold(
        {side: _smooth(flexion, first, last, rate_hz) for side, (_, flexion) in thighs.items()},
        {
            side: _burst(window.segments[placement].acc_m_s2, first, last, rate_hz)
            for side, (placement, _) in thighs.items()
        },
        rate_hz,
        p,
    )
    steps: list[WalkoutStep] = []
    for start, side in hold.steps():
        around = slice(
            max(0, first + start - round(p.before_s * rate_hz)), first + start + round(p.after_s * rate_hz)
        )
        tilt, obliquity = angles.pelvic_tilt_deg[around], angles.pelvic_obliquity_deg[around]
        # Right side up is positive: the pelvis sinks at the left foot with a growing obliquity.
        sinking = (obliquity - obliquity[0]) * (1.0 if side is Side.LEFT else -1.0)
        steps.append(
            WalkoutStep(
                side=side,
                start_ns=angles.time_ns(first + start),
                sag_deg=float(np.nanmax(tilt - tilt[0])),
                dip_deg=float(np.nanmax(sinking)),
                is_alternation_error=bool(steps) and steps[-1].side is side,
            )
        )
    return Walkout(tuple(steps), (last - first) / rate_hz, repetition.sd["pelvic_tilt_range_deg"])


def _held_up(tilt_deg: FloatArray, up_share: float) -> tuple[int, int]:
    """First and last sample at which the hips are up: sagging in between, they are not down."""
    lift = tilt_deg[0] - tilt_deg
    level = float(np.median(lift[lift > 0.5 * lift.max()]))
    up = np.flatnonzero(lift >= up_share * level)
    return int(up[0]), int(up[-1])


@dataclass(frozen=True, slots=True, eq=False)
class _Hold:
    """Both thighs while the hips are up: inclination, degrees, and shaking, m/s², shape (n,) each."""

    flexion_deg: dict[Side, FloatArray]
    burst_m_s2: dict[Side, FloatArray]
    rate_hz: float
    p: WalkoutParameters

    def steps(self) -> list[tuple[int, Side]]:
        """Find first sample and side of each step: sinking hips turn both thighs alike, a step does not."""
        apart = self.flexion_deg[Side.LEFT] - self.flexion_deg[Side.RIGHT]
        turning = np.abs(np.gradient(apart)) * self.rate_hz > self.p.moving_deg_s
        found = []
        for start, end in _runs(turning, round(self.p.joined_gap_s * self.rate_hz)):
            before, after = self._around(apart, start, end)
            # A foot in the air bends its own hip more, wherever it comes down: that tells whose it is.
            inside = apart[start : end + 1]
            lifted = inside - np.linspace(before, after, len(inside))
            side = Side.LEFT if float(lifted[np.argmax(np.abs(lifted))]) > 0.0 else Side.RIGHT
            is_jolt = end - start < self.p.shortest_s * self.rate_hz
            is_quiet = float(self.burst_m_s2[side][start : end + 1].max()) < self.p.burst_m_s2
            if not is_jolt and not is_quiet and abs(after - before) >= self.p.lasting_deg:
                found.append((start, side))
        return found

    def _around(self, apart_deg: FloatArray, start: int, end: int) -> tuple[float, float]:
        """Turn of the left thigh against the right one at rest before and after, degrees."""
        near, far = round(0.05 * self.rate_hz), round(0.25 * self.rate_hz)
        before = apart_deg[max(0, start - far) : max(1, start - near)]
        after = apart_deg[min(len(apart_deg) - 1, end + near) : end + far]
        return float(np.median(before)), float(np.median(after))


def _smooth(flexion_deg: FloatArray, first: int, last: int, rate_hz: float) -> FloatArray:
    return low_pass_zero_phase(flexion_deg[first : last + 1], min(5.0, 0.4 * rate_hz), rate_hz)


def _burst(acc_m_s2: FloatArray, first: int, last: int, rate_hz: float) -> FloatArray:
    norm = np.linalg.norm(acc_m_s2[first : last + 1], axis=1)
    return np.asarray(np.abs(norm - low_pass_zero_phase(norm, 0.5, rate_hz)), dtype=np.float64)


def _runs(moving: np.ndarray[tuple[int], np.dtype[np.bool_]], joined_gap: int) -> list[tuple[int, int]]:
    """First and last index of each stretch of movement, those a short gap apart made one."""
    runs: list[tuple[int, int]] = []
    for start, after in true_stretches(moving):
        if runs and start - runs[-1][1] <= joined_gap:
            runs[-1] = (runs[-1][0], after - 1)
        else:
            runs.append((start, after - 1))
    return runs


def walkout_faults(repetition: Repetition, parameters: WalkoutParameters | None = None) -> tuple[Fault, ...]:
    """Judge the steps of a repetition: the same foot twice, hips that sink.

    Parameters
    ----------
    repetition
        As measured; without steps nothing is judged.
    parameters
        Limits.
    """
    p = parameters or WalkoutParameters()
    walkout = repetition.walkout
    if walkout is None:
        return ()
    faults = []
    if walkout.alternation_errors:
        faults.append(
            _fault(repetition, FaultCode.ALTERNATION_ERROR, float(walkout.alternation_errors), 0.0, 0.0)
        )
    sag_deg = walkout.largest_sag_deg
    if sag_deg is not None and sag_deg - p.sag_deg >= walkout.sd_deg:
        faults.append(_fault(repetition, FaultCode.HIP_SAG, sag_deg, p.sag_deg, walkout.sd_deg))
    return tuple(faults)


def _fault(repetition: Repetition, code: FaultCode, value: float, threshold: float, sd: float) -> Fault:
    return Fault(code, repetition.repetition_number, FaultPhase.TOP, value, threshold, sd, Kind.PROXY)
