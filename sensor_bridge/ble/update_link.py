"""A link for exchanging a sensor's firmware: MCUmgr's SMP over one characteristic.

Source: Zephyr documentation, "SMP over Bluetooth". Nothing of smpclient's leaves this file.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cbor2 import CBORError
from smp.exceptions import SMPException
from smp.header import Header
from smpclient import SMPClient
from smpclient.exceptions import SMPClientException
from smpclient.generics import error
from smpclient.requests.image_management import ImageStatesRead, ImageStatesWrite
from smpclient.requests.os_management import ResetWrite
from smpclient.transport import SMPTransport

from firmware_protocol import gatt
from firmware_protocol.codec import decode_info, decode_status, encode
from firmware_protocol.errors import ProtocolError
from firmware_protocol.packets import Identify
from sensor_bridge.ble.connection import SensorConnection
from sensor_bridge.errors import (
    BondLost,
    CommandRefused,
    LinkLost,
    PairingNeeded,
    UpdateFailed,
    WrongFirmware,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator

    from smp.image_management import ImageState

    from firmware_protocol.packets import StreamStatus
    from sensor_bridge.ble.adapter import Adapter, Found
    from sensor_bridge.ble.link import SensorSettings
    from sensor_bridge.host_clock import HostClock

_REQUEST_S: Final = 5.0
_FIRST_REQUEST_S: Final = 40.0  # the sensor erases a slot first
_LARGEST_ANSWER: Final = 4096
_ANSWERS_WITHOUT_GROWTH: Final = 10  # a piece that is lost is asked for again once or twice

# What a failed request logs there, we tell.
logging.getLogger("smpclient").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Slot:
    """One of the two places for firmware in a sensor.

    Parameters
    ----------
    version
        Major, minor, revision of what it holds.
    digest
        SHA-256 by which the image is called.
    is_active
        True where it runs.
    is_confirmed
        True where it also runs after the next boot.
    is_pending
        True where it is tried at the next boot.
    """

    version: tuple[int, ...]
    digest: bytes
    is_active: bool
    is_confirmed: bool
    is_pending: bool

    @property
    def version_text(self) -> str:
        """Version as people write it."""
        return ".".join(map(str, self.version))


class UpdateLink:
    """A live connection to a sensor whose firmware is to be exchanged; opened by `connection.connected`.

    Parameters
    ----------
    sensor
        The sensor.
    clock
        For arrival times.
    """

    def __init__(self, sensor: SensorSettings, clock: HostClock) -> None:
        self.sensor = sensor
        self._connection = SensorConnection(sensor.sensor_id, clock, "Hipline sensor")
        self._client = SMPClient(_Transport(self._connection), sensor.sensor_id, timeout_s=_REQUEST_S)

    async def open(self, adapter: Adapter, found: Found) -> None:
        """Connect, and ask how large a message may be."""
        await self._connection.open(adapter, found, [gatt.SERVICE_UUID, gatt.SMP_SERVICE_UUID])
        if not self._connection.has(gatt.SMP_UUID):
            raise WrongFirmware(
                f"{self.sensor.sensor_id}: its firmware cannot be exchanged by radio: it has no SMP service"
            )
        await self._require_admission()
        with self._errors():
            await self._client.connect()

    async def close(self) -> None:
        """End the link; safe to call again, and after it was lost."""
        await self._connection.close()

    async def status(self) -> StreamStatus:
        """Ask a sensor how it is.

        Raises
        ------
        WrongFirmware
            It does not speak our protocol.
        """
        try:
            decode_info(await self._connection.read(gatt.INFO_UUID))
            return decode_status(await self._connection.read(gatt.STATUS_UUID))
        except ProtocolError as failure:
            raise WrongFirmware(f"{self.sensor.sensor_id}: it is not understood: {failure}") from failure

    async def slots(self) -> tuple[Slot, ...]:
        """Ask what the two slots hold; one that is empty is left out."""
        with self._errors():
            states = await self._client.request(ImageStatesRead())
            if not error(states):
                return tuple(_slot(state) for state in states.images)
        raise CommandRefused(f"{self.sensor.sensor_id}: the sensor does not tell its firmware: {states}")

    async def upload(self, image: bytes) -> AsyncIterator[int]:
        """Send an image into the second slot; yields how many bytes the sensor has.

        Where an upload of the same image broke off, the sensor says how far it had come, and it goes on
        there.

        Raises
        ------
        UpdateFailed
            The sensor takes no more of it, however often it is sent.
        """
        most, n_vain = -1, 0
        with self._errors():
            async for received in self._client.upload(image, first_timeout_s=_FIRST_REQUEST_S):
                n_vain = 0 if received > most else n_vain + 1
                most = max(most, received)
                if n_vain >= _ANSWERS_WITHOUT_GROWTH or not 0 <= received <= len(image):
                    raise UpdateFailed(
                        f"{self.sensor.sensor_id}: the upload does not get on: the sensor claims to have "
                        f"{received} of {len(image)} bytes; switch it off and on and try again: it runs what "
                        "it ran before"
                    )
                yield received

    async def try_at_next_boot(self, digest: bytes) -> None:
        """Have the image of the second slot run once, on trial."""
        await self._choose(ImageStatesWrite(hash=digest, confirm=False))

    async def confirm(self) -> None:
        """Keep what runs."""
        await self._choose(ImageStatesWrite(confirm=True))

    async def reset(self) -> None:
        """Let the sensor boot anew."""
        with self._errors():
            answer = await self._client.request(ResetWrite())
        if error(answer):
            raise CommandRefused(f"{self.sensor.sensor_id}: the sensor does not restart: {answer}")

    async def _require_admission(self) -> None:
        """Raise where the sensor serves only computers it is paired with.

        SMP is written without response, and what is refused so is refused silently. A command is answered;
        it is not carried out, for nobody has subscribed to its reply (docs/protocol.md).
        """
        if not self._connection.has(gatt.CONTROL_UUID):
            return
        try:
            await self._connection.write(gatt.CONTROL_UUID, encode(Identify(0, 0)), response=True)
        except (BondLost, PairingNeeded):
            raise
        except LinkLost:
            if self._connection.is_over:
                raise

    async def _choose(self, request: ImageStatesWrite) -> None:
        with self._errors():
            answer = await self._client.request(request)
        if error(answer):
            raise CommandRefused(f"{self.sensor.sensor_id}: the sensor does not take the image: {answer}")

    @contextlib.contextmanager
    def _errors(self) -> Generator[None]:
        sensor_id = self.sensor.sensor_id
        try:
            yield
        except TimeoutError:
            raise LinkLost(f"{sensor_id}: the sensor does not answer") from None
        except (SMPClientException, SMPException, CBORError, EOFError, ValueError) as failure:
            first_line = str(failure).strip().splitlines()[0] if str(failure).strip() else "no reason given"
            raise CommandRefused(
                f"{sensor_id}: the update went wrong: {type(failure).__name__}: {first_line}"
            ) from failure


class _Transport(SMPTransport):
    """SMP messages over a connection that exists already."""

    def __init__(self, connection: SensorConnection) -> None:
        self._connection = connection
        self._received = bytearray()
        self._news = asyncio.Event()

    async def connect(self, address: str, timeout_s: float) -> None:  # noqa: ARG002 - smpclient's seam
        await self._connection.listen(gatt.SMP_UUID, self._hear)

    async def disconnect(self) -> None:
        await self._connection.close()

    @property
    def mtu(self) -> int:
        return self._connection.largest_write(gatt.SMP_UUID)

    async def send(self, data: bytes) -> None:
        self._received.clear()  # an answer that came too late is nobody's
        for start in range(0, len(data), self.mtu):
            await self._connection.write(gatt.SMP_UUID, data[start : start + self.mtu], response=False)

    async def receive(self) -> bytes:
        while True:
            if len(self._received) >= Header.SIZE:
                size = Header.SIZE + int.from_bytes(self._received[2:4], "big")
                if len(self._received) >= size:
                    answer = bytes(self._received[:size])
                    del self._received[:size]
                    return answer
            self._news.clear()
            await self._news_or_end()

    async def send_and_receive(self, data: bytes) -> bytes:
        await self.send(data)
        return await self.receive()

    def _hear(self, value: bytes) -> None:
        if len(self._received) + len(value) > _LARGEST_ANSWER:
            self._received.clear()  # no answer is that long: noise
        self._received += value
        self._news.set()

    async def _news_or_end(self) -> None:
        if self._connection.is_over:
            raise LinkLost(f"{self._connection.sensor_id}: the link was lost")
        waits = [
            asyncio.ensure_future(wait) for wait in (self._news.wait(), self._connection.wait_until_over())
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()


def _slot(state: ImageState) -> Slot:
    numbers = state.version.replace("+", ".").split(".")
    return Slot(
        version=tuple(int(number) for number in numbers[:3]),
        digest=bytes(state.hash or b""),
        is_active=bool(state.active),
        is_confirmed=bool(state.confirmed),
        is_pending=bool(state.pending),
    )
