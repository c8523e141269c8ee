"""What the samples are scaled by: ranges of the two sensors, and the sampling rates."""

from __future__ import annotations

import math
from enum import IntEnum
from typing import Final

STANDARD_GRAVITY_M_S2: Final = 9.80665  # ISO 80000-3
FULL_SCALE_LSB: Final = 32768  # counts at the end of every range


class AccelRange(IntEnum):
    """Full scale of the accelerometer, ± standard gravities."""

    G2 = 0
    G4 = 1
    G8 = 2
    G16 = 3

    @property
    def m_s2_per_lsb(self) -> float:
        """Specific force of one count, m/s²."""
        return _M_S2_PER_LSB[self]


class GyroRange(IntEnum):
    """Full scale of the gyroscope, ± degrees per second."""

    DPS125 = 0
    DPS250 = 1
    DPS500 = 2
    DPS1000 = 3
    DPS2000 = 4

    @property
    def rad_s_per_lsb(self) -> float:
        """Angular rate of one count, rad/s."""
        return _RAD_S_PER_LSB[self]


class SamplingRate(IntEnum):
    """Nominal sampling rate; the true one differs by up to some percent and follows from the device times."""

    HZ10 = 1
    HZ12_5 = 2
    HZ20 = 3
    HZ25 = 4
    HZ50 = 5
    HZ52 = 6
    HZ60 = 7
    HZ100 = 8
    HZ104 = 9
    HZ120 = 10
    HZ128 = 11
    HZ200 = 12
    HZ208 = 13
    HZ400 = 14
    HZ416 = 15

    @property
    def hz(self) -> float:
        """Samples a second."""
        return _HZ[self]

    @classmethod
    def from_hz(cls, hz: float) -> SamplingRate:
        """Find the member of exactly this rate.

        Raises
        ------
        ValueError
            No member has it.
        """
        for rate in cls:
            if rate.hz == hz:
                return rate
        offered = ", ".join(f"{rate.hz:g}" for rate in cls)
        raise ValueError(f"there is no sampling rate of {hz:g} Hz; choose from {offered}")


_M_S2_PER_LSB: Final = {
    r: g * STANDARD_GRAVITY_M_S2 / FULL_SCALE_LSB for r, g in zip(AccelRange, (2, 4, 8, 16), strict=True)
}
_RAD_S_PER_LSB: Final = {
    r: math.radians(dps) / FULL_SCALE_LSB
    for r, dps in zip(GyroRange, (125, 250, 500, 1000, 2000), strict=True)
}
_HZ: Final = dict(
    zip(
        SamplingRate,
        (10.0, 12.5, 20.0, 25.0, 50.0, 52.0, 60.0, 100.0, 104.0, 120.0, 128.0, 200.0, 208.0, 400.0, 416.0),
        strict=True,
    )
)
