"""Sensors in somebody's hands feel what they should."""

from __future__ import annotations

import numpy as np
import pytest

from hardware_sim.errors import HardwareSimError
from hardware_sim.handling import handled


def test_a_sensor_lies_on_each_of_its_sides_and_then_leans() -> None:
    (source,) = handled("six_positions", 1, 21.0)
    acc, gyr, time_s = source.acc_m_s2, source.gyr_rad_s, source.elapsed_s
    ups = []
    for k in range(7):
        still = (time_s > 3 * k + 1.5) & (time_s < 3 * k + 2.9)
        assert np.linalg.norm(gyr[still].std(axis=0)) < 0.02
        mean = acc[still].mean(axis=0)
        assert np.linalg.norm(mean) == pytest.approx(9.81, abs=1.5)  # uncalibrated
        ups.append(mean / np.linalg.norm(mean))
    sides = np.vstack([np.eye(3), -np.eye(3)])
    assert np.array_equal(np.argmax(np.array(ups[:6]) @ sides.T, axis=1), np.arange(6))
    assert np.max(np.abs(ups[6])) < np.cos(np.radians(30))


def test_turning_and_gravity_agree() -> None:
    (source,) = handled("six_positions", 2, 21.0)
    turning = np.linalg.norm(source.gyr_rad_s, axis=1) > 0.5
    assert 0.1 < np.mean(turning) < 0.4
    # Gravity in sensor_frame turns against the sensor: du/dt = cross(u, rate).
    acc = source.acc_m_s2 / np.linalg.norm(source.acc_m_s2, axis=1)[:, None]
    slope = np.gradient(acc, source.elapsed_s, axis=0)
    expected = np.cross(acc, source.gyr_rad_s)
    assert np.corrcoef(slope[turning].ravel(), expected[turning].ravel())[0, 1] > 0.95


def test_one_after_the_other_is_moved_while_the_rest_lie_still() -> None:
    sources = handled("moved_in_turn", 1, 12.0)
    for k in range(3):
        lively = [
            np.linalg.norm(
                each.gyr_rad_s[(each.elapsed_s > 4 * k + 1.8) & (each.elapsed_s < 4 * k + 3.0)].std(axis=0)
            )
            for each in sources
        ]
        assert int(np.argmax(lively)) == k
        assert lively[k] > 1.0
        assert sorted(lively)[1] < 0.05


def test_too_short_is_refused() -> None:
    with pytest.raises(HardwareSimError, match="at least 6 s"):
        handled("six_positions", 1, 2.0)
