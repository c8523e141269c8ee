from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hardware_sim import load_scenario, simulate
from hardware_sim.errors import ScenarioError
from hardware_sim.scenario_file import parse_scenario
from hardware_sim.walkout import Walkout, true_hold_s


def walk_out(**settings: float | tuple[int, ...]):
    scenario = replace(load_scenario("glute_bridge_walkout"), repetitions=1, walkout=Walkout(**settings))
    return simulate(scenario, 7).truth


def test_feet_alternate_there_and_back_and_the_thigh_stays_where_it_stepped():
    truth = walk_out(steps=4, length_m=0.1, dip_deg=0.0)
    assert [step.side for step in truth.steps] == ["left", "right"] * 4
    assert not any(step.is_alternation_error for step in truth.steps)
    before, after = (round((truth.steps[0].start_s + offset) * 100) for offset in (-0.2, 0.7))
    left, right = truth.angles.thigh_flexion_left_deg, truth.angles.thigh_flexion_right_deg
    assert left[before] - left[after] > 3.0
    assert abs(right[before] - right[after]) < 1.0
    assert abs(left[-1] - left[0]) < 2.0


def test_the_same_foot_twice_is_an_alternation_error_there_and_back():
    truth = walk_out(steps=4, same_side_at=(3,))
    assert [step.side for step in truth.steps[:4]] == ["left", "right", "right", "left"]
    assert [step.step for step in truth.steps if step.is_alternation_error] == [3, 5, 7]


def test_hips_sag_and_the_pelvis_dips_at_the_lifted_foot():
    truth = walk_out(steps=2, sag_deg=8.0, dip_deg=5.0, sag_from=3)
    assert all(step.sag_deg < 1.5 for step in truth.steps[:2])
    assert all(6.0 < step.sag_deg < 10.5 for step in truth.steps[2:])
    assert all(3.5 < step.dip_deg < 6.5 for step in truth.steps)


def test_the_hold_is_how_long_the_hips_are_up_not_how_long_the_steps_take():
    lift = np.concatenate((np.linspace(0, 20, 101), np.full(400, 20.0), np.linspace(20, 0, 101)))
    assert true_hold_s(-90.0 - lift, 100.0) == pytest.approx(4.22, abs=0.03)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('exercise = "glute_bridge"\n[walkout]\nsteps = 3', "walkout has no effect in glute_bridge"),
        ('exercise = "glute_bridge_walkout"\n[walkout]\nsteps = 1', "choose 2 to 20"),
        ('exercise = "glute_bridge_walkout"\n[walkout]\nsame_side_at = [5]', "not one of 2 to 4"),
        (
            'exercise = "glute_bridge_walkout"\n[walkout]\ninterval_s = 0.6\nstep_s = 0.6',
            "shorter than a step",
        ),
        ('exercise = "single_leg_glute_bridge"', "choose left or right"),
    ],
)
def test_what_cannot_be_is_refused(text: str, message: str):
    with pytest.raises(ScenarioError, match=message):
        parse_scenario(text, "x")


def test_in_a_single_leg_bridge_one_hip_works_and_the_other_leg_is_held_up():
    truth = simulate(replace(load_scenario("single_leg_glute_bridge_left"), repetitions=2), 7).truth
    for repetition in truth.repetitions:
        assert repetition.hip_flexion_left_range_deg > 40.0
        assert repetition.hip_flexion_right_range_deg < 15.0
        assert repetition.pelvic_obliquity_peak_deg < -1.5
