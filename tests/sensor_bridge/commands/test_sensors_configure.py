"""Exactly what is wished, or a line that says what is offered."""

from __future__ import annotations

import pytest

from firmware_protocol.packets import AccelRange, DeviceInfo, GyroRange, SamplingRate
from sensor_bridge.commands.sensors_configure import Wish, exact_settings
from sensor_bridge.config import StreamingConfig
from sensor_bridge.errors import UserInputError

INFO = DeviceInfo(
    protocol_version=1,
    hardware_revision=1,
    firmware_version=(1, 0, 0),
    serial="HL-1",
    rates=(SamplingRate.HZ100, SamplingRate.HZ200),
    accel_ranges=(AccelRange.G8,),
    gyro_ranges=(GyroRange.DPS500, GyroRange.DPS1000),
    max_batch=12,
    ring_capacity_samples=6000,
)


def test_what_is_named_counts_and_the_configuration_fills_in_the_rest() -> None:
    settings = exact_settings(Wish(rate_hz=200, batch=12), StreamingConfig(), INFO)
    assert settings.sampling_rate is SamplingRate.HZ200
    assert settings.accel_range is AccelRange.G8
    assert settings.gyro_range is GyroRange.DPS1000
    assert settings.batch == 12


@pytest.mark.parametrize(
    ("wish", "text"),
    [
        (Wish(rate_hz=120), "HL-1 does not offer 120 Hz, as asked for: choose --rate from 100, 200 Hz"),
        (Wish(accel_range_g=4), "does not offer 4 g, as asked for: choose --accel-range from 8 g"),
        (
            Wish(gyro_range_dps=125),
            "does not offer 125 °/s, as asked for: choose --gyro-range from 500, 1000",
        ),
        (Wish(batch=13), "HL-1 sends 1 to 12 samples a packet, not 13"),
        (Wish(batch=0), "sends 1 to 12 samples a packet, not 0"),
    ],
)
def test_what_is_not_offered_is_refused_with_what_is(wish: Wish, text: str) -> None:
    with pytest.raises(UserInputError, match=text):
        exact_settings(wish, StreamingConfig(), INFO)


def test_a_configuration_that_the_sensor_cannot_meet_is_named_as_such() -> None:
    with pytest.raises(UserInputError, match="25 Hz, as the configuration says"):
        exact_settings(Wish(), StreamingConfig(sampling_rate_hz=25), INFO)
