"""What the rows of the virtual athlete's grid add up to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.accuracy.layout import high, middle, number, share, table
from benchmarks.accuracy.virtual_set import FIGURES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.accuracy.virtual_set import Row


def is_exact(row: Row) -> bool:
    """Every repetition counted once, nothing else counted."""
    return bool(row["missed"] == row["doubles"] == row["extra"] == 0)


def count_tables(rows: Sequence[Row]) -> str:
    """Lay out counts by everything that was drawn."""
    groups: list[tuple[str, list[Row]]] = [("all", list(rows))]
    keys: tuple[tuple[str, Callable[[Row], str]], ...] = (
        ("", lambda row: row["exercise"]),
        ("", lambda row: row["pace"]),
        ("flaw: ", lambda row: row["flaw"]),
        ("", lambda row: row["worn"]),
        ("sensors: ", lambda row: row["quality"]),
        ("mount ", lambda row: "declared" if row["declared"] else "unknown"),
        ("upside-down: ", lambda row: "one or more" if row["upside_down"] else "none"),
        ("start: ", lambda row: "no stillness" if row["late"] else "standing still"),
        ("asked: ", lambda row: row["asked"]),
        ("repetitions: ", lambda row: "1-2" if row["true"] <= 2 else "3 or more"),
    )
    for prefix, key in keys:
        groups.extend(
            (f"{prefix}{value}", [row for row in rows if key(row) == value])
            for value in dict.fromkeys(sorted(key(row) for row in rows))
        )
    return table(
        "Repetitions counted, virtual athlete",
        ("group", "recordings", "exact %", "repetitions", "missed", "extra", "doubles", "sets split right %"),
        (
            (
                name,
                len(group),
                number(100.0 * float(np.mean([is_exact(row) for row in group])), 1),
                sum(row["true"] for row in group),
                sum(row["missed"] for row in group),
                sum(row["extra"] for row in group),
                sum(row["doubles"] for row in group),
                number(100.0 * float(np.mean([row["sets_right"] for row in group])), 1),
            )
            for name, group in groups
            if group
        ),
    )


def rms_of(rows: Sequence[Row], key: str, which: int = 1) -> list[float]:
    """Errors of the recordings that have them: 0 mean, 1 root mean square, 2 sd, 3 known share."""
    return [row[key][which] for row in rows if row.get(key) is not None]


def angle_table(rows: Sequence[Row]) -> str:
    """Angles inside repetitions, relative to standing; bridges with their offset removed."""
    lines = []
    standing = [row for row in rows if not row["is_bridge"]]
    bridges = [row for row in rows if row["is_bridge"]]
    for quality in ("good", "cheap"):
        for name in ("tilt", "obliquity", "hip", "thigh"):
            for kind in ("finished", "live", "later"):
                chosen = [row for row in standing if row["quality"] == quality]
                lines.append(_angle_line(name, quality, kind, chosen))
    for quality in ("good", "cheap"):
        chosen = [row for row in bridges if row["quality"] == quality]
        for name in ("tilt", "obliquity", "hip"):
            spread = rms_of(chosen, f"finished_{name}", 2)
            absolute = rms_of(chosen, f"finished_{name}", 1)
            lines.append(
                (
                    f"bridge {name}",
                    quality,
                    "finished, offset removed",
                    len(spread),
                    number(middle(spread)),
                    number(high(spread)),
                    f"absolute: median {number(middle(absolute))}",
                    "-",
                    "-",
                )
            )
    return table(
        "Angles inside repetitions, degrees (RMSE of each recording)",
        ("angle", "sensors", "kind", "recordings", "median", "p95", "bias", "limits of agreement", "known %"),
        lines,
    )


def _angle_line(name: str, quality: str, kind: str, rows: Sequence[Row]) -> tuple[object, ...]:
    key = f"{kind}_{name}"
    rms, means, known = rms_of(rows, key), rms_of(rows, key, 0), rms_of(rows, key, 3)
    bias = float(np.mean(means)) if means else float("nan")
    spread = float(np.sqrt(max(0.0, float(np.mean(np.square(rms))) - bias**2))) if rms else float("nan")
    told = {"finished": "finished", "live": "live", "later": "live, from the 2nd repetition"}[kind]
    return (
        name,
        quality,
        told,
        len(rms),
        number(middle(rms)),
        number(high(rms)),
        number(bias),
        f"±{number(1.96 * spread)}",
        number(100.0 * float(np.mean(known)) if known else None, 0),
    )


def figure_table(rows: Sequence[Row], title: str) -> str:
    """Figures of repetitions: error, and whether the printed sd tells it."""
    lines = []
    for quality in ("good", "cheap"):
        for name in FIGURES:
            pairs = np.array(
                [p for row in rows if row["quality"] == quality for p in row["figures"][name]]
            ).reshape(-1, 3)
            if not len(pairs):
                continue
            error, sd = pairs[:, 0], pairs[:, 1]
            lines.append(
                (
                    name,
                    quality,
                    len(error),
                    number(float(np.mean(error)), 3),
                    number(float(np.sqrt(np.mean(error**2))), 3),
                    f"±{number(1.96 * float(np.std(error)), 3)}",
                    number(middle(list(np.abs(error))), 3),
                    number(high(list(np.abs(error))), 3),
                    number(middle(list(sd)), 3),
                    number(100.0 * float(np.mean(np.abs(error) <= sd)), 0),
                )
            )
    return table(
        title,
        (
            "figure",
            "sensors",
            "n",
            "bias",
            "RMSE",
            "limits of agreement",
            "median",
            "p95",
            "printed sd",
            "within ±1 sd %",
        ),
        lines,
    )


def boundary_errors(rows: Sequence[Row]) -> np.ndarray:
    """Errors of the four boundaries of each repetition, shape (n, 4), s."""
    return np.array(
        [[np.nan if v is None else v for v in errors] for row in rows for errors in row["boundaries_s"]],
        dtype=np.float64,
    ).reshape(-1, 4)


def boundary_groups(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    """Group recordings whose boundaries are judged together."""
    usual = [row for row in rows if not row["slow_under_sway"]]
    by_tilt = [
        {**row, "boundaries_s": row["boundaries_by_tilt_s"], "figures": row["figures_by_tilt"], "untimed": 0}
        for row in usual
    ]
    return [
        ("with the working thigh's sensor", usual),
        ("without (truth by the hip)", by_tilt),
        ("slow lowering under strong sway", [row for row in rows if row["slow_under_sway"]]),
        *(
            (
                f"with the working thigh's sensor, {pace}",
                [row for row in usual if row["pace"] == pace],
            )
            for pace in ("touch-and-go", "normal", "paused", "slow")
        ),
        ("micro hinges", [row for row in usual if row["exercise"] == "micro_hinge"]),
        ("bridges", [row for row in usual if row["is_bridge"]]),
    ]


def boundary_table(rows: Sequence[Row]) -> str:
    """Phase boundaries."""
    lines = []
    for name, group in boundary_groups(rows):
        errors = np.abs(boundary_errors(group))
        eccentric = [p[0] for row in group for p in row["figures"]["eccentric_s"]]
        lines.append(
            (
                name,
                len(errors),
                number(middle(list(errors.ravel())), 3),
                number(high(list(errors.ravel())), 3),
                *(number(high(list(errors[:, k])), 3) for k in range(4)),
                number(float(np.mean(eccentric)) if eccentric else None, 3),
                f"±{number(1.96 * float(np.std(eccentric)) if eccentric else None, 3)}",
                share(sum(row["untimed"] for row in group), len(errors), 1),
            )
        )
    return table(
        "Phase boundaries, s",
        (
            "group",
            "repetitions",
            "median",
            "p95",
            "p95 eccentric start",
            "p95 eccentric end",
            "p95 concentric start",
            "p95 concentric end",
            "eccentric bias",
            "eccentric limits of agreement",
            "eccentric withheld",
        ),
        lines,
    )


def drop_table(rows: Sequence[Row]) -> str:
    """Obliquity at the bottom of single-leg lifts whose pelvis really drops or opens."""
    lines = []
    for worn in ("pelvis + thighs", "pelvis + one thigh", "pelvis only"):
        for declared in (True, False):
            errors = [
                error
                for row in rows
                if row["worn"] == worn and row["declared"] is declared
                for error in row.get("drop_errors_deg", [])
            ]
            if errors:
                lines.append(
                    (
                        worn,
                        "declared" if declared else "unknown",
                        len(errors),
                        number(middle(list(np.abs(errors)))),
                        number(high(list(np.abs(errors)))),
                        number(float(np.nanmean(errors)) if np.isfinite(errors).any() else None),
                        number(100.0 * float(np.mean(np.isfinite(errors))), 0),
                    )
                )
    return table(
        "Obliquity at the bottom of single-leg lifts with a real drop or opening of 10-20°, degrees",
        ("worn", "mount", "repetitions", "median |error|", "p95", "bias", "known %"),
        lines,
    )


def name_rows(rows: Sequence[Row]) -> list[tuple[Row, str, str]]:
    """Row, exercise and side said, for each set said in recordings where nothing was asked."""
    return [
        (row, name, side) for row in rows if row["asked"] == "nothing" for name, _, side, _ in row["named"]
    ]


def name_table(rows: Sequence[Row]) -> str:
    """Lay out what sets were called without a prescription."""
    lines = []
    for worn in ("pelvis + thighs", "pelvis + one thigh", "pelvis only"):
        named = [entry for entry in name_rows(rows) if entry[0]["worn"] == worn]
        for exercise in dict.fromkeys(row["exercise"] for row in rows):
            said = [name for row, name, _ in named if row["exercise"] == exercise]
            if said:
                counts = {name: said.count(name) for name in dict.fromkeys(said)}
                lines.append((worn, exercise, len(said), ", ".join(f"{n} {c}" for n, c in counts.items())))
    return table("Names of sets where nothing was asked", ("worn", "done", "sets", "said"), lines)


def confidence_table(rows: Sequence[Row]) -> str:
    """Lay out how often names of each confidence were right, where nothing was asked."""
    entries = [
        (confidence, name == row["exercise"])
        for row in rows
        if row["asked"] == "nothing"
        for name, confidence, _, _ in row["named"]
    ]
    lines = []
    for tenth in range(10):
        inside = [entry for entry in entries if tenth == min(9, int(10.0 * entry[0] + 1e-9))]
        if inside:
            lines.append(
                (
                    f"{tenth / 10.0:.1f}-{(tenth + 1) / 10.0:.1f}",
                    len(inside),
                    number(float(np.mean([confidence for confidence, _ in inside]))),
                    number(float(np.mean([is_right for _, is_right in inside]))),
                )
            )
    return table(
        "Confidence of names where nothing was asked", ("confidence", "sets", "mean", "right"), lines
    )
