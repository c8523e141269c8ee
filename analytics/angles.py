"""Angles of pelvis, thighs and hips from the up-vector alone."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from analytics.imu import NANOSECONDS_PER_SECOND, FloatArray


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
