"""Samples of several sensors on one grid, as they are handed out; and how they are kept."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from analytics.imu import NANOSECONDS_PER_SECOND, FloatArray, Placement

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

# What is known of a sample, one bit each; as in `SegmentSamples`.
PRESENT, RECEIVED, MEASURED, HAS_GYROSCOPE = np.uint8(1), np.uint8(2), np.uint8(4), np.uint8(8)

# Orientation, acceleration, rate, bias and one-sigma of the bias, as in `SegmentSamples`.
Samples: TypeAlias = tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]

# How samples are kept: an array for all placements, in the order of `Placement`, with one row for each number
# and time along the row.
PLACEMENT_ROWS = {placement: row for row, placement in enumerate(Placement)}
QUATERNION, ACCELERATION, RATE, BIAS = slice(0, 4), slice(4, 7), slice(7, 10), slice(10, 13)
BIAS_SIGMA = 13
ROWS = 14


@dataclass(frozen=True, slots=True, eq=False)
class SegmentSamples:
    """What one sensor contributes to a stretch of the grid; NaN where it has nothing.

    Parameters
    ----------
    earth_from_sensor_wxyz
        Shape (n, 4).
    acc_m_s2, gyr_rad_s, bias_rad_s
        Shape (n, 3), sensor_frame.
    bias_sigma_rad_s
        Shape (n,).
    is_present
        True where there is a sample, received or bridged, shape (n,).
    is_received
        True where a sample was received: what may be filtered anew, shape (n,).
    is_measured
        True where it was received and the filter has settled, shape (n,).
    has_gyroscope
        True where angular rates were recorded, shape (n,).
    """

    earth_from_sensor_wxyz: FloatArray
    acc_m_s2: FloatArray
    gyr_rad_s: FloatArray
    bias_rad_s: FloatArray
    bias_sigma_rad_s: FloatArray
    is_present: NDArray[np.bool_]
    is_received: NDArray[np.bool_]
    is_measured: NDArray[np.bool_]
    has_gyroscope: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.acc_m_s2)

    def cut(self, start: int, end: int) -> SegmentSamples:
        """Return samples ``start`` to ``end``."""
        return SegmentSamples(*(getattr(self, name)[start:end] for name in _SEGMENT_FIELDS))

    @staticmethod
    def joined(parts: Iterable[SegmentSamples]) -> SegmentSamples:
        """Return the samples of all parts, one after another."""
        kept = list(parts)
        return SegmentSamples(
            *(np.concatenate([getattr(part, name) for part in kept]) for name in _SEGMENT_FIELDS)
        )

    @staticmethod
    def absent(n: int) -> SegmentSamples:
        """Return a stretch without samples."""
        nothing = np.zeros(n, dtype=np.bool_)
        vectors = np.full((n, 3), np.nan)
        return SegmentSamples(
            earth_from_sensor_wxyz=np.full((n, 4), np.nan),
            acc_m_s2=vectors,
            gyr_rad_s=vectors,
            bias_rad_s=vectors,
            bias_sigma_rad_s=np.full(n, np.nan),
            is_present=nothing,
            is_received=nothing,
            is_measured=nothing,
            has_gyroscope=nothing,
        )


_SEGMENT_FIELDS = tuple(field.name for field in fields(SegmentSamples))


@dataclass(frozen=True, slots=True, eq=False)
class AlignedBlock:
    """All worn sensors on one stretch of the common grid.

    Parameters
    ----------
    anchor_ns
        Time of grid point 0.
    first_index
        Grid point of the first sample.
    sampling_rate_hz
        Rate of the grid.
    gap_before_s
        0.0 where the block continues the previous one, else the length of the hole in all sensors, s.
    segments
        Samples by placement, all of one length.
    """

    anchor_ns: int
    first_index: int
    sampling_rate_hz: float
    gap_before_s: float
    segments: Mapping[Placement, SegmentSamples]

    def __len__(self) -> int:
        return len(next(iter(self.segments.values())))

    @property
    def end_index(self) -> int:
        """Grid point after the last sample."""
        return self.first_index + len(self)

    def time_ns(self, index: int) -> int:
        """Time of a grid point, integer nanoseconds."""
        return self.anchor_ns + round(index * NANOSECONDS_PER_SECOND / self.sampling_rate_hz)

    def cut(self, start_index: int, end_index: int) -> AlignedBlock:
        """Return grid points ``start_index`` to ``end_index``."""
        start, end = start_index - self.first_index, end_index - self.first_index
        return AlignedBlock(
            anchor_ns=self.anchor_ns,
            first_index=start_index,
            sampling_rate_hz=self.sampling_rate_hz,
            gap_before_s=self.gap_before_s if start == 0 else 0.0,
            segments={placement: samples.cut(start, end) for placement, samples in self.segments.items()},
        )

    def columns(self) -> tuple[FloatArray, NDArray[np.uint8]]:
        """Return the samples as they are kept: values, shape (3, 14, n), and flags, shape (3, n)."""
        values = np.full((len(Placement), ROWS, len(self)), np.nan)
        flags = np.zeros((len(Placement), len(self)), dtype=np.uint8)
        for placement, samples in self.segments.items():
            row = PLACEMENT_ROWS[placement]
            values[row, QUATERNION] = samples.earth_from_sensor_wxyz.T
            values[row, ACCELERATION] = samples.acc_m_s2.T
            values[row, RATE] = samples.gyr_rad_s.T
            values[row, BIAS] = samples.bias_rad_s.T
            values[row, BIAS_SIGMA] = samples.bias_sigma_rad_s
            flags[row] = (
                samples.is_present * PRESENT
                | samples.is_received * RECEIVED
                | samples.is_measured * MEASURED
                | samples.has_gyroscope * HAS_GYROSCOPE
            )
        return values, flags
