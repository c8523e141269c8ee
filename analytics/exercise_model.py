"""The trained model of standing exercises: three features of a set in, calibrated probabilities out.

A logistic regression of scikit-learn, stored with skops beside this file and trained by
``python -m benchmarks.recognition``. Both libraries are imported when the first set asks for it. Its weights
are then applied with numpy: the same numbers at a fiftieth of the cost of ``predict_proba``.
"""

from __future__ import annotations

import importlib.metadata
import warnings
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analytics.errors import ModelUnusable
from analytics.exercises import Exercise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analytics.imu import FloatArray
    from analytics.set_look import SetLook

FILE_NAME: Final = "exercise_model.skops"
FORMAT: Final = 1
FEATURES: Final = ("pelvic_tilt_change_deg", "thigh_flexion_change_deg", "togetherness")
# Everything in the file is of a type that skops itself holds for harmless.
TRUSTED_TYPES: Final[tuple[str, ...]] = ()
_TRAIN = "train it again with `python -m benchmarks.recognition --write`"


@dataclass(frozen=True, slots=True, eq=False)
class ExerciseModel:
    """Multinomial logistic regression with a temperature, and how far each exercise spreads.

    Parameters
    ----------
    exercises
        Exercises it tells apart, n of them.
    mean, scale
        Of the features, shape (3,).
    weights, offsets
        Of the standardised features, shapes (n, 3) and (n,).
    temperature
        Divides the logits: above 1 it takes confidence back.
    centres, inverse_covariances
        Of the features of each exercise, shapes (n, 3) and (n, 3, 3).
    farthest
        Mahalanobis distance within which 99.9 % of what it was trained on lies.
    """

    exercises: tuple[Exercise, ...]
    mean: FloatArray
    scale: FloatArray
    weights: FloatArray
    offsets: FloatArray
    temperature: float
    centres: FloatArray
    inverse_covariances: FloatArray
    farthest: float

    def probabilities(self, features: FloatArray) -> dict[Exercise, float]:
        """Probability of each exercise, all as likely beforehand.

        Parameters
        ----------
        features
            Shape (3,), in the order of `FEATURES`.
        """
        logits = (self.weights @ ((features - self.mean) / self.scale) + self.offsets) / self.temperature
        likelihoods = np.exp(logits - logits.max())
        return dict(zip(self.exercises, (likelihoods / likelihoods.sum()).tolist(), strict=True))

    def is_strange(self, features: FloatArray) -> bool:
        """Whether no exercise it knows looks like this."""
        away = features - self.centres
        squared = np.einsum("ni,nij,nj->n", away, self.inverse_covariances, away)
        return bool(squared.min() > self.farthest**2)


def features_of(look: SetLook) -> FloatArray | None:
    """Features of a set, shape (3,), in the order of `FEATURES`; ``None`` where one is missing."""
    values = (look.tilt_deg, look.thigh_deg, look.togetherness)
    return None if None in values else np.array(values, dtype=np.float64)


@cache
def exercise_model() -> ExerciseModel:
    """Load the model that this package carries, once.

    Raises
    ------
    ModelUnusable
        It does not fit this package or the installed scikit-learn; the text says what to do.
    """
    return model_from(files("analytics").joinpath(FILE_NAME).read_bytes())


def model_from(data: bytes) -> ExerciseModel:
    """Read a stored model.

    Parameters
    ----------
    data
        Contents of the file.

    Raises
    ------
    ModelUnusable
        The file holds types that are not trusted, or was made for other features or another scikit-learn.
    """
    import skops.io  # noqa: PLC0415 - more than a second that only recognition needs
    from sklearn.exceptions import InconsistentVersionWarning  # noqa: PLC0415
    from skops.io.exceptions import UntrustedTypesFoundException  # noqa: PLC0415

    try:
        with warnings.catch_warnings():
            # Which versions fit is judged below, once the file has told which it was made with.
            warnings.simplefilter("ignore", InconsistentVersionWarning)
            stored: Any = skops.io.loads(data, trusted=list(TRUSTED_TYPES))
    except UntrustedTypesFoundException as untrusted:
        raise ModelUnusable(f"the model of exercises is not read: {untrusted}") from untrusted
    _require_fitting(stored)
    scaler, regression = (stored["estimator"].named_steps[name] for name in ("scaler", "regression"))
    return ExerciseModel(
        exercises=tuple(Exercise(code) for code in regression.classes_),
        mean=scaler.mean_,
        scale=scaler.scale_,
        weights=regression.coef_,
        offsets=regression.intercept_,
        temperature=float(stored["temperature"]),
        centres=stored["centres"],
        inverse_covariances=stored["inverse_covariances"],
        farthest=float(stored["farthest"]),
    )


def _require_fitting(stored: Mapping[str, Any]) -> None:
    if stored["format"] != FORMAT or tuple(stored["features"]) != FEATURES:
        raise ModelUnusable(f"the model of exercises was made for another version of Hipline: {_TRAIN}")
    made_with, installed = stored["libraries"]["scikit-learn"], importlib.metadata.version("scikit-learn")
    if made_with.split(".")[:2] != installed.split(".")[:2]:
        raise ModelUnusable(
            f"the model of exercises was made with scikit-learn {made_with}, "
            f"{installed} is installed: {_TRAIN}"
        )
