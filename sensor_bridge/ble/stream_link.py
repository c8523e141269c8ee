"""A link to a sensor that streams once it is started and knows no commands of Hipline's."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from firmware_protocol.errors import ProtocolError
from sensor_bridge.ble.connection import SensorConnection
from sensor_bridge.ble.device_time import next_stream_id
from sensor_bridge.errors import LinkLost, WrongFirmware

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from firmware_protocol.packets import BulkRequest
    from sensor_bridge.ble.adapter import Adapter, Found
    from sensor_bridge.ble.driver import StreamingDriver
    from sensor_bridge.ble.link import ReceivedFrame, SensorSettings
    from sensor_bridge.host_clock import HostClock

_BEFORE_START_S: Final = 1.0
_FAREWELL_S: Final = 2.0


class StreamLink:
    """A live connection to one sensor of a family that a driver knows.

    Such a sensor remembers nothing while the link is down: each link is a new stream.

    Parameters
    ----------
    driver
        How the family is started.
    sensor
        What is wished of it.
    clock
        For arrival times.
    """

    info: Final = None
    has_flash: Final = False

    def __init__(self, driver: StreamingDriver, sensor: SensorSettings, clock: HostClock) -> None:
        self.sensor = sensor
        self._driver = driver
        self._connection = SensorConnection(sensor.sensor_id, clock, driver.family)
        self._frame_s = _BEFORE_START_S
        self._has_begun = False

    @property
    def frame_s(self) -> float:
        """Time from one payload to the next, s, once it streams."""
        return self._frame_s

    @property
    def dropped(self) -> int:
        """Payloads thrown away because nobody fetched them in time."""
        return self._connection.dropped

    async def open(self, adapter: Adapter, found: Found) -> None:
        """Connect."""
        await self._connection.open(adapter, found, self._driver.services)

    async def start(self, resume: tuple[int, int] | None) -> int:
        """Start a new stream; what `resume` names is the one before it.

        Raises
        ------
        LinkLost
            The link broke.
        WrongFirmware
            It is another sensor than it seemed, or what it answers is not what its family does.
        CommandRefused
            The sensor does not take the settings.
        """
        stream_id = 1 if resume is None else next_stream_id(resume[0])
        self._has_begun = True
        try:
            description = await self._driver.begin(self._connection, self.sensor, stream_id)
        except ProtocolError as error:
            raise WrongFirmware(
                f"{self.sensor.sensor_id}: its answer is not understood: {error}; is it a "
                f"{self._driver.family} with the firmware it was sold with?"
            ) from error
        self._frame_s = self._driver.samples_per_payload / description.sampling_rate_hz
        return stream_id

    def frames(self) -> AsyncIterator[ReceivedFrame]:
        """Yield what arrives, in order; ends when the link is lost and all has been yielded."""
        return self._connection.frames()

    async def ask_flash(self, request: BulkRequest) -> None:
        """Do nothing: there is nothing to ask these sensors for."""

    async def keep_time(self) -> None:
        """Wait for the end of the link: the clocks of these sensors cannot be asked."""
        await self._connection.wait_until_over()

    async def identify(self, duration_s: int) -> None:
        """Make the sensor show itself, where its family can."""
        await self._driver.identify(self._connection, duration_s)

    async def close(self) -> None:
        """End the link; safe to call again, and after it was lost."""
        if self._has_begun and not self._connection.is_over:
            self._has_begun = False
            with contextlib.suppress(LinkLost, WrongFirmware, TimeoutError):
                async with asyncio.timeout(_FAREWELL_S):
                    await self._driver.end(self._connection)
        await self._connection.close()
