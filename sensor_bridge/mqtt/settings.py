"""How to reach the broker, what to leave behind, and what comes from it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Literal

from sensor_bridge.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


class Protocol(Enum):
    """The MQTT version to speak. `AUTO` is 5, and 3.1.1 where the broker does not answer to 5.

    Only version 5 tells of a refused publish: an outbox on 3.1.1 cannot see that its events are thrown away.
    """

    AUTO = "auto"
    V5 = "5"
    V311 = "3.1.1"


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes (QoS 1, retained) when this client goes without saying goodbye."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """How to reach the broker and how patient to be.

    Attributes
    ----------
    client_id
        The same at every start, so that the broker ends the session of a killed predecessor first and its
        last will cannot come after our greeting.
    username, password
        Credentials; the password never appears in a repr or a log.
    protocol
        See `Protocol`.
    transport
        Plain TCP, or WebSocket at ``/mqtt``.
    tls, ca_file
        Encrypt; trust the certificates in `ca_file`, else those of the system.
    keepalive_s
        The broker declares us dead after 1.5 times this silence.
    connect_timeout_s, acknowledge_timeout_s
        Limits for CONNACK and for PUBACK or SUBACK; past the latter the connection counts as dead.
    longest_backoff_s
        Upper limit of the jittered wait between attempts to connect.
    unsent_limit
        Live messages are dropped while so many wait in the client for the socket.
    inbox_limit
        Received messages kept for a slow reader; the oldest are dropped first.
    will
        The last will, if any.
    """

    client_id: str
    host: str = "127.0.0.1"
    port: int = 1883
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    protocol: Protocol = Protocol.AUTO
    transport: Literal["tcp", "websockets"] = "tcp"
    tls: bool = False
    ca_file: Path | None = None
    keepalive_s: int = 15
    connect_timeout_s: float = 5.0
    acknowledge_timeout_s: float = 10.0
    longest_backoff_s: float = 5.0
    unsent_limit: int = 50
    inbox_limit: int = 1000
    will: Will | None = None

    @property
    def address(self) -> str:
        """The broker's address for messages to people."""
        return f"{self.host}:{self.port}"

    def tls_context(self) -> ssl.SSLContext | None:
        """Build what TLS needs, None where it is off.

        Raises
        ------
        ConfigError
            When the file of certificates cannot be used.
        """
        if not self.tls:
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:
            raise ConfigError(f"mqtt.ca_file {self.ca_file} cannot be used: {error}") from error
        context.sslsocket_class = _ClosingSocket
        return context


class _ClosingSocket(ssl.SSLSocket):
    """Closes after a failed handshake, which paho forgets."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


@dataclass(frozen=True, slots=True)
class Message:
    """A received message.

    Attributes
    ----------
    topic, payload, retained
        As published.
    response_topic, correlation_data
        Where its sender waits for an answer, and what that has to carry back; only MQTT 5 has them.
    """

    topic: str
    payload: bytes
    retained: bool
    response_topic: str | None = None
    correlation_data: bytes | None = None
