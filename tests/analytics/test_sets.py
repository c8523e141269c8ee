from __future__ import annotations

from dataclasses import replace

import pytest

from analytics.exercises import Exercise, Side
from analytics.form import repetition_faults
from analytics.prescription import Prescription
from analytics.repetition_figures import LAST_OF_SET, RepetitionStatus
from analytics.sets import SetBuilder


def test_a_set_is_summed_up(make_repetition) -> None:
    builder = SetBuilder(Prescription(Exercise.ROMANIAN_DEADLIFT))
    for number, eccentric_s in enumerate((5.0, 4.0, 6.0), start=1):
        builder.add(make_repetition(number, eccentric_s=eccentric_s, tut_s=eccentric_s + 3.0))
    finished = builder.end()
    assert finished is not None
    summary = finished.summary
    assert (summary.set_number, summary.repetitions, summary.is_final) == (1, 3, True)
    assert (summary.exercise, summary.exercise_confidence) == (Exercise.ROMANIAN_DEADLIFT, 0.9)
    assert summary.side is Side.BOTH
    assert summary.tut_s == pytest.approx(24.0)
    assert summary.eccentric_tut_s == pytest.approx(15.0)
    assert summary.mean_eccentric_s == pytest.approx(5.0)
    assert (summary.start_ns, summary.end_ns) == (10_000_000_000, 38_000_000_000)
    assert summary.faults == ()


def test_the_second_repetition_confirms_the_first_and_completes_its_pause(make_repetition) -> None:
    builder = SetBuilder()
    assert builder.add(make_repetition(1)) == ()
    (first,) = builder.add(make_repetition(2))
    assert first.repetition_number == 1
    assert first.status is RepetitionStatus.CONFIRMED
    # Up at 18 s, down again from 20 s.
    assert first.top_pause_s == pytest.approx(2.0)
    assert builder.repetitions[0] == first


def test_the_last_repetition_has_no_pause_after_it(make_repetition) -> None:
    builder = SetBuilder()
    builder.add(make_repetition(1))
    builder.add(make_repetition(2))
    finished = builder.end()
    assert finished is not None
    (last,) = finished.revised
    assert (last.repetition_number, last.top_pause_s) == (2, None)
    assert last.reasons["top_pause_s"] == LAST_OF_SET
    assert last.status is RepetitionStatus.CONFIRMED


def test_a_lone_repetition_is_counted_and_marked(make_repetition) -> None:
    builder = SetBuilder()
    builder.add(make_repetition(1))
    finished = builder.end()
    assert finished is not None
    assert finished.summary.repetitions == 1
    assert finished.revised[0].status is RepetitionStatus.UNCONFIRMED


def test_an_empty_set_keeps_its_number(make_repetition) -> None:
    builder = SetBuilder()
    assert builder.end() is None
    assert builder.summary() is None
    assert builder.set_number == 1
    builder.add(make_repetition(1))
    builder.end()
    assert (builder.set_number, builder.next_repetition_number) == (2, 1)


def test_a_withdrawn_repetition_leaves_its_number_to_the_next(make_repetition) -> None:
    builder = SetBuilder()
    builder.add(make_repetition(1))
    assert builder.withdraw(1).status is RepetitionStatus.WITHDRAWN
    assert builder.next_repetition_number == 1
    with pytest.raises(ValueError, match="is not the last of set 1"):
        builder.withdraw(1)


def test_numbers_must_follow(make_repetition) -> None:
    builder = SetBuilder()
    with pytest.raises(ValueError, match="repetition 1/2 where 1/1 comes next"):
        builder.add(make_repetition(2))


def test_a_better_measured_repetition_takes_its_place(make_repetition) -> None:
    builder = SetBuilder()
    builder.add(make_repetition(1))
    builder.replace(make_repetition(1, eccentric_s=4.0))
    running = builder.summary()
    assert running is not None
    assert running.mean_eccentric_s == pytest.approx(4.0)
    assert not running.is_final
    with pytest.raises(ValueError, match="set 1 has no repetition 1/2"):
        builder.replace(make_repetition(2))


def test_eight_seconds_without_a_repetition_end_a_set(make_repetition) -> None:
    builder = SetBuilder()
    assert not builder.is_over(10**12, is_resting=True)
    builder.add(make_repetition(1))
    # Closed at 18 s.
    assert not builder.is_over(25_900_000_000, is_resting=True)
    assert not builder.is_over(26_000_000_000, is_resting=False)
    assert builder.is_over(26_000_000_000, is_resting=True)


def test_what_could_not_be_timed_is_left_out_and_said(make_repetition) -> None:
    builder = SetBuilder()
    builder.add(make_repetition(1))
    builder.add(make_repetition(2, eccentric_s=None, tut_s=None))
    summary = builder.summary()
    assert summary is not None
    assert (summary.repetitions, summary.tut_s, summary.eccentric_tut_s) == (2, 8.0, 5.0)
    assert summary.warnings[-1] == "1 of 2 repetitions could not be timed: the sums leave them out"


def test_nothing_timed_means_no_sum(make_repetition) -> None:
    builder = SetBuilder()
    builder.add(make_repetition(1, eccentric_s=None, tut_s=None))
    summary = builder.summary()
    assert summary is not None
    assert (summary.tut_s, summary.eccentric_tut_s, summary.mean_eccentric_s) == (None, None, None)


def test_faults_of_the_repetitions_and_of_the_set_are_gathered(make_repetition) -> None:
    builder = SetBuilder()
    for number, eccentric_s in enumerate((5.0, 5.0, 2.0), start=1):
        repetition = make_repetition(number, eccentric_s=eccentric_s, hinge_share=0.3 if number == 2 else 0.8)
        builder.add(replace(repetition, faults=repetition_faults(repetition)))
    running = builder.summary()
    assert running is not None
    assert [fault.code.value for fault in running.faults] == ["knee_dominant"]
    finished = builder.end()
    assert finished is not None
    assert [(fault.code.value, fault.repetition_number) for fault in finished.summary.faults] == [
        ("knee_dominant", 2),
        ("uneven_tempo", 3),
    ]


def test_the_side_is_known_while_the_set_runs(make_repetition) -> None:
    builder = SetBuilder()
    single = make_repetition(1, hip_flexion_left_range_deg=80.0, hip_flexion_right_range_deg=15.0)
    assert builder.side is Side.BOTH
    assert builder.side_with(single) is Side.LEFT
    asked = SetBuilder(Prescription(Exercise.KICKSTAND_DEADLIFT, side=Side.RIGHT))
    assert (asked.side, asked.side_with(single)) == (Side.RIGHT, Side.RIGHT)
