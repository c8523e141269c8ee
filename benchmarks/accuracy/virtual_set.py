"""One recording of the grid, run and scored against the virtual athlete's exact truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

import hardware_sim
from analytics.batch import analyse
from analytics.driving import DrivingAngle
from analytics.exercises import Exercise, Side
from analytics.imu import ImuBlock, Mount, Placement
from analytics.pipeline import AthleteSetup, PipelineParameters
from analytics.prescription import Prescription
from analytics.repetition_meter import MeterParameters
from analytics.uncertainty import UncertaintyParameters
from benchmarks.accuracy.events import Matching, Verdicts, match, verdicts
from benchmarks.accuracy.faults import false_alarms
from benchmarks.accuracy.grid import Asked, Case
from hardware_sim.exercises import Stance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.angles import AngleBlock
    from analytics.imu import FloatArray
    from analytics.pipeline_output import PipelineOutput, RepetitionEvent
    from hardware_sim.truth import Truth

Row = dict[str, Any]
Pairs: TypeAlias = "list[tuple[int, RepetitionEvent]]"

ANGLES = {
    "tilt": ("pelvic_tilt_deg",),
    "obliquity": ("pelvic_obliquity_deg",),
    "hip": ("hip_flexion_left_deg", "hip_flexion_right_deg"),
    "thigh": ("thigh_flexion_left_deg", "thigh_flexion_right_deg"),
}
FIGURES = (
    "eccentric_s",
    "bottom_pause_s",
    "concentric_s",
    "top_pause_s",
    "tut_s",
    "eccentric_movement_s",
    "concentric_movement_s",
    "pelvic_tilt_range_deg",
    "hip_flexion_left_range_deg",
    "hip_flexion_right_range_deg",
    "pelvic_obliquity_peak_deg",
    "pelvic_rotation_range_deg",
    "lockout_deficit_deg",
    "hinge_share",
)
# What these are depends on the driving angle; the truth has them by the working hip.
BY_DRIVING_ANGLE = (
    "eccentric_s",
    "bottom_pause_s",
    "concentric_s",
    "top_pause_s",
    "tut_s",
    "eccentric_movement_s",
    "concentric_movement_s",
    "lockout_deficit_deg",
)
BOUNDARIES = ("eccentric_start", "eccentric_end", "concentric_start", "concentric_end")


# The virtual athlete's sensors sit on bone unless the case lets the skin slide.
RIGID = PipelineParameters(meter=MeterParameters(uncertainty=UncertaintyParameters(soft_tissue_share=0.0)))


def parameters_of(case: Case) -> PipelineParameters:
    """Tell the uncertainty of the body at hand: rigid, or with skin, as the product takes people to be."""
    return PipelineParameters() if any(worn.slide for worn in case.scenario.sensors) else RIGID


def run_case(case: Case) -> tuple[hardware_sim.Performance, Row]:
    """Simulate one case, analyse it, and score what came out."""
    performance = hardware_sim.simulate(case.scenario, case.seed)
    _require_continuous(performance.truth)
    output = analyse(blocks_of(performance, case.late_start_s), setup_of(case), parameters_of(case))
    return performance, score(case, performance, output)


def _require_continuous(truth: Truth) -> None:
    """Refuse a truth that jumps: the virtual athlete's thigh turns over where it points along the toes."""
    for columns in ANGLES.values():
        for column in columns:
            step_deg = float(np.max(np.abs(np.diff(getattr(truth.angles, column)))))
            if step_deg > 30.0:
                raise ValueError(f"the truth of {column} jumps by {step_deg:.0f} degrees: draw another case")


def blocks_of(performance: hardware_sim.Performance, late_start_s: float = 0.0) -> list[ImuBlock]:
    """Turn what the virtual sensors sensed into blocks, one a sensor.

    Parameters
    ----------
    performance
        What was done.
    late_start_s
        Leave out what lies earlier than this before the first movement; 0: keep everything.
    """
    columns = hardware_sim.trace_columns(performance)
    rate_hz = performance.scenario.rate_hz
    first = 0
    if late_start_s:
        first = max(0, round((_first_movement_s(performance.truth) - late_start_s) * rate_hz))
    return [
        ImuBlock(
            placement=Placement(worn.placement),
            start_time_ns=round(first * 1e9 / rate_hz),
            sampling_rate_hz=rate_hz,
            acc_m_s2=np.stack([columns[f"{worn.placement}_a{axis}"][first:] for axis in "xyz"], axis=1),
            gyr_rad_s=np.stack([columns[f"{worn.placement}_g{axis}"][first:] for axis in "xyz"], axis=1),
        )
        for worn in performance.scenario.sensors
    ]


def setup_of(case: Case) -> AthleteSetup:
    """Tell what the pipeline is told."""
    scenario = case.scenario
    prescription = None
    if case.asked is Asked.RIGHT:
        prescription = Prescription(Exercise(scenario.exercise), side=Side(scenario.side))
    elif case.asked is Asked.WRONG:
        prescription = Prescription(Exercise.ROMANIAN_DEADLIFT, side=Side.BOTH)
    return AthleteSetup(mounts_of(scenario, is_declared=case.is_declared), prescription)


def mounts_of(scenario: hardware_sim.Scenario, *, is_declared: bool) -> dict[Placement, Mount]:
    """Mounts as the pipeline is told them."""
    return {
        Placement(worn.placement): Mount(worn.mount) if is_declared else Mount.UNKNOWN
        for worn in scenario.sensors
    }


def true_spans_s(truth: Truth) -> list[tuple[float, float]]:
    """Start and end of the true movement of each repetition, s."""
    return [
        (
            min(r.eccentric_true_start_s, r.concentric_true_start_s),
            max(r.eccentric_true_end_s, r.concentric_true_end_s),
        )
        for r in truth.repetitions
    ]


def untimed_spans_s(truth: Truth) -> list[tuple[float, float]]:
    """Start and end of the repetitions that were done but have no phases, s."""
    return [(r.start_s, r.end_s) for r in truth.untimed]


def _first_movement_s(truth: Truth) -> float:
    return true_spans_s(truth)[0][0]


def score(case: Case, performance: hardware_sim.Performance, output: PipelineOutput) -> Row:
    """Compare what the pipeline said with what happened."""
    truth, scenario = performance.truth, case.scenario
    said = verdicts(output)
    spans = true_spans_s(truth)
    matching = match(said.repetitions, spans, untimed_spans_s(truth))
    is_bridge = scenario.stance is Stance.SHOULDERS
    row = description_of(case) | _counts(truth, said, matching)
    by_hip, by_tilt = _by_driving_angle(matching, case, truth)
    row["figures"] = _figures(truth, by_hip, FIGURES)
    for name, pairs in _figures(truth, by_tilt, FIGURES).items():
        if name not in BY_DRIVING_ANGLE:
            row["figures"][name] += pairs
    row["figures_by_tilt"] = _figures(truth, by_tilt, BY_DRIVING_ANGLE)
    row["boundaries_s"] = _boundaries(truth, by_hip)
    row["boundaries_by_tilt_s"] = _boundaries(truth, by_tilt)
    row["untimed"] = sum(event.repetition.eccentric_s is None for _, event in by_hip)
    finished = [event.angles for event in said.repetitions]
    first_end_s = spans[0][1]
    for prefix, blocks, from_s in (
        ("finished", finished, 0.0),
        ("live", output.angles, 0.0),
        ("later", output.angles, first_end_s),
    ):
        counted = [span for span in spans if span[0] >= from_s]
        for name, error in angle_errors(truth, blocks, counted, scenario.rate_hz).items():
            row[f"{prefix}_{name}"] = error
    row["is_bridge"] = is_bridge
    if case.has_real_drop:
        row["drop_errors_deg"] = _bottom_obliquity(performance, matching)
    row["named"] = [
        (str(summary.exercise), float(summary.exercise_confidence), str(summary.side), summary.repetitions)
        for summary in said.sets
    ]
    row["warned"] = any("was declared" in line for summary in said.sets for line in summary.warnings)
    return row


def description_of(case: Case) -> Row:
    """Tell what was drawn, ready for JSON."""
    scenario = case.scenario
    return {
        "number": case.number,
        "seed": case.seed,
        "exercise": str(scenario.exercise),
        "side": str(scenario.side),
        "pace": str(case.pace),
        "flaw": str(case.flaw),
        "asked": str(case.asked),
        "declared": case.is_declared,
        "worn": case.worn,
        "quality": case.quality,
        "pelvis_mount": str(scenario.sensors[0].mount),
        "upside_down": any(worn.upside_down for worn in scenario.sensors),
        "crooked": max(worn.crooked_sd_deg for worn in scenario.sensors),
        "late": case.late_start_s > 0.0,
        "drop": case.has_real_drop,
        "slow_under_sway": case.is_slow_under_sway,
        "eccentric_s": scenario.tempo.eccentric_s,
        "rate_hz": scenario.rate_hz,
    }


def _counts(truth: Truth, said: Verdicts, matching: Matching) -> Row:
    done = [r.set for r in (*truth.repetitions, *truth.untimed)]
    true_sets = sorted(set(done))
    return {
        "true": len(done),
        "counted": len(said.repetitions),
        "missed": len(matching.missed) + matching.untimed_missed,
        "missed_at": list(matching.missed),
        "doubles": matching.doubles,
        "extra": matching.extra,
        "published": said.published,
        "true_sets": len(true_sets),
        "sets_right": [summary.repetitions for summary in said.sets]
        == [done.count(number) for number in true_sets],
        "false_alarms": [false_alarms(truth, index, event) for index, event in matching.pairs],
    }


def _by_driving_angle(matching: Matching, case: Case, truth: Truth) -> tuple[Pairs, Pairs]:
    """Split matched repetitions: timed by the working hip like the truth, or by the pelvis alone.

    One that truly began before the recording did is in neither: its beginning cannot be compared.
    """
    first_s = 0.0
    if case.late_start_s:
        first_s = _first_movement_s(truth) - case.late_start_s
    seen = [
        (index, event)
        for index, event in matching.pairs
        if min(truth.repetitions[index].eccentric_start_s, truth.repetitions[index].concentric_start_s)
        >= first_s
    ]
    by_hip = [pair for pair in seen if pair[1].repetition.driving_angle is DrivingAngle.HIP_FLEXION]
    return by_hip, [pair for pair in seen if pair not in by_hip]


def _figures(truth: Truth, pairs: Pairs, names: Sequence[str]) -> dict[str, list[tuple[float, float, float]]]:
    """Error, printed sd and true value of each figure of each matched repetition."""
    figures: dict[str, list[tuple[float, float, float]]] = {name: [] for name in names}
    for index, event in pairs:
        for name in names:
            measured = getattr(event.repetition, name)
            true = getattr(truth.repetitions[index], name)
            if measured is not None and true is not None:
                figures[name].append((measured - true, event.repetition.sd[name], true))
    return figures


def _boundaries(truth: Truth, pairs: Pairs) -> list[list[float | None]]:
    """Measured - true time of the four boundaries of each matched repetition, s."""
    errors = []
    for index, event in pairs:
        row: list[float | None] = []
        for name in BOUNDARIES:
            measured_ns = getattr(event.repetition, f"{name}_ns")
            true_s = getattr(truth.repetitions[index], f"{name}_s")
            row.append(None if measured_ns is None else measured_ns * 1e-9 - true_s)
        errors.append(row)
    return errors


def angle_errors(
    truth: Truth,
    blocks: Sequence[AngleBlock],
    spans_s: Sequence[tuple[float, float]],
    rate_hz: float,
) -> dict[str, tuple[float, float, float, float] | None]:
    """Mean, root mean square, sd and known share of the errors inside repetitions, degrees."""
    is_inside = np.zeros(len(truth.time_s), dtype=np.bool_)
    for start_s, end_s in spans_s:
        is_inside |= (truth.time_s >= start_s) & (truth.time_s <= end_s)
    errors: dict[str, tuple[float, float, float, float] | None] = {}
    for name, columns in ANGLES.items():
        parts: list[list[FloatArray]] = [[] for _ in columns]
        for block in blocks:
            start = round(block.start_time_ns * 1e-9 * rate_hz)
            n = min(len(block), len(truth.time_s) - start)
            inside = is_inside[start : start + n]
            for part, column in zip(parts, columns, strict=True):
                error = getattr(block, column)[:n] - getattr(truth.angles, column)[start : start + n]
                part.append(error[inside])
        values = np.concatenate([part for column in parts for part in column]) if blocks else np.zeros(0)
        known = values[np.isfinite(values)]
        errors[name] = None
        if len(known):
            errors[name] = (
                float(np.mean(known)),
                float(np.sqrt(np.mean(known**2))),
                _sd_about_own_means(parts),
                len(known) / len(values),
            )
    return errors


def _sd_about_own_means(columns: Sequence[Sequence[FloatArray]]) -> float:
    """Spread of the errors of an angle, left and right each about its own offset, degrees."""
    errors = [np.concatenate(parts) for parts in columns]
    known = [values[np.isfinite(values)] for values in errors]
    return float(np.sqrt(np.mean(np.concatenate([(v - np.mean(v)) ** 2 for v in known if len(v)]))))


def _bottom_obliquity(performance: hardware_sim.Performance, matching: Matching) -> list[float]:
    """Measured - true obliquity at the true bottom of each matched repetition, degrees; NaN: not known."""
    truth, rate_hz = performance.truth, performance.scenario.rate_hz
    side = performance.scenario.side
    hip = getattr(truth.angles, f"hip_flexion_{side}_deg")
    spans = true_spans_s(truth)
    errors = []
    for index, event in matching.pairs:
        first, last = (round(at_s * rate_hz) for at_s in spans[index])
        bottom = first + int(np.argmax(hip[first:last]))
        at = bottom - round(event.angles.start_time_ns * 1e-9 * rate_hz)
        measured = np.nan
        if 0 <= at < len(event.angles):
            measured = float(event.angles.pelvic_obliquity_deg[at])
        errors.append(measured - float(truth.angles.pelvic_obliquity_deg[bottom]))
    return errors
