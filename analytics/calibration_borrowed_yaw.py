"""The pelvis' forward direction from its thighs: both ends of a hip joint feel the same acceleration.

In single-leg work a drop of the pelvis looks like a turned sensor. What the thigh sensor says does not
share that weakness: the acceleration of the hip joint, computed from either side with an unknown lever arm,
must agree once the two sensors' headings do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from analytics.calibration import CalibrationMethod, SegmentCalibration, StillPose
from analytics.hip_joint import HipJoint, HipJointParameters, find_hip_joint
from analytics.imu import FloatArray, Placement
from analytics.quaternions import (
    from_matrix,
    rotate_by_each,
    to_matrix,
    turn_about_z,
    up_in_sensor,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analytics.alignment import AlignedBlock, SegmentSamples


@dataclass(frozen=True, slots=True)
class BorrowedYawParameters:
    """Settings of the borrowing.

    Parameters
    ----------
    joint
        Settings of the search for the hip joint.
    largest_cost_ratio
        Best over worst disagreement above which nothing is borrowed.
    sd_deg, sd_deg_per_ratio
        One-sigma: a floor, and a part that grows with the cost ratio.
    both_legs_share
        Two legs are one source: one-sigma of both together as a share of one.
    standing_deg
        Inclination from the still pose up to which headings of standing are compared.
    largest_disagreement_deg
        Nothing is borrowed where it is further than this from what the pelvis itself says.
    """

    joint: HipJointParameters = field(default_factory=HipJointParameters)
    largest_cost_ratio: float = 0.4
    sd_deg: float = 6.0
    sd_deg_per_ratio: float = 12.0
    both_legs_share: float = 0.8
    standing_deg: float = 8.0
    largest_disagreement_deg: float = 60.0


@dataclass(frozen=True, slots=True)
class BorrowedYaw:
    """What one thigh says of the pelvis in one repetition.

    Parameters
    ----------
    thigh
        The thigh it is borrowed from.
    difference_rad
        Yaw of the pelvis minus yaw of the thigh, both from their levelled frames.
    sd_deg
        One-sigma, degrees.
    joint
        Where the hip joint was found to be; ``None`` where several repetitions were pooled.
    """

    thigh: Placement
    difference_rad: float
    sd_deg: float
    joint: HipJoint | None = None


def borrow_yaws(
    window: AlignedBlock,
    poses: Mapping[Placement, StillPose],
    parameters: BorrowedYawParameters | None = None,
) -> list[BorrowedYaw]:
    """Compare pelvis and thighs over one repetition.

    Parameters
    ----------
    window
        The repetition with standing before and after, orientations measured again.
    poses
        Still poses, standing.
    parameters
        Settings.

    Returns
    -------
    One entry for each thigh that agrees with the pelvis well enough; empty where there is nothing to borrow.
    """
    chosen = parameters or BorrowedYawParameters()
    if Placement.PELVIS not in poses or poses[Placement.PELVIS].is_supine:
        return []
    found = []
    for thigh in (Placement.THIGH_LEFT, Placement.THIGH_RIGHT):
        if thigh not in poses or not _is_usable(window, thigh, chosen):
            continue
        difference = _difference(window, poses, thigh, chosen)
        if difference is not None:
            found.append(difference)
    return found


def _is_usable(window: AlignedBlock, thigh: Placement, parameters: BorrowedYawParameters) -> bool:
    if (
        window.sampling_rate_hz < 5.0 * parameters.joint.band_hz[1]
        or len(window) < 4.0 * window.sampling_rate_hz
    ):
        return False
    return all(
        bool(window.segments[placement].is_received.all())
        and bool(window.segments[placement].has_gyroscope.all())
        for placement in (Placement.PELVIS, thigh)
    )


def _difference(
    window: AlignedBlock,
    poses: Mapping[Placement, StillPose],
    thigh: Placement,
    parameters: BorrowedYawParameters,
) -> BorrowedYaw | None:
    pelvis = window.segments[Placement.PELVIS]
    rate_hz = window.sampling_rate_hz
    joint = find_hip_joint(
        (pelvis, window.segments[thigh]),
        (poses[Placement.PELVIS].levelled(), poses[thigh].levelled()),
        rate_hz,
        parameters.joint,
    )
    if joint is None or joint.cost_ratio > parameters.largest_cost_ratio:
        return None
    # 6-axis headings drift apart: the standing difference is taken at the mean time of the movement.
    standing_rad = _standing_difference(
        pelvis, window.segments[thigh], poses, thigh, joint.middle, parameters
    )
    if standing_rad is None:
        return None
    sd_deg = math.hypot(parameters.sd_deg, parameters.sd_deg_per_ratio * joint.cost_ratio)
    return BorrowedYaw(thigh, math.remainder(standing_rad - joint.turn_rad, 2.0 * math.pi), sd_deg, joint)


def _standing_difference(
    pelvis: SegmentSamples,
    thigh_samples: SegmentSamples,
    poses: Mapping[Placement, StillPose],
    thigh: Placement,
    middle: float,
    parameters: BorrowedYawParameters,
) -> float | None:
    """Heading of the pelvis' levelled frame minus that of the thigh's, at sample ``middle``, rad."""
    sides = ((pelvis, poses[Placement.PELVIS]), (thigh_samples, poses[thigh]))
    smallest = math.cos(math.radians(parameters.standing_deg))
    standing = np.logical_and.reduce(
        [up_in_sensor(samples.earth_from_sensor_wxyz) @ pose.up_sensor > smallest for samples, pose in sides]
    )
    where = np.flatnonzero(standing)
    if len(where) < 3:
        return None
    headings = []
    for samples, pose in sides:
        forward_earth = rotate_by_each(samples.earth_from_sensor_wxyz[where], pose.levelled()[0])
        headings.append(np.arctan2(forward_earth[:, 1], forward_earth[:, 0]))
    difference = np.unwrap(headings[0] - headings[1])
    # Standing on one side of the movement only says nothing about the drift.
    if where[0] < middle < where[-1]:
        return float(np.polyfit(where - middle, difference, 1)[1])
    return float(np.mean(difference))


def pooled_differences(borrowed: Sequence[BorrowedYaw]) -> dict[Placement, BorrowedYaw]:
    """Pool what each thigh says in all repetitions."""
    pooled = {}
    for thigh in (Placement.THIGH_LEFT, Placement.THIGH_RIGHT):
        said = [entry for entry in borrowed if entry.thigh is thigh]
        if said:
            mean = _mean_direction([e.difference_rad for e in said], [e.sd_deg**-2 for e in said])
            # Repetitions share their errors: more of them do not make it better than the best.
            pooled[thigh] = BorrowedYaw(thigh, mean, min(e.sd_deg for e in said))
    return pooled


def with_borrowed_yaw(
    calibrations: Mapping[Placement, SegmentCalibration],
    poses: Mapping[Placement, StillPose],
    borrowed: Mapping[Placement, BorrowedYaw],
    parameters: BorrowedYawParameters | None = None,
    *,
    free_leg: Placement | None = None,
) -> dict[Placement, SegmentCalibration]:
    """Weigh what the thighs say against what the pelvis itself says, and lend to thighs that cannot tell.

    Parameters
    ----------
    calibrations
        From :func:`analytics.calibration_yaw.fit_yaws`.
    poses
        Still poses.
    borrowed
        From :func:`pooled_differences`.
    parameters
        Settings.
    free_leg
        The thigh that swings back in single-leg work. It goes where the pelvis goes, so a drop of the pelvis
        bends its yaw as much as the pelvis' own: the pelvis is not asked of it, but lends to it.

    Returns
    -------
    The calibrations, improved where one sensor has something to say to another.
    """
    chosen = parameters or BorrowedYawParameters()
    result = dict(calibrations)
    pelvis = calibrations.get(Placement.PELVIS)
    if pelvis is None or not borrowed:
        return result
    legs = []
    for thigh, entry in borrowed.items():
        if thigh is free_leg or thigh not in calibrations or not calibrations[thigh].is_yaw_known:
            continue
        legs.append(
            (entry.difference_rad + yaw_of(calibrations[thigh], poses[thigh].levelled()), entry.sd_deg)
        )
    if legs:
        said_rad = _mean_direction([yaw for yaw, _ in legs], [sd**-2 for _, sd in legs])
        sd_deg = min(sd for _, sd in legs) * (chosen.both_legs_share if len(legs) == 2 else 1.0)
        result[Placement.PELVIS] = _weighed(pelvis, poses[Placement.PELVIS], said_rad, sd_deg, chosen)
    pelvis = result[Placement.PELVIS]
    if not pelvis.is_yaw_known:
        return result
    own_rad = yaw_of(pelvis, poses[Placement.PELVIS].levelled())
    for thigh, entry in borrowed.items():
        thigh_calibration = calibrations.get(thigh)
        if thigh_calibration is None or (thigh is not free_leg and thigh_calibration.is_yaw_known):
            continue
        sd_deg = math.hypot(pelvis.quality_deg, entry.sd_deg)
        result[thigh] = _weighed(
            thigh_calibration, poses[thigh], own_rad - entry.difference_rad, sd_deg, chosen
        )
    return result


def _weighed(
    own: SegmentCalibration,
    pose: StillPose,
    said_rad: float,
    sd_deg: float,
    parameters: BorrowedYawParameters,
) -> SegmentCalibration:
    """Calibration of one sensor between what it knows itself and what others say of it."""
    level = pose.levelled()
    yaw_rad, quality_deg = said_rad, sd_deg
    if own.is_yaw_known:
        own_rad = yaw_of(own, level)
        apart = math.remainder(said_rad - own_rad, 2.0 * math.pi)
        if abs(apart) > math.radians(parameters.largest_disagreement_deg):
            return own
        weights = (own.quality_deg**-2, sd_deg**-2)
        yaw_rad = own_rad + apart * weights[1] / sum(weights)
        quality_deg = sum(weights) ** -0.5
    return replace(
        own,
        segment_from_sensor=from_matrix(turn_about_z(yaw_rad) @ level),
        method=own.method if own.is_yaw_known else CalibrationMethod.MOVEMENT,
        quality_deg=quality_deg,
    )


def yaw_of(calibration: SegmentCalibration, level: FloatArray) -> float:
    """Return the turn from a levelled frame to the segment, rad."""
    turn = to_matrix(calibration.segment_from_sensor) @ level.T
    return math.atan2(float(turn[1, 0]), float(turn[0, 0]))


def _mean_direction(angles_rad: Sequence[float], weights: Sequence[float]) -> float:
    pairs = list(zip(angles_rad, weights, strict=True))
    return math.atan2(sum(w * math.sin(a) for a, w in pairs), sum(w * math.cos(a) for a, w in pairs))
