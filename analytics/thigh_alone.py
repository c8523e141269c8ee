"""Further demands where only a thigh drives: a thigh that steps on the spot turns like one that hinges."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analytics.gate import Verdict

NOTHING_ASKED = (
    "with a thigh sensor alone steps look like hinges: "
    "unless an exercise is asked for, only slow and quiet movements are counted"
)


# A thigh of unknown mount that steps on the spot may pass for lying; bridges so quick do not shake like it.
_STEP_S = 1.4
_STEP_M_S2 = 0.9
# Real bridges shake by 0.34 m/s² at the most, walking on the spot by 0.49 at the least (mex, utd recordings).
_QUIET_FROM_S = 1.5
_QUIET_M_S2 = 0.4


def judged_alone(verdict: Verdict, from_s: float, *, is_asked: bool, is_supine: bool) -> Verdict:
    """Judge a repetition once more that only a thigh sensor saw.

    Parameters
    ----------
    verdict
        Of the gate.
    from_s
        Shortest standing repetition, s: a step lasts half of it.
    is_asked
        Whether an exercise was asked for.
    is_supine
        Whether the athlete seems to lie.
    """
    reasons = list(verdict.reasons)
    features = verdict.features
    if is_supine:
        shakes = features.shake_m_s2 is not None and features.shake_m_s2 > _STEP_M_S2
        if shakes and features.duration_s < _STEP_S and not is_asked:
            reasons.append("where only a thigh sensor is worn it may as well have been a step")
    else:
        if features.duration_s < from_s:
            reasons.append(f"where only a thigh sensor is worn it must last {from_s:g} s")
        is_quiet = features.shake_m_s2 is not None and features.shake_m_s2 <= _QUIET_M_S2
        if not is_asked and (features.duration_s < _QUIET_FROM_S or not is_quiet):
            reasons.append(NOTHING_ASKED)
    return replace(verdict, is_repetition=not reasons, reasons=tuple(reasons))
