"""A virtual board with the sketch of docs/sensors.md: number, time and six integers a sample."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Final

import numpy as np

from firmware_protocol.gatt import Property, Service
from firmware_protocol.ranges import STANDARD_GRAVITY_M_S2
from hardware_sim.gatt_table import GattTable, characteristic
from hardware_sim.vendor_firmware import Sent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hardware_sim.recording_source import SampleSource

_SERVICE: Final = "19b10000-e8f2-537e-4f6c-d104768a1214"
_MOTION: Final = "19b10001-e8f2-537e-4f6c-d104768a1214"
_COMMAND: Final = "19b10002-e8f2-537e-4f6c-d104768a1214"


class OwnSketch:
    """Plays a source as that sketch does.

    Parameters
    ----------
    source
        What it measures.
    """

    name: Final = "XIAO motion"
    batch: Final = 2
    table: Final = GattTable(
        services=(Service("motion", _SERVICE, ""),),
        characteristics=(
            characteristic("motion", _MOTION, _SERVICE, Property.NOTIFY),
            characteristic("command", _COMMAND, _SERVICE, Property.WRITE),
        ),
    )

    def __init__(self, source: SampleSource) -> None:
        self._source = source
        acc_mg = source.acc_m_s2 / STANDARD_GRAVITY_M_S2 * 1000
        gyr_tenths = source.gyr_rad_s * (180.0 / math.pi) * 10
        self._raw = np.clip(np.rint(np.hstack([acc_mg, gyr_tenths])), -32768, 32767).astype(int)
        self._is_started = False

    def reads(self) -> Mapping[str, Callable[[], bytes]]:
        """Nothing can be read."""
        return {}

    def write(self, uuid: str, value: bytes) -> list[Sent]:
        """Take the start."""
        self._is_started = uuid == _COMMAND and value == b"\x01"
        return []

    def is_measuring(self, is_subscribed: Callable[[str], bool]) -> bool:
        """Tell whether it was started, and somebody listens."""
        return self._is_started and is_subscribed(_MOTION)

    def payloads(self, first: int, end: int, mtu: int) -> list[Sent]:
        """Encode two samples: number (u16), time in ms (u32), mg, tenths of °/s."""
        del mtu
        both = b""
        for at in range(first, end):
            clock_ms = int(self._source.device_time_us[at]) // 1000
            both += struct.pack("<HI6h", at % 2**16, clock_ms % 2**32, *self._raw[at])
        return [Sent(_MOTION, both)]

    def forget_host(self) -> None:
        """Stop: the link is gone."""
        self._is_started = False
