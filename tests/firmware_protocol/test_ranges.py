from __future__ import annotations

import pytest

from firmware_protocol.ranges import AccelRange, GyroRange, SamplingRate


@pytest.mark.parametrize(
    ("value", "member", "m_s2_per_lsb"),
    [
        (0, AccelRange.G2, 5.98550415e-4),
        (1, AccelRange.G4, 1.19710083e-3),
        (2, AccelRange.G8, 2.39420166e-3),
        (3, AccelRange.G16, 4.78840332e-3),
    ],
)
def test_accelerometer_scale(value: int, member: AccelRange, m_s2_per_lsb: float) -> None:
    assert AccelRange(value) is member
    assert member.m_s2_per_lsb == pytest.approx(m_s2_per_lsb, rel=1e-8)


def test_one_gravity_at_half_of_two_g() -> None:
    assert 16384 * AccelRange.G2.m_s2_per_lsb == pytest.approx(9.80665, rel=1e-12)


@pytest.mark.parametrize(
    ("value", "member", "rad_s_per_lsb"),
    [
        (0, GyroRange.DPS125, 6.65790273e-5),
        (1, GyroRange.DPS250, 1.33158055e-4),
        (2, GyroRange.DPS500, 2.66316109e-4),
        (3, GyroRange.DPS1000, 5.32632218e-4),
        (4, GyroRange.DPS2000, 1.06526444e-3),
    ],
)
def test_gyroscope_scale(value: int, member: GyroRange, rad_s_per_lsb: float) -> None:
    assert GyroRange(value) is member
    assert member.rad_s_per_lsb == pytest.approx(rad_s_per_lsb, rel=1e-8)


def test_sampling_rates_are_numbered_in_ascending_order() -> None:
    assert {int(rate): rate.hz for rate in SamplingRate} == {
        1: 10.0,
        2: 12.5,
        3: 20.0,
        4: 25.0,
        5: 50.0,
        6: 52.0,
        7: 60.0,
        8: 100.0,
        9: 104.0,
        10: 120.0,
        11: 128.0,
        12: 200.0,
        13: 208.0,
        14: 400.0,
        15: 416.0,
    }


def test_rate_is_found_by_its_frequency() -> None:
    assert SamplingRate.from_hz(12.5) is SamplingRate.HZ12_5
    assert SamplingRate.from_hz(100) is SamplingRate.HZ100


def test_unknown_frequency_names_the_choice() -> None:
    with pytest.raises(ValueError, match=r"no sampling rate of 99\.5 Hz; choose from 10, 12\.5, .*416"):
        SamplingRate.from_hz(99.5)
