from __future__ import annotations

import numpy as np
import pytest

from sensor_bridge.ble.driver import Advertisement
from sensor_bridge.ble.drivers.witmotion import COMMAND, STREAM, WitMotionDriver
from sensor_bridge.ble.link import FrameKind
from sensor_bridge.errors import CommandRefused
from tests.sensor_bridge.ble.drivers.wire import WISH, ToldSensor, data, decoder

# 2048 = 1 g, 0, -2048; 16384 = 1000 °/s, 0, -1; angles that are not used.
FRAME = bytes.fromhex("5561 0008 0000 00f8 0040 0000 ffff 1111 2222 3333")
BATTERY = bytes.fromhex("5571 6400 8101 0000 0000 0000 0000 0000 0000 0000")  # 385 centivolts
RATE_100_HZ = bytes.fromhex("5571 0300 0900 0000 0000 0000 0000 0000 0000 0000")


def values(runs):
    return [row for run in runs for row in run.values.tolist()]


def test_a_sample_in_its_units():
    wit = decoder("witmotion", 100.0)
    assert wit.push(data(FRAME)) == []  # there is no checksum: it is believed when another follows it
    (run,) = wit.push(data(FRAME + FRAME))
    assert run.acc_m_s2 == pytest.approx(np.array([[9.80665, 0.0, -9.80665]] * 2))
    assert run.gyr_rad_s == pytest.approx(np.radians([[1000.0, 0.0, -2000 / 32768]] * 2))
    assert not run.traits.has_clock
    assert not run.traits.shows_loss


@pytest.mark.parametrize("size", [1, 7, 19, 20, 33, 61, 200])
def test_frames_are_whole_however_notifications_cut_them(size):
    stream = b"".join(
        FRAME[:2] + k.to_bytes(2, "little") + FRAME[4:] + (BATTERY if k % 3 == 0 else b"") for k in range(30)
    )
    wit = decoder("witmotion", 100.0)
    runs = [
        run
        for start in range(0, len(stream), size)
        for run in wit.push(data(stream[start : start + size], start / 2000))
    ]
    assert [row[0] for row in values(runs)] == list(range(30))[: len(values(runs))]
    assert len(values(runs)) in {29, 30}  # the last is believed where an answer follows it
    assert wit.n_rejected == 0


def test_lost_bytes_cost_the_frames_they_were_in():
    wit = decoder("witmotion", 100.0)
    torn = FRAME[:7] + FRAME[:2] + bytes(18)  # the end of one is lost: no mixture of the two comes out
    runs = wit.push(data(FRAME * 3 + torn + FRAME * 3))
    assert [row[0] for row in values(runs)] == [2048, 2048, 2048, 0, 2048, 2048]
    assert wit.n_rejected == 1


def test_noise_is_never_a_sample():
    noise = bytes(range(256)) * 8
    wit = decoder("witmotion", 100.0)
    assert wit.push(data(noise)) == []


def test_known_by_its_name():
    driver = WitMotionDriver()
    assert driver.recognises(Advertisement("WT901BLE68"))
    assert driver.recognises(Advertisement("WT9011DCL-BT50"))
    assert not driver.recognises(Advertisement("WTF"))


def answers(rate):
    replies = {"ffaa270300": rate, "ffaa276400": BATTERY}

    def answer(uuid, value):
        assert uuid == COMMAND
        reply = replies.get(value.hex())
        return [] if reply is None else [(STREAM, FRAME[:9]), (STREAM, FRAME[9:] + reply + FRAME)]

    return answer


async def test_unlocked_set_to_100_hz_and_asked_for_rate_and_battery():
    sensor = ToldSensor(answers(RATE_100_HZ))
    await WitMotionDriver().begin(sensor, WISH, 1)
    assert [value for _, value in sensor.written] == [
        "ff aa 69 88 b5",
        "ff aa 03 09 00",
        "ff aa 27 03 00",
        "ff aa 27 64 00",
    ]
    assert sensor.frames[0][0] is FrameKind.DRIVER
    assert sensor.frames[-1] == (FrameKind.BATTERY, bytes([60]))


async def test_another_rate_than_was_set_is_refused():
    sensor = ToldSensor(answers(RATE_100_HZ.replace(b"\x09", b"\x06")))
    with pytest.raises(CommandRefused, match="does not measure at 100 Hz: it says rate code 6"):
        await WitMotionDriver().begin(sensor, WISH, 1)
