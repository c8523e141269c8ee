"""What happens around sets: walking to the rack, plates on the floor, the bar set up before the pull."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import hardware_sim
from analytics.batch import analyse
from analytics.imu import ImuBlock, Mount, Placement
from analytics.pipeline import AthleteSetup
from analytics.pipeline_output import PipelineOutput, RepetitionAborted, RepetitionEvent
from hardware_sim.scenario import Scenario, Tempo


def blocks_of(performance: hardware_sim.Performance) -> list[ImuBlock]:
    columns = hardware_sim.trace_columns(performance)
    return [
        ImuBlock(
            placement=Placement(worn.placement),
            start_time_ns=0,
            sampling_rate_hz=100.0,
            acc_m_s2=np.stack([columns[f"{worn.placement}_a{axis}"] for axis in "xyz"], axis=1),
            gyr_rad_s=np.stack([columns[f"{worn.placement}_g{axis}"] for axis in "xyz"], axis=1),
        )
        for worn in performance.scenario.sensors
    ]


def judged(blocks: list[ImuBlock]) -> PipelineOutput:
    return analyse(blocks, AthleteSetup({block.placement: Mount.UNKNOWN for block in blocks}))


def counted(output: PipelineOutput) -> list[tuple[int, int]]:
    return [
        (event.repetition.set_number, event.repetition.repetition_number)
        for event in output.events
        if isinstance(event, RepetitionEvent) and event.revision == 0
    ]


def scenario_of(name: str, sensors: int, **changes: object) -> Scenario:
    scenario = hardware_sim.load_scenario(name)
    return replace(scenario, sensors=scenario.sensors[:sensors], **changes)


@pytest.mark.parametrize("sensors", [1, 3])
@pytest.mark.parametrize("name", ["romanian_deadlift", "micro_hinge", "single_leg_deadlift_left"])
def test_walking_to_the_rack_between_sets_counts_nothing(name: str, sensors: int) -> None:
    work = scenario_of(name, sensors, repetitions=3)
    walk = scenario_of("walking", sensors, moving_s=20.0, duration_s=None)
    # The same seed clips the sensors on in the same way; gravity does not see that the heading jumps.
    parts = [blocks_of(hardware_sim.simulate(scenario, 5)) for scenario in (work, walk, work)]
    blocks = [
        replace(
            first,
            acc_m_s2=np.concatenate([part[index].acc_m_s2 for part in parts]),
            gyr_rad_s=np.concatenate([part[index].gyr_rad_s for part in parts]),
        )
        for index, first in enumerate(parts[0])
    ]
    output = judged(blocks)
    assert counted(output) == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3)]
    # A step is no lowering broken off either.
    assert not [event for event in output.events if isinstance(event, RepetitionAborted)]


@pytest.mark.parametrize("sensors", [1, 3])
def test_dead_stops_on_the_floor_count_once_each(sensors: int) -> None:
    # Bent to the bar and set up for four seconds, again before every pull, and the plates ring.
    tempo = Tempo(eccentric_s=1.4, bottom_s=4.0, concentric_s=1.2, top_s=0.8)
    performance = hardware_sim.simulate(
        scenario_of("romanian_deadlift", sensors, tempo=tempo, repetitions=4), 8
    )
    ring = np.arange(25) / 100.0
    knock = 25.0 * np.exp(-ring / 0.05) * np.sin(2.0 * np.pi * 14.0 * ring)
    blocks = []
    for block in blocks_of(performance):
        acc = block.acc_m_s2.copy()
        for repetition in performance.truth.repetitions:
            at = round(100.0 * repetition.eccentric_true_end_s)
            acc[at : at + 25] += knock[:, np.newaxis] * acc[at] / np.linalg.norm(acc[at])
        blocks.append(replace(block, acc_m_s2=acc))
    assert counted(judged(blocks)) == [(1, 1), (1, 2), (1, 3), (1, 4)]


def test_a_bar_set_up_for_eight_seconds_before_the_first_pull() -> None:
    performance = hardware_sim.simulate(
        scenario_of("romanian_deadlift", 3, tempo=Tempo(2.0, 8.0, 1.5, 1.0), repetitions=2), 9
    )
    assert counted(judged(blocks_of(performance))) == [(1, 1), (1, 2)]
