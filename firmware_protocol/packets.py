"""The messages between host and sensor, as values.

Every packet checks its own invariants when it is built; a packet that exists can be encoded. A wrong field
is ``ValueError`` (out of range) or ``TypeError`` (not an integer). ``layouts`` says where each field lies on
the wire.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from firmware_protocol.bounds import (
    HEADER_SIZE,
    MAX_FETCH_SAMPLES,
    MAX_PAGE_SAMPLES,
    MAX_SAMPLES,
    MAX_SERIAL_BYTES,
    MIN_BULK_MTU,
    MIN_STREAMING_MTU,
    NO_STREAM,
    NOTIFICATION_OVERHEAD,
    PAGE_HEADER_SIZE,
    PROTOCOL_VERSION,
    SAMPLE_SIZE,
    U8_MAX,
    U16_MAX,
    U32_MAX,
    U48_MAX,
    U64_MAX,
    PacketType,
    samples_per_frame,
    samples_per_page,
)
from firmware_protocol.bulk import (
    BulkOpcode,
    BulkPage,
    BulkReply,
    BulkRequest,
    BulkResult,
    Erase,
    Fetch,
    Grant,
    Survey,
)
from firmware_protocol.control import (
    Command,
    CommandReply,
    CommandResult,
    Configure,
    Identify,
    Opcode,
    Start,
    Stop,
)
from firmware_protocol.frame import ImuFrame
from firmware_protocol.invariants import check_choice, check_integer, to_grid
from firmware_protocol.ranges import AccelRange, GyroRange, SamplingRate

__all__ = [
    "HEADER_SIZE",
    "MAX_FETCH_SAMPLES",
    "MAX_PAGE_SAMPLES",
    "MAX_SAMPLES",
    "MAX_SERIAL_BYTES",
    "MIN_BULK_MTU",
    "MIN_STREAMING_MTU",
    "NOTIFICATION_OVERHEAD",
    "NO_STREAM",
    "PAGE_HEADER_SIZE",
    "PROTOCOL_VERSION",
    "SAMPLE_SIZE",
    "AccelRange",
    "BulkOpcode",
    "BulkPage",
    "BulkReply",
    "BulkRequest",
    "BulkResult",
    "Command",
    "CommandReply",
    "CommandResult",
    "Configure",
    "DeviceInfo",
    "Erase",
    "Fetch",
    "Grant",
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
    "Survey",
    "TimeReply",
    "TimeRequest",
    "samples_per_frame",
    "samples_per_page",
]

_INTERVAL_UNITS_MIN, _INTERVAL_UNITS_MAX = 6, 3200  # 7.5 ms … 4 s: Bluetooth Core, Vol 4, Part E, 7.8.12
_MTU_MIN, _MTU_MAX = 23, 517


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
        check_integer("hardware_revision", self.hardware_revision, 0, U8_MAX)
        if len(self.firmware_version) != 3:
            raise ValueError("firmware_version must be (major, minor, patch)")
        for part in self.firmware_version:
            check_integer("firmware_version", part, 0, U8_MAX)
        size = len(self.serial.encode())
        if not 1 <= size <= MAX_SERIAL_BYTES:
            raise ValueError(f"serial must take 1 to {MAX_SERIAL_BYTES} bytes of UTF-8, not {size}")
        if any(character < " " or character == "\x7f" for character in self.serial):
            raise ValueError("serial must not hold control characters")
        check_choice("rates", self.rates, SamplingRate)
        check_choice("accel_ranges", self.accel_ranges, AccelRange)
        check_choice("gyro_ranges", self.gyro_ranges, GyroRange)
        check_integer("max_batch", self.max_batch, 1, MAX_SAMPLES)
        check_integer("ring_capacity_samples", self.ring_capacity_samples, 0, U32_MAX)


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
        check_integer("battery_mv", self.battery_mv, 0, U16_MAX)
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
        check_integer("queue_depth", self.queue_depth, 0, U8_MAX)
        check_integer("overflow_count", self.overflow_count, 0, U32_MAX)
        check_integer("clipped_count", self.clipped_count, 0, U32_MAX)
        check_integer("newest_sample_index", self.newest_sample_index, 0, U32_MAX)
        check_integer("oldest_sample_index", self.oldest_sample_index, 0, self.newest_sample_index)
        check_integer("stream_id", self.stream_id, 1 if self.is_streaming else NO_STREAM, U16_MAX)


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
        check_integer("sequence", self.sequence, 0, U16_MAX)
        check_integer("host_send_us", self.host_send_us, 0, U64_MAX)


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
        check_integer("sequence", self.sequence, 0, U16_MAX)
        check_integer("host_send_us", self.host_send_us, 0, U64_MAX)
        check_integer("device_send_us", self.device_send_us, 0, U48_MAX)
        check_integer("device_receive_us", self.device_receive_us, 0, self.device_send_us)


Packet: TypeAlias = (
    ImuFrame
    | DeviceInfo
    | StreamStatus
    | Command
    | CommandReply
    | TimeRequest
    | TimeReply
    | BulkRequest
    | BulkPage
    | BulkReply
)
