from __future__ import annotations

import numpy as np
import pytest

from analytics.clock_bounds import central_line


def test_points_that_leave_one_line_give_that_line() -> None:
    points = [(x, 2.0 + 0.5 * x) for x in (0.0, 3.0, 10.0)]
    line = central_line(points, points, 10.0, steepest=1.0)
    assert (line.slope, line.value, line.bound) == pytest.approx((0.5, 7.0, 0.0), abs=1e5)
    far = [(x * 1e9, 4e9 + 5e-5 * x * 1e9) for x in (0.0, 100.0, 300.0)]  # ns, 50 ppm
    line = central_line(far, far, 300e9, steepest=2e-4)
    assert line.slope * 1e6 == pytest.approx(50.0, abs=1.0)
    assert line.value == pytest.approx(4e9 + 15e6, abs=0.2e6)


def test_the_centre_of_a_strip_and_how_far_its_edges_are() -> None:
    xs = np.linspace(0.0, 100e9, 11).tolist()
    line = central_line([(x, 10e6) for x in xs], [(x, 0.0) for x in xs], 50e9, steepest=2e-4)
    assert line.slope == pytest.approx(0.0, abs=1e-9)
    assert (line.value, line.bound) == pytest.approx((5e6, 5e6), rel=1e-6)


def test_one_point_on_each_side_is_enough() -> None:
    line = central_line([(0.0, 8e6)], [(0.0, 2e6)], 0.0, steepest=2e-4)
    assert (line.slope, line.value, line.bound) == pytest.approx((0.0, 5e6, 3e6))


def test_a_point_told_twice_says_no_more() -> None:
    once = central_line([(0.0, 8e6)], [(0.0, 2e6)], 0.0, steepest=2e-4)
    twice = central_line([(0.0, 8e6)] * 2, [(0.0, 2e6)] * 2, 0.0, steepest=2e-4)
    assert (twice.slope, twice.value, twice.bound) == pytest.approx((once.slope, once.value, once.bound))


def test_points_that_waited_at_random_pull_the_line_to_where_none_had_to_wait() -> None:
    random = np.random.default_rng(1)
    xs = np.sort(random.uniform(0.0, 300e9, 100))
    above = [(x, 28e6) for x in np.linspace(0.0, 300e9, 50).tolist()]
    scattered = [(x, -wait) for x, wait in zip(xs.tolist(), random.uniform(0.0, 30e6, 100), strict=True)]
    alike = [(x, -wait) for x, wait in zip(xs.tolist(), random.uniform(0.0, 1e6, 100), strict=True)]
    near, middle = (central_line(above, below, 300e9, steepest=2e-4) for below in (scattered, alike))
    assert abs(near.value) < 3e6
    assert middle.value == pytest.approx(14e6, abs=1e6)
    assert near.bound > 20e6  # it is likely there, and possibly elsewhere


def test_contradictions_are_shared() -> None:
    xs = np.linspace(0.0, 100e9, 11).tolist()
    line = central_line([(x, -2e6) for x in xs], [(x, 2e6) for x in xs], 50e9, steepest=2e-4)
    assert line.value == pytest.approx(0.0, abs=1e5)
