from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest

import hardware_sim
from analytics.batch import analyse
from analytics.exercises import Exercise, Side
from analytics.imu import ImuBlock, Mount, Placement
from analytics.pipeline import AthleteSetup
from analytics.pipeline_output import RepetitionEvent, SetEvent
from analytics.prescription import Prescription
from hardware_sim.walkout import Walkout, true_hold_s

if TYPE_CHECKING:
    from analytics.repetition_figures import Repetition


def measured(
    performance: hardware_sim.Performance, prescription: Prescription, *, without: tuple[str, ...] = ()
) -> tuple[list[Repetition], list[SetEvent]]:
    scenario = performance.scenario
    columns = hardware_sim.trace_columns(performance)
    blocks = [
        ImuBlock(
            Placement(worn.placement),
            0,
            scenario.rate_hz,
            np.stack([columns[f"{worn.placement}_a{axis}"] for axis in "xyz"], axis=1),
            np.stack([columns[f"{worn.placement}_g{axis}"] for axis in "xyz"], axis=1),
        )
        for worn in scenario.sensors
        if worn.placement not in without
    ]
    mounts = {block.placement: Mount.UNKNOWN for block in blocks}
    events = analyse(blocks, AthleteSetup(mounts, prescription)).events
    last = {e.repetition.repetition_number: e.repetition for e in events if isinstance(e, RepetitionEvent)}
    return list(last.values()), [e for e in events if isinstance(e, SetEvent)]


@cache
def walked_out(
    sag_deg: float = 0.0, same_side_at: tuple[int, ...] = ()
) -> tuple[hardware_sim.Performance, list[Repetition]]:
    scenario = replace(
        hardware_sim.load_scenario("glute_bridge_walkout"),
        walkout=Walkout(interval_s=1.4, sag_deg=sag_deg, same_side_at=same_side_at, dip_deg=4.0),
    )
    performance = hardware_sim.simulate(scenario, 3)
    return performance, measured(performance, Prescription(Exercise.GLUTE_BRIDGE_WALKOUT))[0]


@pytest.mark.parametrize("sag_deg", [0.0, 8.0])
def test_every_step_is_found_with_its_side_sag_and_dip(sag_deg: float) -> None:
    performance, repetitions = walked_out(sag_deg=sag_deg)
    steps = [step for r in repetitions if r.walkout is not None for step in r.walkout.steps]
    assert len(repetitions) == 2
    assert [str(step.side) for step in steps] == [true.side for true in performance.truth.steps]
    for step, true in zip(steps, performance.truth.steps, strict=True):
        assert step.start_ns * 1e-9 == pytest.approx(true.start_s, abs=0.1)
        assert step.sag_deg == pytest.approx(true.sag_deg, abs=0.6)
        assert step.dip_deg == pytest.approx(true.dip_deg, abs=0.8)


def test_the_hold_lasts_from_hips_up_to_hips_down() -> None:
    performance, repetitions = walked_out()
    truth = performance.truth
    for repetition, true in zip(repetitions, truth.repetitions, strict=True):
        first, last = (
            round(100.0 * at_s) for at_s in (true.concentric_true_start_s, true.eccentric_true_end_s)
        )
        assert repetition.walkout is not None
        expected_s = true_hold_s(truth.angles.pelvic_tilt_deg[first:last], 100.0)
        assert repetition.walkout.hold_s == pytest.approx(expected_s, abs=0.1)
        # Longer than the rest that means another posture elsewhere.
        assert repetition.walkout.hold_s > 12.0


def test_the_same_foot_twice_and_hips_that_sag_are_faults() -> None:
    _, repetitions = walked_out(sag_deg=8.0, same_side_at=(3,))
    for repetition in repetitions:
        found = {str(fault.code): fault for fault in repetition.faults}
        assert found["alternation_error"].value == 3.0
        assert found["hip_sag"].value > 6.0
        assert found["alternation_error"].kind == found["hip_sag"].kind == "proxy"


def test_without_a_fault_nothing_is_said() -> None:
    _, repetitions = walked_out()
    assert not any(fault.code in {"alternation_error", "hip_sag"} for r in repetitions for fault in r.faults)


def test_steps_need_both_thighs() -> None:
    performance, _ = walked_out()
    repetitions, _ = measured(
        performance, Prescription(Exercise.GLUTE_BRIDGE_WALKOUT), without=("thigh_left",)
    )
    assert [r.walkout for r in repetitions] == [None, None]


@pytest.mark.parametrize("side", [Side.LEFT, Side.RIGHT])
def test_the_side_of_a_single_leg_bridge_is_the_prescribed_one(side: Side) -> None:
    scenario = replace(hardware_sim.load_scenario("single_leg_glute_bridge_left"), repetitions=3)
    performance = hardware_sim.simulate(scenario, 4)
    repetitions, sets = measured(performance, Prescription(Exercise.SINGLE_LEG_GLUTE_BRIDGE, side=side))
    assert [r.side for r in repetitions] == [side] * 3
    summary = sets[-1].summary
    assert (summary.exercise, summary.side) == ("single_leg_glute_bridge", side)
    assert any("the left hip worked more" in line for line in summary.warnings) is (side is Side.RIGHT)
    if side is Side.LEFT:
        for r, true in zip(repetitions, performance.truth.repetitions, strict=True):
            assert r.hip_flexion_left_range_deg == pytest.approx(true.hip_flexion_left_range_deg, abs=1.0)
