"""A client's bytes on their way into the embedded broker and out of it, within bounds."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from amqtt.adapters import ReaderAdapter, WriterAdapter

from sensor_bridge.mqtt.greeting import CONNECT, Greeting, MalformedGreeting, parse_greeting

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

LONGEST_PACKET = 256 * 1024  # bytes; the longest of ours, the state of a long set, has some 20 000

_LONGEST_GREETING = 16 * 1024
_LONGEST_STALL_S = 10.0
_LONGEST_FAREWELL_S = 1.0
_MOST_LENGTH_BYTES = 4


class PacketReader(ReaderAdapter):  # type: ignore[misc]  # amqtt carries no types
    """Follows where packets begin and end; a client that goes beyond ends its connection.

    The broker itself would take packets of 256 MB, and keep clients that have said nothing for days.

    Parameters
    ----------
    source
        Where the bytes come from.
    """

    def __init__(self, source: ReaderAdapter) -> None:
        self._source = source
        self._put_back = b""
        self._left_in_packet = 0
        self._length_bytes: list[int] | None = None  # None between packets and inside of one
        self._longest_silence_s: float | None = None
        self._heard_at_s = 0.0

    async def greeting(self) -> Greeting:
        """Read the first packet.

        Raises
        ------
        MalformedGreeting
            It is no CONNECT.
        EOFError
            The connection ended before.
        """
        if (await self._exactly(1))[0] != CONNECT:
            raise MalformedGreeting("another packet first")
        length = await self._remaining_length()
        if length > _LONGEST_GREETING:
            raise MalformedGreeting("far too long")
        greeting = parse_greeting(await self._exactly(length))
        self._longest_silence_s = 1.5 * greeting.keepalive_s or None  # section 3.1.2.10
        return greeting

    def put_back(self, packet: bytes) -> None:
        """Let these bytes be read first."""
        self._put_back = packet
        self._heard_at_s = asyncio.get_running_loop().time()

    async def read(self, n: int = -1) -> bytes:
        """Read `n` bytes, as amqtt asks for them: type, length byte by byte, then parts of the packet.

        Raises
        ------
        ConnectionResetError
            The connection has ended, or has to end.
        """
        if n == 0:
            return b""
        if self._put_back:
            data, self._put_back = self._put_back[:n], self._put_back[n:]
            return data
        try:
            if self._left_in_packet:
                if n > self._left_in_packet:
                    raise ConnectionResetError("a packet that holds less than it says")
                data = await self._exactly(n)
                self._left_in_packet -= n
            elif self._length_bytes is None:
                data = await self._next_packet()
                self._length_bytes = []
            else:
                data = await self._exactly(1)
                self._take_length(data[0])
        except EOFError as error:
            raise ConnectionResetError("the client has gone") from error
        self._heard_at_s = asyncio.get_running_loop().time()
        return data

    def feed_eof(self) -> None:
        """Nothing waits for this."""

    async def _next_packet(self) -> bytes:
        if self._longest_silence_s is None:
            return await self._exactly(1)
        try:
            async with asyncio.timeout_at(self._heard_at_s + self._longest_silence_s):
                return await self._exactly(1)
        except TimeoutError as error:
            raise ConnectionResetError("silent for longer than announced") from error

    def _take_length(self, byte: int) -> None:
        assert self._length_bytes is not None
        self._length_bytes.append(byte)
        if byte & 0x80:
            if len(self._length_bytes) == _MOST_LENGTH_BYTES:
                raise ConnectionResetError("a length that never ends")
            return
        self._left_in_packet = _number(self._length_bytes)
        self._length_bytes = None
        if self._left_in_packet > LONGEST_PACKET:
            raise ConnectionResetError("a packet that is far too long")

    async def _remaining_length(self) -> int:
        digits: list[int] = []
        while not digits or digits[-1] & 0x80:
            if len(digits) == _MOST_LENGTH_BYTES:
                raise MalformedGreeting("a length that never ends")
            digits.append((await self._exactly(1))[0])
        return _number(digits)

    async def _exactly(self, n: int) -> bytes:
        try:
            data: bytes = await self._source.read(n)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise EOFError from error
        if len(data) < n:
            raise EOFError
        return data


def _number(digits: list[int]) -> int:
    return sum((digit & 0x7F) << 7 * position for position, digit in enumerate(digits))


class BoundedWriter(WriterAdapter):  # type: ignore[misc]
    """Ends the connection of a client that takes nothing any more: what it should get would pile up.

    Parameters
    ----------
    target
        Where the bytes go.
    abort
        Ends the connection at once.
    """

    def __init__(self, target: WriterAdapter, abort: Callable[[], None]) -> None:
        self._target = target
        self.abort = abort

    def write(self, data: bytes) -> None:
        """Write into the buffer."""
        self._target.write(data)

    async def drain(self) -> None:
        """Wait until the client takes more.

        Raises
        ------
        ConnectionResetError
            The connection has ended, or had to end.
        """
        try:
            async with asyncio.timeout(_LONGEST_STALL_S):
                await self._target.drain()
        except TimeoutError as error:
            self.abort()
            raise ConnectionResetError("the client takes nothing") from error

    def get_peer_info(self) -> tuple[str, int] | None:
        """Tell address and port of the client."""
        peer: tuple[str, int] | None = self._target.get_peer_info()
        return peer

    def get_ssl_info(self) -> ssl.SSLObject | None:
        """Tell about the encryption."""
        found: ssl.SSLObject | None = self._target.get_ssl_info()
        return found

    async def close(self) -> None:
        """Say goodbye, and do not wait for long."""
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(_LONGEST_FAREWELL_S):
                await self._target.close()
        self.abort()
