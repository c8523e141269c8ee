"""Which faults a repetition really had, by the limits the product states."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.form import FaultCode, FormParameters

if TYPE_CHECKING:
    from analytics.pipeline_output import RepetitionEvent
    from hardware_sim.truth import Truth

_LIMITS = FormParameters()
# The grid puts none of these in.
NEVER_IN_THE_GRID = (str(FaultCode.BALANCE_LOSS), str(FaultCode.ROUNDING_PROXY))


def excess(truth: Truth, index: int) -> dict[str, float]:
    """How far each judged figure of a true repetition lies beyond its limit, in multiples of the limit.

    1 is the limit itself. Faults that need a prescription of tempo or range are not among them.
    """
    true = truth.repetitions[index]
    obliquity = true.pelvic_obliquity_peak_deg
    drop = {"left": -obliquity, "right": obliquity}.get(truth.side, abs(obliquity))
    beyond = {
        str(FaultCode.INCOMPLETE_LOCKOUT): true.lockout_deficit_deg / _LIMITS.lockout_deg,
        str(FaultCode.OVER_EXTENSION): true.lockout_deficit_deg / _LIMITS.over_extension_deg,
        str(FaultCode.PELVIC_DROP): drop / _LIMITS.pelvic_drop_deg,
        str(FaultCode.HIP_OPEN): 0.0 if truth.side == "both" else -drop / _LIMITS.hip_open_deg,
        str(FaultCode.PELVIC_ROTATION): true.pelvic_rotation_range_deg / _LIMITS.pelvic_rotation_deg,
    }
    if "bridge" not in truth.exercise:
        # A share of 0.5 is the limit, and of 0 twice the limit.
        beyond[str(FaultCode.KNEE_DOMINANT)] = 2.0 - true.hinge_share / _LIMITS.hinge_share
    return beyond


def false_alarms(truth: Truth, index: int, event: RepetitionEvent) -> list[str]:
    """Faults reported though the true figure keeps the limit."""
    beyond = excess(truth, index) | dict.fromkeys(NEVER_IN_THE_GRID, 0.0)
    return sorted(
        {
            str(fault.code)
            for fault in event.repetition.faults
            if str(fault.code) in beyond and beyond[str(fault.code)] <= 1.0
        }
    )
