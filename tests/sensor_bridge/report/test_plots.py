from __future__ import annotations

import re

import numpy as np
import pytest

from sensor_bridge.report.plots import AngleStretch, Moment, angle_plot

RATE_HZ = 100.0


def stretch(hip: np.ndarray, start_ms: float = 1e12, **others: np.ndarray) -> AngleStretch:
    return AngleStretch(start_ms + np.arange(len(hip)) * 1000.0 / RATE_HZ, {"hip": hip, **others})


def points(path: str) -> list[tuple[str, float, float]]:
    return [(m[0], float(m[1]), float(m[2])) for m in re.findall(r"([ML])([\d.]+) ([\d.]+)", path)]


def test_a_curve_goes_from_edge_to_edge_and_up_is_more() -> None:
    plot = angle_plot(stretch(np.linspace(0.0, 80.0, 801)), [])
    assert plot is not None
    drawn = points(plot.curves[0].path)
    assert drawn[0][1:] == pytest.approx(
        (plot.left, plot.bottom - 2.0 * (plot.bottom - plot.top) / 84.0), abs=0.1
    )
    assert drawn[-1][1] == pytest.approx(plot.right, abs=0.1)
    assert drawn[-1][2] < drawn[0][2]
    assert [tick.label for tick in plot.y_ticks] == ["0°", "15°", "30°", "45°", "60°", "75°"]
    assert [tick.label for tick in plot.x_ticks] == [f"{second} s" for second in range(9)]


def test_a_curve_is_broken_where_nothing_is_known_and_where_samples_are_missing() -> None:
    hip = np.full(600, 30.0)
    hip[200:250] = np.nan
    whole = stretch(hip)
    holed = AngleStretch(
        np.delete(whole.t_ms, slice(400, 450)), {"hip": np.delete(whole.angles_deg["hip"], slice(400, 450))}
    )
    plot = angle_plot(holed, [])
    assert plot is not None
    assert [kind for kind, *_ in points(plot.curves[0].path)].count("M") == 3


def test_lowerings_are_shaded_inside_the_picture_only() -> None:
    there = stretch(np.zeros(1000))
    begin = float(there.t_ms[0])
    lowerings = [
        Moment(begin - 500.0, begin + 1000.0, "1"),
        Moment(begin + 5000.0, begin + 6000.0, "2"),
        Moment(begin + 60_000.0, begin + 61_000.0, "3"),
    ]
    plot = angle_plot(there, lowerings)
    assert plot is not None
    assert [band.label for band in plot.bands] == ["1", "2"]
    assert plot.bands[0].x == plot.left
    assert plot.bands[1].width == pytest.approx((plot.right - plot.left) / 9.99, abs=0.2)


def test_nothing_is_drawn_of_what_was_not_measured() -> None:
    nothing = np.full(100, np.nan)
    assert angle_plot(stretch(nothing), []) is None
    assert angle_plot(stretch(np.empty(0)), []) is None
    plot = angle_plot(stretch(nothing, tilt=np.full(100, -20.0)), [])
    assert plot is not None
    assert [curve.name for curve in plot.curves] == ["tilt"]
    assert plot.y_ticks[0].label == "\N{MINUS SIGN}20°"
