from __future__ import annotations

import numpy as np
import pytest

from sensor_bridge.ble.arrival_time import ArrivalTiming
from sensor_bridge.ble.driver import StreamDescription
from sensor_bridge.ble.samples import SampleScale

RATE_HZ = 100.0
N = 4000


def arrivals(true_s, jitter_s):
    """Samples of one connection interval come together, some held back by the radio; order is kept."""
    random = np.random.default_rng(5)
    late_s = (random.random(len(true_s)) < 0.05) * random.uniform(0, jitter_s, len(true_s))
    return np.maximum.accumulate(np.ceil(true_s / 0.03) * 0.03 + late_s)


def timed(arrival_s):
    """Index and time, s, of each sample that comes out."""
    timing = ArrivalTiming(StreamDescription("x", 1, RATE_HZ), SampleScale(1.0, 1.0))
    runs = [run for at in arrival_s for run in timing.push(np.zeros((1, 6)), round(at * 1e9))]
    runs += timing.flush()
    return np.array([run.first_sample_index for run in runs]), np.array(
        [run.device_time_us for run in runs]
    ) / 1e6


@pytest.mark.parametrize(("rate_error", "jitter_s"), [(0.0, 0.0), (0.0, 0.1), (0.03, 0.03), (-0.05, 0.03)])
def test_times_follow_the_true_rate(rate_error, jitter_s):
    true_s = np.arange(N) / RATE_HZ * (1 + rate_error)
    index, time_s = timed(arrivals(true_s, jitter_s))
    assert np.array_equal(index, np.arange(N))
    settled = slice(1000, None)
    error_s = (time_s - true_s)[settled]
    assert np.ptp(np.percentile(error_s, [2.5, 97.5])) < 0.005
    assert abs(np.median(error_s)) < 0.03
    steps = np.diff(time_s)
    assert steps.min() > 0.5 / RATE_HZ
    assert steps.max() < 1.5 / RATE_HZ  # a longer one would be a hole that is none


def test_what_was_lost_unseen_stays_a_hole():
    true_s = np.arange(N) / RATE_HZ
    received = np.delete(true_s, np.s_[2000:2100])
    index, time_s = timed(arrivals(received, 0.03))
    assert np.array_equal(index, np.arange(N - 100))  # nobody can tell how many are missing
    steps = np.diff(time_s)
    assert steps[1999] == pytest.approx(1.01, abs=0.05)
    assert np.delete(steps, 1999).max() < 1.5 / RATE_HZ


def test_samples_held_back_by_the_radio_are_no_hole():
    true_s = np.arange(N) / RATE_HZ
    arrival_s = arrivals(true_s, 0.03)
    arrival_s[2000:2060] = arrival_s[2060]  # 0.6 s late at the most, then all at once
    index, time_s = timed(arrival_s)
    assert np.array_equal(index, np.arange(N))
    assert np.diff(time_s).max() < 1.5 / RATE_HZ


def test_known_losses_move_the_time_on():
    timing = ArrivalTiming(StreamDescription("x", 1, RATE_HZ), SampleScale(1.0, 1.0))
    (first,) = timing.push(np.zeros((1, 6)), 0)
    (second,) = timing.push(np.zeros((1, 6)), 50_000_000, 4)
    assert (first.first_sample_index, first.device_time_us) == (0, 0)
    assert (second.first_sample_index, second.device_time_us) == (5, 50_000)


def test_what_waits_is_bounded():
    timing = ArrivalTiming(StreamDescription("x", 1, RATE_HZ), SampleScale(1.0, 1.0))
    timing.push(np.zeros((1, 6)), 0)
    n_out = sum(
        run.n_samples for _ in range(200) for run in timing.push(np.zeros((100, 6)), 3_600_000_000_000)
    )
    assert n_out >= 20_000 - 4_200
