"""Who reaches the page: this machine only, or the gym's network, and then encrypted or on somebody's word."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sensor_bridge.access.certificates import CertificateFiles, server_encryption
from sensor_bridge.access.doorkeeper import Doorkeeper
from sensor_bridge.access.machine import own_addresses, own_names
from sensor_bridge.access.names import Names
from sensor_bridge.dashboard.listening import EVERY_ADDRESS, serves_this_machine_only
from sensor_bridge.errors import ConfigError

if TYPE_CHECKING:
    import ssl

    from sensor_bridge.config import Config


@dataclass(frozen=True, slots=True)
class NetworkAccess:
    """How page and broker are reached.

    Parameters
    ----------
    host
        What they listen on.
    public_host
        The name or address that links carry.
    names
        All names they answer to.
    encryption
        For TLS; None: they speak plainly.
    doorkeeper
        Counts the connections of both.
    """

    host: str = "127.0.0.1"
    public_host: str = "127.0.0.1"
    names: Names = field(default_factory=Names)
    encryption: ssl.SSLContext | None = field(default=None, repr=False)
    doorkeeper: Doorkeeper = field(default_factory=Doorkeeper, repr=False)


def network_access(config: Config) -> NetworkAccess:
    """Read from the configuration who may reach the page.

    Raises
    ------
    ConfigError
        It would be open to the network without encryption, and nobody has said that this network is trusted;
        or a certificate cannot be used.
    """
    page, tls = config.dashboard, config.tls
    encryption = None
    now = dt.datetime.now(dt.UTC)
    if tls.certificate is not None and tls.key is not None:
        encryption = server_encryption(tls.certificate, tls.key, now)
    if not page.enabled:
        return NetworkAccess(encryption=encryption)
    if serves_this_machine_only(page.host):
        return NetworkAccess(page.host, page.host, encryption=encryption)
    own = CertificateFiles.of(config.data_folder)
    if encryption is None and not config.network.trusted:
        if not own.server.exists():
            raise ConfigError(
                "the page would be open to the network without encryption: run hipline certificates create, "
                "or say with --trusted-network (trusted = true under [network]) that nobody listens in there"
            )
        encryption = server_encryption(own.server, own.server_key, now)
    if encryption is not None and config.mqtt.broker == "external" and _is_plain(config):
        raise ConfigError(
            "an encrypted page can only reach an encrypted broker: mqtt.websocket_url needs a wss:// address"
        )
    names = [*config.network.names, *own_names()]
    everywhere = page.host in {EVERY_ADDRESS, "::"}
    reachable = [*config.network.names, *(own_addresses() if everywhere else [page.host])]
    return NetworkAccess(
        page.host,
        reachable[0] if reachable else "127.0.0.1",
        Names(frozenset(name.lower() for name in (*names, page.host)), any_address=True),
        encryption,
    )


def opened(config: Config, *, is_networked: bool, is_network_trusted: bool) -> Config:
    """Apply what a command line says of the network to a configuration.

    Parameters
    ----------
    config
        As it was read.
    is_networked
        Open page and broker to the network this machine is in.
    is_network_trusted
        Do so without encryption.
    """
    page, network = config.dashboard, config.network
    if is_networked and serves_this_machine_only(page.host):
        page = page.model_copy(update={"host": EVERY_ADDRESS})
    if is_network_trusted:
        network = network.model_copy(update={"trusted": True})
    return config.model_copy(update={"dashboard": page, "network": network})


def _is_plain(config: Config) -> bool:
    return not config.mqtt.external_websocket_url.startswith("wss://")
