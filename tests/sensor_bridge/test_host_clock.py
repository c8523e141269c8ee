from __future__ import annotations

from sensor_bridge.host_clock import HostClock


def test_a_step_of_the_system_clock_is_not_seen():
    utc = iter([1_000_000])
    monotonic = iter([50, 60, 75])
    clock = HostClock(utc_ns=lambda: next(utc), monotonic_ns=lambda: next(monotonic))
    assert clock.now_ns() == 1_000_010
    assert clock.now_ns() == 1_000_025
