from __future__ import annotations

import pytest

from analytics.exercises import Exercise, Side
from analytics.form import Fault, FaultCode, FaultPhase, FormParameters, repetition_faults, tempo_faults
from analytics.prescription import Prescription, parse_tempo
from analytics.repetition_figures import Kind
from analytics.steadiness import FallDirection

SLOW = Prescription(Exercise.ROMANIAN_DEADLIFT, tempo=parse_tempo("5-0-X-0"), minimum_range_deg=60.0)


def codes(faults: tuple[Fault, ...]) -> list[str]:
    return [fault.code.value for fault in faults]


def test_a_clean_repetition_has_no_fault(make_repetition) -> None:
    assert repetition_faults(make_repetition(), SLOW) == ()


@pytest.mark.parametrize(
    ("figures", "code"),
    [
        ({"lockout_deficit_deg": 12.0}, "incomplete_lockout"),
        ({"lockout_deficit_deg": -12.0}, "over_extension"),
        ({"hinge_share": 0.3}, "knee_dominant"),
        ({"pelvic_obliquity_peak_deg": -14.0}, "pelvic_drop"),
        ({"pelvic_rotation_range_deg": 15.0}, "pelvic_rotation"),
        ({"side": Side.LEFT, "free_side_drop_peak_deg": 14.0}, "pelvic_drop"),
        ({"side": Side.LEFT, "free_side_rise_peak_deg": 14.0}, "hip_open"),
        ({"tilt_reversal_deg": 8.0}, "rounding_proxy"),
        ({"balance_burst_deg_s": 40.0}, "balance_loss"),
        ({"eccentric_movement_s": 2.5}, "fast_eccentric"),
        ({"hip_flexion_right_range_deg": 50.0}, "short_range"),
    ],
)
def test_each_fault_shows_alone(make_repetition, figures: dict[str, float], code: str) -> None:
    assert codes(repetition_faults(make_repetition(**figures), SLOW)) == [code]


def test_a_fault_carries_its_figures(make_repetition) -> None:
    (fault,) = repetition_faults(make_repetition(3, lockout_deficit_deg=14.0, sd=1.5))
    assert fault == Fault(
        code=FaultCode.INCOMPLETE_LOCKOUT,
        repetition_number=3,
        phase=FaultPhase.TOP,
        value=14.0,
        threshold=10.0,
        sd=1.5,
        kind=Kind.MEASURED,
    )


@pytest.mark.parametrize(
    ("lockout_deg", "is_fault"), [(11.9, False), (12.0, True), (-11.9, False), (-12.0, True)]
)
def test_a_doubtful_fault_is_withheld(make_repetition, lockout_deg: float, is_fault: bool) -> None:
    faults = repetition_faults(make_repetition(lockout_deficit_deg=lockout_deg, sd=2.0))
    assert bool([fault for fault in faults if "lockout" in fault.code or "over" in fault.code]) is is_fault


def test_a_figure_on_its_limit_is_no_fault_even_without_doubt(make_repetition) -> None:
    assert repetition_faults(make_repetition(lockout_deficit_deg=10.0, hinge_share=0.5, sd=0.0)) == ()


def test_what_is_not_measurable_is_no_fault(make_repetition) -> None:
    unknown = make_repetition(
        lockout_deficit_deg=None,
        hinge_share=None,
        pelvic_obliquity_peak_deg=None,
        pelvic_rotation_range_deg=None,
        eccentric_movement_s=None,
        eccentric_s=None,
        hip_flexion_left_range_deg=None,
        hip_flexion_right_range_deg=None,
        pelvic_tilt_range_deg=None,
    )
    assert repetition_faults(unknown, SLOW) == ()


def test_a_pelvic_fault_names_the_phase_where_it_is_largest(make_repetition) -> None:
    (fault,) = repetition_faults(
        make_repetition(
            side=Side.RIGHT, free_side_rise_peak_deg=15.0, pelvic_obliquity_concentric_peak_deg=-15.0
        )
    )
    assert (fault.code, fault.phase) == (FaultCode.HIP_OPEN, FaultPhase.CONCENTRIC)


def test_on_two_legs_either_side_may_not_drop(make_repetition) -> None:
    (fault,) = repetition_faults(make_repetition(pelvic_obliquity_peak_deg=-14.0))
    assert (fault.code, fault.value) == (FaultCode.PELVIC_DROP, 14.0)


def test_turning_back_to_sit_down_is_no_rounding(make_repetition) -> None:
    sitting = make_repetition(tilt_reversal_deg=30.0, hinge_share=0.1)
    assert codes(repetition_faults(sitting)) == ["knee_dominant"]


def test_a_lost_balance_says_where_to(make_repetition) -> None:
    (fault,) = repetition_faults(
        make_repetition(balance_burst_deg_s=40.0, balance_burst_direction=FallDirection.LEFT)
    )
    assert (fault.code, fault.direction) == (FaultCode.BALANCE_LOSS, FallDirection.LEFT)


def test_without_a_prescription_tempo_and_range_are_not_judged(make_repetition) -> None:
    quick = make_repetition(eccentric_movement_s=1.0, hip_flexion_left_range_deg=10.0)
    assert repetition_faults(quick) == ()
    assert repetition_faults(quick, Prescription(Exercise.DEADLIFT)) == ()


def test_tempo_is_judged_on_the_movement_with_half_a_second_to_spare(make_repetition) -> None:
    assert repetition_faults(make_repetition(eccentric_movement_s=4.45, eccentric_s=4.0), SLOW) == ()
    (fault,) = repetition_faults(make_repetition(eccentric_movement_s=4.3, eccentric_s=4.0), SLOW)
    assert (fault.code, fault.value, fault.threshold) == (FaultCode.FAST_ECCENTRIC, 4.3, 4.5)


def test_range_is_judged_on_the_working_hip_or_on_the_pelvis(make_repetition) -> None:
    assert (
        codes(repetition_faults(make_repetition(side=Side.LEFT, hip_flexion_right_range_deg=20.0), SLOW))
        == []
    )
    (fault,) = repetition_faults(
        make_repetition(
            hip_flexion_left_range_deg=None, hip_flexion_right_range_deg=None, pelvic_tilt_range_deg=41.0
        ),
        SLOW,
    )
    assert (fault.code, fault.value, fault.threshold) == (FaultCode.SHORT_RANGE, 41.0, 60.0)


def test_a_bridge_is_not_knee_dominant(make_repetition) -> None:
    assert repetition_faults(make_repetition(is_supine=True, hinge_share=0.1)) == ()


def test_limits_are_settings(make_repetition) -> None:
    strict = FormParameters(lockout_deg=5.0)
    assert codes(repetition_faults(make_repetition(lockout_deficit_deg=6.0), None, strict)) == [
        "incomplete_lockout"
    ]


def test_an_uneven_tempo_names_the_odd_repetition(make_repetition) -> None:
    tempi = [4.0, 4.2, 2.0, 3.9, 4.1]
    repetitions = [make_repetition(number, eccentric_s=s) for number, s in enumerate(tempi, start=1)]
    (fault,) = tempo_faults(repetitions)
    assert (fault.code, fault.repetition_number) == (FaultCode.UNEVEN_TEMPO, 3)
    # 2.0 s from the median of 4.0 s; 30 % of it is allowed.
    assert fault.value == pytest.approx(2.0)
    assert fault.threshold == pytest.approx(1.2)


def test_two_repetitions_have_no_usual_tempo(make_repetition) -> None:
    assert tempo_faults([make_repetition(1, eccentric_s=5.0), make_repetition(2, eccentric_s=1.0)]) == ()
