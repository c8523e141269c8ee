"""Measured results as payloads: times to UTC ms, every missing figure with its reason. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

from analytics.repetition_figures import Measured, Unmeasured
from sensor_bridge.mqtt import field_types, measures, payloads

if TYPE_CHECKING:
    from collections.abc import Callable

    from analytics.calibration import SegmentCalibration
    from analytics.form import Fault
    from analytics.prescription import Prescription
    from analytics.repetition_figures import Repetition
    from analytics.sets import SetSummary
    from sensor_bridge.mqtt.measures import Keeping

_PHASES: tuple[str, ...] = payloads.alternatives(payloads.Phase)
_NO_REASON = "not measured"
_NOT_FINITE = "the measurement gave no number"
_NONE_TIMED = "no repetition of the set could be timed"


def repetition_payload(
    measured: Repetition,
    *,
    athlete: str,
    exercise: str,
    revision: int,
    final: bool,
    to_ms: Callable[[int], float],
) -> payloads.Repetition:
    """Say what was measured of a repetition.

    Parameters
    ----------
    measured
        The repetition, on the pipeline's timeline.
    athlete
        Pseudonym.
    exercise
        Exercise code of its set.
    revision, final
        Of this telling.
    to_ms
        From the pipeline's timeline, integer ns, to UTC ms.
    """
    values: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    kinds: dict[str, payloads.Kind] = {}
    for name in (*payloads.MEASURES, *payloads.FURTHER_MEASURES):
        value = _figure(measured, name, to_ms)
        if value is None or not math.isfinite(value):
            values[name] = None
            reasons[name] = _NOT_FINITE if value is not None else _reason(measured, name)
            kinds[name] = "not_measurable"
            continue
        values[name] = value
        if name.endswith("_ms"):
            kinds[name] = "measured"
        elif name in measured.kind:
            kinds[name] = cast("payloads.Kind", str(measured.kind[name]))
    return payloads.Repetition(
        athlete=athlete,
        set=measured.set_number,
        repetition=measured.repetition_number,
        revision=revision,
        final=final,
        status=cast("payloads.RepetitionStatus", str(measured.status)),
        exercise=exercise,
        side=cast("field_types.Side", str(measured.side)),
        sd={
            name: measured.sd[name]
            for name, value in values.items()
            if value is not None and math.isfinite(measured.sd.get(name, math.nan))
        },
        kind=kinds,
        reasons=reasons,
        adherence=[
            measures.PartAdherence(
                part=part.part,
                asked=part.asked,
                done=part.done,
                sd=part.sd,
                keeping=cast("Keeping", str(part.keeping)),
            )
            for part in measured.adherence
        ],
        faults=[fault_payload(fault) for fault in measured.faults],
        warnings=list(measured.warnings),
        **values,
    )


def set_payload(
    summary: SetSummary, *, athlete: str, revision: int, to_ms: Callable[[int], float]
) -> payloads.SetSummary:
    """Say what a set was; parameters as for `repetition_payload`."""
    sums = ("tut_s", "eccentric_tut_s", "mean_eccentric_s")
    told = summary.figures
    figures = told.figures if told else {}
    known = {name: figure for name, figure in figures.items() if isinstance(figure, Measured)}
    asked = summary.adherence
    further: dict[str, Any] = {name: figure.value for name, figure in known.items() if name not in sums}
    return payloads.SetSummary(
        athlete=athlete,
        set=summary.set_number,
        revision=revision,
        final=summary.is_final,
        exercise=str(summary.exercise),
        side=cast("field_types.Side", str(summary.side)),
        repetitions=summary.repetitions,
        exercise_confidence=summary.exercise_confidence,
        tut_s=summary.tut_s,
        eccentric_tut_s=summary.eccentric_tut_s,
        mean_eccentric_s=summary.mean_eccentric_s,
        **further,
        form_broke_at=told.form_broke_at if told else None,
        fastest_repetition=told.fastest_repetition if told else None,
        slowest_repetition=told.slowest_repetition if told else None,
        start_ms=to_ms(summary.start_ns),
        end_ms=to_ms(summary.end_ns),
        sd={name: figure.sd for name, figure in known.items()},
        kind={name: cast("payloads.Kind", str(figure.kind)) for name, figure in known.items()},
        reasons={
            **{name: _NONE_TIMED for name in sums if getattr(summary, name) is None},
            **{name: one.reason for name, one in figures.items() if isinstance(one, Unmeasured)},
        },
        adherence=None
        if asked is None
        else measures.SetAdherence(
            repetitions_asked=asked.repetitions_asked,
            sets_asked=asked.sets_asked,
            is_side_kept=asked.is_side_kept,
            parts_kept=asked.parts_kept,
            parts_judged=asked.parts_judged,
        ),
        faults=[fault_payload(fault) for fault in summary.faults],
    )


def brief_payload(data: payloads.Repetition) -> payloads.RepetitionBrief:
    """Shorten a repetition to a line of the athlete's state."""
    names = set(payloads.RepetitionBrief.__struct_fields__) - {"sd", "faults"}
    return payloads.RepetitionBrief(
        sd={name: spread for name, spread in data.sd.items() if name in names},
        faults=[fault.code for fault in data.faults],
        **{name: getattr(data, name) for name in names},
    )


def fault_payload(fault: Fault) -> payloads.FoundFault:
    """Say what was wrong; a fault of the whole repetition names no phase."""
    phase = str(fault.phase)
    return payloads.FoundFault(
        code=str(fault.code),
        value=fault.value,
        threshold=fault.threshold,
        sd=fault.sd,
        kind=cast("payloads.Kind", str(fault.kind)),
        phase=cast("payloads.Phase", phase) if phase in _PHASES else None,
        repetition=fault.repetition_number,
        direction=None if fault.direction is None else cast("payloads.Direction", str(fault.direction)),
    )


def calibration_payload(found: SegmentCalibration) -> payloads.SegmentCalibration:
    """Say how a sensor sits."""
    return payloads.SegmentCalibration(
        placement=str(found.placement),
        method=str(found.method),
        quality_deg=found.quality_deg if math.isfinite(found.quality_deg) else None,
        warnings=list(found.warnings),
    )


def target_payload(asked: Prescription) -> payloads.Target:
    """Say what was asked for."""
    tempo = asked.tempo
    return payloads.Target(
        repetitions=asked.repetitions,
        sets=asked.sets,
        eccentric_s=tempo.eccentric_s if tempo else None,
        bottom_s=tempo.bottom_s if tempo else None,
        concentric_s=tempo.concentric_s if tempo else None,
        top_s=tempo.top_s if tempo else None,
        minimum_range_deg=asked.minimum_range_deg,
        load_kg=asked.load_kg,
        is_supported=asked.is_supported,
    )


def _figure(measured: Repetition, name: str, to_ms: Callable[[int], float]) -> float | None:
    if name.endswith("_ms"):
        time_ns: int | None = getattr(measured, f"{name.removesuffix('_ms')}_ns")
        return None if time_ns is None else to_ms(time_ns)
    value: float | None = getattr(measured, name)
    return value


def _reason(measured: Repetition, name: str) -> str:
    """Find out why a figure is missing; a moment is missing for the reason its phase is."""
    phase = f"{name.split('_', maxsplit=1)[0]}_s" if name.endswith("_ms") else name
    return measured.reasons.get(name) or measured.reasons.get(phase) or _NO_REASON
