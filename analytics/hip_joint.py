"""The hip joint between two sensors: both ends of it feel the same acceleration.

Its acceleration, computed from the pelvis and from the thigh with an unknown lever arm each, must agree
once the two sensors' headings do. The lever arms that come with it tell which sensor sits above the joint
and which below, and on which side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analytics.filters import band_pass_zero_phase, low_pass_zero_phase
from analytics.quaternions import conjugate, multiply

if TYPE_CHECKING:
    from collections.abc import Callable

    from analytics.alignment import SegmentSamples
    from analytics.imu import FloatArray

_PELVIS_ARM, _THIGH_ARM = [1, 2, 3], [5, 6, 7]
_ARMS = _PELVIS_ARM + _THIGH_ARM
_STEP_DEG = 3


@dataclass(frozen=True, slots=True)
class HipJointParameters:
    """Settings of the search.

    Parameters
    ----------
    band_hz
        Band that accelerations are compared in: above the drift of the inclination, below the shaking of
        soft parts.
    rate_cutoff_hz
        Low-pass of the angular rates before they are differentiated.
    ridge
        Weight against long lever arms; small.
    longest_arm_m
        No sensor is worn further from the hip joint than this: a solution that needs more is none.
    """

    band_hz: tuple[float, float] = (0.3, 4.0)
    rate_cutoff_hz: float = 6.0
    ridge: float = 0.2
    longest_arm_m: float = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class HipJoint:
    """How two sensors agree on a hip joint.

    Parameters
    ----------
    turn_rad
        Turn that brings the thigh's earth_frame onto the pelvis'.
    cost_ratio
        Best over worst disagreement of all turns.
    from_pelvis_m, from_thigh_m
        From the sensor to the joint, levelled frames, shape (3,).
    from_pelvis_covariance_m2
        Of the first, shape (3, 3).
    middle
        Sample about which the movement lies.
    """

    turn_rad: float
    cost_ratio: float
    from_pelvis_m: FloatArray
    from_thigh_m: FloatArray
    from_pelvis_covariance_m2: FloatArray
    middle: float


def find_hip_joint(
    sensors: tuple[SegmentSamples, SegmentSamples],
    levels: tuple[FloatArray, FloatArray],
    sampling_rate_hz: float,
    parameters: HipJointParameters,
) -> HipJoint | None:
    """Compare pelvis and thigh over one repetition.

    Parameters
    ----------
    sensors
        Pelvis and thigh, orientations measured again.
    levels
        Rotation matrices from sensor_frame to the levelled frames, shape (3, 3).
    sampling_rate_hz
        Of both.
    parameters
        Settings.

    Returns
    -------
    None where no turn puts the joint where a body can have it.
    """
    terms = [_joint_terms(samples, sampling_rate_hz, parameters) for samples in sensors]
    products = _products(*terms)
    # Any turn is judged by the arms that suit it best.
    grid = np.radians(np.arange(0.0, 360.0, _STEP_DEG))
    costs = _solve(products, grid, parameters.ridge)[0]
    best = int(np.argmin(costs))
    quarter = len(grid) // 4
    opposite = (best + quarter + int(np.argmin(np.roll(costs, -best)[quarter : 3 * quarter + 1]))) % len(grid)
    # A thigh that hardly moves agrees nearly as well when turned about, but only at the end of a long arm.
    for chosen in (best, opposite):
        _, arms, _ = _solve(products, grid[chosen], parameters.ridge)
        if max(np.linalg.norm(arms[:3]), np.linalg.norm(arms[3:])) < parameters.longest_arm_m:
            break
    else:
        return None
    step = math.radians(_STEP_DEG)
    turn_rad = _golden_section(
        lambda turn: float(_solve(products, np.array(turn), parameters.ridge)[0]),
        grid[chosen] - step,
        grid[chosen] + step,
    )
    cost, arms, free = _solve(products, np.array(turn_rad), parameters.ridge)
    energy = np.sum(terms[0][:, :, 0] ** 2, axis=1)
    # The band leaves so many independent values.
    count = 3.0 * 2.0 * (parameters.band_hz[1] - parameters.band_hz[0]) * len(energy) / sampling_rate_hz
    covariance = np.linalg.inv(free)[:3, :3] * cost / count
    return HipJoint(
        turn_rad=turn_rad,
        cost_ratio=float(costs[chosen] / costs.max()),
        from_pelvis_m=levels[0] @ arms[:3],
        from_thigh_m=levels[1] @ arms[3:],
        from_pelvis_covariance_m2=levels[0] @ covariance @ levels[0].T,
        middle=float(np.sum(energy * np.arange(len(energy))) / np.sum(energy)),
    )


def _joint_terms(samples: SegmentSamples, rate_hz: float, parameters: HipJointParameters) -> FloatArray:
    """Acceleration of the sensor and its change with the lever arm, earth_frame, band-passed: (n, 3, 4)."""
    rate = low_pass_zero_phase(samples.gyr_rad_s - samples.bias_rad_s, parameters.rate_cutoff_hz, rate_hz)
    turning = np.gradient(rate, axis=0) * rate_hz
    # cross(rate, cross(rate, arm)) + cross(turning, arm) is a matrix for any lever arm: one column an axis.
    square = np.sum(rate * rate, axis=1)
    columns = [samples.acc_m_s2]
    for axis in range(3):
        column = rate * rate[:, axis, None]
        column[:, axis] -= square
        column[:, (axis + 1) % 3] += turning[:, (axis + 2) % 3]
        column[:, (axis + 2) % 3] -= turning[:, (axis + 1) % 3]
        columns.append(column)
    earth = np.stack([_rotate_each(samples.earth_from_sensor_wxyz, column) for column in columns], axis=2)
    return band_pass_zero_phase(earth, parameters.band_hz, rate_hz)


def _rotate_each(quats_wxyz: FloatArray, vectors: FloatArray) -> FloatArray:
    pure = np.concatenate((np.zeros((len(vectors), 1)), vectors), axis=1)
    return multiply(multiply(quats_wxyz, pure), conjugate(quats_wxyz))[:, 1:]


def _products(pelvis: FloatArray, thigh: FloatArray) -> FloatArray:
    """Sum up all products of the terms of the equation once: every turn is a combination of them."""
    along = thigh * np.array((1.0, 1.0, 0.0))[None, :, None]
    across = np.stack((-thigh[:, 1], thigh[:, 0], np.zeros_like(thigh[:, 2])), axis=1)
    upright = thigh * np.array((0.0, 0.0, 1.0))[None, :, None]
    terms = np.concatenate((pelvis, along, across, upright), axis=2).reshape(-1, 16)
    return np.asarray(terms.T @ terms, dtype=np.float64)


def _solve(
    products: FloatArray, turns_rad: FloatArray, ridge: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Disagreement that is left at each turn (...), both lever arms (..., 6), and their normal matrices."""
    combine = np.zeros((*turns_rad.shape, 16, 8))
    each = np.arange(4)
    combine[..., each, each] = 1.0
    for first, weight in ((4, np.cos(turns_rad)), (8, np.sin(turns_rad)), (12, np.ones_like(turns_rad))):
        combine[..., first + each, 4 + each] = -weight[..., None]
    gram = np.swapaxes(combine, -1, -2) @ products @ combine
    constant = np.zeros(8)
    constant[[0, 4]] = 1.0
    free = gram[..., np.array(_ARMS)[:, None], _ARMS] + ridge * np.eye(6)
    mixed = gram[..., _ARMS, :] @ constant
    arms = np.asarray(np.linalg.solve(free, mixed[..., None])[..., 0], dtype=np.float64)
    cost = np.asarray((gram @ constant) @ constant - np.sum(mixed * arms, axis=-1), dtype=np.float64)
    return cost, -arms, free


def _golden_section(cost: Callable[[float], float], low: float, high: float) -> float:
    share = (math.sqrt(5.0) - 1.0) / 2.0
    while high - low > math.radians(0.05):
        left, right = high - share * (high - low), low + share * (high - low)
        if cost(left) < cost(right):
            high = right
        else:
            low = left
    return 0.5 * (low + high)
