"""What the grid of the virtual athlete says to the acceptance lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analytics.exercises import Exercise, ExerciseFamily
from benchmarks.accuracy.layout import Line, high, middle, number, share
from benchmarks.accuracy.virtual_set import FIGURES
from benchmarks.accuracy.virtual_tables import (
    boundary_errors,
    boundary_groups,
    is_exact,
    name_rows,
    rms_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.accuracy.virtual_set import Row

HINGES = (ExerciseFamily.HINGE, ExerciseFamily.MICRO, ExerciseFamily.SINGLE_LEG)
NO_HINGES = ("squat", "sit_to_stand")
# Median and 95th percentile of the RMSE of a set, degrees, by angle and quality.
ANGLE_TARGETS = {
    "tilt": {"good": 0.25, "cheap": 0.4, "p95": 0.7},
    "obliquity": {"good": 0.3, "cheap": 0.5, "p95": 1.5},
    "hip": {"good": 0.3, "cheap": 0.5, "p95": 1.0},
}
LIVE_RATIO = 1.6


def lines_of(rows: Sequence[Row]) -> list[Line]:
    """Judge what the grid answers."""
    return [
        _count_line(rows),
        *_name_lines(rows),
        *_angle_lines(rows),
        _drop_line(rows),
        *_phase_lines(rows),
        _coverage_line(rows),
    ]


def _count_line(rows: Sequence[Row]) -> Line:
    # Rising from a chair is no exercise here: counted or not, only its name is judged.
    judged = [row for row in rows if row["exercise"] != "sit_to_stand"]
    exact = sum(is_exact(row) for row in judged)
    doubles = sum(row["doubles"] for row in judged)
    return Line(
        "repetitions, virtual athlete (sit-to-stand apart)",
        ">= 99 % of >= 400 sets exact, no doubles",
        f"{share(exact, len(judged))} recordings, {doubles} doubles",
        exact >= 0.99 * len(judged) and doubles == 0 if len(judged) >= 400 else None,
    )


def _name_lines(rows: Sequence[Row]) -> list[Line]:
    with_thigh = [entry for entry in name_rows(rows) if entry[0]["worn"] != "pelvis only"]
    wrong = [e for e in with_thigh if e[0]["exercise"] in NO_HINGES and Exercise(e[1]).family in HINGES]
    chairs = [e for e in with_thigh if e[0]["exercise"] in NO_HINGES]
    both = [e for e in with_thigh if e[0]["worn"] == "pelvis + thighs"]
    family = sum(Exercise(name).family is Exercise(row["exercise"]).family for row, name, _ in with_thigh)
    code = sum(name == row["exercise"] for row, name, _ in with_thigh)
    # Two legs differ by more than a kickstand's rear thigh shows: the product never guesses it.
    told = [(row, name) for row, name, _ in with_thigh if row["exercise"] != "kickstand_deadlift"]
    told_right = sum(name == row["exercise"] for row, name in told)
    sided = [e for e in both if e[0]["exercise"] == "single_leg_deadlift"]
    side = sum(said == row["side"] for row, _, said in sided)
    asked_wrong = [
        row for row in rows if row["asked"] == "wrong" and row["worn"] != "pelvis only" and row["named"]
    ]
    warned = sum(row["warned"] for row in asked_wrong)
    return [
        Line(
            "chair and squat never named a hinge (thigh worn, nothing asked)",
            "0",
            f"{len(wrong)} of {len(chairs)} sets; "
            f"deadlift asked instead: warned in {warned} of {len(asked_wrong)}",
            not wrong and warned == len(asked_wrong) if chairs else None,
        ),
        Line(
            "exercise family (thigh worn, nothing asked)",
            ">= 98 %",
            share(family, len(with_thigh)),
            family >= 0.98 * len(with_thigh) if with_thigh else None,
        ),
        Line(
            "exercise code (thigh worn, nothing asked)",
            ">= 92 %",
            f"{share(code, len(with_thigh))}; without kickstands {share(told_right, len(told))}",
            code >= 0.92 * len(with_thigh) if with_thigh else None,
        ),
        Line(
            "side of single-leg sets, both thighs",
            "100 %",
            share(side, len(sided)),
            side == len(sided) if sided else None,
        ),
    ]


def _angle_lines(rows: Sequence[Row]) -> list[Line]:
    standing = [row for row in rows if not row["is_bridge"]]
    lines = []
    for kind, told, factor in (
        ("finished", "finished", 1.0),
        ("live", "live", LIVE_RATIO),
        ("later", "live from the 2nd repetition on", LIVE_RATIO),
    ):
        for name, targets in ANGLE_TARGETS.items():
            figures, met = [], []
            for quality in ("good", "cheap"):
                rms = rms_of([row for row in standing if row["quality"] == quality], f"{kind}_{name}")
                figures.append(f"{quality} {number(middle(rms))}")
                met.append(bool(middle(rms) <= factor * targets[quality]))
            every = rms_of(standing, f"{kind}_{name}")
            figures.append(f"p95 {number(high(every))}")
            met.append(bool(high(every) <= factor * targets["p95"]))
            lines.append(
                Line(
                    f"{name}, {told}, RMSE, deg",
                    " · ".join(
                        f"{label} {number(factor * targets[label])}" for label in ("good", "cheap", "p95")
                    ),
                    " · ".join(figures),
                    all(met) if every else None,
                )
            )
    return lines


def _drop_line(rows: Sequence[Row]) -> Line:
    errors = [error for row in rows for error in row.get("drop_errors_deg", [])]
    known = [abs(error) for error in errors if np.isfinite(error)]
    return Line(
        "obliquity at the bottom of single-leg lifts, real drop or opening, deg",
        "median <= 2",
        f"{number(middle(known))} ({len(known)} of {len(errors)} repetitions)",
        bool(middle(known) <= 2.0) if known else None,
    )


def _phase_lines(rows: Sequence[Row]) -> list[Line]:
    group = dict(boundary_groups(rows))["with the working thigh's sensor"]
    errors = list(np.abs(boundary_errors(group)).ravel())
    eccentric = [p[0] for row in group for p in row["figures"]["eccentric_s"]]
    limits = 1.96 * float(np.std(eccentric)) if eccentric else float("nan")
    untimed = sum(row["untimed"] for row in group)
    return [
        Line(
            "phase boundaries, s",
            "median <= 0.02 · p95 <= 0.06",
            f"median {number(middle(errors), 3)} · p95 {number(high(errors), 3)}",
            bool(middle(errors) <= 0.02 and high(errors) <= 0.06) if errors else None,
        ),
        Line(
            "eccentric, limits of agreement, s",
            "<= ±0.15",
            f"±{number(limits, 3)}; withheld {share(untimed, len(errors) // 4, 1)}",
            bool(limits <= 0.15) if eccentric else None,
        ),
    ]


def _coverage_line(rows: Sequence[Row]) -> Line:
    within = {}
    for name in FIGURES:
        pairs = np.array([p for row in rows for p in row["figures"][name]]).reshape(-1, 3)
        if len(pairs) >= 30:
            within[name] = 100.0 * float(np.mean(np.abs(pairs[:, 0]) <= pairs[:, 1]))
    outside = {name: value for name, value in within.items() if not 55.0 <= value <= 80.0}
    return Line(
        "figures within ±1 of the printed sd",
        "55-80 % of each figure",
        f"{len(within) - len(outside)} of {len(within)} figures; "
        + ", ".join(f"{name} {value:.0f}" for name, value in outside.items()),
        not outside if within else None,
    )
