from __future__ import annotations

import numpy as np
import pytest

from analytics.exercise_model import FEATURES, model_from
from analytics.exercises import Exercise
from benchmarks.accuracy.virtual_tables import confidence_table
from benchmarks.recognition.__main__ import by_model, by_rules, compare, reliability
from benchmarks.recognition.bodies import BLURRED_TIMES, TAUGHT, Taught, draw_sets
from benchmarks.recognition.training import parts, stored, train


@pytest.fixture(scope="module")
def taught() -> Taught:
    return draw_sets(35, 3)


def test_sets_are_of_every_exercise_and_the_same_every_time(taught: Taught) -> None:
    assert taught.features.shape == (35 * BLURRED_TIMES, len(FEATURES))
    assert [list(taught.exercises).count(str(code)) for code in TAUGHT] == [5 * BLURRED_TIMES] * 7
    again = draw_sets(7, 3)
    np.testing.assert_array_equal(again.features, taught.features[: 7 * BLURRED_TIMES])


def test_no_body_is_in_two_parts(taught: Taught) -> None:
    bodies = [set(part.bodies.tolist()) for part in parts(taught)]
    assert [len(part) for part in bodies] == [21, 7, 7]
    assert set.union(*bodies) == set(range(35))


def test_what_was_trained_can_be_read_and_tells_squats_from_hinges(taught: Taught) -> None:
    learnt, left_out, fresh = parts(taught)
    model = model_from(stored(train(learnt, left_out, "by this test")))
    assert 1.0 <= model.temperature < 5.0
    assert by_model(model, np.array((30.0, 65.0, 1.0)))[0] is Exercise.SQUAT
    assert by_model(model, np.array((46.0, 46.0, 1.0)))[0] is Exercise.DEADLIFT
    # A kickstand is learnt, so that its doubt is known, and never answered.
    assert Exercise.KICKSTAND_DEADLIFT in model.exercises
    assert by_model(model, np.array((50.0, 20.0, 1.0)))[0] is not Exercise.KICKSTAND_DEADLIFT
    assert "| kickstand_deadlift    | 10 " in compare(model, fresh)
    assert "| all        | 70 " in reliability(model, fresh)


@pytest.mark.parametrize(
    ("features", "exercise"),
    [
        ((60.0, 22.0, 1.0), Exercise.ROMANIAN_DEADLIFT),
        ((28.0, 62.0, 1.0), Exercise.SQUAT),
        ((-3.0, 60.0, 0.6), Exercise.SIT_TO_STAND),
    ],
)
def test_the_rules_are_asked_the_same_question(
    features: tuple[float, float, float], exercise: Exercise
) -> None:
    assert by_rules(np.array(features)) is exercise


def test_confidence_is_set_against_what_was_right() -> None:
    rows = [
        {
            "asked": "nothing",
            "exercise": "squat",
            "named": [("squat", 0.62, "both", 5), ("lunge", 0.68, "both", 5), ("squat", 1.0, "both", 5)],
        },
        {"asked": "right", "exercise": "squat", "named": [("lunge", 0.9, "both", 5)]},
    ]
    lines = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in confidence_table(rows).splitlines()[4:]
    ]
    assert lines == [["0.6-0.7", "2", "0.65", "0.50"], ["0.9-1.0", "1", "1.00", "1.00"]]
