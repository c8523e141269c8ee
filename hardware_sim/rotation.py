"""Rotations of the stand-in world: matrices ``a_from_b`` that take coordinates in b to coordinates in a."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from hardware_sim.spectral import FloatArray


def about_axis(axis: int, angle_rad: FloatArray | float) -> FloatArray:
    """Rotation about one coordinate axis.

    Parameters
    ----------
    axis
        0, 1 or 2: x, y or z.
    angle_rad
        Angle, right-handed, rad; a number or shape (n,).

    Returns
    -------
    FloatArray
        Shape (3, 3) or (n, 3, 3).
    """
    angle = np.asarray(angle_rad, dtype=np.float64)
    matrix = np.zeros((*angle.shape, 3, 3))
    j, k = (axis + 1) % 3, (axis + 2) % 3
    cosine, sine = np.cos(angle), np.sin(angle)
    matrix[..., axis, axis] = 1.0
    matrix[..., j, j] = cosine
    matrix[..., k, k] = cosine
    matrix[..., j, k] = -sine
    matrix[..., k, j] = sine
    return matrix


def from_rotation_vector(vector_rad: FloatArray) -> FloatArray:
    """Rotation by ``|v|`` about ``v`` (Rodrigues).

    Parameters
    ----------
    vector_rad
        Shape (3,) or (n, 3), rad.

    Returns
    -------
    FloatArray
        Shape (3, 3) or (n, 3, 3).
    """
    angle_sq = np.sum(vector_rad**2, axis=-1)[..., None, None]
    angle = np.sqrt(angle_sq)
    # numpy's sinc is sin(πx)/(πx): finite at zero, so no special case for a rotation by nothing.
    first = np.sinc(angle / np.pi)
    second = 0.5 * np.sinc(angle / (2.0 * np.pi)) ** 2
    cross = cross_matrix(vector_rad)
    return np.asarray(np.eye(3) + first * cross + second * (cross @ cross), dtype=np.float64)


def cross_matrix(vector: FloatArray) -> FloatArray:
    """Matrix that takes ``w`` to the cross product of ``v`` and ``w``; shape (3, 3) or (n, 3, 3)."""
    matrix = np.zeros((*vector.shape, 3))
    matrix[..., 0, 1] = -vector[..., 2]
    matrix[..., 0, 2] = vector[..., 1]
    matrix[..., 1, 0] = vector[..., 2]
    matrix[..., 1, 2] = -vector[..., 0]
    matrix[..., 2, 0] = -vector[..., 1]
    matrix[..., 2, 1] = vector[..., 0]
    return matrix


def shortest(from_vector: FloatArray, to_vector: FloatArray) -> FloatArray:
    """Smallest rotation that turns one unit vector onto another (not opposite to it), shape (3, 3)."""
    cross = cross_matrix(np.cross(from_vector, to_vector))
    return np.asarray(
        np.eye(3) + cross + cross @ cross / (1.0 + float(from_vector @ to_vector)), dtype=np.float64
    )


def apply(matrix: FloatArray, vector: FloatArray) -> FloatArray:
    """Turn one vector (3,) or one a sample (n, 3) by matrices (n, 3, 3); returns shape (n, 3)."""
    if vector.ndim == 1:
        return np.asarray(matrix @ vector, dtype=np.float64)
    return np.asarray(np.matmul(matrix, vector[..., None])[..., 0], dtype=np.float64)


def transpose(matrix: FloatArray) -> FloatArray:
    """Inverse rotations, shape (..., 3, 3)."""
    return np.swapaxes(matrix, -1, -2)


def to_quaternion(matrix: FloatArray) -> FloatArray:
    """Quaternions (w, x, y, z) without sign jumps, shape (n, 4), from matrices (n, 3, 3)."""
    diagonal = np.stack([matrix[:, 0, 0], matrix[:, 1, 1], matrix[:, 2, 2]], axis=1)
    trace = np.sum(diagonal, axis=1)
    quaternion = np.empty((len(matrix), 4))
    largest = np.argmax(np.column_stack([trace, diagonal]), axis=1)
    rows = largest == 0
    r = matrix[rows]
    quaternion[rows] = np.column_stack(
        [1.0 + trace[rows], r[:, 2, 1] - r[:, 1, 2], r[:, 0, 2] - r[:, 2, 0], r[:, 1, 0] - r[:, 0, 1]]
    )
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        rows = largest == i + 1
        r = matrix[rows]
        quaternion[rows, 0] = r[:, k, j] - r[:, j, k]
        quaternion[rows, 1 + i] = 1.0 + r[:, i, i] - r[:, j, j] - r[:, k, k]
        quaternion[rows, 1 + j] = r[:, j, i] + r[:, i, j]
        quaternion[rows, 1 + k] = r[:, k, i] + r[:, i, k]
    quaternion /= np.linalg.norm(quaternion, axis=1, keepdims=True)
    flips = np.sum(quaternion[1:] * quaternion[:-1], axis=1) < 0.0
    sign = np.where(np.cumsum(np.concatenate([[quaternion[0, 0] < 0.0], flips])) % 2 == 1, -1.0, 1.0)
    return np.asarray(quaternion * sign[:, None], dtype=np.float64)


def random_rotation(generator: np.random.Generator) -> FloatArray:
    """Any rotation, uniformly (Shoemake 1992), shape (3, 3)."""
    quaternion = generator.standard_normal(4)
    w, x, y, z = quaternion / np.linalg.norm(quaternion)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def first_derivative(values: FloatArray, rate_hz: float) -> FloatArray:
    """Time derivative along the first axis: five points, error of order dt⁴ (two points at each end)."""
    derivative = np.gradient(values, 1.0 / rate_hz, axis=0)
    derivative[2:-2] = (8.0 * (values[3:-1] - values[1:-3]) - (values[4:] - values[:-4])) * (rate_hz / 12.0)
    return np.asarray(derivative, dtype=np.float64)


def second_derivative(values: FloatArray, rate_hz: float) -> FloatArray:
    """Second time derivative along the first axis: five points; the two ends repeat their neighbours."""
    derivative = np.empty_like(values)
    derivative[2:-2] = (
        16.0 * (values[3:-1] + values[1:-3]) - (values[4:] + values[:-4]) - 30.0 * values[2:-2]
    ) * (rate_hz**2 / 12.0)
    derivative[:2] = derivative[2]
    derivative[-2:] = derivative[-3]
    return np.asarray(derivative, dtype=np.float64)


def angular_rate(earth_from_body: FloatArray, rate_hz: float) -> FloatArray:
    """Angular rate in the body's own axes, shape (n, 3), rad/s, from matrices (n, 3, 3).

    The cross matrix of ω is ``Rᵀ dR/dt``; its antisymmetric part removes what the difference quotient adds.
    """
    spin = transpose(earth_from_body) @ first_derivative(earth_from_body, rate_hz)
    return 0.5 * np.stack(
        [spin[:, 2, 1] - spin[:, 1, 2], spin[:, 0, 2] - spin[:, 2, 0], spin[:, 1, 0] - spin[:, 0, 1]], axis=1
    )
