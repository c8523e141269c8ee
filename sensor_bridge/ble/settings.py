"""From what is wished of a sensor to what it can do."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from firmware_protocol.packets import AccelRange, GyroRange, SamplingRate

if TYPE_CHECKING:
    from firmware_protocol.packets import DeviceInfo
    from sensor_bridge.ble.link import SensorSettings

ACCEL_G = {AccelRange.G2: 2, AccelRange.G4: 4, AccelRange.G8: 8, AccelRange.G16: 16}
GYRO_DPS = {
    GyroRange.DPS125: 125,
    GyroRange.DPS250: 250,
    GyroRange.DPS500: 500,
    GyroRange.DPS1000: 1000,
    GyroRange.DPS2000: 2000,
}


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """What a stream will be like.

    Parameters
    ----------
    sampling_rate, accel_range, gyro_range, batch
        As in ``Configure``.
    """

    sampling_rate: SamplingRate
    accel_range: AccelRange
    gyro_range: GyroRange
    batch: int

    @property
    def frame_s(self) -> float:
        """Time from one frame to the next, s."""
        return self.batch / self.sampling_rate.hz


def nearest_settings(wish: SensorSettings, info: DeviceInfo) -> StreamSettings:
    """Choose what comes nearest to a wish.

    Parameters
    ----------
    wish
        What is wanted.
    info
        What the sensor can do.

    Returns
    -------
    StreamSettings
        The nearest rate (by ratio), and the smallest ranges that hold at least the wish, else the largest.
    """
    return StreamSettings(
        sampling_rate=min(
            info.rates, key=lambda rate: (abs(math.log(rate.hz / wish.sampling_rate_hz)), -rate.hz)
        ),
        accel_range=next(
            (each for each in info.accel_ranges if ACCEL_G[each] >= wish.accel_range_g),
            info.accel_ranges[-1],
        ),
        gyro_range=next(
            (each for each in info.gyro_ranges if GYRO_DPS[each] >= wish.gyro_range_dps),
            info.gyro_ranges[-1],
        ),
        batch=min(wish.batch, info.max_batch),
    )
