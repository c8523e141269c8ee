"""cmu_mbl_exercise: pelvis and thighs of one person against video, in pieces of one repetition each.

Only the samples inside repetitions exist. The product's own stages are run over the pieces, one after
another, behind the standing trial; forward is learnt from the two-legged half squats alone and kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analytics.alignment import AlignedBlock, AlignmentParameters, PlacementAlignment
from analytics.angles import AngleBlock, angles_of
from analytics.calibration_session import CalibrationParameters, CalibrationSession
from analytics.calibration_still import StillParameters
from analytics.history import AlignedHistory
from analytics.imu import ImuBlock, Mount, Placement
from analytics.orientation import OrientationParameters, OrientationStage
from analytics.remeasurement import remeasured
from benchmarks.accuracy.layout import Line, middle, number, table
from benchmarks.accuracy.recordings.piece_names import HINGES, name_of
from benchmarks.accuracy.recordings.source import folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.exercises import Exercise

RATE_HZ = 100.0
NAMES = {
    "pelvis": Placement.PELVIS,
    "thigh_l": Placement.THIGH_LEFT,
    "thigh_r": Placement.THIGH_RIGHT,
}
STANDING, TEACHES = "SUB22_Pose_01", "SUB22_SqHalfDL_01"
_HOLE_S = 3.0
# The standing trial lasts 1.5 s.
SHORT_STANDING = OrientationParameters(hold_back_s=1.2)
SHORT_STILLNESS = CalibrationParameters(still=StillParameters(window_s=1.2))


def _pieces() -> Iterator[tuple[str, pd.DataFrame]]:
    """Standing first, then the half squats, then the rest: name and samples without a hole."""
    files = sorted(folder("cmu_mbl_exercise").glob("SUB22_*.parquet"))
    order = {STANDING: 0, TEACHES: 1}
    for file in sorted(files, key=lambda path: (order.get(path.stem, 2), path.stem)):
        samples = pd.read_parquet(file)
        jumps = np.flatnonzero(np.diff(samples["t"].to_numpy(np.float64)) > 1.5 / RATE_HZ) + 1
        for part in np.split(np.arange(len(samples)), jumps):
            if len(part) >= 0.6 * RATE_HZ:
                yield file.stem, samples.iloc[part]


def _aligned() -> Iterator[tuple[str, pd.DataFrame, AlignedBlock, AlignedHistory]]:
    mounts = dict.fromkeys(NAMES.values(), Mount.UNKNOWN)
    stages = {placement: OrientationStage(placement, SHORT_STANDING) for placement in mounts}
    at_ns = 0
    for trial, samples in _pieces():
        history = AlignedHistory(mounts)
        alignment = PlacementAlignment(mounts, history, AlignmentParameters())
        for prefix, placement in NAMES.items():
            block = ImuBlock(
                placement=placement,
                start_time_ns=at_ns,
                sampling_rate_hz=RATE_HZ,
                acc_m_s2=samples[[f"{prefix}_a{axis}" for axis in "xyz"]].to_numpy(np.float64),
                gyr_rad_s=samples[[f"{prefix}_g{axis}" for axis in "xyz"]].to_numpy(np.float64),
                gap_before_s=_HOLE_S if at_ns else 0.0,
            )
            alignment.note_input(placement, block.start_time_ns, block.time_ns(len(block)))
            for oriented in stages[placement].push(block):
                alignment.push(oriented)
        alignment.flush()
        blocks = list(history.runs(history.end_index))
        at_ns += round((len(samples) / RATE_HZ + _HOLE_S) * 1e9)
        if len(blocks) == 1 and len(blocks[0]) == len(samples):
            yield trial, samples, blocks[0], history


def report() -> tuple[str, list[Line]]:
    """Spread of the error inside each repetition, its mean removed."""
    session = CalibrationSession(dict.fromkeys(NAMES.values(), Mount.UNKNOWN), parameters=SHORT_STILLNESS)
    errors: dict[str, dict[str, list[float]]] = {}
    named: dict[str, list[Exercise]] = {}
    for trial, samples, block, held in _aligned():
        if trial == STANDING:
            session.search(held, block.first_index, block.end_index, is_last=True)
            continue
        again = remeasured(block, OrientationParameters())
        if trial == TEACHES and session.wants_movement:
            session.learn(again, again.time_ns(again.first_index), again.time_ns(again.end_index))
        if not session.is_forward_known:
            continue
        nobody = np.zeros(len(again), dtype=np.bool_)
        angles, _ = angles_of(again, session.calibrations, is_supine=nobody)
        found = name_of(angles)
        if found is not None:
            named.setdefault(trial, []).append(found.exercise)
        for name, values in _errors(angles, samples).items():
            errors.setdefault(trial, {}).setdefault(name, []).extend(values)
    names = ("tilt", "obliquity", "thigh", "hip")
    pooled = {name: [value for trial in errors.values() for value in trial[name]] for name in names}
    rows = [
        (trial, len(spread["tilt"]), *(number(middle(spread[name])) for name in names))
        for trial, spread in errors.items()
    ]
    rows.append(("all", len(pooled["tilt"]), *(number(middle(pooled[name])) for name in names)))
    text = table(
        "cmu_mbl_exercise, one person: sd of the error inside a repetition, median over repetitions, degrees",
        ("trial", "repetitions", *names),
        rows,
    )
    figures = [middle(pooled[name]) for name in ("tilt", "thigh", "hip")]
    line = Line(
        "within a repetition, real, offset removed: tilt · thigh · hip, deg",
        "<= 0.6 · 0.9 · 1.2 median",
        " · ".join(number(value) for value in figures),
        all(bool(value <= most) for value, most in zip(figures, (0.6, 0.9, 1.2), strict=True)),
    )
    return f"{text}\n{_name_table(named)}", [line, _name_line(named)]


def _name_table(named: dict[str, list[Exercise]]) -> str:
    return table(
        "cmu_mbl_exercise, what each repetition is called (pelvis and both thighs, nothing asked)",
        ("trial", "repetitions", "said"),
        (
            (trial, len(said), ", ".join(f"{code} {said.count(code)}" for code in dict.fromkeys(said)))
            for trial, said in named.items()
        ),
    )


def _name_line(named: dict[str, list[Exercise]]) -> Line:
    said = [code for codes in named.values() for code in codes]
    wrong = sum(code.family in HINGES for code in said)
    return Line(
        "squats, jump, step and heel raise of a person never named a hinge (pelvis and both thighs)",
        "0",
        f"{wrong} of {len(said)} repetitions",
        wrong == 0 if said else None,
    )


def _errors(angles: AngleBlock, samples: pd.DataFrame) -> dict[str, list[float]]:
    tilt = samples["ref_pelvis_tilt_deg"].to_numpy(np.float64)
    pairs = {
        "tilt": [(angles.pelvic_tilt_deg, tilt)],
        "obliquity": [(angles.pelvic_obliquity_deg, samples["ref_pelvis_obliq_deg"].to_numpy(np.float64))],
        "thigh": [],
        "hip": [],
    }
    for side, hip_angle, thigh_angle in (
        ("l", angles.hip_flexion_left_deg, angles.thigh_flexion_left_deg),
        ("r", angles.hip_flexion_right_deg, angles.thigh_flexion_right_deg),
    ):
        hip = samples[f"ref_hip_{side}_x"].to_numpy(np.float64)
        pairs["hip"].append((hip_angle, hip))
        pairs["thigh"].append((thigh_angle, hip - tilt))
    return {
        name: [float(np.nanstd(measured - true)) for measured, true in entries]
        for name, entries in pairs.items()
    }
