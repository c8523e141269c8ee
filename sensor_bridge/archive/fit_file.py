"""FIT files, written: header, definitions, messages, checksum. Pure; what is in a message, others say.

After Garmin's public description of the Flexible and Interoperable Data Transfer protocol, version 2.0: all
integers little-endian; a definition message tells the fields of the data messages behind it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_HEADER = struct.Struct("<BBHI4s")
_CRC = struct.Struct("<H")
_DEFINITION = struct.Struct("<BBBHB")
_PROTOCOL_VERSION: Final = 0x20
_PROFILE_VERSION: Final = 21218
_EPOCH_S: Final = datetime(1989, 12, 31, tzinfo=UTC).timestamp()
_IS_DEFINITION: Final = 0x40
_LOCAL_TYPES: Final = 16
_POLYNOMIAL: Final = 0xA001  # CRC-16/ARC, reflected


class FitType(Enum):
    """Types of fields: number in the protocol, and how they are packed; strings have the length they need."""

    ENUM = (0x00, "B")
    UINT8 = (0x02, "B")
    UINT16 = (0x84, "H")
    UINT32 = (0x86, "I")
    UINT32Z = (0x8C, "I")
    STRING = (0x07, "s")

    @property
    def code(self) -> int:
        """Number of the type in definitions."""
        return self.value[0]


@dataclass(frozen=True, slots=True)
class FitField:
    """A field of a message: its number, type and value as the file has it (scaled, not yet packed)."""

    number: int
    type: FitType
    value: int | str

    def packed(self) -> bytes:
        """Return its bytes.

        Raises
        ------
        ValueError
            The value does not fit the type; all ones mean "invalid" and are none.
        """
        if isinstance(self.value, str):
            return self.value.encode()[:254] + b"\0"
        layout = struct.Struct(f"<{self.type.value[1]}")
        if not 0 <= self.value < (1 << 8 * layout.size) - 1:
            raise ValueError(f"field {self.number}: {self.value} does not fit {self.type.name}")
        return layout.pack(self.value)


@dataclass(frozen=True, slots=True)
class FitMessage:
    """A message: its global number, and the fields it has."""

    number: int
    fields: tuple[FitField, ...]


def fit_file(messages: Iterable[FitMessage]) -> bytes:
    """Write messages, in order, as one file.

    Raises
    ------
    ValueError
        A value does not fit its field.
    """
    body = bytearray()
    local_types: dict[tuple[object, ...], int] = {}
    for message in messages:
        packed = [(field, field.packed()) for field in message.fields]
        layout = (message.number, *((field.number, field.type.code, len(data)) for field, data in packed))
        if layout not in local_types:
            if len(local_types) == _LOCAL_TYPES:
                local_types.clear()
            local_types[layout] = len(local_types)
            body += _DEFINITION.pack(
                _IS_DEFINITION | local_types[layout], 0, 0, message.number, len(message.fields)
            )
            for field, data in packed:
                body += bytes((field.number, len(data), field.type.code))
        body.append(local_types[layout])
        for _, data in packed:
            body += data
    header = _HEADER.pack(_HEADER.size + _CRC.size, _PROTOCOL_VERSION, _PROFILE_VERSION, len(body), b".FIT")
    whole = header + _CRC.pack(_checksum(header)) + body
    return whole + _CRC.pack(_checksum(whole))


def fit_time(time_ms: float) -> int:
    """Turn UTC in ms since 1970 into FIT's seconds since the end of 1989, rounded."""
    return round(time_ms / 1000.0 - _EPOCH_S)


def _checksum(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (_POLYNOMIAL if crc & 1 else 0)
    return crc
