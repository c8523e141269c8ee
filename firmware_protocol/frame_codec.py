"""Samples to bytes and back: the frames of DATA, and what the pages of BULK share with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware_protocol import layouts
from firmware_protocol.bounds import HEADER_SIZE, MAX_SAMPLES, SAMPLE_SIZE, PacketType
from firmware_protocol.errors import FieldOutOfRange
from firmware_protocol.frame import ImuFrame
from firmware_protocol.payload import check_head, check_length, check_reaches, head_of, read_member
from firmware_protocol.ranges import AccelRange, GyroRange, SamplingRate

if TYPE_CHECKING:
    from firmware_protocol.payload import Payload

RATES: Final = {int(rate): rate for rate in SamplingRate}
ACCEL_RANGES: Final = {int(each): each for each in AccelRange}
GYRO_RANGES: Final = {int(each): each for each in GyroRange}

_CLIPPED: Final = 0x01
_GAP_BEFORE: Final = 0x02
_RESERVED: Final = 0x80


def decode_frame(payload: Payload) -> ImuFrame:
    """Read a value of DATA."""
    check_head(payload, PacketType.DATA)
    check_reaches(payload, HEADER_SIZE)
    _, flags, stream_id, first_sample_index, device_time_us, n_samples, rate_id = layouts.IMU_FRAME.unpack(
        payload
    )
    if flags & _RESERVED:
        raise FieldOutOfRange("reserved bit 7 of flags is set", payload)
    if not 1 <= n_samples <= MAX_SAMPLES:
        raise FieldOutOfRange(f"n_samples must be 1 to {MAX_SAMPLES}, not {n_samples}", payload)
    gyro_range = read_member("gyro range", flags >> 4 & 0x07, GYRO_RANGES, payload)
    sampling_rate = read_member("rate_id", rate_id, RATES, payload)
    check_length(payload, HEADER_SIZE + n_samples * SAMPLE_SIZE)
    try:
        return ImuFrame(
            stream_id,
            first_sample_index,
            device_time_us,
            sampling_rate,
            ACCEL_RANGES[flags >> 2 & 0x03],
            gyro_range,
            bool(flags & _CLIPPED),
            bool(flags & _GAP_BEFORE),
            bytes(payload[HEADER_SIZE:]),
        )
    except ValueError as error:
        raise FieldOutOfRange(str(error), payload) from None


def encode_frame(frame: ImuFrame) -> bytes:
    """Write samples as a value of DATA."""
    flags = (
        (_CLIPPED if frame.clipped else 0)
        | (_GAP_BEFORE if frame.gap_before else 0)
        | frame.accel_range << 2
        | frame.gyro_range << 4
    )
    header = layouts.IMU_FRAME.pack(
        head_of(PacketType.DATA),
        flags,
        frame.stream_id,
        frame.first_sample_index,
        frame.device_time_us,
        frame.n_samples,
        frame.sampling_rate,
    )
    return header + frame.samples
