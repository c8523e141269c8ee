from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analytics.errors import BlockOutOfOrder, MixedSamplingRates
from analytics.imu import ImuBlock, Placement
from analytics.orientation import OrientationStage, is_still, remeasure, standing_bias_rad_s
from analytics.quaternions import up_in_sensor

RATE_HZ = 100.0
GRAVITY = 9.80665


def lowering(
    still_s: float, moving_s: float, depth_deg: float, bias_deg_s: tuple[float, float, float]
) -> ImuBlock:
    """Sensor with z up that leans slowly about y, and stays there for two seconds."""
    time_s = np.arange(0.0, still_s + moving_s + 2.0, 1.0 / RATE_HZ)
    share = np.clip((time_s - still_s) / moving_s, 0.0, 1.0)
    angle = np.radians(depth_deg) * share
    rate = np.gradient(angle, 1.0 / RATE_HZ)
    acc = GRAVITY * np.stack((-np.sin(angle), np.zeros_like(angle), np.cos(angle)), axis=1)
    gyr = np.stack((np.zeros_like(rate), rate, np.zeros_like(rate)), axis=1) + np.radians(bias_deg_s)
    return ImuBlock(Placement.PELVIS, 0, RATE_HZ, acc, gyr)


def lean_deg(earth_from_sensor_wxyz: np.ndarray) -> np.ndarray:
    up = up_in_sensor(earth_from_sensor_wxyz)
    return np.degrees(np.arctan2(-up[:, 0], up[:, 2]))


def run(*blocks: ImuBlock) -> tuple[np.ndarray, np.ndarray]:
    stage = OrientationStage(Placement.PELVIS)
    out = [part for block in blocks for part in stage.push(block)] + stage.flush()
    return (
        np.concatenate([part.earth_from_sensor_wxyz for part in out]),
        np.concatenate([part.is_settled for part in out]),
    )


def test_nothing_leaves_before_two_seconds_are_there() -> None:
    stage = OrientationStage(Placement.PELVIS)
    block = lowering(3.0, 1.0, 30.0, (0.0, 0.0, 0.0))
    first = replace(block, acc_m_s2=block.acc_m_s2[:199], gyr_rad_s=block.gyr_rad_s[:199])
    one_more = replace(
        block,
        start_time_ns=1_990_000_000,
        acc_m_s2=block.acc_m_s2[199:200],
        gyr_rad_s=block.gyr_rad_s[199:200],
    )
    assert stage.push(first) == []
    assert sum(len(part) for part in stage.push(one_more)) == 200


def test_slow_lowering_is_not_taken_for_rest() -> None:
    # With VQF's own parameters an even turn of 4 deg/s becomes bias, and the angle is 9-10 deg wrong.
    quat, _ = run(lowering(3.0, 10.0, 40.0, (0.0, 0.0, 0.0)))
    assert abs(lean_deg(quat)[1300] - 40.0) < 0.5


def test_bias_of_the_still_start_is_taken_off() -> None:
    quat, settled = run(lowering(3.0, 2.0, 60.0, (3.0, -2.0, 1.0)))
    assert abs(lean_deg(quat)[500] - 60.0) < 0.5
    assert settled.all()


def test_standing_bias_leaves_the_sway_that_the_accelerometer_saw() -> None:
    angle = np.radians(np.linspace(0.0, 1.0, 200))  # leans by 1 deg in 1.99 s: 0.503 deg/s
    acc = GRAVITY * np.stack((-np.sin(angle), np.zeros(200), np.cos(angle)), axis=1)
    gyr = np.tile(np.radians((0.7, 0.5025 - 0.4, 0.2)), (200, 1))
    bias_deg_s = np.degrees(standing_bias_rad_s(acc, gyr, RATE_HZ))
    np.testing.assert_allclose(bias_deg_s, (0.7, -0.4, 0.2), atol=0.005)


@pytest.mark.parametrize(("turn_deg", "expected"), [(0.0, True), (2.0, True), (8.0, False), (25.0, False)])
def test_stillness(turn_deg: float, expected: bool) -> None:
    angle = np.radians(np.linspace(0.0, turn_deg, 170))
    acc = GRAVITY * np.stack((-np.sin(angle), np.zeros(170), np.cos(angle)), axis=1)
    assert is_still(acc, np.zeros((170, 3)), RATE_HZ) is expected


def test_a_tap_at_the_start_is_still() -> None:
    acc = np.tile((0.0, 0.0, GRAVITY), (170, 1))
    acc[3:6, 2] += 20.0
    assert is_still(acc, np.zeros((170, 3)), RATE_HZ)


def test_remeasuring_has_no_delay_where_the_movement_turns() -> None:
    block = lowering(3.0, 2.0, 60.0, (0.0, 0.0, 0.0))
    quat = remeasure(block.acc_m_s2, block.gyr_rad_s, RATE_HZ, bias_rad_s=np.zeros(3), bias_sigma_rad_s=0.01)
    np.testing.assert_allclose(lean_deg(quat)[[250, 400, 600]], (0.0, 30.0, 60.0), atol=0.4)


def test_fast_turns_are_not_half_a_sample_ahead() -> None:
    rate_hz = 50.0
    time_s = np.arange(0.0, 8.0, 1.0 / rate_hz)
    moving = np.clip(time_s - 3.0, 0.0, 4.0)
    lean_rad = np.radians(30.0) * (1.0 - np.cos(np.pi * moving))
    turning = np.where(
        (time_s > 3.0) & (time_s < 7.0), np.radians(30.0) * np.pi * np.sin(np.pi * moving), 0.0
    )
    still = np.zeros_like(time_s)
    acc = GRAVITY * np.stack((-np.sin(lean_rad), still, np.cos(lean_rad)), axis=1)
    block = ImuBlock(Placement.PELVIS, 0, rate_hz, acc, np.stack((still, turning, still), axis=1))
    live, _ = run(block)
    again = remeasure(
        block.acc_m_s2, block.gyr_rad_s, rate_hz, bias_rad_s=np.zeros(3), bias_sigma_rad_s=0.001
    )
    # At 94 degrees/s half a sample is 0.94 degrees.
    assert np.abs(lean_deg(live) - np.degrees(lean_rad)).max() < 0.2
    assert np.abs(lean_deg(again) - np.degrees(lean_rad)).max() < 0.2


def test_a_gap_restarts_the_filter_and_says_so() -> None:
    block = lowering(3.0, 2.0, 60.0, (2.0, 0.0, 0.0))
    before = replace(block, acc_m_s2=block.acc_m_s2[:300], gyr_rad_s=block.gyr_rad_s[:300])
    after = replace(
        block,
        start_time_ns=5_200_000_000,
        acc_m_s2=block.acc_m_s2[520:],
        gyr_rad_s=block.gyr_rad_s[520:],
        gap_before_s=2.2,
    )
    quat, settled = run(before, after)
    assert settled[:300].all()
    assert not settled[300:].any()  # 1.8 s are left after the gap, it takes 2
    # It starts from the accelerometer, with the bias it knew.
    np.testing.assert_allclose(lean_deg(quat)[300:], 60.0, atol=0.3)


def test_heading_goes_on_after_a_gap() -> None:
    time_s = np.arange(0.0, 12.0, 0.01)
    gyr = np.zeros((1200, 3))
    gyr[300:400, 2] = np.radians(50.0)  # turns left by 50 deg
    acc = np.tile((0.0, 0.0, GRAVITY), (len(time_s), 1))
    whole = ImuBlock(Placement.PELVIS, 0, RATE_HZ, acc, gyr)
    first = replace(whole, acc_m_s2=acc[:600], gyr_rad_s=gyr[:600])
    second = replace(
        whole, start_time_ns=6_500_000_000, acc_m_s2=acc[650:], gyr_rad_s=gyr[650:], gap_before_s=0.5
    )
    quat, _ = run(first, second)
    heading = np.degrees(2.0 * np.arctan2(quat[:, 3], quat[:, 0]))
    np.testing.assert_allclose(heading[[200, 599, 600, -1]], (0.0, 50.0, 50.0, 50.0), atol=0.5)


def test_accelerations_alone_give_the_inclination() -> None:
    block = replace(lowering(3.0, 4.0, 40.0, (0.0, 0.0, 0.0)), has_gyroscope=False)
    stage = OrientationStage(Placement.PELVIS)
    out = [*stage.push(block), *stage.flush()]
    quat = np.concatenate([part.earth_from_sensor_wxyz for part in out])
    rate = np.concatenate([part.gyr_rad_s for part in out])
    np.testing.assert_allclose(lean_deg(quat)[[290, 899]], (0.0, 40.0), atol=0.1)
    # 40 deg in 4 s; the low-pass comes 0.15 s late.
    np.testing.assert_allclose(np.degrees(rate)[500], (0.0, 10.0, 0.0), atol=0.2)


def test_another_rate_is_refused() -> None:
    stage = OrientationStage(Placement.PELVIS)
    stage.push(ImuBlock(Placement.PELVIS, 0, 100.0, np.ones((5, 3)), np.zeros((5, 3))))
    with pytest.raises(MixedSamplingRates, match="pelvis has 50 Hz where 100 Hz came before"):
        stage.push(ImuBlock(Placement.PELVIS, 50_000_000, 50.0, np.ones((5, 3)), np.zeros((5, 3))))


def test_a_block_from_the_past_is_refused() -> None:
    stage = OrientationStage(Placement.PELVIS)
    stage.push(ImuBlock(Placement.PELVIS, 0, 100.0, np.ones((50, 3)), np.zeros((50, 3))))
    with pytest.raises(BlockOutOfOrder, match=r"begins 0\.300 s before the previous one ended"):
        stage.push(ImuBlock(Placement.PELVIS, 200_000_000, 100.0, np.ones((5, 3)), np.zeros((5, 3))))
