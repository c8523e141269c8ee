"""The one type every stage of the body speaks: contiguous inertial samples in SI units."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]

NANOSECONDS_PER_SECOND = 1_000_000_000
STANDARD_GRAVITY_M_S2 = 9.80665  # ISO 80000-3


class Placement(StrEnum):
    """The body segment a sensor is worn on."""

    PELVIS = "pelvis"
    THIGH_LEFT = "thigh_left"
    THIGH_RIGHT = "thigh_right"


class Mount(StrEnum):
    """Where on its segment a sensor is clipped (FORMATS: placement values)."""

    SACRUM = "sacrum"
    HIP_LEFT = "hip_left"
    HIP_RIGHT = "hip_right"
    BELLY = "belly"
    THIGH_LATERAL = "thigh_lateral"
    THIGH_ANTERIOR = "thigh_anterior"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, eq=False)
class ImuBlock:
    """Contiguous samples of one sensor on a uniform time grid.

    Parameters
    ----------
    placement
        Segment the sensor is worn on.
    start_time_ns
        Time of the first sample, integer nanoseconds on the pipeline's timeline.
    sampling_rate_hz
        Rate of the grid: sample ``k`` lies at ``start_time_ns + k / sampling_rate_hz``.
    acc_m_s2
        Specific force, shape (n, 3), m/s², sensor_frame; +9.81 along "up" at rest.
    gyr_rad_s
        Angular rate, shape (n, 3), rad/s, sensor_frame. All-zero with ``has_gyroscope`` False
        where the recording holds accelerations only.
    gap_before_s
        0.0 where the block continues the previous one of its placement; else the length of the hole, s.
    has_gyroscope
        False where the recording holds accelerations only.

    Raises
    ------
    ValueError
        Wrong shapes, a rate that is not positive, or a value that is not finite.
    """

    placement: Placement
    start_time_ns: int
    sampling_rate_hz: float
    acc_m_s2: FloatArray
    gyr_rad_s: FloatArray
    gap_before_s: float = 0.0
    has_gyroscope: bool = True

    def __post_init__(self) -> None:
        for name in ("acc_m_s2", "gyr_rad_s"):
            # A copy, C-contiguous: vqf takes nothing else, and nobody may change a block behind its back.
            values = np.array(getattr(self, name), dtype=np.float64, order="C")
            if values.ndim != 2 or values.shape[1] != 3:
                raise ValueError(f"{name} must have shape (n, 3), not {values.shape}")
            # A sum of squares is finite where all values are, and quick; the other way round it may overflow.
            if not math.isfinite(np.vdot(values, values)) and not np.isfinite(values).all():
                raise ValueError(f"{name} holds values that are not finite: a gap ends a block")
            values.setflags(write=False)
            object.__setattr__(self, name, values)
        if len(self.acc_m_s2) != len(self.gyr_rad_s):
            raise ValueError("acc_m_s2 and gyr_rad_s differ in length")
        if not self.sampling_rate_hz > 0:
            raise ValueError(f"sampling_rate_hz must be positive, not {self.sampling_rate_hz}")

    def __len__(self) -> int:
        return len(self.acc_m_s2)

    def time_ns(self, index: int) -> int:
        """Time of sample ``index``, integer nanoseconds (``index`` may be ``len(self)``: the end)."""
        return self.start_time_ns + round(index * NANOSECONDS_PER_SECOND / self.sampling_rate_hz)
