from __future__ import annotations

import pytest

from firmware_protocol.codec import (
    command_start,
    decode_command,
    decode_frame,
    decode_info,
    decode_reply,
    decode_status,
    decode_time_reply,
    encode,
)
from firmware_protocol.errors import (
    FieldOutOfRange,
    TrailingBytes,
    Truncated,
    UnknownPacket,
    UnsupportedVersion,
)
from firmware_protocol.packets import (
    AccelRange,
    CommandReply,
    CommandResult,
    GyroRange,
    ImuFrame,
    SamplingRate,
    Start,
    Stop,
)

# u8 head, u8 flags, u16 stream, u32 index, u48 time, u8 n, u8 rate; then two samples
FRAME_HEX = "11 3e 0201 06050403 0c0b0a090807 02 08" + "0100 ffff 0010 6400 9cff 0700" * 2


def test_frame_byte_by_byte() -> None:
    frame = decode_frame(bytes.fromhex(FRAME_HEX))
    assert frame == ImuFrame(
        stream_id=0x0102,
        first_sample_index=0x03040506,
        device_time_us=0x0708090A0B0C,
        sampling_rate=SamplingRate.HZ100,
        accel_range=AccelRange.G16,
        gyro_range=GyroRange.DPS1000,
        clipped=False,
        gap_before=True,
        samples=bytes.fromhex("0100ffff001064009cff0700" * 2),
    )
    assert frame.n_samples == 2
    assert encode(frame) == bytes.fromhex(FRAME_HEX)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_bytes_like_payload_is_read_and_copied(kind) -> None:
    source = bytearray.fromhex(FRAME_HEX)
    frame = decode_frame(kind(source))
    source[16:] = bytes(24)
    assert isinstance(frame.samples, bytes)
    assert frame.samples.hex() == "0100ffff001064009cff0700" * 2


@pytest.mark.parametrize(
    ("decode", "payload", "error", "reason"),
    [
        (decode_frame, "", Truncated, "the payload is empty"),
        (decode_frame, "11", Truncated, "1 bytes where at least 16 belong"),
        (decode_frame, "21", UnsupportedVersion, "protocol version 2 is not spoken here, only 1"),
        (decode_frame, "13", UnknownPacket, "packet type 3 where 1 (DATA) belongs"),
        (decode_command, "140901", UnknownPacket, "there is no command with opcode 9"),
        (decode_command, "14020100", TrailingBytes, "4 bytes where 3 belong"),
        (decode_reply, "1501010901000000 0000", FieldOutOfRange, "result 9 is not defined"),
        (
            decode_time_reply,
            "17 0100 0000000000000000 050000000000 040000000000",
            FieldOutOfRange,
            "device_receive_us must be 0 to 4, not 5",
        ),
        (
            decode_info,
            "12 01 00 000000 02000100 01 01 01 00000000 01 78",
            FieldOutOfRange,
            "rates names values that are not defined: 0x10002",
        ),
    ],
)
def test_reason_says_what_is_wrong(decode, payload: str, error: type[Exception], reason: str) -> None:
    with pytest.raises(error) as refused:
        decode(bytes.fromhex(payload))
    assert refused.value.reason == reason
    assert refused.value.payload == bytes.fromhex(payload)


@pytest.mark.parametrize("bit", range(1, 8))
def test_reserved_flags_of_status_are_refused(bit: int) -> None:
    payload = bytearray.fromhex("13 01 0100 00000000 00000000 00000000 00000000 0000 0000 1800 f700 32 00")
    assert decode_status(payload).is_streaming
    payload[1] |= 1 << bit
    with pytest.raises(FieldOutOfRange, match="reserved"):
        decode_status(payload)


@pytest.mark.parametrize("bit", range(1, 8))
def test_reserved_flags_of_start_are_refused(bit: int) -> None:
    payload = bytearray.fromhex("14 01 07 01 0500 06000000")
    assert decode_command(payload) == Start(7, 5, 6)
    payload[3] |= 1 << bit
    with pytest.raises(FieldOutOfRange, match="reserved"):
        decode_command(payload)


@pytest.mark.parametrize("version", [0, *range(2, 16)])
def test_other_versions_are_refused_before_anything_else(version: int) -> None:
    payload = bytes([version << 4 | 0xF]) + b"\xff" * 5
    with pytest.raises(UnsupportedVersion, match=f"version {version} "):
        decode_frame(payload)


def test_sensor_can_answer_a_command_it_cannot_read() -> None:
    opcode, tag = command_start(bytes.fromhex("14 63 2a aabbcc"))
    reply = CommandReply(tag, opcode, CommandResult.UNKNOWN_COMMAND, 0, 0)
    assert encode(reply).hex() == "15632a01000000000000"
    with pytest.raises(Truncated):
        command_start(b"\x14\x63")


def test_command_without_arguments() -> None:
    assert encode(Stop(9)).hex() == "140209"
