"""The embedded broker: one room, this machine only, MQTT 3.1.1 over TCP and WebSocket.

It keeps nothing over a restart: events wait in the outbox, retained messages on the board of their publisher.
"""

from __future__ import annotations

import logging
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from amqtt.broker import Broker
from amqtt.errors import AMQTTError

from sensor_bridge.errors import BridgeError, ConfigError
from sensor_bridge.mqtt.broker_access import TokenAuthentication, TopicAccess, digest

if TYPE_CHECKING:
    import asyncio

    from sensor_bridge.mqtt.users import BrokerUser

_LOCAL = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class EmbeddedBrokerSettings:
    """What the broker listens on and whom it serves; port 0 takes any free one."""

    users: tuple[BrokerUser, ...]
    tcp_port: int = 0
    websocket_port: int = 0


class EmbeddedBroker:
    """Serves on 127.0.0.1 for as long as its ``async with`` block lasts.

    Attributes
    ----------
    tcp_port, websocket_port
        The ports taken, valid inside the block.
    """

    def __init__(self, settings: EmbeddedBrokerSettings) -> None:
        self._settings = settings
        self._broker: Broker | None = None
        self.tcp_port = settings.tcp_port
        self.websocket_port = settings.websocket_port

    async def __aenter__(self) -> Self:
        _require_free(self._settings.tcp_port, "mqtt.tcp_port")
        _require_free(self._settings.websocket_port, "mqtt.websocket_port")
        # amqtt warns of each client that hangs up, and writes a traceback where the error below says it all.
        logging.getLogger("amqtt").setLevel(logging.CRITICAL)
        try:
            self._broker = _ClosingBroker(self._configuration())
            await self._broker.start()
        except AMQTTError as error:
            raise BridgeError(f"the embedded broker does not start: {error}") from error
        self.tcp_port = self._port_of("default")
        self.websocket_port = self._port_of("websocket")
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        if self._broker is not None:
            await self._broker.shutdown()

    def _configuration(self) -> dict[str, Any]:
        users = self._settings.users
        publish = {user.name: list(user.publish) for user in users}
        read = {user.name: list(user.read) for user in users}
        digests = {user.name: digest(user.token) for user in users}
        return {
            "listeners": {
                "default": {"type": "tcp", "bind": f"{_LOCAL}:{self._settings.tcp_port}"},
                "websocket": {"type": "ws", "bind": f"{_LOCAL}:{self._settings.websocket_port}"},
            },
            "plugins": {
                _dotted(TokenAuthentication): {"digests": digests, "publish": publish},
                _dotted(TopicAccess): {"publish": publish, "read": read},
            },
        }

    def _port_of(self, listener: str) -> int:
        # amqtt does not tell which port it got for port 0.
        server = self._broker._servers[listener].instance  # type: ignore[union-attr]  # noqa: SLF001
        return int(next(iter(server.sockets)).getsockname()[1])


class _ClosingBroker(Broker):  # type: ignore[misc]  # amqtt carries no types
    """Closes the connections of clients that never got as far as a session, which amqtt leaves open."""

    async def stream_connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
    ) -> None:
        try:
            await super().stream_connected(reader, writer, listener_name)
        finally:
            writer.close()


def _require_free(port: int, key: str) -> None:
    if port == 0:
        return
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_LOCAL, port))
        except OSError as error:
            raise ConfigError(
                f"{key}: port {port} of {_LOCAL} cannot be used ({error.strerror}); set another, or 0 for any"
            ) from error


def _dotted(plugin: type) -> str:
    return f"{plugin.__module__}.{plugin.__qualname__}"
