from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any

import pytest

from analytics.adherence import Keeping, PartAdherence, SetAdherence
from analytics.calibration import CalibrationMethod, SegmentCalibration
from analytics.exercises import Exercise, Side
from analytics.form import Fault, FaultCode, FaultPhase
from analytics.imu import Placement
from analytics.prescription import Prescription, parse_tempo
from analytics.repetition_figures import Kind, Measured, Repetition, RepetitionStatus, Unmeasured
from analytics.repetitions import DrivingAngle
from analytics.set_figures import SetFigures
from analytics.sets import SetSummary
from analytics.steadiness import FallDirection
from sensor_bridge.mqtt import measures, payloads
from sensor_bridge.mqtt.topics import Channel
from sensor_bridge.result_payloads import (
    brief_payload,
    calibration_payload,
    fault_payload,
    repetition_payload,
    set_payload,
    target_payload,
)

S = 1_000_000_000
UTC_MS = 1_800_000_000_000.0  # 2027-01-15 08:00


def to_ms(time_ns: int) -> float:
    return UTC_MS + time_ns / 1e6


MEASURED = Repetition(
    set_number=1,
    repetition_number=2,
    status=RepetitionStatus.CONFIRMED,
    side=Side.BOTH,
    is_supine=False,
    driving_angle=DrivingAngle.HIP_FLEXION,
    start_ns=10 * S,
    bottom_ns=15 * S,
    close_ns=17 * S,
    amplitude_deg=71.0,
    eccentric_start_ns=10 * S + 200_000_000,
    eccentric_end_ns=14 * S + 900_000_000,
    concentric_start_ns=15 * S + 400_000_000,
    concentric_end_ns=16 * S + 700_000_000,
    eccentric_s=4.7,
    bottom_pause_s=0.5,
    concentric_s=1.3,
    tut_s=6.5,
    eccentric_movement_s=4.9,
    concentric_movement_s=1.6,
    pelvic_tilt_range_deg=48.0,
    hip_flexion_left_range_deg=70.0,
    pelvic_obliquity_peak_deg=-2.5,
    pelvic_rotation_range_deg=3.0,
    lockout_deficit_deg=1.0,
    hinge_share=0.68,
    pelvic_tilt_change_deg=47.0,
    sd={"eccentric_s": 0.03, "pelvic_tilt_range_deg": 0.8, "pelvic_tilt_change_deg": 0.8, "tut_s": math.inf},
    kind={
        "eccentric_s": Kind.MEASURED,
        "lockout_deficit_deg": Kind.PROXY,
        "top_pause_s": Kind.NOT_MEASURABLE,
        "pelvic_tilt_change_deg": Kind.MEASURED,
    },
    reasons={
        "top_pause_s": "the next repetition has not begun",
        "hip_flexion_right_range_deg": "no right thigh sensor",
        "thigh_flexion_right_change_deg": "no right thigh sensor",
    },
    faults=(
        Fault(FaultCode.FAST_ECCENTRIC, 2, FaultPhase.ECCENTRIC, 4.9, 5.0, 0.03, Kind.MEASURED),
        Fault(FaultCode.PELVIC_ROTATION, 2, FaultPhase.WHOLE, 13.0, 10.0, 1.0, Kind.MEASURED),
    ),
    warnings=("the free leg is not measured",),
)


def payload(measured: Repetition, **changes: Any) -> payloads.Repetition:
    arguments: dict[str, Any] = {
        "athlete": "a1",
        "exercise": "romanian_deadlift",
        "revision": 3,
        "final": True,
        "to_ms": to_ms,
    }
    return repetition_payload(measured, **{**arguments, **changes})


def test_a_repetition_is_told_with_times_in_utc_and_a_reason_for_each_missing_figure() -> None:
    assert payload(MEASURED) == payloads.Repetition(
        athlete="a1",
        set=1,
        repetition=2,
        revision=3,
        final=True,
        status="confirmed",
        exercise="romanian_deadlift",
        side="both",
        eccentric_start_ms=1_800_000_010_200.0,
        eccentric_end_ms=1_800_000_014_900.0,
        concentric_start_ms=1_800_000_015_400.0,
        concentric_end_ms=1_800_000_016_700.0,
        eccentric_s=4.7,
        bottom_pause_s=0.5,
        concentric_s=1.3,
        top_pause_s=None,
        tut_s=6.5,
        eccentric_movement_s=4.9,
        concentric_movement_s=1.6,
        pelvic_tilt_range_deg=48.0,
        hip_flexion_left_range_deg=70.0,
        hip_flexion_right_range_deg=None,
        pelvic_obliquity_peak_deg=-2.5,
        pelvic_rotation_range_deg=3.0,
        lockout_deficit_deg=1.0,
        hinge_share=0.68,
        sd={"eccentric_s": 0.03, "pelvic_tilt_range_deg": 0.8},
        kind={
            "eccentric_start_ms": "measured",
            "eccentric_end_ms": "measured",
            "concentric_start_ms": "measured",
            "concentric_end_ms": "measured",
            "eccentric_s": "measured",
            "top_pause_s": "not_measurable",
            "hip_flexion_right_range_deg": "not_measurable",
            "lockout_deficit_deg": "proxy",
            **dict.fromkeys(payloads.FURTHER_MEASURES, "not_measurable"),
        },
        reasons={
            **dict.fromkeys(payloads.FURTHER_MEASURES, "not measured"),
            "top_pause_s": "the next repetition has not begun",
            "hip_flexion_right_range_deg": "no right thigh sensor",
        },
        faults=[
            payloads.FoundFault(
                code="fast_eccentric",
                value=4.9,
                threshold=5.0,
                sd=0.03,
                kind="measured",
                phase="eccentric",
                repetition=2,
            ),
            payloads.FoundFault(
                code="pelvic_rotation",
                value=13.0,
                threshold=10.0,
                sd=1.0,
                kind="measured",
                phase=None,
                repetition=2,
            ),
        ],
        warnings=["the free leg is not measured"],
    )


def test_what_is_told_is_what_consumers_accept() -> None:
    body = payloads.encode(
        payloads.envelope(
            payload(MEASURED),
            message_id="01a31757-3ac0-7000-8000-000000000000",
            sample_time_ms=UTC_MS,
            session="s1",
            seq=0,
        )
    )
    assert payloads.decode(Channel.REPETITION, body).data == payload(MEASURED)


def test_a_moment_is_missing_for_the_reason_its_phase_is() -> None:
    why = "data are missing where the phase begins or ends"
    holed = replace(
        MEASURED,
        eccentric_start_ns=None,
        eccentric_s=None,
        concentric_end_ns=None,
        reasons={**MEASURED.reasons, "eccentric_s": why},
    )
    told = payload(holed)
    assert told.eccentric_start_ms is None
    assert told.reasons["eccentric_start_ms"] == why
    assert told.reasons["eccentric_s"] == why
    assert told.reasons["concentric_end_ms"] == "not measured"
    assert told.kind["eccentric_start_ms"] == "not_measurable"
    assert "eccentric_s" not in told.sd


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_a_figure_that_is_no_number_is_missing(broken: float) -> None:
    told = payload(replace(MEASURED, pelvic_tilt_range_deg=broken))
    assert told.pelvic_tilt_range_deg is None
    assert told.reasons["pelvic_tilt_range_deg"] == "the measurement gave no number"
    assert told.kind["pelvic_tilt_range_deg"] == "not_measurable"
    assert "pelvic_tilt_range_deg" not in told.sd


def test_a_repetition_of_which_nothing_is_known_can_be_told() -> None:
    nothing = Repetition(
        1, 1, RepetitionStatus.PROVISIONAL, Side.LEFT, True, DrivingAngle.PELVIC_TILT, 0, 1, 2, 9.0
    )
    told = payload(nothing)
    assert set(told.reasons) == {*payloads.MEASURES, *payloads.FURTHER_MEASURES}
    assert set(told.kind.values()) == {"not_measurable"}


def test_every_measure_is_a_field_of_the_analysis() -> None:
    known = {field.name.replace("_ns", "_ms") for field in fields(Repetition)}
    assert {*payloads.MEASURES, *payloads.FURTHER_MEASURES} <= known


SUMMARY = SetSummary(
    set_number=2,
    start_ns=10 * S,
    end_ns=40 * S,
    exercise=Exercise.ROMANIAN_DEADLIFT,
    exercise_confidence=0.9,
    side=Side.LEFT,
    repetitions=5,
    tut_s=32.0,
    eccentric_tut_s=24.0,
    mean_eccentric_s=4.8,
    faults=(Fault(FaultCode.UNEVEN_TEMPO, 3, FaultPhase.ECCENTRIC, 2.0, 1.4, 0.05, Kind.MEASURED),),
    is_final=True,
)


def test_a_set_is_told() -> None:
    assert set_payload(SUMMARY, athlete="a1", revision=6, to_ms=to_ms) == payloads.SetSummary(
        athlete="a1",
        set=2,
        revision=6,
        final=True,
        exercise="romanian_deadlift",
        side="left",
        repetitions=5,
        exercise_confidence=0.9,
        tut_s=32.0,
        eccentric_tut_s=24.0,
        mean_eccentric_s=4.8,
        start_ms=1_800_000_010_000.0,
        end_ms=1_800_000_040_000.0,
        reasons={},
        faults=[
            payloads.FoundFault(
                code="uneven_tempo",
                value=2.0,
                threshold=1.4,
                sd=0.05,
                kind="measured",
                phase="eccentric",
                repetition=3,
            )
        ],
    )


def test_sums_that_are_missing_have_a_reason() -> None:
    untimed = replace(SUMMARY, tut_s=None, eccentric_tut_s=None, mean_eccentric_s=None)
    assert set_payload(untimed, athlete="a1", revision=0, to_ms=to_ms).reasons == {
        "tut_s": "no repetition of the set could be timed",
        "eccentric_tut_s": "no repetition of the set could be timed",
        "mean_eccentric_s": "no repetition of the set could be timed",
    }


def test_a_line_of_the_state_has_the_codes_of_faults_alone() -> None:
    assert brief_payload(payload(MEASURED)) == payloads.RepetitionBrief(
        repetition=2,
        revision=3,
        status="confirmed",
        eccentric_s=4.7,
        bottom_pause_s=0.5,
        concentric_s=1.3,
        tut_s=6.5,
        eccentric_movement_s=4.9,
        pelvic_tilt_range_deg=48.0,
        hip_flexion_left_range_deg=70.0,
        hip_flexion_right_range_deg=None,
        pelvic_obliquity_peak_deg=-2.5,
        lockout_deficit_deg=1.0,
        sd={"eccentric_s": 0.03, "pelvic_tilt_range_deg": 0.8},
        faults=["fast_eccentric", "pelvic_rotation"],
    )


@pytest.mark.parametrize("phase", list(FaultPhase))
def test_every_phase_of_a_fault_can_be_told(phase: FaultPhase) -> None:
    told = fault_payload(Fault(FaultCode.PELVIC_DROP, 1, phase, 12.0, 10.0, 1.0, Kind.MEASURED))
    moments = {"eccentric", "bottom", "concentric", "top"}
    assert told.phase == (str(phase) if phase in moments else None)
    assert told.direction is None


def test_a_lost_balance_is_told_with_its_direction() -> None:
    lost = Fault(
        FaultCode.BALANCE_LOSS, 1, FaultPhase.WHOLE, 40.0, 15.0, 1.0, Kind.MEASURED, FallDirection.LEFT
    )
    assert fault_payload(lost).direction == "left"


def test_a_set_is_told_with_its_figures_and_what_was_asked() -> None:
    figures = SetFigures(
        {
            "concentric_tut_s": Measured(8.0, 0.1),
            "eccentric_trend_s": Unmeasured("a trend needs 4 repetitions or more"),
        },
        form_broke_at=4,
        fastest_repetition=1,
        slowest_repetition=5,
    )
    adherence = SetAdherence(5, 5, 1, 3, is_side_kept=True, parts_kept=7, parts_judged=9)
    summary = replace(SUMMARY, figures=figures, adherence=adherence)
    told = set_payload(summary, athlete="a1", revision=0, to_ms=to_ms)
    assert (told.concentric_tut_s, told.sd, told.kind) == (
        8.0,
        {"concentric_tut_s": 0.1},
        {"concentric_tut_s": "measured"},
    )
    assert told.eccentric_trend_s is None
    assert told.reasons["eccentric_trend_s"] == "a trend needs 4 repetitions or more"
    assert (told.form_broke_at, told.fastest_repetition, told.slowest_repetition) == (4, 1, 5)
    assert told.adherence == measures.SetAdherence(
        repetitions_asked=5, sets_asked=3, is_side_kept=True, parts_kept=7, parts_judged=9
    )


def test_what_was_asked_of_a_repetition_is_told_with_what_was_done() -> None:
    part = PartAdherence("eccentric", 5.0, 4.2, 0.1, Keeping.SHORT)
    told = payload(replace(MEASURED, adherence=(part,)))
    assert told.adherence == [
        measures.PartAdherence(part="eccentric", asked=5.0, done=4.2, sd=0.1, keeping="short")
    ]


def test_a_calibration_of_unknown_quality_says_so() -> None:
    found = SegmentCalibration(
        Placement.THIGH_LEFT, (1.0, 0.0, 0.0, 0.0), CalibrationMethod.MOUNT_AND_MOVEMENT, 4.0
    )
    assert calibration_payload(found) == payloads.SegmentCalibration(
        placement="thigh_left", method="mount_and_movement", quality_deg=4.0
    )
    assert calibration_payload(replace(found, quality_deg=math.inf)).quality_deg is None


def test_what_was_asked_is_told() -> None:
    asked = Prescription(Exercise.ROMANIAN_DEADLIFT, 8, 4, None, parse_tempo("5-1-X-0"))
    assert target_payload(asked) == payloads.Target(
        repetitions=8, sets=4, eccentric_s=5.0, bottom_s=1.0, concentric_s=None, top_s=0.0
    )
    assert target_payload(Prescription(Exercise.DEADLIFT)) == payloads.Target()
