"""An athlete's progress in one exercise, and both sides compared, as the HTTP API gives them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from analytics.progress import (
    Course,
    DoubtSource,
    SessionMedian,
    SessionValues,
    SidesCompared,
    compare_paired,
    compare_sides,
    course,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sensor_bridge.mqtt.payloads import Repetition

RepetitionsBySession: TypeAlias = "Mapping[tuple[str, float], Sequence[Repetition]]"
"""By id and start (UTC ms) of the session: the repetitions of one exercise that stand."""

LEFT_HIP, RIGHT_HIP = "hip_flexion_left_range_deg", "hip_flexion_right_range_deg"
BOTH_HIPS = "hip_flexion_range_deg"
"""Name under which the ranges of the working hips are compared."""


class SideValue(Struct, frozen=True, kw_only=True):
    """One side in one session: the median of n repetitions and its one-sigma; null: it is not known."""

    n: int
    median: float
    sd_of_median: float | None


class SessionValue(SideValue, frozen=True, kw_only=True):
    """A quantity in one session."""

    session: str
    started_ms: float


class Change(Struct, frozen=True, kw_only=True):
    """The newest session against the first: newest - first, and whether that is a change."""

    since: str
    until: str
    difference: float
    is_change: bool


class MetricProgress(Struct, frozen=True, kw_only=True):
    """A quantity over sessions, the oldest first.

    Attributes
    ----------
    unit, digits
        As people read it.
    side
        Which one works: ``left``, ``right`` or ``both``.
    minimal_detectable_change
        Least difference of two sessions that is one (95 %); null where it cannot be said.
    how
        Where that comes from, or why it cannot be said.
    change
        Null where it cannot be said.
    """

    unit: str
    digits: int
    side: str
    sessions: list[SessionValue]
    minimal_detectable_change: float | None
    how: str
    change: Change | None


class Sides(Struct, frozen=True, kw_only=True):
    """Both sides in one session.

    Attributes
    ----------
    difference, sd
        Left - right, and its one-sigma; null: too few repetitions.
    detectable
        Least difference that is one (95 %).
    symmetry_percent
        Difference against the mean of both; null where the quantity may be zero or negative.
    is_difference
        It is beyond `detectable`.
    """

    session: str
    started_ms: float
    left: SideValue
    right: SideValue
    difference: float
    sd: float | None
    detectable: float | None
    symmetry_percent: float | None
    is_difference: bool


class SidesProgress(Struct, frozen=True, kw_only=True):
    """Both sides over sessions, the oldest first."""

    unit: str
    digits: int
    sessions: list[Sides]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A quantity whose course is told.

    Parameters
    ----------
    name
        Field of a repetition.
    unit, digits
        As people read it.
    is_positive
        A range, a duration or a speed.
    is_magnitude
        Its sign is a side: how far it is from zero is what is followed.
    """

    name: str
    unit: str
    digits: int
    is_positive: bool = False
    is_magnitude: bool = False


QUANTITIES = (
    Quantity(LEFT_HIP, "°", 0, is_positive=True),
    Quantity(RIGHT_HIP, "°", 0, is_positive=True),
    Quantity("pelvic_tilt_range_deg", "°", 0, is_positive=True),
    Quantity("eccentric_s", "s", 1, is_positive=True),
    Quantity("concentric_mean_deg_s", "°/s", 0, is_positive=True),
    Quantity("lockout_deficit_deg", "°", 1),
    Quantity("pelvic_obliquity_peak_deg", "°", 1, is_magnitude=True),
    Quantity("hinge_share", "", 2),
)
"""What is followed over sessions, in the order of the page."""

_BY_NAME = {quantity.name: quantity for quantity in QUANTITIES}
_SOURCES = {
    DoubtSource.REPEATS: "from how much repetitions differ and how far the sensors can be trusted",
    DoubtSource.DAYS: "from how much one session differs from the next",
}


def metrics_progress(sessions: RepetitionsBySession) -> dict[str, MetricProgress]:
    """Tell the courses of all quantities over the sessions of one athlete.

    Parameters
    ----------
    sessions
        In any order. Repetitions taken back are passed over.

    Returns
    -------
    dict
        By name of the quantity; ``.left`` or ``.right`` stands behind it where one side works. What was
        never measured is not there.
    """
    told = {}
    for side in ("both", "left", "right"):
        for quantity in QUANTITIES:
            if side != "both" and quantity.name in {LEFT_HIP, RIGHT_HIP} and side not in quantity.name:
                continue  # the free leg
            known = [
                found
                for key, repetitions in sessions.items()
                if (found := _values(key, _working(repetitions, side), quantity)) is not None
            ]
            if known:
                name = quantity.name if side == "both" else f"{quantity.name}.{side}"
                told[name] = _metric(quantity, side, course(known))
    return told


def sides_progress(sessions: RepetitionsBySession) -> dict[str, SidesProgress]:
    """Compare both sides in each session, by name of the quantity; empty where that cannot be done."""
    told: dict[str, SidesProgress] = {}
    for key, repetitions in sorted(sessions.items(), key=lambda item: item[0][1]):
        for quantity_name, (quantity, compared) in _compared(key, repetitions).items():
            progress = told.setdefault(
                quantity_name, SidesProgress(unit=quantity.unit, digits=quantity.digits, sessions=[])
            )
            progress.sessions.append(_sides(compared))
    return told


def _compared(
    key: tuple[str, float], repetitions: Sequence[Repetition]
) -> dict[str, tuple[Quantity, SidesCompared]]:
    left, right = _working(repetitions, "left"), _working(repetitions, "right")
    if left and right:
        pairs = [(BOTH_HIPS, _BY_NAME[LEFT_HIP], _BY_NAME[RIGHT_HIP])]
        pairs += [(q.name, q, q) for q in QUANTITIES if q.name not in {LEFT_HIP, RIGHT_HIP}]
        return {
            name: (of_left, compare_sides(ours, theirs, is_positive=of_left.is_positive))
            for name, of_left, of_right in pairs
            if (ours := _values(key, left, of_left)) is not None
            and (theirs := _values(key, right, of_right)) is not None
        }
    quantity = _BY_NAME[LEFT_HIP]
    together = [
        one
        for one in _working(repetitions, "both")
        if _is_known(one, quantity) and _is_known(one, _BY_NAME[RIGHT_HIP])
    ]
    ours, theirs = _values(key, together, quantity), _values(key, together, _BY_NAME[RIGHT_HIP])
    if ours is None or theirs is None:
        return {}
    return {BOTH_HIPS: (quantity, compare_paired(ours, theirs, is_positive=True))}


def _working(repetitions: Iterable[Repetition], side: str) -> list[Repetition]:
    return [one for one in repetitions if one.side == side and one.status != "withdrawn"]


def _is_known(repetition: Repetition, quantity: Quantity) -> bool:
    """Say whether it was measured with an uncertainty that is known."""
    return getattr(repetition, quantity.name) is not None and quantity.name in repetition.sd


def _values(
    key: tuple[str, float], repetitions: Iterable[Repetition], quantity: Quantity
) -> SessionValues | None:
    known = [one for one in repetitions if _is_known(one, quantity)]
    if not known:
        return None
    values = tuple(float(getattr(one, quantity.name)) for one in known)
    return SessionValues(
        session=key[0],
        started_ms=key[1],
        values=tuple(map(abs, values)) if quantity.is_magnitude else values,
        sds=tuple(one.sd[quantity.name] for one in known),
    )


def _metric(quantity: Quantity, side: str, told: Course) -> MetricProgress:
    change = told.change
    return MetricProgress(
        unit=quantity.unit,
        digits=quantity.digits,
        side=side,
        sessions=[
            SessionValue(
                session=one.session,
                started_ms=one.started_ms,
                n=one.n,
                median=one.median,
                sd_of_median=one.sd,
            )
            for one in told.sessions
        ],
        minimal_detectable_change=told.detectable.minimal_change if told.detectable else None,
        how=_how(quantity, told),
        change=None
        if change is None
        else Change(
            since=change.since, until=change.until, difference=change.difference, is_change=change.is_change
        ),
    )


def _how(quantity: Quantity, told: Course) -> str:
    if told.detectable is None:
        return told.reason or ""
    space = "" if quantity.unit in {"", "°"} else " "
    sem = f"{told.detectable.sem:.{quantity.digits + 1}f}{space}{quantity.unit}"
    return f"1.96 · √2 · {sem} standard error of measurement, {_SOURCES[told.detectable.source]}"


def _sides(told: SidesCompared) -> Sides:
    return Sides(
        session=told.left.session,
        started_ms=told.left.started_ms,
        left=_side(told.left),
        right=_side(told.right),
        difference=told.difference,
        sd=told.sd,
        detectable=told.detectable,
        symmetry_percent=told.symmetry_percent,
        is_difference=told.is_difference,
    )


def _side(told: SessionMedian) -> SideValue:
    return SideValue(n=told.n, median=told.median, sd_of_median=told.sd)
