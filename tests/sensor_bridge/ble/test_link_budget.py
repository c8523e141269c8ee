from __future__ import annotations

import re

import pytest

from sensor_bridge.ble.link_budget import LinkLoad, over_budget


def links(n: int, interval_ms: float, frames_hz: float = 10.0) -> list[LinkLoad]:
    return [LinkLoad(f"s{k}", interval_ms, frames_hz) for k in range(n)]


@pytest.mark.parametrize(
    "loads",
    [
        [],
        links(3, 15.0),
        links(8, 30.0, 20.0),  # 200 Hz, 10 a packet
        links(1, 50.0, 25.0),
        links(2, 7.5, 100.0),
    ],
)
def test_what_the_protocol_asks_for_fits(loads: list[LinkLoad]) -> None:
    assert over_budget(loads) is None


@pytest.mark.parametrize(
    ("loads", "said"),
    [
        ([*links(2, 30.0), LinkLoad("late", 195.0, 10.0)], r"over 50 ms: late \(195 ms\); .* ask for 30 ms"),
        (links(1, 30.0, 400.0), "s0 sends 400 packets a second, .* carries about 100: set a larger .*batch"),
        (links(8, 15.0), "8 links need about 24 ms in every interval, s7 has 15 ms"),
        (links(3, 7.5), "3 links need about 9 ms"),
    ],
)
def test_what_does_not_fit_is_said_with_its_mend(loads: list[LinkLoad], said: str) -> None:
    alarm = over_budget(loads)
    assert alarm is not None
    assert re.search(said, alarm)
