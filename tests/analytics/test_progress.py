from __future__ import annotations

import math

import numpy as np
import pytest

from analytics.progress import (
    DoubtSource,
    SessionValues,
    compare_paired,
    compare_sides,
    course,
)

_DAY_MS = 86_400_000.0


def session(day: int, *values: float, sd: float = 0.0) -> SessionValues:
    return SessionValues(f"day-{day}", day * _DAY_MS, values, (sd,) * len(values))


def test_a_session_is_the_median_of_its_repetitions_with_their_scatter_and_the_measurements_own_doubt() -> (
    None
):
    (told,) = course([session(1, 58.0, 60.0, 62.0, 90.0, sd=3.0)]).sessions
    assert (told.n, told.median) == (4, 61.0)
    scatter = np.std([58.0, 60.0, 62.0, 90.0], ddof=1)
    assert told.sd == pytest.approx(math.hypot(math.sqrt(math.pi / 2) * scatter / 2.0, 3.0))


def test_the_measurements_own_doubt_does_not_average_out_over_repetitions() -> None:
    many = course([session(1, *[60.0] * 400, sd=1.5)]).sessions[0]
    assert many.sd == pytest.approx(1.5)


def test_the_minimal_detectable_change_is_that_of_weir() -> None:
    # Every session scatters alike: sd 2 of 4 repetitions; days differ by nothing.
    values = (58.0, 60.0, 60.0, 62.0)
    told = course([session(day, *values, sd=1.0) for day in range(1, 6)])
    sem = math.hypot(math.sqrt(math.pi / 2) * math.sqrt(8.0 / 3.0) / 2.0, 1.0)
    assert told.detectable is not None
    assert told.detectable.sem == pytest.approx(sem)
    assert told.detectable.minimal_change == pytest.approx(1.96 * math.sqrt(2.0) * sem)
    assert told.detectable.minimal_change == pytest.approx(3.96, abs=0.01)
    assert told.detectable.source is DoubtSource.REPEATS


def test_days_that_differ_more_than_repeats_do_make_the_doubt() -> None:
    tight = [
        session(day, *(base + np.array([-0.1, 0.0, 0.1]))) for day, base in enumerate([60, 66, 58, 65, 59])
    ]
    told = course(tight)
    assert told.detectable is not None
    assert told.detectable.source is DoubtSource.DAYS
    # Steps of 6, 8, 7, 6: 1.4826 · 6.5 / √2, larger by Student's t of 4 steps over the normal 1.96.
    assert told.detectable.sem == pytest.approx(1.4826 * 6.5 / math.sqrt(2.0) * 2.7764 / 1.96, rel=1e-3)
    assert told.change is not None
    assert not told.change.is_change


@pytest.mark.parametrize(("step", "is_change"), [(3.9, False), (4.0, True), (-3.9, False), (-4.0, True)])
def test_a_change_is_called_one_beyond_the_minimal_detectable_change_only(
    step: float, is_change: bool
) -> None:
    values = np.array([58.0, 60.0, 60.0, 62.0])
    shifts = [0.0, 0.0, 0.0, step, step]
    told = course([session(day, *(values + shift), sd=1.0) for day, shift in enumerate(shifts)])
    assert told.change is not None
    assert told.change.difference == pytest.approx(step)
    assert (told.change.since, told.change.until) == ("day-0", "day-4")
    assert told.change.is_change is is_change


def test_too_few_sessions_say_no_minimal_detectable_change() -> None:
    three = [session(day, 60.0, 61.0, 62.0) for day in (1, 2, 3)]
    told = course(three)
    assert (told.detectable, told.change) == (None, None)
    assert told.reason == "a change can be told from 4 sessions of 3 repetitions on: there are 3"
    short = course([*three, session(4, 70.0, 71.0)])
    assert short.detectable is None
    assert [one.n for one in short.sessions] == [3, 3, 3, 2]
    assert course([*three, session(4, 70.0, 71.0, 72.0)]).detectable is not None


def test_sessions_come_in_the_order_of_time() -> None:
    told = course([session(3, 3.0), session(1, 1.0), session(2, 2.0)])
    assert [one.median for one in told.sessions] == [1.0, 2.0, 3.0]


def test_a_lone_repetition_borrows_the_scatter_of_the_others_and_has_none_alone() -> None:
    lone = session(2, 64.0, sd=1.0)
    told = course([session(1, 58.0, 60.0, 62.0, sd=1.0), lone])
    assert told.sessions[1].sd == pytest.approx(math.hypot(2.0, 1.0))
    assert course([lone]).sessions[0].sd is None


def test_no_change_is_rarely_called_one() -> None:
    random = np.random.default_rng(5)
    for day_sd in (0.0, 2.0):
        alarms = 0
        for _ in range(300):
            days = 60.0 + random.normal(0.0, math.hypot(1.0, day_sd), 6)
            told = course(
                [
                    session(day, *(level + random.normal(0.0, 2.0, 8)), sd=1.0)
                    for day, level in enumerate(days)
                ]
            )
            assert told.change is not None
            alarms += told.change.is_change
        assert alarms <= 300 * 0.06


def test_sides_that_worked_one_after_the_other_differ_beyond_their_doubt_only() -> None:
    left, right = session(1, 58.0, 60.0, 62.0, sd=1.0), session(1, 62.5, 64.5, 66.5, sd=1.0)
    told = compare_sides(left, right, is_positive=True)
    of_one = math.hypot(math.sqrt(math.pi / 2) * 2.0 / math.sqrt(3.0), 1.0)
    assert told.difference == -4.5
    assert told.sd == pytest.approx(math.sqrt(2.0) * of_one)
    assert told.detectable == pytest.approx(1.96 * math.sqrt(2.0) * of_one)
    assert told.symmetry_percent == pytest.approx(-100.0 * 4.5 / 62.25)
    far = compare_sides(left, session(1, 74.0, 76.0, 78.0, sd=1.0), is_positive=True)
    assert (told.is_difference, far.is_difference) == (False, True)


def test_sides_that_worked_together_are_compared_repetition_by_repetition() -> None:
    # Depth wanders by 10° and both hips do it alike: only what is between them counts.
    left, right = session(1, 50.0, 60.0, 70.0, sd=0.3), session(1, 47.0, 57.0, 67.0, sd=0.4)
    paired = compare_paired(left, right, is_positive=True)
    assert (paired.difference, paired.sd) == (3.0, pytest.approx(0.5))
    assert paired.is_difference
    assert not compare_sides(left, right, is_positive=True).is_difference


def test_signed_quantities_have_no_symmetry_in_percent() -> None:
    told = compare_sides(session(1, -1.0, 0.0, 2.0), session(1, 1.0, 1.0, 3.0), is_positive=False)
    assert told.symmetry_percent is None


def test_a_lone_repetition_a_side_shows_no_difference() -> None:
    told = compare_sides(session(1, 40.0, sd=1.0), session(1, 80.0, sd=1.0), is_positive=True)
    assert (told.sd, told.detectable, told.is_difference) == (None, None, False)
