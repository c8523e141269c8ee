"""What the other side can get wrong on the wire.

::

    ValueError
      ProtocolError            the peer sent something illegal
        Truncated              the payload ends before the packet does
        TrailingBytes          the payload goes on after the packet has ended
        UnsupportedVersion     the packet is of another protocol version
        UnknownPacket          not the kind of packet, or not a command, that is known here
        ChecksumMismatch       a page of stored samples was damaged
        FieldOutOfRange        a field holds a value that its packet does not allow

An illegal value on our own side (a packet built with a wrong field) is a plain ``ValueError`` or
``TypeError``.
"""

from __future__ import annotations

from typing import Final

SHOWN_BYTES: Final = 32  # enough for any header; a log line stays one line


class ProtocolError(ValueError):
    """The peer sent something illegal.

    Parameters
    ----------
    reason
        What is wrong with it, for a person.
    payload
        The whole payload as received; only its first ``SHOWN_BYTES`` bytes are kept, in ``payload``.
    """

    def __init__(self, reason: str, payload: bytes | bytearray | memoryview) -> None:
        shown = bytes(payload[:SHOWN_BYTES])
        super().__init__(reason, shown)
        self.reason = reason
        self.payload = shown

    def __str__(self) -> str:
        return f"{self.reason} (payload starts {self.payload.hex(' ')})" if self.payload else self.reason


class Truncated(ProtocolError):
    """The payload ends before the packet does."""


class TrailingBytes(ProtocolError):
    """The payload goes on after the packet has ended."""


class UnsupportedVersion(ProtocolError):
    """The packet is of a protocol version that is not spoken here."""


class UnknownPacket(ProtocolError):
    """Not the kind of packet that belongs here, or a command that is not known."""


class ChecksumMismatch(ProtocolError):
    """The checksum of a page is not that of its bytes."""


class FieldOutOfRange(ProtocolError):
    """A field holds a value that its packet does not allow."""
