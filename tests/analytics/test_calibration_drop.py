"""A drop of the pelvis and a turned sensor, told apart over the whole lowering."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from analytics.calibration_drop import DropParameters, PelvisPath, fit_yaw_beside_drop
from analytics.calibration_yaw import YawParameters

RATE_HZ = 10.0


def path_of(
    *, yaw_deg: float, drop_deg: float = 0.0, opening_deg: float = 0.0, tilt_deg: float = 70.0
) -> PelvisPath:
    """Lower and rise in ten seconds; the sensor is turned by minus the yaw that would put it right."""
    depth = np.sin(np.linspace(0.0, np.pi, 100)) ** 2
    pelvis = (
        Rotation.from_rotvec(np.outer(-drop_deg * depth, (1.0, 0.0, 0.0)), degrees=True)
        * Rotation.from_rotvec(np.outer(tilt_deg * depth, (0.0, 1.0, 0.0)), degrees=True)
        * Rotation.from_rotvec(np.outer(opening_deg * depth, (0.0, 0.0, 1.0)), degrees=True)
    )
    xyzw = (pelvis * Rotation.from_euler("z", yaw_deg, degrees=True)).as_quat()
    return PelvisPath(xyzw[:, [3, 0, 1, 2]], RATE_HZ)


@pytest.mark.parametrize(("drop_deg", "opening_deg"), [(0.0, 0.0), (18.0, 0.0), (0.0, 18.0), (-12.0, 8.0)])
def test_a_real_drop_or_opening_does_not_turn_the_sensor(drop_deg: float, opening_deg: float) -> None:
    path = path_of(yaw_deg=6.0, drop_deg=drop_deg, opening_deg=opening_deg)
    told = fit_yaw_beside_drop([path], np.eye(3), 0.0, DropParameters())
    assert told is not None
    yaw_rad, sd_deg = told
    assert math.degrees(yaw_rad) == pytest.approx(6.0, abs=2.5)
    assert 2.0 < sd_deg < 5.0


def test_more_repetitions_make_it_surer() -> None:
    one = fit_yaw_beside_drop([path_of(yaw_deg=6.0)], np.eye(3), 0.0, DropParameters())
    three = fit_yaw_beside_drop([path_of(yaw_deg=6.0)] * 3, np.eye(3), 0.0, DropParameters())
    assert one is not None
    assert three is not None
    assert three[1] < one[1]


def test_a_small_bend_says_nothing() -> None:
    assert (
        fit_yaw_beside_drop([path_of(yaw_deg=6.0, tilt_deg=10.0)], np.eye(3), 0.0, DropParameters()) is None
    )


@pytest.mark.parametrize("lean_deg", [1.5, -1.5])
def test_a_lean_on_two_legs_hardly_turns_the_sensor(lean_deg: float) -> None:
    paths = [path_of(yaw_deg=6.0, drop_deg=lean_deg, tilt_deg=55.0)] * 3
    # By the direction of the movement alone it would be off by 1.5 over the sine of the tilt: 1.8 degrees.
    told = fit_yaw_beside_drop(paths, np.eye(3), 0.0, YawParameters().both_legs_drop)
    assert told is not None
    assert math.degrees(told[0]) == pytest.approx(6.0, abs=1.2)
    assert told[1] < 1.3
