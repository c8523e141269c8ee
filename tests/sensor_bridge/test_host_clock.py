from __future__ import annotations

import sys
import time

from sensor_bridge.host_clock import HostClock


def test_a_step_of_the_system_clock_is_not_seen():
    utc = iter([1_000_000])
    monotonic = iter([50, 60, 75])
    clock = HostClock(utc_ns=lambda: next(utc), monotonic_ns=lambda: next(monotonic))
    assert clock.now_ns() == 1_000_010
    assert clock.now_ns() == 1_000_025


def test_the_time_a_linux_machine_slept_is_counted(monkeypatch):
    since_boot_ns = iter([5_000_000_000, 605_000_000_000])
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(time, "CLOCK_BOOTTIME", 7, raising=False)
    monkeypatch.setattr(
        time, "clock_gettime_ns", lambda which: next(since_boot_ns) if which == 7 else 0, raising=False
    )
    clock = HostClock(utc_ns=lambda: 1_700_000_000_000_000_000)
    assert clock.now_ns() == 1_700_000_600_000_000_000
