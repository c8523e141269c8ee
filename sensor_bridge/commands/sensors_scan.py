"""``hipline sensors scan``: who is advertising nearby, and what each says when asked."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from sensor_bridge.ble.drivers import DRIVERS, HIPLINE
from sensor_bridge.ble.hipline_link import HiplineLink
from sensor_bridge.commands.sensor_access import chosen_adapter, connected, sensor_found, step
from sensor_bridge.commands.watch_words import printable
from sensor_bridge.config_file import load_config
from sensor_bridge.errors import BridgeError, SensorNotFound

if TYPE_CHECKING:
    from pathlib import Path

    from sensor_bridge.ble.adapter import Adapter, Found
    from sensor_bridge.config import Config

_UNKNOWN = "-"
_COLUMNS = ("name", "kind", "RSSI\ndBm", "battery\n%", "firmware", "address", "worn by")
_UNBROKEN = _COLUMNS[2:6]  # what is no word is not folded
_PIPE_WIDTH = 160  # what is read by a program is not folded


@dataclass(frozen=True, slots=True)
class _Seen:
    """One row of the table."""

    found: Found
    battery: str = _UNKNOWN
    firmware: str = _UNKNOWN
    complaint: str = ""


def scan(duration_s: float, config_path: Path | None, virtual_port: int | None, *, ask: bool) -> None:
    """Listen, ask each sensor that was heard, and print the table.

    Parameters
    ----------
    duration_s
        How long to listen, s.
    config_path
        Of the bridge; None: the user's own.
    virtual_port
        Port of a virtual radio, if one is to be used.
    ask
        Whether to connect to each for its battery and firmware: neither is advertised.

    Raises
    ------
    SensorNotFound
        Nobody was heard.
    BridgeError
        There is no radio.
    """
    config = load_config(config_path)
    seen = asyncio.run(_scan(duration_s, config, virtual_port, ask=ask))
    if not seen:
        raise SensorNotFound(
            f"no sensor was heard in {duration_s:g} s; are they charged, switched on and near?"
        )
    worn = {
        sensor.address.upper(): f"{athlete.id}, {sensor.placement}"
        for athlete in config.athletes
        for sensor in athlete.sensors
        if sensor.address
    }
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in _COLUMNS:
        table.add_column(column, no_wrap=column in _UNBROKEN, overflow="fold")
    for each in seen:
        sighting = each.found.sighting
        table.add_row(
            printable(sighting.name or _UNKNOWN),
            DRIVERS[sighting.kind].family if sighting.kind else _UNKNOWN,
            str(sighting.rssi_dbm),
            each.battery,
            each.firmware,
            sighting.address,
            worn.get(sighting.address.upper(), _UNKNOWN),
        )
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _PIPE_WIDTH
    console.print(table)
    for each in seen:
        if each.complaint:
            console.print(f"not asked: {printable(each.complaint)}", markup=False, soft_wrap=True)


async def _scan(duration_s: float, config: Config, virtual_port: int | None, *, ask: bool) -> list[_Seen]:
    async with chosen_adapter(config, virtual_port) as adapter:
        with step(f"listening for {duration_s:g} s ..."):
            heard = await adapter.scan(duration_s)
        return [
            await _asked(adapter, found, config) if ask and found.sighting.kind == HIPLINE else _Seen(found)
            for found in heard
        ]


async def _asked(adapter: Adapter, found: Found, config: Config) -> _Seen:
    try:
        async with connected(adapter, found, sensor_found(found, config)) as link:
            if not isinstance(link, HiplineLink):
                return _Seen(found)
            status = await link.read_status()
            firmware = ".".join(str(part) for part in link.info.firmware_version)
            return _Seen(found, str(status.battery_percent), firmware)
    except BridgeError as error:
        return _Seen(found, complaint=str(error))
