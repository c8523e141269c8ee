from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from firmware_protocol.ranges import SamplingRate
from sensor_bridge.ble.samples import ArrivedRun, SampleRun
from sensor_bridge.gathering import Gathering, GatheringParameters

# What each sensor's clock shows at the world's second 0, µs.
OFFSETS_US = {"pelvis": 5_000_000, "left": 900_000_000, "right": 77_000}
NAMES = tuple(OFFSETS_US)


def frame(
    sensor: str,
    made_s: float,
    arrival_s: float,
    *,
    n: int = 10,
    rate: SamplingRate = SamplingRate.HZ100,
    stream: int = 1,
    clock_us: int | None = None,
) -> ArrivedRun:
    """Make the frame whose last sample was made at `made_s` of the world and that came at `arrival_s`."""
    offset_us = OFFSETS_US[sensor] if clock_us is None else clock_us
    first_us = offset_us + round(made_s * 1e6 - (n - 1) * 1e6 / rate.hz)
    run = SampleRun(
        stream_id=stream,
        first_sample_index=0,
        device_time_us=first_us,
        sampling_rate_hz=rate.hz,
        values=np.zeros((n, 6)),
        acc_unit_m_s2=1.0,
        gyr_unit_rad_s=1.0,
    )
    return ArrivedRun(sensor, round(arrival_s * 1e9), run)


def live(sensor: str, start_s: float, end_s: float, latency_s: float = 0.02) -> list[ArrivedRun]:
    """Ten frames a second, each as soon as it is full."""
    n = round((end_s - start_s) * 10)
    made = [start_s + k / 10 for k in range(n)]
    return [frame(sensor, made_s, made_s + latency_s) for made_s in made]


def backlog(sensor: str, start_s: float, end_s: float, arrival_s: float, takes_s: float) -> list[ArrivedRun]:
    """Frames of the past, all sent within `takes_s`."""
    n = round((end_s - start_s) * 10)
    return [frame(sensor, start_s + k / 10, arrival_s + takes_s * k / n) for k in range(n)]


def in_order_of_arrival(*streams: list[ArrivedRun]) -> list[ArrivedRun]:
    return sorted((f for stream in streams for f in stream), key=lambda f: f.arrival_ns)


def push_all(gathering: Gathering, frames: list[ArrivedRun]) -> list[list[ArrivedRun]]:
    return [gathering.push(f) for f in frames]


def made_s(f: ArrivedRun) -> float:
    return (f.newest_us - OFFSETS_US[f.sensor_id]) / 1e6


def test_a_frame_knows_when_its_last_sample_was_made_and_how_long_it_took() -> None:
    one = frame("pelvis", 3.0, 3.05, n=5, rate=SamplingRate.HZ50)
    assert one.run.device_time_us == 7_920_000
    assert one.newest_us == 8_000_000
    assert one.length_us == 100_000
    assert one.transit_us == -4_950_000


def test_a_lone_sensor_is_let_through_once_it_has_been_live_for_a_moment() -> None:
    frames = live("pelvis", 0.0, 0.8)
    gathering = Gathering(["pelvis"])
    released = push_all(gathering, frames)
    assert [len(r) for r in released] == [0, 0, 0, 0, 5, 1, 1, 1]
    assert [f for r in released for f in r] == frames
    assert not gathering.is_waiting


def test_sensors_that_connect_one_after_the_other_are_let_through_together() -> None:
    frames = in_order_of_arrival(live("pelvis", 0, 6), live("left", 2, 6), live("right", 4, 6, 0.05))
    gathering = Gathering(NAMES)
    released = push_all(gathering, frames)
    first = next(r for r in released if r)
    # 45 frames of the pelvis, 25 of the left, 5 of the right thigh: it is live 0.4 s after it came.
    assert [sum(f.sensor_id == name for f in first) for name in NAMES] == [45, 25, 5]
    assert first[-1].arrival_ns == 4_450_000_000
    # Before any frame of the pelvis made at 4.5 s all that was made until 4.3 s has been let through.
    assert [round(made_s(f), 1) for f in first] == sorted(round(made_s(f), 1) for f in first)
    assert {f.sensor_id for f in first[:20]} == {"pelvis"}
    assert {f.sensor_id for f in first[20:24]} == {"pelvis", "left"}
    assert {f.sensor_id for f in first[-6:]} == {"pelvis", "left", "right"}
    everything = [id(f) for r in released for f in r]
    assert sorted(everything) == sorted(id(f) for f in frames)


def test_after_a_silence_all_may_send_what_they_remember_before_any_is_let_through() -> None:
    names = ("pelvis", "left")
    before = in_order_of_arrival(live("pelvis", 0, 5), live("left", 0, 5))
    after = in_order_of_arrival(
        backlog("pelvis", 5, 30, 30.0, 1.0),
        live("pelvis", 31, 36),
        backlog("left", 5, 32, 32.0, 1.5),
        live("left", 33.5, 36),
    )
    gathering = Gathering(names)
    push_all(gathering, before)
    assert not gathering.is_waiting
    released = push_all(gathering, after)
    position, first = next((k, r) for k, r in enumerate(released) if r)
    # The left thigh has caught up at 33.5 s; 0.4 s later it is live.
    assert 33.9 <= after[position].arrival_ns / 1e9 <= 34.0
    times = [made_s(f) for f in first]
    # Its clock is told from its quickest frame, so that the two are in step to some hundredths of a second.
    assert all(later - earlier > -0.05 for earlier, later in pairwise(times))
    assert times[0] == pytest.approx(5.0)
    assert all(len(r) == 1 for r in released[position + 1 :])


def test_a_single_sensor_that_is_lost_and_returns_holds_up_nobody() -> None:
    frames = in_order_of_arrival(
        live("pelvis", 0, 20), live("left", 0, 5), backlog("left", 5, 15, 15, 0.5), live("left", 15.5, 20)
    )
    gathering = Gathering(("pelvis", "left"))
    released = push_all(gathering, frames)
    begun = next(k for k, r in enumerate(released) if r)
    assert all(r == [f] for r, f in zip(released[begun + 1 :], frames[begun + 1 :], strict=True))


def test_patience_ends_for_a_sensor_that_does_not_come() -> None:
    frames = live("pelvis", 0, 12)
    gathering = Gathering(NAMES)
    released = push_all(gathering, frames)
    # More than 10 s after the first: frame 101 comes at 10.12 s.
    assert [len(r) for r in released[:103]] == [0] * 101 + [102, 1]
    late = frame("left", 12.0, 12.02)
    assert gathering.push(late) == [late]


def test_how_patient_it_is_can_be_set() -> None:
    gathering = Gathering(NAMES, GatheringParameters(patience_s=1.0))
    released = push_all(gathering, live("pelvis", 0, 2))
    assert [len(r) for r in released[:13]] == [0] * 11 + [12, 1]


def test_frames_that_come_in_bunches_are_live() -> None:
    # 200 single samples a second over a link that speaks every 50 ms: ten frames at once, then nothing.
    streams = [
        [
            frame(name, k * 0.005, (k // 10 + 1) * 0.05 + shift, n=1, rate=SamplingRate.HZ200)
            for k in range(300)
        ]
        for name, shift in zip(NAMES, (0.0, 0.02, 0.04), strict=True)
    ]
    frames = in_order_of_arrival(*streams)
    released = push_all(Gathering(NAMES), frames)
    first = next(k for k, r in enumerate(released) if r)
    assert frames[first].arrival_ns / 1e9 == pytest.approx(0.49)


def test_frames_longer_than_the_silence_are_no_silence() -> None:
    # 19 samples at 10 Hz: a frame every 1.9 s.
    frames = in_order_of_arrival(
        *[
            [frame(name, 1.9 * k, 1.9 * k + 0.03, n=19, rate=SamplingRate.HZ10) for k in range(1, 8)]
            for name in ("pelvis", "left")
        ]
    )
    released = push_all(Gathering(("pelvis", "left")), frames)
    assert [len(r) for r in released] == [0, 0, 0, 4] + [1] * 10


def test_a_sensor_that_restarts_while_it_is_waited_for_keeps_its_order() -> None:
    first_life = live("pelvis", 0, 1)
    second_life = [frame("pelvis", t, t + 0.02, stream=2, clock_us=-1_400_000) for t in (1.5, 1.6, 1.7, 1.8)]
    gathering = Gathering(("pelvis", "left"))
    assert push_all(gathering, [*first_life, *second_life]) == [[]] * 14
    assert gathering.flush() == [*first_life, *second_life]


def test_a_new_silence_while_waiting_lets_go_of_what_was_held() -> None:
    gathering = Gathering(("pelvis", "left"))
    held = live("pelvis", 0, 0.5)
    assert push_all(gathering, held) == [[]] * 5
    later = frame("pelvis", 5.0, 5.02)
    assert gathering.push(later) == held
    assert gathering.is_waiting
    assert gathering.flush() == [later]


def test_reading_a_log_again_decides_the_same() -> None:
    frames = in_order_of_arrival(
        live("pelvis", 0, 4),
        live("left", 1, 4),
        live("right", 2.5, 4),
        backlog("pelvis", 4, 9, 9, 0.3),
        live("pelvis", 9.3, 12),
        backlog("left", 4, 10, 10, 0.3),
        live("left", 10.3, 12),
        live("right", 10.5, 12),
    )
    again = [replace(f, run=replace(f.run)) for f in frames]
    first, second = (
        [
            [(f.sensor_id, f.arrival_ns, f.run.device_time_us) for f in let_through]
            for let_through in push_all(Gathering(NAMES), pushed)
        ]
        for pushed in (frames, again)
    )
    assert first == second


def test_flushing_when_nothing_is_held_gives_nothing() -> None:
    gathering = Gathering(["pelvis"])
    assert gathering.is_waiting
    assert gathering.flush() == []
    assert gathering.flush() == []
    assert not gathering.is_waiting


def test_a_foreign_sensor_is_an_error_of_the_caller() -> None:
    with pytest.raises(KeyError, match="right"):
        Gathering(["pelvis"]).push(frame("right", 1.0, 1.0))
