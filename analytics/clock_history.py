"""What a clock's mapping is now and what it was: a sensor that lags is mapped as the others were."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from analytics.imu import FloatArray

_MOST_LINES = 256  # a refit needs a better packet or an exchange: minutes of them


@dataclass(frozen=True, slots=True)
class SlewedLine:
    """A straight mapping, and what is left of the step to it.

    Parameters
    ----------
    from_x
        Where it takes over from the line before, ns since the clock's origin.
    offset_ns
        Host minus device time at the origin, ns.
    skew
        Its slope, s per s.
    correction_ns
        Added at `from_x` so that it meets the line before, ns.
    slew_rate
        How fast the correction is worked off, s per s.
    """

    from_x: int
    offset_ns: float
    skew: float
    correction_ns: float
    slew_rate: float

    def shift_ns(self, x: FloatArray) -> FloatArray:
        """Host minus device time, ns, at device times `x`, ns, shape (n,)."""
        worked_off = self.slew_rate * np.maximum(0.0, x - self.from_x)
        left = np.maximum(0.0, abs(self.correction_ns) - worked_off)
        correction: FloatArray = math.copysign(1.0, self.correction_ns) * left
        return self.offset_ns + self.skew * x + correction


class ClockHistory:
    """The lines of a clock in the order they took over; each holds until the next.

    Were only the newest kept, a refit would move the times of a sensor that lags behind the one mapped last:
    by what had been worked off in between, which shows as a hole in its samples.
    """

    def __init__(self) -> None:
        self._lines = [SlewedLine(0, 0.0, 0.0, 0.0, 0.0)]

    @property
    def newest(self) -> SlewedLine:
        """The line in force."""
        return self._lines[-1]

    def begin(self, line: SlewedLine) -> None:
        """Let a line be the only one."""
        self._lines = [line]

    def go_on(self, line: SlewedLine) -> None:
        """Let a line take over; those that would have held only after it never came into force."""
        kept = [earlier for earlier in self._lines if earlier.from_x < line.from_x]
        self._lines = [*(kept or self._lines[:1])[1 - _MOST_LINES :], line]

    def shift_ns(self, x: FloatArray) -> FloatArray:
        """Host minus device time, ns, at device times `x`, ns, shape (n,)."""
        newest = self._lines[-1]
        if len(self._lines) == 1 or not len(x) or x.min() >= newest.from_x:
            return newest.shift_ns(x)
        starts = np.array([line.from_x for line in self._lines[1:]], dtype=np.float64)
        held = np.searchsorted(starts, x, side="right")
        shift = np.empty_like(x)
        for index in np.unique(held):
            of_line = held == index
            shift[of_line] = self._lines[index].shift_ns(x[of_line])
        return shift
