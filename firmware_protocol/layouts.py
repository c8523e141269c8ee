"""Where each field of each packet lies on the wire.

The codec packs and unpacks by these tables and the tables of the documentation are printed from them, so
the two cannot differ. All integers are little-endian and nothing is padded.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final

from firmware_protocol.bounds import PacketType
from firmware_protocol.bulk import BulkOpcode
from firmware_protocol.control import Opcode

SIZES: Final = {"u8": 1, "u16": 2, "i16": 2, "u32": 4, "u48": 6, "u64": 8}
# struct knows no 48-bit integer: it is taken as its low 32 and high 16 bits.
_STRUCT_CODES: Final = {"u8": "B", "u16": "H", "i16": "h", "u32": "I", "u48": "IH", "u64": "Q"}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a packet.

    Parameters
    ----------
    name
        Its name.
    type
        ``u8`` ``u16`` ``i16`` ``u32`` ``u48`` ``u64``; for the part of variable length its description.
    unit
        Physical unit, empty where there is none.
    meaning
        What it says and what it may hold.
    """

    name: str
    type: str
    unit: str
    meaning: str


@dataclass(frozen=True)
class Layout:
    """The fields of one packet in the order of the wire.

    Parameters
    ----------
    packet
        Name of the packet class.
    packet_type
        Low nibble of the first byte.
    opcode
        Second byte of a command or a request of BULK, None for other packets.
    fields
        The part of fixed length.
    tail
        The part of variable length after it, where there is one.
    """

    packet: str
    packet_type: PacketType
    opcode: Opcode | BulkOpcode | None
    fields: tuple[Field, ...]
    tail: Field | None = None
    struct: struct.Struct = field(init=False, repr=False)
    _wide: tuple[int, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        codes = "".join(_STRUCT_CODES[each.type] for each in self.fields)
        object.__setattr__(self, "struct", struct.Struct("<" + codes))
        wide = tuple(index for index, each in enumerate(self.fields) if each.type == "u48")
        object.__setattr__(self, "_wide", wide)

    @property
    def size(self) -> int:
        """Bytes of the part of fixed length."""
        return self.struct.size

    def pack(self, *values: int) -> bytes:
        """Write the fixed part, one value a field."""
        parts = list(values)
        for index in reversed(self._wide):
            parts[index : index + 1] = (values[index] & 0xFFFFFFFF, values[index] >> 32)
        return self.struct.pack(*parts)

    def unpack(self, payload: bytes | bytearray | memoryview) -> tuple[int, ...]:
        """Read the fixed part, one value a field; ``payload`` must hold at least ``size`` bytes."""
        values: tuple[int, ...] = self.struct.unpack_from(payload)
        for index in self._wide:
            values = (*values[:index], values[index] | values[index + 1] << 32, *values[index + 2 :])
        return values


def _head(packet_type: PacketType) -> Field:
    return Field(
        "head",
        "u8",
        "",
        f"bits 4 to 7 protocol version, bits 0 to 3 packet type = {packet_type} ({packet_type.name})",
    )


def _command_start(opcode: Opcode) -> tuple[Field, ...]:
    return (
        _head(PacketType.COMMAND),
        Field("opcode", "u8", "", f"{opcode} ({opcode.name})"),
        Field("tag", "u8", "", "chosen by the host, returned in the reply"),
    )


def _bulk_start(
    opcode: BulkOpcode, tag: str = "chosen by the host, returned in the reply"
) -> tuple[Field, ...]:
    return (
        _head(PacketType.BULK_REQUEST),
        Field("opcode", "u8", "", f"{opcode} ({opcode.name})"),
        Field("tag", "u8", "", tag),
    )


_SAMPLES: Final = Field(
    "samples", "n_samples x 6 x i16", "counts", "ax ay az gx gy gz of each sample, oldest sample first"
)

IMU_FRAME: Final = Layout(
    "ImuFrame",
    PacketType.DATA,
    None,
    (
        _head(PacketType.DATA),
        Field(
            "flags",
            "u8",
            "",
            "bit 0 clipped, bit 1 gap_before, bits 2-3 AccelRange, bits 4-6 GyroRange, bit 7 reserved = 0",
        ),
        Field("stream_id", "u16", "", "1 to 65535"),
        Field(
            "first_sample_index", "u32", "samples", "number of the first sample since the start of the stream"
        ),
        Field("device_time_us", "u48", "µs", "time of the FIRST sample on the sensor's clock (since boot)"),
        Field("n_samples", "u8", "samples", "1 to 19"),
        Field("rate_id", "u8", "", "SamplingRate"),
    ),
    _SAMPLES,
)

DEVICE_INFO: Final = Layout(
    "DeviceInfo",
    PacketType.INFO,
    None,
    (
        _head(PacketType.INFO),
        Field(
            "protocol_version", "u8", "", "newest version of this protocol that the sensor speaks, 1 to 15"
        ),
        Field("hardware_revision", "u8", "", "revision of the board"),
        Field("firmware_major", "u8", "", "firmware version, first number"),
        Field("firmware_minor", "u8", "", "firmware version, second number"),
        Field("firmware_patch", "u8", "", "firmware version, third number"),
        Field(
            "rates",
            "u32",
            "",
            "bit k set: SamplingRate k is offered; at least one; bits 0 and 16 to 31 reserved = 0",
        ),
        Field(
            "accel_ranges",
            "u8",
            "",
            "bit k set: AccelRange k is offered; at least one; bits 4 to 7 reserved = 0",
        ),
        Field(
            "gyro_ranges",
            "u8",
            "",
            "bit k set: GyroRange k is offered; at least one; bits 5 to 7 reserved = 0",
        ),
        Field("max_batch", "u8", "samples", "most samples in one frame, 1 to 19"),
        Field("ring_capacity_samples", "u32", "samples", "samples kept in RAM while the link is down"),
        Field("serial_size", "u8", "bytes", "1 to 32"),
    ),
    Field("serial", "serial_size x u8", "", "UTF-8 without control characters, no closing zero"),
)

STREAM_STATUS: Final = Layout(
    "StreamStatus",
    PacketType.STATUS,
    None,
    (
        _head(PacketType.STATUS),
        Field(
            "flags",
            "u8",
            "",
            "bit 0 is_streaming (samples are being made for a stream), bits 1-7 reserved = 0",
        ),
        Field(
            "stream_id", "u16", "", "the running stream, else the last one, 0 where there was none since boot"
        ),
        Field("oldest_sample_index", "u32", "samples", "first sample in the ring, 0 while it is empty"),
        Field("newest_sample_index", "u32", "samples", "last sample in the ring, 0 while it is empty"),
        Field("overflow_count", "u32", "frames", "never sent because the queue was full, since boot"),
        Field("clipped_count", "u32", "samples", "limited to the range, since boot"),
        Field("battery_mv", "u16", "mV", "battery voltage"),
        Field("temperature", "i16", "0.01 °C", "of the inertial chip"),
        Field("connection_interval", "u16", "1.25 ms", "interval in force, 6 to 3200"),
        Field("mtu", "u16", "bytes", "ATT MTU in force, 23 to 517"),
        Field("battery_percent", "u8", "%", "charge left, 0 to 100"),
        Field("queue_depth", "u8", "frames", "waiting to be sent; 255 stands for 255 or more"),
    ),
)

START: Final = Layout(
    "Start",
    PacketType.COMMAND,
    Opcode.START,
    (
        *_command_start(Opcode.START),
        Field("flags", "u8", "", "bit 0 resume, bits 1 to 7 reserved = 0"),
        Field("resume_stream_id", "u16", "", "stream to go on with, 1 to 65535; 0 without resume"),
        Field("resume_index", "u32", "samples", "next sample wanted; 0 without resume"),
    ),
)

STOP: Final = Layout("Stop", PacketType.COMMAND, Opcode.STOP, _command_start(Opcode.STOP))

CONFIGURE: Final = Layout(
    "Configure",
    PacketType.COMMAND,
    Opcode.CONFIGURE,
    (
        *_command_start(Opcode.CONFIGURE),
        Field("rate_id", "u8", "", "SamplingRate"),
        Field("accel_range", "u8", "", "AccelRange"),
        Field("gyro_range", "u8", "", "GyroRange"),
        Field("batch", "u8", "samples", "samples a frame, 1 to 19"),
    ),
)

IDENTIFY: Final = Layout(
    "Identify",
    PacketType.COMMAND,
    Opcode.IDENTIFY,
    (
        *_command_start(Opcode.IDENTIFY),
        Field("duration_s", "u8", "s", "how long to blink; 0 ends it"),
    ),
)

COMMAND_REPLY: Final = Layout(
    "CommandReply",
    PacketType.REPLY,
    None,
    (
        _head(PacketType.REPLY),
        Field("opcode", "u8", "", "that of the command"),
        Field("tag", "u8", "", "that of the command"),
        Field("result", "u8", "", "CommandResult"),
        Field("stream_id", "u16", "", "the running stream after the command, 0 where none runs"),
        Field("next_sample_index", "u32", "samples", "the next frame begins with it; 0 where no stream runs"),
    ),
)

TIME_REQUEST: Final = Layout(
    "TimeRequest",
    PacketType.TIME_REQUEST,
    None,
    (
        _head(PacketType.TIME_REQUEST),
        Field("sequence", "u16", "", "chosen by the host, returned in the reply"),
        Field("host_send_us", "u64", "µs", "host clock at sending; the sensor only returns it"),
    ),
)

TIME_REPLY: Final = Layout(
    "TimeReply",
    PacketType.TIME_REPLY,
    None,
    (
        _head(PacketType.TIME_REPLY),
        Field("sequence", "u16", "", "that of the request"),
        Field("host_send_us", "u64", "µs", "that of the request"),
        Field("device_receive_us", "u48", "µs", "sensor's clock (since boot) when the request came in"),
        Field(
            "device_send_us",
            "u48",
            "µs",
            "sensor's clock when the reply was handed to the radio; not before the former",
        ),
    ),
)

FETCH: Final = Layout(
    "Fetch",
    PacketType.BULK_REQUEST,
    BulkOpcode.FETCH,
    (
        *_bulk_start(BulkOpcode.FETCH, "chosen by the host, returned in pages and reply"),
        Field("credits", "u8", "pages", "that may be sent at once, 1 to 255"),
        Field("stream_id", "u16", "", "1 to 65535, running or not"),
        Field("first_sample_index", "u32", "samples", "the first wanted"),
        Field(
            "end_sample_index", "u32", "samples", "the one after the last wanted, 1 to 65535 after the first"
        ),
    ),
)

GRANT: Final = Layout(
    "Grant",
    PacketType.BULK_REQUEST,
    BulkOpcode.GRANT,
    (
        *_bulk_start(BulkOpcode.GRANT, "that of the Fetch"),
        Field("credits", "u8", "pages", "that may be sent besides, 1 to 255"),
    ),
)

SURVEY: Final = Layout(
    "Survey",
    PacketType.BULK_REQUEST,
    BulkOpcode.SURVEY,
    (
        *_bulk_start(BulkOpcode.SURVEY),
        Field("stream_id", "u16", "", "0 for the oldest stream kept"),
    ),
)

ERASE: Final = Layout("Erase", PacketType.BULK_REQUEST, BulkOpcode.ERASE, _bulk_start(BulkOpcode.ERASE))

BULK_PAGE: Final = Layout(
    "BulkPage",
    PacketType.BULK_PAGE,
    None,
    (
        _head(PacketType.BULK_PAGE),
        Field("checksum", "u32", "", "CRC-32 of all bytes after this field"),
        Field("tag", "u8", "", "that of the Fetch"),
        Field("page_number", "u16", "", "0 for the first page of the Fetch, then 1, 2 …"),
        *IMU_FRAME.fields[1:5],
        Field("n_samples", "u8", "samples", "1 to 18"),
        *IMU_FRAME.fields[6:],
    ),
    _SAMPLES,
)

BULK_REPLY: Final = Layout(
    "BulkReply",
    PacketType.BULK_REPLY,
    None,
    (
        _head(PacketType.BULK_REPLY),
        Field("opcode", "u8", "", "that of the request"),
        Field("tag", "u8", "", "that of the request"),
        Field("result", "u8", "", "BulkResult"),
        Field("pages", "u16", "", "sent for a Fetch, 0 for other requests"),
        Field("stream_id", "u16", "", "that of the request, the oldest kept for Survey of 0; else 0"),
        Field("first_sample_index", "u32", "samples", "the oldest kept of that stream, 0 where none is kept"),
        Field("end_sample_index", "u32", "samples", "the one after the newest kept, 0 where none is kept"),
        Field("next_stream_id", "u16", "", "the stream kept after that one, 0 where there is none"),
        Field("capacity_samples", "u32", "samples", "what the flash holds when it is full"),
        Field("stored_samples", "u32", "samples", "what it holds now, of all streams"),
    ),
)

LAYOUTS: Final = (
    DEVICE_INFO,
    START,
    STOP,
    CONFIGURE,
    IDENTIFY,
    COMMAND_REPLY,
    IMU_FRAME,
    STREAM_STATUS,
    TIME_REQUEST,
    TIME_REPLY,
    FETCH,
    GRANT,
    SURVEY,
    ERASE,
    BULK_PAGE,
    BULK_REPLY,
)
