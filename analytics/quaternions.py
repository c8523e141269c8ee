"""Unit quaternions in wxyz order, written out so that one sample gives the same bits alone or in a block."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from analytics.imu import FloatArray

Quaternion: TypeAlias = tuple[float, float, float, float]

IDENTITY: Quaternion = (1.0, 0.0, 0.0, 0.0)


def multiply(left_wxyz: FloatArray, right_wxyz: FloatArray) -> FloatArray:
    """Hamilton product of (n, 4) or (4,) quaternions: apply ``right`` first, then ``left``."""
    lw, lx, ly, lz = left_wxyz[..., 0], left_wxyz[..., 1], left_wxyz[..., 2], left_wxyz[..., 3]
    rw, rx, ry, rz = right_wxyz[..., 0], right_wxyz[..., 1], right_wxyz[..., 2], right_wxyz[..., 3]
    return np.stack(
        (
            lw * rw - lx * rx - ly * ry - lz * rz,
            lw * rx + lx * rw + ly * rz - lz * ry,
            lw * ry - lx * rz + ly * rw + lz * rx,
            lw * rz + lx * ry - ly * rx + lz * rw,
        ),
        axis=-1,
    )


def turned_about_z(quats_wxyz: FloatArray, turn_wxyz: FloatArray) -> FloatArray:
    """Apply a turn about the earth's vertical (4,), whose x and y are 0, after (n, 4) quaternions."""
    c, s = float(turn_wxyz[0]), float(turn_wxyz[3])
    turned = c * quats_wxyz
    turned[:, 0] -= s * quats_wxyz[:, 3]
    turned[:, 1] -= s * quats_wxyz[:, 2]
    turned[:, 2] += s * quats_wxyz[:, 1]
    turned[:, 3] += s * quats_wxyz[:, 0]
    return turned


def conjugate(quat_wxyz: FloatArray) -> FloatArray:
    """Return the inverse rotation of unit quaternions, shape (..., 4)."""
    return np.asarray(quat_wxyz * np.array((1.0, -1.0, -1.0, -1.0)), dtype=np.float64)


def normalized(quats_wxyz: FloatArray) -> FloatArray:
    """Scale (n, 4) quaternions to unit length."""
    w, x, y, z = (quats_wxyz[:, i] for i in range(4))
    return np.asarray(quats_wxyz / np.sqrt(w * w + x * x + y * y + z * z)[:, None], dtype=np.float64)


def up_in_sensor(earth_from_sensor_wxyz: FloatArray) -> FloatArray:
    """Return the earth's up axis seen in the sensor_frame: third row of the rotation matrix, shape (n, 3)."""
    w, x, y, z = (earth_from_sensor_wxyz[:, i] for i in range(4))
    return np.stack((2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)), axis=-1)


def rotate_vectors(matrix: FloatArray, vectors: FloatArray) -> FloatArray:
    """Apply one (3, 3) matrix to (n, 3) vectors; unlike ``@`` the result of a row does not depend on n."""
    x, y, z = vectors[:, 0], vectors[:, 1], vectors[:, 2]
    return np.stack([matrix[i, 0] * x + matrix[i, 1] * y + matrix[i, 2] * z for i in range(3)], axis=-1)


def rotate_by_each(quats_wxyz: FloatArray, vector: FloatArray) -> FloatArray:
    """Rotate one constant (3,) vector by each of (n, 4) quaternions, shape (n, 3)."""
    w, x, y, z = (quats_wxyz[:, i] for i in range(4))
    a, b, c = float(vector[0]), float(vector[1]), float(vector[2])
    return np.stack(
        (
            (1.0 - 2.0 * (y * y + z * z)) * a + 2.0 * (x * y - w * z) * b + 2.0 * (x * z + w * y) * c,
            2.0 * (x * y + w * z) * a + (1.0 - 2.0 * (x * x + z * z)) * b + 2.0 * (y * z - w * x) * c,
            2.0 * (x * z - w * y) * a + 2.0 * (y * z + w * x) * b + (1.0 - 2.0 * (x * x + y * y)) * c,
        ),
        axis=-1,
    )


def to_matrix(quat_wxyz: Quaternion) -> FloatArray:
    """Rotation matrix (3, 3) of one quaternion."""
    w, x, y, z = quat_wxyz
    return np.array(
        (
            (1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)),
            (2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)),
            (2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)),
        )
    )


def from_matrix(matrix: FloatArray) -> Quaternion:
    """Quaternion of one rotation matrix (3, 3), w not negative."""
    m = matrix
    # The largest of the four squares is the divisor: no loss of digits near a half turn (Shepperd 1978).
    squares = (
        1.0 + m[0, 0] + m[1, 1] + m[2, 2],
        1.0 + m[0, 0] - m[1, 1] - m[2, 2],
        1.0 - m[0, 0] + m[1, 1] - m[2, 2],
        1.0 - m[0, 0] - m[1, 1] + m[2, 2],
    )
    largest = max(range(4), key=lambda i: squares[i])
    s = 2.0 * math.sqrt(squares[largest])
    wx, wy, wz = m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]
    xy, xz, yz = m[0, 1] + m[1, 0], m[0, 2] + m[2, 0], m[1, 2] + m[2, 1]
    rows = (
        (s * s / 4.0, wx, wy, wz),
        (wx, s * s / 4.0, xy, xz),
        (wy, xy, s * s / 4.0, yz),
        (wz, xz, yz, s * s / 4.0),
    )
    w, x, y, z = (float(value) / s for value in rows[largest])
    return (w, x, y, z) if w >= 0.0 else (-w, -x, -y, -z)


def turn_about_z(angle_rad: float) -> FloatArray:
    """Rotation matrix of a turn about z, counter-clockwise seen from above."""
    c, s = math.cos(angle_rad), math.sin(angle_rad)
    return np.array(((c, -s, 0.0), (s, c, 0.0), (0.0, 0.0, 1.0)))


def shortest_rotation(start: FloatArray, end: FloatArray) -> FloatArray:
    """Rotation matrix that turns direction ``start`` onto ``end`` about their common normal.

    Opposite directions have no common normal: then any axis across ``start`` is taken.
    """
    a, b = start / np.linalg.norm(start), end / np.linalg.norm(end)
    axis, cosine = np.cross(a, b), float(a @ b)
    if cosine < -1.0 + 1e-9:
        across = np.eye(3)[int(np.argmin(np.abs(a)))]
        normal = np.cross(a, across)
        normal /= np.linalg.norm(normal)
        return np.asarray(2.0 * np.outer(normal, normal) - np.eye(3), dtype=np.float64)
    skew = np.array(((0.0, -axis[2], axis[1]), (axis[2], 0.0, -axis[0]), (-axis[1], axis[0], 0.0)))
    return np.asarray(np.eye(3) + skew + skew @ skew / (1.0 + cosine), dtype=np.float64)
