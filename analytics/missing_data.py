"""What may be said of a repetition with missing samples: a line drawn through a hole is no measurement."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from analytics.true_stretches import true_stretches

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.imu import FloatArray

# The zero-phase low-pass carries a hole's straight line this far into what was measured.
_SMEAR_S = 0.2


class MissingData:
    """Holes in one angle of a window, and its ends.

    Parameters
    ----------
    angle_deg
        Degrees, shape (n,); NaN where there is no sample.
    sampling_rate_hz
        Its rate.
    longest_bridge_s
        Holes up to this length leave what lies on both sides of them one movement.
    """

    def __init__(self, angle_deg: FloatArray, sampling_rate_hz: float, longest_bridge_s: float) -> None:
        self.is_missing: NDArray[np.bool_] = ~np.isfinite(angle_deg)
        self._rate_hz = sampling_rate_hz
        self._smear = _SMEAR_S * sampling_rate_hz
        self._longest = longest_bridge_s * sampling_rate_hz
        self._holes = true_stretches(self.is_missing) if self.is_missing.any() else []

    @property
    def is_nowhere(self) -> bool:
        """Whether no sample is missing."""
        return not self._holes

    @property
    def is_everything(self) -> bool:
        """Whether there is no sample at all."""
        return bool(self.is_missing.all())

    def is_near(self, start: float, end: float | None = None) -> bool:
        """Tell whether a sample, or a stretch, is drawn or bent by the line through a hole."""
        stop = start if end is None else end
        return any(
            begin - self._smear <= stop and start < after + self._smear for begin, after in self._holes
        )

    def breaks(self, start: float, end: float) -> bool:
        """Tell whether a hole too long to be bridged lies between two samples."""
        return any(
            after - begin > self._longest and begin < end and start < after for begin, after in self._holes
        )

    def lost_s(self, start: int, end: int) -> float:
        """Time without samples from one sample to another, both included."""
        if not self._holes:
            return 0.0
        return float(np.count_nonzero(self.is_missing[max(0, start) : end + 1])) / self._rate_hz

    def resumed_before(self, index: float, within_s: float) -> int | None:
        """First sample of the window, or after a hole too long to bridge, at most so long before another."""
        starts = [0, *(after for begin, after in self._holes if after - begin > self._longest)]
        earliest = index - within_s * self._rate_hz
        near = [
            start
            for start in starts
            if earliest <= start <= math.ceil(index) and start < len(self.is_missing)
        ]
        return max((start for start in near if not self.is_missing[start]), default=None)


def bridged(values: FloatArray) -> FloatArray:
    """Draw straight lines through the holes of an angle that is known somewhere."""
    known = np.isfinite(values)
    if known.all():
        return values
    positions = np.arange(len(values))
    return np.interp(positions, positions[known], values[known])
