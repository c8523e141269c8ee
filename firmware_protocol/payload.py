"""What every decoder asks of a payload: the right head, the right length, values that are defined."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from firmware_protocol.bounds import PROTOCOL_VERSION
from firmware_protocol.errors import (
    FieldOutOfRange,
    TrailingBytes,
    Truncated,
    UnknownPacket,
    UnsupportedVersion,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from firmware_protocol.bounds import PacketType
    from firmware_protocol.layouts import Layout

Payload: TypeAlias = bytes | bytearray | memoryview

_EnumT = TypeVar("_EnumT", bound=IntEnum)


def head_of(packet_type: PacketType) -> int:
    """First byte of a packet."""
    return PROTOCOL_VERSION << 4 | packet_type


def check_head(payload: Payload, packet_type: PacketType) -> None:
    """Refuse an empty payload, another protocol version, another packet type."""
    if not payload:
        raise Truncated("the payload is empty", payload)
    version, found = payload[0] >> 4, payload[0] & 0x0F
    if version != PROTOCOL_VERSION:
        raise UnsupportedVersion(
            f"protocol version {version} is not spoken here, only {PROTOCOL_VERSION}", payload
        )
    if found != packet_type:
        raise UnknownPacket(f"packet type {found} where {packet_type} ({packet_type.name}) belongs", payload)


def check_reaches(payload: Payload, size: int) -> None:
    """Refuse a payload of fewer bytes."""
    if len(payload) < size:
        raise Truncated(f"{len(payload)} bytes where at least {size} belong", payload)


def check_length(payload: Payload, size: int) -> None:
    """Refuse a payload of fewer bytes, or more."""
    if len(payload) < size:
        raise Truncated(f"{len(payload)} bytes where {size} belong", payload)
    if len(payload) > size:
        raise TrailingBytes(f"{len(payload)} bytes where {size} belong", payload)


def read_fixed(payload: Payload, layout: Layout) -> tuple[int, ...]:
    """Read a packet without a part of variable length: one value a field."""
    check_head(payload, layout.packet_type)
    check_length(payload, layout.size)
    return layout.unpack(payload)


def read_member(name: str, value: int, members: dict[int, _EnumT], payload: Payload) -> _EnumT:
    """Read an enumeration; refuse a value that it does not name."""
    member = members.get(value)
    if member is None:
        raise FieldOutOfRange(f"{name} {value} is not defined", payload)
    return member


def read_members(name: str, bits: int, members: dict[int, _EnumT], payload: Payload) -> tuple[_EnumT, ...]:
    """Read a set of values, one bit each; refuse a bit that is not defined."""
    found = tuple(member for value, member in members.items() if bits >> value & 1)
    if bits != bits_of(found):
        raise FieldOutOfRange(f"{name} names values that are not defined: 0x{bits:x}", payload)
    return found


def bits_of(members: Iterable[int]) -> int:
    """Set one bit for each value."""
    return sum(1 << member for member in members)
