"""How sensors sit, kept from one set to the next and from standing to lying: one wearing, one calibration."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from analytics.calibration import CalibrationMethod, SegmentCalibration, StillPose
from analytics.imu import Mount, Placement
from analytics.quaternions import to_matrix

if TYPE_CHECKING:
    from collections.abc import Mapping

_SAME_DEG = 8.0
_ON_THE_BACK_DEG = (-130.0, -50.0)


@dataclass(frozen=True, slots=True, eq=False)
class Wearing:
    """Calibrations of sensors that have not been taken off since.

    Parameters
    ----------
    poses
        How each sensor stood while still; standing.
    calibrations
        How each sits.
    """

    poses: Mapping[Placement, StillPose]
    calibrations: Mapping[Placement, SegmentCalibration]

    def to_dict(self) -> dict[str, Any]:
        """Give everything, ready for JSON."""
        return {
            str(placement): {
                "mount": str(pose.mount),
                "up_sensor": [float(part) for part in pose.up_sensor],
                "has_gyroscope": pose.has_gyroscope,
                "segment_from_sensor_wxyz": list(self.calibrations[placement].segment_from_sensor),
                "method": str(self.calibrations[placement].method),
                "quality_deg": self.calibrations[placement].quality_deg,
                "warnings": list(self.calibrations[placement].warnings),
            }
            for placement, pose in self.poses.items()
        }

    @classmethod
    def from_dict(cls, kept: Mapping[str, Mapping[str, Any]]) -> Wearing:
        """Take up what :meth:`to_dict` gave.

        Raises
        ------
        KeyError, ValueError
            It is not that.
        """
        poses, calibrations = {}, {}
        for name, entry in kept.items():
            placement = Placement(name)
            up = np.array([float(part) for part in entry["up_sensor"]])
            if up.shape != (3,) or not 0.99 < float(np.linalg.norm(up)) < 1.01:
                raise ValueError(f"{placement}: up_sensor is no direction")
            poses[placement] = StillPose(
                placement,
                Mount(entry["mount"]),
                up,
                is_supine=False,
                was_still=True,
                has_gyroscope=bool(entry["has_gyroscope"]),
            )
            w, x, y, z = (float(part) for part in entry["segment_from_sensor_wxyz"])
            calibrations[placement] = SegmentCalibration(
                placement,
                (w, x, y, z),
                CalibrationMethod(entry["method"]),
                float(entry["quality_deg"]),
                tuple(str(line) for line in entry["warnings"]),
            )
        return cls(poses, calibrations)

    def recognises(self, poses: Mapping[Placement, StillPose]) -> bool | None:
        """Tell whether sensors sit as they did.

        Parameters
        ----------
        poses
            As they are found now.

        Returns
        -------
        True where the athlete lies on the back, False where they stand; ``None`` where some sensor sits
        otherwise, or is not known.
        """
        if not set(poses) <= set(self.poses):
            return None
        if any(poses[placement].mount is not self.poses[placement].mount for placement in poses):
            return None
        smallest = math.cos(math.radians(_SAME_DEG))
        if all(float(pose.up_sensor @ self.poses[p].up_sensor) > smallest for p, pose in poses.items()):
            return False
        pelvis = poses.get(Placement.PELVIS)
        if pelvis is None:
            return None
        up = to_matrix(self.calibrations[Placement.PELVIS].segment_from_sensor) @ pelvis.up_sensor
        tilt_deg = math.degrees(math.atan2(-float(up[0]), float(up[2])))
        lies = _ON_THE_BACK_DEG[0] < tilt_deg < _ON_THE_BACK_DEG[1] and abs(float(up[1])) < 0.5
        return True if lies else None


def warned_of_a_new_wearing(
    calibrations: Mapping[Placement, SegmentCalibration],
) -> dict[Placement, SegmentCalibration]:
    """Say that what was kept does not fit any more."""
    line = "the sensor does not sit as it did when its calibration was kept: calibrated anew"
    return {
        placement: replace(calibration, warnings=(*calibration.warnings, f"{placement}: {line}"))
        for placement, calibration in calibrations.items()
    }
