"""``hipline sensors pair`` and ``forget``: bonds with sensors, and their list in the configuration."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from rich.console import Console

from sensor_bridge.ble.bonding import PairingLink, forget_bond
from sensor_bridge.ble.connection import connected as opened
from sensor_bridge.commands.sensor_access import SEARCH_S, asked_sensor, chosen_adapter, connected, step
from sensor_bridge.commands.watch_words import printable
from sensor_bridge.config_edit import change_paired
from sensor_bridge.config_file import default_config_path, load_config_or_none_yet
from sensor_bridge.errors import BluetoothUnavailable, LinkLost, UserInputError
from sensor_bridge.host_clock import HostClock

if TYPE_CHECKING:
    from pathlib import Path

    from sensor_bridge.ble.adapter import Adapter
    from sensor_bridge.commands.sensor_access import AskedSensor
    from sensor_bridge.config import Config

_PAIR_S: Final = 60.0
_BLINK_S: Final = 3


def pair(word: str, config_path: Path | None, virtual_port: int | None) -> None:
    """Pair with a sensor, anew where there was a bond, and note it in the configuration.

    Raises
    ------
    BridgeError
        It is not there, or does not pair.
    """
    config = load_config_or_none_yet(config_path)
    address = asyncio.run(_pair(word, config, virtual_port))
    path = config_path or default_config_path()
    change_paired(path, address, is_paired=True)
    _say(
        f"{printable(word)} is paired and blinks for {_BLINK_S} s; from now on it is talked to encrypted only"
    )
    _say(f"noted in {path}: [radio] paired")


def forget(word: str, config_path: Path | None, virtual_port: int | None) -> None:
    """Forget the bond with a sensor, on this computer and in the configuration; the sensor may be far away.

    Raises
    ------
    UserInputError
        The sensor is not named by its address, nor by its id in the configuration.
    BridgeError
        There is no radio, or the system lets no program do it.
    """
    config = load_config_or_none_yet(config_path)
    sensor = asked_sensor(word, config)
    address = sensor.address
    if address is None:
        raise UserInputError(f"{word}: name it by its address, or by its id in the configuration")
    asyncio.run(_forget(sensor, address, config, virtual_port))
    path = config_path or default_config_path()
    if address.upper() in {each.upper() for each in config.radio.paired}:
        change_paired(path, address, is_paired=False)
    _say(f"{printable(word)} is forgotten; it may still know this computer: reset it to make it forget, too")


async def _pair(word: str, config: Config, virtual_port: int | None) -> str:
    sensor = asked_sensor(word, config)
    async with chosen_adapter(config, virtual_port) as adapter:
        adapter.paired = frozenset()  # an old bond that is broken must not be in the way
        with step(f"listening for {word} ..."):
            found = await adapter.find(sensor, SEARCH_S)
        address = found.sighting.address
        with step(f"pairing with {word} ..."):
            if found.is_bonded is not False:
                await _forget_if_possible(adapter, sensor, address)
                found = await adapter.find(sensor, SEARCH_S)
            async with opened(PairingLink(sensor, HostClock()), adapter, found, timeout_s=_PAIR_S):
                pass
        # As the bridge will: connected anew, with the bond. A sensor that takes the command knows us.
        adapter.paired = frozenset({address.upper()})
        found = await adapter.find(sensor, SEARCH_S)
        async with connected(adapter, found, sensor) as link:
            await link.identify(_BLINK_S)
        return address


async def _forget(sensor: AskedSensor, address: str, config: Config, virtual_port: int | None) -> None:
    async with chosen_adapter(config, virtual_port) as adapter:
        await forget_bond(adapter, sensor.sensor_id, address)


async def _forget_if_possible(adapter: Adapter, sensor: AskedSensor, address: str) -> None:
    """Make way for a new bond; where the system forbids that, pairing says whether it was needed."""
    try:
        await forget_bond(adapter, sensor.sensor_id, address)
    except (LinkLost, BluetoothUnavailable):
        return


def _say(text: str) -> None:
    Console(highlight=False).print(text, markup=False, soft_wrap=True)
