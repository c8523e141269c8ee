"""Six sides and a check: what is noticed, what is found, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from analytics.errors import ImplausibleCalibration
from analytics.inertial_calibration import InertialCalibration, fit_calibration
from analytics.six_positions import (
    SIDES,
    Askew,
    CalibrationFound,
    Measured,
    Repeated,
    Side,
    SixPositions,
    SixPositionsParameters,
)

RATE_HZ = 50.0
GRAVITY = 9.80665
BIAS = np.array([0.3, -0.2, 0.15])
SENSITIVITY = np.array([1.02, 0.985, 1.01])  # reading = true * sensitivity + bias
GYR_BIAS = np.array([0.03, -0.05, 0.02])
LEANING = np.array([0.6, -0.5, 0.62])
QUICK = SixPositionsParameters(still_s=1.0)


def reading(up, seconds=1.6, *, seed=1, acc_noise=0.03, turning=0.0, sensitivity=SENSITIVITY):
    generator = np.random.default_rng(seed)
    n = round(seconds * RATE_HZ)
    up = np.asarray(up) / np.linalg.norm(up)
    acc = GRAVITY * up * sensitivity + BIAS + acc_noise * generator.standard_normal((n, 3))
    return acc, GYR_BIAS + turning + 0.003 * generator.standard_normal((n, 3))


def moving(seed=9):
    generator = np.random.default_rng(seed)
    return 5 * generator.standard_normal((40, 3)), generator.standard_normal((40, 3))


def crooked(side, seed):
    tilt = Rotation.from_rotvec(np.radians(4) * np.random.default_rng(seed).standard_normal(3))
    return tilt.apply(SIDES[side])


def lay(stage, up, **how):
    return stage.push(*moving()) + stage.push(*reading(up, **how))


def through_all_sides(stage, **how):
    for seed, side in enumerate(Side):
        (event,) = lay(stage, crooked(side, seed), seed=seed, **how)
        assert isinstance(event, Measured)
        assert event.side is side
        assert event.n_missing == 5 - seed


def test_bias_and_scale_come_out_of_crooked_positions():
    stage = SixPositions(RATE_HZ, QUICK)
    through_all_sides(stage)
    (found,) = lay(stage, LEANING)
    assert isinstance(found, CalibrationFound)
    assert found.calibration.acc_bias_m_s2 == pytest.approx(BIAS, abs=0.02)
    assert found.calibration.acc_scale == pytest.approx(1 / SENSITIVITY, abs=0.002)
    assert found.calibration.gyr_bias_rad_s == pytest.approx(GYR_BIAS, abs=0.001)
    assert found.residual_m_s2 < 0.02
    assert found.uncorrected_m_s2 > 0.1
    acc, gyr = reading(LEANING)
    assert np.linalg.norm(found.calibration.correct_acc(acc).mean(axis=0)) == pytest.approx(GRAVITY, abs=0.02)
    assert found.calibration.correct_gyr(gyr).mean(axis=0) == pytest.approx(np.zeros(3), abs=0.001)


def test_how_samples_are_cut_does_not_matter():
    rows = [np.vstack(parts) for parts in zip(*(reading(SIDES[side]) for side in Side), strict=True)]
    whole, cut = SixPositions(RATE_HZ, QUICK), SixPositions(RATE_HZ, QUICK)
    whole.push(*rows)
    for k in range(0, len(rows[0]), 7):
        cut.push(rows[0][k : k + 7], rows[1][k : k + 7])
    assert list(whole.positions) == list(cut.positions) == list(Side)
    for side in Side:
        assert np.array_equal(whole.positions[side].acc_m_s2, cut.positions[side].acc_m_s2)


def test_the_same_side_again_is_told_once():
    stage = SixPositions(RATE_HZ, QUICK)
    lay(stage, SIDES[Side.Z_UP])
    assert stage.push(*reading(SIDES[Side.Z_UP], 5.0)) == []
    assert lay(stage, SIDES[Side.Z_UP], seconds=5.0) == [Repeated(Side.Z_UP)]
    assert Side.Z_UP not in stage.missing
    assert len(stage.missing) == 5


def test_leaning_is_no_side_and_a_side_is_no_check():
    stage = SixPositions(RATE_HZ, QUICK)
    (event,) = lay(stage, LEANING)
    assert isinstance(event, Askew)
    assert 40 < event.off_deg < 60
    assert len(stage.missing) == 6
    through_all_sides(stage)
    (event,) = lay(stage, SIDES[Side.X_UP])
    assert isinstance(event, Askew)
    assert event.side is Side.X_UP


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"acc_noise": 0.3}, "held in a hand"),
        ({"seconds": 0.9}, "too short"),
    ],
)
def test_what_is_not_still_is_not_measured(how, why):
    stage = SixPositions(RATE_HZ, QUICK)
    assert lay(stage, SIDES[Side.Y_UP], **how) == [], why


def test_what_sinks_slowly_is_not_still():
    stage = SixPositions(RATE_HZ, QUICK)
    acc, gyr = reading(SIDES[Side.Y_UP], acc_noise=0.01)
    assert stage.push(acc + np.linspace(0, 0.3, len(acc))[:, None], gyr) == []


def test_a_hole_in_the_stream_is_not_bridged():
    stage = SixPositions(RATE_HZ, QUICK)
    first, second = reading(SIDES[Side.Y_UP], 0.9), reading(SIDES[Side.Y_UP], 0.9)
    assert stage.push(*first) == []
    stage.interrupt()
    assert stage.push(*second) == []


def test_a_slow_turntable_is_not_rest():
    stage = SixPositions(RATE_HZ, QUICK)
    for seed, side in enumerate(Side):
        lay(stage, SIDES[side], turning=0.1 * (seed == 3))
    with pytest.raises(ImplausibleCalibration, match=r"differs by 4\.\d °/s between positions"):
        lay(stage, LEANING)


def test_axes_that_leak_do_not_pass_the_check():
    stage = SixPositions(RATE_HZ, QUICK)
    leak = np.eye(3) + 0.08 * np.array([[0, -1, 1], [-1, 0, -1], [1, -1, 0]])
    for side in Side:
        acc, gyr = reading(SIDES[side])
        stage.push(*moving())
        stage.push(acc @ leak, gyr)
    acc, gyr = reading(LEANING)
    stage.push(*moving())
    with pytest.raises(ImplausibleCalibration, match="leaning, it measures gravity"):
        stage.push(acc @ leak, gyr)


def test_a_sensor_of_another_range_than_it_says_is_refused():
    acc = 2 * GRAVITY * np.array(list(SIDES.values()))
    with pytest.raises(ImplausibleCalibration, match=r"scale error of 0\.50"):
        fit_calibration(acc, np.zeros((6, 3)))


def test_five_positions_are_too_few():
    with pytest.raises(ValueError, match="six positions"):
        fit_calibration(np.ones((5, 3)), np.ones((5, 3)))


@pytest.mark.parametrize(
    "changes",
    [
        {"acc_bias_m_s2": [0, 0, np.nan]},
        {"acc_scale": [1, 1]},
        {"acc_bias_m_s2": [0, 0, 3.0]},
        {"gyr_bias_rad_s": [0.5, 0, 0]},
    ],
)
def test_what_no_sensor_has_is_refused(changes):
    fine = {"acc_bias_m_s2": [0, 0, 0], "acc_scale": [1, 1, 1], "gyr_bias_rad_s": [0, 0, 0]}
    InertialCalibration(**fine)
    with pytest.raises((ValueError, ImplausibleCalibration)):
        InertialCalibration(**fine | changes)
