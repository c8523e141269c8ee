from __future__ import annotations

import math

import numpy as np
import pytest

from analytics.calibration import (
    CalibrationMethod,
    StillPose,
    nominal_segment_from_sensor,
)
from analytics.calibration_lying import lies_on_back, lying_calibration
from analytics.imu import Mount, Placement
from analytics.quaternions import to_matrix, turn_about_z

PELVIS, LEFT_THIGH, RIGHT_THIGH = Placement.PELVIS, Placement.THIGH_LEFT, Placement.THIGH_RIGHT

# Where the axes of a sensor worn as asked point: (x to the right of someone facing it, z out of the skin),
# in segment_frame (x forward, y left, z up).
SEATS = [
    (PELVIS, Mount.SACRUM, (0, -1, 0), (-1, 0, 0)),
    (PELVIS, Mount.BELLY, (0, 1, 0), (1, 0, 0)),
    (PELVIS, Mount.HIP_LEFT, (-1, 0, 0), (0, 1, 0)),
    (PELVIS, Mount.HIP_RIGHT, (1, 0, 0), (0, -1, 0)),
    (LEFT_THIGH, Mount.THIGH_LATERAL, (-1, 0, 0), (0, 1, 0)),
    (RIGHT_THIGH, Mount.THIGH_LATERAL, (1, 0, 0), (0, -1, 0)),
    (LEFT_THIGH, Mount.THIGH_ANTERIOR, (0, 1, 0), (1, 0, 0)),
    (RIGHT_THIGH, Mount.THIGH_ANTERIOR, (0, 1, 0), (1, 0, 0)),
]
IDS = [f"{placement}-{mount}" for placement, mount, _, _ in SEATS]


def matrix_of(pose: StillPose) -> np.ndarray:
    return to_matrix(pose.initial().segment_from_sensor)


@pytest.mark.parametrize(("placement", "mount", "x", "z"), SEATS, ids=IDS)
def test_axes_of_a_sensor_worn_as_asked(placement: Placement, mount: Mount, x: tuple, z: tuple) -> None:
    nominal = nominal_segment_from_sensor(placement, mount)
    np.testing.assert_array_equal(nominal, np.stack((x, (0, 0, 1), z), axis=1))


@pytest.mark.parametrize(("placement", "mount", "x", "z"), SEATS, ids=IDS)
@pytest.mark.parametrize("turned_deg", [0.0, 30.0, 90.0, 179.0, 180.0, -120.0])
def test_gravity_corrects_any_turn_about_the_skin_normal(
    placement: Placement, mount: Mount, x: tuple, z: tuple, turned_deg: float
) -> None:
    true = np.stack((x, (0, 0, 1), z), axis=1) @ turn_about_z(math.radians(turned_deg))
    up_sensor = true.T @ (0.0, 0.0, 1.0)
    pose = StillPose(placement, mount, up_sensor, is_supine=False, was_still=True)
    np.testing.assert_allclose(matrix_of(pose), true, atol=1e-9)


def test_a_mount_that_leans_and_is_upside_down_is_corrected() -> None:
    # Worn at the left hip, leaning 12 deg off the skin about the forward axis, upside-down.
    lean = math.radians(12.0)
    leaning = np.array(((1, 0, 0), (0, math.cos(lean), -math.sin(lean)), (0, math.sin(lean), math.cos(lean))))
    worn = leaning @ np.array(((-1, 0, 0), (0, 0, 1), (0, 1, 0))).T @ turn_about_z(math.pi)
    pose = StillPose(PELVIS, Mount.HIP_LEFT, worn.T @ (0.0, 0.0, 1.0), is_supine=False, was_still=True)
    np.testing.assert_allclose(matrix_of(pose), worn, atol=1e-9)


def test_an_unknown_mount_knows_up_and_nothing_else() -> None:
    up = np.array((0.6, -0.8, 0.0))
    pose = StillPose(PELVIS, Mount.UNKNOWN, up, is_supine=False, was_still=True)
    calibration = pose.initial()
    np.testing.assert_allclose(to_matrix(calibration.segment_from_sensor) @ up, (0.0, 0.0, 1.0), atol=1e-12)
    assert calibration.method is CalibrationMethod.VERTICAL
    assert not calibration.is_yaw_known
    assert calibration.quality_deg == 180.0


def test_lying_on_an_unknown_pelvis_mount_is_minus_90_degrees() -> None:
    up = np.array((0.0, 0.6, 0.8))
    pose = StillPose(PELVIS, Mount.UNKNOWN, up, is_supine=True, was_still=True)
    np.testing.assert_allclose(lying_calibration(pose).still_up_segment, (1.0, 0.0, 0.0), atol=1e-12)


def test_without_stillness_the_quality_is_lower_and_it_is_said() -> None:
    up = np.array((0.0, 1.0, 0.0))
    still = StillPose(PELVIS, Mount.SACRUM, up, is_supine=False, was_still=True).initial()
    restless = StillPose(PELVIS, Mount.SACRUM, up, is_supine=False, was_still=False).initial()
    assert (still.quality_deg, restless.quality_deg) == (8.0, 9.0)
    assert still.warnings == ()
    assert "no stillness at the start" in restless.warnings[0]


@pytest.mark.parametrize(
    ("placement", "mount", "up_sensor", "expected"),
    [
        pytest.param(PELVIS, Mount.SACRUM, (0, 1, 0), False, id="sacrum, standing"),
        pytest.param(PELVIS, Mount.SACRUM, (0, 0, -1), True, id="sacrum, on the back"),
        pytest.param(PELVIS, Mount.SACRUM, (0, 0, 1), False, id="sacrum, face down"),
        pytest.param(PELVIS, Mount.BELLY, (0, 0.2, 0.98), True, id="belly, on the back"),
        pytest.param(PELVIS, Mount.HIP_LEFT, (-1, 0, 0), True, id="left hip, on the back"),
        pytest.param(PELVIS, Mount.HIP_LEFT, (0, 1, 0), False, id="left hip, standing"),
        pytest.param(LEFT_THIGH, Mount.THIGH_LATERAL, (-0.7, -0.7, 0), True, id="thigh, bent knees up"),
        pytest.param(LEFT_THIGH, Mount.THIGH_LATERAL, (0, 1, 0), False, id="thigh, standing"),
        pytest.param(PELVIS, Mount.UNKNOWN, (0, 1, 0), None, id="unknown mount"),
    ],
)
def test_lying_is_seen_by_a_declared_mount(
    placement: Placement, mount: Mount, up_sensor: tuple, expected: bool | None
) -> None:
    assert lies_on_back(placement, mount, np.array(up_sensor, dtype=np.float64)) is expected
