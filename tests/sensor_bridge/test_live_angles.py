from __future__ import annotations

from dataclasses import fields
from itertools import pairwise

import numpy as np
import pytest

from analytics.angles import AngleBlock
from sensor_bridge.live_angles import LiveAngles, LiveSamples
from sensor_bridge.recording.analysis import ANGLE_COLUMNS

START_NS = 7_000_000_000


def angle_block(first: int, n: int, rate_hz: float, *, gap_before_s: float = 0.0) -> AngleBlock:
    """Samples `first` to `first + n` of a grid; the tilt is the sample's number, the others are shifted."""
    number = np.arange(first, first + n, dtype=float)
    columns = {name: number + 1000.0 * position for position, name in enumerate(ANGLE_COLUMNS)}
    return AngleBlock(
        start_time_ns=START_NS + round(first * 1e9 / rate_hz),
        sampling_rate_hz=rate_hz,
        gap_before_s=gap_before_s,
        **columns,
        acc_norm_m_s2=np.full(n, 9.81),
        gyr_segment_rad_s=np.zeros((n, 3)),
        is_supine=np.zeros(n, dtype=np.bool_),
        is_measured=np.ones(n, dtype=np.bool_),
    )


def in_batches(total: int, batch: int, rate_hz: float) -> list[AngleBlock]:
    return [angle_block(first, min(batch, total - first), rate_hz) for first in range(0, total, batch)]


def messages(blocks: list[AngleBlock]) -> list[LiveSamples]:
    live = LiveAngles()
    return [message for block in blocks for message in live.push([block])]


def numbers(message: LiveSamples) -> list[int]:
    return [round(float(value)) for value in message.angles_deg["pelvic_tilt_deg"]]


def test_every_angle_of_a_block_that_is_in_degrees_is_shown() -> None:
    assert set(ANGLE_COLUMNS) == {field.name for field in fields(AngleBlock) if field.name.endswith("_deg")}


@pytest.mark.parametrize(
    ("rate_hz", "shown_hz", "stride"),
    [
        (10.0, 10.0, 1),
        (50.0, 50.0, 1),
        (52.0, 26.0, 2),
        (100.0, 50.0, 2),
        (104.0, 104 / 3, 3),
        (128.0, 128 / 3, 3),
        (200.0, 50.0, 4),
        (208.0, 41.6, 5),
        (416.0, 416 / 9, 9),
    ],
)
@pytest.mark.parametrize("batch", [1, 3, 7, 10, 19])
def test_messages_follow_each_other_without_overlap_or_hole(
    rate_hz: float, shown_hz: float, stride: int, batch: int
) -> None:
    told = messages(in_batches(1200, batch, rate_hz))
    assert {message.rate_hz for message in told} == {shown_hz}
    everything = [number for message in told for number in numbers(message)]
    assert everything == list(range(0, everything[-1] + 1, stride))
    assert everything[-1] > 1200 - stride - max(batch, 0.16 * rate_hz)
    for message in told:
        last = numbers(message)[-1]
        assert abs(message.last_ns - START_NS - last * 1e9 / rate_hz) <= 1  # block starts are whole ns
    for before, after in pairwise(told):
        first_ns = after.last_ns - (len(numbers(after)) - 1) * 1e9 / shown_hz
        assert first_ns == pytest.approx(before.last_ns + 1e9 / shown_hz, abs=2)


@pytest.mark.parametrize("rate_hz", [50.0, 100.0, 104.0, 200.0])
@pytest.mark.parametrize("batch", range(1, 20))
def test_about_ten_messages_a_second_whatever_the_batch(rate_hz: float, batch: int) -> None:
    seconds = 30
    told = messages(in_batches(round(seconds * rate_hz), batch, rate_hz))
    per_second = len(told) / seconds
    if batch / rate_hz <= 0.16:
        assert 6.2 <= per_second <= 12.6
    else:  # longer frames than that: each is told when it comes
        assert per_second == pytest.approx(rate_hz / batch, abs=0.1)


def test_a_hole_ends_a_message_and_begins_another_grid() -> None:
    live = LiveAngles()
    assert live.push([angle_block(0, 5, 100.0)]) == []
    before, after = live.push([angle_block(31, 20, 100.0, gap_before_s=0.26)])
    assert numbers(before) == [0, 2, 4]
    assert before.last_ns == 7_040_000_000
    assert numbers(after) == list(range(31, 51, 2))
    assert after.last_ns == 7_490_000_000


def test_a_hole_that_only_the_times_show_is_one_too() -> None:
    live = LiveAngles()
    live.push([angle_block(0, 5, 100.0)])
    before, after = live.push([angle_block(7, 10, 100.0)])
    assert numbers(before) == [0, 2, 4]
    assert numbers(after) == [7, 9, 11, 13, 15]


def test_another_rate_begins_anew() -> None:
    live = LiveAngles()
    live.push([angle_block(0, 5, 100.0)])
    before, after = live.push([angle_block(10, 10, 50.0)])
    assert (before.rate_hz, numbers(before)) == (50.0, [0, 2, 4])
    assert (after.rate_hz, numbers(after)) == (50.0, list(range(10, 20)))


def test_what_one_push_brings_goes_out_as_one_message() -> None:
    (only,) = LiveAngles().push(in_batches(200, 10, 100.0))
    assert numbers(only) == list(range(0, 200, 2))


def test_of_a_long_past_only_the_last_twenty_seconds_are_live() -> None:
    (only,) = LiveAngles().push(in_batches(12_000, 10, 100.0))
    assert numbers(only) == list(range(10_000, 12_000, 2))
    assert only.last_ns == START_NS + 119_980_000_000


def test_nothing_and_empty_blocks_say_nothing() -> None:
    live = LiveAngles()
    assert live.push([]) == []
    assert live.push([angle_block(0, 0, 100.0)]) == []


def test_the_angles_keep_their_names() -> None:
    (message,) = LiveAngles().push([angle_block(0, 10, 50.0)])
    assert [float(message.angles_deg[name][0]) for name in ANGLE_COLUMNS] == [
        0.0,
        1000.0,
        2000.0,
        3000.0,
        4000.0,
        5000.0,
        6000.0,
    ]
