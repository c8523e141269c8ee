"""How good a session's data are: what is missing, what is doubtful, what could not be measured. Pure."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from sensor_bridge.report.wording import LABELS, counted, with_unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sensor_bridge.archive.answers import ArchivedRepetition, ArchivedSet
    from sensor_bridge.report.plots import AngleStretch

PLOTTED = ("hip_flexion_left_deg", "hip_flexion_right_deg", "pelvic_tilt_deg")
"""The angles of a set's picture."""

_NOTABLE_S = 0.1
_TOLD = (
    "eccentric_s",
    "concentric_s",
    "hip_flexion_left_range_deg",
    "hip_flexion_right_range_deg",
    "pelvic_tilt_range_deg",
    "pelvic_obliquity_peak_deg",
    "lockout_deficit_deg",
    "pelvic_rotation_range_deg",
    "hinge_share",
)


def quality_words(
    sets: Sequence[ArchivedSet], standing: Sequence[ArchivedRepetition], angles: AngleStretch | None
) -> Iterable[str]:
    """Say what spoils the numbers; nothing where nothing does."""
    unclear = [one for one in standing if one.status == "unconfirmed"]
    if unclear:
        yield f"{counted(len(unclear), 'repetition')} counted that may be none: {places(unclear)}."
    open_ones = [one for one in standing if not one.final]
    if open_ones:
        yield f"Measured live only, not measured anew when finished: {places(open_ones)}."
    warnings: dict[str, list[ArchivedRepetition]] = defaultdict(list)
    for one in standing:
        for warning in one.warnings:
            warnings[warning].append(one)
    for warning, where in warnings.items():
        yield f"{warning[:1].upper()}{warning[1:]} ({places(where)})."
    if angles is None:
        yield "The angles of this session were not kept: there are no pictures."
        return
    for summary in sets:
        start_ms, end_ms = summary.start_ms, summary.end_ms
        if start_ms is not None and end_ms is not None:
            missing_s = _missing_s(angles.between(start_ms, end_ms), end_ms - start_ms)
            if missing_s >= _NOTABLE_S:
                yield f"Set {summary.set}: no hip angle and no tilt for {with_unit(missing_s, 1, 's')} of it."


def _missing_s(stretch: AngleStretch, length_ms: float) -> float:
    """Time without any of the plotted angles, s."""
    if len(stretch.t_ms) < 2:
        return length_ms / 1000.0
    known = np.zeros(len(stretch.t_ms), dtype=bool)
    for name in PLOTTED:
        if name in stretch.angles_deg:
            known |= np.isfinite(stretch.angles_deg[name])
    period_ms = float(np.median(np.diff(stretch.t_ms)))
    return max(0.0, length_ms - float(np.count_nonzero(known)) * period_ms - period_ms) / 1000.0


def not_measured_words(standing: Sequence[ArchivedRepetition]) -> Iterable[str]:
    """Name what could not be measured, by reason, and where."""
    reasons: dict[str, dict[str, list[ArchivedRepetition]]] = defaultdict(lambda: defaultdict(list))
    for one in standing:
        for name in _TOLD:
            if getattr(one, name) is None and name in one.reasons:
                reasons[one.reasons[name]][LABELS[name]].append(one)
    for reason, quantities in reasons.items():
        wholly = all(len(where) == len(standing) for where in quantities.values())
        where = "" if wholly else f" ({places(next(iter(quantities.values())))})"
        yield f"{', '.join(quantities)}: {reason}{where}."


def places(repetitions: Sequence[ArchivedRepetition]) -> str:
    """``set 1, repetitions 4, 5; set 2, repetition 1``."""
    by_set: dict[int, list[str]] = defaultdict(list)
    for one in repetitions:
        by_set[one.set].append(str(one.repetition))
    return "; ".join(
        f"set {number_of_set}, repetition{'s' if len(found) > 1 else ''} {', '.join(found)}"
        for number_of_set, found in by_set.items()
    )
