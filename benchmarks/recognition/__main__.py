"""Train the model that names standing exercises, and print how right its confidence is.

Run from the root of the repository::

    python -m benchmarks.recognition --bodies 3500 --seed 1 [--write]

Bodies that are printed were neither learnt from nor calibrated on. ``--write`` puts the model in its place in
the package. What it is worth on whole recordings is told by ``python -m benchmarks.accuracy``.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

import analytics
from analytics.exercise_model import FILE_NAME, ExerciseModel, model_from
from analytics.exercises import Exercise
from analytics.recognition_rules import RecognitionParameters, seen_by_rules
from analytics.set_look import SetLook
from benchmarks.accuracy.layout import number, share, table
from benchmarks.recognition.bodies import Taught, draw_sets
from benchmarks.recognition.training import parts, stored, train

UNANSWERED = Exercise.KICKSTAND_DEADLIFT


def by_rules(features: np.ndarray) -> Exercise:
    """Name a set by the rules alone."""
    tilt, thigh, together = (float(value) for value in features)
    whole = tilt + max(0.0, thigh)
    look = SetLook(
        is_supine=False,
        tilt_deg=tilt,
        left_deg=thigh,
        right_deg=thigh,
        hip_deg=tilt + thigh,
        share=tilt / whole if tilt > 0 and whole >= 5.0 else None,
        togetherness=together,
    )
    return seen_by_rules(look, RecognitionParameters()).exercise


def by_model(model: ExerciseModel, features: np.ndarray) -> tuple[Exercise, float]:
    """Name a set by the model alone: the likeliest exercise that may be answered, and its probability."""
    probabilities = model.probabilities(features)
    best = max(probabilities.keys() - {UNANSWERED}, key=lambda code: probabilities[code])
    return best, probabilities[best]


def compare(model: ExerciseModel, fresh: Taught) -> str:
    """Lay out rules and model side by side, exercise by exercise."""
    ruled = np.array([str(by_rules(row)) for row in fresh.features])
    modelled = np.array([str(by_model(model, row)[0]) for row in fresh.features])
    lines = []
    for code in [*model.exercises, "all but the kickstand"]:
        chosen = (
            fresh.exercises != str(UNANSWERED) if code not in model.exercises else fresh.exercises == code
        )
        lines.append(
            (
                code,
                int(chosen.sum()),
                *(
                    share(int((said[chosen] == fresh.exercises[chosen]).sum()), int(chosen.sum()))
                    for said in (ruled, modelled)
                ),
                ", ".join(
                    f"{name} {int((modelled[chosen] == name).sum())}"
                    for name in np.unique(modelled[chosen])
                    if code in model.exercises
                ),
            )
        )
    return table(
        "Exercise code, bodies left out", ("done", "sets", "rules right", "model right", "model said"), lines
    )


def reliability(model: ExerciseModel, fresh: Taught) -> str:
    """Lay out how often each confidence was right; kickstands count as wrong."""
    said = [by_model(model, row) for row in fresh.features]
    confidence = np.array([value for _, value in said])
    is_right = np.array([str(code) for code, _ in said]) == fresh.exercises
    lines = []
    for low in np.arange(0.1, 1.0, 0.1):
        inside = (confidence >= low) & (confidence < low + 0.1 + 1e-9 * (low > 0.85))
        if inside.any():
            lines.append(
                (
                    f"{low:.1f}-{low + 0.1:.1f}",
                    int(inside.sum()),
                    number(float(confidence[inside].mean()), 3),
                    number(float(is_right[inside].mean()), 3),
                )
            )
    lines.append(("all", len(said), number(float(confidence.mean()), 3), number(float(is_right.mean()), 3)))
    return table(
        "Reliability of the confidence, bodies left out", ("confidence", "sets", "mean", "right"), lines
    )


def main() -> int:
    """Train, print, and write if asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bodies", type=int, default=3500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="put the model in its place in the package")
    arguments = parser.parse_args()
    learnt, left_out, fresh = parts(draw_sets(arguments.bodies, arguments.seed))
    command = f"python -m benchmarks.recognition --bodies {arguments.bodies} --seed {arguments.seed}"
    data = stored(train(learnt, left_out, command))
    model = model_from(data)
    print(compare(model, fresh))
    print(reliability(model, fresh))
    print(f"temperature {model.temperature:.2f}, farthest {model.farthest:.1f}, {len(data)} bytes")
    if arguments.write:
        Path(analytics.__file__).with_name(FILE_NAME).write_bytes(data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
