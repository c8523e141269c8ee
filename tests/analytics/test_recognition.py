from __future__ import annotations

import pytest

from analytics.exercises import Exercise, Side
from analytics.prescription import Prescription
from analytics.recognition import recognise, working_side

SEEN = {
    "romanian deadlift": (
        {},
        Exercise.ROMANIAN_DEADLIFT,
        Side.BOTH,
    ),
    "deadlift": (
        {
            "hinge_share": 0.58,
            "thigh_flexion_left_change_deg": 50.0,
            "thigh_flexion_right_change_deg": 50.0,
            "hip_flexion_left_range_deg": 120.0,
            "hip_flexion_right_range_deg": 120.0,
        },
        Exercise.DEADLIFT,
        Side.BOTH,
    ),
    "shallow hinge": (
        {
            "pelvic_tilt_change_deg": 30.0,
            "hip_flexion_left_range_deg": 40.0,
            "hip_flexion_right_range_deg": 40.0,
        },
        Exercise.HIP_HINGE,
        Side.BOTH,
    ),
    "micro hinge": (
        {
            "pelvic_tilt_change_deg": 9.0,
            "hip_flexion_left_range_deg": 14.0,
            "hip_flexion_right_range_deg": 14.0,
            "hinge_share": 0.6,
        },
        Exercise.MICRO_HINGE,
        Side.BOTH,
    ),
    "single leg, left": (
        {
            "thigh_flexion_left_change_deg": 15.0,
            "thigh_flexion_right_change_deg": -60.0,
            "hip_flexion_left_range_deg": 85.0,
            "hip_flexion_right_range_deg": 12.0,
        },
        Exercise.SINGLE_LEG_DEADLIFT,
        Side.LEFT,
    ),
    "squat": (
        {
            "pelvic_tilt_change_deg": 30.0,
            "thigh_flexion_left_change_deg": 70.0,
            "thigh_flexion_right_change_deg": 70.0,
            "hip_flexion_left_range_deg": 100.0,
            "hip_flexion_right_range_deg": 100.0,
            "hinge_share": 0.3,
        },
        Exercise.SQUAT,
        Side.BOTH,
    ),
    "bridge": (
        {
            "is_supine": True,
            "pelvic_tilt_change_deg": -30.0,
            "thigh_flexion_left_change_deg": -15.0,
            "thigh_flexion_right_change_deg": -16.0,
            "hinge_share": None,
        },
        Exercise.GLUTE_BRIDGE,
        Side.BOTH,
    ),
    "single-leg bridge": (
        {
            "is_supine": True,
            "pelvic_tilt_change_deg": -30.0,
            "thigh_flexion_left_change_deg": -15.0,
            "thigh_flexion_right_change_deg": -28.0,
            "hinge_share": None,
        },
        Exercise.SINGLE_LEG_GLUTE_BRIDGE,
        Side.BOTH,
    ),
}


@pytest.mark.parametrize("name", SEEN)
def test_the_family_comes_from_the_sensors(make_repetition, name: str) -> None:
    figures, exercise, side = SEEN[name]
    found = recognise([make_repetition(number, **figures) for number in (1, 2, 3)])
    assert (found.exercise, found.side) == (exercise, side)


def test_which_hinge_it_was_only_the_prescription_knows(make_repetition) -> None:
    alone = recognise([make_repetition()])
    assert alone.confidence == 0.6
    assert alone.warnings == ("which hinge it was, only a prescription knows",)
    asked = recognise([make_repetition()], Prescription(Exercise.DEADLIFT))
    assert (asked.exercise, asked.confidence) == (Exercise.DEADLIFT, 0.9)


def test_what_was_declared_wins_and_the_contradiction_is_said(make_repetition) -> None:
    figures, _, _ = SEEN["squat"]
    found = recognise([make_repetition(**figures)], Prescription(Exercise.ROMANIAN_DEADLIFT))
    assert found.exercise is Exercise.ROMANIAN_DEADLIFT
    assert found.seen is Exercise.SQUAT
    assert found.confidence == 0.2
    assert found.warnings[-1] == "romanian_deadlift was declared, the movement looks like squat"


@pytest.mark.parametrize("tilt_deg", [20.0, 70.0])
def test_a_pelvis_alone_is_never_sure(make_repetition, tilt_deg: float) -> None:
    pelvis = make_repetition(
        pelvic_tilt_change_deg=tilt_deg,
        thigh_flexion_left_change_deg=None,
        thigh_flexion_right_change_deg=None,
        hip_flexion_left_range_deg=None,
        hip_flexion_right_range_deg=None,
        hinge_share=None,
    )
    alone = recognise([pelvis])
    assert alone.confidence <= 0.7
    assert alone.exercise is (Exercise.HIP_HINGE if tilt_deg > 35 else Exercise.OTHER)
    assert alone.warnings == ("without a thigh sensor a hinge cannot be told from a squat or a chair",)
    asked = recognise([pelvis], Prescription(Exercise.SQUAT))
    assert asked.exercise is Exercise.SQUAT
    assert asked.confidence <= 0.7


def test_a_bridge_declared_and_a_standing_hinge_seen_contradict(make_repetition) -> None:
    found = recognise([make_repetition()], Prescription(Exercise.GLUTE_BRIDGE))
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
