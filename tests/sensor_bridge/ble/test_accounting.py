from __future__ import annotations

from dataclasses import replace

import pytest

from firmware_protocol.packets import (
    AccelRange,
    CommandReply,
    CommandResult,
    GyroRange,
    ImuFrame,
    Opcode,
    SamplingRate,
    StreamStatus,
)
from sensor_bridge.ble.accounting import Arrival, SampleAccount


def frame(stream_id, first, n):
    return ImuFrame(
        stream_id, first, 0, SamplingRate.HZ100, AccelRange.G8, GyroRange.DPS1000, False, False, bytes(12 * n)
    )


def status(**changes):
    ended = StreamStatus(
        battery_percent=80,
        battery_mv=3900,
        temperature_c=31.5,
        connection_interval_ms=15.0,
        mtu=247,
        queue_depth=0,
        overflow_count=0,
        clipped_count=0,
        is_streaming=False,
        oldest_sample_index=0,
        newest_sample_index=15,
        stream_id=7,
    )
    return replace(ended, **changes)


@pytest.mark.parametrize(
    ("frames", "arrivals", "received", "lost", "duplicated"),
    [
        pytest.param([(7, 0, 10)], [Arrival.FIRST], 10, 0, 0, id="first"),
        pytest.param([(7, 30, 10)], [Arrival.AFTER_LOSS], 10, 30, 0, id="first comes late"),
        pytest.param([(7, 0, 10), (7, 10, 5)], [Arrival.FIRST, Arrival.NEXT], 15, 0, 0, id="in order"),
        pytest.param([(7, 0, 10), (7, 14, 5)], [Arrival.FIRST, Arrival.AFTER_LOSS], 15, 4, 0, id="hole"),
        pytest.param([(7, 0, 10), (7, 0, 10)], [Arrival.FIRST, Arrival.DUPLICATE], 10, 0, 10, id="twice"),
        pytest.param([(7, 0, 10), (7, 6, 10)], [Arrival.FIRST, Arrival.OVERLAP], 16, 0, 4, id="overlap"),
        pytest.param(
            [(7, 0, 10), (8, 0, 3), (8, 3, 3)],
            [Arrival.FIRST, Arrival.FIRST, Arrival.NEXT],
            16,
            0,
            0,
            id="new stream",
        ),
    ],
)
def test_counts(frames, arrivals, received, lost, duplicated):
    account = SampleAccount()
    assert [account.add(frame(*each)) for each in frames] == arrivals
    assert (account.received, account.lost, account.duplicated) == (received, lost, duplicated)


def test_resume_point_follows_the_newest_sample():
    account = SampleAccount()
    assert account.resume_point() is None
    account.add(frame(7, 0, 10))
    account.add(frame(7, 4, 3))
    assert account.resume_point() == (7, 10)


def test_a_stream_taken_up_after_a_restart_counts_only_what_is_new():
    account = SampleAccount()
    account.take_up(7, 100)
    assert account.add(frame(7, 95, 10)) is Arrival.OVERLAP
    assert (account.received, account.lost, account.duplicated) == (5, 0, 5)


@pytest.mark.parametrize(
    ("changes", "lost"),
    [
        pytest.param({}, 6, id="ended and sent"),
        pytest.param({"is_streaming": True}, 0, id="still sampling"),
        pytest.param({"queue_depth": 1}, 0, id="still sending"),
        pytest.param({"stream_id": 6}, 0, id="another stream"),
        pytest.param({"newest_sample_index": 0}, 0, id="nothing kept"),
    ],
)
def test_what_is_missing_at_the_end_of_a_stream_shows_in_its_status(changes, lost):
    account = SampleAccount()
    account.link_up()
    account.add(frame(7, 0, 10))
    account.hear(status(**changes))
    assert account.lost == 0  # before the reply to Start nothing can be expected
    account.go_on(CommandReply(1, Opcode.START, CommandResult.OK, 7, 10))
    account.hear(status(**changes))
    account.hear(status(**changes))
    assert account.lost == lost
