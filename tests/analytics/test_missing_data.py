"""Holes in the data: what was not seen is not said, and the count goes on where it can."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest

import hardware_sim
from analytics.batch import analyse
from analytics.driving import DrivingAngle
from analytics.imu import ImuBlock, Mount, Placement
from analytics.missing_data import MissingData, bridged
from analytics.pipeline import AthleteSetup
from analytics.pipeline_output import PipelineOutput, RepetitionAborted, RepetitionEvent
from analytics.repetition_figures import Repetition, RepetitionStatus
from analytics.true_stretches import true_stretches

if TYPE_CHECKING:
    from hardware_sim.truth import TrueRepetition

TIMES = (
    "eccentric_s",
    "bottom_pause_s",
    "concentric_s",
    "top_pause_s",
    "tut_s",
    "eccentric_movement_s",
    "concentric_movement_s",
)
ANGLES = ("pelvic_tilt_range_deg", "lockout_deficit_deg", "pelvic_obliquity_peak_deg")
SENSORS = {"one": (Placement.PELVIS,), "three": tuple(Placement)}


@cache
def hinges() -> hardware_sim.Performance:
    return hardware_sim.simulate(replace(hardware_sim.load_scenario("romanian_deadlift"), repetitions=3), 3)


@cache
def sensed() -> dict[Placement, ImuBlock]:
    columns = hardware_sim.trace_columns(hinges())
    return {
        placement: ImuBlock(
            placement=placement,
            start_time_ns=0,
            sampling_rate_hz=100.0,
            acc_m_s2=np.stack([columns[f"{placement}_a{axis}"] for axis in "xyz"], axis=1),
            gyr_rad_s=np.stack([columns[f"{placement}_g{axis}"] for axis in "xyz"], axis=1),
        )
        for placement in Placement
    }


def part(block: ImuBlock, start: int, end: int, gap_s: float = 0.0) -> ImuBlock:
    return replace(
        block,
        start_time_ns=block.time_ns(start),
        acc_m_s2=block.acc_m_s2[start:end],
        gyr_rad_s=block.gyr_rad_s[start:end],
        gap_before_s=gap_s,
    )


def middle_s(place: str) -> float:
    """Somewhere in, or at an edge of, the second repetition."""
    r, following = hinges().truth.repetitions[1:3]
    return {
        "before": r.eccentric_start_s - 0.3,
        "eccentric start": r.eccentric_start_s + 0.5,
        "eccentric": (r.eccentric_start_s + r.eccentric_end_s) / 2,
        "bottom": (r.eccentric_end_s + r.concentric_start_s) / 2,
        "concentric": (r.concentric_start_s + r.concentric_end_s) / 2,
        "concentric end": r.concentric_end_s,
        "top": (r.concentric_end_s + following.eccentric_start_s) / 2,
    }[place]


def with_hole(place: str, hole_s: float, worn: str, lost: tuple[Placement, ...]) -> PipelineOutput:
    first = round(100.0 * (middle_s(place) - hole_s / 2))
    last = first + round(100.0 * hole_s)
    blocks: list[ImuBlock] = []
    for placement in SENSORS[worn]:
        block = sensed()[placement]
        if placement in lost:
            blocks += [part(block, 0, first), part(block, last, len(block), gap_s=hole_s)]
        else:
            blocks.append(block)
    mounts = {Placement(sensor.placement): Mount(sensor.mount) for sensor in hinges().scenario.sensors}
    return analyse(blocks, AthleteSetup({placement: mounts[placement] for placement in SENSORS[worn]}))


def newest(output: PipelineOutput) -> list[Repetition]:
    found = {
        (e.repetition.set_number, e.repetition.repetition_number): e.repetition
        for e in output.events
        if isinstance(e, RepetitionEvent)
    }
    return [found[key] for key in sorted(found)]


def true_one(repetition: Repetition) -> TrueRepetition:
    return min(
        hinges().truth.repetitions,
        key=lambda true: abs(true.eccentric_end_s + true.concentric_start_s - 2e-9 * repetition.bottom_ns),
    )


def assert_nothing_is_invented(repetition: Repetition) -> None:
    true = true_one(repetition)
    for name in (*TIMES, *ANGLES):
        value = getattr(repetition, name)
        if value is None:
            assert repetition.reasons[name]
        elif name != "top_pause_s" or true is not hinges().truth.repetitions[-1]:
            # Without a thigh the phases are those of the pelvis, which leads the hip a little.
            by_hip = 0.05 if repetition.driving_angle is DrivingAngle.HIP_FLEXION else 0.2
            least = by_hip if name in TIMES else 0.5
            assert value == pytest.approx(getattr(true, name), abs=least + 3.0 * repetition.sd[name]), name


PLACES = ("before", "eccentric start", "eccentric", "bottom", "concentric", "concentric end", "top")


@pytest.mark.parametrize("worn", ["one", "three"])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("hole_s", [0.3, 0.8, 1.5, 4.0])
def test_no_number_is_invented(hole_s: float, place: str, worn: str) -> None:
    repetitions = newest(with_hole(place, hole_s, worn, SENSORS[worn]))
    for repetition in repetitions:
        assert_nothing_is_invented(repetition)
    if hole_s <= 1.0:
        assert len(repetitions) == 3
        assert RepetitionStatus.UNCONFIRMED not in [r.status for r in repetitions]
    else:
        assert len(repetitions) in {2, 3} if hole_s < 2.0 else len(repetitions) in {1, 2}


@pytest.mark.parametrize("place", PLACES)
def test_one_lost_sensor_invents_nothing_either(place: str) -> None:
    for repetition in newest(with_hole(place, 1.5, "three", (Placement.PELVIS,))):
        assert_nothing_is_invented(repetition)


def test_a_lowering_that_began_in_a_hole_has_no_start() -> None:
    before, cut, after = newest(with_hole("eccentric start", 1.5, "three", SENSORS["three"]))
    assert before.top_pause_s is None
    assert before.reasons["top_pause_s"] == "data are missing where it begins or ends"
    assert cut.eccentric_start_ns is None
    for name in ("eccentric_s", "tut_s", "eccentric_movement_s", "pelvic_tilt_range_deg"):
        assert getattr(cut, name) is None
        assert cut.reasons[name] == "the data begin in the middle of the movement"
    assert cut.status is RepetitionStatus.UNCONFIRMED
    assert cut.warnings[0] == (
        "only a part of this repetition was seen: the data begin in the middle of the movement"
    )
    true = hinges().truth.repetitions[1]
    assert cut.concentric_s == pytest.approx(true.concentric_s, abs=0.03)
    assert cut.bottom_pause_s == pytest.approx(true.bottom_pause_s, abs=0.05)
    assert after.status is RepetitionStatus.CONFIRMED


def test_a_repetition_lost_in_a_hole_leaves_its_set_whole() -> None:
    output = with_hole("bottom", 1.5, "three", SENSORS["three"])
    assert [(r.set_number, r.repetition_number) for r in newest(output)] == [(1, 1), (1, 2)]
    assert [e.aborted.reason.value for e in output.events if isinstance(e, RepetitionAborted)] == [
        "unmeasured"
    ]


def test_what_is_left_of_a_cut_lowering_is_not_called_shallow() -> None:
    output = with_hole("eccentric", 1.5, "three", SENSORS["three"])
    assert {e.aborted.reason.value for e in output.events if isinstance(e, RepetitionAborted)} == {
        "unmeasured"
    }


def test_a_recording_that_begins_in_mid_lowering_has_no_start() -> None:
    first = round(100.0 * (hinges().truth.repetitions[0].eccentric_start_s + 1.0))
    blocks = [part(block, first, len(block)) for block in sensed().values()]
    mounts = {Placement(sensor.placement): Mount(sensor.mount) for sensor in hinges().scenario.sensors}
    cut, *others = newest(analyse(blocks, AthleteSetup(mounts)))
    assert cut.eccentric_s is None
    assert cut.reasons["eccentric_s"] == "the data begin in the middle of the movement"
    assert cut.status is RepetitionStatus.UNCONFIRMED
    assert [r.eccentric_s for r in others] == [pytest.approx(4.717, abs=0.05), pytest.approx(4.612, abs=0.05)]


def test_holes_are_known_by_length_and_place() -> None:
    angle = np.arange(1000.0)
    angle[200:250] = np.nan
    angle[500:650] = np.nan
    missing = MissingData(angle, 100.0, longest_bridge_s=1.0)
    assert missing.is_near(185.0)
    assert missing.is_near(265.0)
    assert not missing.is_near(175.0)
    assert not missing.is_near(275.0)
    assert missing.is_near(100.0, 900.0)
    assert not missing.breaks(150.0, 400.0)
    assert missing.breaks(400.0, 700.0)
    assert missing.lost_s(0, 999) == pytest.approx(2.0)
    assert missing.resumed_before(700.0, 1.0) == 650
    assert missing.resumed_before(300.0, 1.5) is None
    assert missing.resumed_before(100.0, 1.5) == 0
    assert bridged(angle)[225] == pytest.approx(225.0)


@pytest.mark.parametrize(
    ("holds", "expected"),
    [
        ([], []),
        ([False, False], []),
        ([True, True], [(0, 2)]),
        ([True, False, True, True, False], [(0, 1), (2, 4)]),
        ([False, True, False, True], [(1, 2), (3, 4)]),
    ],
)
def test_stretches_reach_from_the_first_true_to_after_the_last(
    holds: list[bool], expected: list[tuple[int, int]]
) -> None:
    assert true_stretches(np.array(holds, dtype=np.bool_)) == expected
