"""The embedded broker: one room, MQTT 3.1.1 over TCP on this machine, and over WebSocket for pages.

It keeps nothing over a restart: events wait in the outbox, retained messages on the board of their publisher.
amqtt does the work; what comes from outside is judged before amqtt sees it, which lets strangers take over
sessions, takes packets of any length and keeps connections of those who never say who they are.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter
from amqtt.broker import Broker
from amqtt.contexts import ListenerType
from amqtt.errors import AMQTTError
from amqtt.session import Session

from sensor_bridge.access.doorkeeper import Doorkeeper, source_of
from sensor_bridge.access.guarded_socket import listen
from sensor_bridge.access.names import Names
from sensor_bridge.errors import BridgeError
from sensor_bridge.mqtt.broker_access import TokenAuthentication, TopicAccess, digest
from sensor_bridge.mqtt.broker_streams import BoundedWriter, PacketReader
from sensor_bridge.mqtt.broker_websocket import WebSocketSource, WebSocketTarget, serve_websocket
from sensor_bridge.mqtt.greeting import (
    ANSWER_NOT_AUTHORIZED,
    ANSWER_WRONG_VERSION,
    ANSWER_WRONG_VERSION_5,
    VERSION_5,
    VERSION_311,
    Greeting,
    MalformedGreeting,
)
from sensor_bridge.mqtt.subscriptions import Subscriptions

if TYPE_CHECKING:
    import ssl

    from amqtt.adapters import ReaderAdapter, WriterAdapter
    from websockets.asyncio.server import ServerConnection

    from sensor_bridge.access.guarded_socket import GuardedSocket
    from sensor_bridge.mqtt.users import BrokerUser

_LOCAL = "127.0.0.1"
_GREETING_S = 5.0
_MOST_UNGREETED = 64  # connections that have not said who they are; the oldest goes first
_WAIT_OF_THE_WRONG_S = 1.0
_MOST_WAITING = 10  # of one address that was wrong too often


@dataclass(frozen=True, slots=True)
class EmbeddedBrokerSettings:
    """What the broker listens on and whom it serves; port 0 takes any free one.

    Attributes
    ----------
    users
        Whom it lets in.
    tcp_port
        For programs of this machine.
    websocket_port, websocket_host
        For pages.
    names
        What this machine is called by those who open its pages.
    encryption
        Makes the WebSocket a ``wss://`` one.
    """

    users: tuple[BrokerUser, ...]
    tcp_port: int = 0
    websocket_port: int = 0
    websocket_host: str = _LOCAL
    names: Names = field(default_factory=Names)
    encryption: ssl.SSLContext | None = field(default=None, repr=False)


class EmbeddedBroker:
    """Serves for as long as its ``async with`` block lasts.

    Parameters
    ----------
    settings
        Where and whom.
    doorkeeper
        Counts connections, for this and other listeners of the bridge.

    Attributes
    ----------
    tcp_port, websocket_port
        The ports taken, valid inside the block.
    """

    def __init__(self, settings: EmbeddedBrokerSettings, doorkeeper: Doorkeeper | None = None) -> None:
        self._settings = settings
        self._doorkeeper = doorkeeper or Doorkeeper()
        self._broker: _GuardedBroker | None = None
        self.tcp_port = settings.tcp_port
        self.websocket_port = settings.websocket_port

    async def __aenter__(self) -> Self:
        settings = self._settings
        # amqtt warns of each client that hangs up, and writes a traceback where the error below says it all.
        logging.getLogger("amqtt").setLevel(logging.CRITICAL)
        logging.getLogger("websockets").setLevel(logging.CRITICAL)
        with contextlib.ExitStack() as stack:
            tcp = listen(_LOCAL, settings.tcp_port, self._doorkeeper, "mqtt.tcp_port")
            stack.callback(tcp.close)
            websocket = listen(
                settings.websocket_host, settings.websocket_port, self._doorkeeper, "mqtt.websocket_port"
            )
            stack.callback(websocket.close)
            try:
                self._broker = _GuardedBroker(settings, self._doorkeeper, tcp, websocket)
                await self._broker.start()
            except AMQTTError as error:
                raise BridgeError(f"the embedded broker does not start: {error}") from error
            self.tcp_port = int(tcp.getsockname()[1])
            self.websocket_port = int(websocket.getsockname()[1])
            stack.pop_all()
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        if self._broker is not None:
            await self._broker.shutdown()


class _GuardedBroker(Broker):  # type: ignore[misc]  # amqtt carries no types
    """Hands amqtt only the connections of those who are who they say, within bounds."""

    def __init__(
        self,
        settings: EmbeddedBrokerSettings,
        doorkeeper: Doorkeeper,
        tcp: GuardedSocket,
        websocket: GuardedSocket,
    ) -> None:
        super().__init__(_configuration(settings.users))
        self._subscriptions = Subscriptions()
        self._settings = settings
        self._doorkeeper = doorkeeper
        self._listening = {ListenerType.TCP: tcp, ListenerType.WS: websocket}
        self._ungreeted: dict[BoundedWriter, None] = {}
        self._waiting: Counter[str] = Counter()

    async def _create_server_instance(
        self,
        listener_name: str,
        listener_type: ListenerType,
        _address: str | None,
        _port: int,
        _ssl_context: ssl.SSLContext | None,
    ) -> Any:
        if listener_type is ListenerType.TCP:

            async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                bounded = BoundedWriter(StreamWriterAdapter(writer), writer.transport.abort)
                await self._serve(listener_name, StreamReaderAdapter(reader), bounded)

            return await asyncio.start_server(handle, sock=self._listening[listener_type])

        async def handle_page(connection: ServerConnection) -> None:
            bounded = BoundedWriter(WebSocketTarget(connection), connection.transport.abort)
            await self._serve(listener_name, WebSocketSource(connection), bounded)

        return await serve_websocket(
            self._listening[listener_type], handle_page, self._settings.names, self._settings.encryption
        )

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        """Tell kept messages to those who subscribed to them; amqtt tells them to whoever connects."""
        subscribers = self._subscriptions.get(subscription[0], [])
        if any(subscriber.client_id == session.client_id for subscriber, _ in subscribers):
            await super()._publish_retained_messages_for_subscription(subscription, session)

    async def _serve(self, listener_name: str, source: ReaderAdapter, writer: BoundedWriter) -> None:
        """Serve one connection to its end, and close it, however it ends."""
        try:
            reader = PacketReader(source)
            if await self._is_welcome(reader, writer):
                await self._client_connected(listener_name, reader, writer)
        except (MalformedGreeting, EOFError, TimeoutError, OSError):
            self._doorkeeper.failed(_address(writer))
        finally:
            await writer.close()

    async def _is_welcome(self, reader: PacketReader, writer: BoundedWriter) -> bool:
        self._ungreeted[writer] = None
        if len(self._ungreeted) > _MOST_UNGREETED:
            next(iter(self._ungreeted)).abort()
        try:
            async with asyncio.timeout(_GREETING_S):
                greeting = await reader.greeting()
        finally:
            del self._ungreeted[writer]
        if greeting.version != VERSION_311:
            await _answer(
                writer, ANSWER_WRONG_VERSION_5 if greeting.version == VERSION_5 else ANSWER_WRONG_VERSION
            )
            return False
        if not await self._is_known(greeting):
            await self._refuse(writer)
            return False
        # Every user has client ids of her or his own: nobody takes over the session of another user.
        reader.put_back(
            greeting.packet(f"{greeting.username}/{greeting.client_id}" if greeting.client_id else "")
        )
        return True

    async def _is_known(self, greeting: Greeting) -> bool:
        session = Session()
        session.username, session.password = greeting.username, greeting.password
        session.will_flag, session.will_topic = greeting.will_topic is not None, greeting.will_topic
        return bool(await self._authenticate(session, self.listeners_config["default"]))

    async def _refuse(self, writer: BoundedWriter) -> None:
        """Say no; who was wrong too often waits for it, and beyond that gets no answer."""
        address = _address(writer)
        if self._doorkeeper.failed(address):
            source = source_of(address)
            if self._waiting[source] >= _MOST_WAITING:
                return
            self._waiting[source] += 1
            try:
                await asyncio.sleep(_WAIT_OF_THE_WRONG_S)
            finally:
                self._waiting[source] -= 1
                if not self._waiting[source]:
                    del self._waiting[source]
        await _answer(writer, ANSWER_NOT_AUTHORIZED)


async def _answer(writer: WriterAdapter, packet: bytes) -> None:
    writer.write(packet)
    await writer.drain()


def _address(writer: WriterAdapter) -> str:
    peer = writer.get_peer_info()
    return peer[0] if peer else ""


def _configuration(users: tuple[BrokerUser, ...]) -> dict[str, Any]:
    publish = {user.name: list(user.publish) for user in users}
    read = {user.name: list(user.read) for user in users}
    digests = {user.name: digest(user.token) for user in users}
    return {
        # The sockets listen already; amqtt only wants to know of what kind they are.
        "listeners": {
            "default": {"type": "tcp", "bind": f"{_LOCAL}:0"},
            "websocket": {"type": "ws", "bind": f"{_LOCAL}:0"},
        },
        "plugins": {
            _dotted(TokenAuthentication): {"digests": digests, "publish": publish},
            _dotted(TopicAccess): {"publish": publish, "read": read},
        },
    }


def _dotted(plugin: type) -> str:
    return f"{plugin.__module__}.{plugin.__qualname__}"
