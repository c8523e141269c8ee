"""The lines that two clocks can lie on, between the moments that bound them from above and below."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

Point: TypeAlias = tuple[float, float]
_Polygon: TypeAlias = list[tuple[float, float]]

_COMPARABLE: Final = 0.8
_LEAST_SLACK: Final = 100_000.0  # ns: what times in whole microseconds and a crystal's slow bend explain


@dataclass(frozen=True, slots=True)
class CentralLine:
    """The middle of all possible lines.

    Parameters
    ----------
    slope
        Of the line.
    value
        Of the line, at the abscissa asked for.
    bound
        How far, at that abscissa, the furthest possible line is from it.
    """

    slope: float
    value: float
    bound: float


def central_line(above: Sequence[Point], below: Sequence[Point], at: float, steepest: float) -> CentralLine:
    """Find the middle of all lines that pass under some points and over others.

    Each point is a half-plane in (slope, value at `at`); what is left of them is a convex polygon, every
    line of which explains all points; its centroid is their mean (set-membership estimation: Milanese and
    Vicino, "Optimal estimation theory for dynamic systems with set membership uncertainty", Automatica 27,
    1991). Where the points below waited at random, lines far above them are left out. Where no line explains
    all points, they give way equally and by as little as needed, to a factor of two.

    Parameters
    ----------
    above, below
        Points that lie on or above, and on or below the line: abscissa, ordinate, finite; each at least one,
        the abscissas increasing.
    at
        Where the value is wanted.
    steepest
        Slopes up to this size, either way, are believed.
    """
    over = _hull(above, sign=1.0)
    under = _hull(below, sign=-1.0)
    slack = 0.0
    ordinates = [y for _, y in (*over, *under)]
    lowest, highest = min(ordinates), max(ordinates)
    span = steepest * max(abs(x - at) for x, _ in (*over, *under))
    while True:
        reach = span + slack + 1.0
        polygon: _Polygon = [
            (-steepest, lowest - reach),
            (steepest, lowest - reach),
            (steepest, highest + reach),
            (-steepest, highest + reach),
        ]
        for x, y in over:
            polygon = _clip(polygon, x - at, 1.0, y + slack)
        for x, y in under:
            polygon = _clip(polygon, at - x, -1.0, slack - y)
        if len(polygon) > 2:
            likely = _near_the_scattered(polygon, below, under, at)
            slope, value = _centroid(likely if len(likely) > 2 else polygon)
            return CentralLine(slope, value, max(abs(v - value) for _, v in polygon))
        slack = max(2.0 * slack, _LEAST_SLACK)


def _hull(points: Sequence[Point], *, sign: float) -> list[Point]:
    """Keep the points that can bound a line: the lower hull for sign 1, the upper one for -1."""
    hull: list[Point] = []
    for x, y in points:
        while len(hull) > 1:
            (x0, y0), (x1, y1) = hull[-2], hull[-1]
            if sign * ((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)) > 0.0:
                break
            hull.pop()
        hull.append((x, y))
    return hull


def _clip(polygon: _Polygon, a: float, b: float, limit: float) -> _Polygon:
    """Keep the part of a convex polygon where a·slope + b·value does not exceed a limit."""
    kept: _Polygon = []
    for k, (s1, v1) in enumerate(polygon):
        s0, v0 = polygon[k - 1]
        excess0, excess1 = a * s0 + b * v0 - limit, a * s1 + b * v1 - limit
        if (excess0 > 0.0) is not (excess1 > 0.0):
            share = excess0 / (excess0 - excess1)
            kept.append((s0 + share * (s1 - s0), v0 + share * (v1 - v0)))
        if excess1 <= 0.0:
            kept.append((s1, v1))
    return kept


def _near_the_scattered(polygon: _Polygon, below: Sequence[Point], hull: list[Point], at: float) -> _Polygon:
    """Keep the lines that are not implausibly far above points that scatter as far as the gap is wide.

    Of n waiting times that are spread over a range R, none falls into the first d of it with the chance
    (R / (R + d))^n: 5 % at d = 3 R / n. Points that scatter less than the gap is wide have all waited alike,
    and say nothing of how long that was.
    """
    centre = sum(x for x, _ in below) / len(below)
    right = next((k for k, (x, _) in enumerate(hull) if k and x >= centre and x > hull[k - 1][0]), None)
    if right is None:
        return polygon
    (x0, y0), (x1, y1) = hull[right - 1], hull[right]
    slope = (y1 - y0) / (x1 - x0)
    floor = y0 + slope * (centre - x0)
    spread = 2.0 * median(y0 + slope * (x - x0) - y for x, y in below)
    gap = max(v + s * (centre - at) for s, v in polygon) - floor
    if spread < _COMPARABLE * gap:
        return polygon
    return _clip(polygon, centre - at, 1.0, floor + 3.0 * spread / len(below))


def _centroid(polygon: _Polygon) -> tuple[float, float]:
    s_origin, v_origin = polygon[0]
    area = s_moment = v_moment = 0.0
    for k, (s1, v1) in enumerate(polygon):
        s0, v0 = polygon[k - 1]
        # Relative to a corner: slopes of 1e-6 beside values of 1e12 leave no digits otherwise.
        a0, b0, a1, b1 = s0 - s_origin, v0 - v_origin, s1 - s_origin, v1 - v_origin
        cross = a0 * b1 - a1 * b0
        area += cross
        s_moment += (a0 + a1) * cross
        v_moment += (b0 + b1) * cross
    if area > 0.0:
        return s_origin + s_moment / (3.0 * area), v_origin + v_moment / (3.0 * area)
    return sum(s for s, _ in polygon) / len(polygon), sum(v for _, v in polygon) / len(polygon)
