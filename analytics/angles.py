"""Angles of pelvis, thighs and hips from the up-vector alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analytics.aligned_block import (
    PLACEMENT_ROWS,
)
from analytics.angle_block import AngleBlock, AngleColumns
from analytics.imu import STANDARD_GRAVITY_M_S2, FloatArray, Placement
from analytics.quaternions import rotate_by_each, to_matrix

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from analytics.aligned_block import AlignedBlock, SegmentSamples
    from analytics.calibration import SegmentCalibration


@dataclass(frozen=True, slots=True)
class RotationReference:
    """Where rotation is zero, and where its unwrapping has got to.

    Parameters
    ----------
    zero_rad
        Heading of the pelvis that is called 0.
    previous_rad
        Heading of the last sample, as it was read.
    turns
        Whole turns to add to headings read from here on.
    """

    zero_rad: float
    previous_rad: float
    turns: int = 0

    def moved_to(self, zero_rad: float) -> RotationReference:
        """Go on with another calibration, whose headings differ by a constant."""
        return RotationReference(zero_rad, self.previous_rad - self.zero_rad + zero_rad, self.turns)

    def carried_over(
        self, old: SegmentCalibration | None, new: SegmentCalibration | None, last: SegmentSamples
    ) -> RotationReference:
        """Stay continuous where the calibration of the pelvis has changed; `last` is its last sample."""
        if old is None or new is None or old == new:
            return self
        shift = float(heading_rad(last, new)[0] - heading_rad(last, old)[0])
        return self.moved_to(self.zero_rad + shift) if np.isfinite(shift) else self


def angles_of(
    block: AlignedBlock,
    calibrations: Mapping[Placement, SegmentCalibration],
    *,
    is_supine: NDArray[np.bool_],
    rotation: RotationReference | None = None,
) -> tuple[AngleBlock, RotationReference | None]:
    """Turn orientations into angles.

    Before a sensor's yaw is known, the pelvis' inclination from the still pose stands in for its tilt, as
    people lean forward; lying, the thighs' for their flexion. A standing thigh may go either way: it is NaN,
    as are obliquity and rotation.

    Parameters
    ----------
    block
        Orientations of the worn sensors.
    calibrations
        How they sit; a sensor without one gives NaN.
    is_supine
        Posture at each sample, shape (n,).
    rotation
        Where rotation is zero; ``None``: at the first sample.

    Returns
    -------
    The angles, and the reference to go on with.
    """
    values, flags = block.columns()
    columns, rotation = Goniometer(calibrations).read(values, flags, rotation)
    angles = AngleBlock.of_columns(
        block.time_ns(block.first_index),
        block.sampling_rate_hz,
        block.gap_before_s,
        columns,
        is_supine.copy(),
    )
    return angles, rotation


_UPRIGHT = math.cos(math.radians(1.0))


class Goniometer:
    """Reads angles off the samples of all placements at once.

    Parameters
    ----------
    calibrations
        How the sensors sit; a placement without one gives NaN.
    acc_biases_m_s2
        Known bias of accelerometers, sensor_frame, shape (3,): the orientations were found without them.
    """

    def __init__(
        self,
        calibrations: Mapping[Placement, SegmentCalibration],
        acc_biases_m_s2: Mapping[Placement, FloatArray] | None = None,
    ) -> None:
        from analytics import angle_reading  # noqa: PLC0415 - numba takes half a second

        self._reading = angle_reading
        self._sensors = np.zeros(len(Placement), dtype=angle_reading.SENSOR)
        self._sensors["turn"] = np.nan
        for placement, calibration in calibrations.items():
            sensor = self._sensors[PLACEMENT_ROWS[placement]]
            sensor["is_worn"] = True
            sensor["segment_from_sensor"] = to_matrix(calibration.segment_from_sensor)
            still = calibration.still_up_segment
            is_level = placement is not Placement.PELVIS and still[2] >= _UPRIGHT
            if calibration.is_yaw_known:
                w, x, y, z = calibration.segment_from_sensor
                sensor["turn"] = ((w, x, y, z), (-x, w, -z, y), (-y, z, w, -x), (-z, -y, x, w))
            elif not is_level:
                sensor["is_unsigned"], sensor["still_up"] = True, still
                sensor["zero_deg"] = _zero_deg(calibration)
                sensor["counts_down"] = not abs(_zero_deg(calibration)) < 1.0
        for placement, bias in (acc_biases_m_s2 or {}).items():
            sensor = self._sensors[PLACEMENT_ROWS[placement]]
            sensor["has_bias"], sensor["half_bias"] = True, bias / (2.0 * STANDARD_GRAVITY_M_S2)

    def read(
        self, values: FloatArray, flags: NDArray[np.uint8], rotation: RotationReference | None
    ) -> tuple[AngleColumns, RotationReference | None]:
        """Read the angles of a stretch.

        Parameters
        ----------
        values, flags
            As :class:`analytics.history.AlignedHistory` keeps them, shapes (3, 14, n) and (3, n).
        rotation
            Where rotation is zero; ``None``: at the first sample.

        Returns
        -------
        The angles, and the reference to go on with.
        """
        heading = np.zeros(1, dtype=self._reading.HEADING)
        if rotation is not None:
            heading[0] = (True, rotation.zero_rad, rotation.previous_rad, rotation.turns)
        n = flags.shape[1]
        out, is_measured = np.empty((self._reading.ROWS, n)), np.empty(n, dtype=np.bool_)
        self._reading.read_angles(self._sensors, heading, values, flags, out, is_measured)
        is_known, zero_rad, previous_rad, turns = heading.item()
        reference = RotationReference(zero_rad, previous_rad, turns) if is_known else None
        return AngleColumns(out, is_measured), reference


def _zero_deg(calibration: SegmentCalibration) -> float:
    """Angle of the still pose, degrees."""
    still = calibration.still_up_segment
    zero_deg = math.degrees(math.atan2(-still[0], still[2]))
    return zero_deg if calibration.placement is Placement.PELVIS else -zero_deg


def heading_rad(samples: SegmentSamples, calibration: SegmentCalibration) -> FloatArray:
    """Heading of a segment's left axis, turned to forward, rad, shape (n,); NaN without a gyroscope.

    First angle of the order rotation, obliquity, tilt; its zero is arbitrary.
    """
    if not bool(samples.has_gyroscope.all()):
        return np.full(len(samples), np.nan)
    matrix = to_matrix(calibration.segment_from_sensor)
    left_earth = rotate_by_each(samples.earth_from_sensor_wxyz, matrix[1])
    return np.asarray(np.arctan2(-left_earth[:, 0], left_earth[:, 1]), dtype=np.float64)


__all__ = ["AngleBlock", "Goniometer", "RotationReference", "angles_of", "heading_rad"]
