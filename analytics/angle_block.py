"""Angles of pelvis, thighs and hips over time, as every later stage takes them."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from analytics.imu import NANOSECONDS_PER_SECOND, FloatArray

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class AngleColumns:
    """What a goniometer reads: one row an angle, in one piece of memory.

    Parameters
    ----------
    values
        Tilt, thigh flexion left and right, rotation, obliquity, hip flexion left and right (degrees), size of
        the driving sensor's acceleration (m/s²), its rate about three axes (rad/s), shape (11, n).
    is_measured
        As in :class:`AngleBlock`, shape (n,).
    """

    values: FloatArray
    is_measured: NDArray[np.bool_]


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
        for name in _ARRAYS:
            value = getattr(self, name)
            if len(value) != n:
                raise ValueError(f"{name} has {len(value)} samples, not {n}")
            value.setflags(write=False)

    @classmethod
    def of_columns(
        cls,
        start_time_ns: int,
        sampling_rate_hz: float,
        gap_before_s: float,
        columns: AngleColumns,
        is_supine: NDArray[np.bool_],
    ) -> AngleBlock:
        """Name the rows that a goniometer has read; they become the block's own."""
        rows, is_measured = columns.values, columns.is_measured
        for own in (rows, is_supine, is_measured):
            own.setflags(write=False)
        tilt, left, right, rotation, obliquity, hip_left, hip_right, acc = rows[:8]
        arrays = (tilt, obliquity, rotation, left, right, hip_left, hip_right, acc, rows[8:11].T)
        # One in every packet: what the constructor would check is known, what it would set is set.
        block = object.__new__(cls)
        grid = (start_time_ns, sampling_rate_hz, gap_before_s)
        for name, value in zip(_FIELDS, (*grid, *arrays, is_supine, is_measured), strict=True):
            object.__setattr__(block, name, value)
        return block

    def __len__(self) -> int:
        return len(self.pelvic_tilt_deg)

    def time_ns(self, index: int) -> int:
        """Time of sample ``index``, integer nanoseconds."""
        return self.start_time_ns + round(index * NANOSECONDS_PER_SECOND / self.sampling_rate_hz)

    def times_ns(self, start: int, end: int) -> NDArray[np.int64]:
        """Return the times of samples ``start`` to ``end``, integer nanoseconds, shape (end - start,)."""
        steps = np.arange(start, end) * NANOSECONDS_PER_SECOND / self.sampling_rate_hz
        return self.start_time_ns + np.rint(steps).astype(np.int64)

    def index_of(self, time_ns: int) -> int:
        """Sample nearest to a time; outside the block it may be negative or beyond the last."""
        return round((time_ns - self.start_time_ns) * self.sampling_rate_hz / NANOSECONDS_PER_SECOND)

    def cut(self, start: int, end: int) -> AngleBlock:
        """Return samples ``start`` to ``end``."""
        values = {name: getattr(self, name)[start:end] for name in _ARRAYS}
        return replace(
            self,
            start_time_ns=self.time_ns(start),
            gap_before_s=self.gap_before_s if start == 0 else 0.0,
            **values,
        )


_FIELDS = tuple(field.name for field in fields(AngleBlock))
# All but the grid.
_ARRAYS = _FIELDS[3:]
