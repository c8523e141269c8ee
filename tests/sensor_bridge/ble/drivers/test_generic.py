from __future__ import annotations

import numpy as np
import pytest

from firmware_protocol.errors import FieldOutOfRange, ProtocolError, Truncated
from sensor_bridge.ble.driver import Advertisement, StreamDescription
from sensor_bridge.ble.drivers.generic import GenericDecoder, GenericDriver, GenericLayout
from sensor_bridge.ble.link import FrameKind
from tests.sensor_bridge.ble.drivers.wire import UTC_NS, WISH, ToldSensor, data

SKETCH = {
    "service": "19B10000-E8F2-537E-4F6C-D104768A1214",
    "characteristic": "19b10001-e8f2-537e-4f6c-d104768a1214",
    "format": "<HI6h",
    "fields": ["index", "time", "ax", "ay", "az", "gx", "gy", "gz"],
    "rate_hz": 50,
    "acc_unit": "mg",
    "gyr_unit": "dps",
    "gyr_scale": 0.1,
}
MEASURED = "e803 0000 0cfe 8403 0000 0100"  # 1000, 0, -500 mg; 90, 0, 0.1 °/s


def record(index: int, time_ms: int) -> str:
    return index.to_bytes(2, "little").hex() + time_ms.to_bytes(4, "little").hex() + MEASURED


def decoder(**changes):
    table = {**SKETCH, **changes}
    return GenericDecoder(StreamDescription("generic", 7, float(table["rate_hz"]), table))


def places(runs):
    return [(run.stream_id, run.first_sample_index, run.device_time_us) for run in runs]


def test_records_in_their_units():
    runs = decoder().push(data(record(65_535, 1000) + record(0, 1020)))
    assert places(runs) == [(7, 0, 1_000_000), (7, 1, 1_020_000)]
    assert runs[0].acc_m_s2 == pytest.approx(np.array([[1, 0, -0.5]]) * 9.80665)
    assert runs[0].gyr_rad_s == pytest.approx(np.radians([[90, 0, 0.1]]))
    assert runs[0].traits.has_clock
    assert runs[0].traits.shows_loss


def test_a_number_left_out_is_a_lost_sample_and_one_again_is_refused():
    board = decoder()
    runs = board.push(data(record(4, 80) + record(4, 80) + record(7, 140)))
    assert places(runs) == [(7, 0, 80_000), (7, 3, 140_000)]
    assert board.n_rejected == 1


def test_a_count_that_begins_anew_is_a_new_stream():
    runs = decoder(format="<II6h").push(data("90010000 401f0000" + MEASURED + "00000000 00000000" + MEASURED))
    assert places(runs) == [(7, 0, 8_000_000), (8, 0, 0)]


def test_a_time_alone_shows_loss():
    board = decoder(format="<I6h", fields=SKETCH["fields"][1:])
    runs = board.push(data("00000000" + MEASURED + "14000000" + MEASURED + "50000000" + MEASURED))
    assert places(runs) == [(7, 0, 0), (7, 1, 20_000), (7, 4, 80_000)]


def test_a_number_alone_shows_loss_and_the_arrival_is_the_time():
    board = decoder(format="<B6h", fields=["index", *SKETCH["fields"][2:]])
    runs = board.push(data("05" + MEASURED, 1.0)) + board.push(data("08" + MEASURED, 1.06))
    first_us = UTC_NS // 1000 + 1_000_000
    assert places(runs) == [(7, 0, first_us), (7, 3, first_us + 60_000)]
    assert not runs[0].traits.has_clock
    assert runs[0].traits.shows_loss


def test_accelerations_alone_show_nothing():
    (run,) = decoder(format=">fff4x", fields=["ax", "ay", "az"], acc_unit="m/s2").push(
        data("3f800000 40000000 c0400000 deadbeef")
    )
    assert run.acc_m_s2 == pytest.approx(np.array([[1.0, 2.0, -3.0]]))
    assert not run.traits.has_gyroscope
    assert not run.traits.shows_loss


def test_what_is_no_record_is_refused():
    for payload, error, reason in (
        ("", Truncated, "no whole number of records of 18"),
        (record(0, 0) + "00", Truncated, "no whole number"),
    ):
        with pytest.raises(error, match=reason):
            decoder().push(data(payload))
    with pytest.raises(FieldOutOfRange, match="not a number"):
        decoder(format="<3f", fields=["ax", "ay", "az"]).push(data("0000c07f" + "00" * 8))
    with pytest.raises(FieldOutOfRange, match="a time beyond all clocks"):
        decoder(format="<d3f", fields=["time", "ax", "ay", "az"]).push(data("ffffffffffffef7f" + "00" * 12))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"service": "180A"}, "service must be a 128-bit UUID"),
        ({"format": "6h"}, "format must be a struct format"),
        ({"format": "<99d"}, "longer than the 512 bytes"),
        ({"format": "<7h"}, "holds 7 numbers, fields names 8"),
        ({"fields": ["ax", "ay"]}, "fields needs ax, ay and az"),
        ({"fields": ["ax", "ax", "az"]}, "names something twice"),
        ({"fields": ["ax", "mx"]}, "fields must be some of ax"),
        ({"fields": [["ax"]]}, "fields must be some of ax"),
        ({"format": "<fI6h"}, "the index must be a whole number without sign"),
        ({"rate_hz": 0}, "rate_hz must be a number above 0"),
        ({"rate_hz": "50"}, "rate_hz must be a number above 0"),
        ({"acc_unit": "N"}, "acc_unit must be one of m/s2, g, mg"),
        ({"start_value": "xyz"}, "start_value must be hexadecimal"),
        ({"speed": 1}, "there is no key 'speed' in a layout"),
    ],
)
def test_a_layout_that_cannot_be_is_named(change, reason):
    with pytest.raises(ValueError, match=reason):
        GenericLayout.from_mapping({**SKETCH, **change})


def test_a_layout_needs_its_keys():
    with pytest.raises(ValueError, match="a layout needs 'format'"):
        GenericLayout.from_mapping({key: value for key, value in SKETCH.items() if key != "format"})


def test_a_log_whose_layout_cannot_be_is_refused():
    with pytest.raises(ProtocolError, match="is no layout"):
        GenericDecoder(StreamDescription("generic", 1, 50.0, {"format": "<d"}))


def test_nothing_shows_in_the_advertisement():
    assert not GenericDriver().recognises(Advertisement("XIAO", frozenset({SKETCH["service"]})))


async def test_started_as_the_layout_says():
    start = {"start_characteristic": "19b10002-e8f2-537e-4f6c-d104768a1214", "start_value": "01ff"}
    wish = wish_with({**SKETCH, **start})
    sensor = ToldSensor()
    description = await GenericDriver().begin(sensor, wish, 4)
    assert sensor.written == [("0002", "01 ff")]
    assert sensor.frames[0][0] is FrameKind.DRIVER
    assert GenericDriver().decoder(sensor.description()).traits == GenericDriver().decoder(description).traits


def wish_with(layout):
    return type(WISH)(**{**vars(WISH), "layout": layout})
