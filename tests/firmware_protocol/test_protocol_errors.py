from __future__ import annotations

import copy
import pickle

import pytest

from firmware_protocol.errors import (
    FieldOutOfRange,
    ProtocolError,
    TrailingBytes,
    Truncated,
    UnknownPacket,
    UnsupportedVersion,
)

FAMILY = [Truncated, TrailingBytes, UnsupportedVersion, UnknownPacket, FieldOutOfRange]


@pytest.mark.parametrize("kind", FAMILY)
def test_one_root_that_is_a_value_error(kind: type[ProtocolError]) -> None:
    assert kind.__bases__ == (ProtocolError,)
    assert issubclass(ProtocolError, ValueError)


def test_says_what_is_wrong_and_shows_the_payload() -> None:
    error = Truncated("2 bytes where 16 belong", bytearray(b"\x11\x38"))
    assert error.reason == "2 bytes where 16 belong"
    assert error.payload == b"\x11\x38"
    assert isinstance(error.payload, bytes)
    assert str(error) == "2 bytes where 16 belong (payload starts 11 38)"


def test_empty_payload_is_not_shown() -> None:
    assert str(Truncated("the payload is empty", b"")) == "the payload is empty"


def test_keeps_only_the_first_bytes() -> None:
    assert TrailingBytes("too long", bytes(range(244))).payload == bytes(range(32))


@pytest.mark.parametrize("kind", FAMILY)
@pytest.mark.parametrize("travel", [copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
def test_travels_between_processes(kind: type[ProtocolError], travel) -> None:
    arrived = travel(kind("why", b"\x01"))
    assert type(arrived) is kind
    assert (arrived.reason, arrived.payload) == ("why", b"\x01")
