from __future__ import annotations

import pytest

from analytics.adherence import Keeping, LiveCount, live_count, repetition_adherence, set_adherence
from analytics.exercises import Exercise, Side
from analytics.prescription import Prescription, parse_tempo

SLOW = Prescription(
    Exercise.ROMANIAN_DEADLIFT, repetitions=3, sets=2, side=Side.BOTH, tempo=parse_tempo("5-1-X-0")
)
SECOND_NS = 1_000_000_000


def test_the_count_runs_along_with_the_lowering() -> None:
    # 2.45 s into a count of five, 55 % deep: an even lowering is there after 2.75 s.
    count = live_count(SLOW, 10 * SECOND_NS, round(12.45 * SECOND_NS), 0.55)
    assert count is not None
    assert (count.count, count.of, count.depth_fraction) == (3, 5, 0.55)
    assert count.early_s == pytest.approx(0.3)


def test_a_lowering_that_lasts_longer_is_counted_on() -> None:
    count = live_count(SLOW, 0, round(5.6 * SECOND_NS), 1.2)
    assert count is not None
    assert (count.count, count.of, count.depth_fraction) == (6, 5, 1.0)
    assert count.early_s == pytest.approx(-0.6)


def test_before_there_is_a_typical_depth_nothing_is_early() -> None:
    assert live_count(SLOW, 0, SECOND_NS, None) == LiveCount(2, 5, None, None)


def test_outside_a_lowering_and_without_a_tempo_nothing_is_counted() -> None:
    assert live_count(SLOW, None, SECOND_NS, 0.5) is None
    assert live_count(None, 0, SECOND_NS, 0.5) is None
    assert live_count(Prescription(Exercise.DEADLIFT), 0, SECOND_NS, 0.5) is None
    quick = Prescription(Exercise.DEADLIFT, tempo=parse_tempo("0-0-X-0"))
    assert live_count(quick, 0, SECOND_NS, 0.5) is None


@pytest.mark.parametrize(
    ("done_s", "keeping"),
    [(5.3, "kept"), (4.7, "kept"), (4.0, "short"), (6.0, "long"), (4.45, "doubtful"), (None, "unmeasured")],
)
def test_a_movement_keeps_its_time_to_within_half_a_second(make_repetition, done_s, keeping) -> None:
    parts = repetition_adherence(make_repetition(eccentric_movement_s=done_s), SLOW)
    assert [part.part for part in parts] == ["eccentric", "bottom"]
    assert parts[0].keeping.value == keeping
    assert parts[0].done == done_s


def test_slow_ends_of_the_movements_are_taken_from_the_pauses(make_repetition) -> None:
    # The movements last 0.3 s and 0.2 s longer than their phases: 0.25 s of the pause belong to them.
    _, bottom = repetition_adherence(make_repetition(bottom_pause_s=1.2), SLOW)
    assert bottom.done == pytest.approx(0.95)
    assert bottom.keeping is Keeping.KEPT


def test_the_shorter_hip_must_reach_the_range(make_repetition) -> None:
    asked = Prescription(Exercise.DEADLIFT, minimum_range_deg=80.0)
    (part,) = repetition_adherence(make_repetition(hip_flexion_left_range_deg=70.0), asked)
    assert (part.part, part.done, part.keeping) == ("range", 70.0, Keeping.SHORT)
    (near,) = repetition_adherence(make_repetition(hip_flexion_left_range_deg=79.95), asked)
    assert near.keeping is Keeping.DOUBTFUL


def test_a_set_is_compared_with_what_was_asked(make_repetition) -> None:
    repetitions = [
        make_repetition(1),
        make_repetition(2, eccentric_s=2.7, eccentric_movement_s=3.0),
        make_repetition(3, eccentric_movement_s=None),
    ]
    told = set_adherence(repetitions, SLOW, 1, Side.BOTH)
    assert (told.repetitions_done, told.repetitions_asked, told.sets_asked) == (3, 3, 2)
    assert told.is_side_kept is True
    # Three pauses and two lowerings were judged; one lowering was too short.
    assert (told.parts_kept, told.parts_judged) == (4, 5)
    assert told.kept_share == pytest.approx(0.8)


def test_nothing_asked_is_nothing_judged(make_repetition) -> None:
    told = set_adherence([make_repetition(1)], Prescription(Exercise.DEADLIFT), 1, Side.BOTH)
    assert told.kept_share is None
    assert told.is_side_kept is None
