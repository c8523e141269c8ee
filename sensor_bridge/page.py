"""The page of a running bridge: who reaches it, and what it is told."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from sensor_bridge.dashboard.api import ArchiveApi
from sensor_bridge.dashboard.server import DashboardServer, DashboardSettings, page_link

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sensor_bridge.archive.reading import ArchiveReader
    from sensor_bridge.config import Config
    from sensor_bridge.mqtt_access import MqttAccess
    from sensor_bridge.network_access import NetworkAccess


@asynccontextmanager
async def open_page(
    config: Config, access: MqttAccess, reader: ArchiveReader, network: NetworkAccess
) -> AsyncIterator[str | None]:
    """Serve the page, where the configuration wants it.

    Parameters
    ----------
    config
        Whether, and on which port.
    access
        The broker, and who may use it.
    reader
        Of the archive.
    network
        Who reaches it.

    Yields
    ------
    str or None
        What opens it for the coach; None where it is not served.
    """
    if not config.dashboard.enabled:
        yield None
        return
    settings = DashboardSettings(
        gym=config.gym,
        websocket_url=access.websocket_url,
        users=access.known_users,
        host=network.host,
        port=config.dashboard.port,
        names=network.names,
        public_host=network.public_host,
        encryption=network.encryption,
        has_own_broker=config.mqtt.broker == "embedded",
    )
    async with DashboardServer(settings, ArchiveApi(reader), network.doorkeeper) as server:
        yield page_link(server.url, access.coach_credential)
