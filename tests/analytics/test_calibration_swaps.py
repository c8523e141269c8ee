"""Sensors in each other's places are told by where the hip joints lie from them."""

from __future__ import annotations

import numpy as np

from analytics.calibration_borrowed_yaw import BorrowedYaw
from analytics.calibration_swaps import SwapParameters, swap_warnings
from analytics.hip_joint import HipJoint
from analytics.imu import Placement

PELVIS, LEFT, RIGHT = Placement.PELVIS, Placement.THIGH_LEFT, Placement.THIGH_RIGHT


def said(
    thigh: Placement, from_pelvis_m: tuple[float, float, float], above_thigh_m: float = 0.2
) -> BorrowedYaw:
    joint = HipJoint(
        turn_rad=0.0,
        cost_ratio=0.1,
        from_pelvis_m=np.array(from_pelvis_m),
        from_thigh_m=np.array((0.0, 0.0, above_thigh_m)),
        from_pelvis_covariance_m2=1e-4 * np.eye(3),
        middle=100.0,
    )
    return BorrowedYaw(thigh, 0.0, 6.0, joint)


RIGHTLY = [said(LEFT, (0.1, 0.08, -0.1)), said(RIGHT, (0.1, -0.08, -0.1))]
CROSSED = [said(LEFT, (0.1, -0.08, -0.1)), said(RIGHT, (0.1, 0.08, -0.1))]
UPSIDE_DOWN = [said(LEFT, (0.0, 0.0, 0.2), -0.1), said(RIGHT, (0.0, 0.0, 0.2), 0.2)]


def test_sensors_in_their_own_places_are_not_warned_of() -> None:
    assert swap_warnings([RIGHTLY] * 3, 0.0, SwapParameters()) == {}


def test_thighs_that_were_swapped_are_both_told() -> None:
    warnings = swap_warnings([CROSSED] * 3, 0.0, SwapParameters())
    assert set(warnings) == {LEFT, RIGHT}
    assert "two thighs seem to be swapped" in warnings[LEFT]


def test_left_is_where_the_calibration_of_the_pelvis_puts_it() -> None:
    # Turned half round the vertical, what lies at +y of the levelled frame lies to the right.
    assert set(swap_warnings([RIGHTLY] * 3, np.pi, SwapParameters())) == {LEFT, RIGHT}


def test_pelvis_and_thigh_that_were_swapped_are_both_told() -> None:
    warnings = swap_warnings([UPSIDE_DOWN] * 2, 0.0, SwapParameters())
    assert set(warnings) == {PELVIS, LEFT}
    assert "pelvis and thigh_left seem to be swapped" in warnings[PELVIS]


def test_one_repetition_is_not_enough_and_two_not_for_the_thighs() -> None:
    assert swap_warnings([UPSIDE_DOWN], 0.0, SwapParameters()) == {}
    assert swap_warnings([CROSSED] * 2, 0.0, SwapParameters()) == {}
