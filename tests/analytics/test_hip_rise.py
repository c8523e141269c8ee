from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from analytics.alignment import SegmentSamples
from analytics.calibration import StillPose
from analytics.hip_rise import find_hip_rise, may_be_learnt_from
from analytics.imu import Mount, Placement

RATE_HZ = 100.0
PELVIS = Placement.PELVIS


def samples(
    lever_m: float, lift_s: float, bias_m_s2: float = 0.0, *, gyroscope: bool = True
) -> SegmentSamples:
    """A sensor that turns by 25 degrees about x and back, and rises by ``lever_m`` a radian."""
    time_s = np.arange(round((2.0 * lift_s + 4.0) * RATE_HZ)) / RATE_HZ - 2.0
    share = 0.5 - 0.5 * np.cos(np.pi * np.clip(time_s / lift_s, 0.0, 2.0))
    angle = math.radians(25.0) * share
    rising = np.gradient(np.gradient(lever_m * angle)) * RATE_HZ**2
    up = np.stack((np.zeros_like(angle), np.sin(angle), np.cos(angle)), axis=1)
    n = len(angle)
    acc = up * (9.81 + rising)[:, None] + bias_m_s2 * np.array((0.0, 1.0, 0.0))
    every = np.ones(n, dtype=np.bool_)
    quat = np.stack((np.cos(angle / 2), np.sin(angle / 2), np.zeros(n), np.zeros(n)), axis=1)
    return SegmentSamples(
        quat, acc, np.zeros((n, 3)), np.zeros((n, 3)), np.zeros(n), every, every, every, every & gyroscope
    )


@pytest.mark.parametrize("lever_m", [0.45, -0.3, 0.0])
@pytest.mark.parametrize("lift_s", [0.7, 3.0])
def test_the_norm_of_the_acceleration_tells_rise_by_turn(lever_m: float, lift_s: float) -> None:
    rise = find_hip_rise(samples(lever_m, lift_s), np.array((0.0, 0.0, 1.0)), RATE_HZ)
    assert rise is not None
    assert rise.lever_m == pytest.approx(lever_m, abs=0.05)


def test_the_bias_of_an_accelerometer_is_no_rise() -> None:
    rise = find_hip_rise(samples(0.0, 3.0, bias_m_s2=0.3), np.array((0.0, 0.0, 1.0)), RATE_HZ)
    assert rise is not None
    assert abs(rise.lever_m) < 0.1


def test_without_a_gyroscope_the_rise_is_not_known() -> None:
    assert find_hip_rise(samples(0.45, 1.5, gyroscope=False), np.array((0.0, 0.0, 1.0)), RATE_HZ) is None


def test_a_bridge_after_standing_does_not_tell_how_sensors_sit() -> None:
    seen = samples(0.45, 1.5)
    block = SimpleNamespace(segments={Placement.PELVIS: seen}, sampling_rate_hz=RATE_HZ)
    candidate = SimpleNamespace(is_supine=True, verdict=None)
    stood = StillPose(PELVIS, Mount.SACRUM, np.array((0.0, -1.0, 0.0)), is_supine=False, was_still=True)
    lay = StillPose(PELVIS, Mount.SACRUM, np.array((0.0, 0.0, 1.0)), is_supine=True, was_still=True)
    assert not may_be_learnt_from(candidate, block, {PELVIS: stood}, None)
    assert may_be_learnt_from(candidate, block, {PELVIS: lay}, None)
