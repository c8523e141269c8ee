from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from analytics import recognition
from analytics.driving import DrivingAngle
from analytics.errors import ModelUnusable
from analytics.exercises import Exercise, Side
from analytics.prescription import Prescription
from analytics.recognition import recognise, working_side


def bends(
    tilt_deg: float,
    left_deg: float | None,
    right_deg: float | None,
    *,
    together: float = 1.0,
    tilt_range_deg: float | None = None,
    **figures: object,
) -> dict[str, object]:
    """Figures of a repetition whose segments turn so far; less together, the tilt comes back before."""
    tilt_range = abs(tilt_deg) if tilt_range_deg is None else tilt_range_deg
    thighs = {"left": left_deg, "right": right_deg}
    found: dict[str, object] = {"pelvic_tilt_change_deg": tilt_deg, "pelvic_tilt_range_deg": tilt_range}
    for side, thigh in thighs.items():
        found[f"thigh_flexion_{side}_change_deg"] = thigh
        found[f"thigh_flexion_{side}_range_deg"] = None if thigh is None else abs(thigh)
        hip = None if thigh is None else abs(tilt_deg + thigh)
        if together < 1.0 and thigh is not None:
            hip = together * (tilt_range + abs(thigh))
        found[f"hip_flexion_{side}_range_deg"] = hip
    worn = [thigh for thigh in thighs.values() if thigh is not None]
    flexion = max(0.0, sum(worn) / len(worn)) if worn else 0.0
    found["hinge_share"] = tilt_deg / (tilt_deg + flexion) if worn and tilt_deg > 0 else None
    return found | figures


SEEN = {
    "romanian deadlift": (bends(60.0, 22.0, 22.0), Exercise.ROMANIAN_DEADLIFT, Side.BOTH),
    "deadlift": (bends(50.0, 38.0, 38.0), Exercise.DEADLIFT, Side.BOTH),
    "hip hinge": (bends(42.0, 13.0, 13.0), Exercise.HIP_HINGE, Side.BOTH),
    "hip hinge, one thigh": (bends(42.0, None, 13.0), Exercise.HIP_HINGE, Side.BOTH),
    "micro hinge": (bends(9.0, 5.0, 5.0), Exercise.MICRO_HINGE, Side.BOTH),
    "single leg, left": (bends(60.0, 18.0, -50.0), Exercise.SINGLE_LEG_DEADLIFT, Side.LEFT),
    "single leg, right": (bends(60.0, -50.0, 18.0), Exercise.SINGLE_LEG_DEADLIFT, Side.RIGHT),
    "single leg, only the free one seen": (
        bends(60.0, None, -48.0),
        Exercise.SINGLE_LEG_DEADLIFT,
        Side.LEFT,
    ),
    "squat": (bends(28.0, 62.0, 61.0), Exercise.SQUAT, Side.BOTH),
    "chair, upright at the bottom": (
        bends(-3.0, 60.0, 60.0, together=0.63, tilt_range_deg=30.0),
        Exercise.SIT_TO_STAND,
        Side.BOTH,
    ),
    "chair, bent at the bottom": (
        bends(20.0, 35.0, 35.0, together=0.66, tilt_range_deg=30.0),
        Exercise.SIT_TO_STAND,
        Side.BOTH,
    ),
    "lunge, right in front": (bends(14.0, -8.0, 70.0), Exercise.LUNGE, Side.RIGHT),
    "bridge": (bends(-30.0, -15.0, -16.0, is_supine=True), Exercise.GLUTE_BRIDGE, Side.BOTH),
    "single-leg bridge": (
        bends(-30.0, -15.0, -28.0, is_supine=True),
        Exercise.SINGLE_LEG_GLUTE_BRIDGE,
        Side.BOTH,
    ),
}
HINGES = {
    Exercise.ROMANIAN_DEADLIFT,
    Exercise.DEADLIFT,
    Exercise.HIP_HINGE,
    Exercise.KICKSTAND_DEADLIFT,
    Exercise.MICRO_HINGE,
    Exercise.SINGLE_LEG_DEADLIFT,
}


@pytest.mark.parametrize("name", SEEN)
def test_exercise_and_side_come_from_the_sensors(make_repetition, name: str) -> None:
    figures, exercise, side = SEEN[name]
    found = recognise([make_repetition(number, **figures) for number in (1, 2, 3)])
    assert (found.exercise, found.side) == (exercise, side)


@pytest.mark.parametrize("tilt_deg", [2.0, 10.0, 20.0, 30.0, 45.0, 60.0])
@pytest.mark.parametrize("factor", [1.05, 1.5, 2.5, 4.0])
@pytest.mark.parametrize("rear", [1.0, 0.5, 0.0])
def test_a_thigh_that_flexes_more_than_the_pelvis_tilts_is_no_hinge(
    make_repetition, tilt_deg: float, factor: float, rear: float
) -> None:
    front = tilt_deg * factor / (0.5 * (1.0 + rear))
    found = recognise([make_repetition(**bends(tilt_deg, front, rear * front))])
    # Only where the hip bends less than 25 degrees may the knees bend a little more (micro hinges).
    allowed = {Exercise.MICRO_HINGE} if tilt_deg + front < 25.0 and factor < 1.2 else set()
    assert found.exercise not in HINGES - allowed


def test_a_kickstand_is_not_guessed_and_its_doubt_is_in_every_hinge(make_repetition) -> None:
    alone = recognise([make_repetition(**bends(52.0, 20.0, 23.0))])
    assert alone.exercise is Exercise.ROMANIAN_DEADLIFT
    assert 0.3 < alone.confidence < 0.6
    assert alone.warnings == ("which hinge it was, only a prescription knows",)
    asked = recognise(
        [make_repetition(**bends(52.0, 20.0, 23.0))],
        Prescription(Exercise.KICKSTAND_DEADLIFT, side=Side.LEFT),
    )
    assert (asked.exercise, asked.side, asked.confidence) == (Exercise.KICKSTAND_DEADLIFT, Side.LEFT, 0.9)


def test_bent_knees_are_sure_enough_to_name_a_deadlift(make_repetition) -> None:
    found = recognise([make_repetition(**bends(48.0, 45.0, 45.0))])
    assert found.exercise is Exercise.DEADLIFT
    assert found.confidence > 0.85
    assert found.warnings == ()


def test_one_thigh_does_not_exclude_that_the_other_leg_is_free(make_repetition) -> None:
    # The virtual athlete's free leg, turned round by an unknown mount, looks just like this.
    found = recognise([make_repetition(**bends(52.0, None, 43.0))])
    assert (found.exercise, found.confidence) == (Exercise.DEADLIFT, 0.7)
    assert found.warnings == (
        "with one thigh sensor a hinge on both legs cannot be told from one on a single leg",
    )


def test_what_was_declared_wins_and_the_contradiction_is_said(make_repetition) -> None:
    figures, _, _ = SEEN["squat"]
    found = recognise([make_repetition(**figures)], Prescription(Exercise.ROMANIAN_DEADLIFT))
    assert found.exercise is Exercise.ROMANIAN_DEADLIFT
    assert found.seen is Exercise.SQUAT
    assert found.confidence == 0.1
    assert found.warnings[-1] == "romanian_deadlift was declared, the movement looks like squat"


def test_hips_lifted_lying_are_a_bridge_even_where_nothing_could_be_measured(make_repetition) -> None:
    unmeasured = dict.fromkeys(bends(1.0, 1.0, 1.0)) | {"is_supine": True}
    found = recognise([make_repetition(**unmeasured)])
    assert (found.exercise, found.confidence) == (Exercise.GLUTE_BRIDGE, 0.6)
    thigh_alone = recognise([make_repetition(**unmeasured, driving_angle=DrivingAngle.THIGH_FLEXION)])
    assert (thigh_alone.exercise, thigh_alone.confidence) == (Exercise.OTHER, 0.5)


@pytest.mark.parametrize("tilt_deg", [20.0, 70.0])
def test_a_pelvis_alone_is_never_sure(make_repetition, tilt_deg: float) -> None:
    pelvis = make_repetition(**bends(tilt_deg, None, None))
    alone = recognise([pelvis])
    assert alone.confidence <= 0.7
    assert alone.exercise is (Exercise.HIP_HINGE if tilt_deg > 35 else Exercise.OTHER)
    assert alone.warnings == ("without a thigh sensor a hinge cannot be told from a squat or a chair",)
    asked = recognise([pelvis], Prescription(Exercise.SQUAT))
    assert asked.exercise is Exercise.SQUAT
    assert asked.confidence <= 0.7


def test_a_bridge_declared_and_a_standing_hinge_seen_contradict(make_repetition) -> None:
    found = recognise([make_repetition(**bends(60.0, 22.0, 22.0))], Prescription(Exercise.GLUTE_BRIDGE))
    assert found.exercise is Exercise.GLUTE_BRIDGE
    assert found.warnings[-1] == "glute_bridge was declared, the movement looks like romanian_deadlift"


def test_a_shallow_hinge_agrees_with_a_micro_one(make_repetition) -> None:
    figures, _, _ = SEEN["micro hinge"]
    found = recognise([make_repetition(**figures)], Prescription(Exercise.HIP_HINGE))
    assert (found.exercise, found.confidence) == (Exercise.HIP_HINGE, 0.9)


def test_the_side_asked_wins_and_the_other_is_said(make_repetition) -> None:
    figures, _, _ = SEEN["single leg, left"]
    found = recognise(
        [make_repetition(**figures)], Prescription(Exercise.SINGLE_LEG_DEADLIFT, side=Side.RIGHT)
    )
    assert found.side is Side.RIGHT
    assert found.warnings == ("right was asked, the left hip worked more",)


def test_a_set_of_different_exercises_is_none(make_repetition) -> None:
    squat, hinge = SEEN["squat"][0], SEEN["romanian deadlift"][0]
    mixed = [make_repetition(number, **(squat if number % 2 else hinge)) for number in range(1, 7)]
    found = recognise(mixed)
    assert (found.exercise, found.confidence) == (Exercise.OTHER, 0.5)
    assert found.warnings == ("the repetitions of this set differ: no one exercise fits them",)
    one_odd = [make_repetition(number, **(squat if number == 2 else hinge)) for number in range(1, 7)]
    assert recognise(one_odd).exercise is Exercise.ROMANIAN_DEADLIFT


def test_a_running_set_is_not_asked_whether_its_repetitions_differ(make_repetition) -> None:
    squat, hinge = SEEN["squat"][0], SEEN["romanian deadlift"][0]
    mixed = [make_repetition(1, **hinge), make_repetition(2, **squat), make_repetition(3, **squat)]
    mixed.append(make_repetition(4, **hinge))
    assert recognise(mixed, is_over=True).exercise is Exercise.OTHER
    assert recognise(mixed, is_over=False).exercise is not Exercise.OTHER


def test_depth_counts_from_standing_even_where_nobody_straightens_up(make_repetition) -> None:
    full = make_repetition(1, **bends(54.0, 20.0, 20.0), lockout_deficit_deg=15.0)
    from_bent = [
        make_repetition(number, **bends(43.0, 16.0, 16.0), lockout_deficit_deg=15.0) for number in (2, 3, 4)
    ]
    assert recognise([full, *from_bent]).exercise is Exercise.ROMANIAN_DEADLIFT
    upright = [make_repetition(number, **bends(43.0, 16.0, 16.0)) for number in (1, 2, 3, 4)]
    assert recognise(upright).exercise is Exercise.HIP_HINGE


@pytest.mark.parametrize(
    ("figures", "why"),
    [
        (bends(45.0, 35.0, 15.0), "the two thighs flex too differently for a hinge"),
        (bends(0.3, 6.0, 6.0), "it looks a little like squat, but not enough"),
    ],
)
def test_what_fits_nothing_is_other(make_repetition, figures: dict[str, object], why: str) -> None:
    found = recognise([make_repetition(**figures)])
    assert (found.exercise, found.confidence, found.warnings) == (Exercise.OTHER, 0.5, (why,))


def test_a_squat_may_be_a_chair_and_may_be_deeper_than_any_virtual_one(make_repetition) -> None:
    found = recognise([make_repetition(**bends(35.0, 100.0, 99.0))])
    assert (found.exercise, found.confidence) == (Exercise.SQUAT, 0.6)
    assert found.warnings == ("a squat and rising from a chair look alike to pelvis and thighs",)


def test_a_squat_on_one_leg_is_judged_by_that_leg(make_repetition) -> None:
    # Half squats on the right leg of a person (cmu_mbl_exercise), the left one held in front.
    found = recognise([make_repetition(**bends(11.0, 10.0, 28.0, hinge_share=0.28))])
    assert (found.exercise, found.side) == (Exercise.SQUAT, Side.RIGHT)


def test_what_resembles_no_exercise_is_other(make_repetition) -> None:
    found = recognise([make_repetition(**bends(115.0, 12.0, 12.0))])
    assert (found.exercise, found.confidence) == (Exercise.OTHER, 0.5)
    assert found.warnings == ("it looks a little like romanian_deadlift, but not enough",)


def test_without_a_usable_model_the_rules_answer_and_say_so(
    make_repetition, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unusable() -> None:
        raise ModelUnusable("the model of exercises was made with scikit-learn 0.9, 1.9.1 is installed")

    recognition._model.cache_clear()
    monkeypatch.setattr(recognition, "exercise_model", unusable)
    try:
        for name, confidence in (("romanian deadlift", 0.6), ("hip hinge", 0.6), ("squat", 0.8)):
            figures, exercise, _ = SEEN[name]
            found = recognise([make_repetition(**figures)])
            assert (found.exercise, found.confidence) == (exercise, confidence)
            assert found.warnings[-1] == (
                "the model of exercises was made with scikit-learn 0.9, 1.9.1 is installed; "
                "rules decide until then"
            )
    finally:
        recognition._model.cache_clear()


def test_the_model_can_be_there_before_the_first_set() -> None:
    recognition._model.cache_clear()
    recognition.prepare_recognition()
    assert recognition._model.cache_info().currsize == 1


def test_nothing_trained_is_imported_before_the_first_set() -> None:
    code = (
        "import sys, sensor_bridge.cli, analytics.pipeline, analytics.batch\n"
        "assert not {'sklearn', 'skops', 'joblib'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize(
    ("left_deg", "right_deg", "side"),
    [
        (80.0, 60.0, Side.BOTH),  # ratio 1.33
        (82.0, 60.0, Side.LEFT),  # ratio 1.37
        (60.0, 82.0, Side.RIGHT),
        (14.0, 8.0, Side.BOTH),  # a micro hinge: six degrees are no side
    ],
)
def test_one_side_works_from_a_ratio_of_1_35(
    make_repetition, left_deg: float, right_deg: float, side: Side
) -> None:
    odd = make_repetition(1, hip_flexion_left_range_deg=10.0, hip_flexion_right_range_deg=90.0)
    usual = [
        make_repetition(number, hip_flexion_left_range_deg=left_deg, hip_flexion_right_range_deg=right_deg)
        for number in (2, 3, 4)
    ]
    assert working_side([odd, *usual]) is side


def test_one_thigh_shows_no_side(make_repetition) -> None:
    assert working_side([make_repetition(hip_flexion_left_range_deg=None)]) is Side.BOTH


def test_the_figures_of_these_tests_are_consistent() -> None:
    assert bends(60.0, 18.0, -50.0)["hip_flexion_right_range_deg"] == 10.0
    assert np.isclose(float(str(bends(50.0, 38.0, 38.0)["hinge_share"])), 0.568, atol=0.001)
