from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from analytics.angles import AngleBlock
from analytics.calibration import CalibrationMethod, SegmentCalibration
from analytics.exercises import Exercise, Side
from analytics.form import Fault, FaultCode, FaultPhase
from analytics.imu import Placement
from analytics.pipeline_output import (
    CalibrationEvent,
    PipelineOutput,
    RepetitionAborted,
    RepetitionEvent,
    RepetitionWithdrawn,
    SetEvent,
)
from analytics.repetition_figures import Kind, Repetition, RepetitionStatus
from analytics.repetitions import Aborted, AbortReason, DrivingAngle
from analytics.sets import SetSummary
from analytics.walkout import Walkout, WalkoutStep
from sensor_bridge.commands.result_table import print_result
from sensor_bridge.errors import RecordingError
from sensor_bridge.recording.analysis import Analysis
from sensor_bridge.recording.result import result_document, write_angles, write_result
from sensor_bridge.recording.trace_stream import DataQuality

if TYPE_CHECKING:
    from pathlib import Path

S = 1_000_000_000
QUALITY = DataQuality(gaps=2, lost_s=0.5, clipped_samples=3, warnings=("10 Hz is slow",))


def angles(start_s: float, n: int, tilt: float, *, unmeasured: slice | None = None) -> AngleBlock:
    column = np.full(n, tilt)
    measured = np.ones(n, dtype=np.bool_)
    if unmeasured is not None:
        measured[unmeasured] = False
    return AngleBlock(
        start_time_ns=round(start_s * S),
        sampling_rate_hz=100.0,
        gap_before_s=0.0,
        pelvic_tilt_deg=column,
        pelvic_obliquity_deg=column + 1,
        pelvic_rotation_deg=column + 2,
        thigh_flexion_left_deg=column + 3,
        thigh_flexion_right_deg=np.full(n, np.nan),
        hip_flexion_left_deg=column + 5,
        hip_flexion_right_deg=np.full(n, np.nan),
        acc_norm_m_s2=column,
        gyr_segment_rad_s=np.zeros((n, 3)),
        is_supine=np.zeros(n, dtype=np.bool_),
        is_measured=measured,
    )


REPETITION = Repetition(
    set_number=1,
    repetition_number=1,
    status=RepetitionStatus.CONFIRMED,
    side=Side.BOTH,
    is_supine=False,
    driving_angle=next(iter(DrivingAngle)),
    start_ns=2 * S,
    bottom_ns=5 * S,
    close_ns=8 * S,
    amplitude_deg=80.0,
    eccentric_start_ns=2_100_000_000,
    eccentric_end_ns=6_600_000_000,
    concentric_start_ns=7_000_000_000,
    concentric_end_ns=8_250_000_000,
    eccentric_s=4.5,
    bottom_pause_s=0.4,
    concentric_s=1.25,
    tut_s=6.15,
    pelvic_tilt_range_deg=57.5,
    hip_flexion_left_range_deg=80.25,
    pelvic_obliquity_peak_deg=float("nan"),
    sd={"eccentric_s": 0.05, "tut_s": float("inf")},
    kind={"eccentric_s": Kind.MEASURED},
    reasons={
        "hip_flexion_right_range_deg": "no sensor on the right thigh",
        "top_pause_s": "the last repetition of its set has no pause after it",
    },
    faults=(Fault(FaultCode.FAST_ECCENTRIC, 1, FaultPhase.ECCENTRIC, 4.29, 4.5, 0.11, Kind.MEASURED),),
)
SUMMARY = SetSummary(
    set_number=1,
    start_ns=2_100_000_000,
    end_ns=18 * S,
    exercise=Exercise.ROMANIAN_DEADLIFT,
    exercise_confidence=0.9,
    side=Side.BOTH,
    repetitions=1,
    tut_s=6.15,
    eccentric_tut_s=None,
    mean_eccentric_s=4.5,
)
CALIBRATION = SegmentCalibration(
    Placement.PELVIS, (1.0, 0.0, 0.0, 0.0), CalibrationMethod.MOUNT, 8.0, ("pelvis: worn upside down",)
)


def event(repetition: Repetition, revision: int, tilt: float = 50.0) -> RepetitionEvent:
    return RepetitionEvent(repetition, revision, revision > 0, angles(2.0, 300, tilt))


def analysis(*events: Any, live: tuple[AngleBlock, ...] = ()) -> Analysis:
    gathered = Analysis()
    gathered.add(PipelineOutput(angles=live, events=events))
    return gathered


def document(*events: Any) -> dict[str, Any]:
    return result_document("rdl.parquet", 20.0, analysis(*events), QUALITY)


def test_result_has_the_fields_of_result_1() -> None:
    found = document(CalibrationEvent(0, CALIBRATION), event(REPETITION, 1), SetEvent(SUMMARY, 0))
    assert found["format"] == "result/1"
    assert (found["trace"], found["duration_s"]) == ("rdl.parquet", 20.0)
    assert found["calibration"] == {
        "pelvis": {"method": "mount", "quality_deg": 8.0, "warnings": ["pelvis: worn upside down"]}
    }
    (summary,) = found["sets"]
    assert (summary["set"], summary["start_s"], summary["end_s"]) == (1, 2.1, 18.0)
    assert (summary["exercise"], summary["exercise_confidence"]) == ("romanian_deadlift", 0.9)
    assert (summary["side"], summary["repetitions"], summary["tut_s"]) == ("both", 1, 6.15)
    assert summary["eccentric_tut_s"] is None
    assert summary["reasons"] == {"eccentric_tut_s": "no repetition of the set could be timed"}
    (repetition,) = found["repetitions"]
    assert (repetition["set"], repetition["repetition"]) == (1, 1)
    assert [repetition[f"{name}_s"] for name in ("eccentric_start", "concentric_end")] == [2.1, 8.25]
    assert (repetition["eccentric_s"], repetition["pelvic_tilt_range_deg"]) == (4.5, 57.5)
    assert repetition["faults"] == [
        {
            "code": "fast_eccentric",
            "phase": "eccentric",
            "value": 4.29,
            "threshold": 4.5,
            "sd": 0.11,
            "kind": "measured",
            "direction": None,
        }
    ]
    assert found["data_quality"] == {
        "gaps": 2,
        "lost_s": 0.5,
        "clipped_samples": 3,
        "warnings": ["10 Hz is slow"],
    }


def test_what_was_not_measured_is_null_with_its_reason() -> None:
    untimed = replace(
        REPETITION,
        eccentric_start_ns=None,
        eccentric_s=None,
        reasons={**REPETITION.reasons, "eccentric_s": "samples are missing"},
    )
    (repetition,) = document(event(untimed, 0))["repetitions"]
    assert repetition["hip_flexion_right_range_deg"] is None
    assert repetition["reasons"]["hip_flexion_right_range_deg"] == "no sensor on the right thigh"
    assert repetition["eccentric_start_s"] is None
    assert repetition["reasons"]["eccentric_start_s"] == "samples are missing"
    assert repetition["pelvic_obliquity_peak_deg"] is None
    assert repetition["sd"] == {"eccentric_s": 0.05}
    nulls = {name for name, value in repetition.items() if value is None}
    assert nulls == set(repetition["reasons"])


def test_a_walkout_says_its_steps_and_that_they_are_a_proxy() -> None:
    steps = (
        WalkoutStep(Side.LEFT, 6_000_000_000, sag_deg=0.4, dip_deg=2.1, is_alternation_error=False),
        WalkoutStep(Side.LEFT, 7_500_000_000, sag_deg=6.2, dip_deg=3.0, is_alternation_error=True),
    )
    walked = replace(REPETITION, walkout=Walkout(steps, hold_s=11.5, sd_deg=1.1))
    (told,) = document(event(walked, 0))["repetitions"]
    assert told["walkout"] == {
        "kind": "proxy",
        "hold_s": 11.5,
        "alternation_errors": 1,
        "sd_deg": 1.1,
        "steps": [
            {
                "side": "left",
                "start_s": 6.0,
                "sag_deg": 0.4,
                "dip_deg": 2.1,
                "is_alternation_error": False,
            },
            {"side": "left", "start_s": 7.5, "sag_deg": 6.2, "dip_deg": 3.0, "is_alternation_error": True},
        ],
    }
    assert "walkout" not in document(event(REPETITION, 0))["repetitions"][0]


def test_the_last_word_holds() -> None:
    second = replace(REPETITION, repetition_number=2)
    gathered = analysis(
        event(REPETITION, 0),
        event(replace(REPETITION, eccentric_s=4.4), 1),
        event(second, 0),
        RepetitionWithdrawn(1, 2, "too small"),
        SetEvent(SUMMARY, 0),
        SetEvent(replace(SUMMARY, repetitions=7), 1),
        RepetitionAborted(1, Aborted(9 * S, 10 * S, 11 * S, 31.0, next(iter(AbortReason)))),
    )
    found = result_document("x", 20.0, gathered, QUALITY)
    assert [entry["eccentric_s"] for entry in found["repetitions"]] == [4.4]
    assert [entry["repetitions"] for entry in found["sets"]] == [7]
    (aborted,) = found["aborted"]
    assert (aborted["set"], aborted["start_s"], aborted["depth_deg"]) == (1, 9.0, 31.0)


def test_angles_are_measured_again_inside_repetitions_and_live_elsewhere() -> None:
    gathered = analysis(
        event(REPETITION, 0, tilt=49.0),
        event(REPETITION, 1, tilt=50.0),
        live=(angles(0.0, 400, 10.0), angles(4.2, 400, 11.0, unmeasured=slice(0, 50))),
    )
    columns = gathered.angle_columns(0, 10 * S, 100.0)
    assert list(columns) == [
        "t",
        "pelvic_tilt_deg",
        "pelvic_obliquity_deg",
        "pelvic_rotation_deg",
        "thigh_flexion_left_deg",
        "thigh_flexion_right_deg",
        "hip_flexion_left_deg",
        "hip_flexion_right_deg",
    ]
    assert columns["t"] == pytest.approx(np.arange(1001) / 100)
    tilt = columns["pelvic_tilt_deg"]
    assert (tilt[:200] == 10.0).all()
    assert (tilt[200:500] == 50.0).all()
    assert (tilt[500:820] == 11.0).all()
    assert np.isnan(tilt[820:]).all()
    assert np.isnan(columns["thigh_flexion_right_deg"]).all()
    only_live = analysis(live=(angles(4.2, 400, 11.0, unmeasured=slice(0, 50)),))
    tilt = only_live.angle_columns(5 * S, 6 * S, 100.0)["pelvic_tilt_deg"]
    assert (len(tilt), tilt[0]) == (101, 11.0)
    assert np.isnan(only_live.angle_columns(4 * S, 6 * S, 100.0)["pelvic_tilt_deg"][:70]).all()


def test_files_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    write_result(path, document(event(REPETITION, 0)))
    assert json.loads(path.read_text(encoding="utf-8"))["format"] == "result/1"
    columns = analysis(live=(angles(0.0, 50, 1.0),)).angle_columns(0, S, 100.0)
    write_angles(tmp_path / "angles.parquet", columns)
    write_angles(tmp_path / "angles.csv", columns)
    parquet = pq.read_table(tmp_path / "angles.parquet")
    assert parquet.column_names == list(columns)
    csv = pa_csv.read_csv(tmp_path / "angles.csv")
    assert csv["pelvic_tilt_deg"].to_pylist()[48:52] == [1.0, 1.0, None, None]
    for write, value in ((write_result, document()), (write_angles, columns)):
        with pytest.raises(RecordingError, match="cannot be written"):
            write(tmp_path / "nowhere" / "x", value)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [
        "angles.csv",
        "angles.parquet",
        "result.json",
    ]


def printed(found: dict[str, Any], width: int) -> str:
    out = io.StringIO()
    print_result(Console(file=out, width=width, force_terminal=width < 200, color_system=None), found)
    return out.getvalue()


def test_the_table_shows_units_uncertainties_and_reasons() -> None:
    found = document(
        CalibrationEvent(0, CALIBRATION),
        event(REPETITION, 1),
        SetEvent(SUMMARY, 0),
        RepetitionAborted(1, Aborted(9 * S, 10 * S, 11 * S, 31.0, next(iter(AbortReason)))),
    )
    lines = printed(found, 200).splitlines()
    assert lines[0].startswith(
        "set 1: 1 repetition · romanian deadlift (90 % sure) · side both · 2.1 to 18.0 s"
    )
    words = "rep down s bottom s up s tension s tilt ° hip left ° notes"
    assert " ".join(lines[1].split()) == words
    assert " ".join(lines[2].split()) == "1 4.50 ± 0.05 0.40 1.25 6.15 57.5 80.2 fast eccentric"
    text = "\n".join(lines[3:])
    assert "hip right: no sensor on the right thigh" in text
    assert "pelvis: calibrated by mount, forward known to ± 8°" in text
    assert "pelvis: worn upside down" in text
    assert "broken off in set 1 at 9.0 s, 31° deep" in text
    assert "2 gaps, 0.50 s lost over all sensors" in text
    assert "3 samples at the end of the sensor's range" in text


def test_a_forward_that_is_not_known_is_said() -> None:
    guess = replace(CALIBRATION, method=CalibrationMethod.VERTICAL, quality_deg=181.0)
    text = printed(document(CalibrationEvent(0, guess)), 200)
    assert "pelvis: calibrated by vertical, forward is not known" in text


def test_a_narrow_terminal_gets_the_table_without_uncertainties() -> None:
    found = document(event(REPETITION, 1), SetEvent(SUMMARY, 0))
    assert "±" not in printed(found, 80)


def test_a_recording_without_repetitions_says_so() -> None:
    assert printed(document(), 200).splitlines()[0] == "no repetitions found in 20.0 s"
