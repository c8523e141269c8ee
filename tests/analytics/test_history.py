"""The array that samples are kept in: what goes in comes out, wherever it has been moved to meanwhile."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.aligned_block import HAS_GYROSCOPE, MEASURED, PRESENT, RECEIVED
from analytics.history import AlignedHistory
from analytics.imu import Placement

ALL = PRESENT | RECEIVED | MEASURED | HAS_GYROSCOPE


def append(history: AlignedHistory, first: int, end: int, gap_s: float = 0.0) -> None:
    """Let the pelvis read its own grid points; the thigh is absent."""
    index = np.arange(first, end, dtype=np.float64)
    history.extend(first, end, gap_s)
    samples = (
        np.outer(index, (1.0, 2.0, 3.0, 4.0)),
        np.outer(index, (5.0, 6.0, 7.0)),
        np.outer(index, (8.0, 9.0, 10.0)),
        np.outer(index, (11.0, 12.0, 13.0)),
        14.0 * index,
    )
    history.put(Placement.PELVIS, first, samples, np.full(end - first, ALL))


@pytest.fixture
def history() -> AlignedHistory:
    kept = AlignedHistory((Placement.PELVIS, Placement.THIGH_LEFT))
    kept.begin(1_000_000_000, 100.0)
    return kept


def test_a_window_holds_what_was_put_in(history: AlignedHistory) -> None:
    append(history, 0, 7)
    append(history, 7, 30)
    window = history.window(5, 12)
    assert window is not None
    assert (window.first_index, window.end_index) == (5, 12)
    assert window.time_ns(5) == 1_050_000_000
    pelvis, thigh = window.segments[Placement.PELVIS], window.segments[Placement.THIGH_LEFT]
    np.testing.assert_array_equal(pelvis.earth_from_sensor_wxyz[0], (5.0, 10.0, 15.0, 20.0))
    np.testing.assert_array_equal(pelvis.acc_m_s2[-1], (55.0, 66.0, 77.0))
    np.testing.assert_array_equal(pelvis.gyr_rad_s[0], (40.0, 45.0, 50.0))
    np.testing.assert_array_equal(pelvis.bias_rad_s[0], (55.0, 60.0, 65.0))
    np.testing.assert_array_equal(pelvis.bias_sigma_rad_s, 14.0 * np.arange(5, 12))
    assert pelvis.is_present.all()
    assert pelvis.is_received.all()
    assert pelvis.is_measured.all()
    assert pelvis.has_gyroscope.all()
    assert np.isnan(thigh.acc_m_s2).all()
    assert not thigh.is_present.any()
    assert set(window.segments) == {Placement.PELVIS, Placement.THIGH_LEFT}


def test_a_window_is_a_copy(history: AlignedHistory) -> None:
    append(history, 0, 10)
    window = history.window(0, 10)
    assert window is not None
    window.segments[Placement.PELVIS].acc_m_s2[:] = 0.0
    again = history.window(0, 10)
    assert again is not None
    assert again.segments[Placement.PELVIS].acc_m_s2[9, 0] == 45.0


def test_memory_follows_what_is_kept_not_what_has_passed(history: AlignedHistory) -> None:
    for first in range(0, 50_000, 100):
        append(history, first, first + 100)
        history.forget_before(first + 100 - 2000)
    assert len(history) == 2000
    assert history._values.shape[2] <= 5000
    window = history.window(0, 50_000)
    assert window is not None
    assert (window.first_index, window.end_index) == (48_000, 50_000)
    acc = window.segments[Placement.PELVIS].acc_m_s2[:, 0]
    np.testing.assert_array_equal(acc, 5.0 * np.arange(48_000, 50_000))
    assert np.isnan(window.segments[Placement.THIGH_LEFT].acc_m_s2).all()


def test_a_hole_cuts_off_what_lies_before_it_and_takes_no_room(history: AlignedHistory) -> None:
    append(history, 0, 50)
    append(history, 1_000_050, 1_000_080, gap_s=10_000.0)
    assert len(history) == 80
    assert history._values.shape[2] < 5000
    after = history.window(0, 1_000_080)
    assert after is not None
    assert (after.first_index, after.gap_before_s) == (1_000_050, 10_000.0)
    before = history.window(20, 400)
    assert before is not None
    assert (before.first_index, before.end_index) == (20, 50)
    assert [run.first_index for run in history.runs(1_000_060)] == [0, 1_000_050]
    assert history.window(60, 1_000_050) is None


def test_columns_are_the_newest_samples_without_a_copy(history: AlignedHistory) -> None:
    append(history, 0, 50)
    append(history, 80, 90, gap_s=0.3)
    values, flags = history.columns(82, 85)
    assert values.base is not None
    np.testing.assert_array_equal(values[0, 4], (410.0, 415.0, 420.0))
    np.testing.assert_array_equal(flags[0], (15, 15, 15))
    np.testing.assert_array_equal(flags[1], (0, 0, 0))


def test_what_came_before_the_grid_was_set_is_kept_like_all_else(history: AlignedHistory) -> None:
    append(history, -40, 0)
    append(history, 0, 2000)
    window = history.window(-40, 0)
    assert window is not None
    assert (window.first_index, window.end_index) == (-40, 0)
    np.testing.assert_array_equal(
        window.segments[Placement.PELVIS].acc_m_s2[:, 0], 5.0 * np.arange(-40.0, 0.0)
    )
    assert len(history) == 2040
