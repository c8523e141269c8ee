from __future__ import annotations

import pytest

from firmware_protocol.packets import AccelRange, DeviceInfo, GyroRange, SamplingRate
from sensor_bridge.ble.settings import StreamSettings, nearest_settings
from tests.sensor_bridge.ble.radio_bench import wish

INFO = DeviceInfo(
    protocol_version=1,
    hardware_revision=1,
    firmware_version=(1, 2, 3),
    serial="clip",
    rates=(SamplingRate.HZ52, SamplingRate.HZ104, SamplingRate.HZ208),
    accel_ranges=(AccelRange.G4, AccelRange.G8),
    gyro_ranges=(GyroRange.DPS500, GyroRange.DPS2000),
    max_batch=12,
    ring_capacity_samples=6000,
)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, (SamplingRate.HZ104, AccelRange.G8, GyroRange.DPS2000, 10)),
        ({"sampling_rate_hz": 50.0}, (SamplingRate.HZ52, AccelRange.G8, GyroRange.DPS2000, 10)),
        ({"sampling_rate_hz": 400.0}, (SamplingRate.HZ208, AccelRange.G8, GyroRange.DPS2000, 10)),
        ({"accel_range_g": 2}, (SamplingRate.HZ104, AccelRange.G4, GyroRange.DPS2000, 10)),
        ({"accel_range_g": 16}, (SamplingRate.HZ104, AccelRange.G8, GyroRange.DPS2000, 10)),
        ({"gyro_range_dps": 500}, (SamplingRate.HZ104, AccelRange.G8, GyroRange.DPS500, 10)),
        ({"batch": 19}, (SamplingRate.HZ104, AccelRange.G8, GyroRange.DPS2000, 12)),
    ],
)
def test_the_nearest_the_sensor_can_do(changes, expected):
    assert nearest_settings(wish("pelvis", **changes), INFO) == StreamSettings(*expected)


def test_time_from_frame_to_frame():
    assert StreamSettings(SamplingRate.HZ208, AccelRange.G4, GyroRange.DPS500, 10).frame_s == pytest.approx(
        10 / 208
    )
