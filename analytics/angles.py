"""Angles of pelvis, thighs and hips from the up-vector alone."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from analytics.imu import NANOSECONDS_PER_SECOND, FloatArray, Placement
from analytics.quaternions import rotate_by_each, rotate_vectors, to_matrix, up_in_sensor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from analytics.alignment import AlignedBlock, SegmentSamples
    from analytics.calibration import SegmentCalibration


@dataclass(frozen=True, slots=True, eq=False)
class AngleBlock:
    """Angles on a uniform time grid; NaN where nothing can be said.

    All angles in degrees, relative to calibrated standing, signs as in METRICS: shape (n,).

    Parameters
    ----------
    start_time_ns
        Time of the first sample, integer nanoseconds.
    sampling_rate_hz
        Rate of the grid.
    gap_before_s
        0.0 where the block continues the previous one, else the length of the hole in s.
    pelvic_tilt_deg, pelvic_obliquity_deg, pelvic_rotation_deg
        + anterior, + right side up, + turning left.
    thigh_flexion_left_deg, thigh_flexion_right_deg
        + knee ahead of hip.
    hip_flexion_left_deg, hip_flexion_right_deg
        Tilt + thigh flexion, + flexion.
    acc_norm_m_s2
        Norm of the specific force at the driving sensor (pelvis if worn, else the thigh), m/s².
    gyr_segment_rad_s
        Angular rate of the driving sensor, bias removed, shape (n, 3), rad/s, segment_frame.
    is_supine
        Lying on the back (bridges), shape (n,).
    is_measured
        False where samples were bridged over a hole or the filter had just restarted, shape (n,).
    """

    start_time_ns: int
    sampling_rate_hz: float
    gap_before_s: float
    pelvic_tilt_deg: FloatArray
    pelvic_obliquity_deg: FloatArray
    pelvic_rotation_deg: FloatArray
    thigh_flexion_left_deg: FloatArray
    thigh_flexion_right_deg: FloatArray
    hip_flexion_left_deg: FloatArray
    hip_flexion_right_deg: FloatArray
    acc_norm_m_s2: FloatArray
    gyr_segment_rad_s: FloatArray
    is_supine: NDArray[np.bool_]
    is_measured: NDArray[np.bool_]

    def __post_init__(self) -> None:
        n = len(self.pelvic_tilt_deg)
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                if len(value) != n:
                    raise ValueError(f"{field.name} has {len(value)} samples, not {n}")
                value.flags.writeable = False

    def __len__(self) -> int:
        return len(self.pelvic_tilt_deg)

    def time_ns(self, index: int) -> int:
        """Time of sample ``index``, integer nanoseconds."""
        return self.start_time_ns + round(index * NANOSECONDS_PER_SECOND / self.sampling_rate_hz)

    def index_of(self, time_ns: int) -> int:
        """Sample nearest to a time; outside the block it may be negative or beyond the last."""
        return round((time_ns - self.start_time_ns) * self.sampling_rate_hz / NANOSECONDS_PER_SECOND)

    def cut(self, start: int, end: int) -> AngleBlock:
        """Return samples ``start`` to ``end``."""
        values = {
            field.name: getattr(self, field.name)[start:end]
            for field in fields(self)
            if isinstance(getattr(self, field.name), np.ndarray)
        }
        return replace(
            self,
            start_time_ns=self.time_ns(start),
            gap_before_s=self.gap_before_s if start == 0 else 0.0,
            **values,
        )


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

    Before a sensor's yaw is known, its inclination from the still pose stands in for tilt and thigh flexion,
    without a sign; obliquity and rotation are NaN.

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
    n = len(block)
    nothing = np.full(n, np.nan)
    tilt, obliquity, heading = nothing, nothing, nothing
    thighs = {Placement.THIGH_LEFT: nothing, Placement.THIGH_RIGHT: nothing}
    worn = [placement for placement in _DRIVING_ORDER if placement in calibrations]
    for placement in worn:
        calibration, samples = calibrations[placement], block.segments[placement]
        matrix = to_matrix(calibration.segment_from_sensor)
        up = rotate_vectors(matrix, up_in_sensor(samples.earth_from_sensor_wxyz))
        if placement is not Placement.PELVIS:
            thighs[placement] = (
                -tilt_deg(up) if calibration.is_yaw_known else inclination_deg(up, calibration)
            )
        elif calibration.is_yaw_known:
            tilt, obliquity = tilt_deg(up), obliquity_deg(up)
            heading = heading_rad(samples, calibration)
        else:
            tilt = inclination_deg(up, calibration)
    rotation_deg, rotation = _unwrapped_deg(heading, rotation)
    driving = _driving_placement(block, worn)
    measured = np.ones(n, dtype=np.bool_)
    for placement in worn:
        samples = block.segments[placement]
        # A sensor that is not there shows as NaN in its own angles and says nothing against the others.
        measured &= samples.is_measured | ~samples.is_present
    gyr = nothing[:, None] * np.ones(3)
    acc_norm = nothing
    if driving is not None:
        samples = block.segments[driving]
        gyr = rotate_vectors(
            to_matrix(calibrations[driving].segment_from_sensor), samples.gyr_rad_s - samples.bias_rad_s
        )
        x, y, z = (samples.acc_m_s2[:, i] for i in range(3))
        acc_norm = np.sqrt(x * x + y * y + z * z)
    left, right = thighs[Placement.THIGH_LEFT], thighs[Placement.THIGH_RIGHT]
    return (
        AngleBlock(
            start_time_ns=block.time_ns(block.first_index),
            sampling_rate_hz=block.sampling_rate_hz,
            gap_before_s=block.gap_before_s,
            pelvic_tilt_deg=tilt.copy(),
            pelvic_obliquity_deg=obliquity.copy(),
            pelvic_rotation_deg=rotation_deg,
            thigh_flexion_left_deg=left.copy(),
            thigh_flexion_right_deg=right.copy(),
            hip_flexion_left_deg=tilt + left,
            hip_flexion_right_deg=tilt + right,
            acc_norm_m_s2=acc_norm.copy(),
            gyr_segment_rad_s=gyr,
            is_supine=is_supine.copy(),
            is_measured=measured if driving is not None else np.zeros(n, dtype=np.bool_),
        ),
        rotation,
    )


_DRIVING_ORDER = (Placement.PELVIS, Placement.THIGH_LEFT, Placement.THIGH_RIGHT)


def tilt_deg(up_segment: FloatArray) -> FloatArray:
    """Forward tilt from the up-vector in segment_frame (n, 3), degrees, + anterior."""
    return np.asarray(np.degrees(np.arctan2(-up_segment[:, 0], up_segment[:, 2])), dtype=np.float64)


def obliquity_deg(up_segment: FloatArray) -> FloatArray:
    """Side tilt from the up-vector in segment_frame (n, 3), degrees, + right side up."""
    return np.asarray(-np.degrees(np.arcsin(np.clip(up_segment[:, 1], -1.0, 1.0))), dtype=np.float64)


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


def _driving_placement(block: AlignedBlock, worn: list[Placement]) -> Placement | None:
    """Return the first of the worn placements that has samples here."""
    return next((placement for placement in worn if bool(block.segments[placement].is_present.all())), None)
