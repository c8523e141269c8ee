"""``hipline sensors``: what is advertising nearby, what it says of itself, which one it is."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from sensor_bridge.ble.adapter import Adapter
from sensor_bridge.ble.hipline_link import connect
from sensor_bridge.errors import SensorNotFound
from sensor_bridge.host_clock import HostClock
from sensor_bridge.virtual_radio import attached

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sensor_bridge.ble.hipline_link import HiplineLink
    from sensor_bridge.ble.link import Sighting

_SEARCH_S = 15.0
_CONNECT_S = 20.0


@dataclass(frozen=True, slots=True)
class _Asked:
    """A sensor by its address; what `sensor_bridge.ble.link.SensorSettings` asks for."""

    sensor_id: str
    address: str | None
    name: str | None = None
    sampling_rate_hz: float = 100.0
    accel_range_g: int = 8
    gyro_range_dps: int = 1000
    batch: int = 10


def scan(duration_s: float, virtual_port: int | None) -> None:
    """Listen, and print who was heard.

    Raises
    ------
    SensorNotFound
        Nobody.
    """
    heard = asyncio.run(_scan(duration_s, virtual_port))
    if not heard:
        raise SensorNotFound(
            f"no Hipline sensor was heard in {duration_s:g} s; are they charged, switched on and near?"
        )
    table = Table("name", "address", "signal, dBm")
    for sighting in heard:
        table.add_row(sighting.name or "-", sighting.address, str(sighting.rssi_dbm))
    Console(highlight=False).print(table)


def info(address: str, virtual_port: int | None) -> None:
    """Print what a sensor says of itself.

    Raises
    ------
    BridgeError
        It is not there, or does not answer.
    """
    rows = asyncio.run(_info(address, virtual_port))
    console = Console(highlight=False)
    for name, value in rows:
        console.print(f"{name:<22}{value}")


def identify(address: str, duration_s: int, virtual_port: int | None) -> None:
    """Make a sensor blink.

    Raises
    ------
    BridgeError
        It is not there, or does not answer.
    """
    asyncio.run(_identify(address, duration_s, virtual_port))
    Console(highlight=False).print(f"{address} blinks for {duration_s} s.")


async def _scan(duration_s: float, virtual_port: int | None) -> list[Sighting]:
    async with chosen_adapter(virtual_port) as adapter:
        return await adapter.scan(duration_s)


async def _info(address: str, virtual_port: int | None) -> list[tuple[str, str]]:
    async with _linked(address, virtual_port) as link:
        told, status = link.info, await link.read_status()
        rates = ", ".join(f"{rate.hz:g}" for rate in told.rates)
        return [
            ("serial number", told.serial),
            ("firmware", ".".join(str(part) for part in told.firmware_version)),
            ("hardware revision", str(told.hardware_revision)),
            ("protocol version", str(told.protocol_version)),
            ("sampling rates", f"{rates} Hz"),
            ("remembers", f"{told.ring_capacity_samples} samples while the link is down"),
            ("battery", f"{status.battery_percent} %, {status.battery_mv} mV"),
            ("temperature", f"{status.temperature_c:.1f} °C"),
            ("connection interval", f"{status.connection_interval_ms:g} ms"),
            ("lost in its queue", f"{status.overflow_count} frames"),
        ]


async def _identify(address: str, duration_s: int, virtual_port: int | None) -> None:
    async with _linked(address, virtual_port) as link:
        await link.identify(duration_s)


@asynccontextmanager
async def _linked(address: str, virtual_port: int | None) -> AsyncIterator[HiplineLink]:
    sensor = _Asked(sensor_id=address, address=address)
    async with AsyncExitStack() as stack:
        adapter = await stack.enter_async_context(chosen_adapter(virtual_port))
        found = await adapter.find(sensor, _SEARCH_S)
        async with adapter.quiet():
            link = await stack.enter_async_context(
                connect(adapter, found, sensor, HostClock(), timeout_s=_CONNECT_S)
            )
        yield link


@asynccontextmanager
async def chosen_adapter(virtual_port: int | None) -> AsyncIterator[Adapter]:
    """Use the system's Bluetooth adapter, or the virtual radio at a port."""
    if virtual_port is None:
        yield Adapter()
        return
    async with attached(virtual_port) as adapter:
        yield adapter
