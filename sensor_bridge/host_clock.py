"""The one clock of the bridge: UTC, but moved along by the monotonic clock."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


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
    boot
        Names the start of this machine; given by tests.
    """

    def __init__(
        self,
        utc_ns: Callable[[], int] = time.time_ns,
        monotonic_ns: Callable[[], int] = elapsed_ns,
        boot: str | None = None,
    ) -> None:
        self._monotonic_ns = monotonic_ns
        self._offset_ns = utc_ns() - monotonic_ns()
        self._boot = boot if boot is not None else _boot()

    @property
    def origin(self) -> dict[str, Any]:
        """What a later process needs to go on with this clock: it is kept with the session."""
        return {"boot": self._boot, "offset_ns": self._offset_ns}

    def go_on(self, origin: Mapping[str, Any] | None) -> None:
        """Tell time as the process before did, where the machine has not been started anew since."""
        if origin and self._boot and origin.get("boot") == self._boot:
            self._offset_ns = int(origin["offset_ns"])

    def not_before(self, then_ns: int) -> None:
        """Let no time come twice: where `then_ns`, UTC, is still to come, go on from there."""
        self._offset_ns += max(0, then_ns - self.now_ns())

    def now_ns(self) -> int:
        """Return the time now, ns since 1970 UTC."""
        return self._offset_ns + self._monotonic_ns()

    def now_ms(self) -> float:
        """Return the time now, ms since 1970 UTC."""
        return self.now_ns() / 1e6


def _boot() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:  # only Linux tells
        return ""
