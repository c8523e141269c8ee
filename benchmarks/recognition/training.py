"""Fitting, calibrating and storing the exercise model."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING, Any

import numpy as np
import skops.io
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from analytics.exercise_model import FEATURES, FORMAT

if TYPE_CHECKING:
    from analytics.imu import FloatArray
    from benchmarks.recognition.bodies import Taught

FARTHEST_PERCENT = 99.9
LIBRARIES = ("scikit-learn", "skops", "numpy")


def parts(taught: Taught) -> tuple[Taught, Taught, Taught]:
    """Divide bodies, not rows: 60 % to learn from, 20 % to calibrate on, 20 % never seen."""
    fifth = (taught.bodies // 7) % 5
    return (
        _chosen(taught, fifth < 3),
        _chosen(taught, fifth == 3),
        _chosen(taught, fifth == 4),
    )


def _chosen(taught: Taught, mask: np.ndarray) -> Taught:
    return type(taught)(taught.features[mask], taught.exercises[mask], taught.bodies[mask])


def train(learnt: Taught, left_out: Taught, command: str) -> dict[str, Any]:
    """Fit the regression on some bodies and its temperature on others.

    Parameters
    ----------
    learnt, left_out
        Different bodies.
    command
        How this was called; kept with the model.

    Returns
    -------
    dict
        What `analytics.exercise_model.model_from` reads.
    """
    estimator = Pipeline([("scaler", StandardScaler()), ("regression", LogisticRegression(max_iter=1000))])
    estimator.fit(learnt.features, learnt.exercises)
    codes = list(estimator.classes_)
    truth = np.array([codes.index(code) for code in left_out.exercises])
    logits = estimator.decision_function(left_out.features)
    # Below 1 it would add confidence: the many easy sets ask for that, and the doubtful ones pay for it.
    temperature = float(
        minimize_scalar(lambda t: _surprise(logits / t, truth), bounds=(1.0, 5.0), method="bounded").x
    )
    centres = np.array([learnt.features[learnt.exercises == code].mean(axis=0) for code in codes])
    inverse = np.array(
        [np.linalg.inv(np.cov(learnt.features[learnt.exercises == code], rowvar=False)) for code in codes]
    )
    away = learnt.features[:, None, :] - centres
    squared = np.einsum("mni,nij,mnj->mn", away, inverse, away).min(axis=1)
    return {
        "format": FORMAT,
        "features": list(FEATURES),
        "estimator": estimator,
        "temperature": temperature,
        "centres": centres,
        "inverse_covariances": inverse,
        "farthest": float(np.sqrt(np.percentile(squared, FARTHEST_PERCENT))),
        "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES},
        "trained_with": command,
    }


def stored(model: dict[str, Any]) -> bytes:
    """Contents of the file."""
    data: bytes = skops.io.dumps(model)
    return data


def _surprise(logits: FloatArray, truth: np.ndarray) -> float:
    """Mean negative log-likelihood."""
    top = logits.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(logits - top).sum(axis=1)) + top[:, 0]
    return float(np.mean(log_sum - logits[np.arange(len(truth)), truth]))
