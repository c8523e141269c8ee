"""bowing_vicon: three bows a recording, torso sensor read as a pelvis; one trial with Vicon."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analytics.batch import analyse
from analytics.imu import Mount, Placement
from analytics.pipeline import AthleteSetup
from benchmarks.accuracy.events import verdicts
from benchmarks.accuracy.layout import Line, high, middle, number, table
from benchmarks.accuracy.recordings.source import folder
from benchmarks.bowing import blocks_of, bottom_s, measure


def report() -> tuple[str, list[Line]]:
    """Score counts and bottoms of all recordings, and the angle against Vicon in one."""
    path = folder("bowing_vicon")
    truth = pd.read_csv(path / "reps.csv")
    trials = [measure(file, truth) for file in sorted(path.glob("S*_T*.parquet"))]
    right = sum(len(trial.bottoms_s) == 3 for trial in trials)
    errors_s = [abs(error) for trial in trials for error in trial.errors_s]
    equal = sum(trial.is_live_equal for trial in trials)
    wrong = ", ".join(f"{trial.name} {len(trial.bottoms_s)}" for trial in trials if len(trial.bottoms_s) != 3)
    within_deg, slope, bottoms_s = _against_vicon()
    text = table(
        "bowing_vicon, real hip hinges (6 people)",
        ("figure", "value"),
        (
            ("recordings with exactly 3", f"{right} of {len(trials)} {wrong}".strip()),
            ("bottoms, |error|, s", f"median {number(middle(errors_s), 3)}, p95 {number(high(errors_s), 3)}"),
            ("packets of 10 = whole recording", f"{equal} of {len(trials)}"),
            ("Vicon trial: sd of difference inside repetitions, deg (offset removed)", number(within_deg)),
            (
                "Vicon trial: the same about the regression line, slope",
                f"{number(slope[1])}, {number(slope[0])}",
            ),
            ("Vicon trial: bottoms, |error|, s", ", ".join(number(value, 3) for value in bottoms_s)),
        ),
    )
    median_s = middle(errors_s)
    line = Line(
        "real hinges (bowing_vicon)",
        "30/30 with 3 · bottoms ±0.05 s median",
        f"{right}/{len(trials)} · {number(median_s, 3)} s",
        bool(right == len(trials) and median_s <= 0.05),
    )
    return text, [line]


def _against_vicon() -> tuple[float, tuple[float, float], list[float]]:
    """Compare tilt with Vicon's trunk pitch inside repetitions; chest and rigid trunk differ."""
    file = folder("bowing_vicon") / "S01_T1.parquet"
    reference = pd.read_parquet(file)["ref_torso_pitch_deg"].to_numpy(np.float64)
    said = verdicts(analyse(blocks_of(file), AthleteSetup({Placement.PELVIS: Mount.UNKNOWN})))
    measured, true, bottoms_s, spreads = [], [], [], []
    for event in said.repetitions:
        first = round(event.angles.start_time_ns * 1e-7)
        part = reference[first : first + len(event.angles)]
        known = np.isfinite(part)
        if np.count_nonzero(known) < 50:
            continue
        measured.append(event.angles.pelvic_tilt_deg[: len(part)][known])
        true.append(part[known])
        spreads.append(float(np.std(measured[-1] - true[-1])))
        if known.all():
            bottoms_s.append(abs(bottom_s(event) - (first + int(np.argmax(part))) / 100.0))
    x, y = np.concatenate(true), np.concatenate(measured)
    slope, intercept = np.polyfit(x, y, 1)
    return middle(spreads), (float(slope), float(np.std(y - slope * x - intercept))), bottoms_s
