from __future__ import annotations

import pytest

from analytics.exercises import Exercise, ExerciseFamily, Side
from analytics.prescription import Prescription, Tempo, parse_tempo


@pytest.mark.parametrize(
    ("text", "tempo"),
    [
        ("5-0-X-0", Tempo(5.0, 0.0, None, 0.0)),
        ("5-0-x-0", Tempo(5.0, 0.0, None, 0.0)),
        ("3-1-2-1", Tempo(3.0, 1.0, 2.0, 1.0)),
        (" 2.5 - 0 - 1.5 - 0 ", Tempo(2.5, 0.0, 1.5, 0.0)),
    ],
)
def test_a_tempo_is_read(text: str, tempo: Tempo) -> None:
    assert parse_tempo(text) == tempo


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "5-0-X",
            "tempo '5-0-X' has 3 parts, not 4: write eccentric-bottom-concentric-top in seconds",
        ),
        ("", "tempo '' has 1 part, not 4: write eccentric-bottom-concentric-top in seconds, such as 5-0-X-0"),
        ("X-0-1-0", "tempo 'X-0-1-0': only the concentric may be X, write the eccentric in seconds"),
        ("5-0-fast-0", "tempo '5-0-fast-0': the concentric is 'fast', write a number of seconds or X"),
        ("5-now-X-0", "tempo '5-now-X-0': the bottom is 'now', write a number of seconds"),
        ("5-0-nan-0", "tempo '5-0-nan-0': the concentric is 'nan', write a number of seconds or X"),
        ("5-0-X-inf", "tempo '5-0-X-inf': the top is 'inf', write a number of seconds"),
        ("5--1-X-0", "tempo '5--1-X-0' has 5 parts"),
    ],
)
def test_a_wrong_tempo_says_what_to_write(text: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_tempo(text)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_tempo_is_written_as_it_is_read() -> None:
    assert str(Tempo(5.0, 0.0, None, 0.0)) == "5-0-X-0"
    assert str(Tempo(2.5, 1.0, 1.5, 0.0)) == "2.5-1-1.5-0"


def test_a_negative_duration_is_refused() -> None:
    with pytest.raises(ValueError, match="eccentric_s must be a duration of 0 s or more, not -1"):
        Tempo(-1.0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"repetitions": 0}, "repetitions must be 1 or more, not 0"),
        ({"sets": -2}, "sets must be 1 or more, not -2"),
        ({"minimum_range_deg": 200.0}, "minimum_range_deg must lie in 0 to 180, not 200"),
    ],
)
def test_a_wrong_target_is_refused(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Prescription(Exercise.DEADLIFT, **wrong)


def test_what_is_not_said_stays_open() -> None:
    asked = Prescription(Exercise.ROMANIAN_DEADLIFT)
    assert (asked.repetitions, asked.sets, asked.side, asked.tempo) == (None, None, None, None)


def test_families_and_sides() -> None:
    assert Exercise("single_leg_glute_bridge").family is ExerciseFamily.BRIDGE
    assert Exercise.KICKSTAND_DEADLIFT.family is ExerciseFamily.HINGE
    assert Exercise.WALK.family is ExerciseFamily.OTHER
    assert (Side.LEFT.opposite, Side.RIGHT.opposite, Side.BOTH.opposite) == (Side.RIGHT, Side.LEFT, Side.BOTH)


def test_load_and_support_are_told_by_people() -> None:
    asked = Prescription(Exercise.SINGLE_LEG_DEADLIFT, load_kg=9.0, is_supported=True)
    assert (asked.load_kg, asked.is_supported) == (9.0, True)
    with pytest.raises(ValueError, match="load_kg must be 0 or more, not -1"):
        Prescription(Exercise.DEADLIFT, load_kg=-1.0)
