"""Faults put into the virtual athlete's sets on purpose, at twice the product's limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

import hardware_sim
from analytics.batch import analyse
from analytics.exercises import Exercise as Code
from analytics.exercises import Side as WorkingSide
from analytics.form import FaultCode, FormParameters
from analytics.pipeline import AthleteSetup
from analytics.prescription import Prescription, Tempo
from benchmarks.accuracy.events import match, verdicts
from benchmarks.accuracy.faults import excess
from benchmarks.accuracy.layout import Line, number, share, table
from benchmarks.accuracy.virtual_set import blocks_of, mounts_of, true_spans_s
from hardware_sim.exercises import Exercise
from hardware_sim.mounts import Mount, Placement
from hardware_sim.scenario import Body, Form, Scenario, Side, WornSensor
from hardware_sim.scenario import Tempo as TrueTempo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.accuracy.virtual_set import Row

_LIMITS = FormParameters()
_ASKED_ECCENTRIC_S, _ASKED_RANGE_DEG = 5.0, 70.0


@dataclass(frozen=True, slots=True)
class Injected:
    """One fault put in.

    Parameters
    ----------
    code
        Fault code of METRICS.
    exercise, side, form
        How it is done.
    eccentric_s
        True length of the lowering, s.
    note
        Where it is not simply twice the limit.
    """

    code: str
    exercise: Exercise
    form: Form
    side: Side = Side.BOTH
    eccentric_s: float = 2.5
    note: str = ""


INJECTED = (
    Injected("incomplete_lockout", Exercise.ROMANIAN_DEADLIFT, Form(soft_lockout_deg=20.5)),
    Injected(
        "over_extension", Exercise.HIP_HINGE, Form(soft_lockout_deg=-15.0), note="1.5 x: all a body can do"
    ),
    Injected("pelvic_drop", Exercise.SINGLE_LEG_DEADLIFT, Form(pelvic_drop_deg=21.0), Side.LEFT),
    Injected("pelvic_drop", Exercise.SINGLE_LEG_DEADLIFT, Form(pelvic_drop_deg=21.0), Side.RIGHT),
    Injected("pelvic_rotation", Exercise.ROMANIAN_DEADLIFT, Form(pelvic_rotation_deg=21.0)),
    Injected(
        "knee_dominant",
        Exercise.ROMANIAN_DEADLIFT,
        Form(tilt_deg=24.0, thigh_deg=60.0, shank_deg=20.0),
        note="share 0.29",
    ),
    Injected("hip_open", Exercise.SINGLE_LEG_DEADLIFT, Form(hip_open_deg=25.0), Side.RIGHT),
    Injected("hip_open", Exercise.SINGLE_LEG_DEADLIFT, Form(hip_open_deg=25.0), Side.LEFT),
    Injected("balance_loss", Exercise.SINGLE_LEG_DEADLIFT, Form(stumble_deg=7.0), Side.LEFT),
    Injected("balance_loss", Exercise.SINGLE_LEG_DEADLIFT, Form(stumble_deg=-7.0), Side.RIGHT),
    Injected(
        "rounding_proxy",
        Exercise.ROMANIAN_DEADLIFT,
        Form(tilt_deg=70.0, tilt_reversal_deg=11.0),
        note="turned back by 10-12°",
    ),
    Injected(
        "fast_eccentric", Exercise.ROMANIAN_DEADLIFT, Form(), eccentric_s=3.7, note="asked 5 s, done 3.7 s"
    ),
    Injected(
        "short_range",
        Exercise.ROMANIAN_DEADLIFT,
        Form(tilt_deg=26.0, thigh_deg=9.0),
        note="half the range asked",
    ),
    Injected("uneven_tempo", Exercise.ROMANIAN_DEADLIFT, Form(), note="deviation twice the limit or more"),
)


def rows(seed: int, number: int) -> list[Row]:
    """Do one set with the fault whose turn it is."""
    injected = INJECTED[number % len(INJECTED)]
    generator = np.random.default_rng([seed, 500_000 + number])
    model = ("good", "cheap")[(number // len(INJECTED)) % 2]
    mounts = (
        Mount(str(generator.choice([Mount.SACRUM, Mount.HIP_LEFT, Mount.HIP_RIGHT, Mount.BELLY]))),
        *(Mount(str(generator.choice([Mount.THIGH_LATERAL, Mount.THIGH_ANTERIOR]))) for _ in range(2)),
    )
    scenario = Scenario(
        exercise=injected.exercise,
        side=injected.side,
        repetitions=6,
        tempo=TrueTempo(injected.eccentric_s, 0.5, 1.5, 1.5),
        body=Body(
            stature_m=float(generator.uniform(1.5, 2.0)),
            sway=float(generator.uniform(0.5, 1.8)),
            tempo_variation=0.45 if injected.code == "uneven_tempo" else 0.03,
        ),
        form=injected.form,
        sensors=tuple(
            WornSensor(placement, mount, model=model)
            for placement, mount in zip(Placement, mounts, strict=True)
        ),
    )
    performance = hardware_sim.simulate(scenario, seed * 31 + number)
    is_declared = bool(generator.random() < 0.5)
    wants_tempo = injected.code == "fast_eccentric"
    prescription = Prescription(
        Code(injected.exercise),
        side=WorkingSide(injected.side),
        tempo=Tempo(_ASKED_ECCENTRIC_S) if wants_tempo else None,
        minimum_range_deg=_ASKED_RANGE_DEG if injected.code == "short_range" else None,
    )
    setup = AthleteSetup(mounts_of(scenario, is_declared=is_declared), prescription)
    said = verdicts(analyse(blocks_of(performance), setup))
    truth = performance.truth
    matching = match(said.repetitions, true_spans_s(truth))
    uneven = {
        fault.repetition_number
        for entry in said.sets
        for fault in entry.faults
        if fault.code is FaultCode.UNEVEN_TEMPO
    }
    usual_s = float(np.median([r.eccentric_s for r in truth.repetitions]))
    found, expected = 0, 0
    for index, event in matching.pairs:
        if injected.code == "uneven_tempo":
            deviation_s = abs(truth.repetitions[index].eccentric_s - usual_s)
            if deviation_s < 2.0 * _LIMITS.uneven_share * usual_s:
                continue
            has = event.repetition.repetition_number in uneven
        else:
            if injected.code in excess(truth, index) and excess(truth, index)[injected.code] < 1.35:
                continue
            has = injected.code in {str(fault.code) for fault in event.repetition.faults}
        expected += 1
        found += has
    return [
        {
            "code": injected.code,
            "note": injected.note,
            "quality": model,
            "declared": is_declared,
            "expected": expected,
            "found": found,
            "missed": len(matching.missed),
        }
    ]


def fault_table(rows_: Sequence[Row], sets: Sequence[Row]) -> str:
    """Faults found where they were put in, and reported where there were none."""
    alarms = [codes for row in sets for codes in row["false_alarms"]]
    lines = []
    for code in dict.fromkeys(injected.code for injected in INJECTED):
        group = [row for row in rows_ if row["code"] == code]
        lines.append(
            (
                code,
                group[0]["note"] if group else "",
                share(sum(row["found"] for row in group), sum(row["expected"] for row in group)),
                share(sum(code in codes for codes in alarms), len(alarms), 2),
            )
        )
    return table(
        "Faults", ("fault", "at", "found", "false alarms on repetitions that keep the limit (grid)"), lines
    )


def fault_lines(rows_: Sequence[Row], sets: Sequence[Row]) -> list[Line]:
    """Judge faults."""
    if not rows_:
        return [Line("faults", ">= 95 % found at twice the limit, false alarms <= 2 %", "", None)]
    weak = []
    for code in dict.fromkeys(row["code"] for row in rows_):
        group = [row for row in rows_ if row["code"] == code]
        expected, found = sum(row["expected"] for row in group), sum(row["found"] for row in group)
        if found < 0.95 * expected:
            weak.append(f"{code} {number(100.0 * found / expected, 0)} %")
    alarms = [codes for row in sets for codes in row["false_alarms"]]
    false = sum(bool(codes) for codes in alarms)
    return [
        Line(
            "faults",
            ">= 95 % found at twice the limit, false alarms <= 2 %",
            f"below: {', '.join(weak) or 'none'}; false alarms {share(false, len(alarms), 2)}",
            not weak and false <= 0.02 * len(alarms),
        )
    ]
