"""Sensors that were put on in each other's places, by where they lie about the hip joints.

A pelvis sensor sits above the hip joint and a thigh sensor below it; the left hip is to the left of the
right one. The lever arms of the hip joints' accelerations show both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from analytics.calibration_borrowed_yaw import yaw_of
from analytics.imu import Placement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analytics.calibration import SegmentCalibration, StillPose
    from analytics.calibration_borrowed_yaw import BorrowedYaw


@dataclass(frozen=True, slots=True)
class SwapParameters:
    """Settings of the judgement.

    Parameters
    ----------
    height_m, height_sd_m
        How far a pelvis sensor sits above a thigh sensor, both seen from the hip joint, and how well one
        repetition shows it.
    hip_width_m, hip_width_sd_m
        The same for the distance between the hips, beside what the fit itself says.
    most_evidence, least_evidence
        Logarithm of the odds of swapped to right that one repetition may add, as any may err, and from
        which it is said: it takes two repetitions.
    most_crossed_evidence, least_crossed_evidence
        The same for the thighs, which show it less well: it takes three.
    """

    height_m: float = 0.3
    height_sd_m: float = 0.12
    hip_width_m: float = 0.17
    hip_width_sd_m: float = 0.1
    most_evidence: float = 4.0
    least_evidence: float = 5.0
    most_crossed_evidence: float = 3.0
    least_crossed_evidence: float = 7.0


def swap_warnings(
    movements: Sequence[Sequence[BorrowedYaw]], pelvis_yaw_rad: float, parameters: SwapParameters
) -> Mapping[Placement, str]:
    """Lines for the athlete where sensors seem to be swapped, by placement.

    Parameters
    ----------
    movements
        What the thighs said, repetition by repetition.
    pelvis_yaw_rad
        Yaw of the pelvis in its levelled frame.
    parameters
        Settings.
    """
    warnings: dict[Placement, str] = {}
    for thigh in (Placement.THIGH_LEFT, Placement.THIGH_RIGHT):
        if _upside_down_evidence(movements, thigh, parameters) > parameters.least_evidence:
            line = (
                f"the sensors of {Placement.PELVIS} and {thigh} seem to be swapped: "
                f"the one called {Placement.PELVIS} sits below the hip joint"
            )
            warnings |= {Placement.PELVIS: line, thigh: line}
    if (
        not warnings
        and _crossed_evidence(movements, pelvis_yaw_rad, parameters) > parameters.least_crossed_evidence
    ):
        line = "the sensors of the two thighs seem to be swapped: the left hip joint lies to the right"
        warnings = {Placement.THIGH_LEFT: line, Placement.THIGH_RIGHT: line}
    return warnings


def with_swap_warnings(
    calibrations: Mapping[Placement, SegmentCalibration],
    poses: Mapping[Placement, StillPose],
    movements: Sequence[Sequence[BorrowedYaw]],
    parameters: SwapParameters,
) -> dict[Placement, SegmentCalibration]:
    """Add the lines to the calibrations of the sensors they speak of.

    Parameters
    ----------
    calibrations, poses
        Of all sensors.
    movements, parameters
        As for :func:`swap_warnings`.
    """
    result = dict(calibrations)
    pelvis = calibrations.get(Placement.PELVIS)
    if pelvis is None or not pelvis.is_yaw_known:
        return result
    yaw_rad = yaw_of(pelvis, poses[Placement.PELVIS].levelled())
    for placement, line in swap_warnings(movements, yaw_rad, parameters).items():
        if placement in result:
            result[placement] = replace(result[placement], warnings=(*result[placement].warnings, line))
    return result


def _upside_down_evidence(
    movements: Sequence[Sequence[BorrowedYaw]], thigh: Placement, p: SwapParameters
) -> float:
    """Logarithm of the odds that the pelvis sensor lies below the thigh's."""
    evidence = 0.0
    for movement in movements:
        for entry in movement:
            if entry.thigh is thigh and entry.joint is not None:
                above_m = float(entry.joint.from_thigh_m[2] - entry.joint.from_pelvis_m[2])
                evidence -= _limited(2.0 * p.height_m * above_m / p.height_sd_m**2, p.most_evidence)
    return evidence


def _crossed_evidence(
    movements: Sequence[Sequence[BorrowedYaw]], pelvis_yaw_rad: float, p: SwapParameters
) -> float:
    """Logarithm of the odds that the left hip joint lies to the right of the right one."""
    # The left axis of the pelvis, in its levelled frame.
    left = np.array((math.sin(pelvis_yaw_rad), math.cos(pelvis_yaw_rad), 0.0))
    evidence = 0.0
    for movement in movements:
        joints = {entry.thigh: entry.joint for entry in movement if entry.joint is not None}
        if len(joints) < 2:
            continue
        one, other = joints[Placement.THIGH_LEFT], joints[Placement.THIGH_RIGHT]
        apart_m = float((one.from_pelvis_m - other.from_pelvis_m) @ left)
        variance_m2 = p.hip_width_sd_m**2 + float(
            left @ (one.from_pelvis_covariance_m2 + other.from_pelvis_covariance_m2) @ left
        )
        evidence -= _limited(2.0 * p.hip_width_m * apart_m / variance_m2, p.most_crossed_evidence)
    return evidence


def _limited(evidence: float, most: float) -> float:
    return max(-most, min(most, evidence))
