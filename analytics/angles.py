"""Angles of pelvis, thighs and hips from the up-vector alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analytics.aligned_block import (
    ACCELERATION,
    BIAS,
    HAS_GYROSCOPE,
    MEASURED,
    PLACEMENT_ROWS,
    PRESENT,
    QUATERNION,
    RATE,
)
from analytics.angle_block import AngleBlock, AngleColumns
from analytics.imu import STANDARD_GRAVITY_M_S2, FloatArray, Placement
from analytics.quaternions import rotate_by_each, rotate_vectors, to_matrix, up_in_sensor

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


_DEGREES = np.degrees(1.0)
# The thigh's flexion counts the other way than the pelvis' tilt.
_INCLINATION_SIGNS = np.array((_DEGREES, -_DEGREES, -_DEGREES))[:, np.newaxis]
_PELVIS = PLACEMENT_ROWS[Placement.PELVIS]
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
        self._worn = {
            PLACEMENT_ROWS[placement]: calibrations[placement]
            for placement in Placement
            if placement in calibrations
        }
        self._unsigned = {
            row: c
            for row, c in self._worn.items()
            if not c.is_yaw_known and (row == _PELVIS or c.still_up_segment[2] < _UPRIGHT)
        }
        self._segment_from_sensor = {row: to_matrix(c.segment_from_sensor) for row, c in self._worn.items()}
        turns = np.full((len(Placement), 4, 4), np.nan)
        for row, calibration in self._worn.items():
            if calibration.is_yaw_known:
                w, x, y, z = calibration.segment_from_sensor
                # Product with the inverse from the right, as a matrix.
                turns[row] = ((w, x, y, z), (-x, w, -z, y), (-y, z, w, -x), (-z, -y, x, w))
        self._turns = turns[..., np.newaxis]
        self._half_biases: FloatArray | None = None
        if acc_biases_m_s2:
            halves = np.zeros((len(Placement), 3, 1))
            for placement, bias in acc_biases_m_s2.items():
                halves[PLACEMENT_ROWS[placement], :, 0] = bias / (2.0 * STANDARD_GRAVITY_M_S2)
            self._half_biases = halves

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
        everywhere = np.bitwise_and.reduce(flags, axis=1).tolist()
        out = np.empty((11, flags.shape[1]))
        quaternions = values[:, QUATERNION]
        if self._half_biases is not None:
            quaternions = _inclined_without(quaternions, self._half_biases)
        heading = self._read_segments(quaternions, out)
        if not everywhere[_PELVIS] & HAS_GYROSCOPE:
            # Beyond a hole the heading is another one.
            heading = np.full_like(heading, np.nan)
        out[3], rotation = _unwrapped_deg(heading, rotation)
        np.add(out[0], out[1:3], out=out[5:7])
        driving = next((row for row in self._worn if everywhere[row] & PRESENT), None)
        if driving is None:
            out[7:] = np.nan
            return AngleColumns(out, np.zeros(flags.shape[1], dtype=np.bool_)), rotation
        self._read_driving(driving, values[driving], out)
        return AngleColumns(out, self._is_measured(flags, everywhere)), rotation

    def _read_segments(self, quaternions: FloatArray, out: FloatArray) -> FloatArray:
        """Fill in tilt, thigh flexion and obliquity; return the heading of the pelvis, rad."""
        products = self._turns * quaternions[:, np.newaxis]
        # Added by halves, not by `sum`: one sample shall give the same bits alone or among others.
        halves = products[:, :, :2] + products[:, :, 2:]
        earth_from_segment = halves[:, :, 0] + halves[:, :, 1]
        w, x, y, z = (earth_from_segment[:, i] for i in range(4))
        # From half of the up-vector, the rotation matrix' third row; then from half of its left axis.
        xx = x * x
        opposite, adjacent = np.empty((4, x.shape[1])), np.empty((4, x.shape[1]))
        np.subtract(w * y, x * z, out=opposite[:3])
        np.add(xx, y * y, out=adjacent[:3])
        w, x, y, z, xx = w[_PELVIS], x[_PELVIS], y[_PELVIS], z[_PELVIS], xx[_PELVIS]
        np.subtract(w * z, x * y, out=opposite[3])
        np.add(xx, z * z, out=adjacent[3])
        turned = np.arctan2(opposite, 0.5 - adjacent)
        np.multiply(turned[:3], _INCLINATION_SIGNS, out=out[:3])
        left_up = 2.0 * (y * z + w * x)
        out[4] = np.arcsin(np.minimum(np.maximum(left_up, -1.0), 1.0)) * -_DEGREES
        for row, calibration in self._unsigned.items():
            up = rotate_vectors(self._segment_from_sensor[row], up_in_sensor(quaternions[row].T))
            out[row] = inclination_deg(up, calibration)
        heading: FloatArray = turned[3]
        return heading

    def _read_driving(self, row: int, values: FloatArray, out: FloatArray) -> None:
        """Fill in the acceleration's size and the angular rate in the segment_frame."""
        squares = values[ACCELERATION] * values[ACCELERATION]
        np.sqrt(squares[0] + squares[1] + squares[2], out=out[7])
        rate = self._segment_from_sensor[row][:, :, np.newaxis] * (values[RATE] - values[BIAS])
        np.add(rate[:, 0] + rate[:, 1], rate[:, 2], out=out[8:11])

    def _is_measured(self, flags: NDArray[np.uint8], everywhere: list[int]) -> NDArray[np.bool_]:
        measured = np.ones(flags.shape[1], dtype=np.bool_)
        for row in self._worn:
            if not everywhere[row] & MEASURED:
                # A sensor that is not there shows as NaN in its own angles, and is not held against others.
                measured &= (flags[row] & (MEASURED | PRESENT)) != PRESENT
        return measured


def _inclined_without(quaternions: FloatArray, half_biases: FloatArray) -> FloatArray:
    """Turn orientations (3, 4, n) by what accelerometer biases (3, 3, 1), as half parts of g, turned them."""
    w, x, y, z = (quaternions[:, i] for i in range(4))
    up_x, up_y, up_z = 2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)
    b_x, b_y, b_z = (half_biases[:, i] for i in range(3))
    # Half of cross(up, bias / g): the small turn from the right direction of up to the one that was found.
    i, j, k = up_y * b_z - up_z * b_y, up_z * b_x - up_x * b_z, up_x * b_y - up_y * b_x
    r = 1.0 - 0.5 * (i * i + j * j + k * k)
    return np.stack(
        (
            w * r - x * i - y * j - z * k,
            w * i + x * r + y * k - z * j,
            w * j - x * k + y * r + z * i,
            w * k + x * j - y * i + z * r,
        ),
        axis=1,
    )


def heading_rad(samples: SegmentSamples, calibration: SegmentCalibration) -> FloatArray:
    """Heading of a segment's left axis, turned to forward, rad, shape (n,); NaN without a gyroscope.

    First angle of the order rotation, obliquity, tilt; its zero is arbitrary.
    """
    if not bool(samples.has_gyroscope.all()):
        return np.full(len(samples), np.nan)
    matrix = to_matrix(calibration.segment_from_sensor)
    left_earth = rotate_by_each(samples.earth_from_sensor_wxyz, matrix[1])
    return np.asarray(np.arctan2(-left_earth[:, 0], left_earth[:, 1]), dtype=np.float64)


def inclination_deg(up_segment: FloatArray, calibration: SegmentCalibration) -> FloatArray:
    """Inclination of a sensor of unknown yaw, degrees: unsigned, grown from the still pose.

    Lying it is counted down from lying, as lifting the hips lowers both tilt and thigh flexion.
    """
    still = np.array(calibration.still_up_segment)
    cosine = still[0] * up_segment[:, 0] + still[1] * up_segment[:, 1] + still[2] * up_segment[:, 2]
    turned = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
    zero_deg = math.degrees(math.atan2(-still[0], still[2]))
    if calibration.placement is not Placement.PELVIS:
        zero_deg = -zero_deg
    stood = abs(zero_deg) < 1.0
    return np.asarray(turned if stood else zero_deg - turned, dtype=np.float64)


def _unwrapped_deg(
    heading_rad: FloatArray, reference: RotationReference | None
) -> tuple[FloatArray, RotationReference | None]:
    low, high = np.minimum.reduce(heading_rad), np.maximum.reduce(heading_rad)
    if reference is not None and abs(high - reference.previous_rad) < np.pi > abs(
        low - reference.previous_rad
    ):
        # Nothing is missing (NaN would be the minimum) and nothing wraps.
        relative = np.degrees(heading_rad - reference.zero_rad + 2.0 * np.pi * reference.turns)
        return relative, RotationReference(reference.zero_rad, float(heading_rad[-1]), reference.turns)
    known = np.flatnonzero(np.isfinite(heading_rad))
    if len(known) == 0:
        return heading_rad.copy(), reference
    heard = heading_rad[known]
    if reference is None:
        reference = RotationReference(float(heard[0]), float(heard[0]))
    # Whole turns are counted, not added up in radians: the result does not depend on where blocks are cut.
    steps = np.diff(heard, prepend=reference.previous_rad)
    turns = reference.turns - np.cumsum(np.rint(steps / (2.0 * np.pi)).astype(np.int64))
    relative = np.full(len(heading_rad), np.nan)
    relative[known] = np.degrees(heard - reference.zero_rad + 2.0 * np.pi * turns)
    return relative, RotationReference(reference.zero_rad, float(heard[-1]), int(turns[-1]))


__all__ = ["AngleBlock", "Goniometer", "RotationReference", "angles_of", "heading_rad"]
