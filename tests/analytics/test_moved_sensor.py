"""The moved sensor stands out, or it is said that none does."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.moved_sensor import Liveliness, Verdict, judge

RATE_HZ = 100.0
GRAVITY = np.array([0.0, 9.81, 0.0])


def samples(shake: float, *, seed: int = 1, seconds: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    """Shaken at 2 Hz with this amplitude, rad/s and 2 m/s² for each rad/s, over noise and a bias."""
    generator = np.random.default_rng(seed)
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    wave = shake * np.sin(2 * np.pi * 2 * time_s)[:, None]
    noise = generator.standard_normal((len(time_s), 6))
    return (
        GRAVITY + 2 * wave * [1, 0, 0] + 0.05 * noise[:, :3],
        [0.1, -0.2, 0.3] + wave * [0, 0, 1] + 0.005 * noise[:, 3:],
    )


def lively(shake: float, seed: int = 1) -> float:
    liveliness = Liveliness(RATE_HZ)
    liveliness.push(*samples(shake, seed=seed))
    value = liveliness.value
    assert value is not None
    return value


def test_bias_and_gravity_are_no_movement() -> None:
    assert lively(0.0) < 0.3
    assert lively(3.0) > 3.0


def test_nothing_is_said_before_a_whole_window_and_old_movement_is_forgotten() -> None:
    liveliness = Liveliness(RATE_HZ)
    acc, gyr = samples(3.0)
    liveliness.push(acc[:99], gyr[:99])
    assert liveliness.value is None
    liveliness.push(acc[99:], gyr[99:])
    assert liveliness.value is not None
    assert liveliness.value > 3.0
    liveliness.push(*samples(0.0))
    assert liveliness.value < 0.3


def test_how_samples_are_cut_does_not_matter() -> None:
    acc, gyr = samples(3.0)
    one, many = Liveliness(RATE_HZ), Liveliness(RATE_HZ)
    one.push(acc, gyr)
    for k in range(0, len(acc), 7):
        many.push(acc[k : k + 7], gyr[k : k + 7])
    assert one.value == many.value


def test_the_one_that_is_shaken_is_told() -> None:
    values = {"a": lively(0.05, 1), "b": lively(3.0, 2), "c": lively(0.1, 3)}
    assert judge(values) == Verdict(moved="b")


def test_two_that_are_shaken_are_told_as_two() -> None:
    values = {"a": lively(2.5, 1), "b": lively(3.0, 2), "c": lively(0.0, 3)}
    assert judge(values) == Verdict(together=("b", "a"))


def test_a_table_that_is_knocked_is_no_answer() -> None:
    assert judge({"a": 1.5, "b": 1.2}) == Verdict()


def test_rest_is_told() -> None:
    assert judge({"a": lively(0.0, 1), "b": lively(0.0, 2)}) == Verdict(at_rest=True)


def test_a_sensor_alone_is_told_when_it_is_moved_on_purpose() -> None:
    assert judge({"a": lively(3.0)}) == Verdict(moved="a")


def test_without_sensors_there_is_no_verdict() -> None:
    with pytest.raises(ValueError, match="no sensor"):
        judge({})
