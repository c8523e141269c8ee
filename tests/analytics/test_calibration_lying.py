from __future__ import annotations

import math

import numpy as np
import pytest

import hardware_sim
from analytics.batch import analyse
from analytics.calibration import CalibrationMethod, StillPose, nominal_segment_from_sensor
from analytics.calibration_lying import lies_on_back, lying_calibration
from analytics.calibration_yaw import fit_yaws
from analytics.imu import ImuBlock, Mount, Placement
from analytics.pipeline import AthleteSetup
from analytics.pipeline_output import RepetitionEvent, SetEvent
from analytics.quaternions import rotate_vectors, to_matrix, turn_about_z

PELVIS, LEFT = Placement.PELVIS, Placement.THIGH_LEFT


def lift(placement: Placement) -> np.ndarray:
    """Up in segment_frame while the hips go up and down: tilt -90 to -115, thigh flexion 135 to 105."""
    share = np.sin(np.linspace(0.0, math.pi, 300))
    lean = np.radians(-90.0 - 25.0 * share if placement is PELVIS else -135.0 + 30.0 * share)
    return np.stack((-np.sin(lean), np.zeros(300), np.cos(lean)), axis=1)


def tilt_deg(calibration_wxyz: tuple[float, float, float, float], sensed: np.ndarray) -> np.ndarray:
    up = rotate_vectors(to_matrix(calibration_wxyz), sensed)
    return np.degrees(np.unwrap(np.arctan2(-up[:, 0], up[:, 2])))


@pytest.mark.parametrize("turned_deg", [0.0, 180.0])
@pytest.mark.parametrize(
    ("placement", "mount", "rest_deg", "range_deg"),
    [
        pytest.param(PELVIS, Mount.SACRUM, -90.0, 25.0, id="sacrum"),
        pytest.param(PELVIS, Mount.BELLY, -90.0, 25.0, id="belly"),
        pytest.param(PELVIS, Mount.HIP_RIGHT, -90.0, 25.0, id="right hip"),
        pytest.param(LEFT, Mount.THIGH_LATERAL, -135.0, 30.0, id="side of the thigh"),
        pytest.param(LEFT, Mount.THIGH_ANTERIOR, -135.0, 30.0, id="front of the thigh"),
    ],
)
def test_a_lift_tells_the_sign_of_a_mount_either_way_up(
    placement: Placement, mount: Mount, rest_deg: float, range_deg: float, turned_deg: float
) -> None:
    nominal = nominal_segment_from_sensor(placement, mount)
    assert nominal is not None
    worn = nominal @ turn_about_z(math.radians(turned_deg))
    sensed = rotate_vectors(worn.T, lift(placement))
    pose = StillPose(placement, mount, sensed[0], is_supine=True, was_still=True)
    fitted = fit_yaws({placement: pose}, {placement: sensed})[placement]
    assert fitted.method is CalibrationMethod.MOUNT_AND_MOVEMENT
    measured = tilt_deg(fitted.segment_from_sensor, sensed)
    assert measured[0] == pytest.approx(rest_deg, abs=0.1)
    assert np.ptp(measured) == pytest.approx(range_deg, abs=0.1)
    assert (measured[150] < rest_deg) == (placement is PELVIS)


def test_lying_and_a_mount_are_weighed_against_each_other() -> None:
    # 11 deg of turn about the skin normal: 6 against 5 deg of sd leave 61/36 of it to the mount.
    nominal = nominal_segment_from_sensor(PELVIS, Mount.HIP_LEFT)
    assert nominal is not None
    sensed = rotate_vectors((nominal @ turn_about_z(math.radians(11.0))).T, lift(PELVIS))
    pose = StillPose(PELVIS, Mount.HIP_LEFT, sensed[0], is_supine=True, was_still=True)
    measured = tilt_deg(lying_calibration(pose).segment_from_sensor, sensed)
    assert abs(measured[0] + 90.0) == pytest.approx(11.0 * 36.0 / 61.0, abs=0.1)


def test_a_lift_overrules_a_mount_that_it_contradicts() -> None:
    worn = nominal_segment_from_sensor(PELVIS, Mount.HIP_LEFT)
    assert worn is not None
    sensed = rotate_vectors(worn.T, lift(PELVIS))
    pose = StillPose(PELVIS, Mount.SACRUM, sensed[0], is_supine=True, was_still=True)
    fitted = fit_yaws({PELVIS: pose}, {PELVIS: sensed})[PELVIS]
    assert fitted.method is CalibrationMethod.MOVEMENT
    assert any("not at the sacrum as declared" in line for line in fitted.warnings)
    assert np.ptp(tilt_deg(fitted.segment_from_sensor, sensed)) == pytest.approx(25.0, abs=0.1)


def test_it_is_said_how_good_angles_without_standing_are() -> None:
    pose = StillPose(LEFT, Mount.THIGH_LATERAL, np.array((-0.7, -0.7, 0.0)), is_supine=True, was_still=True)
    (line,) = lying_calibration(pose).warnings
    assert line == (
        "thigh_left: no standing before lying; its angles are good to about 7 degrees, "
        "their changes are not affected"
    )


@pytest.mark.parametrize(
    ("placement", "mount", "up_sensor"),
    [
        pytest.param(PELVIS, Mount.HIP_LEFT, (1, 0, 0), id="left hip"),
        pytest.param(LEFT, Mount.THIGH_LATERAL, (0.7, 0.7, 0), id="thigh"),
    ],
)
def test_lying_is_seen_by_a_mount_that_is_upside_down(
    placement: Placement, mount: Mount, up_sensor: tuple
) -> None:
    assert lies_on_back(placement, mount, np.array(up_sensor, dtype=np.float64)) is True


def done(name: str, mounts: Mount, seed: int) -> tuple[list, list]:
    """Let the virtual athlete perform, and nobody say what or where."""
    scenario = hardware_sim.load_scenario(name)
    performance = hardware_sim.simulate(hardware_sim.fit_repetitions(scenario, 30.0, seed), seed)
    columns = hardware_sim.trace_columns(performance)
    blocks = [
        ImuBlock(
            Placement(worn.placement),
            0,
            scenario.rate_hz,
            np.stack([columns[f"{worn.placement}_a{axis}"] for axis in "xyz"], axis=1),
            np.stack([columns[f"{worn.placement}_g{axis}"] for axis in "xyz"], axis=1),
        )
        for worn in scenario.sensors
    ]
    setup = AthleteSetup({block.placement: mounts for block in blocks})
    events = analyse(blocks, setup).events
    last = {e.repetition.repetition_number: e.repetition for e in events if isinstance(e, RepetitionEvent)}
    sets = [e.summary for e in events if isinstance(e, SetEvent)]
    return [(r, t) for r, t in zip(last.values(), performance.truth.repetitions, strict=True)], sets


def test_a_bridge_is_told_from_a_hinge_by_the_rise_of_the_hips_without_mount_or_prescription() -> None:
    pairs, sets = done("glute_bridge", Mount.UNKNOWN, 5)
    assert len(pairs) == 3
    assert sets[-1].exercise == "glute_bridge"
    for measured, true in pairs:
        assert measured.is_supine
        assert measured.pelvic_tilt_range_deg == pytest.approx(true.pelvic_tilt_range_deg, abs=0.5)
        assert measured.hip_flexion_left_range_deg == pytest.approx(true.hip_flexion_left_range_deg, abs=1.0)


@pytest.mark.parametrize("name", ["squat", "micro_hinge", "romanian_deadlift"])
def test_standing_is_never_taken_for_lying(name: str) -> None:
    pairs, _ = done(name, Mount.UNKNOWN, 5)
    assert not any(measured.is_supine for measured, _ in pairs)


def held_up() -> np.ndarray:
    """Up in segment_frame of a thigh held up from the pelvis while the hips lift: flexion 140 to 153."""
    lean = np.radians(-140.0 - 13.0 * np.sin(np.linspace(0.0, math.pi, 300)))
    return np.stack((-np.sin(lean), np.zeros(300), np.cos(lean)), axis=1)


@pytest.mark.parametrize(("mount", "is_sure"), [(Mount.THIGH_LATERAL, True), (Mount.UNKNOWN, False)])
def test_the_lift_does_not_tell_the_sign_of_a_leg_that_is_held_up(mount: Mount, is_sure: bool) -> None:
    right = Placement.THIGH_RIGHT
    poses, ups = {}, {}
    for placement, up in ((LEFT, lift(LEFT)), (right, held_up())):
        worn = nominal_segment_from_sensor(placement, Mount.THIGH_LATERAL)
        assert worn is not None
        ups[placement] = rotate_vectors(worn.T, up)
        poses[placement] = StillPose(placement, mount, ups[placement][0], is_supine=True, was_still=True)
    fitted = fit_yaws(poses, ups, one_leg_declared=True)
    assert fitted[LEFT].is_forward_sure
    assert fitted[right].is_forward_sure is is_sure
    if is_sure:
        flexion = -tilt_deg(fitted[right].segment_from_sensor, ups[right])
        assert flexion[150] - flexion[0] == pytest.approx(13.0, abs=0.1)
