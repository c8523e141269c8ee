from __future__ import annotations

import math

import numpy as np
import pytest

from analytics.alignment import AlignedBlock, SegmentSamples
from analytics.angles import AngleBlock, Goniometer, RotationReference, angles_of
from analytics.calibration import CalibrationMethod, SegmentCalibration
from analytics.imu import Placement

FORWARD, LEFT, UP = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)


def turn(axis: tuple[float, float, float], angle_deg: float) -> np.ndarray:
    half = math.radians(angle_deg) / 2.0
    return np.array((math.cos(half), *(math.sin(half) * part for part in axis)))


def after(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Quaternion of turning about the segment's own axes: first, then second."""
    w, x, y, z = first
    matrix = np.array(((w, -x, -y, -z), (x, w, -z, y), (y, z, w, -x), (z, -y, x, w)))
    return matrix @ second


def block_of(quats: dict[Placement, np.ndarray], first_index: int = 0) -> AlignedBlock:
    segments = {}
    for placement, quat in quats.items():
        n = len(quat)
        yes = np.ones(n, dtype=np.bool_)
        segments[placement] = SegmentSamples(
            quat, np.tile((0.0, 0.0, 9.81), (n, 1)), np.zeros((n, 3)), np.zeros((n, 3)), np.zeros(n),
            yes, yes, yes, yes,
        )  # fmt: skip
    return AlignedBlock(0, first_index, 100.0, 0.0, segments)


def worn_straight(*placements: Placement) -> dict[Placement, SegmentCalibration]:
    return {p: SegmentCalibration(p, (1.0, 0.0, 0.0, 0.0), CalibrationMethod.MOUNT, 5.0) for p in placements}


def angle(name: str, placement: Placement, quat: np.ndarray) -> float:
    block = block_of({placement: quat[None]})
    reference = RotationReference(0.0, 0.0)
    angles, _ = angles_of(
        block, worn_straight(placement), is_supine=np.zeros(1, dtype=np.bool_), rotation=reference
    )
    return float(getattr(angles, name)[0])


# The table of docs/units-and-frames.md: movement, and the angle that grows.
@pytest.mark.parametrize(
    ("name", "placement", "axis"),
    [
        pytest.param("pelvic_tilt_deg", Placement.PELVIS, LEFT, id="leaning forward"),
        pytest.param("pelvic_rotation_deg", Placement.PELVIS, UP, id="turning left"),
    ],
)
def test_positive_turns_of_the_pelvis(
    name: str, placement: Placement, axis: tuple[float, float, float]
) -> None:
    assert angle(name, placement, turn(axis, 20.0)) == pytest.approx(20.0)


def test_right_side_up_is_positive_obliquity() -> None:
    # About the forward axis a positive turn lifts the left side.
    assert angle("pelvic_obliquity_deg", Placement.PELVIS, turn(FORWARD, -20.0)) == pytest.approx(20.0)


@pytest.mark.parametrize("side", ["left", "right"])
def test_knee_ahead_of_the_hip_is_positive_flexion(side: str) -> None:
    placement = Placement(f"thigh_{side}")
    assert angle(f"thigh_flexion_{side}_deg", placement, turn(LEFT, -20.0)) == pytest.approx(20.0)


def test_lying_on_the_back_is_minus_90_degrees_of_tilt() -> None:
    assert angle("pelvic_tilt_deg", Placement.PELVIS, turn(LEFT, -90.0)) == pytest.approx(-90.0)


def test_order_is_rotation_obliquity_tilt() -> None:
    quat = after(after(turn(UP, 35.0), turn(FORWARD, -10.0)), turn(LEFT, 70.0))
    block = block_of({Placement.PELVIS: quat[None]})
    angles, _ = angles_of(
        block,
        worn_straight(Placement.PELVIS),
        is_supine=np.zeros(1, dtype=np.bool_),
        rotation=RotationReference(0.0, 0.0),
    )
    assert angles.pelvic_rotation_deg[0] == pytest.approx(35.0)
    assert angles.pelvic_obliquity_deg[0] == pytest.approx(10.0)
    assert angles.pelvic_tilt_deg[0] == pytest.approx(70.0)


def test_hip_flexion_is_tilt_plus_thigh_flexion() -> None:
    block = block_of(
        {
            Placement.PELVIS: turn(LEFT, 60.0)[None],
            Placement.THIGH_LEFT: turn(LEFT, -15.0)[None],
        }
    )
    angles, _ = angles_of(
        block, worn_straight(Placement.PELVIS, Placement.THIGH_LEFT), is_supine=np.zeros(1, dtype=np.bool_)
    )
    assert angles.hip_flexion_left_deg[0] == pytest.approx(75.0)
    assert np.isnan(angles.hip_flexion_right_deg[0])
    assert np.isnan(angles.thigh_flexion_right_deg[0])


def test_rotation_is_unwrapped_across_blocks() -> None:
    headings = np.arange(0.0, 400.0, 10.0)
    quats = np.stack([turn(UP, heading) for heading in headings])
    reference = None
    got = []
    for start in range(0, 40, 7):
        part = block_of({Placement.PELVIS: quats[start : start + 7]}, first_index=start)
        angles, reference = angles_of(
            part,
            worn_straight(Placement.PELVIS),
            is_supine=np.zeros(len(part), dtype=np.bool_),
            rotation=reference,
        )
        got.append(angles.pelvic_rotation_deg)
    np.testing.assert_allclose(np.concatenate(got), headings, atol=1e-9)


@pytest.mark.parametrize("lean_deg", [-30.0, 30.0])
def test_without_forward_only_the_size_of_a_lean_is_said(lean_deg: float) -> None:
    block = block_of({Placement.PELVIS: turn(LEFT, lean_deg)[None]})
    vertical = SegmentCalibration(Placement.PELVIS, (1.0, 0.0, 0.0, 0.0), CalibrationMethod.VERTICAL, 180.0)
    angles, _ = angles_of(block, {Placement.PELVIS: vertical}, is_supine=np.zeros(1, dtype=np.bool_))
    assert angles.pelvic_tilt_deg[0] == pytest.approx(30.0)
    assert np.isnan(angles.pelvic_obliquity_deg[0])
    assert np.isnan(angles.pelvic_rotation_deg[0])


def test_a_missing_sensor_is_nan_and_does_not_spoil_the_others() -> None:
    block = block_of({Placement.PELVIS: turn(LEFT, 10.0)[None]})
    block = AlignedBlock(0, 0, 100.0, 0.0, {**block.segments, Placement.THIGH_LEFT: SegmentSamples.absent(1)})
    angles, _ = angles_of(
        block, worn_straight(Placement.PELVIS, Placement.THIGH_LEFT), is_supine=np.zeros(1, dtype=np.bool_)
    )
    assert angles.pelvic_tilt_deg[0] == pytest.approx(10.0)
    assert np.isnan(angles.hip_flexion_left_deg[0])
    assert angles.is_measured[0]


def test_angles_cannot_be_changed_behind_anyones_back() -> None:
    block = block_of({Placement.PELVIS: turn(LEFT, 10.0)[None]})
    angles, _ = angles_of(block, worn_straight(Placement.PELVIS), is_supine=np.zeros(1, dtype=np.bool_))
    with pytest.raises(ValueError, match="read-only"):
        angles.pelvic_tilt_deg[0] = 0.0


def test_a_known_bias_of_the_accelerometer_does_not_lean() -> None:
    # Bent by 60 degrees, a bias of 0.5 m/s² along the forward axis turns "up" by 1.46 degrees.
    true = math.radians(60.0)
    up = np.array((-math.sin(true) * 9.80665 + 0.5, 0.0, math.cos(true) * 9.80665))
    seen_deg = math.degrees(math.atan2(-up[0], up[2]))
    assert seen_deg == pytest.approx(58.5, abs=0.1)
    values, flags = block_of({Placement.PELVIS: turn(LEFT, seen_deg)[None]}).columns()
    goniometer = Goniometer(worn_straight(Placement.PELVIS), {Placement.PELVIS: np.array((0.5, 0.0, 0.0))})
    columns, _ = goniometer.read(values, flags, None)
    read = AngleBlock.of_columns(0, 100.0, 0.0, columns, np.zeros(1, dtype=np.bool_))
    assert read.pelvic_tilt_deg[0] == pytest.approx(60.0, abs=0.05)
    assert read.pelvic_obliquity_deg[0] == pytest.approx(0.0, abs=1e-9)


def test_a_standing_thigh_of_unknown_forward_is_given_no_sign() -> None:
    calibration = SegmentCalibration(
        Placement.THIGH_LEFT, (1.0, 0.0, 0.0, 0.0), CalibrationMethod.VERTICAL, 180.0
    )
    block = block_of({Placement.THIGH_LEFT: turn(LEFT, 30.0)[None]})
    angles, _ = angles_of(block, {Placement.THIGH_LEFT: calibration}, is_supine=np.zeros(1, dtype=np.bool_))
    assert np.isnan(angles.thigh_flexion_left_deg[0])
