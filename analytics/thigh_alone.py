"""Further demands where only a thigh drives: a thigh that steps on the spot turns like one that hinges."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analytics.gate import Verdict

NOTHING_ASKED = (
    "with a thigh sensor alone walking looks like a hinge, "
    "so nothing is counted standing unless an exercise is asked for"
)


def judged_alone(verdict: Verdict, from_s: float, *, is_asked: bool) -> Verdict:
    """Judge a standing repetition once more that only a thigh sensor saw.

    Parameters
    ----------
    verdict
        Of the gate.
    from_s
        Shortest repetition, s: a step lasts half of it.
    is_asked
        Whether an exercise was asked for.
    """
    reasons = list(verdict.reasons)
    if verdict.features.duration_s < from_s:
        reasons.append(f"where only a thigh sensor is worn it must last {from_s:g} s")
    if not is_asked:
        reasons.append(NOTHING_ASKED)
    return replace(verdict, is_repetition=not reasons, reasons=tuple(reasons))
