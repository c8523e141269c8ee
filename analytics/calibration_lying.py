"""How sensors sit on someone who began lying on the back: zero by assumption and mount, forward by the lift.

Whatever leaves the pose lifts the hips, which turns the pelvis one way and the thighs the other: so forward
and the sign are seen whatever the mount, upside-down or not. The zero is not: lying on the back is taken for
-90° of pelvic tilt, a declared mount for what it reads, and the two are weighed against each other. Changes
are as good as standing; absolute angles are not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analytics.calibration import (
    UNKNOWN_YAW_DEG,
    CalibrationMethod,
    SegmentCalibration,
    nominal_segment_from_sensor,
    skin_normal,
)
from analytics.imu import Mount, Placement
from analytics.quaternions import from_matrix, shortest_rotation, turn_about_z

if TYPE_CHECKING:
    from analytics.calibration import StillPose
    from analytics.imu import FloatArray

_UP = np.array((0.0, 0.0, 1.0))


@dataclass(frozen=True, slots=True)
class LyingParameters:
    """What lying on the back is taken for, and how far that and a mount can be trusted; degrees.

    Parameters
    ----------
    pelvic_tilt_deg, pelvic_tilt_sd_deg
        Of lying on the back.
    thigh_flexion_deg, thigh_flexion_sd_deg
        Of lying with bent knees and flat feet: nothing observes it, people vary by 15 degrees.
    pelvis_mount_sd_deg, thigh_lateral_sd_deg, thigh_anterior_sd_deg
        Of the inclination that a declared mount reads: gravity does not see a turn about the skin normal.
    yaw_sd_deg
        Of the hinge axis that a declared mount reads.
    wrong_declaration_deg
        A declared mount is not believed where the lift contradicts it by more than this.
    """

    pelvic_tilt_deg: float = -90.0
    pelvic_tilt_sd_deg: float = 6.0
    thigh_flexion_deg: float = 135.0
    thigh_flexion_sd_deg: float = 15.0
    pelvis_mount_sd_deg: float = 5.0
    thigh_lateral_sd_deg: float = 8.0
    thigh_anterior_sd_deg: float = 4.0
    yaw_sd_deg: float = 5.0
    wrong_declaration_deg: float = 45.0


@dataclass(frozen=True, slots=True)
class _Reading:
    """What a declared mount says: inclination about the hinge axis at rest, and yaw about up, rad."""

    inclination_rad: float
    yaw_rad: float


def lying_calibration(
    pose: StillPose,
    lift_heading_rad: float | None = None,
    lift_sd_deg: float = 0.0,
    parameters: LyingParameters | None = None,
    *,
    is_free_leg: bool = False,
) -> SegmentCalibration:
    """Calibration of a sensor whose athlete has not stood.

    Parameters
    ----------
    pose
        Still pose, lying on the back.
    lift_heading_rad
        Direction in which up moves across the levelled sensor as the hips lift; ``None``: not seen yet.
    lift_sd_deg
        One-sigma of it, degrees.
    parameters
        Settings.
    is_free_leg
        The leg that is held up in a single-leg bridge: it may go either way, so the lift does not tell the
        sign. A declared mount does; with an unknown one it is a guess, and its one-sigma says so.
    """
    p = parameters or LyingParameters()
    if is_free_leg and not pose.is_declared:
        lift_sd_deg = UNKNOWN_YAW_DEG
    level = shortest_rotation(pose.up_sensor, _UP)
    assumed_deg, sd_deg = _assumption(pose.placement, p)
    inclination_deg, yaw_rad, quality_deg = assumed_deg, 0.0, UNKNOWN_YAW_DEG
    method = CalibrationMethod.VERTICAL
    warnings = pose.warnings()
    lift_yaw_rad = None
    if lift_heading_rad is not None:
        # Lifting the hips moves "up" towards the feet in the pelvis and towards the hip in the thigh.
        target = 0.0 if pose.placement is Placement.PELVIS else math.pi
        lift_yaw_rad = target - lift_heading_rad
        yaw_rad, quality_deg, method = lift_yaw_rad, lift_sd_deg, CalibrationMethod.MOVEMENT
    sign_yaw_rad = None if is_free_leg else lift_yaw_rad
    reading = _likelier(_readings(pose, level), sign_yaw_rad, math.radians(assumed_deg))
    if (
        is_free_leg
        and reading is not None
        and lift_yaw_rad is not None
        and abs(_wrapped(reading.yaw_rad - lift_yaw_rad)) > 0.5 * math.pi
    ):
        lift_yaw_rad += math.pi
    if reading is not None:
        apart_rad = 0.0 if lift_yaw_rad is None else _wrapped(reading.yaw_rad - lift_yaw_rad)
        if abs(apart_rad) <= math.radians(p.wrong_declaration_deg):
            mount_sd_deg = _mount_sd_deg(pose, p)
            share = sd_deg**2 / (sd_deg**2 + mount_sd_deg**2)
            apart_deg = math.degrees(_wrapped(reading.inclination_rad - math.radians(assumed_deg)))
            inclination_deg, sd_deg = assumed_deg + share * apart_deg, math.sqrt(share) * mount_sd_deg
            if lift_yaw_rad is None:
                yaw_rad, quality_deg, method = reading.yaw_rad, p.yaw_sd_deg, CalibrationMethod.MOUNT
            else:
                share = lift_sd_deg**2 / (lift_sd_deg**2 + p.yaw_sd_deg**2)
                yaw_rad = lift_yaw_rad + share * apart_rad
                quality_deg, method = math.sqrt(share) * p.yaw_sd_deg, CalibrationMethod.MOUNT_AND_MOVEMENT
        else:
            warnings = (
                *warnings,
                (
                    f"{pose.placement}: the lift says that the sensor is not at the {pose.mount} as declared "
                    f"({math.degrees(abs(apart_rad)):.0f} degrees apart); the lift is believed: "
                    "check the placement"
                ),
            )
    matrix = _segment_from_level(pose.placement, inclination_deg) @ turn_about_z(yaw_rad) @ level
    x, y, z = (float(value) for value in matrix @ pose.up_sensor)
    warnings = (
        *warnings,
        (
            f"{pose.placement}: no standing before lying; its angles are good to about {sd_deg:.0f} degrees, "
            "their changes are not affected"
        ),
    )
    return SegmentCalibration(
        pose.placement,
        from_matrix(matrix),
        method,
        quality_deg + (0.0 if pose.was_still or quality_deg == UNKNOWN_YAW_DEG else 1.0),
        warnings,
        (x, y, z),
    )


def _assumption(placement: Placement, p: LyingParameters) -> tuple[float, float]:
    if placement is Placement.PELVIS:
        return p.pelvic_tilt_deg, p.pelvic_tilt_sd_deg
    return p.thigh_flexion_deg, p.thigh_flexion_sd_deg


def _mount_sd_deg(pose: StillPose, p: LyingParameters) -> float:
    if pose.placement is Placement.PELVIS:
        return p.pelvis_mount_sd_deg
    return p.thigh_lateral_sd_deg if pose.mount is Mount.THIGH_LATERAL else p.thigh_anterior_sd_deg


def _segment_from_level(placement: Placement, inclination_deg: float) -> FloatArray:
    """Rotation from the frame whose z is up at rest to segment_frame, about the hinge axis."""
    flexion = math.radians(-inclination_deg if placement is Placement.PELVIS else inclination_deg)
    c, s = math.cos(flexion), math.sin(flexion)
    return np.array(((c, 0.0, s), (0.0, 1.0, 0.0), (-s, 0.0, c)))


def _readings(pose: StillPose, level: FloatArray) -> list[_Reading]:
    """Read a declared mount, the right way up and upside-down."""
    nominal = nominal_segment_from_sensor(pose.placement, pose.mount)
    if nominal is None:
        return []
    readings = []
    for turn_rad in (0.0, math.pi):
        worn = nominal @ turn_about_z(turn_rad)
        x, _, z = (float(value) for value in worn @ pose.up_sensor)
        flexion = math.atan2(x, z)
        left = level @ worn.T @ np.array((0.0, 1.0, 0.0))
        readings.append(
            _Reading(
                inclination_rad=-flexion if pose.placement is Placement.PELVIS else flexion,
                yaw_rad=0.5 * math.pi - math.atan2(float(left[1]), float(left[0])),
            )
        )
    return readings


def _likelier(readings: list[_Reading], lift_yaw_rad: float | None, assumed_rad: float) -> _Reading | None:
    """Choose what agrees better with the lift and with lying; the right way up where both do."""

    def contradiction_rad(reading: _Reading) -> float:
        lift = 0.0 if lift_yaw_rad is None else abs(_wrapped(reading.yaw_rad - lift_yaw_rad))
        return lift + abs(_wrapped(reading.inclination_rad - assumed_rad))

    if not readings:
        return None
    upright, upside_down = readings
    # Lying, a sensor in front or behind reads alike either way up: only a clear difference counts.
    is_turned = contradiction_rad(upside_down) < contradiction_rad(upright) - math.radians(30.0)
    return upside_down if is_turned else upright


def lies_on_back(placement: Placement, mount: Mount, up_sensor: FloatArray) -> bool | None:
    """Tell lying on the back from standing by a declared mount; None where the mount cannot tell.

    A mount at the side tells only as long as it is not turned about the skin normal.

    Parameters
    ----------
    placement, mount
        Segment and declared mount.
    up_sensor
        Direction of up while still, sensor_frame, shape (3,).
    """
    normal = skin_normal(placement, mount)
    nominal = nominal_segment_from_sensor(placement, mount)
    if normal is None or nominal is None:
        return None
    if abs(float(normal[0])) > 0.5:
        # Worn in front or behind: lying turns the skin to the ceiling or to the floor.
        towards_ceiling = math.degrees(math.asin(max(-1.0, min(1.0, float(up_sensor[2] * normal[0])))))
        return towards_ceiling > (50.0 if placement is Placement.PELVIS else 20.0)
    forward, _, upward = nominal @ up_sensor
    flexion_deg = math.degrees(math.atan2(forward, upward))
    if placement is Placement.PELVIS:
        return 50.0 < abs(flexion_deg) < 130.0
    # A thigh at 90 degrees is sitting; lying with bent knees it points beyond. Upside-down it reads 180 less.
    return 105.0 < flexion_deg < 160.0 or -75.0 < flexion_deg < -20.0


def _wrapped(angle_rad: float) -> float:
    return math.remainder(angle_rad, 2.0 * math.pi)
