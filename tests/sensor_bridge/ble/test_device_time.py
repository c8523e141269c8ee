from __future__ import annotations

import pytest

from sensor_bridge.ble.device_time import CountedStream, TimedStream, WrappingCounter, next_stream_id


def test_a_counter_goes_on_where_it_wraps():
    counter = WrappingCounter(8)
    assert [counter.unwrapped(raw) for raw in (250, 5, 100, 200, 10)] == [250, 261, 356, 456, 522]


def test_a_counter_that_steps_back_begins_anew():
    counter = WrappingCounter(16)
    assert [counter.unwrapped(raw) for raw in (40_000, 39_999, 40_001)] == [40_000, 39_999, 40_001]


@pytest.mark.parametrize("error", [-0.05, 0.0, 0.05])
def test_a_rate_that_is_off_is_no_loss(error):
    stream = TimedStream(1, 50.0)
    step_us = 36 * 20_000 * (1 + error)
    assert [stream.number(round(k * step_us), 36) for k in range(50)] == [36 * k for k in range(50)]


def test_after_a_silence_the_lost_are_counted_at_the_true_rate():
    stream = TimedStream(1, 50.0)
    for k in range(100):
        stream.number(k * 8 * 21_000, 8)  # 5 % slower than it says
    assert stream.number((100 * 8 + 400) * 21_000, 8) == pytest.approx(1200, abs=2)


def test_the_last_sample_of_a_run_is_the_better_measure():
    stream = TimedStream(1, 50.0)
    assert stream.number(0, 5, 84_000) == 0
    assert stream.number(105_000, 5, 189_000) == 5
    assert stream.number(231_000, 5, 315_000) == 11


def test_more_than_a_minute_is_another_clock():
    stream = TimedStream(0xFFFF, 50.0)
    stream.number(0, 1)
    assert stream.number(61_000_000, 1) == 0
    assert stream.stream_id == 1 == next_stream_id(0xFFFF)


def test_numbers_of_few_bits():
    stream = CountedStream(5, 8, 60)
    assert [stream.number(raw) for raw in (254, 255, 0, 3, 3, 100)] == [0, 1, 2, 5, None, 0]
    assert stream.stream_id == 6
