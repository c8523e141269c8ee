"""What a set shows beyond its repetitions: sums by phase, trends, where form broke, both sides."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from analytics.exercises import Side
from analytics.form import FaultCode
from analytics.repetition_figures import Figure, Measured, Unmeasured, with_figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analytics.repetition_figures import Repetition

# Faults of tempo and depth are no form: they are told by adherence.
_NOT_FORM = {FaultCode.FAST_ECCENTRIC, FaultCode.UNEVEN_TEMPO, FaultCode.SHORT_RANGE}
_FEWEST_FOR_A_TREND = 4
_DETECTABLE = 1.96
_SUMS = {
    "tut_s": "tut_s",
    "eccentric_tut_s": "eccentric_s",
    "bottom_tut_s": "bottom_pause_s",
    "concentric_tut_s": "concentric_s",
}
_TRENDS = {
    "eccentric_trend_s": "eccentric_s",
    "concentric_speed_trend_deg_s": "concentric_mean_deg_s",
    "range_trend_deg": "pelvic_tilt_range_deg",
    "lockout_trend_deg": "lockout_deficit_deg",
}


@dataclass(frozen=True, slots=True)
class SetFigures:
    """Figures of one set.

    Parameters
    ----------
    figures
        By name; each a number with its sd and kind, or the reason why there is none:
        ``tut_s``, ``eccentric_tut_s``, ``bottom_tut_s``, ``concentric_tut_s``: sums, s;
        ``mean_eccentric_s``: s;
        ``eccentric_trend_s``, ``concentric_speed_trend_deg_s``, ``range_trend_deg``, ``lockout_trend_deg``:
        change from one repetition to the next;
        ``velocity_loss_percent``: of the last repetition against the fastest;
        ``hip_range_difference_deg``: left - right, degrees, and ``hip_range_detectable_deg``: the least
        difference that is one;
        ``hip_range_symmetry_percent``: that difference against the mean of both.
    form_broke_at
        First repetition with a fault of form; ``None``: there was none.
    fastest_repetition, slowest_repetition
        By the mean speed of the concentric; ``None`` where they cannot be told apart.
    """

    figures: Mapping[str, Figure]
    form_broke_at: int | None
    fastest_repetition: int | None
    slowest_repetition: int | None

    def value(self, name: str) -> float | None:
        """Figure by name, or ``None``."""
        figure = self.figures[name]
        return figure.value if isinstance(figure, Measured) else None


def set_figures(repetitions: Sequence[Repetition], side: Side) -> SetFigures:
    """Sum up a set.

    Parameters
    ----------
    repetitions
        Of one set, in order; at least one.
    side
        Working side.
    """
    figures: dict[str, Figure] = {name: _sum(repetitions, of) for name, of in _SUMS.items()}
    eccentric = [r for r in repetitions if r.eccentric_s is not None]
    total = figures["eccentric_tut_s"]
    figures["mean_eccentric_s"] = (
        Measured(total.value / len(eccentric), total.sd / len(eccentric), total.kind)
        if isinstance(total, Measured)
        else total
    )
    figures.update({name: _trend(repetitions, of) for name, of in _TRENDS.items()})
    figures["velocity_loss_percent"] = _last_loss(repetitions)
    figures.update(_sides(repetitions, side))
    fastest, slowest = _extremes(repetitions)
    return SetFigures(
        figures=MappingProxyType(figures),
        form_broke_at=next(
            (
                r.repetition_number
                for r in repetitions
                if any(fault.code not in _NOT_FORM for fault in r.faults)
            ),
            None,
        ),
        fastest_repetition=fastest,
        slowest_repetition=slowest,
    )


def with_velocity_loss(repetition: Repetition, before: Sequence[Repetition]) -> Repetition:
    """Complete a repetition by its loss of speed against the fastest of its set until then.

    Parameters
    ----------
    repetition
        As measured.
    before
        Those before it in its set.
    """
    return with_figure(repetition, "velocity_loss_percent", _loss(repetition, [*before, repetition]))


def _loss(repetition: Repetition, among: Sequence[Repetition]) -> Figure:
    name = "concentric_mean_deg_s"
    own = repetition.concentric_mean_deg_s
    if own is None:
        return Unmeasured(repetition.reasons.get(name, "the speed of the concentric is not known"))
    known = [(r.concentric_mean_deg_s, r.sd[name]) for r in among if r.concentric_mean_deg_s is not None]
    best, best_sd = max(known)
    if best <= 0.0:
        return Unmeasured("the concentric did not move")
    # What skin and scale do to a speed they do to all of them alike: only the fixed part is left.
    sd = 100.0 * math.hypot(repetition.sd[name], best_sd) / best if own != best else 0.0
    return Measured(100.0 * (1.0 - own / best), sd, repetition.kind[name])


def _last_loss(repetitions: Sequence[Repetition]) -> Figure:
    if len(repetitions) < 2:
        return Unmeasured("one repetition has nothing to be compared with")
    return _loss(repetitions[-1], repetitions)


def _sum(repetitions: Sequence[Repetition], name: str) -> Figure:
    known = [(getattr(r, name), r.sd[name]) for r in repetitions if getattr(r, name) is not None]
    if not known:
        return Unmeasured("no repetition of the set could be timed")
    return Measured(math.fsum(value for value, _ in known), math.hypot(*(sd for _, sd in known)))


def _trend(repetitions: Sequence[Repetition], name: str) -> Figure:
    known = [
        (r.repetition_number, getattr(r, name), r.sd[name])
        for r in repetitions
        if getattr(r, name) is not None
    ]
    if len(known) < _FEWEST_FOR_A_TREND:
        return Unmeasured(f"a trend needs {_FEWEST_FOR_A_TREND} repetitions or more")
    number, value, own_sd = (np.array(column, dtype=np.float64) for column in zip(*known, strict=True))
    centred = number - number.mean()
    spread = float(np.sum(centred**2))
    slope = float(np.sum(centred * value)) / spread
    left = value - value.mean() - slope * centred
    scatter = math.sqrt(float(np.sum(left**2)) / (len(known) - 2))
    # Repetitions differ more than they are uncertain, or less: the larger of the two makes the doubt.
    sd = max(scatter, float(np.sqrt(np.mean(own_sd**2)))) / math.sqrt(spread)
    return Measured(slope, sd)


def _sides(repetitions: Sequence[Repetition], side: Side) -> dict[str, Figure]:
    names = ("hip_range_difference_deg", "hip_range_detectable_deg", "hip_range_symmetry_percent")
    if side is not Side.BOTH:
        return dict.fromkeys(names, Unmeasured("one side works in this set: compare it with the other's set"))
    left_name, right_name = "hip_flexion_left_range_deg", "hip_flexion_right_range_deg"
    both = [
        r
        for r in repetitions
        if r.hip_flexion_left_range_deg is not None and r.hip_flexion_right_range_deg is not None
    ]
    if not both:
        return dict.fromkeys(names, Unmeasured("both thighs must be worn to compare the sides"))
    left = np.array([r.hip_flexion_left_range_deg for r in both])
    right = np.array([r.hip_flexion_right_range_deg for r in both])
    difference = float(np.mean(left - right))
    # How a sensor sits does not change from one repetition to the next: it does not average out.
    steady = float(np.mean([math.hypot(r.sd[left_name], r.sd[right_name]) for r in both]))
    scatter = float(np.std(left - right, ddof=1)) / math.sqrt(len(both)) if len(both) > 1 else 0.0
    sd = math.hypot(steady, scatter)
    whole = 0.5 * float(np.mean(left + right))
    return {
        "hip_range_difference_deg": Measured(difference, sd),
        "hip_range_detectable_deg": Measured(_DETECTABLE * sd, 0.0),
        "hip_range_symmetry_percent": Measured(100.0 * difference / whole, 100.0 * sd / whole)
        if whole > 0.0
        else Unmeasured("the hips did not move"),
    }


def _extremes(repetitions: Sequence[Repetition]) -> tuple[int | None, int | None]:
    name = "concentric_mean_deg_s"
    known = sorted(
        (r.concentric_mean_deg_s, r.sd[name], r.repetition_number)
        for r in repetitions
        if r.concentric_mean_deg_s is not None
    )
    if len(known) < 2:
        return None, None
    (slow, slow_sd, slowest), (fast, fast_sd, fastest) = known[0], known[-1]
    return (fastest, slowest) if fast - slow > math.hypot(slow_sd, fast_sd) else (None, None)
