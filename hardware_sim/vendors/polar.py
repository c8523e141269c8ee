"""A virtual Polar Verity Sense: PMD at 52 Hz, accelerations and angular rates apart, both compressed."""

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

_SERVICE: Final = "fb005c80-02e7-f387-1cad-8acd2d8df0c8"
_CONTROL: Final = "fb005c81-02e7-f387-1cad-8acd2d8df0c8"
_DATA: Final = "fb005c82-02e7-f387-1cad-8acd2d8df0c8"
_ACC, _GYR = 2, 5
_OK, _UNSUPPORTED, _BAD_PARAMETER, _ALREADY = 0, 3, 5, 6
_FACTORS: Final = {_ACC: 8 / 32768, _GYR: 2000 / 32768}  # g and °/s a count
_RANGES: Final = {_ACC: 8, _GYR: 2000}
_EPOCH_NS: Final = 842_000_000 * 10**9  # some day of the sensor's own calendar, which began in 2000


class PolarVeritySense:
    """Plays a source as a Verity Sense does; offers the source's rate and no other.

    Parameters
    ----------
    source
        What it measures.
    """

    name: Final = "Polar Sense A1B2C3D4"
    batch: Final = 26
    table: Final = GattTable(
        services=(Service("measurement data", _SERVICE, ""), BATTERY_SERVICE),
        characteristics=(
            characteristic(
                "control point", _CONTROL, _SERVICE, Property.READ, Property.WRITE, Property.INDICATE
            ),
            characteristic("data", _DATA, _SERVICE, Property.NOTIFY),
            BATTERY_LEVEL,
        ),
    )

    def __init__(self, source: SampleSource) -> None:
        self._source = source
        self._running: set[int] = set()
        measured = {
            _ACC: source.acc_m_s2 / STANDARD_GRAVITY_M_S2,
            _GYR: source.gyr_rad_s * (180.0 / math.pi),
        }
        self._counts = {
            kind: np.clip(np.rint(values / _FACTORS[kind]), -32768, 32767).astype(int)
            for kind, values in measured.items()
        }

    def reads(self) -> Mapping[str, Callable[[], bytes]]:
        """Characteristics that can be read."""
        return {BATTERY_LEVEL_UUID: lambda: bytes([58])}

    def write(self, uuid: str, value: bytes) -> list[Sent]:
        """Take a request and answer it."""
        if uuid != _CONTROL or len(value) < 2:
            return []
        operation, kind = value[0], value[1]
        status, parameters = self._execute(operation, kind, value[2:])
        return [Sent(_CONTROL, bytes([0xF0, operation, kind, status, 0]) + parameters)]

    def is_measuring(self, is_subscribed: Callable[[str], bool]) -> bool:
        """Tell whether both measurements run, and somebody listens."""
        return self._running == {_ACC, _GYR} and is_subscribed(_DATA)

    def payloads(self, first: int, end: int, mtu: int) -> list[Sent]:
        """Encode one frame of each measurement."""
        del mtu
        last_ns = _EPOCH_NS + int(self._source.device_time_us[end - 1]) * 1000
        sent = []
        for kind, frame_type in ((_ACC, 0x80), (_GYR, 0x80)):
            counts = self._counts[kind][first:end]
            head = struct.pack("<BQB", kind, last_ns, frame_type)
            sent.append(Sent(_DATA, head + _compressed(counts)))
        return sent

    def forget_host(self) -> None:
        """Stop: the link is gone."""
        self._running.clear()

    def _execute(self, operation: int, kind: int, settings: bytes) -> tuple[int, bytes]:
        if kind not in _RANGES:
            return _UNSUPPORTED, b""
        offered = struct.pack(
            "<BBHBBHBBHBBB", 0, 1, int(self._source.rate.hz), 1, 1, 16, 2, 1, _RANGES[kind], 4, 1, 3
        )
        if operation == 1:
            return _OK, offered
        if operation == 2:
            if settings != offered:
                return _BAD_PARAMETER, b""
            self._running.add(kind)
            return _OK, struct.pack("<BBf", 5, 1, _FACTORS[kind])
        if operation == 3 and kind in self._running:
            self._running.discard(kind)
            return _OK, b""
        return _ALREADY, b""


def _compressed(counts: np.ndarray[tuple[int, int], np.dtype[np.int_]]) -> bytes:
    """Write the first sample in full, then differences in as few bits as all of a block of ten need."""
    packed = struct.pack("<hhh", *counts[0])
    differences = np.diff(counts, axis=0)
    for start in range(0, len(differences), 10):
        block = [int(number) for number in differences[start : start + 10].ravel()]
        bits = max(max(number, -number - 1).bit_length() for number in block) + 1
        joined = 0
        for position, number in enumerate(block):
            joined |= (number % (1 << bits)) << position * bits
        packed += bytes([bits, len(block) // 3]) + joined.to_bytes((bits * len(block) + 7) // 8, "little")
    return packed
