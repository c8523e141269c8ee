"""result/1 and the angle file (FORMATS): what ``hipline analyze`` leaves on disk."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeAlias

from analytics.imu import NANOSECONDS_PER_SECOND
from analytics.repetition_figures import Kind, Measured
from sensor_bridge.errors import RecordingError
from sensor_bridge.recording.trace import write_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from analytics.form import Fault
    from analytics.imu import FloatArray
    from analytics.repetition_figures import Repetition
    from analytics.repetitions import Aborted
    from analytics.sets import SetSummary
    from analytics.walkout import Walkout
    from sensor_bridge.recording.analysis import Analysis
    from sensor_bridge.recording.trace_stream import DataQuality

FORMAT = "result/1"
JsonObject: TypeAlias = dict[str, Any]

BOUNDARIES = ("eccentric_start", "eccentric_end", "concentric_start", "concentric_end")
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
    "concentric_peak_deg_s",
    "concentric_mean_deg_s",
    "velocity_loss_percent",
    "pelvic_obliquity_eccentric_peak_deg",
    "pelvic_obliquity_bottom_peak_deg",
    "pelvic_obliquity_concentric_peak_deg",
    "pelvic_rotation_eccentric_range_deg",
    "pelvic_rotation_bottom_range_deg",
    "pelvic_rotation_concentric_range_deg",
    "free_side_drop_peak_deg",
    "free_side_rise_peak_deg",
    "tilt_reversal_deg",
    "hinge_share_quarter",
    "hinge_share_half",
    "hinge_share_three_quarters",
    "sway_deg_s",
    "tremor_deg_s",
    "smoothness",
    "balance_burst_deg_s",
)
_UNEXPLAINED = "it could not be measured"


def result_document(
    trace_name: str, duration_s: float, analysis: Analysis, quality: DataQuality
) -> JsonObject:
    """Put an analysis into the form of result/1.

    Parameters
    ----------
    trace_name
        The recording, as its user named it.
    duration_s
        From its first to its last row, s.
    analysis
        What the pipeline said; its times are those of the trace's own ``t``.
    quality
        What the recording lost.
    """
    return {
        "format": FORMAT,
        "trace": trace_name,
        "duration_s": duration_s,
        "calibration": {
            str(placement): {
                "method": str(calibration.method),
                "quality_deg": calibration.quality_deg,
                "warnings": list(calibration.warnings),
            }
            for placement, calibration in sorted(analysis.calibrations.items())
        },
        "sets": [_set(event.summary) for _, event in sorted(analysis.sets.items())],
        "repetitions": [_repetition(event.repetition) for _, event in sorted(analysis.repetitions.items())],
        "aborted": [_aborted(set_number, aborted) for set_number, aborted in analysis.aborted],
        "data_quality": {
            "gaps": quality.gaps,
            "lost_s": quality.lost_s,
            "clipped_samples": quality.clipped_samples,
            "warnings": list(quality.warnings),
        },
    }


def write_result(path: Path, document: Mapping[str, Any]) -> None:
    """Write result/1; a reader never sees half a file.

    Raises
    ------
    RecordingError
        The place cannot be written to.
    """
    part = path.with_name(path.name + ".part")
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    try:
        part.write_text(text + "\n", encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise RecordingError(f"{path}: cannot be written: {error.strerror or error}") from error


def write_angles(path: Path, columns: Mapping[str, FloatArray]) -> None:
    """Write the angle file, CSV where the name ends in ``.csv``, else Parquet.

    Raises
    ------
    RecordingError
        The place cannot be written to.
    """
    write_table(path, columns, {})


def _repetition(repetition: Repetition) -> JsonObject:
    entry: JsonObject = {
        "set": repetition.set_number,
        "repetition": repetition.repetition_number,
        "status": str(repetition.status),
        "side": str(repetition.side),
    }
    reasons = dict(repetition.reasons)
    for name in BOUNDARIES:
        time_ns = getattr(repetition, f"{name}_ns")
        entry[f"{name}_s"] = None if time_ns is None else time_ns / NANOSECONDS_PER_SECOND
        if time_ns is None:
            phase = name.split("_")[0]
            reasons[f"{name}_s"] = reasons.get(f"{name}_ns") or reasons.get(f"{phase}_s", _UNEXPLAINED)
            reasons.pop(f"{name}_ns", "")
    for name in FIGURES:
        entry[name] = _number(getattr(repetition, name))
        if entry[name] is None:
            reasons.setdefault(name, _UNEXPLAINED)
    if repetition.walkout is not None:
        entry["walkout"] = _walkout(repetition.walkout)
    return {
        **entry,
        "sd": {name: sd for name, sd in repetition.sd.items() if math.isfinite(sd)},
        "kind": {name: str(kind) for name, kind in repetition.kind.items()},
        "reasons": reasons,
        "adherence": [asdict(part) | {"keeping": str(part.keeping)} for part in repetition.adherence],
        "faults": [_fault(fault) for fault in repetition.faults],
        "warnings": list(repetition.warnings),
    }


def _walkout(walkout: Walkout) -> JsonObject:
    return {
        "kind": str(Kind.PROXY),
        "hold_s": walkout.hold_s,
        "alternation_errors": walkout.alternation_errors,
        "sd_deg": walkout.sd_deg,
        "steps": [
            {
                "side": str(step.side),
                "start_s": step.start_ns / NANOSECONDS_PER_SECOND,
                "sag_deg": step.sag_deg,
                "dip_deg": step.dip_deg,
                "is_alternation_error": step.is_alternation_error,
            }
            for step in walkout.steps
        ],
    }


def _set(summary: SetSummary) -> JsonObject:
    entry: JsonObject = {
        "set": summary.set_number,
        "start_s": summary.start_ns / NANOSECONDS_PER_SECOND,
        "end_s": summary.end_ns / NANOSECONDS_PER_SECOND,
        "exercise": str(summary.exercise),
        "exercise_confidence": _number(summary.exercise_confidence),
        "side": str(summary.side),
        "repetitions": summary.repetitions,
        "tut_s": _number(summary.tut_s),
        "eccentric_tut_s": _number(summary.eccentric_tut_s),
        "mean_eccentric_s": _number(summary.mean_eccentric_s),
    }
    reasons = dict.fromkeys(
        (name for name, value in entry.items() if value is None), "no repetition of the set could be timed"
    )
    told = summary.figures
    figures = {} if told is None else told.figures
    for name, figure in figures.items():
        if isinstance(figure, Measured):
            entry[name] = _number(figure.value)
        else:
            entry[name], reasons[name] = None, figure.reason
    known = {name: figure for name, figure in figures.items() if isinstance(figure, Measured)}
    return {
        **entry,
        "form_broke_at": told.form_broke_at if told else None,
        "fastest_repetition": told.fastest_repetition if told else None,
        "slowest_repetition": told.slowest_repetition if told else None,
        "sd": {name: figure.sd for name, figure in known.items()},
        "kind": {name: str(figure.kind) for name, figure in known.items()},
        "reasons": reasons,
        "adherence": None if summary.adherence is None else asdict(summary.adherence),
        "faults": [{**_fault(fault), "repetition": fault.repetition_number} for fault in summary.faults],
        "warnings": list(summary.warnings),
    }


def _fault(fault: Fault) -> JsonObject:
    return {
        "code": str(fault.code),
        "phase": str(fault.phase),
        "value": _number(fault.value),
        "threshold": _number(fault.threshold),
        "sd": _number(fault.sd),
        "kind": str(fault.kind),
        "direction": None if fault.direction is None else str(fault.direction),
    }


def _aborted(set_number: int, aborted: Aborted) -> JsonObject:
    return {
        "set": set_number,
        "start_s": aborted.start_ns / NANOSECONDS_PER_SECOND,
        "end_s": aborted.end_ns / NANOSECONDS_PER_SECOND,
        "depth_deg": _number(aborted.depth_deg),
        "reason": str(aborted.reason),
    }


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
