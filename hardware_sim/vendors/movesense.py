"""A virtual Movesense with the ``gatt_sensordata`` application: eight samples a batch, in two parts."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Final

from firmware_protocol.gatt import BATTERY_LEVEL_UUID, Property, Service
from hardware_sim.gatt_table import BATTERY_LEVEL, BATTERY_SERVICE, GattTable, characteristic
from hardware_sim.vendor_firmware import Sent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hardware_sim.recording_source import SampleSource

_SERVICE: Final = "34802252-7185-4d5d-b431-630e7050e8f0"
_COMMAND: Final = "34800001-7185-4d5d-b431-630e7050e8f0"
_NOTIFICATION: Final = "34800002-7185-4d5d-b431-630e7050e8f0"
_FIRST_PART_BYTES: Final = 150  # as if the host had asked for a small MTU


class Movesense:
    """Plays a source as a Movesense does; takes the source's rate and no other.

    Parameters
    ----------
    source
        What it measures.
    """

    name: Final = "Movesense 202330000123"
    batch: Final = 8
    table: Final = GattTable(
        services=(Service("sensor data", _SERVICE, ""), BATTERY_SERVICE),
        characteristics=(
            characteristic("command", _COMMAND, _SERVICE, Property.WRITE),
            characteristic("notification", _NOTIFICATION, _SERVICE, Property.NOTIFY),
            BATTERY_LEVEL,
        ),
    )

    def __init__(self, source: SampleSource) -> None:
        self._source = source
        self._acc = source.acc_m_s2
        self._gyr_dps = source.gyr_rad_s * (180.0 / math.pi)
        self._reference: int | None = None

    def reads(self) -> Mapping[str, Callable[[], bytes]]:
        """Characteristics that can be read."""
        return {BATTERY_LEVEL_UUID: lambda: bytes([64])}

    def write(self, uuid: str, value: bytes) -> list[Sent]:
        """Take a command and answer it."""
        if uuid != _COMMAND or len(value) < 2:
            return []
        command, reference = value[0], value[1]
        status = 404
        if command == 1 and value[2:] == f"/Meas/IMU6/{self._source.rate.hz:g}".encode():
            self._reference, status = reference, 200
        elif command == 2 and reference == self._reference:
            self._reference, status = None, 200
        return [Sent(_NOTIFICATION, struct.pack("<BBH", 1, reference, status))]

    def is_measuring(self, is_subscribed: Callable[[str], bool]) -> bool:
        """Tell whether there is a subscription, and somebody listens."""
        return self._reference is not None and is_subscribed(_NOTIFICATION)

    def payloads(self, first: int, end: int, mtu: int) -> list[Sent]:
        """Encode: time of the first sample, all accelerations, all angular rates; cut in two."""
        del mtu
        assert self._reference is not None
        clock_ms = int(self._source.device_time_us[first]) // 1000
        batch = struct.pack("<I", clock_ms % 2**32)
        for values in (self._acc, self._gyr_dps):
            for at in range(first, end):
                batch += struct.pack("<fff", *values[at])
        parts = ((2, batch[:_FIRST_PART_BYTES]), (3, batch[_FIRST_PART_BYTES:]))
        return [Sent(_NOTIFICATION, bytes([kind, self._reference]) + part) for kind, part in parts]

    def forget_host(self) -> None:
        """Stop: the link is gone."""
        self._reference = None
