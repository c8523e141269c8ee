"""From sensor_frame to segment_frame: what gravity says while the athlete stands (or lies) still.

Gravity fixes two of the three angles of a mount. The third, the turn about the vertical ("yaw"), is
found from movement in :mod:`analytics.calibration_yaw`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from analytics.imu import FloatArray, Mount, Placement
from analytics.quaternions import Quaternion, from_matrix, rotate_vectors, shortest_rotation, turn_about_z

_LEFT, _FORWARD, _UP = np.array((0.0, 1.0, 0.0)), np.array((1.0, 0.0, 0.0)), np.array((0.0, 0.0, 1.0))

UNKNOWN_YAW_DEG = 180.0


class CalibrationMethod(StrEnum):
    """What a calibration rests on."""

    VERTICAL = "vertical"  # gravity alone, the turn about the vertical is not known
    MOUNT = "mount"  # gravity and the declared mount
    MOVEMENT = "movement"  # gravity and the movement
    MOUNT_AND_MOVEMENT = "mount_and_movement"


@dataclass(frozen=True, slots=True)
class SegmentCalibration:
    """How one sensor sits on its segment.

    Parameters
    ----------
    placement
        Segment.
    segment_from_sensor
        Rotation as quat_wxyz: turns vectors from sensor_frame to segment_frame.
    method
        What it rests on.
    quality_deg
        One-sigma of the turn about the vertical, degrees; 180 while nothing is known of it.
    warnings
        Lines for the athlete, empty where all is well.
    still_up_segment
        Up while still, segment_frame: (0, 0, 1) where the athlete stood.
    slip_deg
        By how much the sensor seems to have slipped since, degrees; None where it has not.
    """

    placement: Placement
    segment_from_sensor: Quaternion
    method: CalibrationMethod
    quality_deg: float
    warnings: tuple[str, ...] = ()
    still_up_segment: tuple[float, float, float] = (0.0, 0.0, 1.0)
    slip_deg: float | None = None

    @property
    def is_forward_sure(self) -> bool:
        """Whether forward is known and no guess."""
        return self.is_yaw_known and self.quality_deg < UNKNOWN_YAW_DEG

    @property
    def is_yaw_known(self) -> bool:
        """Whether forward is known: else only the size of an inclination is, not its direction."""
        return self.method is not CalibrationMethod.VERTICAL


def skin_normal(placement: Placement, mount: Mount) -> FloatArray | None:
    """Direction out of the skin in segment_frame, shape (3,); None for an unknown mount."""
    if mount is Mount.THIGH_LATERAL:
        return -_LEFT if placement is Placement.THIGH_RIGHT else _LEFT
    normals = {
        Mount.SACRUM: -_FORWARD,
        Mount.BELLY: _FORWARD,
        Mount.HIP_LEFT: _LEFT,
        Mount.HIP_RIGHT: -_LEFT,
        Mount.THIGH_ANTERIOR: _FORWARD,
    }
    return normals.get(mount)


def nominal_segment_from_sensor(placement: Placement, mount: Mount) -> FloatArray | None:
    """Rotation matrix of a sensor worn as asked: z out of the skin, y up; None for an unknown mount."""
    normal = skin_normal(placement, mount)
    if normal is None:
        return None
    return np.stack((np.cross(_UP, normal), _UP, normal), axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class StillPose:
    """What one sensor showed while the athlete was still.

    Parameters
    ----------
    placement, mount
        Segment and declared mount.
    up_sensor
        Mean direction of up, sensor_frame, shape (3,), unit length.
    is_supine
        Lying on the back, else standing.
    was_still
        False where there was no stillness and the most upright quiet samples had to do.
    has_gyroscope
        False where the sensor records accelerations only.
    """

    placement: Placement
    mount: Mount
    up_sensor: FloatArray
    is_supine: bool
    was_still: bool
    has_gyroscope: bool = True

    def levelled(self) -> FloatArray:
        """Rotation matrix to a frame that differs from segment_frame by a turn about the pose's vertical.

        For a declared mount that turn is small while standing.
        """
        nominal = nominal_segment_from_sensor(self.placement, self.mount)
        if nominal is None or self.is_supine:
            return shortest_rotation(self.up_sensor, _UP)
        if float((nominal @ self.up_sensor)[2]) < 0.0:
            # Upside-down: near a half turn the shortest rotation has no defined axis; the skin normal is it.
            nominal = nominal @ turn_about_z(math.pi)
        return shortest_rotation(nominal @ self.up_sensor, _UP) @ nominal

    @property
    def is_declared(self) -> bool:
        """Whether the mount is known."""
        return self.mount is not Mount.UNKNOWN

    def warnings(self) -> tuple[str, ...]:
        """Lines for the athlete: what the still pose lacks."""
        warnings = []
        if not self.was_still:
            what = (
                "the most upright quiet moment"
                if self.is_declared
                else "the attitude it kept longest, a guess"
            )
            warnings.append(
                f"{self.placement}: no stillness at the start; zero is {what}, "
                "a steady soft lockout cannot be seen"
            )
        if not self.has_gyroscope:
            warnings.append(
                f"{self.placement}: no gyroscope; angles lag behind fast movement, rotation is not measured"
            )
        return tuple(warnings)

    def initial(self) -> SegmentCalibration:
        """Return the calibration that holds, standing, until movement has been seen."""
        matrix = self.levelled()
        if self.is_declared:
            method, quality = CalibrationMethod.MOUNT, NOMINAL_YAW_SD_DEG
        else:
            method, quality = CalibrationMethod.VERTICAL, UNKNOWN_YAW_DEG
        if not self.was_still:
            quality += 1.0
        x, y, z = (float(value) for value in matrix @ self.up_sensor)
        return SegmentCalibration(
            self.placement, from_matrix(matrix), method, quality, self.warnings(), (x, y, z)
        )


# Clipped on by its wearer: most within 5 degrees, some beyond 15.
NOMINAL_YAW_SD_DEG = 8.0


def inclination_from_vertical_deg(placement: Placement, mount: Mount, up_sensor: FloatArray) -> FloatArray:
    """Inclination that a declared mount reads before any calibration, degrees, for (n, 3) directions.

    Zero for an unknown mount: nothing can be said.
    """
    normal = skin_normal(placement, mount)
    nominal = nominal_segment_from_sensor(placement, mount)
    if normal is None or nominal is None:
        return np.zeros(len(up_sensor))
    if abs(float(normal[0])) > 0.5:
        return np.asarray(np.degrees(np.arcsin(np.clip(np.abs(up_sensor[:, 2]), 0.0, 1.0))), dtype=np.float64)
    return np.asarray(np.degrees(np.arccos(np.clip(np.abs(up_sensor[:, 1]), 0.0, 1.0))), dtype=np.float64)


def nominal_lean_deg(placement: Placement, mount: Mount, up_sensor: FloatArray) -> FloatArray:
    """Signed lean that a declared mount reads before any calibration: grows as the segment bends.

    Pelvic tilt, or thigh flexion, degrees, for (n, 3) directions; a mount worn at the side counts as upright
    or upside-down, whichever is nearer. Zero for an unknown mount.
    """
    nominal = nominal_segment_from_sensor(placement, mount)
    if nominal is None:
        return np.zeros(len(up_sensor))
    if float(np.median(rotate_vectors(nominal, up_sensor)[:, 2])) < 0.0:
        nominal = nominal @ turn_about_z(math.pi)
    forward = rotate_vectors(nominal, up_sensor)[:, 0]
    towards = -forward if placement is Placement.PELVIS else forward
    return np.asarray(np.degrees(np.arcsin(np.clip(towards, -1.0, 1.0))), dtype=np.float64)
