"""Whatever a radio or a broker delivers is read, or refused by the error that its reader declares."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analytics.imu import Placement
from firmware_protocol import codec
from firmware_protocol.errors import ProtocolError
from firmware_protocol.packets import ImuFrame, TimeReply
from sensor_bridge.assembly import BlockAssembly
from sensor_bridge.ble.decoding import FrameDecoder
from sensor_bridge.ble.driver import StreamDescription
from sensor_bridge.ble.link import FrameKind, ReceivedFrame
from sensor_bridge.mqtt import topics
from sensor_bridge.mqtt.payloads import PayloadError, decode
from sensor_bridge.mqtt.topics import Channel, UnknownTopic
from tests.firmware_protocol.test_codec_properties import FRAMES
from tests.fuzz.test_fuzz_files import DEEP, JSON
from tests.fuzzing import damaged, fuzz, refused_only_by

MOST_SAMPLES = 12 * 19 * 50  # twelve frames, each resampled to at most fifty times its rate
TEXT = st.text(max_size=60) | st.from_regex(r"hipline/v1/[a-z+#/]{0,30}", fullmatch=True)


@given(payload=st.binary(max_size=300), head=st.sampled_from([None, *range(0x11, 0x1B)]))
@fuzz(300)
def test_fuzzed_values_of_every_characteristic(payload: bytes, head: int | None) -> None:
    payload = payload if head is None else bytes([head]) + payload
    readers = [
        *[codec.decode_frame, codec.decode_info, codec.decode_status, codec.decode_command],
        *[codec.decode_reply, codec.decode_time_request, codec.decode_time_reply, codec.decode_request],
        *[codec.decode_page, codec.decode_bulk_reply, codec.decode_notified],
        *[codec.command_start, codec.request_start],
    ]
    n_refused = sum(refused_only_by(ProtocolError, read, payload) for read in readers)
    assert n_refused >= len(readers) - 3  # a packet, its shorter reading, and decode_notified


@given(kinds=st.lists(st.tuples(st.sampled_from(FrameKind), st.binary(max_size=60)), max_size=6))
@fuzz(300)
def test_fuzzed_frames_of_any_kind_are_refused(kinds: list[tuple[FrameKind, bytes]]) -> None:
    decoder = FrameDecoder()
    for arrival_ns, (kind, payload) in enumerate(kinds):
        refused_only_by(ProtocolError, decoder.push, ReceivedFrame("hip", arrival_ns, kind, payload))
    decoder.flush()


@given(payload=JSON.map(json.dumps).map(str.encode) | st.binary(max_size=60) | st.just(DEEP), data=st.data())
@fuzz(300)
def test_fuzzed_descriptions_of_streams(payload: bytes, data: st.DataObject) -> None:
    whole = StreamDescription("hipline", 7, 100.0, {"a": 1}).to_bytes()
    payload = data.draw(st.just(payload) | damaged(whole))
    refused_only_by(ProtocolError, StreamDescription.from_bytes, payload)


@given(
    frames=st.lists(
        st.tuples(st.sampled_from(["hip", "thigh"]), st.integers(0, 10**10), FRAMES, st.integers(-500, 500)),
        min_size=1,
        max_size=12,
    )
)
@fuzz(60)
def test_fuzzed_streams_come_out_finite_and_in_bounded_memory(
    frames: list[tuple[str, int, ImuFrame, int]],
) -> None:
    """Frames that are in order one by one and make no sense together; only the host's clock is sane."""
    assembly = BlockAssembly({"hip": Placement.PELVIS, "thigh": Placement.THIGH_LEFT})
    last: dict[str, ImuFrame] = {}
    arrival_ns = 1_790_000_000_000_000_000
    blocks = []
    for sensor_id, later_ns, drawn, step in frames:
        frame = drawn
        arrival_ns += later_ns
        if step and sensor_id in last:  # near the one before it, so that they belong to one stream
            before = last[sensor_id]
            index = min(max(before.first_sample_index + step, 0), 2**32 - 19)
            time_us = min(max(before.device_time_us + step * 10_000, 0), 2**48 - 1)
            frame = replace(
                drawn, stream_id=before.stream_id, first_sample_index=index, device_time_us=time_us
            )
        last[sensor_id] = frame
        received = ReceivedFrame(sensor_id, arrival_ns, FrameKind.DATA, codec.encode(frame))
        blocks += assembly.push(received)
    blocks += assembly.flush()
    assert sum(len(block.acc_m_s2) for block in blocks) <= MOST_SAMPLES
    for block in blocks:
        assert np.isfinite(block.acc_m_s2).all()
        assert np.isfinite(block.gyr_rad_s).all()


@given(
    replies=st.lists(
        st.tuples(st.integers(0, 2**63 - 1), *[st.integers(0, 2**48 - 1)] * 2, st.integers(0, 2**64 - 1)),
        max_size=20,
    )
)
@fuzz(100)
def test_fuzzed_clocks_are_no_reason_to_fall(replies: list[tuple[int, int, int, int]]) -> None:
    assembly = BlockAssembly({"hip": Placement.PELVIS})
    for arrival_ns, one_us, other_us, host_us in replies:
        reply = TimeReply(1, host_us, min(one_us, other_us), max(one_us, other_us))
        assembly.push(ReceivedFrame("hip", arrival_ns, FrameKind.TIME, codec.encode(reply)))
    assembly.flush()


@given(
    channel=st.sampled_from(Channel),
    body=JSON.map(json.dumps).map(str.encode) | st.binary(max_size=100) | st.just(DEEP),
    envelope=st.booleans(),
)
@fuzz(250)
def test_fuzzed_messages_of_the_broker(channel: Channel, body: bytes, envelope: bool) -> None:
    if envelope:
        head = b'{"v":1,"id":"a","ts":"2026-01-01T00:00:00.000Z","session":"s","seq":1,"data":'
        body = head + body + b"}"
    refused_only_by(PayloadError, decode, channel, body)


@given(topic=TEXT, other=TEXT)
@fuzz(300)
def test_fuzzed_topics(topic: str, other: str) -> None:
    refused_only_by(UnknownTopic, topics.parse, topic)
    if topics.is_valid_filter(other):
        topics.matches(topic, other)
        if topics.is_valid_filter(topic):
            assert topics.covers("#", topic)
            topics.covers(other, topic)
