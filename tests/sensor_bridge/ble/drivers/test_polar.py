from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from firmware_protocol.errors import FieldOutOfRange, ProtocolError, Truncated, UnknownPacket
from sensor_bridge.ble.driver import Advertisement
from sensor_bridge.ble.drivers.polar import CONTROL_POINT, PolarDriver
from sensor_bridge.ble.link import FrameKind
from sensor_bridge.errors import CommandRefused
from tests.sensor_bridge.ble.drivers.wire import WISH, ToldSensor, data, decoder

G = 9.80665
ACC = {"rate_hz": 50, "resolution": 16, "range": 8}
GYR = {"rate_hz": 50, "resolution": 16, "range": 2000}
START_REPLY = "f0 02 02 00 00 05 01 0000803a"  # acceleration runs; a count is 2^-10 g


def head(kind: int, time_ms: int, frame_type: int) -> str:
    return bytes([kind]).hex() + (time_ms * 1_000_000).to_bytes(8, "little").hex() + bytes([frame_type]).hex()


def acc_only():
    return decoder("polar", 50.0, acceleration=ACC)


def with_gyroscope():
    return decoder("polar", 50.0, acceleration=ACC, angular_rate=GYR)


def raw_acc(time_ms: int, *rows: str) -> str:
    return head(2, time_ms, 1) + "".join(rows)


def test_raw_accelerations_in_mg_timed_by_the_last():
    (run,) = acc_only().push(data(raw_acc(1000, "e803 0000 18fc", "f401 0100 ffff")))
    assert run.acc_m_s2 == pytest.approx(np.array([[1000, 0, -1000], [500, 1, -1]]) * G / 1000)
    assert (run.device_time_us, run.first_sample_index) == (980_000, 0)
    assert not run.traits.has_gyroscope
    assert not run.gyr_rad_s.any()


@pytest.mark.parametrize(("frame_type", "row"), [(0, "64 9c 00"), (2, "640000 9cffff 000000")])
def test_raw_accelerations_of_other_widths(frame_type, row):
    (run,) = acc_only().push(data(head(2, 1000, frame_type) + row))
    assert run.acc_m_s2 == pytest.approx(np.array([[100, -100, 0]]) * G / 1000)


def test_compressed_accelerations():
    # 100 -100 1000 in full; two samples in 4 bits: 1 -1 0 and 7 -8 2; one in 0 bits: no change.
    block = "6400 9cff e80304 02 f1 70 2800 01"
    polar = acc_only()
    polar.push(data(START_REPLY, kind=FrameKind.REPLY))
    (run,) = polar.push(data(head(2, 1000, 0x80) + block))
    counts = np.array([[100, -100, 1000], [101, -101, 1000], [108, -109, 1002], [108, -109, 1002]])
    assert run.acc_m_s2 == pytest.approx(counts / 1024 * G)
    (run,) = polar.push(data(head(2, 1080, 0x81) + block))  # of type 1: counts are mg after the factor
    assert run.acc_m_s2 == pytest.approx(counts / 1024 * G / 1000)


def test_samples_are_spread_between_the_times_of_two_frames():
    polar = acc_only()
    rows = ["e803 0000 0000"] * 5
    polar.push(data(raw_acc(1000, *rows)))
    (run,) = polar.push(data(raw_acc(1105, *rows)))
    assert (run.device_time_us, run.first_sample_index) == (1_021_000, 5)


def test_a_lost_frame_shows_in_the_numbers():
    polar = acc_only()
    rows = ["e803 0000 0000"] * 5
    runs = [run for time_ms in (1000, 1100, 1300) for run in polar.push(data(raw_acc(time_ms, *rows)))]
    assert [run.first_sample_index for run in runs] == [0, 5, 15]


def gyr(time_ms: int, *numbers: int) -> str:
    """Compressed angular rates about x, each written in full: 16-bit differences."""
    steps = [after - before for before, after in pairwise(numbers)]
    packed = b"".join(step.to_bytes(2, "little", signed=True) + bytes(4) for step in steps)
    first = numbers[0].to_bytes(2, "little", signed=True) + bytes(4)
    return head(5, time_ms, 0x80) + (first + bytes([16, len(steps)]) + packed).hex()


def test_angular_rates_are_interpolated_at_the_times_of_the_accelerations():
    polar = with_gyroscope()
    assert polar.push(data(raw_acc(1040, *["e803 0000 0000"] * 3))) == []  # 1000, 1020, 1040 ms
    (run,) = polar.push(data(gyr(1050, 0, 100, 200, 300)))  # 990, 1010, 1030, 1050 ms
    assert run.n_samples == 3
    assert np.degrees(run.gyr_rad_s[:, 0]) == pytest.approx([50.0, 150.0, 250.0])
    assert run.device_time_us == 1_000_000


def test_accelerations_without_their_angular_rates_are_lost_not_filled_in():
    polar = with_gyroscope()
    runs = polar.push(data(gyr(1030, 0, 0, 0))) + polar.push(data(raw_acc(1120, *["e803 0000 0000"] * 7)))
    runs += polar.push(data(gyr(1150, 0, 0, 0)))  # 1110 to 1150 ms: what lay between is gone
    assert [(run.device_time_us, run.first_sample_index, run.n_samples) for run in runs] == [
        (1_000_000, 0, 2),
        (1_120_000, 6, 1),
    ]


def test_a_clock_that_begins_anew_is_a_new_stream():
    polar = acc_only()
    rows = ["e803 0000 0000"] * 5
    runs = [run for time_ms in (9000, 500, 600) for run in polar.push(data(raw_acc(time_ms, *rows)))]
    assert [(run.stream_id, run.first_sample_index) for run in runs] == [(7, 0), (8, 0), (8, 5)]


def test_accelerations_do_not_wait_for_ever():
    polar = with_gyroscope()
    for k in range(100):
        assert polar.push(data(raw_acc(1000 + 200 * k, *["e803 0000 0000"] * 10))) == []
    assert polar.n_rejected == 75  # each time a frame's worth goes


@pytest.mark.parametrize(
    ("payload", "error", "reason"),
    [
        ("02", Truncated, "without its head"),
        (head(0, 1, 0) + "00", UnknownPacket, "kind 0"),
        (head(5, 1, 0x80) + "00" * 6, UnknownPacket, "kind 5"),  # nobody asked for it
        (head(2, 1, 1) + "00" * 5, Truncated, "no whole number of samples of 6"),
        (head(2, 1, 1), Truncated, "no whole number"),
        (head(2, 1, 3) + "00" * 6, UnknownPacket, "raw frames of type 3"),
        (head(2, 1, 0x82) + "00" * 6, UnknownPacket, "compressed frames of type 2"),
        (head(2, 1, 0x80) + "00" * 5, Truncated, "without its reference"),
        (head(2, 1, 0x80) + "00" * 6 + "04", Truncated, "without its head"),
        (head(2, 1, 0x80) + "00" * 6 + "04 02 0000", Truncated, "do not fit"),
        (head(2, 1, 0x80) + "00" * 6 + "21 01" + "00" * 13, FieldOutOfRange, "33 bits"),
        (head(2, 1, 0x80) + "00" * 6 + "00 ff" * 17, FieldOutOfRange, "samples in all"),
        ("02" + "ff" * 8 + "01" + "00" * 6, FieldOutOfRange, "a time of"),
    ],
)
def test_what_is_no_frame_is_refused(payload, error, reason):
    with pytest.raises(error, match=reason):
        acc_only().push(data(payload))


@pytest.mark.parametrize("details", [{}, {"acceleration": 3}, {"acceleration": {**ACC, "resolution": 99}}])
def test_a_description_that_says_too_little_is_refused(details):
    with pytest.raises(ProtocolError):
        decoder("polar", 50.0, **details)


def test_known_by_its_name():
    assert PolarDriver().recognises(Advertisement("Polar Sense A1B2C3D4"))
    assert not PolarDriver().recognises(Advertisement("Polarstern"))


OFFERED = {  # rates 26, 52, 104 Hz; 16 bits; 2, 4, 8, 16 g or 2000 °/s; 3 channels
    2: "00 03 1a00 3400 6800 01 01 1000 02 04 0200 0400 0800 1000 04 01 03",
    5: "00 03 1a00 3400 6800 01 01 1000 02 01 d007 04 01 03",
}


def answers(kinds):
    def answer(uuid, value):
        assert uuid == CONTROL_POINT
        operation, kind = value[0], value[1]
        status = 0 if kind in kinds else 3
        settings = bytes.fromhex(OFFERED[kind]) if operation == 1 and not status else b""
        return [(CONTROL_POINT, bytes([0xF0, operation, kind, status, 0]) + settings)]

    return answer


async def test_started_with_what_it_offers():
    sensor = ToldSensor(answers({2, 5}))
    description = await PolarDriver().begin(sensor, WISH, 1)
    assert [value for _, value in sensor.written] == [
        "03 02",
        "01 02",
        "03 05",
        "01 05",
        "02 02 00 01 68 00 01 01 10 00 02 01 08 00 04 01 03",
        "02 05 00 01 68 00 01 01 10 00 02 01 d0 07 04 01 03",
    ]
    assert description.sampling_rate_hz == 104.0
    assert [kind for kind, _ in sensor.frames] == [FrameKind.DRIVER, FrameKind.REPLY, FrameKind.REPLY]


async def test_without_a_gyroscope_it_gives_accelerations_only():
    sensor = ToldSensor(answers({2}))
    description = await PolarDriver().begin(sensor, WISH, 1)
    assert not PolarDriver().decoder(description).traits.has_gyroscope


async def test_without_an_accelerometer_it_is_refused():
    with pytest.raises(CommandRefused, match="offers no acceleration"):
        await PolarDriver().begin(ToldSensor(answers({5})), WISH, 1)
