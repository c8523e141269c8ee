"""A connection to one sensor over bleak, whatever it speaks.

Nothing of bleak's leaves this file, its errors least of all.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from bleak.exc import BleakError
from bleak_retry_connector import BleakClientWithServiceCache, establish_connection

from firmware_protocol.gatt import BATTERY_LEVEL_UUID
from sensor_bridge.ble.link import FrameKind, ReceivedFrame
from sensor_bridge.ble.link_errors import bond_lost, link_errors
from sensor_bridge.errors import LinkLost

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence

    from bleak.backends.characteristic import BleakGATTCharacteristic

    from sensor_bridge.ble.adapter import Adapter, Found
    from sensor_bridge.ble.link import SensorSettings
    from sensor_bridge.host_clock import HostClock

_QUEUE_FRAMES: Final = 4096  # half a minute of the fastest stream
_CONNECT_ATTEMPTS: Final = 2
_REQUEST_TIMEOUT_S: Final = 10.0
_CLOSE_TIMEOUT_S: Final = 5.0
_PAIRING_TIMEOUT_S: Final = 30.0  # what the Security Manager itself allows (Core 5.4, Vol 3, Part H, 3.4)


class OpenableLink(Protocol):
    """A link that `connected` can open and close."""

    @property
    def sensor(self) -> SensorSettings:
        """The sensor and what is wished of it."""

    async def open(self, adapter: Adapter, found: Found) -> None:
        """Connect, ask what has to be known, and subscribe."""

    async def close(self) -> None:
        """End the link; safe to call again, and after it was lost."""


_Link = TypeVar("_Link", bound=OpenableLink)


class SensorConnection:
    """Reads, writes and notifications of one sensor, until the link is lost.

    Parameters
    ----------
    sensor_id
        Name of the sensor in the configuration.
    clock
        For arrival times.
    family
        What the sensor is meant to be, for messages: ``Hipline``.

    Attributes
    ----------
    dropped
        Payloads thrown away because nobody fetched them in time.
    """

    def __init__(self, sensor_id: str, clock: HostClock, family: str) -> None:
        self.sensor_id = sensor_id
        self.clock = clock
        self.dropped = 0
        self._family = family
        self._client: BleakClientWithServiceCache | None = None
        self._frames: deque[ReceivedFrame] = deque()
        self._news = asyncio.Event()
        self._ended = asyncio.Event()
        self._on_end: Callable[[], None] | None = None
        self._is_paired = False

    @property
    def is_over(self) -> bool:
        """True once the link is lost or closed."""
        return self._ended.is_set()

    async def wait_until_over(self) -> None:
        """Wait until the link is lost or closed."""
        await self._ended.wait()

    # Life ------------------------------------------------------------------------------------------------

    async def open(
        self,
        adapter: Adapter,
        found: Found,
        services: Sequence[str],
        on_end: Callable[[], None] | None = None,
    ) -> None:
        """Connect and learn these services, all where none is named; `on_end` is told when the link is lost.

        Raises
        ------
        LinkLost
            No connection came about; AdapterFull and BondLost say why where that is known.
        """
        self._on_end = on_end
        self._is_paired = adapter.is_paired(found)
        options: dict[str, Any] = {}
        if adapter.client_backend is not None:
            options["backend"] = adapter.client_backend
        with link_errors(self.sensor_id, self._family, is_paired=self._is_paired):
            self._client = await establish_connection(
                BleakClientWithServiceCache,
                found.device,
                self.sensor_id,
                disconnected_callback=lambda _client: self._end(),
                max_attempts=_CONNECT_ATTEMPTS,
                services=list(services) or None,
                **options,
            )
        if self._is_paired:
            if found.is_bonded is False:
                raise bond_lost(self.sensor_id, "this computer has forgotten the sensor")
            await self.pair()

    async def pair(self) -> None:
        """Encrypt the link: with the key of an earlier pairing, else by pairing now.

        Raises
        ------
        BondLost
            One side has lost its key.
        LinkLost
            The sensor does not pair.
        """
        client = self._connected()
        with link_errors(self.sensor_id, self._family, is_paired=self._is_paired):
            async with asyncio.timeout(_PAIRING_TIMEOUT_S):
                # macOS pairs by itself, when the first protected characteristic is written.
                with contextlib.suppress(NotImplementedError):
                    await client.pair()

    async def close(self) -> None:
        """End the link; safe to call again, and after it was lost."""
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(BleakError, TimeoutError, OSError, EOFError):
                async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                    await client.disconnect()
        self._end()

    # Requests --------------------------------------------------------------------------------------------

    def has(self, uuid: str) -> bool:
        """Tell whether the sensor has this characteristic."""
        return self._connected().services.get_characteristic(uuid) is not None

    def largest_write(self, uuid: str) -> int:
        """Return how many bytes a write without response to a characteristic may hold."""
        characteristic = self._connected().services.get_characteristic(uuid)
        assert characteristic is not None, "ask `has` first"
        return characteristic.max_write_without_response_size

    async def read(self, uuid: str) -> bytes:
        """Read a characteristic.

        Raises
        ------
        LinkLost
            The sensor did not answer.
        WrongFirmware
            It has no such characteristic.
        """
        client = self._connected()
        with link_errors(self.sensor_id, self._family, is_paired=self._is_paired):
            async with asyncio.timeout(_REQUEST_TIMEOUT_S):
                return bytes(await client.read_gatt_char(uuid))

    async def write(self, uuid: str, value: bytes, *, response: bool) -> None:
        """Write a characteristic; raises as :meth:`read` does."""
        client = self._connected()
        with link_errors(self.sensor_id, self._family, is_paired=self._is_paired):
            async with asyncio.timeout(_REQUEST_TIMEOUT_S):
                await client.write_gatt_char(uuid, value, response=response)

    async def listen(self, uuid: str, hear: Callable[[bytes], None]) -> None:
        """Have every notification or indication of a characteristic told; raises as :meth:`read` does."""

        def heard(_characteristic: BleakGATTCharacteristic, value: bytearray) -> None:
            hear(bytes(value))

        client = self._connected()
        with link_errors(self.sensor_id, self._family, is_paired=self._is_paired):
            await client.start_notify(uuid, heard)

    async def subscribe(
        self, uuid: str, kind: FrameKind, on_payload: Callable[[bytes], None] | None = None
    ) -> None:
        """Make every notification of a characteristic a frame; raises as :meth:`read` does."""

        def stamp(_characteristic: BleakGATTCharacteristic, value: bytearray) -> None:
            self.put(kind, value)
            if on_payload is not None:
                on_payload(bytes(value))

        client = self._connected()
        with link_errors(self.sensor_id, self._family, is_paired=self._is_paired):
            await client.start_notify(uuid, stamp)

    async def follow_battery(self) -> None:
        """Read the SIG battery level and hear its changes, where the sensor has one."""
        if self.has(BATTERY_LEVEL_UUID):
            self.put(FrameKind.BATTERY, await self.read(BATTERY_LEVEL_UUID))
            await self.subscribe(BATTERY_LEVEL_UUID, FrameKind.BATTERY)

    # Frames ----------------------------------------------------------------------------------------------

    def put(self, kind: FrameKind, value: bytes | bytearray) -> None:
        """Stamp a payload with the time now and keep it as a frame."""
        frame = ReceivedFrame(self.sensor_id, self.clock.now_ns(), kind, bytes(value))
        if len(self._frames) >= _QUEUE_FRAMES:
            self._frames.popleft()
            self.dropped += 1
        self._frames.append(frame)
        self._news.set()

    async def frames(self) -> AsyncIterator[ReceivedFrame]:
        """Yield what arrives, in order; ends when the link is lost and all has been yielded."""
        while True:
            while self._frames:
                yield self._frames.popleft()
            if self.is_over:
                return
            self._news.clear()
            await self._news.wait()

    # ------------------------------------------------------------------------------------------------------

    def _end(self) -> None:
        self._ended.set()
        self._news.set()
        if self._on_end is not None:
            self._on_end()

    def _connected(self) -> BleakClientWithServiceCache:
        if self._client is None or self.is_over:
            raise LinkLost(f"{self.sensor_id}: the link was lost")
        return self._client


@contextlib.asynccontextmanager
async def connected(
    link: _Link, adapter: Adapter, found: Found, *, timeout_s: float
) -> AsyncGenerator[_Link]:
    """Open a link to a sensor that was found, scanning for nobody meanwhile; it ends with the block.

    Parameters
    ----------
    link
        Not yet open.
    adapter
        The radio.
    found
        Where the sensor is.
    timeout_s
        How long all of connecting may take.

    Raises
    ------
    LinkLost
        The connection could not be made, or not in time.
    WrongFirmware
        The sensor does not speak what it should.
    """
    try:
        try:
            async with adapter.quiet(), asyncio.timeout(timeout_s):
                await link.open(adapter, found)
        except TimeoutError:
            raise LinkLost(f"{link.sensor.sensor_id}: no connection within {timeout_s:g} s") from None
        yield link
    finally:
        await asyncio.shield(link.close())
