from __future__ import annotations

import importlib.metadata
import re
from importlib.resources import files
from typing import Any

import numpy as np
import pytest
import skops.io

from analytics.errors import ModelUnusable
from analytics.exercise_model import FEATURES, FILE_NAME, exercise_model, features_of, model_from
from analytics.exercises import Exercise
from analytics.set_look import SetLook


class Foreign:
    """What no model holds."""

    def __init__(self) -> None:
        self.value = 1


@pytest.fixture(scope="module")
def stored() -> dict[str, Any]:
    contents: dict[str, Any] = skops.io.loads(files("analytics").joinpath(FILE_NAME).read_bytes(), trusted=[])
    return contents


def test_the_file_tells_what_it_was_made_of(stored: dict[str, Any]) -> None:
    assert tuple(stored["features"]) == FEATURES
    assert set(stored["libraries"]) == {"scikit-learn", "skops", "numpy"}
    assert re.fullmatch(r"python -m benchmarks\.recognition --bodies \d+ --seed \d+", stored["trained_with"])
    assert len(files("analytics").joinpath(FILE_NAME).read_bytes()) < 50_000


def test_weights_say_what_scikit_learn_says(stored: dict[str, Any]) -> None:
    model = exercise_model()
    rows = np.random.default_rng(3).uniform((-10.0, 0.0, 0.5), (70.0, 70.0, 1.05), (50, 3))
    logits = stored["estimator"].decision_function(rows) / stored["temperature"]
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    codes = stored["estimator"].classes_
    for row, probabilities in zip(rows, expected, strict=True):
        found = model.probabilities(row)
        np.testing.assert_allclose([found[Exercise(code)] for code in codes], probabilities, atol=1e-12)


@pytest.mark.parametrize(
    ("features", "exercise", "least"),
    [
        ((48.0, 45.0, 1.0), Exercise.DEADLIFT, 0.85),
        ((26.0, 62.0, 1.0), Exercise.SQUAT, 0.95),
        ((20.0, 35.0, 0.65), Exercise.SIT_TO_STAND, 0.95),
        ((9.0, 5.0, 1.0), Exercise.MICRO_HINGE, 0.95),
        ((36.0, 10.0, 1.0), Exercise.HIP_HINGE, 0.75),
    ],
)
def test_what_is_typical_is_known(
    features: tuple[float, float, float], exercise: Exercise, least: float
) -> None:
    model = exercise_model()
    probabilities = model.probabilities(np.array(features))
    assert sum(probabilities.values()) == pytest.approx(1.0)
    assert probabilities[exercise] > least
    assert not model.is_strange(np.array(features))


@pytest.mark.parametrize("features", [(115.0, 12.0, 1.0), (60.0, -40.0, 1.0), (-40.0, 5.0, 1.0)])
def test_what_nobody_did_is_strange(features: tuple[float, float, float]) -> None:
    assert exercise_model().is_strange(np.array(features))


def test_features_need_pelvis_and_thigh() -> None:
    look = SetLook(
        is_supine=False,
        tilt_deg=50.0,
        left_deg=None,
        right_deg=20.0,
        hip_deg=70.0,
        share=0.71,
        togetherness=0.99,
    )
    found = features_of(look)
    assert found is not None
    np.testing.assert_array_equal(found, (50.0, 20.0, 0.99))
    assert features_of(SetLook(False, 50.0, None, None, None, None)) is None


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"libraries": {"scikit-learn": "0.99.1"}}, "made with scikit-learn 0.99.1, .* is installed"),
        ({"features": ["tilt"]}, "made for another version of Hipline"),
        ({"format": 2}, "made for another version of Hipline"),
    ],
)
def test_a_model_of_another_making_is_refused(
    stored: dict[str, Any], change: dict[str, object], told: str
) -> None:
    with pytest.raises(ModelUnusable, match=f"{told}.*python -m benchmarks.recognition --write"):
        model_from(skops.io.dumps(stored | change))


def test_a_newer_patch_of_scikit_learn_will_do(stored: dict[str, Any]) -> None:
    major, minor, *_ = importlib.metadata.version("scikit-learn").split(".")
    libraries = {"scikit-learn": f"{major}.{minor}.99"}
    assert model_from(skops.io.dumps(stored | {"libraries": libraries})).farthest > 0


def test_a_file_with_anything_foreign_in_it_is_not_read(stored: dict[str, Any]) -> None:
    with pytest.raises(ModelUnusable, match=r"is not read: .*Foreign"):
        model_from(skops.io.dumps(stored | {"more": Foreign()}))
