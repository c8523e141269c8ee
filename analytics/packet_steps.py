"""What is done to each packet of samples, compiled: on ten samples numpy spends its time on calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import types

from analytics.aligned_block import ACCELERATION, BIAS, BIAS_SIGMA, QUATERNION, RATE
from analytics.compiled import compiled, read, written

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.imu import FloatArray

_QUATERNION, _ACCELERATION, _RATE, _BIAS = (rows.start for rows in (QUATERNION, ACCELERATION, RATE, BIAS))


@compiled(read(np.float64, 2), read(np.float64), written(np.float64, 2))
def mean_rates(gyr_rad_s: FloatArray, before_rad_s: FloatArray, turning_rad_s: FloatArray) -> None:
    """Fill in the mean rate from each sample's predecessor to it.

    Parameters
    ----------
    gyr_rad_s
        Shape (n, 3).
    before_rad_s
        The sample before the first, shape (3,).
    turning_rad_s
        Filled in, shape (n, 3).
    """
    for axis in range(3):
        before = before_rad_s[axis]
        for index in range(len(gyr_rad_s)):
            now = gyr_rad_s[index, axis]
            turning_rad_s[index, axis] = 0.5 * (before + now)
            before = now


@compiled(
    written(np.float64, 3),
    written(np.uint8, 2),
    types.int64,
    types.int64,
    *(read(np.float64, 2) for _ in range(4)),
    read(np.float64),
    read(np.uint8),
)
def put(
    values: FloatArray,
    flags: NDArray[np.uint8],
    row: int,
    start: int,
    quaternion: FloatArray,
    acceleration: FloatArray,
    rate: FloatArray,
    bias: FloatArray,
    bias_sigma: FloatArray,
    known: NDArray[np.uint8],
) -> None:
    """Put samples of one placement into the columns of a history from ``start`` on."""
    for index in range(len(known)):
        at = start + index
        for axis in range(4):
            values[row, _QUATERNION + axis, at] = quaternion[index, axis]
        for axis in range(3):
            values[row, _ACCELERATION + axis, at] = acceleration[index, axis]
            values[row, _RATE + axis, at] = rate[index, axis]
            values[row, _BIAS + axis, at] = bias[index, axis]
        values[row, BIAS_SIGMA, at] = bias_sigma[index]
        flags[row, at] = known[index]
