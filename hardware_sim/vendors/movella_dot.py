"""A virtual Movella DOT: measurement mode 21 at 60 Hz, one sample a notification."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Final

from firmware_protocol.gatt import Property, Service
from hardware_sim.gatt_table import GattTable, characteristic
from hardware_sim.vendor_firmware import Sent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hardware_sim.recording_source import SampleSource

_CONFIGURATION, _MEASUREMENT, _BATTERY_SERVICE = (
    f"1517{number}-4947-11e9-8646-d663bd873d93" for number in ("1000", "2000", "3000")
)
_CONTROL, _START, _MEDIUM, _BATTERY = (
    f"1517{number}-4947-11e9-8646-d663bd873d93" for number in ("1002", "2001", "2003", "3001")
)
_MOVELLA: Final = 0x0886
_MODE_RATE_QUANTITIES: Final = 21
_PAYLOAD_BYTES: Final = 40
# The clock wraps after 71.6 min; here after five seconds, because a bridge has to bear it.
_CLOCK_AT_FIRST_US: Final = 2**32 - 5_000_000


class MovellaDot:
    """Plays a source as a DOT does; takes the source's rate and no other.

    Parameters
    ----------
    source
        What it measures.
    """

    name: Final = "Movella DOT"
    batch: Final = 1
    table: Final = GattTable(
        services=(
            Service("configuration", _CONFIGURATION, ""),
            Service("measurement", _MEASUREMENT, ""),
            Service("battery", _BATTERY_SERVICE, ""),
        ),
        characteristics=(
            characteristic("control", _CONTROL, _CONFIGURATION, Property.READ, Property.WRITE),
            characteristic("start", _START, _MEASUREMENT, Property.READ, Property.WRITE),
            characteristic("medium payload", _MEDIUM, _MEASUREMENT, Property.NOTIFY),
            characteristic("battery", _BATTERY, _BATTERY_SERVICE, Property.READ, Property.NOTIFY),
        ),
        manufacturer_data=_MOVELLA.to_bytes(2, "little"),
    )

    def __init__(self, source: SampleSource) -> None:
        self._source = source
        self._acc = source.acc_m_s2
        self._gyr_dps = source.gyr_rad_s * (180.0 / math.pi)
        self._rate_hz = 0
        self._mode = 0
        self.n_identified = 0

    def reads(self) -> Mapping[str, Callable[[], bytes]]:
        """Characteristics that can be read."""
        return {
            _CONTROL: self._control,
            _START: lambda: bytes([1, bool(self._mode), self._mode]),
            _BATTERY: _full,
        }

    def write(self, uuid: str, value: bytes) -> list[Sent]:
        """Take a setting or a start."""
        if uuid == _CONTROL and len(value) == 32 and not self._mode:
            visited = value[0]
            self.n_identified += visited & 0x01 and value[1] == 1
            if visited & 0x10:
                self._rate_hz = int.from_bytes(value[24:26], "little")
        elif uuid == _START and len(value) == 3 and value[0] == 1:
            self._mode = value[2] if value[1] == 1 else 0
        return []

    def is_measuring(self, is_subscribed: Callable[[str], bool]) -> bool:
        """Tell whether it was started in mode 21 at the source's rate, and somebody listens."""
        is_right = self._mode == _MODE_RATE_QUANTITIES and self._rate_hz == self._source.rate.hz
        return is_right and is_subscribed(_MEDIUM)

    def payloads(self, first: int, end: int, mtu: int) -> list[Sent]:
        """Encode: time, acceleration, angular rate, zeros up to 40 bytes."""
        del mtu
        sent = []
        for at in range(first, end):
            elapsed_us = int(self._source.device_time_us[at] - self._source.device_time_us[0])
            clock_us = (_CLOCK_AT_FIRST_US + elapsed_us) % 2**32
            measured = struct.pack("<Iffffff", clock_us, *self._acc[at], *self._gyr_dps[at])
            sent.append(Sent(_MEDIUM, measured.ljust(_PAYLOAD_BYTES, b"\0")))
        return sent

    def forget_host(self) -> None:
        """Stop: the link is gone."""
        self._mode = 0

    def _control(self) -> bytes:
        return bytes(24) + self._rate_hz.to_bytes(2, "little") + bytes(6)


def _full() -> bytes:
    return bytes([97, 0])
