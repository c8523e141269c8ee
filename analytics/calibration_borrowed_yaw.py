"""The pelvis' forward direction from its thighs: both ends of a hip joint feel the same acceleration.

In single-leg work a drop of the pelvis looks like a turned sensor. What the thigh sensor says does not
share that weakness: the acceleration of the hip joint, computed from either side with an unknown lever arm,
must agree once the two sensors' headings do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import butter, sosfiltfilt

from analytics.calibration import CalibrationMethod, SegmentCalibration, StillPose
from analytics.filters import low_pass_zero_phase
from analytics.imu import FloatArray, Placement
from analytics.quaternions import (
    conjugate,
    from_matrix,
    multiply,
    rotate_by_each,
    to_matrix,
    turn_about_z,
    up_in_sensor,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from analytics.alignment import AlignedBlock, SegmentSamples


@dataclass(frozen=True, slots=True)
class BorrowedYawParameters:
    """Settings of the borrowing.

    Parameters
    ----------
    band_hz
        Band that accelerations are compared in: above the drift of the inclination, below the shaking of
        soft parts.
    rate_cutoff_hz
        Low-pass of the angular rates before they are differentiated.
    ridge
        Weight against long lever arms; small.
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

    band_hz: tuple[float, float] = (0.3, 4.0)
    rate_cutoff_hz: float = 6.0
    ridge: float = 0.2
    largest_cost_ratio: float = 0.5
    sd_deg: float = 5.0
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
    """

    thigh: Placement
    difference_rad: float
    sd_deg: float


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
    if window.sampling_rate_hz < 5.0 * parameters.band_hz[1] or len(window) < 4.0 * window.sampling_rate_hz:
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
    pelvis_terms = _joint_terms(pelvis, rate_hz, parameters)
    thigh_terms = _joint_terms(window.segments[thigh], rate_hz, parameters)
    heading_rad, cost_ratio = _agreement(pelvis_terms, thigh_terms, parameters)
    if cost_ratio > parameters.largest_cost_ratio:
        return None
    # 6-axis headings drift apart: the standing difference is taken at the mean time of the movement.
    energy = np.sum(pelvis_terms[:, :, 0] ** 2, axis=1)
    middle = float(np.sum(energy * np.arange(len(energy))) / np.sum(energy))
    standing_rad = _standing_difference(pelvis, window.segments[thigh], poses, thigh, middle, parameters)
    if standing_rad is None:
        return None
    sd_deg = math.hypot(parameters.sd_deg, parameters.sd_deg_per_ratio * cost_ratio)
    return BorrowedYaw(thigh, math.remainder(standing_rad - heading_rad, 2.0 * math.pi), sd_deg)


def _joint_terms(samples: SegmentSamples, rate_hz: float, parameters: BorrowedYawParameters) -> FloatArray:
    """Acceleration of the sensor and its change with the lever arm, earth_frame, band-passed: (n, 3, 4)."""
    rate = low_pass_zero_phase(samples.gyr_rad_s - samples.bias_rad_s, parameters.rate_cutoff_hz, rate_hz)
    turning = np.gradient(rate, axis=0) * rate_hz
    columns = [samples.acc_m_s2]
    columns += [np.cross(turning, axis) + np.cross(rate, np.cross(rate, axis)) for axis in np.eye(3)]
    earth = np.stack([_rotate_each(samples.earth_from_sensor_wxyz, column) for column in columns], axis=2)
    band = butter(2, parameters.band_hz, btype="bandpass", fs=rate_hz, output="sos")
    return np.asarray(sosfiltfilt(band, earth, axis=0), dtype=np.float64)


def _rotate_each(quats_wxyz: FloatArray, vectors: FloatArray) -> FloatArray:
    pure = np.concatenate((np.zeros((len(vectors), 1)), vectors), axis=1)
    return multiply(multiply(quats_wxyz, pure), conjugate(quats_wxyz))[:, 1:]


def _agreement(
    pelvis: FloatArray, thigh: FloatArray, parameters: BorrowedYawParameters
) -> tuple[float, float]:
    """Turn that brings the thigh's earth_frame onto the pelvis', rad; and best over worst disagreement."""
    along = thigh * np.array((1.0, 1.0, 0.0))[None, :, None]
    across = np.stack((-thigh[:, 1], thigh[:, 0], np.zeros_like(thigh[:, 2])), axis=1)
    upright = thigh * np.array((0.0, 0.0, 1.0))[None, :, None]
    # All terms of the equation; every turn is a combination of them, so their products are summed once.
    terms = np.concatenate((pelvis, along, across, upright), axis=2).reshape(-1, 16)
    products = terms.T @ terms

    def cost(turn_rad: float) -> float:
        combine = np.zeros((16, 8))
        combine[:4, :4] = np.eye(4)
        for first, weight in ((4, math.cos(turn_rad)), (8, math.sin(turn_rad)), (12, 1.0)):
            combine[first : first + 4, 4:] = -weight * np.eye(4)
        gram = combine.T @ products @ combine
        constant = np.zeros(8)
        constant[[0, 4]] = 1.0
        arms = [1, 2, 3, 5, 6, 7]
        free = gram[np.ix_(arms, arms)] + parameters.ridge * np.eye(6)
        mixed = gram[arms] @ constant
        return float(constant @ gram @ constant - mixed @ np.linalg.solve(free, mixed))

    grid = np.radians(np.arange(0.0, 360.0, 3.0))
    costs = np.array([cost(turn) for turn in grid])
    best = int(np.argmin(costs))
    turn_rad = _golden_section(cost, grid[best] - math.radians(3.0), grid[best] + math.radians(3.0))
    return turn_rad, float(costs[best] / costs.max())


def _golden_section(cost: Callable[[float], float], low: float, high: float) -> float:
    share = (math.sqrt(5.0) - 1.0) / 2.0
    while high - low > math.radians(0.05):
        left, right = high - share * (high - low), low + share * (high - low)
        if cost(left) < cost(right):
            high = right
        else:
            low = left
    return 0.5 * (low + high)


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


def with_borrowed_yaw(
    calibrations: Mapping[Placement, SegmentCalibration],
    poses: Mapping[Placement, StillPose],
    borrowed: Sequence[BorrowedYaw],
    parameters: BorrowedYawParameters | None = None,
    *,
    free_leg: Placement | None = None,
) -> dict[Placement, SegmentCalibration]:
    """Weigh what the thighs say against what the pelvis itself says.

    Parameters
    ----------
    calibrations
        From :func:`analytics.calibration_yaw.fit_yaws`.
    poses
        Still poses.
    borrowed
        Of all repetitions used.
    parameters
        Settings.
    free_leg
        The thigh that swings back in single-leg work. It goes where the pelvis goes, so a drop of the pelvis
        bends its yaw as much as the pelvis' own: where only its movement says how it is worn, it is not asked
        if the leg that stands can tell.

    Returns
    -------
    The calibrations, that of the pelvis improved where a thigh has something to say.
    """
    chosen = parameters or BorrowedYawParameters()
    result = dict(calibrations)
    pelvis = calibrations.get(Placement.PELVIS)
    legs = [
        (thigh, *leg)
        for thigh in (Placement.THIGH_LEFT, Placement.THIGH_RIGHT)
        if (leg := _said_by(thigh, calibrations, poses, borrowed)) is not None
    ]
    if len(legs) == 2 and free_leg is not None and not _is_declared(calibrations[free_leg]):
        legs = [leg for leg in legs if leg[0] is not free_leg]
    if pelvis is None or not legs:
        return result
    said_rad = _mean_direction([yaw for _, yaw, _ in legs], [sd**-2 for *_, sd in legs])
    sd_deg = min(sd for *_, sd in legs) * (chosen.both_legs_share if len(legs) == 2 else 1.0)
    level = poses[Placement.PELVIS].levelled()
    own_rad = _yaw_of(pelvis, level)
    yaw_rad, quality_deg = said_rad, sd_deg
    if pelvis.is_yaw_known:
        apart = math.remainder(said_rad - own_rad, 2.0 * math.pi)
        if abs(apart) > math.radians(chosen.largest_disagreement_deg):
            return result
        weights = (pelvis.quality_deg**-2, sd_deg**-2)
        yaw_rad = own_rad + apart * weights[1] / sum(weights)
        quality_deg = sum(weights) ** -0.5
    result[Placement.PELVIS] = replace(
        pelvis,
        segment_from_sensor=from_matrix(turn_about_z(yaw_rad) @ level),
        method=pelvis.method if pelvis.is_yaw_known else CalibrationMethod.MOVEMENT,
        quality_deg=quality_deg,
    )
    return result


def _said_by(
    thigh: Placement,
    calibrations: Mapping[Placement, SegmentCalibration],
    poses: Mapping[Placement, StillPose],
    borrowed: Sequence[BorrowedYaw],
) -> tuple[float, float] | None:
    """Yaw of the pelvis by one thigh, rad, and its one-sigma, degrees."""
    said = [entry for entry in borrowed if entry.thigh is thigh]
    if not said or thigh not in calibrations or not calibrations[thigh].is_yaw_known:
        return None
    own = _yaw_of(calibrations[thigh], poses[thigh].levelled())
    mean = _mean_direction([entry.difference_rad for entry in said], [entry.sd_deg**-2 for entry in said])
    # Repetitions share their errors: more of them do not make it better than the best.
    return mean + own, min(entry.sd_deg for entry in said)


def _is_declared(calibration: SegmentCalibration) -> bool:
    return calibration.method is CalibrationMethod.MOUNT_AND_MOVEMENT


def _yaw_of(calibration: SegmentCalibration, level: FloatArray) -> float:
    turn = to_matrix(calibration.segment_from_sensor) @ level.T
    return math.atan2(float(turn[1, 0]), float(turn[0, 0]))


def _mean_direction(angles_rad: Sequence[float], weights: Sequence[float]) -> float:
    pairs = list(zip(angles_rad, weights, strict=True))
    return math.atan2(sum(w * math.sin(a) for a, w in pairs), sum(w * math.cos(a) for a, w in pairs))
