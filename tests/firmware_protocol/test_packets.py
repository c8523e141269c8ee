from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from firmware_protocol import packets
from firmware_protocol.packets import (
    AccelRange,
    BulkOpcode,
    BulkPage,
    BulkReply,
    BulkResult,
    CommandReply,
    CommandResult,
    Configure,
    DeviceInfo,
    Erase,
    Fetch,
    Grant,
    GyroRange,
    Identify,
    ImuFrame,
    Opcode,
    PacketType,
    SamplingRate,
    Start,
    Stop,
    StreamStatus,
    Survey,
    TimeReply,
    TimeRequest,
    samples_per_frame,
)

FRAME = ImuFrame(
    stream_id=1,
    first_sample_index=0,
    device_time_us=0,
    sampling_rate=SamplingRate.HZ100,
    accel_range=AccelRange.G8,
    gyro_range=GyroRange.DPS1000,
    clipped=False,
    gap_before=False,
    samples=bytes(12),
)
INFO = DeviceInfo(
    protocol_version=1,
    hardware_revision=2,
    firmware_version=(1, 4, 0),
    serial="HL-000123",
    rates=(SamplingRate.HZ50, SamplingRate.HZ100),
    accel_ranges=(AccelRange.G8,),
    gyro_ranges=(GyroRange.DPS1000, GyroRange.DPS2000),
    max_batch=19,
    ring_capacity_samples=6000,
)
STATUS = StreamStatus(
    battery_percent=87,
    battery_mv=3921,
    temperature_c=31.56,
    connection_interval_ms=30.0,
    mtu=247,
    queue_depth=2,
    overflow_count=0,
    clipped_count=0,
    is_streaming=True,
    oldest_sample_index=10,
    newest_sample_index=20,
    stream_id=5,
)
START = Start(tag=1, resume_stream_id=5, resume_index=21)
CONFIGURE = Configure(1, SamplingRate.HZ100, AccelRange.G8, GyroRange.DPS1000, 10)
REPLY = CommandReply(tag=1, opcode=1, result=CommandResult.OK, stream_id=5, next_sample_index=0)
REQUEST = TimeRequest(sequence=1, host_send_us=1)
TIME_REPLY = TimeReply(sequence=1, host_send_us=1, device_receive_us=5, device_send_us=9)
FETCH = Fetch(tag=1, credits=8, stream_id=2, first_sample_index=10, end_sample_index=20)
PAGE = BulkPage(tag=1, page_number=0, frame=FRAME)
BULK_REPLY = BulkReply(
    tag=1,
    opcode=1,
    result=BulkResult.OK,
    pages=1,
    stream_id=2,
    first_sample_index=10,
    end_sample_index=20,
    next_stream_id=0,
    capacity_samples=100,
    stored_samples=10,
)

TOO_FAR = [
    (FRAME, "stream_id", [0, 65536, -1]),
    (FRAME, "first_sample_index", [-1, 2**32]),
    (FRAME, "device_time_us", [-1, 2**48]),
    (FRAME, "samples", [b"", bytes(11), bytes(13), bytes(240)]),
    (INFO, "protocol_version", [0, 16]),
    (INFO, "hardware_revision", [-1, 256]),
    (INFO, "firmware_version", [(1, 2), (1, 2, 3, 4), (256, 0, 0), (0, -1, 0)]),
    (INFO, "serial", ["", "x" * 33, "ü" * 17, "a\0b", "a\nb", "a\x7fb", "\ud800"]),
    (INFO, "rates", [(), (SamplingRate.HZ100, SamplingRate.HZ50), (SamplingRate.HZ50, SamplingRate.HZ50)]),
    (INFO, "accel_ranges", [(), (AccelRange.G8, AccelRange.G2)]),
    (INFO, "gyro_ranges", [(), (GyroRange.DPS250, GyroRange.DPS250)]),
    (INFO, "max_batch", [0, 20]),
    (INFO, "ring_capacity_samples", [-1, 2**32]),
    (STATUS, "battery_percent", [-1, 101]),
    (STATUS, "battery_mv", [-1, 65536]),
    (STATUS, "temperature_c", [float("nan"), float("inf"), -327.69, 327.68]),
    (STATUS, "connection_interval_ms", [0.0, 6.25, 4001.25, float("nan")]),
    (STATUS, "mtu", [22, 518]),
    (STATUS, "queue_depth", [-1, 256]),
    (STATUS, "overflow_count", [-1, 2**32]),
    (STATUS, "clipped_count", [-1, 2**32]),
    (STATUS, "oldest_sample_index", [-1, 21]),
    (STATUS, "newest_sample_index", [-1, 9, 2**32]),
    (STATUS, "stream_id", [0, 65536]),
    (START, "tag", [-1, 256]),
    (START, "resume_stream_id", [None, 0, 65536]),
    (START, "resume_index", [None, -1, 2**32]),
    (Stop(1), "tag", [-1, 256]),
    (CONFIGURE, "tag", [-1, 256]),
    (CONFIGURE, "batch", [0, 20]),
    (Identify(1, 1), "tag", [-1, 256]),
    (Identify(1, 1), "duration_s", [-1, 256]),
    (REPLY, "tag", [-1, 256]),
    (REPLY, "opcode", [-1, 0, 5, 256]),
    (REPLY, "stream_id", [-1, 65536]),
    (REPLY, "next_sample_index", [-1, 2**32]),
    (REQUEST, "sequence", [-1, 65536]),
    (REQUEST, "host_send_us", [-1, 2**64]),
    (TIME_REPLY, "sequence", [-1, 65536]),
    (TIME_REPLY, "host_send_us", [-1, 2**64]),
    (TIME_REPLY, "device_receive_us", [-1, 10]),
    (TIME_REPLY, "device_send_us", [4, 2**48]),
    (FETCH, "tag", [-1, 256]),
    (FETCH, "credits", [0, 256]),
    (FETCH, "stream_id", [0, 65536]),
    (FETCH, "first_sample_index", [-1, 20, 2**32 - 1]),
    (FETCH, "end_sample_index", [10, 9, 10 + 65536, 2**32]),
    (Grant(1, 1), "tag", [-1, 256]),
    (Grant(1, 1), "credits", [0, 256]),
    (Survey(1, 1), "tag", [-1, 256]),
    (Survey(1, 1), "stream_id", [-1, 65536]),
    (Erase(1), "tag", [-1, 256]),
    (PAGE, "tag", [-1, 256]),
    (PAGE, "page_number", [-1, 65536]),
    (PAGE, "frame", [dataclasses.replace(FRAME, samples=bytes(19 * 12))]),
    (BULK_REPLY, "tag", [-1, 256]),
    (BULK_REPLY, "opcode", [-1, 0, 3, 5, 256]),
    (BULK_REPLY, "pages", [-1, 65536]),
    (BULK_REPLY, "stream_id", [-1, 65536]),
    (BULK_REPLY, "first_sample_index", [-1, 20]),
    (BULK_REPLY, "end_sample_index", [0, 10, 2**32]),
    (BULK_REPLY, "next_stream_id", [-1, 65536]),
    (BULK_REPLY, "capacity_samples", [9, 2**32]),
    (BULK_REPLY, "stored_samples", [-1, 101]),
]

WRONG_KIND = [
    (FRAME, "stream_id", 1.0),
    (FRAME, "sampling_rate", 8),
    (FRAME, "accel_range", GyroRange.DPS250),
    (FRAME, "gyro_range", 1),
    (FRAME, "samples", bytearray(12)),
    (INFO, "rates", [SamplingRate.HZ50]),
    (INFO, "accel_ranges", (0,)),
    (STATUS, "battery_mv", 3921.5),
    (CONFIGURE, "sampling_rate", 100),
    (REPLY, "result", 0),
    (REQUEST, "host_send_us", "1"),
    (PAGE, "frame", b"frame"),
    (BULK_REPLY, "result", 0),
]


@pytest.mark.parametrize(
    ("packet", "field", "value"),
    [
        pytest.param(packet, field, value, id=f"{type(packet).__name__}.{field}={value!a}")
        for packet, field, values in TOO_FAR
        for value in values
    ],
)
def test_value_out_of_range_cannot_be_built(packet: Any, field: str, value: object) -> None:
    with pytest.raises(ValueError) as refused:
        dataclasses.replace(packet, **{field: value})
    assert type(refused.value).__module__ == "builtins"  # our own mistake, not the peer's


@pytest.mark.parametrize(
    ("packet", "field", "value"),
    [pytest.param(*case, id=f"{type(case[0]).__name__}.{case[1]}") for case in WRONG_KIND],
)
def test_value_of_the_wrong_kind_cannot_be_built(packet: Any, field: str, value: object) -> None:
    with pytest.raises(TypeError, match=field):
        dataclasses.replace(packet, **{field: value})


def test_refusal_names_field_range_and_value() -> None:
    with pytest.raises(ValueError, match=r"^stream_id must be 1 to 65535, not 0$"):
        dataclasses.replace(FRAME, stream_id=0)


def test_last_sample_must_still_have_an_index() -> None:
    last = dataclasses.replace(FRAME, first_sample_index=2**32 - 19, samples=bytes(228))
    assert last.n_samples == 19
    with pytest.raises(ValueError, match="first_sample_index"):
        dataclasses.replace(last, first_sample_index=2**32 - 18)


@pytest.mark.parametrize("n_samples", [1, 10, 19])
def test_samples_are_counted(n_samples: int) -> None:
    assert dataclasses.replace(FRAME, samples=bytes(12 * n_samples)).n_samples == n_samples


@pytest.mark.parametrize(
    "packet",
    [FRAME, INFO, STATUS, START, Stop(1), CONFIGURE, REPLY, REQUEST, TIME_REPLY, FETCH, PAGE, BULK_REPLY],
)
def test_packets_are_values(packet: Any) -> None:
    assert packet == dataclasses.replace(packet)
    assert hash(packet) == hash(dataclasses.replace(packet))
    assert not hasattr(packet, "__dict__")
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(packet, dataclasses.fields(packet)[0].name, 0)


def test_status_keeps_what_the_wire_can_hold() -> None:
    status = dataclasses.replace(STATUS, temperature_c=36.654321, connection_interval_ms=30.1)
    assert status.temperature_c == 36.65
    assert status.connection_interval_ms == 30.0


def test_status_without_a_stream() -> None:
    status = dataclasses.replace(
        STATUS, is_streaming=False, stream_id=0, oldest_sample_index=0, newest_sample_index=0
    )
    assert status.stream_id == 0


def test_reply_to_a_command_that_nobody_knows() -> None:
    reply = CommandReply(9, 200, CommandResult.UNKNOWN_COMMAND, 0, 0)
    assert reply.opcode == 200


@pytest.mark.parametrize(
    ("batch", "mtu", "expected"),
    [
        (10, 23, 0),
        (10, 32, 0),
        (10, 33, 1),
        (10, 42, 1),
        (10, 43, 2),
        (10, 128, 9),
        (10, 247, 10),
        (19, 185, 13),
        (19, 246, 18),
        (19, 247, 19),
        (19, 517, 19),
        (1, 247, 1),
    ],
)
def test_small_mtu_makes_small_frames(batch: int, mtu: int, expected: int) -> None:
    assert samples_per_frame(batch, mtu) == expected


def test_numbers_of_the_wire_never_change() -> None:
    assert {each.name: int(each) for each in PacketType} == {
        "DATA": 1,
        "INFO": 2,
        "STATUS": 3,
        "COMMAND": 4,
        "REPLY": 5,
        "TIME_REQUEST": 6,
        "TIME_REPLY": 7,
        "BULK_REQUEST": 8,
        "BULK_PAGE": 9,
        "BULK_REPLY": 10,
    }
    assert {each.name: int(each) for each in BulkOpcode} == {"FETCH": 1, "GRANT": 2, "SURVEY": 3, "ERASE": 4}
    assert {each.name: int(each) for each in BulkResult} == {
        "OK": 0,
        "UNKNOWN_REQUEST": 1,
        "INVALID_ARGUMENT": 2,
        "RANGE_GONE": 3,
        "BUSY": 4,
    }
    assert {each.name: int(each) for each in Opcode} == {"START": 1, "STOP": 2, "CONFIGURE": 3, "IDENTIFY": 4}
    assert {each.name: int(each) for each in CommandResult} == {
        "OK": 0,
        "UNKNOWN_COMMAND": 1,
        "INVALID_ARGUMENT": 2,
        "BUSY": 3,
        "NOT_STREAMING": 4,
    }
    assert (packets.PROTOCOL_VERSION, packets.HEADER_SIZE, packets.SAMPLE_SIZE, packets.MAX_SAMPLES) == (
        1,
        16,
        12,
        19,
    )


def test_everything_exported_exists() -> None:
    assert [name for name in packets.__all__ if not hasattr(packets, name)] == []
