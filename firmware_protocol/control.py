"""The messages of CONTROL, as values: commands of the host, replies of the sensor.

They check themselves when they are built, as all packets do (``packets``).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeAlias

from firmware_protocol.bounds import MAX_SAMPLES, NO_STREAM, U8_MAX, U16_MAX, U32_MAX
from firmware_protocol.invariants import check_integer, check_member
from firmware_protocol.ranges import AccelRange, GyroRange, SamplingRate


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


_OPCODES: Final = frozenset(int(opcode) for opcode in Opcode)


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
        check_integer("tag", self.tag, 0, U8_MAX)
        if (self.resume_stream_id is None) != (self.resume_index is None):
            raise ValueError("resume_stream_id and resume_index go together: give both or none")
        if self.resume_stream_id is not None and self.resume_index is not None:
            check_integer("resume_stream_id", self.resume_stream_id, 1, U16_MAX)
            check_integer("resume_index", self.resume_index, 0, U32_MAX)


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
        check_integer("tag", self.tag, 0, U8_MAX)


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
        check_integer("tag", self.tag, 0, U8_MAX)
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
        check_integer("tag", self.tag, 0, U8_MAX)
        check_integer("duration_s", self.duration_s, 0, U8_MAX)


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
        check_integer("tag", self.tag, 0, U8_MAX)
        check_integer("opcode", self.opcode, 0, U8_MAX)
        check_member("result", self.result, CommandResult)
        if self.opcode not in _OPCODES and self.result is not CommandResult.UNKNOWN_COMMAND:
            raise ValueError(f"opcode {self.opcode} is unknown, so result must be UNKNOWN_COMMAND")
        check_integer("stream_id", self.stream_id, NO_STREAM, U16_MAX)
        check_integer("next_sample_index", self.next_sample_index, 0, U32_MAX)
