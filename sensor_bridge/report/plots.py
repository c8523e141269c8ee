"""The pictures of a report as geometry: paths, ticks and marks in the units of an SVG. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from analytics.imu import FloatArray

WIDTH, HEIGHT = 720, 185
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 16, 20, 24
_MOST_POINTS = 900
_DEGREE_STEPS = (10, 15, 30, 45, 60)
_SECOND_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600)
_MOST_DEGREE_TICKS, _MOST_SECOND_TICKS = 7, 9
_LEAST_RANGE_DEG = 40.0
_MARGIN_DEG = 2.0
_MS_PER_S = 1000.0
_BREAK_PERIODS = 3.0


@dataclass(frozen=True, slots=True)
class AngleStretch:
    """Angles over a stretch of time.

    Parameters
    ----------
    t_ms
        (n,) UTC, ms, increasing.
    angles_deg
        By name, (n,) each; NaN where nothing can be said.
    """

    t_ms: FloatArray
    angles_deg: Mapping[str, NDArray[np.floating[Any]]]

    def between(self, start_ms: float, end_ms: float) -> AngleStretch:
        """Cut out ``start_ms`` to ``end_ms``, both included."""
        first, last = np.searchsorted(self.t_ms, [start_ms, end_ms + 1e-6])
        return AngleStretch(
            self.t_ms[first:last], {name: values[first:last] for name, values in self.angles_deg.items()}
        )


@dataclass(frozen=True, slots=True)
class Moment:
    """A repetition in the picture: when it was lowered, and its number."""

    start_ms: float
    end_ms: float
    label: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of an axis: where, and what it says."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Band:
    """A shaded stretch of time, with a label in its middle."""

    x: float
    width: float
    middle: float
    label: str


@dataclass(frozen=True, slots=True)
class Curve:
    """One angle: its name, and the path's ``d``."""

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class AnglePlot:
    """Angles over the seconds of a set."""

    curves: tuple[Curve, ...]
    bands: tuple[Band, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    width: float = WIDTH
    height: float = HEIGHT
    left: float = _LEFT
    right: float = WIDTH - _RIGHT
    top: float = _TOP
    bottom: float = HEIGHT - _BOTTOM


def angle_plot(stretch: AngleStretch, lowerings: Sequence[Moment]) -> AnglePlot | None:
    """Draw the angles of a set.

    Parameters
    ----------
    stretch
        Its angles. Where samples are missing the curve is broken, never joined.
    lowerings
        Shaded, each with its number above.

    Returns
    -------
    AnglePlot or None
        None where not one angle is known.
    """
    known = {name: values for name, values in stretch.angles_deg.items() if np.any(np.isfinite(values))}
    if not known or len(stretch.t_ms) < 2:
        return None
    seconds = (stretch.t_ms - stretch.t_ms[0]) / _MS_PER_S
    low = min(0.0, *(float(np.nanmin(values)) for values in known.values())) - _MARGIN_DEG
    high = max(low + _LEAST_RANGE_DEG, *(float(np.nanmax(values)) for values in known.values())) + _MARGIN_DEG
    step = _step(high - low, _DEGREE_STEPS, _MOST_DEGREE_TICKS)
    end_s = float(seconds[-1])
    x = _Scale.between((0.0, end_s), (_LEFT, WIDTH - _RIGHT))
    y = _Scale.between((low, high), (HEIGHT - _BOTTOM, _TOP))
    return AnglePlot(
        curves=tuple(
            Curve(name, _path(seconds, x.at(seconds), y.at(values))) for name, values in known.items()
        ),
        bands=_bands(lowerings, float(stretch.t_ms[0]), x),
        x_ticks=_ticks(0.0, end_s, _step(end_s, _SECOND_STEPS, _MOST_SECOND_TICKS), x, " s"),
        y_ticks=_ticks(low, high, step, y, "°"),
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    """A straight line from a quantity to a place in the picture."""

    slope: float
    offset: float

    @classmethod
    def between(cls, values: tuple[float, float], places: tuple[float, float]) -> _Scale:
        slope = (places[1] - places[0]) / ((values[1] - values[0]) or 1.0)
        return cls(slope, places[0] - slope * values[0])

    def at(self, values: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        return self.offset + self.slope * values

    def place(self, value: float) -> float:
        return round(self.offset + self.slope * value, 1)


def _path(seconds: FloatArray, x: NDArray[np.floating[Any]], y: NDArray[np.floating[Any]]) -> str:
    """Write a path; it is broken where samples are missing."""
    every = max(1, math.ceil(len(x) / _MOST_POINTS))
    longest = _BREAK_PERIODS * float(np.median(np.diff(seconds))) * every
    parts = []
    before_s = -math.inf
    for second, at_x, at_y in zip(seconds[::every], x[::every], y[::every], strict=True):
        if math.isfinite(at_y):
            parts.append(f"{'L' if second - before_s <= longest else 'M'}{at_x:.1f} {at_y:.1f}")
            before_s = second
    return "".join(parts)


def _bands(lowerings: Sequence[Moment], zero_ms: float, x: _Scale) -> tuple[Band, ...]:
    bands = []
    for moment in lowerings:
        start, end = (x.place((edge - zero_ms) / _MS_PER_S) for edge in (moment.start_ms, moment.end_ms))
        start, end = max(start, _LEFT), min(end, WIDTH - _RIGHT)
        if end > start:
            bands.append(Band(start, round(end - start, 1), round((start + end) / 2.0, 1), moment.label))
    return tuple(bands)


def _step(span: float, steps: Sequence[int], most: int) -> int:
    return next((step for step in steps if span / step <= most), steps[-1])


def _ticks(low: float, high: float, step: int, scale: _Scale, unit: str) -> tuple[Tick, ...]:
    first = math.ceil(low / step)
    return tuple(
        Tick(scale.place(n * step), f"{n * step}{unit}".replace("-", "\N{MINUS SIGN}"))
        for n in range(first, math.floor(high / step) + 1)
    )
