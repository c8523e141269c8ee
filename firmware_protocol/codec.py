"""Packets to bytes and back.

A decoder takes one whole GATT value. It returns the packet, or raises one of the ``ProtocolError`` family;
any other exception out of a decoder is a bug. Reserved bits that are not zero are refused: a later version
that gives them a meaning also changes the version number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from firmware_protocol import layouts
from firmware_protocol.bulk_codec import (
    decode_bulk_reply,
    decode_notified,
    decode_page,
    decode_request,
    encode_bulk,
    request_start,
)
from firmware_protocol.errors import FieldOutOfRange, UnknownPacket
from firmware_protocol.frame_codec import ACCEL_RANGES, GYRO_RANGES, RATES, decode_frame, encode_frame
from firmware_protocol.packets import (
    BulkPage,
    BulkReply,
    Command,
    CommandReply,
    CommandResult,
    Configure,
    DeviceInfo,
    Erase,
    Fetch,
    Grant,
    Identify,
    ImuFrame,
    Opcode,
    Packet,
    PacketType,
    Start,
    Stop,
    StreamStatus,
    Survey,
    TimeReply,
    TimeRequest,
)
from firmware_protocol.payload import (
    bits_of,
    check_head,
    check_length,
    check_reaches,
    head_of,
    read_fixed,
    read_member,
    read_members,
)

if TYPE_CHECKING:
    from firmware_protocol.payload import Payload

__all__ = [
    "command_start",
    "decode_bulk_reply",
    "decode_command",
    "decode_frame",
    "decode_info",
    "decode_notified",
    "decode_page",
    "decode_reply",
    "decode_request",
    "decode_status",
    "decode_time_reply",
    "decode_time_request",
    "encode",
    "request_start",
]

_RESULTS: Final = {int(result): result for result in CommandResult}
_COMMANDS: Final = {
    int(layout.opcode): layout
    for layout in layouts.LAYOUTS
    if layout.opcode is not None and layout.packet_type is PacketType.COMMAND
}
_COMMAND_START_SIZE: Final = layouts.STOP.size

_STREAMING: Final = 0x01
_RESUME: Final = 0x01
_TEMPERATURE_STEPS_PER_C: Final = 100
_INTERVAL_STEPS_PER_MS: Final = 0.8


def encode(packet: Packet) -> bytes:
    """Write a packet as its GATT value."""
    match packet:
        case ImuFrame():
            return encode_frame(packet)
        case DeviceInfo():
            return _encode_info(packet)
        case StreamStatus():
            return _encode_status(packet)
        case Start() | Stop() | Configure() | Identify():
            return _encode_command(packet)
        case CommandReply():
            return layouts.COMMAND_REPLY.pack(
                head_of(PacketType.REPLY),
                packet.opcode,
                packet.tag,
                packet.result,
                packet.stream_id,
                packet.next_sample_index,
            )
        case TimeRequest():
            return layouts.TIME_REQUEST.pack(
                head_of(PacketType.TIME_REQUEST), packet.sequence, packet.host_send_us
            )
        case TimeReply():
            return layouts.TIME_REPLY.pack(
                head_of(PacketType.TIME_REPLY),
                packet.sequence,
                packet.host_send_us,
                packet.device_receive_us,
                packet.device_send_us,
            )
        case Fetch() | Grant() | Survey() | Erase() | BulkPage() | BulkReply():
            return encode_bulk(packet)
        case _:
            assert_never(packet)


def decode_info(payload: Payload) -> DeviceInfo:
    """Read the value of INFO."""
    layout = layouts.DEVICE_INFO
    check_head(payload, PacketType.INFO)
    check_reaches(payload, layout.size)
    (
        _,
        protocol_version,
        hardware_revision,
        major,
        minor,
        patch,
        rates,
        accel_ranges,
        gyro_ranges,
        max_batch,
        ring_capacity_samples,
        serial_size,
    ) = layout.unpack(payload)
    check_length(payload, layout.size + serial_size)
    try:
        return DeviceInfo(
            protocol_version=protocol_version,
            hardware_revision=hardware_revision,
            firmware_version=(major, minor, patch),
            serial=bytes(payload[layout.size :]).decode(),
            rates=read_members("rates", rates, RATES, payload),
            accel_ranges=read_members("accel_ranges", accel_ranges, ACCEL_RANGES, payload),
            gyro_ranges=read_members("gyro_ranges", gyro_ranges, GYRO_RANGES, payload),
            max_batch=max_batch,
            ring_capacity_samples=ring_capacity_samples,
        )
    except UnicodeDecodeError:
        raise FieldOutOfRange("serial is not UTF-8", payload) from None
    except FieldOutOfRange:
        raise
    except ValueError as error:
        raise FieldOutOfRange(str(error), payload) from None


def decode_status(payload: Payload) -> StreamStatus:
    """Read a value of STATUS."""
    (
        _,
        flags,
        stream_id,
        oldest_sample_index,
        newest_sample_index,
        overflow_count,
        clipped_count,
        battery_mv,
        temperature,
        connection_interval,
        mtu,
        battery_percent,
        queue_depth,
    ) = read_fixed(payload, layouts.STREAM_STATUS)
    if flags & ~_STREAMING:
        raise FieldOutOfRange("reserved bits 1 to 7 of flags are set", payload)
    try:
        return StreamStatus(
            battery_percent=battery_percent,
            battery_mv=battery_mv,
            temperature_c=temperature / _TEMPERATURE_STEPS_PER_C,
            connection_interval_ms=connection_interval / _INTERVAL_STEPS_PER_MS,
            mtu=mtu,
            queue_depth=queue_depth,
            overflow_count=overflow_count,
            clipped_count=clipped_count,
            is_streaming=bool(flags & _STREAMING),
            oldest_sample_index=oldest_sample_index,
            newest_sample_index=newest_sample_index,
            stream_id=stream_id,
        )
    except ValueError as error:
        raise FieldOutOfRange(str(error), payload) from None


def command_start(payload: Payload) -> tuple[int, int]:
    """Read only (opcode, tag) of a value written to CONTROL.

    A sensor needs them to answer a command that ``decode_command`` refuses.
    """
    check_head(payload, PacketType.COMMAND)
    check_reaches(payload, _COMMAND_START_SIZE)
    return payload[1], payload[2]


def decode_command(payload: Payload) -> Command:
    """Read a value written to CONTROL."""
    opcode, tag = command_start(payload)
    layout = _COMMANDS.get(opcode)
    if layout is None:
        raise UnknownPacket(f"there is no command with opcode {opcode}", payload)
    check_length(payload, layout.size)
    arguments = layout.unpack(payload)[3:]
    try:
        match layout.opcode:
            case Opcode.START:
                return _decode_start(tag, *arguments, payload=payload)
            case Opcode.STOP:
                return Stop(tag)
            case Opcode.CONFIGURE:
                rate_id, accel_range, gyro_range, batch = arguments
                return Configure(
                    tag,
                    read_member("rate_id", rate_id, RATES, payload),
                    read_member("accel_range", accel_range, ACCEL_RANGES, payload),
                    read_member("gyro_range", gyro_range, GYRO_RANGES, payload),
                    batch,
                )
            case _:
                return Identify(tag, *arguments)
    except FieldOutOfRange:
        raise
    except ValueError as error:
        raise FieldOutOfRange(str(error), payload) from None


def decode_reply(payload: Payload) -> CommandReply:
    """Read a value indicated by CONTROL."""
    _, opcode, tag, result, stream_id, next_sample_index = read_fixed(payload, layouts.COMMAND_REPLY)
    member = read_member("result", result, _RESULTS, payload)
    try:
        return CommandReply(tag, opcode, member, stream_id, next_sample_index)
    except ValueError as error:
        raise FieldOutOfRange(str(error), payload) from None


def decode_time_request(payload: Payload) -> TimeRequest:
    """Read a value written to TIME."""
    _, sequence, host_send_us = read_fixed(payload, layouts.TIME_REQUEST)
    return TimeRequest(sequence, host_send_us)


def decode_time_reply(payload: Payload) -> TimeReply:
    """Read a value notified by TIME."""
    _, sequence, host_send_us, device_receive_us, device_send_us = read_fixed(payload, layouts.TIME_REPLY)
    try:
        return TimeReply(sequence, host_send_us, device_receive_us, device_send_us)
    except ValueError as error:
        raise FieldOutOfRange(str(error), payload) from None


def _encode_info(info: DeviceInfo) -> bytes:
    serial = info.serial.encode()
    fixed = layouts.DEVICE_INFO.pack(
        head_of(PacketType.INFO),
        info.protocol_version,
        info.hardware_revision,
        *info.firmware_version,
        bits_of(info.rates),
        bits_of(info.accel_ranges),
        bits_of(info.gyro_ranges),
        info.max_batch,
        info.ring_capacity_samples,
        len(serial),
    )
    return fixed + serial


def _encode_status(status: StreamStatus) -> bytes:
    return layouts.STREAM_STATUS.pack(
        head_of(PacketType.STATUS),
        _STREAMING if status.is_streaming else 0,
        status.stream_id,
        status.oldest_sample_index,
        status.newest_sample_index,
        status.overflow_count,
        status.clipped_count,
        status.battery_mv,
        round(status.temperature_c * _TEMPERATURE_STEPS_PER_C),
        round(status.connection_interval_ms * _INTERVAL_STEPS_PER_MS),
        status.mtu,
        status.battery_percent,
        status.queue_depth,
    )


def _encode_command(command: Command) -> bytes:
    head = head_of(PacketType.COMMAND)
    match command:
        case Start(tag, None, None):
            return layouts.START.pack(head, Opcode.START, tag, 0, 0, 0)
        case Start(tag, int() as stream_id, int() as index):
            return layouts.START.pack(head, Opcode.START, tag, _RESUME, stream_id, index)
        case Stop(tag):
            return layouts.STOP.pack(head, Opcode.STOP, tag)
        case Configure(tag, sampling_rate, accel_range, gyro_range, batch):
            return layouts.CONFIGURE.pack(
                head, Opcode.CONFIGURE, tag, sampling_rate, accel_range, gyro_range, batch
            )
        case Identify(tag, duration_s):
            return layouts.IDENTIFY.pack(head, Opcode.IDENTIFY, tag, duration_s)
    raise AssertionError(command)  # pragma: no cover - Start refuses half a resume point


def _decode_start(tag: int, flags: int, stream_id: int, index: int, *, payload: Payload) -> Start:
    if flags & ~_RESUME:
        raise FieldOutOfRange("reserved bits 1 to 7 of flags are set", payload)
    if flags & _RESUME:
        return Start(tag, stream_id, index)
    if stream_id or index:
        raise FieldOutOfRange("resume_stream_id and resume_index must be 0 without the resume flag", payload)
    return Start(tag)
