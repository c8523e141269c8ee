"""One quantity over the sessions of an athlete, and both sides compared: what is a change and what is not.

A session is told by the median of its repetitions. Its doubt is how much repetitions differ, and how far the
sensors can be trusted; a change is called one only beyond the minimal detectable change (Weir 2005).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit

if TYPE_CHECKING:
    from collections.abc import Sequence

FEWEST_SESSIONS = 4
"""Sessions before a minimal detectable change is said: fewer cannot tell a step from how much days differ."""
FEWEST_REPETITIONS = 3
"""Repetitions before a session says anything of its own scatter."""

_CONFIDENT = 1.96
_MEDIAN_OVER_MEAN = math.sqrt(math.pi / 2.0)
_SD_OF_MEDIAN_DEVIATION = 1.4826


@dataclass(frozen=True, slots=True)
class SessionValues:
    """One quantity of the repetitions of one session.

    Parameters
    ----------
    session
        Its id.
    started_ms
        When it began, UTC, ms since 1970.
    values
        One a repetition in which the quantity was measured, in its own unit; at least one.
    sds
        One-sigma of each as a measurement, in the same unit.
    """

    session: str
    started_ms: float
    values: tuple[float, ...]
    sds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SessionMedian:
    """What one session says.

    Parameters
    ----------
    session, started_ms, n
        Which one, when it began, and its repetitions.
    median
        Of them.
    sd
        One-sigma of that median; ``None`` where too few repetitions show how much they differ.
    """

    session: str
    started_ms: float
    n: int
    median: float
    sd: float | None


class DoubtSource(StrEnum):
    """Which of both estimates made the standard error of measurement: the larger one does."""

    REPEATS = "repeats"
    DAYS = "days"


@dataclass(frozen=True, slots=True)
class Detectable:
    """What it takes to be a change.

    Parameters
    ----------
    sem
        Standard error of measurement of one session's median.
    minimal_change
        Least difference of two sessions that is one, 95 %: 1.96 · √2 · ``sem``.
    source
        Where ``sem`` comes from.
    """

    sem: float
    minimal_change: float
    source: DoubtSource


@dataclass(frozen=True, slots=True)
class Change:
    """The newest session against the first.

    Parameters
    ----------
    since, until
        Ids of both.
    difference
        Newest - first.
    is_change
        It is beyond the minimal detectable change.
    """

    since: str
    until: str
    difference: float
    is_change: bool


@dataclass(frozen=True, slots=True)
class Course:
    """One quantity over sessions.

    Parameters
    ----------
    sessions
        By time, the oldest first.
    detectable, change
        ``None`` where it cannot be said.
    reason
        Why not; ``None`` where it can.
    """

    sessions: tuple[SessionMedian, ...]
    detectable: Detectable | None
    change: Change | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class SidesCompared:
    """Left against right in one session.

    Parameters
    ----------
    left, right
        Medians of both.
    difference
        Left - right.
    sd
        One-sigma of the difference; ``None``: too few repetitions.
    detectable
        Least difference that is one, 95 %: 1.96 · ``sd``.
    symmetry_percent
        Difference against the mean of both; ``None`` where a quantity can be zero or negative.
    is_difference
        It is beyond ``detectable``.
    """

    left: SessionMedian
    right: SessionMedian
    difference: float
    sd: float | None
    detectable: float | None
    symmetry_percent: float | None
    is_difference: bool


def course(sessions: Sequence[SessionValues]) -> Course:
    """Put sessions side by side.

    The standard error of measurement is the larger of two estimates. *Repeats*: root mean square, over the
    sessions, of the doubt of their medians, which holds the scatter of the repetitions and the uncertainty
    of the measurement; the latter does not average out over repetitions, because a sensor sits the same in
    all of them. *Days*: from the differences of successive sessions, by their median, so that one real step
    does not enlarge it and a slow trend little; widened by Student's t, as few differences tell it badly.

    Parameters
    ----------
    sessions
        In any order; those with fewer than `FEWEST_REPETITIONS` repetitions are shown, but neither compared
        nor used for the error.

    References
    ----------
    Weir JP. Quantifying test-retest reliability using the intraclass correlation coefficient and the SEM.
    J Strength Cond Res 19(1):231-240, 2005.
    """
    ordered = sorted(sessions, key=lambda one: one.started_ms)
    pooled = _pooled_scatter(ordered)
    medians = tuple(_median(one, pooled) for one in ordered)
    counted = [one for one in medians if one.n >= FEWEST_REPETITIONS]
    if len(counted) < FEWEST_SESSIONS:
        reason = (
            f"a change can be told from {FEWEST_SESSIONS} sessions of {FEWEST_REPETITIONS} repetitions on: "
            f"there {'is' if len(counted) == 1 else 'are'} {len(counted)}"
        )
        return Course(medians, None, None, reason)
    detectable = _detectable(counted)
    first, last = counted[0], counted[-1]
    difference = last.median - first.median
    change = Change(first.session, last.session, difference, abs(difference) > detectable.minimal_change)
    return Course(medians, detectable, change, None)


def compare_sides(left: SessionValues, right: SessionValues, *, is_positive: bool) -> SidesCompared:
    """Compare two sides that worked one after the other.

    Parameters
    ----------
    left, right
        Their repetitions.
    is_positive
        A range, a duration or a speed, whose difference means something as a part of the whole.
    """
    pooled = _pooled_scatter((left, right))
    first, second = _median(left, pooled), _median(right, pooled)
    sd = None if first.sd is None or second.sd is None else math.hypot(first.sd, second.sd)
    return _compared(first, second, first.median - second.median, sd, is_positive=is_positive)


def compare_paired(left: SessionValues, right: SessionValues, *, is_positive: bool) -> SidesCompared:
    """Compare two sides that worked together: what both do alike from repetition to repetition cancels.

    Parameters
    ----------
    left, right
        Of the same repetitions, in the same order.
    is_positive
        As in `compare_sides`.
    """
    differences = SessionValues(
        left.session,
        left.started_ms,
        tuple(a - b for a, b in zip(left.values, right.values, strict=True)),
        tuple(math.hypot(a, b) for a, b in zip(left.sds, right.sds, strict=True)),
    )
    told = _median(differences, _pooled_scatter((differences,)))
    first = _median(left, _pooled_scatter((left,)))
    second = _median(right, _pooled_scatter((right,)))
    return _compared(first, second, told.median, told.sd, is_positive=is_positive)


def _compared(
    left: SessionMedian, right: SessionMedian, difference: float, sd: float | None, *, is_positive: bool
) -> SidesCompared:
    detectable = None if sd is None else _CONFIDENT * sd
    whole = 0.5 * (left.median + right.median)
    return SidesCompared(
        left=left,
        right=right,
        difference=difference,
        sd=sd,
        detectable=detectable,
        symmetry_percent=100.0 * difference / whole if is_positive and whole > 0.0 else None,
        is_difference=detectable is not None and abs(difference) > detectable,
    )


def _median(one: SessionValues, pooled: float | None) -> SessionMedian:
    n = len(one.values)
    scatter = float(np.std(one.values, ddof=1)) if n >= FEWEST_REPETITIONS else pooled
    sd = None
    if scatter is not None:
        # Up to two values the median is the mean; of many normal ones it is worth 64 % of them.
        spread = scatter / math.sqrt(n) * (1.0 if n <= 2 else _MEDIAN_OVER_MEAN)
        own = math.sqrt(float(np.mean(np.square(one.sds))))
        sd = math.hypot(spread, own)
    return SessionMedian(one.session, one.started_ms, n, float(np.median(one.values)), sd)


def _pooled_scatter(sessions: Sequence[SessionValues]) -> float | None:
    """Scatter of repetitions inside sessions, over all that show one."""
    known = [one.values for one in sessions if len(one.values) >= FEWEST_REPETITIONS]
    if not known:
        return None
    squares = sum((len(values) - 1) * float(np.var(values, ddof=1)) for values in known)
    return math.sqrt(squares / sum(len(values) - 1 for values in known))


def _detectable(counted: Sequence[SessionMedian]) -> Detectable:
    repeats = math.sqrt(float(np.mean([one.sd**2 for one in counted if one.sd is not None])))
    steps = np.abs(np.diff([one.median for one in counted]))
    days = _SD_OF_MEDIAN_DEVIATION * float(np.median(steps)) / math.sqrt(2.0)
    days *= float(stdtrit(len(steps), 0.975)) / _CONFIDENT  # few steps tell it badly
    sem, source = (days, DoubtSource.DAYS) if days > repeats else (repeats, DoubtSource.REPEATS)
    return Detectable(sem, _CONFIDENT * math.sqrt(2.0) * sem, source)
