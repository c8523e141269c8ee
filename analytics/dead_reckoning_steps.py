"""Dead reckoning with what each error of a sensor adds to it, compiled: see `analytics.sensor_errors`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import types

from analytics.compiled import compiled, read, written

if TYPE_CHECKING:
    from analytics.imu import FloatArray

# Errors that turn, those of them that are summed up over time, and all columns with the place itself.
_TURNING, _SUMMED, _COLUMNS = 14, 12, 27


@compiled(
    read(np.float64, 3),
    *(read(np.float64, 2) for _ in range(2)),
    types.float64,
    types.float64,
    types.int64,
    written(np.float64, 3),
)
def reckon(
    earth_from_sensor: FloatArray,
    turning_rad_s: FloatArray,
    acc_m_s2: FloatArray,
    rate_hz: float,
    gravity_m_s2: float,
    apart: int,
    places: FloatArray,
) -> None:
    """Fill in places, and what each error adds to them, at samples that lie ``apart``.

    Parameters
    ----------
    earth_from_sensor
        Rotation matrices, shape (n, 3, 3).
    turning_rad_s, acc_m_s2
        Shape (n, 3), sensor_frame.
    rate_hz, gravity_m_s2
        Rate of the samples; gravity.
    apart
        Samples from one place to the next.
    places
        Filled in, m for each unit of an error, shape (m, 3, 27): by the gyroscope's matrix (9), the
        accelerometer's bias (3) and matrix (9), the gyroscope's bias (3), the inclination at the start (2);
        last the place itself.
    """
    turned = np.zeros((3, _TURNING))
    turned[0, _SUMMED] = turned[1, _SUMMED + 1] = 1.0
    summed, gained = np.zeros((3, _SUMMED)), np.zeros((3, _COLUMNS))
    speed_sum, place_sum = np.zeros((3, _COLUMNS)), np.zeros((3, _COLUMNS))
    for index in range(len(acc_m_s2)):
        matrix, turning, acc = earth_from_sensor[index], turning_rad_s[index], acc_m_s2[index]
        for k in range(3):
            for i in range(3):
                for j in range(3):
                    summed[k, 3 * i + j] += matrix[k, i] * turning[j]
                    gained[k, 12 + 3 * i + j] = -matrix[k, i] * acc[j]
                summed[k, 9 + i] += matrix[k, i]
                gained[k, 9 + i] = -matrix[k, i]
            for column in range(_SUMMED):
                turned[k, column] = summed[k, column] / rate_hz
            gained[k, 26] = matrix[k, 0] * acc[0] + matrix[k, 1] * acc[1] + matrix[k, 2] * acc[2]
        for k in range(3):
            one, other = (k + 1) % 3, (k + 2) % 3
            for column in range(_TURNING):
                # Of the cross product of the force with the turn.
                at = column if column < 9 else column + 12
                gained[k, at] = (
                    gained[one, 26] * turned[other, column] - gained[other, 26] * turned[one, column]
                )
        gained[2, 26] -= gravity_m_s2
        for k in range(3):
            for column in range(_COLUMNS):
                speed_sum[k, column] += gained[k, column]
                speed = speed_sum[k, column] / rate_hz
                place_sum[k, column] += speed
                if index % apart == 0:
                    places[index // apart, k, column] = (place_sum[k, column] - 0.5 * speed) / rate_hz
