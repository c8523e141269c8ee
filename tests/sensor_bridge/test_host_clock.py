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


def clock_at(utc_ns: int, since_boot_ns: int, boot: str = "boot-1") -> HostClock:
    return HostClock(lambda: utc_ns, lambda: since_boot_ns, boot)


def test_a_process_that_goes_on_does_not_see_a_step_of_the_system_clock_either():
    before = clock_at(utc_ns=1_000_000_000, since_boot_ns=50)
    later = clock_at(utc_ns=1_000_000_000 - 3_600, since_boot_ns=75)
    later.go_on(before.origin)
    assert later.now_ns() == before.now_ns() + 25


def test_after_a_start_of_the_machine_the_system_clock_holds():
    before = clock_at(utc_ns=1_000_000_000, since_boot_ns=900)
    later = clock_at(utc_ns=1_000_000_500, since_boot_ns=5, boot="boot-2")
    later.go_on(before.origin)
    assert later.now_ns() == 1_000_000_500
    later.go_on(None)
    unknown = clock_at(utc_ns=1_000_000_700, since_boot_ns=5, boot="")
    unknown.go_on({"boot": "", "offset_ns": 0})
    assert (later.now_ns(), unknown.now_ns()) == (1_000_000_500, 1_000_000_700)


def test_a_clock_that_was_set_back_goes_on_where_the_log_ends():
    clock = clock_at(utc_ns=1_000_000_000, since_boot_ns=50)
    clock.not_before(999_999_999)
    assert clock.now_ns() == 1_000_000_000
    clock.not_before(1_000_003_600)
    assert clock.now_ns() == 1_000_003_600
