"""From a sensor that was found to a live link, by the driver of its kind."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from sensor_bridge.ble.connection import connected
from sensor_bridge.ble.drivers import DRIVERS, HIPLINE, STREAMING_DRIVERS
from sensor_bridge.ble.hipline_link import HiplineLink
from sensor_bridge.ble.stream_link import StreamLink
from sensor_bridge.errors import WrongFirmware

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from sensor_bridge.ble.adapter import Adapter, Found
    from sensor_bridge.ble.link import SensorLink, SensorSettings
    from sensor_bridge.host_clock import HostClock


@contextlib.asynccontextmanager
async def connect(
    adapter: Adapter, found: Found, sensor: SensorSettings, clock: HostClock, *, timeout_s: float
) -> AsyncGenerator[SensorLink]:
    """Connect to a sensor of any kind that was found; the link ends with the block.

    Parameters
    ----------
    adapter
        The radio.
    found
        Where the sensor is.
    sensor
        What is wished of it; without a ``kind`` its advertisement says what it is.
    clock
        For arrival times.
    timeout_s
        How long all of connecting may take.

    Yields
    ------
    SensorLink
        Connected, not started.

    Raises
    ------
    LinkLost
        The connection could not be made, or not in time.
    WrongFirmware
        No driver knows the sensor, or it does not speak what its kind should.
    """
    kind = sensor.kind or found.sighting.kind
    if kind is None:
        raise WrongFirmware(
            f"{sensor.sensor_id}: its advertisement is of no kind that is known; "
            f"set its kind in the configuration: {', '.join(DRIVERS)}"
        )
    link: HiplineLink | StreamLink
    if kind == HIPLINE:
        link = HiplineLink(sensor, clock)
    else:
        link = StreamLink(STREAMING_DRIVERS[kind], sensor, clock)
    async with connected(link, adapter, found, timeout_s=timeout_s) as opened:
        yield opened
