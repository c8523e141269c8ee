"""A clip that slips between two repetitions, and what is not one."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from analytics.calibration import CalibrationMethod, SegmentCalibration
from analytics.imu import Placement
from analytics.slip import Slip, SlipDetector

PELVIS, LEFT, RIGHT = Placement.PELVIS, Placement.THIGH_LEFT, Placement.THIGH_RIGHT


def up(lean_deg: float) -> np.ndarray:
    return np.array((-math.sin(math.radians(lean_deg)), 0.0, math.cos(math.radians(lean_deg))))


def slips_of(pelvis: list[float], left: list[float], right: list[float]) -> list[Slip]:
    """Tops after standing straight, lean in degrees."""
    detector = SlipDetector({PELVIS: up(0.0), LEFT: up(0.0), RIGHT: up(0.0)})
    found = []
    for leans in zip(pelvis, left, right, strict=True):
        found += detector.push(dict(zip((PELVIS, LEFT, RIGHT), map(up, leans), strict=True)))
    return found


def test_one_sensor_that_stays_turned_has_slipped() -> None:
    slips = slips_of([1.0, 0.0, 1.0], [0.0, 15.0, 14.0], [1.0, 2.0, 0.0])
    assert [slip.placement for slip in slips] == [LEFT]
    assert slips[0].angle_deg == pytest.approx(14.5, abs=0.2)


def test_it_is_said_once() -> None:
    left = [0.0, 0.0, 15.0, 15.0, 15.0, 15.0]
    assert len(slips_of([0.0] * 6, left, [0.0] * 6)) == 1


def test_a_soft_lockout_of_the_hips_is_no_slip() -> None:
    assert slips_of([0.0, 9.0, 9.0], [0.0, 8.0, 8.0], [0.0, 8.0, 8.0]) == []


def test_one_top_alone_is_no_slip() -> None:
    assert slips_of([0.0, 12.0, 0.0, 0.0], [0.0] * 4, [0.0] * 4) == []


def test_a_sensor_worn_alone_cannot_tell() -> None:
    detector = SlipDetector({PELVIS: up(0.0)})
    assert [detector.push({PELVIS: up(lean)}) for lean in (0.0, 12.0, 12.0)] == [[], [], []]


def test_it_is_noted_with_the_calibration() -> None:
    found = SegmentCalibration(LEFT, (1.0, 0.0, 0.0, 0.0), CalibrationMethod.MOUNT, 6.0, ("no gyroscope",))
    noted = Slip(LEFT, 14.4).noted_in(found)
    assert noted.slip_deg == 14.4
    assert noted.warnings[0] == "no gyroscope"
    assert "slipped by 14 degrees" in noted.warnings[1]
    assert replace(noted, slip_deg=None, warnings=found.warnings) == found
