"""The turn about the vertical, from the direction in which gravity moves across a sensor.

While a segment tilts, the horizontal part of "up" moves along a line; that line is the segment's forward
direction. It has no drift, does not depend on speed, and one repetition is as good as ten.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from analytics.calibration import (
    NOMINAL_YAW_SD_DEG,
    UNKNOWN_YAW_DEG,
    CalibrationMethod,
    SegmentCalibration,
    StillPose,
)
from analytics.calibration_drop import DropParameters, fit_yaw_beside_drop
from analytics.calibration_legs import THIGHS, free_leg, legs_going_back
from analytics.calibration_lying import lying_calibration
from analytics.imu import FloatArray, Placement
from analytics.quaternions import from_matrix, rotate_vectors, turn_about_z

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analytics.calibration_drop import PelvisPath


_NEARLY_BACKWARDS = math.radians(135.0)
_BOTH_LEGS = DropParameters(
    sway_deg=0.5, drop_deg=1.0, opening_deg=0.5, turn_deg=1.2, shift_deg=0.5, model_sd_deg=0.5
)


@dataclass(frozen=True, slots=True)
class YawParameters:
    """Settings of the yaw fit.

    Parameters
    ----------
    smallest_excursion_deg
        Samples nearer to the still pose than this carry no direction; a segment that never goes
        further keeps the yaw it has.
    nominal_sd_deg
        One-sigma of the yaw of a declared mount.
    hinge_sd_deg, hinge_sd_deg_rad
        One-sigma of the yaw of a two-legged movement: a floor, and a part that falls with the amplitude.
    thigh_sd_deg
        Between the plane a thigh moves in and its own forward: knees go out over the toes.
    single_leg_sd_deg
        The same where one leg works: a drop of the pelvis looks like a turned sensor.
    single_leg_thigh_deg, single_leg_ratio
        One leg works where the larger thigh amplitude passes the first and the smaller times the second.
    single_leg_pelvis_ratio
        And where it lies between these parts of the pelvis' amplitude: the free leg goes back with the
        pelvis. The front leg of a lunge moves much more than the pelvis, both legs of a hinge much less.
    held_up_share
        In a bridge the leg whose thigh turns less than this part of the other's is held up.
    wrong_declaration_deg, wrong_declaration_moved_deg
        A declared mount is not believed where the movement contradicts it by more than the first in a
        segment that moved by more than the second.
    drop
        Settings of the fit that tells a drop of the pelvis from a turned sensor.
    both_legs_drop
        Settings of the same fit where both legs work: a pelvis carried on two legs does all that hardly at
        all, but leaning by one degree to a side passes for a turned sensor if nobody asks.
    drop_significance
        So many times their one-sigma must both ways differ before one leg is taken to work unasked, where
        two thigh sensors do not tell.
    """

    smallest_excursion_deg: float = 3.0
    nominal_sd_deg: float = NOMINAL_YAW_SD_DEG
    hinge_sd_deg: float = 1.3
    hinge_sd_deg_rad: float = 0.4
    thigh_sd_deg: float = 5.5
    single_leg_sd_deg: float = 10.0
    single_leg_thigh_deg: float = 12.0
    single_leg_ratio: float = 1.35
    single_leg_pelvis_ratio: tuple[float, float] = (0.55, 1.2)
    held_up_share: float = 0.75
    wrong_declaration_deg: float = 45.0
    wrong_declaration_moved_deg: float = 6.0
    drop: DropParameters = field(default_factory=DropParameters)
    both_legs_drop: DropParameters = _BOTH_LEGS
    drop_significance: float = 2.0


@dataclass(frozen=True, slots=True)
class Excursion:
    """How "up" moved across one levelled sensor.

    Parameters
    ----------
    heading_rad
        Direction of the main movement in the levelled frame, the side with more of it.
    amplitude_rad
        Root mean square of the movement along it.
    largest_rad
        Largest inclination from the still pose.
    flatness
        Movement across it over movement along it: 0 for a hinge.
    """

    heading_rad: float
    amplitude_rad: float
    largest_rad: float
    flatness: float


def find_excursion(
    up_level: FloatArray, parameters: YawParameters, *, from_its_mean: bool = False
) -> Excursion | None:
    """Find the main direction of movement.

    Parameters
    ----------
    up_level
        Direction of up in the levelled frame, shape (n, 3).
    parameters
        Settings.
    from_its_mean
        Look at the movement about its own mean, not about the still pose: for the leg that stands alone,
        which leans sideways over its foot all the while.

    Returns
    -------
    None where the segment hardly moved.
    """
    horizontal = up_level[:, :2]
    length = np.hypot(horizontal[:, 0], horizontal[:, 1])
    moved = horizontal[length > math.sin(math.radians(parameters.smallest_excursion_deg))]
    if len(moved) < 3:
        return None
    about = moved - np.mean(moved, axis=0) if from_its_mean else moved
    values, vectors = np.linalg.eigh(about.T @ about / len(about))
    direction = vectors[:, 1]
    along = moved @ direction
    if float(np.sum(along * np.abs(along))) < 0.0:
        direction = -direction
    return Excursion(
        heading_rad=math.atan2(float(direction[1]), float(direction[0])),
        amplitude_rad=math.sqrt(float(values[1])),
        largest_rad=float(np.arcsin(min(1.0, float(length.max())))),
        flatness=math.sqrt(max(0.0, float(values[0])) / float(values[1])),
    )


def fit_yaws(
    poses: Mapping[Placement, StillPose],
    up_sensor: Mapping[Placement, FloatArray],
    *,
    one_leg_declared: bool = False,
    differences_rad: Mapping[Placement, float] | None = None,
    paths: Sequence[PelvisPath] = (),
    parameters: YawParameters | None = None,
) -> dict[Placement, SegmentCalibration]:
    """Calibrations from the still pose and the movement of one or more repetitions.

    Parameters
    ----------
    poses
        Still pose of each sensor.
    up_sensor
        Direction of up during the repetitions, sensor_frame, shape (n, 3), for each of them.
    one_leg_declared
        The prescription says that one leg works: without two thigh sensors nothing else can tell.
    differences_rad
        Yaw of the pelvis minus yaw of a thigh, where their hip joint's acceleration tells.
    paths
        How the pelvis went through the repetitions.
    parameters
        Settings.
    """
    chosen = parameters or YawParameters()
    levels = {placement: pose.levelled() for placement, pose in poses.items()}
    excursions = {
        placement: find_excursion(rotate_vectors(levels[placement], up_sensor[placement]), chosen)
        for placement in poses
    }
    back = legs_going_back(excursions, differences_rad or {})
    free = free_leg(excursions, back, chosen)
    # The leg that stands is the one whose movement a drop of the pelvis does not bend.
    standing_leg = None if free is None else next(p for p in THIGHS if p is not free)
    if standing_leg in levels:
        excursions[standing_leg] = find_excursion(
            rotate_vectors(levels[standing_leg], up_sensor[standing_leg]), chosen, from_its_mean=True
        )
    thighs = [placement for placement in poses if placement is not Placement.PELVIS]
    yaws = {
        placement: _yaw(placement, excursion, goes_back=back.get(placement, placement is free))
        for placement, excursion in excursions.items()
        if excursion is not None
    }
    # One thigh that goes back alone is the rear leg of a lunge; both are sensors that were swapped.
    both_turned = len(thighs) == 2 and all(
        abs(yaws.get(placement, 0.0)) > _NEARLY_BACKWARDS for placement in thighs
    )
    one_leg = one_leg_declared or free is not None
    fitted = {}
    held_up = _held_up(excursions, chosen)
    for placement, pose in poses.items():
        excursion = excursions[placement]
        if pose.is_supine:
            fitted[placement] = _fit_lying(
                pose,
                excursion,
                one_leg=one_leg_declared,
                is_free_leg=placement is held_up,
                parameters=chosen,
            )
            continue
        told = None
        if excursion is not None:
            is_bent = one_leg and placement is not standing_leg
            sd_deg = chosen.single_leg_sd_deg if is_bent else _hinge_sd_deg(excursion, chosen)
            if placement is not Placement.PELVIS:
                sd_deg = math.hypot(sd_deg, chosen.thigh_sd_deg)
            told = yaws[placement], sd_deg
            if placement is Placement.PELVIS:
                told = _beside_drop(
                    told, paths, levels[placement], chosen, one_leg=one_leg, may_be_one=len(thighs) < 2
                )
        fitted[placement] = _fit_standing(
            pose,
            levels[placement],
            excursion,
            told,
            sign_is_sure=placement is Placement.PELVIS or placement in back or both_turned,
            parameters=chosen,
        )
    return fitted


def find_free_leg(
    poses: Mapping[Placement, StillPose],
    up_sensor: Mapping[Placement, FloatArray],
    differences_rad: Mapping[Placement, float],
    parameters: YawParameters,
) -> Placement | None:
    """Thigh that swings back in single-leg work; None where both legs work or it is not seen.

    Parameters
    ----------
    poses, up_sensor, differences_rad, parameters
        As for :func:`fit_yaws`.
    """
    excursions = {
        placement: find_excursion(rotate_vectors(pose.levelled(), up_sensor[placement]), parameters)
        for placement, pose in poses.items()
    }
    return free_leg(excursions, legs_going_back(excursions, differences_rad), parameters)


def _beside_drop(
    told: tuple[float, float],
    paths: Sequence[PelvisPath],
    level: FloatArray,
    parameters: YawParameters,
    *,
    one_leg: bool,
    may_be_one: bool,
) -> tuple[float, float]:
    """Yaw and its one-sigma where the pelvis may have dropped: by what it did on the whole way."""
    told = told if one_leg else fit_yaw_beside_drop(paths, level, told[0], parameters.both_legs_drop) or told
    apart = fit_yaw_beside_drop(paths, level, told[0], parameters.drop) if one_leg or may_be_one else None
    if apart is None:
        return told
    if one_leg:
        return apart
    sd_deg = math.hypot(told[1], apart[1])
    # Nobody said that one leg works, but a pelvis that drops or opens says so itself.
    differs = abs(_wrapped(apart[0] - told[0])) > math.radians(parameters.drop_significance * sd_deg)
    return apart if differs else told


def _yaw(placement: Placement, excursion: Excursion, *, goes_back: bool) -> float:
    """Turn that brings the main movement onto the segment's forward axis, rad, in -pi to pi."""
    # Leaning forward moves "up" backwards in the pelvis; bringing the knee forward does the opposite.
    moves_forward = placement is not Placement.PELVIS and not goes_back
    return _wrapped((0.0 if moves_forward else math.pi) - excursion.heading_rad)


def _fit_standing(
    pose: StillPose,
    level: FloatArray,
    excursion: Excursion | None,
    told: tuple[float, float] | None,
    *,
    sign_is_sure: bool,
    parameters: YawParameters,
) -> SegmentCalibration:
    initial = pose.initial()
    if excursion is None or told is None:
        return initial
    yaw, sd_deg = told
    still_deg = 0.0 if pose.was_still else 1.0
    warnings = initial.warnings
    if pose.is_declared:
        near = yaw
        if abs(yaw) > _NEARLY_BACKWARDS and not sign_is_sure:
            near = _wrapped(yaw + math.pi)
        weights = (parameters.nominal_sd_deg**-2, sd_deg**-2)
        fused = near * weights[1] / (weights[0] + weights[1])
        moved_deg = math.degrees(excursion.largest_rad)
        contradiction_deg = math.degrees(abs(near))
        is_believed = contradiction_deg <= parameters.wrong_declaration_deg
        if is_believed or moved_deg <= parameters.wrong_declaration_moved_deg:
            return SegmentCalibration(
                pose.placement,
                from_matrix(turn_about_z(fused) @ level),
                CalibrationMethod.MOUNT_AND_MOVEMENT,
                (weights[0] + weights[1]) ** -0.5 + still_deg,
                warnings,
            )
        warnings = (
            *warnings,
            (
                f"{pose.placement}: the movement says that the sensor is not at the {pose.mount} as declared "
                f"({contradiction_deg:.0f} degrees apart); the movement is believed: check the placement"
            ),
        )
    return SegmentCalibration(
        pose.placement,
        from_matrix(turn_about_z(yaw) @ level),
        CalibrationMethod.MOVEMENT,
        sd_deg + still_deg,
        warnings,
    )


def _fit_lying(
    pose: StillPose,
    excursion: Excursion | None,
    *,
    one_leg: bool,
    is_free_leg: bool,
    parameters: YawParameters,
) -> SegmentCalibration:
    if excursion is None:
        return lying_calibration(pose)
    sd_deg = parameters.single_leg_sd_deg if one_leg else _hinge_sd_deg(excursion, parameters)
    return lying_calibration(pose, excursion.heading_rad, sd_deg, is_free_leg=is_free_leg)


def _held_up(excursions: Mapping[Placement, Excursion | None], parameters: YawParameters) -> Placement | None:
    """Thigh that turns clearly less in a bridge: of a leg that does not stand on the floor."""
    if not set(THIGHS) <= excursions.keys():
        return None
    amplitudes = {
        placement: excursion.amplitude_rad if (excursion := excursions[placement]) is not None else 0.0
        for placement in THIGHS
    }
    smaller = min(amplitudes, key=lambda placement: amplitudes[placement])
    is_less = amplitudes[smaller] < parameters.held_up_share * max(amplitudes.values())
    return smaller if is_less else None


def _hinge_sd_deg(excursion: Excursion, parameters: YawParameters) -> float:
    return math.hypot(parameters.hinge_sd_deg, parameters.hinge_sd_deg_rad / excursion.amplitude_rad)


def yaw_difference_deg(one: SegmentCalibration, other: SegmentCalibration) -> float:
    """Return the angle between two calibrations of one sensor, degrees."""
    dot = abs(sum(a * b for a, b in zip(one.segment_from_sensor, other.segment_from_sensor, strict=True)))
    if not (one.is_yaw_known and other.is_yaw_known):
        return UNKNOWN_YAW_DEG
    return math.degrees(2.0 * math.acos(min(1.0, dot)))


def _wrapped(angle_rad: float) -> float:
    return math.remainder(angle_rad, 2.0 * math.pi)
