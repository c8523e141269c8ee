"""The virtual athlete: a scenario and a seed in, exact motion and truth out."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from hardware_sim.errors import ScenarioError
from hardware_sim.exercises import Stance
from hardware_sim.kinematics import (
    Pose,
    Poses,
    Skeleton,
    lying_poses,
    nominal_standing,
    standing_poses,
    walking_poses,
)
from hardware_sim.motion import gait_motion, joint_motion
from hardware_sim.rotation import about_axis, angular_rate, apply, to_quaternion
from hardware_sim.timeline import Timeline, build_timeline
from hardware_sim.truth import BodyAngles, Truth, body_angles, true_repetitions, upright_segments
from hardware_sim.walkout import true_steps

if TYPE_CHECKING:
    from hardware_sim.mounts import Placement
    from hardware_sim.scenario import Scenario
    from hardware_sim.spectral import FloatArray

INTERNAL_RATE_HZ = 1000.0
MARGIN_S = 0.5  # motion goes on before and after the recording, so that derivatives and filters have no ends
STILL_S = 2.0
_MOTION_STREAM, _TIMELINE_STREAM = 1, 2


@dataclass(frozen=True, slots=True, eq=False)
class SegmentMotion:
    """Motion of one rigid segment on the fine grid.

    Parameters
    ----------
    earth_from_segment
        Rotations, shape (n, 3, 3); the segment_frame is upright in calibrated standing.
    origin_m
        Middle of the hips (pelvis) or hip joint (thigh) in earth_frame, shape (n, 3), m.
    angular_rate_rad_s
        In segment_frame, shape (n, 3), rad/s.
    """

    earth_from_segment: FloatArray
    origin_m: FloatArray
    angular_rate_rad_s: FloatArray

    @property
    def earth_from_segment_wxyz(self) -> FloatArray:
        """Orientations as quaternions, shape (n, 4)."""
        return to_quaternion(self.earth_from_segment)


@dataclass(frozen=True, slots=True, eq=False)
class Performance:
    """What the athlete did.

    Parameters
    ----------
    scenario, seed
        What it was made of.
    time_s
        Fine grid, shape (n,), s, `INTERNAL_RATE_HZ`; from `MARGIN_S` before 0 to `MARGIN_S` after the end.
    duration_s
        Length of the recording, s.
    segments
        Motion of pelvis and thighs.
    truth
        Exact angles at the times of the trace, and the repetitions.
    """

    scenario: Scenario
    seed: int
    time_s: FloatArray
    duration_s: float
    segments: dict[Placement, SegmentMotion]
    truth: Truth


def simulate(scenario: Scenario, seed: int) -> Performance:
    """Let the virtual athlete perform a scenario.

    Parameters
    ----------
    scenario
        What shall happen.
    seed
        Same seed, same scenario: the same numbers to the last bit.

    Returns
    -------
    Performance
        Motion and truth.

    Raises
    ------
    ScenarioError
        ``duration_s`` is too short for what shall happen.
    """
    timeline = _timeline(scenario, seed)
    rate = INTERNAL_RATE_HZ
    count = int(np.ceil((timeline.duration_s + 2.0 * MARGIN_S) * rate)) + 1
    time_s = np.arange(count) / rate - MARGIN_S
    generator = np.random.default_rng([seed, _MOTION_STREAM])
    poses = _poses(scenario, timeline, time_s, generator)
    heading_deg = (
        generator.uniform(-180.0, 180.0) if scenario.body.heading_deg is None else scenario.body.heading_deg
    )
    poses = _turn_about_vertical(poses, np.radians(heading_deg))
    angles = body_angles(poses)
    repetitions, aborted, untimed = true_repetitions(scenario, timeline, time_s, angles, rate)
    at_s = np.arange(int(timeline.duration_s * scenario.rate_hz + 1e-6)) / scenario.rate_hz
    truth = Truth(
        exercise=str(scenario.exercise),
        side=str(scenario.side),
        time_s=at_s,
        angles=_at(angles, time_s, at_s),
        repetitions=repetitions,
        aborted=aborted,
        untimed=untimed,
        steps=true_steps(timeline.steps, time_s, angles.pelvic_tilt_deg, angles.pelvic_obliquity_deg),
    )
    segments = {
        placement: SegmentMotion(
            pose.earth_from_segment, pose.origin_m, angular_rate(pose.earth_from_segment, rate)
        )
        for placement, pose in poses.items()
    }
    return Performance(scenario, seed, time_s, timeline.duration_s, segments, truth)


def fit_repetitions(scenario: Scenario, duration_s: float, seed: int, spare_s: float = 3.0) -> Scenario:
    """Choose the number of repetitions so that a set of a scenario fits a duration.

    Parameters
    ----------
    scenario
        Its ``repetitions`` are the most that will be done; sets become one.
    duration_s
        Length of the recording, s.
    seed
        Seed it will be simulated with (tempo varies from repetition to repetition).
    spare_s
        The last repetition ends at least this long before the end, s.

    Returns
    -------
    Scenario
        With ``repetitions`` and ``duration_s`` set.

    Raises
    ------
    ScenarioError
        Not even one repetition fits.
    """
    if not scenario.repetitions:
        moving_s = duration_s - scenario.lead_in_s - spare_s
        if moving_s <= 0.0:
            raise ScenarioError(
                f"{duration_s:g} s is too short; give more than {scenario.lead_in_s + spare_s:g} s"
            )
        return replace(scenario, moving_s=moving_s, duration_s=duration_s)
    for repetitions in range(scenario.repetitions, 0, -1):
        form = replace(
            scenario.form,
            aborted_after=tuple(n for n in scenario.form.aborted_after if n <= repetitions),
            double_dip=tuple(n for n in scenario.form.double_dip if n <= repetitions),
        )
        fitted = replace(scenario, repetitions=repetitions, sets=1, duration_s=None, form=form)
        if _timeline(fitted, seed).moving_end_s <= duration_s - spare_s:
            return replace(fitted, duration_s=duration_s)
    needed_s = scenario.lead_in_s + 1.2 * scenario.tempo.repetition_s + spare_s
    raise ScenarioError(
        f"{duration_s:g} s is too short for one repetition; give at least {np.ceil(needed_s):g} s"
    )


def _timeline(scenario: Scenario, seed: int) -> Timeline:
    return build_timeline(scenario, np.random.default_rng([seed, _TIMELINE_STREAM]))


def _poses(
    scenario: Scenario, timeline: Timeline, time_s: FloatArray, generator: np.random.Generator
) -> Poses:
    skeleton = Skeleton.of_stature(scenario.body.stature_m)
    toe_out = np.radians(scenario.body.toe_out_deg)
    still = slice(*np.searchsorted(time_s, [0.0, STILL_S]))
    if scenario.stance is Stance.GAIT:
        gait = gait_motion(scenario, timeline, time_s, INTERNAL_RATE_HZ, generator)
        return upright_segments(walking_poses(gait, skeleton, toe_out), still)
    motion = joint_motion(scenario, timeline, time_s, INTERNAL_RATE_HZ, generator)
    if scenario.stance is Stance.SHOULDERS:
        # No standing in such a recording: the zero is how this athlete would stand.
        standing = nominal_standing(skeleton, toe_out)
        lying = lying_poses(motion, skeleton, toe_out, scenario.side)
        both = {
            p: Pose(
                np.concatenate([standing[p].earth_from_segment, lying[p].earth_from_segment]),
                np.concatenate([standing[p].origin_m, lying[p].origin_m]),
            )
            for p in lying
        }
        return {
            p: Pose(pose.earth_from_segment[1:], pose.origin_m[1:])
            for p, pose in upright_segments(both, slice(0, 1)).items()
        }
    poses = standing_poses(motion, skeleton, scenario.stance, scenario.side, toe_out)
    return upright_segments(poses, still)


def _turn_about_vertical(poses: Poses, heading_rad: float) -> Poses:
    turn = about_axis(2, heading_rad)
    return {p: Pose(turn @ pose.earth_from_segment, apply(turn, pose.origin_m)) for p, pose in poses.items()}


def _at(angles: BodyAngles, time_s: FloatArray, at_s: FloatArray) -> BodyAngles:
    """Angles at other times; on a 1 kHz grid a straight line between two samples errs by < 1e-4 deg."""
    columns = {f.name: np.interp(at_s, time_s, getattr(angles, f.name)) for f in fields(angles)}
    rotation = columns["pelvic_rotation_deg"]
    columns["pelvic_rotation_deg"] = rotation - rotation[:1]
    return BodyAngles(**columns)
