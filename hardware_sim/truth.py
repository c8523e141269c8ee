"""What really happened: exact angles and repetitions, by the definitions in METRICS."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hardware_sim.exercises import Exercise, Side, Stance
from hardware_sim.mounts import Placement
from hardware_sim.phases import DrivingAngle, Phase, out_and_back
from hardware_sim.rotation import shortest

if TYPE_CHECKING:
    from hardware_sim.kinematics import Poses
    from hardware_sim.scenario import Scenario
    from hardware_sim.spectral import FloatArray
    from hardware_sim.timeline import Excursion, Timeline
    from hardware_sim.walkout import TrueStep

LOCKOUT_S = 0.15
BEFORE_FIRST_S, AFTER_LAST_S = 3.0, 2.0


@dataclass(frozen=True, slots=True, eq=False)
class BodyAngles:
    """The columns of the angle file, degrees, each shape (n,); rotation is relative to the first sample."""

    pelvic_tilt_deg: FloatArray
    pelvic_obliquity_deg: FloatArray
    pelvic_rotation_deg: FloatArray
    thigh_flexion_left_deg: FloatArray
    thigh_flexion_right_deg: FloatArray
    hip_flexion_left_deg: FloatArray
    hip_flexion_right_deg: FloatArray

    def columns(self) -> dict[str, FloatArray]:
        """Name and values of each column, in the order of FORMATS."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class TrueRepetition:
    """One repetition as it really was; names as in result/1, times in s from the start of the recording.

    ``*_true_start_s`` and ``*_true_end_s`` are where the movement itself begins and ends; the phases by
    definition lie inside. Lengths of movements by definition are ``*_movement_s``.
    """

    set: int
    repetition: int
    eccentric_start_s: float
    eccentric_end_s: float
    concentric_start_s: float
    concentric_end_s: float
    eccentric_s: float
    bottom_pause_s: float | None
    concentric_s: float
    top_pause_s: float | None
    tut_s: float
    eccentric_movement_s: float
    concentric_movement_s: float
    eccentric_true_start_s: float
    eccentric_true_end_s: float
    concentric_true_start_s: float
    concentric_true_end_s: float
    pelvic_tilt_range_deg: float
    hip_flexion_left_range_deg: float
    hip_flexion_right_range_deg: float
    pelvic_obliquity_peak_deg: float
    pelvic_rotation_range_deg: float
    lockout_deficit_deg: float
    hinge_share: float


@dataclass(frozen=True, slots=True)
class TrueAborted:
    """A repetition broken off: when, and how far it went (degrees of the driving angle)."""

    set: int
    after_repetition: int
    start_s: float
    end_s: float
    depth_deg: float


@dataclass(frozen=True, slots=True)
class TrueUntimed:
    """A repetition that was done but moves too slowly, or sways too much, for phases by definition."""

    set: int
    repetition: int
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """Exact angles at the times of the trace, and what was done.

    Parameters
    ----------
    exercise, side
        As in result/1.
    time_s, angles
        Times of the trace, shape (n,), s, and the angles there.
    repetitions, aborted, steps
        What happened, in order; steps of bridge walkouts.
    untimed
        Repetitions that are missing from ``repetitions``, because they have no phases.
    """

    exercise: str
    side: str
    time_s: FloatArray
    angles: BodyAngles
    repetitions: tuple[TrueRepetition, ...]
    aborted: tuple[TrueAborted, ...]
    untimed: tuple[TrueUntimed, ...] = ()
    steps: tuple[TrueStep, ...] = ()

    def angle_columns(self) -> dict[str, FloatArray]:
        """Columns of the angle file of FORMATS, ``t`` first."""
        return {"t": self.time_s, **self.angles.columns()}

    def to_dict(self) -> dict[str, Any]:
        """Everything but the angles, ready for JSON."""
        return {
            "format": "truth/1",
            "exercise": self.exercise,
            "side": self.side,
            "sets": [_set_summary(number, self) for number in sorted({r.set for r in self.repetitions})],
            "repetitions": [asdict(repetition) for repetition in self.repetitions],
            "aborted": [asdict(aborted) for aborted in self.aborted],
            "steps": [asdict(step) for step in self.steps],
        }


def _set_summary(number: int, truth: Truth) -> dict[str, Any]:
    done = [r for r in truth.repetitions if r.set == number]
    return {
        "set": number,
        "start_s": min(min(r.eccentric_start_s, r.concentric_start_s) for r in done),
        "end_s": max(max(r.eccentric_end_s, r.concentric_end_s) for r in done),
        "exercise": truth.exercise,
        "side": truth.side,
        "repetitions": len(done),
        "tut_s": sum(r.tut_s for r in done),
        "eccentric_tut_s": sum(r.eccentric_s for r in done),
        "mean_eccentric_s": float(np.mean([r.eccentric_s for r in done])),
    }


def upright_segments(poses: Poses, still: slice) -> Poses:
    """Turn the segment frames so that the mean of a stretch of still standing is upright: all angles 0.

    Parameters
    ----------
    poses
        Any orientation of the segment frames.
    still
        Samples of still standing.

    Returns
    -------
    Poses
        The same poses; z of each segment_frame points up on the mean over ``still``, x keeps its heading.
    """
    turned = {}
    for placement, pose in poses.items():
        up = np.mean(pose.earth_from_segment[still, 2, :], axis=0)
        anatomical_from_upright = shortest(np.array([0.0, 0.0, 1.0]), up / np.linalg.norm(up))
        turned[placement] = type(pose)(pose.earth_from_segment @ anatomical_from_upright, pose.origin_m)
    return turned


def body_angles(poses: Poses) -> BodyAngles:
    """Angles of METRICS from poses whose segment frames are upright in standing.

    Tilt, obliquity and thigh flexion follow from the direction of up in the segment; rotation is the first
    angle of the order rotation, obliquity, tilt.
    """
    pelvis = poses[Placement.PELVIS].earth_from_segment
    tilt = _forward_lean_deg(pelvis)
    heading = np.unwrap(np.arctan2(-pelvis[:, 0, 1], pelvis[:, 1, 1]))
    left, right = (
        -_forward_lean_deg(poses[p].earth_from_segment) for p in (Placement.THIGH_LEFT, Placement.THIGH_RIGHT)
    )
    return BodyAngles(
        pelvic_tilt_deg=tilt,
        pelvic_obliquity_deg=-np.degrees(np.arcsin(np.clip(pelvis[:, 2, 1], -1.0, 1.0))),
        pelvic_rotation_deg=np.degrees(heading - heading[0]),
        thigh_flexion_left_deg=left,
        thigh_flexion_right_deg=right,
        hip_flexion_left_deg=tilt + left,
        hip_flexion_right_deg=tilt + right,
    )


def _forward_lean_deg(earth_from_segment: FloatArray) -> FloatArray:
    # The third row of earth_from_segment is "up" seen from the segment.
    return np.asarray(
        np.degrees(np.unwrap(np.arctan2(-earth_from_segment[:, 2, 0], earth_from_segment[:, 2, 2]))),
        dtype=np.float64,
    )


def driving_angle_deg(angles: BodyAngles, side: Side) -> FloatArray:
    """Hip flexion of the working side, or the mean of both, shape (n,), degrees."""
    if side is Side.LEFT:
        return angles.hip_flexion_left_deg
    if side is Side.RIGHT:
        return angles.hip_flexion_right_deg
    return 0.5 * (angles.hip_flexion_left_deg + angles.hip_flexion_right_deg)


def true_repetitions(
    scenario: Scenario, timeline: Timeline, time_s: FloatArray, angles: BodyAngles, rate_hz: float
) -> tuple[tuple[TrueRepetition, ...], tuple[TrueAborted, ...], tuple[TrueUntimed, ...]]:
    """Find the phases of each planned repetition by definition and measure it.

    Parameters
    ----------
    scenario, timeline
        What was planned.
    time_s, angles, rate_hz
        Exact angles on a fine grid.

    Returns
    -------
    tuple
        Repetitions, broken-off ones, and those without phases, in order.
    """
    hip = driving_angle_deg(angles, scenario.side)
    lifting_first = scenario.stance is Stance.SHOULDERS
    # In a walkout the hips go on bending with every step: what goes up and down is the pelvis.
    drive = angles.pelvic_tilt_deg if scenario.exercise is Exercise.GLUTE_BRIDGE_WALKOUT else hip
    driving = DrivingAngle.of(time_s, -drive if lifting_first else drive, rate_hz)
    done: list[tuple[Excursion, Phase, Phase]] = []
    aborted = []
    untimed = []
    for k, e in enumerate(timeline.excursions):
        if e.is_aborted:
            inside = slice(driving.index(e.out_start_s), driving.index(e.back_end_s) + 1)
            depth = float(np.max(driving.angle_deg[inside]) - driving.angle_deg[inside.start])
            aborted.append(TrueAborted(e.set_number, e.number, e.out_start_s, e.back_end_s, depth))
            continue
        phases = out_and_back(driving, _window_s(timeline, k))
        if phases:
            done.append((e, *phases))
        else:
            untimed.append(TrueUntimed(e.set_number, e.number, e.out_start_s, e.back_end_s))
    repetitions = []
    for k, (e, out, back) in enumerate(done):
        next_start_s = None
        if k + 1 < len(done) and done[k + 1][0].set_number == e.set_number:
            next_start_s = done[k + 1][1].start_s
        repetitions.append(_measure(e, out, back, next_start_s, time_s, angles, hip, lifting_first))
    return tuple(repetitions), tuple(aborted), tuple(untimed)


def _window_s(timeline: Timeline, k: int) -> tuple[float, float]:
    """From the middle of the rest before to the middle of the rest after an excursion."""
    e = timeline.excursions[k]
    before_s, after_s = e.out_start_s - BEFORE_FIRST_S, e.back_end_s + AFTER_LAST_S
    if k > 0:
        before_s = max(before_s, 0.5 * (timeline.excursions[k - 1].back_end_s + e.out_start_s))
    if k + 1 < len(timeline.excursions):
        after_s = min(after_s, 0.5 * (e.back_end_s + timeline.excursions[k + 1].out_start_s))
    return max(0.5, before_s), min(timeline.duration_s, after_s)


def _measure(
    e: Excursion,
    out: Phase,
    back: Phase,
    next_start_s: float | None,
    time_s: FloatArray,
    angles: BodyAngles,
    hip: FloatArray,
    lifting_first: bool,
) -> TrueRepetition:
    eccentric, concentric = (back, out) if lifting_first else (out, back)
    out_true, back_true = (e.out_start_s, e.out_end_s), (e.back_start_s, e.back_end_s)
    eccentric_true, concentric_true = (back_true, out_true) if lifting_first else (out_true, back_true)
    far_pause_s = back.start_s - out.end_s
    near_pause_s = None if next_start_s is None else next_start_s - back.end_s
    whole = slice(*np.searchsorted(time_s, [out.start_s, back.end_s]))
    if lifting_first:
        # The top of a bridge is its hold; what counts is where it ends up.
        top_s = (max(out.end_s, back.start_s - LOCKOUT_S), back.start_s)
    else:
        top_end_s = back.end_s + LOCKOUT_S
        top_s = (back.end_s, top_end_s if next_start_s is None else min(top_end_s, next_start_s))
    first, last = np.searchsorted(time_s, top_s)
    top = slice(first, max(last, first + 2))
    start = whole.start
    bottom = start + int(np.argmax(-hip[whole] if lifting_first else hip[whole]))
    tilt = angles.pelvic_tilt_deg
    thigh = hip - tilt
    obliquity = angles.pelvic_obliquity_deg[whole]
    tilt_change, thigh_change = tilt[bottom] - tilt[start], thigh[bottom] - thigh[start]
    return TrueRepetition(
        set=e.set_number,
        repetition=e.number,
        eccentric_start_s=eccentric.start_s,
        eccentric_end_s=eccentric.end_s,
        concentric_start_s=concentric.start_s,
        concentric_end_s=concentric.end_s,
        eccentric_s=eccentric.end_s - eccentric.start_s,
        bottom_pause_s=near_pause_s if lifting_first else far_pause_s,
        concentric_s=concentric.end_s - concentric.start_s,
        top_pause_s=far_pause_s if lifting_first else near_pause_s,
        tut_s=back.end_s - out.start_s,
        eccentric_movement_s=eccentric.movement_end_s - eccentric.movement_start_s,
        concentric_movement_s=concentric.movement_end_s - concentric.movement_start_s,
        eccentric_true_start_s=eccentric_true[0],
        eccentric_true_end_s=eccentric_true[1],
        concentric_true_start_s=concentric_true[0],
        concentric_true_end_s=concentric_true[1],
        pelvic_tilt_range_deg=float(np.ptp(tilt[whole])),
        hip_flexion_left_range_deg=float(np.ptp(angles.hip_flexion_left_deg[whole])),
        hip_flexion_right_range_deg=float(np.ptp(angles.hip_flexion_right_deg[whole])),
        pelvic_obliquity_peak_deg=float(obliquity[np.argmax(np.abs(obliquity))]),
        pelvic_rotation_range_deg=float(np.ptp(angles.pelvic_rotation_deg[whole])),
        lockout_deficit_deg=float(np.median(hip[top])),
        hinge_share=float(tilt_change / (tilt_change + thigh_change)),
    )
