"""The broker, inside the bridge or outside: who gets in where, for the bridge and for the page."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sensor_bridge.access.known_users import KnownUsers
from sensor_bridge.access.tokens import tokens_of
from sensor_bridge.config_file import read_dashboard_password, read_password
from sensor_bridge.mqtt.broker import (
    EmbeddedBroker,
    EmbeddedBrokerSettings,
)
from sensor_bridge.mqtt.settings import MqttSettings, Protocol, Will
from sensor_bridge.mqtt.users import BRIDGE_USER, COACH_USER, gym_users, user_names
from sensor_bridge.network_access import NetworkAccess

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
    coach_user, coach_password
        May read everything of the gym and command the bridge.
    known_users
        Whom the page's server knows.
    """

    host: str
    port: int
    protocol: Protocol
    websocket_url: str
    bridge_user: str | None
    bridge_password: str | None = field(repr=False)
    coach_user: str
    coach_password: str = field(repr=False)
    known_users: KnownUsers
    tls: bool = False
    ca_file: Path | None = None

    def bridge_settings(self, client_id: str, will: Will | None = None) -> MqttSettings:
        """Return the settings of the bridge's own client."""
        return self._settings(client_id, self.bridge_user, self.bridge_password, will)

    def reader_settings(self, client_id: str) -> MqttSettings:
        """Return the settings of a client that only reads."""
        return self._settings(client_id, self.coach_user, self.coach_password, None)

    @property
    def coach_credential(self) -> str:
        """What the coach's page is opened with: ``<user>.<token>``."""
        return f"{self.coach_user}.{self.coach_password}"

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
async def open_broker(
    config: Config, topics: Topics, network: NetworkAccess | None = None
) -> AsyncIterator[MqttAccess]:
    """Start the embedded broker, or find the external one's credentials.

    Parameters
    ----------
    config
        Who takes part, and which broker it is.
    topics
        The gym.
    network
        How pages reach the embedded one; None: from this machine only.

    Raises
    ------
    BridgeError
        A port is taken, or a password is not where the configuration says.
    """
    mqtt = config.mqtt
    tokens = tokens_of(config.data_folder, user_names([athlete.id for athlete in config.athletes]))
    if mqtt.broker == "external":
        coach, password = mqtt.dashboard_username, read_dashboard_password(mqtt)
        if coach is None or password is None:
            coach, password = COACH_USER, tokens[COACH_USER]
        yield MqttAccess(
            host=mqtt.host,
            port=mqtt.external_port,
            protocol=Protocol.AUTO,
            websocket_url=mqtt.external_websocket_url,
            bridge_user=mqtt.username,
            bridge_password=read_password(mqtt),
            coach_user=coach,
            coach_password=password,
            known_users=KnownUsers(tokens | {coach: password}),
            tls=mqtt.tls,
            ca_file=mqtt.ca_file,
        )
        return
    network = network or NetworkAccess()
    worn = {athlete.id: [sensor.id for sensor in athlete.sensors] for athlete in config.athletes}
    settings = EmbeddedBrokerSettings(
        users=gym_users(topics, tokens, worn),
        tcp_port=mqtt.tcp_port,
        websocket_port=mqtt.websocket_port,
        websocket_host=network.host,
        names=network.names,
        encryption=network.encryption,
    )
    scheme = "wss" if network.encryption else "ws"
    async with EmbeddedBroker(settings, network.doorkeeper) as broker:
        yield MqttAccess(
            host="127.0.0.1",
            port=broker.tcp_port,
            protocol=Protocol.V311,
            websocket_url=f"{scheme}://{network.public_host}:{broker.websocket_port}",
            bridge_user=BRIDGE_USER,
            bridge_password=tokens[BRIDGE_USER],
            coach_user=COACH_USER,
            coach_password=tokens[COACH_USER],
            known_users=KnownUsers(tokens),
        )
