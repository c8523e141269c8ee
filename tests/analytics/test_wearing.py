"""One calibration from set to set and from standing to lying, as long as the sensors stay on."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from analytics.calibration import CalibrationMethod, SegmentCalibration, StillPose
from analytics.imu import Mount, Placement
from analytics.wearing import Wearing

PELVIS, LEFT = Placement.PELVIS, Placement.THIGH_LEFT
UP, BACK = np.array((0.0, 0.0, 1.0)), np.array((1.0, 0.0, 0.0))


def pose(placement: Placement, up: np.ndarray, mount: Mount = Mount.UNKNOWN) -> StillPose:
    return StillPose(placement, mount, up, is_supine=False, was_still=True)


@pytest.fixture
def wearing() -> Wearing:
    calibrations = {
        placement: SegmentCalibration(
            placement, (1.0, 0.0, 0.0, 0.0), CalibrationMethod.MOVEMENT, 1.4, ("a line",)
        )
        for placement in (PELVIS, LEFT)
    }
    return Wearing({PELVIS: pose(PELVIS, UP), LEFT: pose(LEFT, UP)}, calibrations)


def leant(lean_deg: float) -> np.ndarray:
    return np.array((-np.sin(np.radians(lean_deg)), 0.0, np.cos(np.radians(lean_deg))))


def test_what_is_kept_comes_back_through_json(wearing: Wearing) -> None:
    again = Wearing.from_dict(json.loads(json.dumps(wearing.to_dict())))
    assert again.calibrations == wearing.calibrations
    np.testing.assert_array_equal(again.poses[LEFT].up_sensor, UP)
    assert again.poses[LEFT].mount is Mount.UNKNOWN


def test_a_direction_that_is_none_is_refused(wearing: Wearing) -> None:
    kept = wearing.to_dict()
    kept["pelvis"]["up_sensor"] = [0.0, 0.0, 0.5]
    with pytest.raises(ValueError, match="pelvis: up_sensor is no direction"):
        Wearing.from_dict(kept)


def test_standing_and_lying_are_recognised(wearing: Wearing) -> None:
    assert wearing.recognises({PELVIS: pose(PELVIS, leant(3.0)), LEFT: pose(LEFT, leant(-4.0))}) is False
    # On the back the pelvis' forward points up.
    assert wearing.recognises({PELVIS: pose(PELVIS, BACK), LEFT: pose(LEFT, leant(-120.0))}) is True


def test_a_sensor_that_sits_otherwise_is_not_recognised(wearing: Wearing) -> None:
    assert wearing.recognises({PELVIS: pose(PELVIS, leant(15.0)), LEFT: pose(LEFT, UP)}) is None
    assert wearing.recognises({PELVIS: pose(PELVIS, UP), LEFT: pose(LEFT, UP, Mount.THIGH_LATERAL)}) is None
    fewer = replace(wearing, poses={PELVIS: wearing.poses[PELVIS]})
    assert fewer.recognises({PELVIS: pose(PELVIS, UP), LEFT: pose(LEFT, UP)}) is None
