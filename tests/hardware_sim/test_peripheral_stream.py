from __future__ import annotations

import numpy as np
import pytest

from firmware_protocol.packets import AccelRange, GyroRange, SamplingRate
from hardware_sim.peripheral_stream import PlayedSource, RingRange, SampleStream
from hardware_sim.recording_source import SampleSource


def source(n=1000, *, first_us=5_000_000, hole_after=None, hole_samples=0):
    times = first_us + 10_000 * np.arange(n, dtype=np.int64)
    if hole_after is not None:
        times[hole_after:] += 10_000 * hole_samples
    counts = np.arange(6 * n).reshape(n, 6) % 30_000
    return SampleSource(
        "pelvis", "pelvis", "sacrum", SamplingRate.HZ100, AccelRange.G4, GyroRange.DPS500, times, counts
    )


def stream(played, **changes):
    return SampleStream(
        played, **({"ring_capacity": 300, "queue_frames": 8, "first_stream_id": 41} | changes)
    )


def running(n=1000, *, stream_changes=None, **changes):
    """Started, then begun at 100.0005 s: sample k exists from 100.0005 + k/100 s on."""
    played = PlayedSource(source(n, **changes))
    sampling = stream(played, **(stream_changes or {}))
    sampling.start(99.0)
    played.begin(100.0005)
    return sampling


def drain(the_stream, now_s):
    frames = []
    while (frame := the_stream.next_frame(now_s)) is not None:
        frames.append(frame)
    return frames


def test_a_frame_exists_when_its_last_sample_exists():
    sampling = running()
    assert sampling.next_frame_at_s() == pytest.approx(100.0905)
    assert sampling.next_frame(100.090) is None
    frame = sampling.next_frame(100.091)
    assert frame is not None
    assert (frame.stream_id, frame.first_sample_index, frame.device_time_us) == (41, 0, 5_000_000)
    assert frame.n_samples == 10
    assert frame.samples[:12] == bytes.fromhex("0000 0100 0200 0300 0400 0500")
    assert (frame.clipped, frame.gap_before) == (False, False)


def test_all_samples_leave_once_and_the_last_frame_is_short():
    sampling = running(25)
    frames = drain(sampling, 100.3)
    assert [(each.first_sample_index, each.n_samples) for each in frames] == [(0, 10), (10, 10), (20, 5)]
    assert b"".join(each.samples for each in frames) == source(25).counts.astype("<i2").tobytes()
    assert sampling.is_sent(100.3)
    assert not sampling.is_sampling(100.3)


def test_nothing_is_made_before_the_beginning():
    played = PlayedSource(source())
    sampling = stream(played)
    sampling.start(5.0)
    assert sampling.next_frame(500.0) is None
    assert sampling.next_frame_at_s() is None
    assert not sampling.is_sampling(500.0)
    assert sampling.device_time_us(500.0) is None
    played.begin(500.0)
    assert sampling.next_frame(500.2).first_sample_index == 0
    assert sampling.device_time_us(501.5) == 6_500_000


def test_a_fast_clock_shows_in_its_readings_and_not_in_when_samples_are_made():
    exact = source(101)
    fast = SampleSource(
        "p", "pelvis", "sacrum", exact.rate, exact.accel_range, exact.gyro_range,
        5_000_000 + 10_001 * np.arange(101), exact.counts, np.arange(101) / 100.0,
    )  # fmt: skip
    played = PlayedSource(fast)
    played.begin(50.0)
    assert played.made(50.9999) == 100
    assert played.made(51.0001) == 101
    assert played.device_time_us(50.0) == 5_000_000
    assert played.device_time_us(50.5) == 5_500_050  # 100 ppm fast
    assert played.device_time_us(51.0) == 6_000_100
    assert played.device_time_us(53.0) == 8_000_100


def test_a_hole_in_the_recording_ends_a_frame_and_advances_the_index():
    sampling = running(40, hole_after=13, hole_samples=7)
    frames = drain(sampling, 100.7)
    assert [(each.first_sample_index, each.n_samples, each.gap_before) for each in frames] == [
        (0, 10, False),
        (10, 3, False),
        (20, 10, True),
        (30, 10, False),
        (40, 7, False),
    ]
    assert frames[2].device_time_us == 5_200_000


def test_resume_sends_again_from_the_ring_then_goes_live():
    sampling = running()
    drain(sampling, 100.5)
    assert sampling.resume(42, 102.001)
    frames = drain(sampling, 102.001)  # 201 samples made
    assert frames[0].first_sample_index == 42
    assert not any(each.gap_before for each in frames)
    assert (frames[-1].first_sample_index, frames[-1].n_samples) == (182, 10)
    assert sampling.next_frame(102.010) is None
    assert sampling.next_frame(102.011).first_sample_index == 192


def test_resume_older_than_the_ring_begins_at_the_oldest_with_a_gap():
    sampling = running()
    assert sampling.resume(0, 106.001)  # 601 samples made, 300 kept
    assert sampling.ring(106.001) == RingRange(301, 600)
    frame = sampling.next_frame(106.001)
    assert (frame.first_sample_index, frame.gap_before) == (301, True)
    assert not sampling.next_frame(106.001).gap_before


def test_resume_in_the_future_is_refused():
    sampling = running()
    assert sampling.resume(101, 101.001)  # 101 samples made: this is the next one
    assert not sampling.resume(102, 101.001)


def test_resume_beyond_the_end_of_the_recording_is_refused():
    sampling = running(25)
    assert sampling.resume(25, 101.0)
    assert sampling.next_index() == 25
    assert not sampling.resume(26, 101.0)


def test_resume_inside_a_hole_goes_on_behind_it():
    sampling = running(40, hole_after=13, hole_samples=7)
    assert sampling.resume(15, 100.7)
    frame = sampling.next_frame(100.7)
    assert (frame.first_sample_index, frame.gap_before) == (20, True)


def test_a_full_queue_skips_the_oldest_frames_and_counts_them():
    sampling = running()
    assert sampling.queue_depth(102.001) == 20
    frame = sampling.next_frame(102.001)  # 201 samples made: 20 frames wait, 8 may
    assert (frame.first_sample_index, frame.gap_before) == (120, True)
    assert sampling.overflow_count == 12


def test_catching_up_does_not_overflow_the_queue():
    sampling = running()
    sampling.resume(0, 102.0)
    assert sampling.next_frame(102.0).first_sample_index == 0
    assert sampling.overflow_count == 0


def test_reboot_gives_a_new_stream_from_index_0_on_a_clock_from_0():
    sampling = running()
    drain(sampling, 100.5)
    sampling.reboot(102.0005)
    assert (sampling.is_running, sampling.stream_id) == (False, 0)
    sampling.start(103.001)
    frame = sampling.next_frame(103.2)
    assert (frame.stream_id, frame.first_sample_index) == (42, 0)
    assert frame.device_time_us == 1_010_000  # the first sample after the start, 1.01 s after the reboot
    assert sampling.device_time_us(104.0005) == 2_000_000


def test_stream_ids_wrap_to_1():
    sampling = running(stream_changes={"first_stream_id": 65535})
    assert sampling.stream_id == 65535
    sampling.start(100.0)
    assert sampling.stream_id == 1


def test_clipped_samples_are_flagged_and_counted():
    loud = source(30)
    counts = loud.counts.copy()
    counts[14, 2] = 32767
    played = PlayedSource(
        SampleSource(
            "p", "pelvis", "sacrum", loud.rate, loud.accel_range, loud.gyro_range, loud.device_time_us, counts
        )
    )
    sampling = stream(played)
    sampling.start(0.0)
    played.begin(0.0)
    assert [each.clipped for each in drain(sampling, 1.0)] == [False, True, False]
    assert sampling.clipped_count(1.0) == 1


def test_a_small_link_gets_small_frames():
    sampling = running()
    assert sampling.next_frame(100.5, 3).n_samples == 3


@pytest.mark.parametrize("began_s", [0.1, 1.33, 7200.7])
def test_at_the_moment_a_sample_is_made_it_exists(began_s):
    played = PlayedSource(source(n=5000))
    played.begin(began_s)
    moments = [played.made_at_s(position) for position in range(5000)]
    assert [played.made(moment) for moment in moments] == list(range(1, 5001))


def test_the_short_last_frame_of_a_recording_waits_like_any_other():
    sampling = running(25)
    assert sampling.queue_depth(100.22) == 2  # 22 samples made, 2 of them of a frame that is not complete
    assert sampling.queue_depth(101.0) == 3
