"""A virtual WitMotion WT901BLE: a stream of 20-byte frames that notifications cut anywhere."""

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

_SERVICE: Final = "0000ffe5-0000-1000-8000-00805f9a34fb"
_STREAM: Final = "0000ffe4-0000-1000-8000-00805f9a34fb"
_COMMAND: Final = "0000ffe9-0000-1000-8000-00805f9a34fb"
_CHUNK_BYTES: Final = 33  # neither a frame nor a multiple of one
_RATE_CODES: Final = {10.0: 6, 20.0: 7, 50.0: 8, 100.0: 9, 200.0: 11}
_RATE, _BATTERY = 0x03, 0x64
_CENTIVOLTS: Final = 385


class WitMotion:
    """Plays a source as a WT901BLE does; streams at whatever rate the source has.

    Parameters
    ----------
    source
        What it measures.
    """

    name: Final = "WT901BLE68"
    batch: Final = 2
    table: Final = GattTable(
        services=(Service("serial", _SERVICE, ""),),
        characteristics=(
            characteristic("stream", _STREAM, _SERVICE, Property.NOTIFY),
            characteristic("command", _COMMAND, _SERVICE, Property.WRITE, Property.WRITE_WITHOUT_RESPONSE),
        ),
    )

    def __init__(self, source: SampleSource) -> None:
        acc = source.acc_m_s2 / (16 * STANDARD_GRAVITY_M_S2) * 32768
        gyr = source.gyr_rad_s * (180.0 / math.pi) / 2000 * 32768
        self._raw = np.clip(np.rint(np.hstack([acc, gyr])), -32768, 32767).astype(int)
        self._rate_code = _RATE_CODES.get(source.rate.hz, 0)
        self._is_unlocked = False
        self._waiting = b""

    def reads(self) -> Mapping[str, Callable[[], bytes]]:
        """Nothing can be read."""
        return {}

    def write(self, uuid: str, value: bytes) -> list[Sent]:
        """Take a command; what a register holds comes between the samples."""
        if uuid != _COMMAND or len(value) != 5 or value[:2] != b"\xff\xaa":
            return []
        if value[2:] == b"\x69\x88\xb5":
            self._is_unlocked = True
        elif value[2] == 0x27:
            held = {_RATE: self._rate_code, _BATTERY: _CENTIVOLTS}.get(value[3], 0)
            self._waiting += struct.pack("<BBH8h", 0x55, 0x71, value[3], held, *[0] * 7)
        return []

    def is_measuring(self, is_subscribed: Callable[[str], bool]) -> bool:
        """Tell whether somebody listens: it streams always."""
        return is_subscribed(_STREAM)

    def payloads(self, first: int, end: int, mtu: int) -> list[Sent]:
        """Encode frames, cut the stream into pieces."""
        for at in range(first, end):
            self._waiting += struct.pack("<BB9h", 0x55, 0x61, *self._raw[at], 0, 0, 0)
        sent = []
        size = min(_CHUNK_BYTES, mtu - 3)
        while len(self._waiting) >= size:
            sent.append(Sent(_STREAM, self._waiting[:size]))
            self._waiting = self._waiting[size:]
        return sent

    def forget_host(self) -> None:
        """Stop: the link is gone."""
        self._waiting = b""
        self._is_unlocked = False
