"""Filtering forward and backward, compiled: see `analytics.filters`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import types

from analytics.compiled import compiled, read, written

if TYPE_CHECKING:
    from analytics.imu import FloatArray


@compiled()
def _run(
    sections: FloatArray, settled: FloatArray, first: int, last: int, step: int, padded: FloatArray
) -> None:
    """Filter in place from one sample to another, as if the first had held for ever before."""
    held = padded[first]
    for at in range(len(sections)):
        section = sections[at]
        b0, b1, b2, a1, a2 = section[0], section[1], section[2], section[4], section[5]
        z0, z1 = settled[at, 0] * held, settled[at, 1] * held
        for index in range(first, last + step, step):
            x = padded[index]
            y = z0 + b0 * x
            z0 = z1 + x * b1 - y * a1
            z1 = x * b2 - y * a2
            padded[index] = y


@compiled(*(read(np.float64, 2) for _ in range(3)), types.int64, written(np.float64, 2))
def filter_both_ways(
    sections: FloatArray, settled: FloatArray, samples: FloatArray, pad: int, filtered: FloatArray
) -> None:
    """Filter channels forward and backward with odd padding.

    Parameters
    ----------
    sections
        Second-order sections, one after another, shape (sections, 6).
    settled
        Their states after a long 1, shape (sections, 2).
    samples
        Shape (n, channels).
    pad
        Samples reflected about each end, fewer than n.
    filtered
        Filled in, shape (n, channels).
    """
    n = len(samples)
    padded = np.empty(n + 2 * pad)
    for channel in range(samples.shape[1]):
        first, last = samples[0, channel], samples[n - 1, channel]
        for index in range(n):
            padded[pad + index] = samples[index, channel]
        for index in range(1, pad + 1):
            padded[pad - index] = 2.0 * first - samples[index, channel]
            padded[pad + n - 1 + index] = 2.0 * last - samples[n - 1 - index, channel]
        end = n + 2 * pad - 1
        _run(sections, settled, 0, end, 1, padded)
        _run(sections, settled, end, 0, -1, padded)
        for index in range(n):
            filtered[index, channel] = padded[pad + index]
