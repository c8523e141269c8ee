"""``hipline run``: real sensors over Bluetooth to MQTT and the dashboard."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING

from sensor_bridge.commands.sensor_access import chosen_adapter
from sensor_bridge.config_file import default_config_path, load_config
from sensor_bridge.errors import ConfigError
from sensor_bridge.network_access import opened
from sensor_bridge.service import run_bridge

if TYPE_CHECKING:
    from pathlib import Path

    from sensor_bridge.config import Config
    from sensor_bridge.service import Bridge


def run(config_path: Path | None, *, is_networked: bool = False, is_network_trusted: bool = False) -> None:
    """Run the bridge until it is told to stop (Ctrl-C, SIGTERM).

    Parameters
    ----------
    config_path
        The configuration; None: the user's own.
    is_networked
        Open page and broker to the network this machine is in.
    is_network_trusted
        Do so without encryption.

    Raises
    ------
    ConfigError
        It cannot be read, or names no athlete.
    BridgeError
        The bridge cannot start.
    """
    config = load_config(config_path)
    if not config.athletes:
        where = config_path or default_config_path()
        raise ConfigError(f"{where}: names no athlete: say in [[athletes]] who wears which sensors (README)")
    asyncio.run(_run(opened(config, is_networked=is_networked, is_network_trusted=is_network_trusted)))


async def _run(config: Config) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)

    async def wait_for_signal(bridge: Bridge) -> None:
        if bridge.dashboard_url is not None:
            _say(f"Dashboard: {bridge.dashboard_url}")
            _say("Athletes' own pages: hipline tokens")
        _say(f"MQTT: {bridge.broker.host}:{bridge.broker.port}   session {bridge.session.session_id}")
        _say("Streaming; Ctrl-C ends the session.")
        await stop.wait()
        _say("Ending the session ...")

    async with chosen_adapter(config) as adapter:
        await run_bridge(config, adapter, wait_for_signal)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201
