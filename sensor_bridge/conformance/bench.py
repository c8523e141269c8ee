"""A sensor on the bench: commands to it, replies from it, links that come and go."""

from __future__ import annotations

import contextlib
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final, Self

from firmware_protocol import gatt
from firmware_protocol.codec import decode_info, decode_reply, decode_status, encode
from firmware_protocol.errors import ProtocolError
from firmware_protocol.packets import (
    MIN_STREAMING_MTU,
    AccelRange,
    Command,
    CommandReply,
    CommandResult,
    Configure,
    DeviceInfo,
    GyroRange,
    SamplingRate,
    Start,
    Stop,
    StreamStatus,
)
from sensor_bridge.ble.bare_link import AttRefusal, BareLink, Heard, bare_link
from sensor_bridge.conformance.verdict import NotExaminable
from sensor_bridge.errors import LinkLost, PairingNeeded

if TYPE_CHECKING:
    from types import TracebackType

    from sensor_bridge.ble.adapter import Adapter, Found
    from sensor_bridge.conformance.observation import Observation

UNENCRYPTED: Final = frozenset({0x05, 0x0F})  # Insufficient Authentication, Insufficient Encryption
REPLY_TIMEOUT_S: Final = 2.0  # the protocol allows 1 s; the rest is for the host
_CONNECT_S: Final = 20.0
_NOTIFYING: Final = (gatt.CONTROL_UUID, gatt.STATUS_UUID, gatt.TIME_UUID)
_USUAL_BATCH: Final = 10


class Bench:
    """One sensor under examination, as an async context manager.

    What a clause only needs to be examined at all (a stream that starts, an INFO that can be read) raises
    `NotExaminable` where it is missing; that it is missing is the failure of another clause.

    Parameters
    ----------
    adapter
        The radio.
    found
        The sensor.
    patience_s
        Longest time that one clause may wait for the sensor, s.

    Attributes
    ----------
    observation
        The stream that was watched, once it was.
    streams
        Ids of all streams begun.
    replied
        Order of the last reply among all that came on the link.
    """

    def __init__(self, adapter: Adapter, found: Found, patience_s: float) -> None:
        self.patience_s = patience_s
        self.observation: Observation | None = None
        self.streams: list[int] = []
        self.replied = -1
        self._adapter = adapter
        self._found = found
        self._stack = AsyncExitStack()
        self._link: BareLink | None = None
        self._tag = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.disconnect()

    # Links -----------------------------------------------------------------------------------------------

    @property
    def link(self) -> BareLink:
        """The link in use."""
        if self._link is None:
            raise NotExaminable("there is no link")
        return self._link

    @property
    def is_connected(self) -> bool:
        """True between `connect` and `disconnect`."""
        return self._link is not None

    @property
    def is_paired(self) -> bool:
        """True where this computer is paired with the sensor."""
        return self._adapter.is_paired(self._found)

    async def connect(self, *, control: bool = True, data: bool = True, encrypted: bool = True) -> BareLink:
        """Make a new link, subscribed to everything, or without commands or frames, or not encrypted.

        Raises
        ------
        LinkLost
            It did not come about.
        """
        await self.disconnect()
        async with self._adapter.quiet():
            self._link = await self._stack.enter_async_context(
                bare_link(self._adapter, self._found, timeout_s=_CONNECT_S, encrypted=encrypted)
            )
        wanted = [uuid for uuid in _NOTIFYING if control or uuid != gatt.CONTROL_UUID]
        if data:
            wanted.append(gatt.DATA_UUID)
        if any(each.uuid == gatt.BULK_UUID for each in self.link.characteristics):
            wanted.append(gatt.BULK_UUID)
        for uuid in wanted:
            try:
                await self.link.subscribe(uuid)
            except AttRefusal:
                continue  # the clauses about characteristics say so
        return self.link

    async def disconnect(self) -> None:
        """End the link, without a Stop."""
        self._link = None
        await self._stack.aclose()

    # Reading ---------------------------------------------------------------------------------------------

    async def info(self) -> DeviceInfo:
        """Read INFO."""
        try:
            return decode_info(await self.link.read(gatt.INFO_UUID))
        except (AttRefusal, ProtocolError) as error:
            raise NotExaminable(f"it needs INFO, and that cannot be read: {error}") from error

    async def status(self) -> StreamStatus:
        """Read STATUS."""
        try:
            return decode_status(await self.link.read(gatt.STATUS_UUID))
        except (AttRefusal, ProtocolError) as error:
            raise NotExaminable(f"it needs STATUS, and that cannot be read: {error}") from error

    # Commands --------------------------------------------------------------------------------------------

    def tag(self) -> int:
        """Choose a tag that was not used lately."""
        self._tag = self._tag % 255 + 1
        return self._tag

    async def send(self, command: bytes) -> tuple[float, list[Heard]]:
        """Write a command and wait for its first reply.

        Returns
        -------
        tuple[float, list[Heard]]
            When it was written, and what CONTROL has indicated since: empty where nothing came in time.
        """
        link = self.link
        heard = link.heard(gatt.CONTROL_UUID)
        before = len(heard)
        written_s = link.now_s()
        try:
            await link.write(gatt.CONTROL_UUID, command, response=True)
        except AttRefusal as error:
            if error.code in UNENCRYPTED and not self.is_paired:
                raise PairingNeeded(
                    f"{link.address}: it takes commands only from a computer it is paired with: "
                    f"hipline sensors pair {link.address}"
                ) from error
            raise NotExaminable(f"the command {command.hex(' ')} was refused: {error}") from error
        await link.more(gatt.CONTROL_UUID, before + 1, REPLY_TIMEOUT_S)
        return written_s, heard[before:]

    async def ask(self, command: Command | bytes) -> CommandReply:
        """Write a command and read its reply."""
        payload = command if isinstance(command, bytes) else encode(command)
        _, replies = await self.send(payload)
        if not replies:
            raise NotExaminable(f"no reply to {payload.hex(' ')} within {REPLY_TIMEOUT_S:g} s")
        self.replied = replies[0].order
        try:
            return decode_reply(replies[0].value)
        except ProtocolError as error:
            raise NotExaminable(f"the reply to {payload.hex(' ')} cannot be read: {error}") from error

    async def leave(self) -> None:
        """Leave the sensor without a stream, where it still takes commands."""
        if self.is_connected:
            with contextlib.suppress(NotExaminable, LinkLost):
                await self.idle()

    # Streams ---------------------------------------------------------------------------------------------

    async def idle(self) -> None:
        """See to it that no stream runs."""
        await self.ask(Stop(self.tag()))

    async def usual_settings(self) -> Configure:
        """Choose what lies nearest to 100 Hz, 8 g, 1000 °/s and ten samples a frame."""
        info = await self.info()
        return Configure(
            self.tag(),
            min(info.rates, key=lambda rate: abs(rate.hz - SamplingRate.HZ100.hz)),
            min(info.accel_ranges, key=lambda each: abs(each - AccelRange.G8)),
            min(info.gyro_ranges, key=lambda each: abs(each - GyroRange.DPS1000)),
            min(info.max_batch, _USUAL_BATCH),
        )

    async def start(self) -> tuple[Configure, CommandReply]:
        """Begin a new stream with the usual settings; return them and the reply to Start."""
        mtu = (await self.status()).mtu
        if mtu < MIN_STREAMING_MTU:
            raise NotExaminable(f"it needs a stream, and the MTU is {mtu}")
        await self.idle()
        settings = await self.usual_settings()
        configured = (await self.ask(settings)).result
        if configured is not CommandResult.OK:
            raise NotExaminable(f"it needs a stream, and Configure was answered {configured.name}")
        return settings, self.took(await self.ask(Start(self.tag())))

    def took(self, reply: CommandReply) -> CommandReply:
        """Remember the stream of a reply to Start that went well."""
        if reply.result is not CommandResult.OK:
            raise NotExaminable(f"it needs a stream, and Start was answered {reply.result.name}")
        self.streams.append(reply.stream_id)
        return reply
