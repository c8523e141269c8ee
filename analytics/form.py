"""Form faults of a repetition, each with its value, threshold and uncertainty; doubtful ones are withheld."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING

from analytics.exercises import Side

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.prescription import Prescription
    from analytics.repetition_figures import Kind, Repetition
    from analytics.steadiness import FallDirection


class FaultCode(StrEnum):
    """Fault codes (METRICS) that pelvis and thigh sensors can judge."""

    KNEE_DOMINANT = "knee_dominant"
    INCOMPLETE_LOCKOUT = "incomplete_lockout"
    OVER_EXTENSION = "over_extension"
    PELVIC_DROP = "pelvic_drop"
    HIP_OPEN = "hip_open"
    PELVIC_ROTATION = "pelvic_rotation"
    FAST_ECCENTRIC = "fast_eccentric"
    UNEVEN_TEMPO = "uneven_tempo"
    SHORT_RANGE = "short_range"
    BALANCE_LOSS = "balance_loss"
    ROUNDING_PROXY = "rounding_proxy"
    ALTERNATION_ERROR = "alternation_error"
    HIP_SAG = "hip_sag"


class FaultPhase(StrEnum):
    """Where in the repetition a fault shows."""

    ECCENTRIC = "eccentric"
    BOTTOM = "bottom"
    CONCENTRIC = "concentric"
    TOP = "top"
    WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of one repetition.

    Parameters
    ----------
    code
        What is wrong.
    repetition_number
        In its set, from 1.
    phase
        Where it shows.
    value, threshold, sd
        The figure, its limit and its one-sigma, in the unit of the metric.
    kind
        Measured or proxy.
    direction
        Where to the pelvis tipped, of a lost balance.
    """

    code: FaultCode
    repetition_number: int
    phase: FaultPhase
    value: float
    threshold: float
    sd: float
    kind: Kind
    direction: FallDirection | None = None


@dataclass(frozen=True, slots=True)
class FormParameters:
    """Limits; defaults of ours, not validated: settings of a profile.

    Parameters
    ----------
    lockout_deg, over_extension_deg
        Largest and smallest angle at the top, relative to standing.
    hinge_share
        Below it a repetition is knee-dominant.
    pelvic_drop_deg, pelvic_rotation_deg
        Largest drop of the pelvis' free side (either side in two-legged work), and turn.
    hip_open_deg
        Largest rise of the free side in one-legged work: the pelvis turns open.
    balance_burst_deg_s
        Quickest correction sideways that is still standing firm.
    tilt_reversal_deg
        How far the pelvis may turn back on the way down.
    eccentric_allowance_s
        How much faster than asked the lowering may be.
    uneven_share
        Largest deviation of a lowering from the set's median, as a part of it.
    """

    lockout_deg: float = 10.0
    over_extension_deg: float = -10.0
    hinge_share: float = 0.5
    pelvic_drop_deg: float = 10.0
    pelvic_rotation_deg: float = 10.0
    hip_open_deg: float = 10.0
    balance_burst_deg_s: float = 15.0
    tilt_reversal_deg: float = 5.0
    eccentric_allowance_s: float = 0.5
    uneven_share: float = 0.3


def repetition_faults(
    repetition: Repetition,
    prescription: Prescription | None = None,
    parameters: FormParameters | None = None,
) -> tuple[Fault, ...]:
    """Judge one repetition by itself.

    Parameters
    ----------
    repetition
        As measured; what is not measurable is not judged.
    prescription
        What was asked: without a tempo or a range, those are not judged.
    parameters
        Limits.

    Returns
    -------
    tuple of Fault
        Those that exceed their limit by at least one sigma.
    """
    p = parameters if parameters is not None else FormParameters()
    found: list[Fault | None] = [
        _above(
            repetition, "lockout_deficit_deg", p.lockout_deg, FaultCode.INCOMPLETE_LOCKOUT, FaultPhase.TOP
        ),
        _below(
            repetition,
            "lockout_deficit_deg",
            p.over_extension_deg,
            FaultCode.OVER_EXTENSION,
            FaultPhase.TOP,
        ),
        _above(
            repetition,
            "pelvic_rotation_range_deg",
            p.pelvic_rotation_deg,
            FaultCode.PELVIC_ROTATION,
            _phase_of_largest(repetition, "pelvic_rotation_{}_range_deg"),
        ),
        _pelvic_drop(repetition, p.pelvic_drop_deg),
        _above(
            repetition,
            "free_side_rise_peak_deg",
            p.hip_open_deg,
            FaultCode.HIP_OPEN,
            _phase_of_largest(repetition, "pelvic_obliquity_{}_peak_deg"),
        ),
        _balance_loss(repetition, p.balance_burst_deg_s),
    ]
    if not repetition.is_supine:
        found.append(
            _below(repetition, "hinge_share", p.hinge_share, FaultCode.KNEE_DOMINANT, FaultPhase.BOTTOM)
        )
    # Who sits down turns the pelvis back on purpose: only a hinge is judged.
    if repetition.hinge_share is not None and repetition.hinge_share >= p.hinge_share:
        found.append(
            _above(
                repetition,
                "tilt_reversal_deg",
                p.tilt_reversal_deg,
                FaultCode.ROUNDING_PROXY,
                FaultPhase.ECCENTRIC,
            )
        )
    if prescription is not None and prescription.tempo is not None:
        # Compliance is judged on the movement, not on the narrower definition of the phase.
        found.append(
            _below(
                repetition,
                "eccentric_movement_s",
                prescription.tempo.eccentric_s - p.eccentric_allowance_s,
                FaultCode.FAST_ECCENTRIC,
                FaultPhase.ECCENTRIC,
            )
        )
    if prescription is not None and prescription.minimum_range_deg is not None:
        found.append(_short_range(repetition, prescription.minimum_range_deg))
    return tuple(fault for fault in found if fault is not None)


def tempo_faults(
    repetitions: Sequence[Repetition], parameters: FormParameters | None = None
) -> tuple[Fault, ...]:
    """Judge the evenness of a finished set: lowerings far from the set's median.

    Parameters
    ----------
    repetitions
        Of one set; fewer than three measured lowerings have no median to speak of.
    parameters
        Limits.

    Returns
    -------
    tuple of Fault
        ``uneven_tempo``: value is the deviation from the median in s, threshold the allowed one.
    """
    p = parameters if parameters is not None else FormParameters()
    timed = [(r, r.eccentric_s) for r in repetitions if r.eccentric_s is not None]
    if len(timed) < 3:
        return ()
    usual_s = median(eccentric_s for _, eccentric_s in timed)
    threshold = p.uneven_share * usual_s
    return tuple(
        Fault(
            FaultCode.UNEVEN_TEMPO,
            repetition.repetition_number,
            FaultPhase.ECCENTRIC,
            abs(eccentric_s - usual_s),
            threshold,
            repetition.sd["eccentric_s"],
            repetition.kind["eccentric_s"],
        )
        for repetition, eccentric_s in timed
        if abs(eccentric_s - usual_s) - threshold >= repetition.sd["eccentric_s"]
    )


def _above(
    repetition: Repetition, name: str, threshold: float, code: FaultCode, phase: FaultPhase
) -> Fault | None:
    value = getattr(repetition, name)
    if value is None or value - threshold < repetition.sd[name] or value <= threshold:
        return None
    return Fault(
        code,
        repetition.repetition_number,
        phase,
        value,
        threshold,
        repetition.sd[name],
        repetition.kind[name],
    )


def _below(
    repetition: Repetition, name: str, threshold: float, code: FaultCode, phase: FaultPhase
) -> Fault | None:
    value = getattr(repetition, name)
    if value is None or threshold - value < repetition.sd[name] or value >= threshold:
        return None
    return Fault(
        code,
        repetition.repetition_number,
        phase,
        value,
        threshold,
        repetition.sd[name],
        repetition.kind[name],
    )


def _pelvic_drop(repetition: Repetition, threshold: float) -> Fault | None:
    phase = _phase_of_largest(repetition, "pelvic_obliquity_{}_peak_deg")
    if repetition.side is not Side.BOTH:
        return _above(repetition, "free_side_drop_peak_deg", threshold, FaultCode.PELVIC_DROP, phase)
    name = "pelvic_obliquity_peak_deg"
    obliquity = repetition.pelvic_obliquity_peak_deg
    if obliquity is None:
        return None
    # On two legs there is no free side: neither may drop.
    drop = abs(obliquity)
    if drop <= threshold or drop - threshold < repetition.sd[name]:
        return None
    return Fault(
        FaultCode.PELVIC_DROP,
        repetition.repetition_number,
        phase,
        drop,
        threshold,
        repetition.sd[name],
        repetition.kind[name],
    )


def _balance_loss(repetition: Repetition, threshold: float) -> Fault | None:
    fault = _above(repetition, "balance_burst_deg_s", threshold, FaultCode.BALANCE_LOSS, FaultPhase.WHOLE)
    return fault and replace(fault, direction=repetition.balance_burst_direction)


def _phase_of_largest(repetition: Repetition, name: str) -> FaultPhase:
    """Tell in which phase a figure told by phase is largest; the whole where none is told."""
    phases = (FaultPhase.ECCENTRIC, FaultPhase.BOTTOM, FaultPhase.CONCENTRIC)
    values = {phase: getattr(repetition, name.format(phase)) for phase in phases}
    known = {phase: abs(value) for phase, value in values.items() if value is not None}
    return max(known, key=lambda phase: known[phase]) if known else FaultPhase.WHOLE


def _short_range(repetition: Repetition, least_deg: float) -> Fault | None:
    left, right = repetition.hip_flexion_left_range_deg, repetition.hip_flexion_right_range_deg
    names = {
        Side.LEFT: ["hip_flexion_left_range_deg"],
        Side.RIGHT: ["hip_flexion_right_range_deg"],
    }.get(repetition.side, ["hip_flexion_left_range_deg", "hip_flexion_right_range_deg"])
    if left is None and right is None:
        names = ["pelvic_tilt_range_deg"]
    measured = [(getattr(repetition, name), name) for name in names if getattr(repetition, name) is not None]
    if not measured:
        return None
    # Both hips must reach it; the shorter one decides.
    return _below(repetition, min(measured)[1], least_deg, FaultCode.SHORT_RANGE, FaultPhase.BOTTOM)
