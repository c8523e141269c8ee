"""Bridge walkouts of the virtual athlete: steps, alternation, hold, sag and dip against the exact truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import hardware_sim
from analytics.batch import analyse
from analytics.exercises import Exercise
from analytics.pipeline import AthleteSetup
from analytics.prescription import Prescription
from benchmarks.accuracy.events import match, verdicts
from benchmarks.accuracy.grid import sensors_of
from benchmarks.accuracy.layout import Line, high, middle, number, share, table
from benchmarks.accuracy.virtual_set import blocks_of, mounts_of, true_spans_s
from hardware_sim.exercises import Exercise as Performed
from hardware_sim.scenario import Body, Form, Scenario, Tempo
from hardware_sim.walkout import Walkout, true_hold_s

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.accuracy.virtual_set import Row

_NEAR_S = 0.35


def draw_walkout(seed: int, number: int) -> tuple[Scenario, bool]:
    """Draw walkout ``number`` of a grid, and whether the mounts are declared; both thighs are always worn."""
    generator = np.random.default_rng([seed, 800_000 + number])
    steps = int(generator.integers(2, 7))
    sags, errs = generator.random() < 0.5, generator.random() < 0.4
    walkout = Walkout(
        steps=steps,
        interval_s=float(generator.uniform(0.9, 2.0)),
        step_s=float(generator.uniform(0.35, 0.65)),
        length_m=float(generator.uniform(0.08, 0.14)),
        sag_deg=float(generator.uniform(2.0, 10.0)) if sags else 0.0,
        dip_deg=float(generator.uniform(0.5, 6.0)),
        same_side_at=(int(generator.integers(2, steps + 1)),) if errs else (),
    )
    is_declared = bool(generator.random() < 0.5)
    model = ("good", "cheap")[number % 2]
    worn = sensors_of(model, generator, is_declared=is_declared)
    while len(worn) < 3:
        worn = sensors_of(model, generator, is_declared=is_declared)
    tempo = generator.uniform((1.0, 1.0, 0.8, 0.0), (3.0, 3.0, 2.0, 0.1))
    scenario = Scenario(
        exercise=Performed.GLUTE_BRIDGE_WALKOUT,
        repetitions=int(generator.integers(1, 4)),
        lead_in_s=float(generator.uniform(2.8, 5.0)),
        walkout=walkout,
        tempo=Tempo(*(float(value) for value in tempo)),
        body=Body(
            stature_m=float(generator.uniform(1.5, 2.0)),
            sway=float(generator.uniform(0.5, 2.2)),
            tremor=float(generator.uniform(0.0, 3.0)),
        ),
        form=Form(tilt_deg=-22.0 * float(generator.uniform(0.8, 1.15))),
        sensors=worn,
    )
    return scenario, is_declared


def walkout_row(seed: int, number: int) -> Row:
    """Simulate one walkout, analyse it, and compare every step."""
    scenario, is_declared = draw_walkout(seed, number)
    performance = hardware_sim.simulate(scenario, seed * 9973 + number)
    truth, rate_hz = performance.truth, scenario.rate_hz
    setup = AthleteSetup(
        mounts_of(scenario, is_declared=is_declared), Prescription(Exercise.GLUTE_BRIDGE_WALKOUT)
    )
    said = verdicts(analyse(blocks_of(performance), setup))
    spans = true_spans_s(truth)
    matching = match(said.repetitions, spans)
    row: dict[str, Any] = {
        "quality": scenario.sensors[0].model,
        "sags": scenario.walkout.sag_deg > 0.0,
        "true": len(truth.repetitions),
        "counted": len(said.repetitions),
        "missed": len(matching.missed),
        "extra": matching.extra + matching.doubles,
        "true_steps": len(truth.steps),
        "steps": 0,
        "extra_steps": 0,
        "alternation_right": 0,
        "onset_s": [],
        "sag_deg": [],
        "dip_deg": [],
        "hold_s": [],
    }
    for index, event in matching.pairs:
        true, walkout = truth.repetitions[index], event.repetition.walkout
        if walkout is None:
            continue
        first, last = (round(at_s * rate_hz) for at_s in spans[index])
        row["hold_s"].append(walkout.hold_s - true_hold_s(truth.angles.pelvic_tilt_deg[first:last], rate_hz))
        left = [s for s in truth.steps if (s.set, s.repetition) == (true.set, true.repetition)]
        row["alternation_right"] += walkout.alternation_errors == sum(s.is_alternation_error for s in left)
        for step in walkout.steps:
            at_s = step.start_ns * 1e-9
            near = [s for s in left if abs(at_s - s.start_s) < _NEAR_S and s.side == step.side]
            if not near:
                row["extra_steps"] += 1
                continue
            left.remove(near[0])
            row["steps"] += 1
            row["onset_s"].append(at_s - near[0].start_s)
            row["sag_deg"].append(step.sag_deg - near[0].sag_deg)
            row["dip_deg"].append(step.dip_deg - near[0].dip_deg)
    return row


def walkout_table(rows: Sequence[Row]) -> str:
    """Lay out steps found, and errors of what is said of them."""
    lines = []
    for name, group in (
        ("good", [row for row in rows if row["quality"] == "good"]),
        ("cheap", [row for row in rows if row["quality"] == "cheap"]),
        ("hips sag", [row for row in rows if row["sags"]]),
    ):
        lines.append(
            (
                name,
                f"{_sum(group, 'counted')} of {_sum(group, 'true')}",
                share(_sum(group, "steps"), _sum(group, "true_steps")),
                _sum(group, "extra_steps"),
                share(_sum(group, "alternation_right"), _sum(group, "true")),
                *(
                    f"{number(middle(errors), digits)} / {number(high(errors), digits)}"
                    for key, digits in (("onset_s", 3), ("hold_s", 3), ("sag_deg", 2), ("dip_deg", 2))
                    for errors in ([abs(error) for row in group for error in row[key]],)
                ),
            )
        )
    return table(
        "Bridge walkouts, virtual athlete (errors: median / p95)",
        (
            "",
            "repetitions",
            "steps found",
            "extra",
            "alternation errors right",
            "onset, s",
            "hold, s",
            "sag, deg",
            "dip, deg",
        ),
        lines,
    )


def walkout_lines(rows: Sequence[Row]) -> list[Line]:
    """Judge the steps."""
    steps, true_steps, extra = (_sum(rows, key) for key in ("steps", "true_steps", "extra_steps"))
    return [
        Line(
            "steps of bridge walkouts (proxy)",
            ">= 95 % found with their side, <= 5 % extra",
            f"{share(steps, true_steps)}, {extra} extra; "
            f"alternation errors right in {share(_sum(rows, 'alternation_right'), _sum(rows, 'true'))}",
            steps >= 0.95 * true_steps and extra <= 0.05 * true_steps if rows else None,
        )
    ]


def _sum(rows: Sequence[Row], key: str) -> int:
    return sum(int(row[key]) for row in rows)
