from __future__ import annotations

import pytest

from firmware_protocol.errors import ProtocolError, UnknownPacket
from sensor_bridge.ble.decoding import FrameDecoder
from sensor_bridge.ble.driver import StreamDescription
from sensor_bridge.ble.drivers import DRIVERS
from sensor_bridge.ble.link import FrameKind
from tests.firmware_protocol.test_codec import FRAME_HEX
from tests.sensor_bridge.ble.drivers.wire import data

THINGY = "0004 0000 00fe 2000 e0ff 800c 1111 2222 3333"


def described(kind: str, stream_id: int = 1, rate_hz: float = 60.0):
    return data(StreamDescription(kind, stream_id, rate_hz).to_bytes(), kind=FrameKind.DRIVER)


def test_without_a_description_it_is_a_hipline_sensor():
    decoder = FrameDecoder()
    (run,) = decoder.push(data(FRAME_HEX))
    assert run.sampling_rate_hz > 0
    assert decoder.traits.has_clock


def test_the_log_says_by_which_driver_it_is_read():
    decoder = FrameDecoder()
    assert decoder.push(described("thingy52", 4)) == []
    assert not decoder.traits.has_clock
    (run,) = decoder.push(data(THINGY))
    assert (run.stream_id, run.sampling_rate_hz) == (4, 60.0)
    assert decoder.push(data("64", kind=FrameKind.BATTERY)) == []
    with pytest.raises(ProtocolError):
        decoder.push(data(FRAME_HEX))
    decoder.push(data(b"", kind=FrameKind.INFO))  # a Hipline sensor took its place
    (run,) = decoder.push(data(FRAME_HEX))
    assert decoder.traits.shows_loss


def test_what_waits_when_the_link_ends_comes_with_the_next():
    decoder = FrameDecoder()
    decoder.push(described("thingy52"))
    assert len(decoder.push(data(THINGY, 0.0))) == 1
    assert decoder.push(data(THINGY, 5.0)) == []  # too late to tell yet whether something is missing
    (run,) = decoder.push(described("thingy52", 2))
    assert run.stream_id == 1
    assert decoder.flush() == []


def test_refusals_inside_payloads_stay_counted_over_links():
    decoder = FrameDecoder()
    decoder.push(described("movesense", rate_hz=104.0))
    first_part = data("0263" + "00" * 20)
    decoder.push(first_part)
    decoder.push(first_part)
    assert decoder.n_rejected == 1
    decoder.push(described("movesense", 2, rate_hz=104.0))
    assert decoder.n_rejected == 1


def test_an_unknown_driver_is_named_and_the_one_before_stays():
    decoder = FrameDecoder()
    with pytest.raises(UnknownPacket, match="unknown sensor kind 'abacus'"):
        decoder.push(described("abacus"))
    assert len(decoder.push(data(FRAME_HEX))) == 1


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"null",
        b"\xff",
        b'{"driver": "polar"}',
        b'{"driver": 3, "stream": 1, "rate_hz": 50, "details": {}}',
        b'{"driver": "thingy52", "stream": 0, "rate_hz": 50, "details": {}}',
        b'{"driver": "thingy52", "stream": true, "rate_hz": 50, "details": {}}',
        b'{"driver": "thingy52", "stream": 1, "rate_hz": NaN, "details": {}}',
        b'{"driver": "thingy52", "stream": 1, "rate_hz": 50, "details": []}',
        b"[" * 100_000,
    ],
)
def test_a_description_that_is_none_is_refused(payload):
    with pytest.raises(ProtocolError):
        FrameDecoder().push(data(payload, kind=FrameKind.DRIVER))


@pytest.mark.parametrize("kind", DRIVERS)
def test_kinds_are_written_as_the_documentation_says(kind):
    assert DRIVERS[kind].kind == kind
    assert kind.replace("-", "").isalnum()
    assert kind == kind.lower()
