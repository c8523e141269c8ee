"""The broker, inside the bridge or outside: who gets in where, for the bridge and for the page."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sensor_bridge.config_file import read_dashboard_password, read_password
from sensor_bridge.mqtt.broker import (
    BRIDGE_USER,
    DASHBOARD_USER,
    EmbeddedBroker,
    EmbeddedBrokerSettings,
    create_tokens,
    gym_users,
)
from sensor_bridge.mqtt.settings import MqttSettings, Protocol, Will

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sensor_bridge.config import Config
    from sensor_bridge.mqtt.topics import Topics


@dataclass(frozen=True, slots=True)
class MqttAccess:
    """Where the broker is and with which credentials it lets whom in.

    Parameters
    ----------
    host, port, protocol, tls, ca_file
        How programs reach it.
    websocket_url
        How browsers reach it.
    bridge_user, bridge_password
        May publish and read everything of the gym.
    dashboard_user, dashboard_password
        May read everything of the gym.
    """

    host: str
    port: int
    protocol: Protocol
    websocket_url: str
    bridge_user: str | None
    bridge_password: str | None = field(repr=False)
    dashboard_user: str | None
    dashboard_password: str | None = field(repr=False)
    tls: bool = False
    ca_file: Path | None = None

    def bridge_settings(self, client_id: str, will: Will | None = None) -> MqttSettings:
        """Return the settings of the bridge's own client."""
        return self._settings(client_id, self.bridge_user, self.bridge_password, will)

    def reader_settings(self, client_id: str) -> MqttSettings:
        """Return the settings of a client that only reads."""
        return self._settings(client_id, self.dashboard_user, self.dashboard_password, None)

    def _settings(
        self, client_id: str, username: str | None, password: str | None, will: Will | None
    ) -> MqttSettings:
        return MqttSettings(
            client_id=client_id,
            host=self.host,
            port=self.port,
            username=username,
            password=password,
            protocol=self.protocol,
            tls=self.tls,
            ca_file=self.ca_file,
            will=will,
        )


@asynccontextmanager
async def open_broker(config: Config, topics: Topics) -> AsyncIterator[MqttAccess]:
    """Start the embedded broker, or find the external one's credentials.

    Raises
    ------
    BridgeError
        A port is taken, or a password is not where the configuration says.
    """
    mqtt = config.mqtt
    if mqtt.broker == "external":
        yield MqttAccess(
            host=mqtt.host,
            port=mqtt.external_port,
            protocol=Protocol.AUTO,
            websocket_url=mqtt.external_websocket_url,
            bridge_user=mqtt.username,
            bridge_password=read_password(mqtt),
            dashboard_user=mqtt.dashboard_username,
            dashboard_password=read_dashboard_password(mqtt),
            tls=mqtt.tls,
            ca_file=mqtt.ca_file,
        )
        return
    tokens = create_tokens()
    settings = EmbeddedBrokerSettings(
        users=gym_users(topics, tokens), tcp_port=mqtt.tcp_port, websocket_port=mqtt.websocket_port
    )
    async with EmbeddedBroker(settings) as broker:
        yield MqttAccess(
            host="127.0.0.1",
            port=broker.tcp_port,
            protocol=Protocol.V311,
            websocket_url=f"ws://127.0.0.1:{broker.websocket_port}",
            bridge_user=BRIDGE_USER,
            bridge_password=tokens[BRIDGE_USER],
            dashboard_user=DASHBOARD_USER,
            dashboard_password=tokens[DASHBOARD_USER],
        )
