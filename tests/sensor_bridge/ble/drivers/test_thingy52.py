from __future__ import annotations

import numpy as np
import pytest

from firmware_protocol.errors import TrailingBytes, Truncated
from sensor_bridge.ble.driver import Advertisement
from sensor_bridge.ble.drivers.thingy52 import MOTION_CONFIGURATION, Thingy52Driver
from sensor_bridge.errors import WrongFirmware
from tests.sensor_bridge.ble.drivers.wire import UTC_NS, WISH, ToldSensor, data, decoder

# 1024 = 1 g, 0, -512; 32 = 1 °/s, -32, 3200; a compass that is not used.
SAMPLE = "0004 0000 00fe 2000 e0ff 800c 1111 2222 3333"


def test_a_sample_in_its_units_timed_by_its_arrival():
    (run,) = decoder("thingy52", 60.0).push(data(SAMPLE, 2.0))
    assert run.acc_m_s2 == pytest.approx(np.array([[9.80665, 0.0, -9.80665 / 2]]))
    assert run.gyr_rad_s == pytest.approx(np.radians([[1.0, -1.0, 100.0]]))
    assert run.device_time_us == UTC_NS // 1000 + 2_000_000
    assert not run.traits.has_clock
    assert not run.traits.shows_loss


def test_another_length_is_refused():
    thingy = decoder("thingy52", 60.0)
    with pytest.raises(Truncated, match="17 bytes where 18 of raw motion belong"):
        thingy.push(data(bytes(17)))
    with pytest.raises(TrailingBytes, match="19 bytes"):
        thingy.push(data(bytes(19)))


def test_known_by_its_service_or_name():
    driver = Thingy52Driver()
    service = frozenset({"ef680100-9b35-4933-9b10-52ffa9740042"})
    assert driver.recognises(Advertisement("renamed", service))
    assert driver.recognises(Advertisement("Thingy"))
    assert not driver.recognises(Advertisement("Thing"))


async def test_only_the_motion_rate_is_changed():
    sensor = ToldSensor(reads={MOTION_CONFIGURATION: bytes.fromhex("e803 1027 f401 0a00 01")})
    description = await Thingy52Driver().begin(sensor, WISH, 1)
    assert sensor.written == [("0401", "e8 03 10 27 f4 01 3c 00 01")]
    assert description.sampling_rate_hz == 60.0


async def test_another_configuration_is_another_sensor():
    sensor = ToldSensor(reads={MOTION_CONFIGURATION: bytes(8)})
    with pytest.raises(WrongFirmware, match="is it a Thingy:52 with the firmware it was sold with"):
        await Thingy52Driver().begin(sensor, WISH, 1)
