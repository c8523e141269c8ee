from __future__ import annotations

import numpy as np
import pytest

from firmware_protocol.errors import FieldOutOfRange, Truncated
from sensor_bridge.ble.driver import Advertisement
from sensor_bridge.ble.drivers.movella_dot import BATTERY, MovellaDotDriver
from sensor_bridge.ble.link import FrameKind
from tests.sensor_bridge.ble.drivers.wire import WISH, ToldSensor, data, decoder

# Mode 21: 1 000 000 µs, 0 / 1 / 9.5 m/s², 90 / -1 / 0.5 °/s, then zeros up to 40 bytes.
SAMPLE = "00000000 0000803f 00001841 0000b442 000080bf 0000003f 000000000000000000000000"


def at(time_us: int) -> str:
    return time_us.to_bytes(4, "little").hex() + SAMPLE


def test_a_sample_in_its_units():
    (run,) = decoder("movella-dot", 60.0).push(data("40420f00" + SAMPLE))
    assert (run.stream_id, run.first_sample_index, run.device_time_us) == (7, 0, 1_000_000)
    assert run.sampling_rate_hz == 60.0
    assert run.acc_m_s2 == pytest.approx(np.array([[0.0, 1.0, 9.5]]))
    assert run.gyr_rad_s == pytest.approx(np.radians([[90.0, -1.0, 0.5]]))
    assert not run.is_clipped.any()
    assert run.traits.has_clock
    assert run.traits.shows_loss


def test_the_clock_goes_on_where_it_wraps():
    dot = decoder("movella-dot", 60.0)
    runs = [run for time_us in (2**32 - 10_000, 6_667) for run in dot.push(data(at(time_us)))]
    assert [run.device_time_us for run in runs] == [2**32 - 10_000, 2**32 + 6_667]
    assert [run.first_sample_index for run in runs] == [0, 1]


def test_a_step_of_three_periods_is_two_lost_samples():
    dot = decoder("movella-dot", 60.0)
    runs = [run for time_us in (0, 16_667, 66_667) for run in dot.push(data(at(time_us)))]
    assert [run.first_sample_index for run in runs] == [0, 1, 4]


def test_a_clock_that_runs_back_begins_a_new_stream():
    dot = decoder("movella-dot", 60.0)
    runs = [run for time_us in (5_000_000, 1_000, 17_667) for run in dot.push(data(at(time_us)))]
    assert [(run.stream_id, run.first_sample_index) for run in runs] == [(7, 0), (8, 0), (8, 1)]


def test_what_is_no_sample_is_refused():
    dot = decoder("movella-dot", 60.0)
    with pytest.raises(Truncated, match="27 bytes where 28 of mode 21 belong"):
        dot.push(data(bytes(27)))
    with pytest.raises(FieldOutOfRange, match="not a number"):
        dot.push(data("40420f00" + "0000c07f" + SAMPLE[8:]))


@pytest.mark.parametrize(
    ("heard", "is_dot"),
    [
        (Advertisement("hip of Anna", company_ids=frozenset({0x0886})), True),
        (Advertisement("Xsens DOT"), True),
        (Advertisement("Movella DOT"), True),
        (Advertisement("My DOT"), False),
        (Advertisement(), False),
    ],
)
def test_known_by_company_or_name(heard, is_dot):
    assert MovellaDotDriver().recognises(heard) is is_dot


async def test_set_to_60_hz_and_started_in_mode_21():
    sensor = ToldSensor(reads={BATTERY: bytes([88, 0])})
    await MovellaDotDriver().begin(sensor, WISH, 3)
    rate = "10" + " 00" * 23 + " 3c 00" + " 00" * 6
    assert sensor.written == [("2001", "01 00 15"), ("1002", rate), ("2001", "01 01 15")]
    assert sensor.frames[0][0] is FrameKind.DRIVER
    assert (sensor.description().stream_id, sensor.description().sampling_rate_hz) == (3, 60.0)
    assert (FrameKind.BATTERY, bytes([88, 0])) in sensor.frames


async def test_made_to_blink():
    sensor = ToldSensor()
    await MovellaDotDriver().identify(sensor, 5)
    assert sensor.written == [("1002", "01 01" + " 00" * 30)]
