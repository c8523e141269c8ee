"""The one clock of the bridge: UTC, but moved along by the monotonic clock."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def elapsed_ns() -> int:
    """Read a monotonic clock that, where the system has one, also runs while the machine sleeps, ns."""
    if sys.platform == "linux":
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return time.monotonic_ns()


class HostClock:
    """UTC nanoseconds that never jump.

    The offset between UTC and the monotonic clock is taken once; a correction of the system clock (NTP, a
    person) in mid-session can then neither stretch nor reorder the arrival times of a session. Under Linux
    the time that a closed laptop slept is counted, else all that comes after would be told too early by that.

    Parameters
    ----------
    utc_ns, monotonic_ns
        The clocks to read, ns; given by tests.
    """

    def __init__(
        self,
        utc_ns: Callable[[], int] = time.time_ns,
        monotonic_ns: Callable[[], int] = elapsed_ns,
    ) -> None:
        self._monotonic_ns = monotonic_ns
        self._offset_ns = utc_ns() - monotonic_ns()

    def now_ns(self) -> int:
        """Return the time now, ns since 1970 UTC."""
        return self._offset_ns + self._monotonic_ns()
