from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_protocol.codec import decode_frame, encode
from firmware_protocol.packets import AccelRange, BulkPage, GyroRange, ImuFrame, SamplingRate, TimeReply
from sensor_bridge.ble.link import FrameKind, ReceivedFrame
from sensor_bridge.recording.sample_order import in_sample_order

UTC_NS = 1_790_000_000_000_000_000
TRANSIT_NS = 20_000_000


def frame(index, n=10, *, stream_id=5, drift=0.0):
    time_us = round((1_000_000 + 10_000 * index) * (1.0 + drift))
    counts = (np.arange(index, index + n).repeat(6) % 30_000).astype("<i2")
    return ImuFrame(
        stream_id,
        index,
        time_us,
        SamplingRate.HZ100,
        AccelRange.G8,
        GyroRange.DPS1000,
        False,
        False,
        counts.tobytes(),
    )


def arrival_ns(index, n=10, late_ns=0):
    return UTC_NS + 10_000_000 * (index + n - 1) + TRANSIT_NS + late_ns


def live(index, n=10, *, sensor="hip", late_ns=0, **changes):
    payload = encode(frame(index, n, **changes))
    return ReceivedFrame(sensor, arrival_ns(index, n, late_ns), FrameKind.DATA, payload)


def fetched(index, n=10, *, at_ns, sensor="hip", **changes):
    payload = encode(BulkPage(1, 0, frame(index, n, **changes)))
    return ReceivedFrame(sensor, at_ns, FrameKind.BULK, payload)


def indices(frames, sensor="hip"):
    return [
        decode_frame(each.payload).first_sample_index
        for each in frames
        if each.kind is FrameKind.DATA and each.sensor_id == sensor
    ]


def test_what_came_in_time_stays_as_it_is():
    frames = [live(index) for index in range(0, 500, 10)]
    frames.insert(
        7, ReceivedFrame("hip", arrival_ns(60) + 1_000_000, FrameKind.TIME, encode(TimeReply(1, 2, 3, 4)))
    )
    assert in_sample_order(frames) == frames


def test_fetched_samples_stand_where_they_belong_under_the_time_at_which_they_would_have_come():
    frames = [live(index) for index in (*range(0, 200, 10), *range(1000, 1500, 10))]
    frames += [fetched(index, at_ns=arrival_ns(1500)) for index in range(200, 1000, 10)]
    ordered = in_sample_order(frames)
    assert indices(ordered) == list(range(0, 1500, 10))
    wanted = np.array([arrival_ns(index) for index in range(0, 1500, 10)])
    assert np.abs(np.array([each.arrival_ns for each in ordered]) - wanted).max() < 10_000
    assert {each.kind for each in ordered} == {FrameKind.DATA}


def test_samples_out_of_the_sensors_ram_are_no_longer_late():
    frames = [live(index) for index in range(0, 200, 10)]
    frames += [live(index, late_ns=(1200 - index) * 10_000_000) for index in range(200, 1200, 10)]
    frames += [live(index) for index in range(1200, 1500, 10)]
    other = [live(index, sensor="thigh", stream_id=9) for index in range(0, 1500, 10)]
    both = sorted([*frames, *other], key=lambda each: each.arrival_ns)
    ordered = in_sample_order(both)
    assert indices(ordered) == indices(ordered, "thigh") == list(range(0, 1500, 10))
    places = {sensor: [] for sensor in ("hip", "thigh")}
    for place, each in enumerate(ordered):
        places[each.sensor_id].append(place)
    assert max(abs(a - b) for a, b in zip(places["hip"], places["thigh"], strict=True)) <= 12  # half a second


def test_a_drifting_clock_is_followed():
    frames = [live(index, drift=50e-6) for index in (*range(0, 30_000, 10), *range(33_000, 60_000, 10))]
    frames += [fetched(index, at_ns=arrival_ns(60_000), drift=50e-6) for index in range(30_000, 33_000, 10)]
    ordered = in_sample_order(frames)
    late = [
        each.arrival_ns - arrival_ns(index) for each, index in zip(ordered, indices(ordered), strict=True)
    ]
    assert max(abs(ns) for ns in late) < 10_000_000


def test_of_frames_due_together_the_earlier_samples_go_first():
    frames = [live(0), live(10, late_ns=450_000_000), live(38), live(48), live(58)]
    frames += [fetched(20, 18, at_ns=arrival_ns(60))]
    assert indices(in_sample_order(frames)) == [0, 10, 20, 38, 48, 58]


def test_payloads_that_cannot_be_read_stay_where_they_came():
    broken = ReceivedFrame("hip", arrival_ns(20) + 1_000_000, FrameKind.BULK, b"\x19\x00")
    frames = [live(0), live(10), live(20), broken, live(30)]
    assert in_sample_order(frames) == frames


def test_other_sensors_frames_stay_where_they_came():
    named = ReceivedFrame("dot", UTC_NS, FrameKind.DRIVER, b"{}")
    late = [live(index, sensor="dot", late_ns=9_000_000_000 * (index == 20)) for index in (0, 10, 20, 30)]
    ordered = in_sample_order([named, *late])
    assert ordered == sorted([named, *late], key=lambda each: each.arrival_ns)


@given(
    lost=st.sets(st.integers(0, 119), max_size=119),
    jitter=st.lists(st.integers(0, 400_000_000), min_size=120, max_size=120),
    doubled=st.sets(st.integers(0, 119), max_size=10),
)
@settings(derandomize=True, max_examples=60, deadline=None, database=None)
def test_every_sample_comes_once_and_in_order(lost, jitter, doubled):
    came = [place for place in range(120) if place not in lost] or [0]
    times = np.maximum.accumulate([arrival_ns(10 * place, late_ns=jitter[place]) for place in came])
    frames = [
        ReceivedFrame("hip", int(at), FrameKind.DATA, encode(frame(10 * place)))
        for place, at in zip(came, times, strict=True)
    ]
    end_ns = arrival_ns(3000)
    frames += [
        fetched(10 * place, at_ns=end_ns) for place in sorted(set(range(120)) - set(came)) + sorted(doubled)
    ]
    found = indices(in_sample_order(frames))
    assert sorted(set(found)) == list(range(0, 1200, 10))
    assert found == sorted(found)
