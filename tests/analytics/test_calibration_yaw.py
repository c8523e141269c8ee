from __future__ import annotations

import math

import numpy as np
import pytest

from analytics.calibration import CalibrationMethod, StillPose
from analytics.calibration_yaw import YawParameters, find_excursion, fit_yaws
from analytics.imu import Mount, Placement
from analytics.quaternions import rotate_vectors, to_matrix, turn_about_z

PELVIS, LEFT, RIGHT = Placement.PELVIS, Placement.THIGH_LEFT, Placement.THIGH_RIGHT
WORN = {
    (PELVIS, Mount.SACRUM): np.array(((0.0, 0, -1), (-1, 0, 0), (0, 1, 0))),
    (LEFT, Mount.THIGH_LATERAL): np.array(((-1.0, 0, 0), (0, 0, 1), (0, 1, 0))),
    (RIGHT, Mount.THIGH_LATERAL): np.array(((1.0, 0, 0), (0, 0, -1), (0, 1, 0))),
}


def bend(placement: Placement, largest_deg: float, side_deg: float = 0.0) -> np.ndarray:
    """Up in segment_frame over one repetition: tilt (pelvis) or flexion (thigh), and a side-bend with it."""
    share = np.sin(np.linspace(0.0, math.pi, 400))
    lean = np.radians(largest_deg) * share
    side = np.radians(side_deg) * share
    forward = -np.sin(lean) if placement is PELVIS else np.sin(lean)
    return np.stack((forward * np.cos(side), -np.sin(side), np.cos(lean) * np.cos(side)), axis=1)


def wear(
    placement: Placement, declared: Mount, worn_at: Mount, crooked_deg: float, up_segment: np.ndarray
) -> tuple[StillPose, np.ndarray]:
    """Still pose and directions of up in a sensor that is turned about the vertical by ``crooked_deg``."""
    segment_from_sensor = turn_about_z(math.radians(crooked_deg)) @ WORN[placement, worn_at]
    up_sensor = rotate_vectors(segment_from_sensor.T, up_segment)
    still = segment_from_sensor.T @ (0.0, 0.0, 1.0)
    return StillPose(placement, declared, still, is_supine=False, was_still=True), up_sensor


def seen(calibration_wxyz: tuple[float, float, float, float], up_sensor: np.ndarray) -> np.ndarray:
    return rotate_vectors(to_matrix(calibration_wxyz), up_sensor)


@pytest.mark.parametrize("crooked_deg", [-160.0, -70.0, 0.0, 25.0, 110.0])
def test_forward_of_an_unknown_pelvis_mount_is_where_it_leans(crooked_deg: float) -> None:
    up = bend(PELVIS, 50.0)
    pose, sensed = wear(PELVIS, Mount.UNKNOWN, Mount.SACRUM, crooked_deg, up)
    fitted = fit_yaws({PELVIS: pose}, {PELVIS: sensed})[PELVIS]
    assert fitted.method is CalibrationMethod.MOVEMENT
    np.testing.assert_allclose(seen(fitted.segment_from_sensor, sensed), up, atol=1e-9)


def test_quality_of_a_hinge_is_that_of_people() -> None:
    pose, sensed = wear(PELVIS, Mount.UNKNOWN, Mount.SACRUM, 0.0, bend(PELVIS, 50.0))
    assert fit_yaws({PELVIS: pose}, {PELVIS: sensed})[PELVIS].quality_deg == pytest.approx(1.47, abs=0.05)


def test_a_declared_mount_and_the_movement_are_weighed_against_each_other() -> None:
    up = bend(PELVIS, 50.0)
    pose, sensed = wear(PELVIS, Mount.SACRUM, Mount.SACRUM, 12.0, up)
    fitted = fit_yaws({PELVIS: pose}, {PELVIS: sensed})[PELVIS]
    assert fitted.method is CalibrationMethod.MOUNT_AND_MOVEMENT
    assert fitted.quality_deg < 1.47
    # 12 deg of yaw at 50 deg of tilt would be 9 deg of side-bend; 0.4 deg of the yaw stays.
    worst = float(np.max(np.abs(np.degrees(np.arcsin(seen(fitted.segment_from_sensor, sensed)[:, 1])))))
    assert worst == pytest.approx(0.30, abs=0.05)


def test_a_thigh_that_hardly_moves_keeps_its_nominal_yaw() -> None:
    pose, sensed = wear(LEFT, Mount.THIGH_LATERAL, Mount.THIGH_LATERAL, 10.0, bend(LEFT, 2.5))
    fitted = fit_yaws({LEFT: pose}, {LEFT: sensed})[LEFT]
    assert fitted == pose.initial()


@pytest.mark.parametrize("worn_deg", [90.0, -90.0, 180.0])
def test_a_wrongly_declared_mount_is_found_out(worn_deg: float) -> None:
    up = bend(PELVIS, 40.0)
    pose, sensed = wear(PELVIS, Mount.SACRUM, Mount.SACRUM, worn_deg, up)
    fitted = fit_yaws({PELVIS: pose}, {PELVIS: sensed})[PELVIS]
    assert fitted.method is CalibrationMethod.MOVEMENT
    assert "not at the sacrum as declared" in fitted.warnings[0]
    np.testing.assert_allclose(seen(fitted.segment_from_sensor, sensed), up, atol=1e-9)


def test_the_free_leg_of_single_leg_work_goes_back() -> None:
    ups = {PELVIS: bend(PELVIS, 70.0), LEFT: bend(LEFT, 12.0), RIGHT: bend(RIGHT, -65.0)}
    worn = {p: wear(p, Mount.UNKNOWN, m, 40.0, ups[p]) for p, m in WORN}
    fitted = fit_yaws({p: worn[p][0] for p in worn}, {p: worn[p][1] for p in worn})
    for placement, up in ups.items():
        got = seen(fitted[placement].segment_from_sensor, worn[placement][1])
        np.testing.assert_allclose(got, up, atol=1e-9, err_msg=placement)
        # Knees go out over the toes; and only the leg that stands does not go where the pelvis goes.
        expected_deg = {PELVIS: 10.0, LEFT: 10.19, RIGHT: 11.41}[placement]
        assert fitted[placement].quality_deg == pytest.approx(expected_deg, abs=0.01)


@pytest.mark.parametrize(
    ("tilt_deg", "standing_deg", "free_deg"),
    [(48.0, 20.0, -39.0), (50.0, 21.0, -42.0), (30.0, 12.0, -24.0), (70.0, 35.0, -65.0)],
)
def test_a_bent_standing_leg_does_not_hide_the_free_one(
    tilt_deg: float, standing_deg: float, free_deg: float
) -> None:
    ups = {PELVIS: bend(PELVIS, tilt_deg), LEFT: bend(LEFT, standing_deg), RIGHT: bend(RIGHT, free_deg)}
    worn = {p: wear(p, Mount.UNKNOWN, m, 40.0, ups[p]) for p, m in WORN}
    fitted = fit_yaws({p: worn[p][0] for p in worn}, {p: worn[p][1] for p in worn})
    for placement, up in ups.items():
        got = seen(fitted[placement].segment_from_sensor, worn[placement][1])
        np.testing.assert_allclose(got, up, atol=1e-9, err_msg=placement)


@pytest.mark.parametrize(
    ("tilt_deg", "left_deg", "right_deg"),
    [
        (20.0, 75.0, 30.0),  # the front leg of a lunge
        (50.0, 16.0, 24.0),  # an uneven hinge
    ],
)
def test_a_thigh_that_goes_forward_more_than_the_other_is_no_free_leg(
    tilt_deg: float, left_deg: float, right_deg: float
) -> None:
    ups = {PELVIS: bend(PELVIS, tilt_deg), LEFT: bend(LEFT, left_deg), RIGHT: bend(RIGHT, right_deg)}
    worn = {p: wear(p, Mount.UNKNOWN, m, 40.0, ups[p]) for p, m in WORN}
    fitted = fit_yaws({p: worn[p][0] for p in worn}, {p: worn[p][1] for p in worn})
    for placement, up in ups.items():
        got = seen(fitted[placement].segment_from_sensor, worn[placement][1])
        np.testing.assert_allclose(got, up, atol=1e-9, err_msg=placement)


def test_one_leg_may_be_declared_where_no_thigh_sensor_can_tell() -> None:
    pose, sensed = wear(PELVIS, Mount.UNKNOWN, Mount.SACRUM, 0.0, bend(PELVIS, 70.0))
    fitted = fit_yaws({PELVIS: pose}, {PELVIS: sensed}, one_leg_declared=True)[PELVIS]
    assert fitted.quality_deg == pytest.approx(10.0)


def test_the_rear_leg_of_a_lunge_is_not_a_wrong_declaration() -> None:
    ups = {PELVIS: bend(PELVIS, 25.0), LEFT: bend(LEFT, 60.0), RIGHT: bend(RIGHT, -40.0)}
    worn = {p: wear(p, m, m, 0.0, ups[p]) for p, m in WORN}
    fitted = fit_yaws({p: worn[p][0] for p in worn}, {p: worn[p][1] for p in worn})
    assert [c.warnings for c in fitted.values()] == [(), (), ()]
    got = seen(fitted[RIGHT].segment_from_sensor, worn[RIGHT][1])
    np.testing.assert_allclose(got, ups[RIGHT], atol=1e-6)


def test_swapped_thigh_sensors_are_found_out() -> None:
    ups = {PELVIS: bend(PELVIS, 40.0), LEFT: bend(LEFT, 20.0), RIGHT: bend(RIGHT, 20.0)}
    worn = {p: wear(p, m, m, 180.0 if p is not PELVIS else 0.0, ups[p]) for p, m in WORN}
    fitted = fit_yaws({p: worn[p][0] for p in worn}, {p: worn[p][1] for p in worn})
    assert fitted[PELVIS].warnings == ()
    assert "not at the thigh_lateral as declared" in fitted[LEFT].warnings[0]
    assert "not at the thigh_lateral as declared" in fitted[RIGHT].warnings[0]


def test_lifting_the_hips_tells_forward_of_an_unknown_pelvis_mount_lying() -> None:
    tilt = np.radians(-90.0 - 25.0 * np.sin(np.linspace(0.0, math.pi, 300)))
    up = np.stack((-np.sin(tilt), np.zeros(300), np.cos(tilt)), axis=1)
    segment_from_sensor = turn_about_z(1.0) @ WORN[PELVIS, Mount.SACRUM]
    sensed = rotate_vectors(segment_from_sensor.T, up)
    still = segment_from_sensor.T @ (1.0, 0.0, 0.0)
    pose = StillPose(PELVIS, Mount.UNKNOWN, still, is_supine=True, was_still=True)
    fitted = fit_yaws({PELVIS: pose}, {PELVIS: sensed})[PELVIS]
    np.testing.assert_allclose(seen(fitted.segment_from_sensor, sensed), up, atol=1e-9)


def test_flatness_tells_a_hinge_from_a_circle() -> None:
    angles = np.linspace(0.0, 2.0 * math.pi, 200)
    circle = np.stack((0.3 * np.cos(angles), 0.3 * np.sin(angles), np.full(200, 0.95)), axis=1)
    hinge, round_trip = (
        find_excursion(bend(PELVIS, 30.0), YawParameters()),
        find_excursion(circle, YawParameters()),
    )
    assert hinge is not None
    assert round_trip is not None
    assert hinge.flatness == pytest.approx(0.0, abs=1e-6)
    assert round_trip.flatness == pytest.approx(1.0, abs=0.02)
    assert math.degrees(hinge.largest_rad) == pytest.approx(30.0, abs=0.1)


def test_a_leg_that_leans_over_its_foot_is_seen_about_its_own_mean() -> None:
    level = np.radians(np.linspace(0.0, 20.0, 50))
    up = np.stack((np.sin(level), np.full(50, np.sin(np.radians(6.0))), np.cos(level)), axis=1)
    up /= np.linalg.norm(up, axis=1)[:, None]
    about_zero = find_excursion(up, YawParameters())
    about_mean = find_excursion(up, YawParameters(), from_its_mean=True)
    assert about_zero is not None
    assert about_mean is not None
    assert np.degrees(about_zero.heading_rad) > 15.0
    assert np.degrees(about_mean.heading_rad) == pytest.approx(0.0, abs=1.0)
