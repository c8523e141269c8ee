"""How a repetition went, in one of three marks and in words: the same limits as on the page. Pure.

The faults that the bridge found stand; what it measures but does not judge is held against the default
limits of the metrics. Nothing is said that its uncertainty could explain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sensor_bridge.mqtt.payloads import FoundFault

if TYPE_CHECKING:
    from sensor_bridge.mqtt.payloads import Repetition

Mark = Literal["good", "watch", "bad"]

LEVEL_LIMIT_DEG, LEVEL_BAD_DEG = 5.0, 10.0
LOCKOUT_LIMIT_DEG, LOCKOUT_BAD_DEG = 5.0, 10.0
OVER_EXTENSION_DEG = -10.0
_GROSS = 2.0  # times the threshold


@dataclass(frozen=True, slots=True)
class Judgement:
    """A mark, and what was found, the worst first."""

    mark: Mark
    found: tuple[FoundFault, ...]


def judge(repetition: Repetition) -> Judgement:
    """Judge a repetition."""
    marked = [(_mark(fault), fault) for fault in repetition.faults]
    known = {fault.code for fault in repetition.faults}
    marked += [(mark, fault) for mark, fault in _own(repetition) if fault.code not in known]
    marked.sort(key=lambda item: item[0] != "bad")
    missed = any(part.keeping in {"short", "long"} for part in repetition.adherence)
    if marked:
        return Judgement(marked[0][0], tuple(fault for _, fault in marked))
    return Judgement("watch" if missed or repetition.status == "unconfirmed" else "good", ())


def _mark(fault: FoundFault) -> Mark:
    is_gross = fault.value is not None and fault.threshold and fault.value / fault.threshold >= _GROSS
    return "bad" if is_gross else "watch"


def _own(repetition: Repetition) -> list[tuple[Mark, FoundFault]]:
    lockout, level = repetition.lockout_deficit_deg, repetition.pelvic_obliquity_peak_deg
    found: list[tuple[Mark, FoundFault]] = []
    if lockout is not None:
        sd = repetition.sd.get("lockout_deficit_deg", 0.0)
        if lockout - LOCKOUT_LIMIT_DEG > sd:
            fault = FoundFault(code="incomplete_lockout", value=lockout, threshold=LOCKOUT_LIMIT_DEG, sd=sd)
            found.append(("bad" if lockout - LOCKOUT_BAD_DEG > sd else "watch", fault))
        if OVER_EXTENSION_DEG - lockout > sd:
            fault = FoundFault(code="over_extension", value=lockout, threshold=OVER_EXTENSION_DEG, sd=sd)
            found.append(("watch", fault))
    if level is not None:
        sd = repetition.sd.get("pelvic_obliquity_peak_deg", 0.0)
        if abs(level) - LEVEL_LIMIT_DEG > sd:
            fault = FoundFault(code="pelvic_drop", value=level, threshold=LEVEL_LIMIT_DEG, sd=sd)
            found.append(("bad" if abs(level) - LEVEL_BAD_DEG > sd else "watch", fault))
    return found
