"""How the commands of ``hipline sensors`` get at a sensor: which radio, which sensor, a link to it."""

from __future__ import annotations

import re
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from rich.console import Console

from sensor_bridge.ble.adapter import Adapter
from sensor_bridge.ble.hipline_link import HiplineLink
from sensor_bridge.ble.linking import connect
from sensor_bridge.errors import WrongFirmware
from sensor_bridge.host_clock import HostClock
from sensor_bridge.virtual_radio import attached

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from typing import Any

    from sensor_bridge.ble.adapter import Found
    from sensor_bridge.ble.link import SensorLink
    from sensor_bridge.config import Config, StreamingConfig

SEARCH_S: Final = 15.0
_CONNECT_S: Final = 20.0
_VIRTUAL_BONDS: Final = "virtual_bonds.json"  # what the system keeps of real sensors
# Bluetooth's six bytes, or the UUID that macOS puts in their place.
_ADDRESS: Final = re.compile(r"(?:[0-9A-F]{2}:){5}[0-9A-F]{2}|[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}")


@dataclass(frozen=True, slots=True)
class AskedSensor:
    """A sensor a command is about; what `sensor_bridge.ble.link.SensorSettings` asks for.

    Parameters
    ----------
    sensor_id
        As the user calls it.
    address, name
        How it is found.
    sampling_rate_hz, accel_range_g, gyro_range_dps, batch
        What it is asked for where it is to stream.
    kind, layout
        As configured; None: the advertisement says what it is.
    """

    sensor_id: str
    address: str | None
    name: str | None = None
    sampling_rate_hz: float = 100.0
    accel_range_g: int = 8
    gyro_range_dps: int = 1000
    batch: int = 10
    kind: str | None = None
    layout: Mapping[str, Any] | None = None


def asked_sensor(word: str, config: Config) -> AskedSensor:
    """Understand what the user calls a sensor: its id in the configuration, its address, or its name.

    Parameters
    ----------
    word
        As typed.
    config
        For the ids, and for what sensors are asked for when they stream.
    """
    address, name = (word.upper(), None) if _ADDRESS.fullmatch(word.upper()) else (None, word)
    asked = AskedSensor(word, address, name)
    for athlete in config.athletes:
        for sensor in athlete.sensors:
            if sensor.id == word or (address is not None and (sensor.address or "").upper() == address):
                layout = None if sensor.layout is None else config.layouts[sensor.layout]
                asked = AskedSensor(word, sensor.address, sensor.name, kind=sensor.kind, layout=layout)
    return _streaming_as(asked, config.streaming)


def sensor_found(found: Found, config: Config) -> AskedSensor:
    """Name a sensor by where it was heard."""
    address = found.sighting.address
    return _streaming_as(AskedSensor(address, address), config.streaming)


def _streaming_as(sensor: AskedSensor, streaming: StreamingConfig) -> AskedSensor:
    return replace(
        sensor,
        sampling_rate_hz=streaming.sampling_rate_hz,
        accel_range_g=streaming.accel_range_g,
        gyro_range_dps=streaming.gyro_range_dps,
        batch=streaming.batch,
    )


@asynccontextmanager
async def linked(word: str, config: Config, virtual_port: int | None) -> AsyncIterator[SensorLink]:
    """Find a sensor of any kind and connect to it, saying on the terminal what is being done.

    Raises
    ------
    BridgeError
        There is no radio, no such sensor, or no connection.
    """
    sensor = asked_sensor(word, config)
    async with AsyncExitStack() as stack:
        adapter = await stack.enter_async_context(chosen_adapter(config, virtual_port))
        with step(f"listening for {word} ..."):
            found = await adapter.find(sensor, SEARCH_S)
        yield await stack.enter_async_context(connected(adapter, found, sensor))


@asynccontextmanager
async def hipline_linked(word: str, config: Config, virtual_port: int | None) -> AsyncIterator[HiplineLink]:
    """Do as `linked`, for what only a Hipline sensor can.

    Raises
    ------
    WrongFirmware
        It is a sensor of another kind.
    BridgeError
        There is no radio, no such sensor, or no connection.
    """
    async with linked(word, config, virtual_port) as link:
        if not isinstance(link, HiplineLink):
            raise WrongFirmware(f"{word} is no Hipline sensor: only those can do that")
        yield link


@asynccontextmanager
async def connected(adapter: Adapter, found: Found, sensor: AskedSensor) -> AsyncIterator[SensorLink]:
    """Connect to a sensor that was heard.

    Raises
    ------
    BridgeError
        It does not answer, or not as its kind should.
    """
    async with AsyncExitStack() as stack:
        with step(f"connecting to {sensor.sensor_id} ..."):
            link = await stack.enter_async_context(
                connect(adapter, found, sensor, HostClock(), timeout_s=_CONNECT_S)
            )
        yield link


@asynccontextmanager
async def chosen_adapter(config: Config, virtual_port: int | None = None) -> AsyncIterator[Adapter]:
    """Use the virtual radio at a port, as asked for or as configured, else the system's Bluetooth adapter."""
    port = virtual_port or config.radio.virtual_port
    paired = frozenset(address.upper() for address in config.radio.paired)
    if port is None:
        adapter = Adapter()
        adapter.paired = paired
        yield adapter
        return
    async with attached(port, config.data_folder / _VIRTUAL_BONDS) as adapter:
        adapter.paired = paired
        yield adapter


@contextmanager
def step(text: str) -> Iterator[None]:
    """Show on a terminal what takes a while; where stderr is none, stay silent."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield
        return
    with console.status(text):
        yield
