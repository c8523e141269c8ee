"""A virtual Hipline sensor: the firmware of docs/protocol.md, playing a recording in real time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from firmware_protocol import gatt as table
from firmware_protocol.codec import command_start, decode_command, decode_time_request, encode
from firmware_protocol.errors import ProtocolError, UnknownPacket, UnsupportedVersion
from firmware_protocol.packets import (
    MAX_SAMPLES,
    MIN_STREAMING_MTU,
    PROTOCOL_VERSION,
    Command,
    CommandReply,
    CommandResult,
    Configure,
    DeviceInfo,
    Identify,
    Start,
    Stop,
    StreamStatus,
    TimeReply,
    samples_per_frame,
)
from hardware_sim.flash_ring import FlashRing
from hardware_sim.page_sender import PageSender
from hardware_sim.peripheral_bulk import BulkServer
from hardware_sim.peripheral_gatt import (
    CCCD_IMPROPERLY_CONFIGURED,
    INVALID_ATTRIBUTE_LENGTH,
    PROCEDURE_ALREADY_IN_PROGRESS,
    GattRefusal,
    GattServer,
)
from hardware_sim.peripheral_stream import PlayedSource, SampleStream
from hardware_sim.peripheral_update import UpdatableFirmware
from hardware_sim.sensor_model import SensorModel, address_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from hardware_sim.controller import RadioController

__all__ = ["SensorModel", "VirtualPeripheral", "address_of"]

_STATUS_PERIOD_S: Final = 1.0
_BATTERY_EMPTY_MV, _BATTERY_FULL_MV = 3300, 4200
_PROTECTED: Final = (table.CONTROL_UUID, table.BULK_UUID, table.SMP_UUID)
_BATTERY_S_PER_PERCENT: Final = 600.0


class VirtualPeripheral:
    """One sensor on the virtual radio.

    Its rate and ranges are those of what it plays. Its clock stands until the playback begins: a clock
    request before then gets no answer. A recording that has ended streams no more, but what is in the ring
    can still be fetched.

    Parameters
    ----------
    played
        What it measures.
    controller
        Its radio chip.
    model
        What kind of sensor it is.
    name
        Advertised name.
    first_stream_id
        Where its stream counter stands.
    battery_percent
        Charge at the beginning; falls by 1 in ten minutes.
    on_progress
        Called when a stream was started and when its last sample may have left.
    """

    def __init__(
        self,
        played: PlayedSource,
        controller: RadioController,
        *,
        model: SensorModel,
        name: str,
        first_stream_id: int,
        battery_percent: int,
        on_progress: Callable[[], None],
    ) -> None:
        self.sensor_id = played.source.sensor_id
        self.address = address_of(self.sensor_id)
        self.name = name
        self.controller = controller
        capacity = model.flash_capacity_samples
        flash = FlashRing(played, capacity) if capacity else None
        self.stream = SampleStream(
            played,
            flash=flash,
            ring_capacity=model.ring_capacity_samples,
            queue_frames=model.queue_frames,
            first_stream_id=first_stream_id,
        )
        self._pages: PageSender | None = None
        self._played = played
        self._model = model
        self._battery_percent = battery_percent
        self._on_progress = on_progress
        self._loop = asyncio.get_running_loop()
        self._powered_at_s = self._loop.time()
        self._identify_until_s = 0.0
        self._frozen_until_s = 0.0
        self._is_sending = False
        self._was_sampling = False
        self._frame_timer: asyncio.TimerHandle | None = None
        self._status_timer: asyncio.TimerHandle | None = None
        self.firmware = UpdatableFirmware(model.firmware_version, model.update_key)
        self._gatt = GattServer(
            controller,
            name=name,
            address=self.address,
            reads={
                table.INFO_UUID: self._info,
                table.STATUS_UUID: self._status,
                table.BATTERY_LEVEL_UUID: lambda: bytes([self._battery()]),
                table.MANUFACTURER_NAME_UUID: lambda: b"Hipline",
                table.MODEL_NUMBER_UUID: lambda: b"virtual clip",
                table.SERIAL_NUMBER_UUID: self.sensor_id.encode,
                table.FIRMWARE_REVISION_UUID: lambda: ".".join(map(str, self.firmware.version)).encode(),
            },
            writes={
                table.CONTROL_UUID: self._on_command,
                table.TIME_UUID: self._on_time_request,
                table.SMP_UUID: self.firmware.take,
            }
            | ({table.BULK_UUID: self._on_bulk_request} if flash else {}),
            on_connected=self._on_connected,
            on_disconnected=self._on_disconnected,
            on_room=self._pump,
            protected=_PROTECTED if model.requires_pairing else (),
        )
        self.firmware.attach(self._gatt)
        if flash is not None:
            self._pages = PageSender(BulkServer(self.stream, flash), self._gatt, self._pump)

    # Life ------------------------------------------------------------------------------------------------

    async def power_on(self) -> None:
        """Boot and advertise; advertising goes on whenever nobody is connected."""
        await self._gatt.power_on()

    def power_off(self) -> None:
        """Stop everything at once."""
        self._gatt.power_off()
        self._on_disconnected()

    def begin(self, now_s: float) -> None:
        """Let time run: the first sample exists now."""
        self._played.begin(now_s)
        self._send_status()
        self._pump()

    # What can be seen and done from outside -----------------------------------------------------------------

    @property
    def is_connected(self) -> bool:
        """True while a host is connected."""
        return self._gatt.is_connected

    @property
    def is_streaming(self) -> bool:
        """True once a stream runs, whether or not samples are being made already."""
        return self.stream.is_running

    @property
    def is_identifying(self) -> bool:
        """True while it blinks."""
        return self._loop.time() < self._identify_until_s

    @property
    def is_finished(self) -> bool:
        """True when its last sample exists and nothing of a live stream is still on its way."""
        now_s = self._loop.time()
        if self._played.made(now_s) < len(self._played):
            return False
        return not self._is_sending or (self.stream.is_sent(now_s) and self._gatt.is_flushed)

    @property
    def ends_at_s(self) -> float | None:
        """Loop time at which its last sample is made; None before the playback has begun."""
        return self._played.made_at_s(len(self._played) - 1)

    def freeze(self, duration_s: float) -> None:
        """Send no samples for a while though the link stays up (a half-open stream)."""
        self._frozen_until_s = self._loop.time() + duration_s
        self._loop.call_later(duration_s, self._pump)

    async def disconnect(self) -> None:
        """End the link from the sensor's side."""
        await self._gatt.disconnect()

    async def forget_bonds(self) -> None:
        """Lose the keys of every pairing, as by its reset button."""
        await self._gatt.bonds.forget_all()

    def forget_everything(self, *, is_foreseen: bool = False) -> None:
        """Lose what is in RAM, as in a reboot; one that is foreseen leaves time to write it to flash."""
        self.stream.reboot(self._loop.time(), is_foreseen=is_foreseen)
        self._was_sampling = self._is_sending = False
        self._frozen_until_s = self._identify_until_s = 0.0

    # Readable characteristics ------------------------------------------------------------------------------

    def _info(self) -> bytes:
        source, model = self._played.source, self._model
        info = DeviceInfo(
            protocol_version=max(model.protocol_version, PROTOCOL_VERSION),
            hardware_revision=model.hardware_revision,
            firmware_version=self.firmware.version,
            serial=self.sensor_id,
            rates=(source.rate,),
            accel_ranges=(source.accel_range,),
            gyro_ranges=(source.gyro_range,),
            max_batch=MAX_SAMPLES,
            ring_capacity_samples=model.ring_capacity_samples,
        )
        payload = encode(info)
        return bytes([payload[0] & 0x0F | model.protocol_version << 4]) + payload[1:]

    def _status(self) -> bytes:
        now_s = self._loop.time()
        if self._is_sending:  # without a link samples wait in the ring, not in the queue
            self.stream.settle(now_s)
        ring = self.stream.ring(now_s)
        percent = self._battery()
        span_mv = _BATTERY_FULL_MV - _BATTERY_EMPTY_MV
        status = StreamStatus(
            battery_percent=percent,
            battery_mv=_BATTERY_EMPTY_MV + span_mv * percent // 100,
            temperature_c=self._model.temperature_c,
            connection_interval_ms=self._gatt.connection_interval_ms,
            mtu=self._gatt.mtu,
            queue_depth=min(self.stream.queue_depth(now_s), 255) if self._is_sending else 0,
            overflow_count=self.stream.overflow_count,
            clipped_count=self.stream.clipped_count(now_s),
            is_streaming=self.stream.is_sampling(now_s),
            oldest_sample_index=ring.oldest,
            newest_sample_index=ring.newest,
            stream_id=self.stream.stream_id,
        )
        return encode(status)

    def _battery(self) -> int:
        used = (self._loop.time() - self._powered_at_s) / _BATTERY_S_PER_PERCENT
        return max(self._battery_percent - int(used), 0)

    # Link ------------------------------------------------------------------------------------------------

    def _on_connected(self) -> None:
        self._status_timer = self._loop.call_later(_STATUS_PERIOD_S, self._status_tick, self._battery())

    def _on_disconnected(self) -> None:
        for timer in (self._frame_timer, self._status_timer):
            if timer is not None:
                timer.cancel()
        self._frame_timer = self._status_timer = None
        self._is_sending = False
        self.firmware.forget_link()
        if self._pages is not None:
            self._pages.end_link()
        self._on_progress()

    def _status_tick(self, last_battery: int) -> None:
        battery = self._battery()
        self._send_status()
        if battery != last_battery:
            self._gatt.notify(table.BATTERY_LEVEL_UUID, bytes([battery]))
        self._status_timer = self._loop.call_later(_STATUS_PERIOD_S, self._status_tick, battery)

    def _send_status(self) -> None:
        if self._gatt.mtu >= MIN_STREAMING_MTU:
            self._gatt.notify(table.STATUS_UUID, self._status())

    # Samples ---------------------------------------------------------------------------------------------

    def _pump(self) -> None:
        """Hand what is to be sent to the radio while it has room: frames first, then pages."""
        if self._loop.time() < self._frozen_until_s:
            return
        if self._is_sending:
            self._pump_frames()
        if self._pages is not None:
            self._pages.send(is_live=self._is_sending and self.stream.is_sampling(self._loop.time()))

    def _pump_frames(self) -> None:
        """Send complete frames; come back when the next one is complete."""
        if self._frame_timer is not None:
            self._frame_timer.cancel()
            self._frame_timer = None
        now_s = self._loop.time()
        largest = samples_per_frame(self.stream.batch, self._gatt.mtu)
        while self._gatt.has_room:
            frame = self.stream.next_frame(now_s, largest)
            if frame is None:
                due_s = self.stream.next_frame_at_s(largest)
                if due_s is not None:
                    self._frame_timer = self._loop.call_at(due_s, self._pump)
                break
            self._gatt.notify(table.DATA_UUID, encode(frame))
        is_sampling = self.stream.is_sampling(now_s)
        if self._was_sampling and not is_sampling:
            self._send_status()
        self._was_sampling = is_sampling
        if not is_sampling:
            self._on_progress()

    # Commands --------------------------------------------------------------------------------------------

    def _on_command(self, value: bytes) -> None:
        if not self._gatt.is_indicated(table.CONTROL_UUID):
            raise GattRefusal(CCCD_IMPROPERLY_CONFIGURED)
        if self._gatt.is_indicating:
            raise GattRefusal(PROCEDURE_ALREADY_IN_PROGRESS)
        if len(value) < 3:
            raise GattRefusal(INVALID_ATTRIBUTE_LENGTH)
        opcode, tag, result = value[1], value[2], CommandResult.OK
        try:
            opcode, tag = command_start(value)
            result = self._execute(decode_command(value))
        except (UnknownPacket, UnsupportedVersion):
            result = CommandResult.UNKNOWN_COMMAND
        except ProtocolError:
            result = CommandResult.INVALID_ARGUMENT
        stream_id = self.stream.stream_id if self.stream.is_running else 0
        reply = CommandReply(tag, opcode, result, stream_id, self.stream.next_index())
        self._gatt.indicate(table.CONTROL_UUID, encode(reply))
        # After the reply, which leaves in the loop's next turn: it names the stream before its first frame.
        self._loop.call_soon(self._on_progress)
        self._loop.call_soon(self._pump)

    def _execute(self, command: Command) -> CommandResult:
        match command:
            case Start():
                return self._start(command)
            case Stop():
                if not self.stream.is_running:
                    return CommandResult.NOT_STREAMING
                self.stream.stop(self._loop.time())
                self._is_sending = self._was_sampling = False
                return CommandResult.OK
            case Configure():
                return self._configure(command)
            case Identify(_, duration_s):
                self._identify_until_s = self._loop.time() + duration_s
                return CommandResult.OK

    def _start(self, command: Start) -> CommandResult:
        if self._gatt.mtu < MIN_STREAMING_MTU or not self._gatt.is_notified(table.DATA_UUID):
            return CommandResult.INVALID_ARGUMENT
        now_s = self._loop.time()
        index = command.resume_index
        if index is not None and self.stream.is_running and command.resume_stream_id == self.stream.stream_id:
            if not self.stream.resume(index, now_s):
                return CommandResult.INVALID_ARGUMENT
        elif self._is_sending:
            return CommandResult.BUSY
        else:
            self.stream.start(now_s)
        self._is_sending = True
        return CommandResult.OK

    def _configure(self, command: Configure) -> CommandResult:
        source = self._played.source
        wanted = (command.sampling_rate, command.accel_range, command.gyro_range)
        if wanted != (source.rate, source.accel_range, source.gyro_range):
            return CommandResult.INVALID_ARGUMENT
        if self.stream.is_running and command.batch != self.stream.batch:
            return CommandResult.BUSY
        self.stream.batch = command.batch
        return CommandResult.OK

    def _on_bulk_request(self, value: bytes) -> None:
        if self._pages is not None:
            self._pages.take(value)

    def _on_time_request(self, value: bytes) -> None:
        now_us = self.stream.device_time_us(self._loop.time())
        if now_us is None or self._gatt.mtu < MIN_STREAMING_MTU:
            return
        try:
            request = decode_time_request(value)
        except ProtocolError:
            return  # the protocol says: ignored
        reply = TimeReply(request.sequence, request.host_send_us, now_us, now_us)
        self._gatt.notify(table.TIME_UUID, encode(reply))
