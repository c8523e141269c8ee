"""The messages between host and sensor, as values.

Every packet checks its own invariants when it is built; a packet that exists can be encoded. A wrong field
is ``ValueError`` (out of range) or ``TypeError`` (not an integer). ``layouts`` says where each field lies on
the wire.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeAlias

from firmware_protocol.invariants import check_choice, check_integer, check_member, to_grid
from firmware_protocol.ranges import AccelRange, GyroRange, SamplingRate

__all__ = [
    "HEADER_SIZE",
    "MAX_SAMPLES",
    "MAX_SERIAL_BYTES",
    "MIN_STREAMING_MTU",
    "NOTIFICATION_OVERHEAD",
    "NO_STREAM",
    "PROTOCOL_VERSION",
    "SAMPLE_SIZE",
    "AccelRange",
    "Command",
    "CommandReply",
    "CommandResult",
    "Configure",
    "DeviceInfo",
    "GyroRange",
    "Identify",
    "ImuFrame",
    "Opcode",
    "Packet",
    "PacketType",
    "SamplingRate",
    "Start",
    "Stop",
    "StreamStatus",
    "TimeReply",
    "TimeRequest",
    "samples_per_frame",
]

PROTOCOL_VERSION: Final = 1
MAX_SAMPLES: Final = 19  # 16 + 19 * 12 = 244 bytes: one link-layer packet at ATT MTU 247
HEADER_SIZE: Final = 16
SAMPLE_SIZE: Final = 12
MAX_SERIAL_BYTES: Final = 32
NO_STREAM: Final = 0  # the stream_id that says "there is none"

MIN_STREAMING_MTU: Final = 33  # a StreamStatus (30 bytes) is the largest value that must fit a notification
NOTIFICATION_OVERHEAD: Final = 3  # ATT opcode and handle

_U8, _U16, _U32, _U48, _U64 = ((1 << bits) - 1 for bits in (8, 16, 32, 48, 64))
_INTERVAL_UNITS_MIN, _INTERVAL_UNITS_MAX = 6, 3200  # 7.5 ms … 4 s: Bluetooth Core, Vol 4, Part E, 7.8.12
_MTU_MIN, _MTU_MAX = 23, 517


class PacketType(IntEnum):
    """Low nibble of the first byte of every packet."""

    DATA = 1
    INFO = 2
    STATUS = 3
    COMMAND = 4
    REPLY = 5
    TIME_REQUEST = 6
    TIME_REPLY = 7


class Opcode(IntEnum):
    """What a command asks for."""

    START = 1
    STOP = 2
    CONFIGURE = 3
    IDENTIFY = 4


class CommandResult(IntEnum):
    """How a command ended."""

    OK = 0
    UNKNOWN_COMMAND = 1
    INVALID_ARGUMENT = 2
    BUSY = 3
    NOT_STREAMING = 4


@dataclass(frozen=True, slots=True)
class ImuFrame:
    """A run of samples of one stream.

    Parameters
    ----------
    stream_id
        Names the stream: 1 to 65535. A new one whenever the sample index starts anew.
    first_sample_index
        Number of the first sample since the start of the stream (u32).
    device_time_us
        Time of the FIRST sample on the sensor's own clock, µs since its boot (u48).
    sampling_rate
        Nominal rate.
    accel_range, gyro_range
        Scale of the counts.
    clipped
        True where at least one count of the frame was limited to the range.
    gap_before
        True where samples between the previous frame of the stream and this one are lost for good.
    samples
        ``n_samples`` times 6 int16, little-endian, order ax ay az gx gy gz, sensor_frame.
    """

    stream_id: int
    first_sample_index: int
    device_time_us: int
    sampling_rate: SamplingRate
    accel_range: AccelRange
    gyro_range: GyroRange
    clipped: bool
    gap_before: bool
    samples: bytes

    def __post_init__(self) -> None:
        if not isinstance(self.samples, bytes):
            raise TypeError(f"samples must be bytes, not {type(self.samples).__name__}")
        size = len(self.samples)
        if size % SAMPLE_SIZE or not SAMPLE_SIZE <= size <= MAX_SAMPLES * SAMPLE_SIZE:
            raise ValueError(
                f"samples must hold 1 to {MAX_SAMPLES} samples of {SAMPLE_SIZE} bytes, not {size} bytes"
            )
        check_integer("stream_id", self.stream_id, 1, _U16)
        check_integer("first_sample_index", self.first_sample_index, 0, _U32 + 1 - size // SAMPLE_SIZE)
        check_integer("device_time_us", self.device_time_us, 0, _U48)
        check_member("sampling_rate", self.sampling_rate, SamplingRate)
        check_member("accel_range", self.accel_range, AccelRange)
        check_member("gyro_range", self.gyro_range, GyroRange)

    @property
    def n_samples(self) -> int:
        """Number of samples in the frame, 1 to ``MAX_SAMPLES``."""
        return len(self.samples) // SAMPLE_SIZE


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """What a sensor is and what it can do.

    Parameters
    ----------
    protocol_version
        Newest version of this protocol that the sensor speaks (1 to 15).
    hardware_revision
        Revision of the board (u8).
    firmware_version
        (major, minor, patch), u8 each.
    serial
        Unique name of the sensor: 1 to 32 bytes of UTF-8 without control characters.
    rates, accel_ranges, gyro_ranges
        What ``Configure`` may ask for, ascending.
    max_batch
        Most samples that the sensor puts into one frame, 1 to ``MAX_SAMPLES``.
    ring_capacity_samples
        Samples kept in RAM while the link is down (u32).
    """

    protocol_version: int
    hardware_revision: int
    firmware_version: tuple[int, int, int]
    serial: str
    rates: tuple[SamplingRate, ...]
    accel_ranges: tuple[AccelRange, ...]
    gyro_ranges: tuple[GyroRange, ...]
    max_batch: int
    ring_capacity_samples: int

    def __post_init__(self) -> None:
        check_integer("protocol_version", self.protocol_version, PROTOCOL_VERSION, 15)
        check_integer("hardware_revision", self.hardware_revision, 0, _U8)
        if len(self.firmware_version) != 3:
            raise ValueError("firmware_version must be (major, minor, patch)")
        for part in self.firmware_version:
            check_integer("firmware_version", part, 0, _U8)
        size = len(self.serial.encode())
        if not 1 <= size <= MAX_SERIAL_BYTES:
            raise ValueError(f"serial must take 1 to {MAX_SERIAL_BYTES} bytes of UTF-8, not {size}")
        if any(character < " " or character == "\x7f" for character in self.serial):
            raise ValueError("serial must not hold control characters")
        check_choice("rates", self.rates, SamplingRate)
        check_choice("accel_ranges", self.accel_ranges, AccelRange)
        check_choice("gyro_ranges", self.gyro_ranges, GyroRange)
        check_integer("max_batch", self.max_batch, 1, MAX_SAMPLES)
        check_integer("ring_capacity_samples", self.ring_capacity_samples, 0, _U32)


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """How a sensor is doing, once a second.

    Parameters
    ----------
    battery_percent
        Charge left, 0 to 100.
    battery_mv
        Battery voltage, mV (u16).
    temperature_c
        Temperature of the inertial chip, °C; kept to the nearest 0.01.
    connection_interval_ms
        Interval in force, 7.5 to 4000 ms; kept to the nearest 1.25.
    mtu
        ATT MTU in force, 23 to 517.
    queue_depth
        Frames waiting to be sent (u8, 255 stands for "255 or more").
    overflow_count
        Frames never sent because the queue was full, since boot (u32).
    clipped_count
        Samples limited to the range, since boot (u32).
    is_streaming
        True while samples are being made for a stream, whether or not they are sent.
    oldest_sample_index, newest_sample_index
        What the ring of the stream holds, both ends included; both 0 while it is empty.
    stream_id
        The running stream, else the last one; 0 where there was none since boot.
    """

    battery_percent: int
    battery_mv: int
    temperature_c: float
    connection_interval_ms: float
    mtu: int
    queue_depth: int
    overflow_count: int
    clipped_count: int
    is_streaming: bool
    oldest_sample_index: int
    newest_sample_index: int
    stream_id: int

    def __post_init__(self) -> None:
        check_integer("battery_percent", self.battery_percent, 0, 100)
        check_integer("battery_mv", self.battery_mv, 0, _U16)
        temperature_c = to_grid("temperature_c", self.temperature_c, 100, -32768, 32767)
        object.__setattr__(self, "temperature_c", temperature_c)
        interval_ms = to_grid(
            "connection_interval_ms",
            self.connection_interval_ms,
            0.8,
            _INTERVAL_UNITS_MIN,
            _INTERVAL_UNITS_MAX,
        )
        object.__setattr__(self, "connection_interval_ms", interval_ms)
        check_integer("mtu", self.mtu, _MTU_MIN, _MTU_MAX)
        check_integer("queue_depth", self.queue_depth, 0, _U8)
        check_integer("overflow_count", self.overflow_count, 0, _U32)
        check_integer("clipped_count", self.clipped_count, 0, _U32)
        check_integer("newest_sample_index", self.newest_sample_index, 0, _U32)
        check_integer("oldest_sample_index", self.oldest_sample_index, 0, self.newest_sample_index)
        check_integer("stream_id", self.stream_id, 1 if self.is_streaming else NO_STREAM, _U16)


@dataclass(frozen=True, slots=True)
class Start:
    """Begin a stream, or go on with one that is still running.

    Parameters
    ----------
    tag
        Chosen by the host, returned in the reply (u8).
    resume_stream_id, resume_index
        The running stream and the next sample index wanted; both None to begin a new stream.
    """

    tag: int
    resume_stream_id: int | None = None
    resume_index: int | None = None

    def __post_init__(self) -> None:
        check_integer("tag", self.tag, 0, _U8)
        if (self.resume_stream_id is None) != (self.resume_index is None):
            raise ValueError("resume_stream_id and resume_index go together: give both or none")
        if self.resume_stream_id is not None and self.resume_index is not None:
            check_integer("resume_stream_id", self.resume_stream_id, 1, _U16)
            check_integer("resume_index", self.resume_index, 0, _U32)


@dataclass(frozen=True, slots=True)
class Stop:
    """End the running stream; what its ring holds is forgotten.

    Parameters
    ----------
    tag
        Chosen by the host, returned in the reply (u8).
    """

    tag: int

    def __post_init__(self) -> None:
        check_integer("tag", self.tag, 0, _U8)


@dataclass(frozen=True, slots=True)
class Configure:
    """Set what the next stream will be like.

    Parameters
    ----------
    tag
        Chosen by the host, returned in the reply (u8).
    sampling_rate, accel_range, gyro_range
        As offered in ``DeviceInfo``.
    batch
        Samples a frame, 1 to ``MAX_SAMPLES``.
    """

    tag: int
    sampling_rate: SamplingRate
    accel_range: AccelRange
    gyro_range: GyroRange
    batch: int

    def __post_init__(self) -> None:
        check_integer("tag", self.tag, 0, _U8)
        check_member("sampling_rate", self.sampling_rate, SamplingRate)
        check_member("accel_range", self.accel_range, AccelRange)
        check_member("gyro_range", self.gyro_range, GyroRange)
        check_integer("batch", self.batch, 1, MAX_SAMPLES)


@dataclass(frozen=True, slots=True)
class Identify:
    """Make the sensor show itself (blink).

    Parameters
    ----------
    tag
        Chosen by the host, returned in the reply (u8).
    duration_s
        How long, s (u8); 0 ends it.
    """

    tag: int
    duration_s: int

    def __post_init__(self) -> None:
        check_integer("tag", self.tag, 0, _U8)
        check_integer("duration_s", self.duration_s, 0, _U8)


Command: TypeAlias = Start | Stop | Configure | Identify


@dataclass(frozen=True, slots=True)
class CommandReply:
    """The sensor's answer to one command.

    Parameters
    ----------
    tag, opcode
        Those of the command. An opcode that is not an ``Opcode`` comes only with ``UNKNOWN_COMMAND``.
    result
        How it ended.
    stream_id
        The running stream after the command; 0 where none runs.
    next_sample_index
        Index of the sample that the next frame will begin with; 0 where no stream runs.
    """

    tag: int
    opcode: int
    result: CommandResult
    stream_id: int
    next_sample_index: int

    def __post_init__(self) -> None:
        check_integer("tag", self.tag, 0, _U8)
        check_integer("opcode", self.opcode, 0, _U8)
        check_member("result", self.result, CommandResult)
        if self.opcode not in _OPCODES and self.result is not CommandResult.UNKNOWN_COMMAND:
            raise ValueError(f"opcode {self.opcode} is unknown, so result must be UNKNOWN_COMMAND")
        check_integer("stream_id", self.stream_id, NO_STREAM, _U16)
        check_integer("next_sample_index", self.next_sample_index, 0, _U32)


_OPCODES: Final = frozenset(int(opcode) for opcode in Opcode)


@dataclass(frozen=True, slots=True)
class TimeRequest:
    """First half of a clock exchange.

    Parameters
    ----------
    sequence
        Chosen by the host, returned in the reply (u16).
    host_send_us
        Host clock when the request was handed to the radio, µs (u64); the sensor only returns it.
    """

    sequence: int
    host_send_us: int

    def __post_init__(self) -> None:
        check_integer("sequence", self.sequence, 0, _U16)
        check_integer("host_send_us", self.host_send_us, 0, _U64)


@dataclass(frozen=True, slots=True)
class TimeReply:
    """Second half of a clock exchange; the host adds the time of arrival.

    Parameters
    ----------
    sequence, host_send_us
        Those of the request.
    device_receive_us
        Sensor clock when the request came in, µs since boot (u48).
    device_send_us
        Sensor clock when the reply was handed to the radio, µs since boot (u48).
    """

    sequence: int
    host_send_us: int
    device_receive_us: int
    device_send_us: int

    def __post_init__(self) -> None:
        check_integer("sequence", self.sequence, 0, _U16)
        check_integer("host_send_us", self.host_send_us, 0, _U64)
        check_integer("device_send_us", self.device_send_us, 0, _U48)
        check_integer("device_receive_us", self.device_receive_us, 0, self.device_send_us)


Packet: TypeAlias = ImuFrame | DeviceInfo | StreamStatus | Command | CommandReply | TimeRequest | TimeReply


def samples_per_frame(batch: int, mtu: int) -> int:
    """Count the samples that a sensor puts into one frame.

    Parameters
    ----------
    batch
        What ``Configure`` asked for, 1 to ``MAX_SAMPLES``.
    mtu
        ATT MTU in force, bytes.

    Returns
    -------
    int
        ``batch``, or fewer where the MTU holds fewer; 0 where the MTU is too small to stream at all.
    """
    if mtu < MIN_STREAMING_MTU:
        return 0
    return min(batch, (mtu - NOTIFICATION_OVERHEAD - HEADER_SIZE) // SAMPLE_SIZE)
