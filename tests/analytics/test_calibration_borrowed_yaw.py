from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

import hardware_sim
from analytics.alignment import AlignedBlock, SegmentSamples
from analytics.calibration import CalibrationMethod, SegmentCalibration, StillPose
from analytics.calibration_borrowed_yaw import BorrowedYaw, borrow_yaws, pooled_differences, with_borrowed_yaw
from analytics.imu import Mount, Placement
from analytics.orientation import remeasure
from analytics.quaternions import to_matrix, up_in_sensor

PELVIS, LEFT, RIGHT = Placement.PELVIS, Placement.THIGH_LEFT, Placement.THIGH_RIGHT


def samples_of(acc: np.ndarray, gyr: np.ndarray) -> SegmentSamples:
    n = len(acc)
    quat = remeasure(acc, gyr, 100.0, bias_rad_s=np.zeros(3), bias_sigma_rad_s=0.01)
    yes = np.ones(n, dtype=np.bool_)
    return SegmentSamples(quat, acc, gyr, np.zeros((n, 3)), np.zeros(n), yes, yes, yes, yes)


@pytest.fixture(scope="module")
def lift() -> tuple[AlignedBlock, dict[Placement, StillPose], dict[Placement, np.ndarray]]:
    """One single-leg lift with two seconds of standing on both sides, sensors without errors."""
    scenario = replace(hardware_sim.load_scenario("single_leg_deadlift_left"), repetitions=1)
    sensors = tuple(
        replace(worn, model="perfect", tissue=0.0, crooked_sd_deg=10.0) for worn in scenario.sensors
    )
    scenario = replace(scenario, sensors=sensors, body=replace(scenario.body, toe_out_deg=0.0))
    performance = hardware_sim.simulate(scenario, seed=4)
    columns = hardware_sim.trace_columns(performance)
    segments = {
        placement: samples_of(
            np.stack([columns[f"{placement}_a{axis}"] for axis in "xyz"], axis=1),
            np.stack([columns[f"{placement}_g{axis}"] for axis in "xyz"], axis=1),
        )
        for placement in Placement
    }
    poses = {}
    for placement, samples in segments.items():
        up = np.mean(up_in_sensor(samples.earth_from_sensor_wxyz)[:200], axis=0)
        poses[placement] = StillPose(
            placement, Mount.UNKNOWN, up / np.linalg.norm(up), is_supine=False, was_still=True
        )
    worn = hardware_sim.truth_document(performance)["sensors"]
    true = {Placement(s["placement"]): to_matrix(tuple(s["segment_from_sensor_wxyz"])) for s in worn}
    return AlignedBlock(0, 0, 100.0, 0.0, segments), poses, true


def yaw_deg(segment_from_sensor: np.ndarray, pose: StillPose) -> float:
    turn = segment_from_sensor @ pose.levelled().T
    return math.degrees(math.atan2(turn[1, 0], turn[0, 0]))


def test_both_thighs_find_the_yaw_of_the_pelvis(lift: tuple) -> None:
    window, poses, true = lift
    borrowed = borrow_yaws(window, poses)
    assert [entry.thigh for entry in borrowed] == [LEFT, RIGHT]
    for entry in borrowed:
        truth_deg = yaw_deg(true[PELVIS], poses[PELVIS]) - yaw_deg(true[entry.thigh], poses[entry.thigh])
        error_deg = math.remainder(math.degrees(entry.difference_rad) - truth_deg, 360.0)
        assert abs(error_deg) < 6.0
        assert 6.0 <= entry.sd_deg < 7.0
        # No wearer has a pelvis sensor below the hip joint, or a thigh sensor above it.
        assert entry.joint is not None
        assert entry.joint.from_pelvis_m[2] < -0.03
        assert entry.joint.from_thigh_m[2] > 0.1


def test_nothing_is_borrowed_from_less_than_four_seconds(lift: tuple) -> None:
    window, poses, _ = lift
    assert borrow_yaws(window.cut(300, 690), poses) == []


def test_nothing_is_borrowed_across_a_hole(lift: tuple) -> None:
    window, poses, _ = lift
    received = window.segments[LEFT].is_received.copy()
    received[500:510] = False
    broken = replace(
        window, segments={**window.segments, LEFT: replace(window.segments[LEFT], is_received=received)}
    )
    assert [entry.thigh for entry in borrow_yaws(broken, poses)] == [RIGHT]


def level_pose(placement: Placement) -> StillPose:
    return StillPose(placement, Mount.UNKNOWN, np.array((0.0, 0.0, 1.0)), is_supine=False, was_still=True)


def calibration(placement: Placement, yaw: float, quality_deg: float) -> SegmentCalibration:
    half = math.radians(yaw) / 2.0
    return SegmentCalibration(
        placement, (math.cos(half), 0.0, 0.0, math.sin(half)), CalibrationMethod.MOVEMENT, quality_deg
    )


def yaw_of(result: SegmentCalibration) -> float:
    w, _, _, z = result.segment_from_sensor
    return math.degrees(2.0 * math.atan2(z, w))


def test_the_surer_of_both_weighs_more() -> None:
    calibrations = {PELVIS: calibration(PELVIS, 0.0, 10.0), LEFT: calibration(LEFT, 30.0, 5.0)}
    poses = {p: level_pose(p) for p in calibrations}
    # The thigh says: 20 deg less than mine, so 10 deg.
    said = [BorrowedYaw(LEFT, math.radians(-20.0), 5.0)]
    pelvis = with_borrowed_yaw(calibrations, poses, pooled_differences(said))[PELVIS]
    assert yaw_of(pelvis) == pytest.approx(8.0)
    assert pelvis.quality_deg == pytest.approx(4.4721, abs=1e-3)


def test_what_contradicts_the_pelvis_is_not_borrowed() -> None:
    calibrations = {PELVIS: calibration(PELVIS, 0.0, 10.0), LEFT: calibration(LEFT, 90.0, 5.0)}
    poses = {p: level_pose(p) for p in calibrations}
    assert (
        with_borrowed_yaw(calibrations, poses, pooled_differences([BorrowedYaw(LEFT, 0.0, 5.0)]))
        == calibrations
    )


def test_two_thighs_are_one_source() -> None:
    calibrations = {
        PELVIS: calibration(PELVIS, 0.0, 10.0),
        LEFT: calibration(LEFT, 6.0, 5.0),
        RIGHT: calibration(RIGHT, -6.0, 5.0),
    }
    poses = {p: level_pose(p) for p in calibrations}
    said = [BorrowedYaw(LEFT, 0.0, 5.0), BorrowedYaw(RIGHT, 0.0, 5.0)]
    pelvis = with_borrowed_yaw(calibrations, poses, pooled_differences(said))[PELVIS]
    assert yaw_of(pelvis) == pytest.approx(0.0, abs=1e-9)
    assert pelvis.quality_deg == pytest.approx(3.714, abs=1e-3)  # 10 and 0.8 of 5


def test_the_leg_that_stands_is_asked_not_the_one_that_swings_with_the_pelvis() -> None:
    calibrations = {
        PELVIS: calibration(PELVIS, 0.0, 10.0),
        LEFT: calibration(LEFT, 6.0, 5.0),
        RIGHT: calibration(RIGHT, -30.0, 10.0),
    }
    poses = {p: level_pose(p) for p in calibrations}
    said = [BorrowedYaw(LEFT, 0.0, 5.0), BorrowedYaw(RIGHT, 0.0, 5.0)]
    pelvis = with_borrowed_yaw(calibrations, poses, pooled_differences(said), free_leg=RIGHT)[PELVIS]
    assert yaw_of(pelvis) == pytest.approx(4.8)
    assert pelvis.quality_deg == pytest.approx(4.4721, abs=1e-3)


def test_the_pelvis_lends_its_yaw_to_the_leg_that_swings_with_it() -> None:
    calibrations = {PELVIS: calibration(PELVIS, 0.0, 3.0), RIGHT: calibration(RIGHT, -30.0, 10.0)}
    poses = {p: level_pose(p) for p in calibrations}
    said = pooled_differences([BorrowedYaw(RIGHT, 0.0, 4.0)])
    after = with_borrowed_yaw(calibrations, poses, said, free_leg=RIGHT)
    assert after[PELVIS] == calibrations[PELVIS]
    assert yaw_of(after[RIGHT]) == pytest.approx(-6.0)  # 10 of its own against 5 by the pelvis
