from __future__ import annotations

import numpy as np
import pytest

from hardware_sim.flash_ring import PAGE_SAMPLES, FlashRing, KeptRange
from hardware_sim.peripheral_stream import MadeStream, PlayedSource, SampleStream
from tests.hardware_sim.test_peripheral_stream import source


def ring(pages=4, n=5000, **changes):
    return FlashRing(PlayedSource(source(n, **changes)), pages * PAGE_SAMPLES)


def cut(flash, stream_id, first, end, largest=18):
    frames = []
    while (frame := flash.frame_from(stream_id, first, end, largest)) is not None:
        frames.append(frame)
        first = frame.first_sample_index + frame.n_samples
    return frames


def samples_of(frames):
    return np.frombuffer(b"".join(each.samples for each in frames), dtype="<i2").reshape(-1, 6)


def test_everything_stored_comes_back_as_it_was_made():
    flash = ring()
    flash.store(41, 100, 0, 700)
    assert flash.kept(41) == KeptRange(0, 600)
    frames = cut(flash, 41, 0, 600)
    assert np.array_equal(samples_of(frames), source(5000).counts[100:700])
    assert [each.first_sample_index for each in frames[:3]] == [0, 18, 36]
    assert frames[1].device_time_us == 5_000_000 + 118 * 10_000
    assert not any(each.gap_before for each in frames)
    assert flash.stored_samples == 600


def test_full_ring_loses_its_oldest_page_as_a_whole():
    flash = ring(pages=4)
    for end in range(1, 4 * PAGE_SAMPLES + 2):
        flash.store(41, 0, 0, end)
    assert flash.kept(41) == KeptRange(PAGE_SAMPLES, 4 * PAGE_SAMPLES + 1)
    first, second = cut(flash, 41, 0, PAGE_SAMPLES + 30)
    assert (first.first_sample_index, first.gap_before) == (PAGE_SAMPLES, True)
    assert (second.first_sample_index, second.gap_before) == (PAGE_SAMPLES + 18, False)
    assert flash.stored_samples <= flash.capacity_samples


def test_earlier_streams_stay_until_they_are_overwritten():
    flash = ring(pages=3)
    flash.store(41, 0, 0, 100)
    flash.store(42, 150, 7, 250)
    assert flash.stream_ids == [41, 42]
    assert (flash.stream_after(41), flash.stream_after(42), flash.stream_after(9)) == (42, 0, 0)
    assert flash.frame_from(42, 0, 100, 18).device_time_us == 5_000_000 + 150 * 10_000 - 7
    flash.store(43, 300, 0, 300 + PAGE_SAMPLES + 1)
    assert flash.stream_ids == [42, 43]
    assert flash.kept(41) == KeptRange(0, 0)
    assert flash.frame_from(41, 0, 100, 18) is None


def test_reboot_loses_only_the_page_that_was_not_written():
    flash = ring()
    flash.store(41, 0, 0, PAGE_SAMPLES + 200)
    flash.forget_unwritten()
    assert flash.kept(41) == KeptRange(0, PAGE_SAMPLES)
    flash.store(42, 1000, 0, 1100)
    flash.forget_unwritten()
    assert flash.stream_ids == [41]


def test_a_hole_in_the_recording_ends_a_page_and_is_said_after_it():
    flash = ring(hole_after=25, hole_samples=7)
    flash.store(41, 0, 0, 60)
    frames = cut(flash, 41, 0, 67)
    assert [(each.first_sample_index, each.n_samples, each.gap_before) for each in frames] == [
        (0, 18, False),
        (18, 7, False),
        (32, 18, True),
        (50, 17, False),
    ]


def test_erased_ring_is_empty():
    flash = ring()
    flash.store(41, 0, 0, 100)
    flash.erase()
    assert (flash.stored_samples, flash.stream_ids, flash.kept(41)) == (0, [], KeptRange(0, 0))


def test_a_stream_is_stored_over_stop_and_start_and_reboot():
    played = PlayedSource(source(4000))
    flash = FlashRing(played, 10 * PAGE_SAMPLES)
    sampling = SampleStream(played, ring_capacity=300, queue_frames=8, first_stream_id=41, flash=flash)
    sampling.start(99.0)
    played.begin(100.0005)
    sampling.stop(103.0)
    sampling.start(104.0)
    sampling.reboot(110.0)
    assert flash.kept(41) == KeptRange(0, 300)
    assert flash.kept(42) == KeptRange(0, PAGE_SAMPLES)
    sampling.start(111.0)
    sampling.store(112.0)
    assert flash.kept(43) == KeptRange(0, 100)
    assert flash.frame_from(43, 0, 100, 18).device_time_us == pytest.approx(1_000_000, abs=10_000)


@pytest.mark.parametrize(("is_foreseen", "kept"), [(False, PAGE_SAMPLES), (True, 400)])
def test_what_a_reboot_leaves_of_a_stream(is_foreseen, kept):
    played = PlayedSource(source(4000))
    flash = FlashRing(played, 10 * PAGE_SAMPLES)
    sampling = SampleStream(played, ring_capacity=300, queue_frames=8, first_stream_id=41, flash=flash)
    sampling.start(99.0)
    played.begin(100.0005)
    sampling.stop(102.0)
    sampling.start(103.0)
    sampling.reboot(107.0, is_foreseen=is_foreseen)
    sampling.start(110.0)
    assert flash.kept(42) == KeptRange(0, kept)
    assert sampling.made_streams(111.0) == (
        MadeStream(41, 0, 200, 200),
        MadeStream(42, 300, 400, kept),
        MadeStream(43, 1000, 100, 100),
    )


def test_nothing_is_kept_behind_the_end_of_a_recording():
    flash = ring(n=600)
    flash.store(41, 0, 0, 600)
    assert flash.frame_from(41, 600, 700, 18) is None
    assert flash.frame_from(41, 590, 700, 18).n_samples == 10
