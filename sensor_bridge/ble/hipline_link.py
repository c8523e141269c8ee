"""A link to a Hipline sensor: the commands, the clock and the characteristics of docs/protocol.md."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import TYPE_CHECKING, Final

from firmware_protocol import gatt
from firmware_protocol.codec import (
    decode_info,
    decode_reply,
    decode_status,
    encode,
)
from firmware_protocol.errors import ProtocolError, UnsupportedVersion
from firmware_protocol.packets import (
    PROTOCOL_VERSION,
    Command,
    CommandReply,
    CommandResult,
    Configure,
    Identify,
    Opcode,
    Start,
    Stop,
    TimeRequest,
)
from sensor_bridge.ble.connection import SensorConnection, connected
from sensor_bridge.ble.link import FrameKind
from sensor_bridge.ble.settings import nearest_settings
from sensor_bridge.errors import CommandRefused, LinkLost, WrongFirmware

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable

    from firmware_protocol.packets import BulkRequest, DeviceInfo, StreamStatus
    from sensor_bridge.ble.adapter import Adapter, Found
    from sensor_bridge.ble.link import ReceivedFrame, SensorSettings
    from sensor_bridge.ble.settings import StreamSettings
    from sensor_bridge.host_clock import HostClock

_REPLY_TIMEOUT_S: Final = 2.0  # the protocol allows the sensor 1 s
_FIRST_TIME_PROBES: Final = 10
_FIRST_TIME_PAUSE_S: Final = (0.0, 0.06)  # two connection intervals
_TIME_PAUSE_S: Final = (2.0, 4.0)
_TIME_REPLY_TIMEOUT_S: Final = 1.0
_CATCH_UP_S: Final = 5.0  # so much comes in order in a second, even with one packet a connection event
_NOTIFYING: Final = (
    (gatt.STATUS_UUID, FrameKind.STATUS),
    (gatt.TIME_UUID, FrameKind.TIME),
    (gatt.DATA_UUID, FrameKind.DATA),
)


class HiplineLink:
    """A live connection to one Hipline sensor, made by `connect`.

    Parameters
    ----------
    sensor
        What is wished of it.
    clock
        For arrival times.
    """

    def __init__(self, sensor: SensorSettings, clock: HostClock) -> None:
        self.sensor = sensor
        self._connection = SensorConnection(sensor.sensor_id, clock, "Hipline")
        self._info: DeviceInfo | None = None
        self._has_flash = False
        self._is_admitted = False
        self._command_lock = asyncio.Lock()
        self._replies: dict[int, asyncio.Future[CommandReply]] = {}
        self._tag = 0
        self._time_reply = asyncio.Event()

    # What it is ------------------------------------------------------------------------------------------

    @property
    def info(self) -> DeviceInfo:
        """What the sensor said of itself."""
        if self._info is None:
            raise LinkLost(f"{self.sensor.sensor_id}: not connected")
        return self._info

    @property
    def settings(self) -> StreamSettings:
        """What the stream will be like: what comes nearest to the wish."""
        return nearest_settings(self.sensor, self.info)

    @property
    def has_flash(self) -> bool:
        """Whether the sensor stores its samples, to be fetched later."""
        return self._has_flash

    @property
    def frame_s(self) -> float:
        """Time from one frame to the next, s."""
        return self.settings.frame_s

    @property
    def dropped(self) -> int:
        """Payloads thrown away because nobody fetched them in time."""
        return self._connection.dropped

    # Streaming -------------------------------------------------------------------------------------------

    async def start(self, resume: tuple[int, int] | None) -> int:
        """Start the stream, or go on with one.

        Parameters
        ----------
        resume
            (stream_id, next sample index) to go on at; None for a new stream. Where more than a moment is
            missing and the flash has it, the stream goes on with the newest sample instead.

        Returns
        -------
        int
            Id of the stream that runs: another one than asked for where the sensor no longer has that.

        Raises
        ------
        LinkLost
            The link broke.
        CommandRefused
            The sensor does not take the settings.
        """
        status = await self.read_status() if resume is not None else None
        if resume is not None and status is not None and status.stream_id == resume[0]:
            index = self._resume_index(resume[1], status)
            reply = await self._ask(lambda tag: Start(tag, resume[0], index))
            if reply.result is CommandResult.OK and reply.stream_id == resume[0]:
                return reply.stream_id
        await self.stop()  # not streaming is as good
        await self.configure(self.settings)
        reply = await self._ask(Start)
        if reply.result is not CommandResult.BUSY:  # busy: an earlier try had worked, its reply got lost
            self._require_ok(reply, "does not start")
        return reply.stream_id

    def _resume_index(self, wanted: int, status: StreamStatus) -> int:
        """Choose where to go on: live at once is worth more than the order of the samples."""
        is_long = status.newest_sample_index - wanted > _CATCH_UP_S * self.settings.sampling_rate.hz
        return status.newest_sample_index + 1 if self._has_flash and is_long else wanted

    async def configure(self, wanted: StreamSettings) -> None:
        """Set what the next stream will be like; it holds until another is set, or the sensor reboots.

        Raises
        ------
        LinkLost
            The link broke.
        CommandRefused
            The sensor does not take it, or a stream of other settings runs.
        """
        reply = await self._ask(
            lambda tag: Configure(
                tag, wanted.sampling_rate, wanted.accel_range, wanted.gyro_range, wanted.batch
            )
        )
        if reply.result is CommandResult.BUSY:
            raise CommandRefused(
                f"{self.sensor.sensor_id}: stream {reply.stream_id} of other settings runs; end it first"
            )
        self._require_ok(reply, f"will not measure as asked for ({wanted})")

    async def stop(self) -> bool:
        """End the running stream and forget what the sensor remembers of it; tell whether there was one.

        Raises
        ------
        LinkLost
            The link broke.
        """
        return (await self._ask(Stop)).result is CommandResult.OK

    def frames(self) -> AsyncIterator[ReceivedFrame]:
        """Yield what arrives, in order; ends when the link is lost and all has been yielded."""
        return self._connection.frames()

    async def ask_flash(self, request: BulkRequest) -> None:
        """Ask for stored samples; what comes of it are frames of kind BULK.

        Raises
        ------
        LinkLost
            The link broke.
        PairingNeeded, BondLost
            The sensor serves only computers it is paired with.
        """
        if not self._is_admitted:  # a write without response would be refused silently, a command is not
            await self._ask(lambda tag: Identify(tag, 0))
        await self._connection.write(gatt.BULK_UUID, encode(request), response=False)

    async def keep_time(self) -> None:
        """Ask for the sensor's clock, ten times at first and then now and then, until the link is lost.

        At random moments: a request right after a reply goes out right after a connection event, and all of
        them would wait the same time for the next one.
        """
        sequence, n_replies = 0, 0
        while not self._connection.is_over:
            self._time_reply.clear()
            request = TimeRequest(sequence, self._connection.clock.now_ns() // 1000)
            sequence = (sequence + 1) & 0xFFFF
            try:
                await self._connection.write(gatt.TIME_UUID, encode(request), response=False)
                async with asyncio.timeout(_TIME_REPLY_TIMEOUT_S):
                    await self._time_reply.wait()
            except LinkLost:
                return
            except TimeoutError:
                continue
            n_replies += 1
            is_first = n_replies < _FIRST_TIME_PROBES
            await asyncio.sleep(random.uniform(*(_FIRST_TIME_PAUSE_S if is_first else _TIME_PAUSE_S)))

    async def identify(self, duration_s: int) -> None:
        """Make the sensor blink for so many seconds, 0 to 255."""
        self._require_ok(await self._ask(lambda tag: Identify(tag, duration_s)), "does not blink")

    async def read_status(self) -> StreamStatus:
        """Ask the sensor how it is."""
        try:
            return decode_status(await self._connection.read(gatt.STATUS_UUID))
        except ProtocolError as error:
            raise LinkLost(f"{self.sensor.sensor_id}: STATUS is not understood: {error}") from error

    async def close(self) -> None:
        """End the link; safe to call again, and after it was lost."""
        await self._connection.close()

    # Connecting (used by `connect`) ------------------------------------------------------------------------

    async def open(self, adapter: Adapter, found: Found) -> None:
        """Connect, check the firmware and subscribe."""
        await self._connection.open(
            adapter, found, (gatt.SERVICE_UUID, gatt.BATTERY_SERVICE_UUID), self._fail_commands
        )
        await self._check_firmware()
        await self._connection.listen(gatt.CONTROL_UUID, self._on_reply)
        for uuid, kind in _NOTIFYING:
            await self._connection.subscribe(uuid, kind, self._on_time if kind is FrameKind.TIME else None)
        self._has_flash = self._connection.has(gatt.BULK_UUID)
        if self._has_flash:
            await self._connection.subscribe(gatt.BULK_UUID, FrameKind.BULK)
        await self._connection.follow_battery()

    async def _check_firmware(self) -> None:
        payload = await self._connection.read(gatt.INFO_UUID)
        try:
            self._info = decode_info(payload)
        except UnsupportedVersion:
            raise WrongFirmware(
                f"{self.sensor.sensor_id}: the sensor speaks protocol version {payload[0] >> 4}, "
                f"this program version {PROTOCOL_VERSION}; update the older one"
            ) from None
        except ProtocolError as error:
            raise WrongFirmware(f"{self.sensor.sensor_id}: INFO is not understood: {error}") from error
        self._connection.put(FrameKind.INFO, payload)

    def _on_time(self, _payload: bytes) -> None:
        self._time_reply.set()

    def _on_reply(self, value: bytes) -> None:
        try:
            reply = decode_reply(value)
        except ProtocolError:
            return  # nobody can tell whose it was: the command is asked again
        if reply.opcode == Opcode.START and reply.result is CommandResult.OK:
            self._connection.put(FrameKind.CONTROL, value)  # the log has to know where the stream goes on
        future = self._replies.get(reply.tag)
        if future is not None and not future.done():
            future.set_result(reply)

    def _fail_commands(self) -> None:
        self._time_reply.set()
        for future in self._replies.values():
            if not future.done():
                future.set_exception(LinkLost(f"{self.sensor.sensor_id}: the link was lost"))

    # Requests --------------------------------------------------------------------------------------------

    async def _ask(self, make: Callable[[int], Command]) -> CommandReply:
        """Write a command and wait for its reply; once more where none comes."""
        async with self._command_lock:
            for _ in range(2):
                self._tag = (self._tag + 1) & 0xFF
                tag = self._tag
                reply: asyncio.Future[CommandReply] = asyncio.get_running_loop().create_future()
                self._replies[tag] = reply
                try:
                    await self._connection.write(gatt.CONTROL_UUID, encode(make(tag)), response=True)
                    self._is_admitted = True
                    async with asyncio.timeout(_REPLY_TIMEOUT_S):
                        return await reply
                except TimeoutError:
                    continue
                finally:
                    del self._replies[tag]
                    reply.cancel()
        raise LinkLost(f"{self.sensor.sensor_id}: the sensor does not answer commands")

    def _require_ok(self, reply: CommandReply, complaint: str) -> None:
        if reply.result is not CommandResult.OK:
            raise CommandRefused(f"{self.sensor.sensor_id}: the sensor {complaint}: {reply.result.name}")


@contextlib.asynccontextmanager
async def connect(
    adapter: Adapter,
    found: Found,
    sensor: SensorSettings,
    clock: HostClock,
    *,
    timeout_s: float,
) -> AsyncGenerator[HiplineLink]:
    """Connect to a sensor that was found; the link ends with the block.

    Parameters
    ----------
    adapter
        The radio.
    found
        Where the sensor is.
    sensor
        What is wished of it.
    clock
        For arrival times.
    timeout_s
        How long all of connecting may take.

    Yields
    ------
    HiplineLink
        Connected, firmware checked, subscribed; not started.

    Raises
    ------
    LinkLost
        The connection could not be made, or not in time.
    WrongFirmware
        The sensor speaks another protocol version, or is no Hipline sensor.
    """
    async with connected(HiplineLink(sensor, clock), adapter, found, timeout_s=timeout_s) as link:
        yield link
