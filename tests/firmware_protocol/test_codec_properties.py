"""What must hold for every packet and for every string of bytes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_protocol import codec
from firmware_protocol.errors import ProtocolError, TrailingBytes, Truncated
from firmware_protocol.packets import (
    AccelRange,
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
    SamplingRate,
    Start,
    Stop,
    StreamStatus,
    Survey,
    TimeReply,
    TimeRequest,
)

bounded = settings(derandomize=True, max_examples=150, deadline=None, database=None)


def unsigned(bits: int) -> st.SearchStrategy[int]:
    return st.integers(0, 2**bits - 1)


def some_of(kind: Any) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.sets(st.sampled_from(kind), min_size=1).map(lambda found: tuple(sorted(found)))


SERIALS = st.text(
    st.characters(codec="utf-8", min_codepoint=32, exclude_characters="\x7f"), min_size=1, max_size=32
).filter(lambda serial: len(serial.encode()) <= 32)

FRAMES = st.builds(
    ImuFrame,
    stream_id=st.integers(1, 65535),
    first_sample_index=st.integers(0, 2**32 - 19),
    device_time_us=unsigned(48),
    sampling_rate=st.sampled_from(SamplingRate),
    accel_range=st.sampled_from(AccelRange),
    gyro_range=st.sampled_from(GyroRange),
    clipped=st.booleans(),
    gap_before=st.booleans(),
    samples=st.integers(1, 19).flatmap(lambda n: st.binary(min_size=12 * n, max_size=12 * n)),
)
INFOS = st.builds(
    DeviceInfo,
    protocol_version=st.integers(1, 15),
    hardware_revision=unsigned(8),
    firmware_version=st.tuples(unsigned(8), unsigned(8), unsigned(8)),
    serial=SERIALS,
    rates=some_of(SamplingRate),
    accel_ranges=some_of(AccelRange),
    gyro_ranges=some_of(GyroRange),
    max_batch=st.integers(1, 19),
    ring_capacity_samples=unsigned(32),
)
STATUSES = st.tuples(unsigned(32), unsigned(32), st.booleans(), unsigned(16)).flatmap(
    lambda drawn: st.builds(
        StreamStatus,
        battery_percent=st.integers(0, 100),
        battery_mv=unsigned(16),
        temperature_c=st.floats(-327.68, 327.67),
        connection_interval_ms=st.floats(7.5, 4000.0),
        mtu=st.integers(23, 517),
        queue_depth=unsigned(8),
        overflow_count=unsigned(32),
        clipped_count=unsigned(32),
        is_streaming=st.just(drawn[2]),
        oldest_sample_index=st.just(min(drawn[:2])),
        newest_sample_index=st.just(max(drawn[:2])),
        stream_id=st.just(max(drawn[3], 1) if drawn[2] else drawn[3]),
    )
)
COMMANDS = st.one_of(
    st.builds(Start, tag=unsigned(8)),
    st.builds(Start, tag=unsigned(8), resume_stream_id=st.integers(1, 65535), resume_index=unsigned(32)),
    st.builds(Stop, tag=unsigned(8)),
    st.builds(
        Configure,
        tag=unsigned(8),
        sampling_rate=st.sampled_from(SamplingRate),
        accel_range=st.sampled_from(AccelRange),
        gyro_range=st.sampled_from(GyroRange),
        batch=st.integers(1, 19),
    ),
    st.builds(Identify, tag=unsigned(8), duration_s=unsigned(8)),
)
REPLIES = st.one_of(
    st.builds(
        CommandReply,
        tag=unsigned(8),
        opcode=st.integers(1, 4),
        result=st.sampled_from(CommandResult),
        stream_id=unsigned(16),
        next_sample_index=unsigned(32),
    ),
    st.builds(
        CommandReply,
        tag=unsigned(8),
        opcode=unsigned(8),
        result=st.just(CommandResult.UNKNOWN_COMMAND),
        stream_id=unsigned(16),
        next_sample_index=unsigned(32),
    ),
)
TIME_REQUESTS = st.builds(TimeRequest, sequence=unsigned(16), host_send_us=unsigned(64))
TIME_REPLIES = st.tuples(unsigned(48), unsigned(48)).flatmap(
    lambda times: st.builds(
        TimeReply,
        sequence=unsigned(16),
        host_send_us=unsigned(64),
        device_receive_us=st.just(min(times)),
        device_send_us=st.just(max(times)),
    )
)

REQUESTS = st.one_of(
    st.tuples(st.integers(0, 2**32 - 2), st.integers(1, 65535)).flatmap(
        lambda drawn: st.builds(
            Fetch,
            tag=unsigned(8),
            credits=st.integers(1, 255),
            stream_id=st.integers(1, 65535),
            first_sample_index=st.just(drawn[0]),
            end_sample_index=st.just(min(sum(drawn), 2**32 - 1)),
        )
    ),
    st.builds(Grant, tag=unsigned(8), credits=st.integers(1, 255)),
    st.builds(Survey, tag=unsigned(8), stream_id=unsigned(16)),
    st.builds(Erase, tag=unsigned(8)),
)
PAGES = st.builds(
    BulkPage,
    tag=unsigned(8),
    page_number=unsigned(16),
    frame=FRAMES.filter(lambda frame: frame.n_samples <= 18),
)
BULK_REPLIES = st.tuples(
    st.one_of(
        st.tuples(st.integers(1, 4), st.sampled_from(BulkResult)),
        st.tuples(unsigned(8), st.just(BulkResult.UNKNOWN_REQUEST)),
    ),
    st.tuples(unsigned(32), unsigned(32)),
    st.tuples(unsigned(32), unsigned(32)),
    unsigned(16),
).map(
    lambda drawn: BulkReply(
        tag=drawn[3] & 0xFF,
        opcode=drawn[0][0],
        result=drawn[0][1],
        pages=drawn[3] if drawn[0][0] == 1 else 0,
        stream_id=drawn[3],
        first_sample_index=min(drawn[1]) if drawn[1][0] != drawn[1][1] else 0,
        end_sample_index=max(drawn[1]),
        next_stream_id=drawn[3],
        capacity_samples=max(drawn[2]),
        stored_samples=min(drawn[2]),
    )
)

KINDS = [
    pytest.param(codec.decode_frame, FRAMES, 0x11, id="frame"),
    pytest.param(codec.decode_info, INFOS, 0x12, id="info"),
    pytest.param(codec.decode_status, STATUSES, 0x13, id="status"),
    pytest.param(codec.decode_command, COMMANDS, 0x14, id="command"),
    pytest.param(codec.decode_reply, REPLIES, 0x15, id="reply"),
    pytest.param(codec.decode_time_request, TIME_REQUESTS, 0x16, id="time_request"),
    pytest.param(codec.decode_time_reply, TIME_REPLIES, 0x17, id="time_reply"),
    pytest.param(codec.decode_request, REQUESTS, 0x18, id="bulk_request"),
    pytest.param(codec.decode_page, PAGES, 0x19, id="bulk_page"),
    pytest.param(codec.decode_bulk_reply, BULK_REPLIES, 0x1A, id="bulk_reply"),
]
every_kind = pytest.mark.parametrize(("decode", "packets", "head"), KINDS)


@every_kind
@given(data=st.data())
@bounded
def test_round_trip(decode, packets, head: int, data: st.DataObject) -> None:
    packet = data.draw(packets)
    payload = codec.encode(packet)
    assert payload[0] == head
    assert decode(payload) == packet


@every_kind
@given(data=st.data())
@bounded
def test_every_strict_prefix_is_truncated(decode, packets, head: int, data: st.DataObject) -> None:
    payload = codec.encode(data.draw(packets))
    size = data.draw(st.integers(0, len(payload) - 1))
    with pytest.raises(Truncated):
        decode(payload[:size])


@every_kind
@given(data=st.data())
@bounded
def test_bytes_after_the_packet_are_refused(decode, packets, head: int, data: st.DataObject) -> None:
    payload = codec.encode(data.draw(packets))
    with pytest.raises(TrailingBytes):
        decode(payload + data.draw(st.binary(min_size=1, max_size=20)))


def check_read(decode, payload: bytes) -> None:
    """Decode; a payload that is accepted must be exactly what its packet is written as."""
    try:
        packet = decode(payload)
    except ProtocolError as error:
        refused = error
    else:
        assert codec.encode(packet) == payload
        return
    assert refused.reason
    assert refused.payload == payload[:32]


@every_kind
@given(payload=st.binary(max_size=260))
@bounded
def test_arbitrary_bytes_raise_nothing_else(decode, packets, head: int, payload: bytes) -> None:
    check_read(decode, payload)


@every_kind
@given(rest=st.binary(max_size=60))
@bounded
def test_arbitrary_bytes_behind_the_right_head_raise_nothing_else(
    decode, packets, head: int, rest: bytes
) -> None:
    check_read(decode, bytes([head]) + rest)


@every_kind
@given(data=st.data())
@bounded
def test_a_flipped_bit_is_refused_or_read_as_it_stands(
    decode, packets, head: int, data: st.DataObject
) -> None:
    payload = bytearray(codec.encode(data.draw(packets)))
    bit = data.draw(st.integers(0, 8 * len(payload) - 1))
    payload[bit // 8] ^= 1 << bit % 8
    check_read(decode, bytes(payload))


@given(page=PAGES, bit=st.integers(0, 8 * 238))
@bounded
def test_a_damaged_page_is_never_read(page: BulkPage, bit: int) -> None:
    payload = bytearray(codec.encode(page))
    bit %= 8 * len(payload)
    payload[bit // 8] ^= 1 << bit % 8
    with pytest.raises(ProtocolError):
        codec.decode_page(bytes(payload))


@given(page=PAGES, reply=BULK_REPLIES)
@bounded
def test_what_bulk_notifies_is_told_apart(page: BulkPage, reply: BulkReply) -> None:
    assert codec.decode_notified(codec.encode(page)) == page
    assert codec.decode_notified(codec.encode(reply)) == reply
