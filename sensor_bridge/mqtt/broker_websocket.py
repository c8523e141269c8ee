"""MQTT over WebSocket for pages (MQTT 3.1.1, section 6): who may open one, and its ends for the broker."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from amqtt.adapters import ReaderAdapter, WriterAdapter
from websockets import ConnectionClosed, Subprotocol
from websockets.asyncio.server import ServerConnection, serve

from sensor_bridge.mqtt.broker_streams import LONGEST_PACKET

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable

    from websockets.asyncio.server import Server
    from websockets.http11 import Request, Response

    from sensor_bridge.access.guarded_socket import GuardedSocket
    from sensor_bridge.access.names import Names

_HANDSHAKE_S = 5.0
_FRAME = LONGEST_PACKET + 1024  # a frame may hold the end of one packet and a short one


async def serve_websocket(
    listening: GuardedSocket,
    handle: Callable[[ServerConnection], Awaitable[None]],
    names: Names,
    encryption: ssl.SSLContext | None,
) -> Server:
    """Serve WebSockets to this bridge's own pages and to programs.

    Parameters
    ----------
    listening
        Where.
    handle
        Gets each connection.
    names
        What this machine is called: a page from elsewhere names another origin.
    encryption
        For ``wss://``; None: ``ws://``.
    """

    def judge(connection: ServerConnection, request: Request) -> Response | None:
        origins = request.headers.get_all("Origin")
        hosts = request.headers.get_all("Host")
        if not all(map(names.in_host, hosts)) or not all(map(names.in_origin, origins)):
            return connection.respond(HTTPStatus.FORBIDDEN, "this broker serves its own pages only\n")
        return None

    return await serve(
        handle,
        sock=listening,
        ssl=encryption,
        subprotocols=[Subprotocol("mqtt")],
        process_request=judge,
        open_timeout=_HANDSHAKE_S,
        close_timeout=1.0,
        max_size=_FRAME,
        compression=None,  # it costs the event loop more than it saves on a local network
        server_header=None,
    )


class WebSocketSource(ReaderAdapter):  # type: ignore[misc]  # amqtt carries no types
    """Bytes of the messages a page sends. amqtt's own reads the last message again when a page goes away."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection
        self._waiting = bytearray()

    async def read(self, n: int = -1) -> bytes:
        """Read `n` bytes, fewer where the page has gone."""
        while len(self._waiting) < n:
            try:
                message = await self._connection.recv()
            except ConnectionClosed:
                break
            if isinstance(message, str):  # [MQTT-6.0.0-1]
                raise ConnectionResetError("text where there should be bytes")
            self._waiting += message
        data = bytes(self._waiting[:n])
        del self._waiting[:n]
        return data

    def feed_eof(self) -> None:
        """Nothing waits for this."""


class WebSocketTarget(WriterAdapter):  # type: ignore[misc]
    """Sends what the broker writes, a message a packet."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection
        self._waiting = bytearray()

    def write(self, data: bytes) -> None:
        """Write into the buffer."""
        self._waiting += data

    async def drain(self) -> None:
        """Send what was written.

        Raises
        ------
        ConnectionResetError
            The page has gone.
        """
        if not self._waiting:
            return
        message = bytes(self._waiting)
        self._waiting.clear()
        try:
            await self._connection.send(message)
        except ConnectionClosed as error:
            raise ConnectionResetError("the page has gone") from error

    def get_peer_info(self) -> tuple[str, int] | None:
        """Tell address and port of the page."""
        peer = self._connection.remote_address
        return (str(peer[0]), int(peer[1])) if peer else None

    def get_ssl_info(self) -> ssl.SSLObject | None:
        """Tell about the encryption."""
        found: ssl.SSLObject | None = self._connection.transport.get_extra_info("ssl_object")
        return found

    async def close(self) -> None:
        """Close in good order."""
        await self._connection.close()
