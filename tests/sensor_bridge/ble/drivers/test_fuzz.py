"""Whatever bytes come, a decoder raises the declared errors only and keeps no more than it should."""

from __future__ import annotations

import io
import json
import pickle
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_protocol.errors import ProtocolError
from sensor_bridge.ble.decoding import FrameDecoder
from sensor_bridge.ble.driver import StreamDescription
from sensor_bridge.ble.drivers import DRIVERS
from sensor_bridge.ble.link import FrameKind, ReceivedFrame
from tests.fuzzing import FACTOR
from tests.sensor_bridge.ble.drivers.test_generic import SKETCH
from tests.sensor_bridge.ble.drivers.test_polar import ACC, GYR
from tests.sensor_bridge.ble.drivers.wire import UTC_NS

DETAILS = {
    "polar": [{"acceleration": ACC, "angular_rate": GYR}, {"acceleration": ACC}],
    "generic": [
        SKETCH,
        {**SKETCH, "format": "<B6h", "fields": ["index", *SKETCH["fields"][2:]]},
        {**SKETCH, "format": "<d6f", "fields": SKETCH["fields"][1:], "time_unit": "s"},
    ],
}
CASES = [(kind, details) for kind in DRIVERS for details in DETAILS.get(kind, [{}])]
# Beginnings that make a decoder look further.
HEADS = [
    "",
    "5561",
    "5571",
    "0263",
    "0363",
    "0200000000000000000180",
    "0205",
    "0500000000000000000080",
    "1100",
    "f002020000",
]
LARGEST_BYTES = 2_000_000

payloads = st.builds(
    lambda head, tail: bytes.fromhex(head) + tail, st.sampled_from(HEADS), st.binary(max_size=300)
)
frames = st.lists(
    st.tuples(
        st.sampled_from([FrameKind.DATA] * 8 + [FrameKind.REPLY, FrameKind.STATUS, FrameKind.INFO]),
        st.integers(0, 2_000_000_000),
        payloads,
        st.integers(1, 60),
    ),
    max_size=8,
)


@pytest.mark.parametrize(("kind", "details"), CASES, ids=[f"{kind}-{n}" for n, (kind, _) in enumerate(CASES)])
@settings(max_examples=40 * FACTOR, deadline=None)
@given(sent=frames)
def test_fuzz_of_a_decoder(kind, details, sent):
    decoder = DRIVERS[kind].decoder(StreamDescription(kind, 1, 50.0, details))
    arrival_ns = UTC_NS
    for frame_kind, later_ns, payload, times in sent:
        for _ in range(times):
            arrival_ns += later_ns
            try:
                runs = decoder.push(ReceivedFrame("hip", arrival_ns, frame_kind, payload))
            except ProtocolError:
                continue
            for run in runs:
                check(run)
    for run in decoder.flush():
        check(run)
    assert kept_bytes(decoder) < LARGEST_BYTES
    assert decoder.flush() == []


def kept_bytes(decoder):
    kept = io.BytesIO()
    pickler = pickle.Pickler(kept)
    pickler.dispatch_table = {struct.Struct: lambda layout: (struct.Struct, (layout.format,))}
    pickler.dump(decoder)
    return kept.tell()


def check(run):
    assert run.values.shape == (run.n_samples, 6)
    assert 1 <= run.n_samples <= 8192
    assert 1 <= run.stream_id <= 0xFFFF
    assert run.first_sample_index >= 0
    assert abs(run.device_time_us) * 1000 < 2**63  # as ns it must fit
    assert np.isfinite(run.values.astype(np.float64)).all()
    assert run.is_clipped.shape == (run.n_samples,)


@settings(max_examples=60 * FACTOR, deadline=None)
@given(
    told=st.fixed_dictionaries(
        {
            "driver": st.sampled_from([*DRIVERS, "other"]),
            "stream": st.integers(-1, 70_000),
            "rate_hz": st.one_of(st.floats(), st.integers(), st.text(max_size=3)),
            "details": st.dictionaries(
                st.sampled_from(["acceleration", "angular_rate", *SKETCH]),
                st.one_of(
                    st.none(),
                    st.integers(),
                    st.floats(),
                    st.text(max_size=5),
                    st.lists(st.text(max_size=2), max_size=3),
                    st.dictionaries(
                        st.sampled_from(["rate_hz", "resolution", "range"]),
                        st.floats() | st.integers(),
                        max_size=3,
                    ),
                ),
                max_size=8,
            ),
        }
    ),
    payload=payloads,
)
def test_fuzz_of_a_description(told, payload):
    decoder = FrameDecoder()
    for kind, value in ((FrameKind.DRIVER, json.dumps(told).encode()), (FrameKind.DATA, payload)):
        try:
            decoder.push(ReceivedFrame("hip", UTC_NS, kind, value))
        except ProtocolError:
            continue
