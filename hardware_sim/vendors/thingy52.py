"""A virtual Nordic Thingy:52: raw motion data, one sample a notification, no time and no number."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Final

import numpy as np

from firmware_protocol.gatt import BATTERY_LEVEL_UUID, Property, Service
from firmware_protocol.ranges import STANDARD_GRAVITY_M_S2
from hardware_sim.gatt_table import BATTERY_LEVEL, BATTERY_SERVICE, GattTable, characteristic
from hardware_sim.vendor_firmware import Sent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hardware_sim.recording_source import SampleSource

_CONFIGURATION_SERVICE: Final = "ef680100-9b35-4933-9b10-52ffa9740042"
_MOTION_SERVICE: Final = "ef680400-9b35-4933-9b10-52ffa9740042"
_CONFIGURATION: Final = "ef680401-9b35-4933-9b10-52ffa9740042"
_RAW: Final = "ef680406-9b35-4933-9b10-52ffa9740042"


class Thingy52:
    """Plays a source as a Thingy:52 does; takes the source's rate and no other.

    Parameters
    ----------
    source
        What it measures.
    """

    name: Final = "Thingy"
    batch: Final = 1
    table: Final = GattTable(
        services=(Service("motion", _MOTION_SERVICE, ""), BATTERY_SERVICE),
        characteristics=(
            characteristic("configuration", _CONFIGURATION, _MOTION_SERVICE, Property.READ, Property.WRITE),
            characteristic("raw data", _RAW, _MOTION_SERVICE, Property.NOTIFY),
            BATTERY_LEVEL,
        ),
        advertised_service=_CONFIGURATION_SERVICE,
    )

    def __init__(self, source: SampleSource) -> None:
        self._source = source
        acc = source.acc_m_s2 / STANDARD_GRAVITY_M_S2 * 1024
        gyr = source.gyr_rad_s * (180.0 / math.pi) * 32
        self._raw = np.clip(np.rint(np.hstack([acc, gyr])), -32768, 32767).astype(int)
        self._configuration = struct.pack("<HHHHB", 1000, 10_000, 1000, 10, 0)

    def reads(self) -> Mapping[str, Callable[[], bytes]]:
        """Characteristics that can be read."""
        return {_CONFIGURATION: lambda: self._configuration, BATTERY_LEVEL_UUID: lambda: bytes([81])}

    def write(self, uuid: str, value: bytes) -> list[Sent]:
        """Take a configuration."""
        if uuid == _CONFIGURATION and len(value) == 9 and 5 <= value[6] + 256 * value[7] <= 200:
            self._configuration = value
        return []

    def is_measuring(self, is_subscribed: Callable[[str], bool]) -> bool:
        """Tell whether it is set to the source's rate, and somebody listens."""
        rate_hz = int.from_bytes(self._configuration[6:8], "little")
        return rate_hz == self._source.rate.hz and is_subscribed(_RAW)

    def payloads(self, first: int, end: int, mtu: int) -> list[Sent]:
        """Encode: acceleration, angular rate, a compass that reads north."""
        del mtu
        return [
            Sent(_RAW, struct.pack("<hhhhhhhhh", *self._raw[at], 16 * 20, 0, -16 * 45))
            for at in range(first, end)
        ]

    def forget_host(self) -> None:
        """Stop: the link is gone; the configuration stays."""
