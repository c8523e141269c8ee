"""Angles from orientations, sample by sample, compiled: see `analytics.angles`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from analytics.aligned_block import HAS_GYROSCOPE, MEASURED, PRESENT
from analytics.compiled import Record, compiled, read, written
from analytics.imu import Placement

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.imu import FloatArray

PLACEMENTS = len(Placement)
# Rows of what is read, as in `analytics.angle_block.AngleColumns`.
TILT, ROTATION, OBLIQUITY, HIP, ACCELERATION, RATE, ROWS = 0, 3, 4, 5, 7, 8, 11
SENSOR = np.dtype(
    [
        ("is_worn", np.bool_),
        ("has_bias", np.bool_),
        # Yaw unknown: the inclination from the still pose stands in for the angle.
        ("is_unsigned", np.bool_),
        ("counts_down", np.bool_),
        ("zero_deg", np.float64),
        ("still_up", np.float64, 3),
        ("half_bias", np.float64, 3),
        # Product with segment_from_sensor's inverse from the right; NaN where the yaw is not known.
        ("turn", np.float64, (4, 4)),
        ("segment_from_sensor", np.float64, (3, 3)),
    ]
)
# Where rotation is zero, and where its unwrapping has got to: see `analytics.angles.RotationReference`.
HEADING = np.dtype(
    [("is_known", np.bool_), ("zero_rad", np.float64), ("previous_rad", np.float64), ("turns", np.int64)]
)
_DEGREES = 180.0 / math.pi
_PRESENT, _MEASURED, _HAS_GYROSCOPE = int(PRESENT), int(MEASURED), int(HAS_GYROSCOPE)


@compiled()
def _orientation(sensor: Record, values: FloatArray, index: int) -> tuple[float, float, float, float]:
    """Return the orientation of a sensor, turned by what its accelerometer's bias turned it."""
    w, x, y, z = values[0, index], values[1, index], values[2, index], values[3, index]
    if not sensor.has_bias:
        return w, x, y, z
    up_x, up_y, up_z = 2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)
    b_x, b_y, b_z = sensor.half_bias[0], sensor.half_bias[1], sensor.half_bias[2]
    # Half of cross(up, bias / g): the small turn from the right direction of up to the one that was found.
    i, j, k = up_y * b_z - up_z * b_y, up_z * b_x - up_x * b_z, up_x * b_y - up_y * b_x
    r = 1.0 - 0.5 * (i * i + j * j + k * k)
    return (
        w * r - x * i - y * j - z * k,
        w * i + x * r + y * k - z * j,
        w * j - x * k + y * r + z * i,
        w * k + x * j - y * i + z * r,
    )


@compiled()
def _read_segment(
    sensor: Record,
    heading: Record,
    row: int,
    is_heading_told: bool,
    w: float,
    x: float,
    y: float,
    z: float,
    out: FloatArray,
    index: int,
) -> None:
    """Fill in tilt, or thigh flexion; of the pelvis also obliquity and rotation."""
    turn = sensor.turn
    a = (turn[0, 0] * w + turn[0, 2] * y) + (turn[0, 1] * x + turn[0, 3] * z)
    b = (turn[1, 0] * w + turn[1, 2] * y) + (turn[1, 1] * x + turn[1, 3] * z)
    c = (turn[2, 0] * w + turn[2, 2] * y) + (turn[2, 1] * x + turn[2, 3] * z)
    d = (turn[3, 0] * w + turn[3, 2] * y) + (turn[3, 1] * x + turn[3, 3] * z)
    # From half of the up-vector, the rotation matrix' third row.
    inclined = math.atan2(a * c - b * d, 0.5 - (b * b + c * c)) * _DEGREES
    # The thigh's flexion counts the other way than the pelvis' tilt.
    out[TILT + row, index] = inclined if row == 0 else -inclined
    if sensor.is_unsigned:
        out[TILT + row, index] = _inclination_deg(sensor, w, x, y, z)
    if row == 0:
        left_up = 2.0 * (c * d + a * b)
        if left_up > 1.0:
            left_up = 1.0
        elif left_up < -1.0:
            left_up = -1.0
        out[OBLIQUITY, index] = math.asin(left_up) * -_DEGREES
        heading_rad = math.atan2(a * d - b * c, 0.5 - (b * b + d * d)) if is_heading_told else np.nan
        out[ROTATION, index] = _unwrapped_deg(heading, heading_rad)


@compiled()
def _inclination_deg(sensor: Record, w: float, x: float, y: float, z: float) -> float:
    """Inclination of a sensor of unknown yaw: unsigned, grown from the still pose.

    Lying it is counted down from lying, as lifting the hips lowers both tilt and thigh flexion.
    """
    up_x, up_y, up_z = 2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)
    m, still = sensor.segment_from_sensor, sensor.still_up
    cosine = 0.0
    for i in range(3):
        cosine += still[i] * (m[i, 0] * up_x + m[i, 1] * up_y + m[i, 2] * up_z)
    if cosine > 1.0:
        cosine = 1.0
    elif cosine < -1.0:
        cosine = -1.0
    turned = math.acos(cosine) * _DEGREES
    return sensor.zero_deg - turned if sensor.counts_down else turned


@compiled()
def _unwrapped_deg(heading: Record, heading_rad: float) -> float:
    if np.isnan(heading_rad):
        return heading_rad
    if not heading.is_known:
        heading.is_known, heading.zero_rad, heading.previous_rad = True, heading_rad, heading_rad
    # Whole turns are counted, not added up in radians: the result does not depend on where blocks are cut.
    heading.turns -= np.int64(np.rint((heading_rad - heading.previous_rad) / (2.0 * math.pi)))
    heading.previous_rad = heading_rad
    return float(heading_rad - heading.zero_rad + 2.0 * math.pi * heading.turns) * _DEGREES


@compiled()
def _read_driving(sensor: Record, values: FloatArray, out: FloatArray, index: int) -> None:
    """Fill in the acceleration's size and the angular rate in the segment_frame."""
    a_x, a_y, a_z = values[4, index], values[5, index], values[6, index]
    out[ACCELERATION, index] = math.sqrt(a_x * a_x + a_y * a_y + a_z * a_z)
    r_x, r_y, r_z = (
        values[7, index] - values[10, index],
        values[8, index] - values[11, index],
        values[9, index] - values[12, index],
    )
    m = sensor.segment_from_sensor
    for axis in range(3):
        out[RATE + axis, index] = m[axis, 0] * r_x + m[axis, 1] * r_y + m[axis, 2] * r_z


@compiled(
    read(SENSOR),
    written(HEADING),
    read(np.float64, 3),
    read(np.uint8, 2),
    written(np.float64, 2),
    written(np.bool_),
)
def read_angles(
    sensors: Record,
    heading: Record,
    values: FloatArray,
    flags: NDArray[np.uint8],
    out: FloatArray,
    is_measured: NDArray[np.bool_],
) -> None:
    """Fill in the angles of a stretch.

    Parameters
    ----------
    sensors
        How each sensor sits, one record a placement.
    heading
        Where rotation is zero; moved on.
    values, flags
        As :class:`analytics.history.AlignedHistory` keeps them, shapes (3, 14, n) and (3, n).
    out, is_measured
        As in :class:`analytics.angle_block.AngleColumns`, shapes (11, n) and (n,).
    """
    n = flags.shape[1]
    everywhere = np.full(PLACEMENTS, 255, dtype=np.int64)
    for row in range(PLACEMENTS):
        for index in range(n):
            everywhere[row] &= flags[row, index]
    driving = -1
    for row in range(PLACEMENTS - 1, -1, -1):
        if sensors[row].is_worn and everywhere[row] & _PRESENT:
            driving = row
    # Beyond a hole the heading is another one.
    is_heading_told = everywhere[0] & _HAS_GYROSCOPE != 0
    for index in range(n):
        for row in range(PLACEMENTS):
            w, x, y, z = _orientation(sensors[row], values[row], index)
            _read_segment(sensors[row], heading[0], row, is_heading_told, w, x, y, z, out, index)
        out[HIP, index] = out[TILT, index] + out[TILT + 1, index]
        out[HIP + 1, index] = out[TILT, index] + out[TILT + 2, index]
        is_measured[index] = driving >= 0
        for row in range(PLACEMENTS):
            # A sensor that is not there shows as NaN in its own angles, and is not held against others.
            if sensors[row].is_worn and flags[row, index] & (_MEASURED | _PRESENT) == _PRESENT:
                is_measured[index] = False
        if driving >= 0:
            _read_driving(sensors[driving], values[driving], out, index)
        else:
            out[ACCELERATION:, index] = np.nan
