from __future__ import annotations

from typing import Any

from sensor_bridge.alarms import bridge_alarms
from sensor_bridge.ble.link import LinkHealth, LinkPhase, LinkState


def alarms(**changes: Any) -> dict[str, str]:
    quiet: dict[str, Any] = dict.fromkeys(("dropped", "unlogged", "never_logged", "late_samples"), 0)
    quiet |= {"links": (), "batch": 10}
    return {code: text for code, text in bridge_alarms(**{**quiet, **changes}).items() if text is not None}


def link(phase: LinkPhase, interval_ms: float | None, rate_hz: float | None = 100.0) -> LinkState:
    health = LinkHealth(connection_interval_ms=interval_ms)
    return LinkState("hip", phase, sampling_rate_hz=rate_hz, health=health)


def test_nothing_is_wrong() -> None:
    assert alarms(links=[link(LinkPhase.CONNECTED, 30.0)]) == {}


def test_what_was_lost_here_is_said_with_its_number() -> None:
    assert alarms(dropped=3, unlogged=4, never_logged=5, late_samples=12) == {
        "overload": "3 frames were logged but not measured: this machine is too slow",
        "frame_log": "4 frames wait in memory, not logged: free some space on the disk",
        "frames_lost": "5 frames were measured but never logged, for want of space",
        "late_samples": "12 samples came too late to be measured with those of other sensors",
    }


def test_an_interval_counts_only_while_the_link_is_up_and_known() -> None:
    assert "hip (195 ms)" in alarms(links=[link(LinkPhase.CONNECTED, 195.0)])["link_budget"]
    assert alarms(links=[link(LinkPhase.LOST, 195.0)]) == {}
    assert alarms(links=[link(LinkPhase.CONNECTED, None), link(LinkPhase.CONNECTED, 195.0, None)]) == {}
