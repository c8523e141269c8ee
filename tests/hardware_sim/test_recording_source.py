"""Recordings as radio sources: smallest range that does not clip, lost samples left out, mistakes named."""

from __future__ import annotations

import numpy as np
import pytest

from firmware_protocol.packets import AccelRange, GyroRange, SamplingRate
from hardware_sim.errors import RecordingSourceError
from hardware_sim.recording_source import SampleSource, from_si, nearest_rate


def arrays(n=300, rate_hz=100.0):
    time_s = np.arange(n) / rate_hz
    acc = np.column_stack([np.sin(time_s), np.zeros(n), np.full(n, 9.80665)])
    gyr = np.column_stack([np.cos(time_s), np.zeros(n), np.zeros(n)])
    return time_s, acc, gyr


def play(time_s, acc, gyr, **more):
    return from_si("s1", "pelvis", "sacrum", time_s, acc, gyr, **more)


def test_values_survive_to_half_a_count():
    time_s, acc, gyr = arrays()
    source = play(time_s, acc, gyr)
    assert (source.accel_range, source.gyro_range) == (AccelRange.G2, GyroRange.DPS125)
    assert source.rate is SamplingRate.HZ100
    assert len(source) == 300
    assert np.max(np.abs(source.acc_m_s2 - acc)) <= 0.5 * 2 * 9.80665 / 32768 + 1e-12
    assert np.max(np.abs(source.gyr_rad_s - gyr)) <= 0.5 * np.radians(125) / 32768 + 1e-12
    assert source.device_time_us[:3].tolist() == [0, 10_000, 20_000]
    assert not source.clipped.any()


@pytest.mark.parametrize(
    ("peak_acc", "peak_gyr", "accel_range", "gyro_range"),
    [
        (19.0, 2.0, AccelRange.G2, GyroRange.DPS125),
        (20.0, 2.3, AccelRange.G4, GyroRange.DPS250),
        (60.0, 8.0, AccelRange.G8, GyroRange.DPS500),
        (100.0, 15.0, AccelRange.G16, GyroRange.DPS1000),
        (150.0, 30.0, AccelRange.G16, GyroRange.DPS2000),
    ],
)
def test_the_smallest_range_that_does_not_clip_is_chosen(peak_acc, peak_gyr, accel_range, gyro_range):
    time_s, acc, gyr = arrays()
    acc[100, 1], gyr[50, 2] = peak_acc, -peak_gyr
    source = play(time_s, acc, gyr)
    assert (source.accel_range, source.gyro_range) == (accel_range, gyro_range)
    assert not source.clipped.any()


def test_beyond_the_largest_range_is_clipped_and_said():
    time_s, acc, gyr = arrays()
    acc[100, 1] = 400.0
    source = play(time_s, acc, gyr)
    assert source.accel_range is AccelRange.G16
    assert np.flatnonzero(source.clipped).tolist() == [100]
    assert source.counts[100, 1] == 32767


def test_rows_without_a_sample_are_left_out_and_leave_a_jump_in_time():
    time_s, acc, gyr = arrays()
    acc[100:110, 0] = np.nan
    source = play(time_s, acc, gyr)
    assert len(source) == 290
    assert np.flatnonzero(np.diff(source.device_time_us) > 15_000).tolist() == [99]


@pytest.mark.parametrize(
    ("rate_hz", "rate"),
    [(99.4, SamplingRate.HZ100), (102.5, SamplingRate.HZ104), (12.4, SamplingRate.HZ12_5)],
)
def test_the_nearest_offered_rate_is_taken(rate_hz, rate):
    assert play(*arrays(rate_hz=rate_hz)).rate is rate
    assert play(*arrays(), rate_hz=rate_hz).rate is rate


def test_arrays_cannot_be_changed_afterwards():
    source = play(*arrays())
    with pytest.raises(ValueError, match="read-only"):
        source.counts[0, 0] = 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda t, a, g: (t, a[:-1], g),
            r"s1: 300 times, accelerations \(299, 3\), rates \(300, 3\); both must be",
        ),
        (
            lambda t, a, g: (t, np.full_like(a, np.nan), g),
            "s1: fewer than two finite samples; leave this sensor out",
        ),
        (lambda t, a, g: (t[::-1], a, g), "s1: time must increase; sort the recording"),
        (
            lambda t, a, g: (np.where(t == 1.0, 0.5, t), a, g),
            "s1: device times must increase, from 0 on; sort them",
        ),
        (lambda t, a, g: (t - 1.0, a, g), "s1: device times must increase, from 0 on"),
        (
            lambda t, a, g: (t * 3.0, a, g),
            "no sensor samples at 33.3333 Hz; resample it to one of 10, 12.5, 20",
        ),
    ],
)
def test_each_mistake_is_named(change, message):
    with pytest.raises(RecordingSourceError, match=message):
        play(*change(*arrays()))


def test_a_rate_that_is_none_is_named():
    with pytest.raises(RecordingSourceError, match="no sensor samples at 0 Hz"):
        nearest_rate(0.0)


@pytest.mark.parametrize("true_time_s", [np.array([0.0]), np.array([0.0, 0.0])], ids=["too few", "standing"])
def test_true_times_must_increase(true_time_s):
    with pytest.raises(RecordingSourceError, match="s1: 2 true times must increase; sort them"):
        SampleSource(
            "s1", "pelvis", "sacrum", SamplingRate.HZ100, AccelRange.G4, GyroRange.DPS500,
            np.array([0, 10_000]), np.zeros((2, 6), dtype=np.int16), true_time_s,
        )  # fmt: skip


def test_counts_must_fit_the_times():
    with pytest.raises(RecordingSourceError, match=r"s1: counts must have shape \(2, 6\), not \(3, 6\)"):
        SampleSource(
            "s1",
            "pelvis",
            "sacrum",
            SamplingRate.HZ100,
            AccelRange.G4,
            GyroRange.DPS500,
            np.array([0, 10_000]),
            np.zeros((3, 6), dtype=np.int16),
        )
    with pytest.raises(RecordingSourceError, match="s1: no sample to play; leave this sensor out"):
        SampleSource(
            "s1",
            "pelvis",
            "sacrum",
            SamplingRate.HZ100,
            AccelRange.G4,
            GyroRange.DPS500,
            np.zeros(0, dtype=np.int64),
            np.zeros((0, 6), dtype=np.int16),
        )
