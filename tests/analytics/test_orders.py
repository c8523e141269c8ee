"""What is ordered while the athlete trains: at its moment, however the samples were cut."""

from __future__ import annotations

from dataclasses import replace

import pytest

import hardware_sim
from analytics.exercises import Exercise
from analytics.imu import ImuBlock, Mount
from analytics.orders import Order, Prescribed, SetEnds, ZeroAnew
from analytics.pipeline import AthleteSetup, MotionPipeline
from analytics.pipeline_output import (
    CalibrationEvent,
    PipelineOutput,
    RepetitionAborted,
    RepetitionEvent,
    SetEvent,
)
from analytics.prescription import Prescription, parse_tempo
from tests.analytics.test_stage_contract import KNOWN, assert_same_output, chunks, recorded

BEGIN_NS = 1_000_000_000


@pytest.fixture(scope="module")
def set_of_four() -> list[ImuBlock]:
    scenario = replace(hardware_sim.load_scenario("romanian_deadlift"), repetitions=4, sets=1)
    tempo = replace(scenario.tempo, eccentric_s=1.5, concentric_s=1.0, top_s=1.0)
    return recorded(replace(scenario, tempo=tempo), seed=5)


def pushed(parts: list[ImuBlock], orders: list[Order], setup: AthleteSetup | None = None) -> PipelineOutput:
    """Push blocks; each order is given once its moment has been heard of."""
    pipeline = MotionPipeline(setup or AthleteSetup(KNOWN, Prescription(Exercise.ROMANIAN_DEADLIFT)))
    waiting, outputs = list(orders), []
    for part in parts:
        while waiting and waiting[0].at_ns <= part.time_ns(len(part)):
            pipeline.order(waiting.pop(0))
        outputs.append(pipeline.push(part))
    outputs.append(pipeline.flush())
    return PipelineOutput(
        angles=tuple(angles for output in outputs for angles in output.angles),
        events=tuple(event for output in outputs for event in output.events),
        live=outputs[-1].live,
    )


def last_told(output: PipelineOutput) -> tuple[list[tuple[int, int]], dict[int, int]]:
    """Places of the repetitions, and how many the last summary of each set counts."""
    places = {
        (e.repetition.set_number, e.repetition.repetition_number): None
        for e in output.events
        if isinstance(e, RepetitionEvent)
    }
    sets = {e.summary.set_number: e.summary for e in output.events if isinstance(e, SetEvent)}
    assert all(summary.is_final for summary in sets.values())
    return list(places), {number: summary.repetitions for number, summary in sets.items()}


def repetitions(output: PipelineOutput) -> list[RepetitionEvent]:
    return [e for e in output.events if isinstance(e, RepetitionEvent) and e.revision == 0]


def test_a_set_ends_where_it_is_ordered(set_of_four: list[ImuBlock]) -> None:
    undisturbed = pushed(chunks(set_of_four, 0, longest=20), [])
    assert last_told(undisturbed) == ([(1, 1), (1, 2), (1, 3), (1, 4)], {1: 4})
    second = repetitions(undisturbed)[1].repetition
    cases = {
        "between two repetitions": second.close_ns + 300_000_000,
        "while the second rises": second.bottom_ns + 100_000_000,
        "as the third goes down": repetitions(undisturbed)[2].repetition.bottom_ns - 800_000_000,
    }
    for what, at_ns in cases.items():
        output = pushed(chunks(set_of_four, 0, longest=20), [SetEnds(at_ns)])
        assert last_told(output) == ([(1, 1), (1, 2), (2, 1), (2, 2)], {1: 2, 2: 2}), what


def test_orders_do_not_depend_on_chunks(set_of_four: list[ImuBlock]) -> None:
    found = repetitions(pushed(chunks(set_of_four, 0, longest=20), []))
    slow = Prescription(Exercise.ROMANIAN_DEADLIFT, tempo=parse_tempo("5-0-X-0"))
    orders: list[Order] = [
        Prescribed(BEGIN_NS + 500_000_000, slow),
        SetEnds(found[0].repetition.bottom_ns + 200_000_000),
        ZeroAnew(found[2].repetition.close_ns + 100_000_000),
    ]
    expected = pushed(chunks(set_of_four, 0, longest=20), orders)
    assert last_told(expected)[1].items() >= {1: 1, 2: 2}.items()
    for seed, longest in ((1, 20), (2, 7), (3, 25)):
        assert_same_output(pushed(chunks(set_of_four, seed, longest), orders), expected)


def test_another_prescription_judges_what_follows(set_of_four: list[ImuBlock]) -> None:
    found = repetitions(pushed(chunks(set_of_four, 0, longest=20), []))
    slow = Prescription(Exercise.ROMANIAN_DEADLIFT, repetitions=5, tempo=parse_tempo("5-0-X-0"))
    at_ns = found[1].repetition.close_ns + 500_000_000
    output = pushed(chunks(set_of_four, 0, longest=20), [Prescribed(at_ns, slow)])
    assert [bool(e.repetition.adherence) for e in repetitions(output)] == [False, False, True, True]
    (summary,) = {e.summary.set_number: e.summary for e in output.events if isinstance(e, SetEvent)}.values()
    assert summary.adherence is not None
    assert (summary.prescription, summary.adherence.repetitions_asked) == (slow, 5)
    taken_away = pushed(chunks(set_of_four, 0, longest=20), [Prescribed(BEGIN_NS, None)])
    assert [e.summary.prescription for e in taken_away.events if isinstance(e, SetEvent)] == [None] * 5


def test_zero_is_found_anew_and_counting_goes_on(set_of_four: list[ImuBlock]) -> None:
    # Stands still, is set to zero again, does another four.
    length_ns = set_of_four[0].time_ns(len(set_of_four[0])) - BEGIN_NS
    later = [replace(block, start_time_ns=block.start_time_ns + length_ns) for block in set_of_four]
    parts = chunks(set_of_four, 0, longest=20) + chunks(later, 0, longest=20)
    setup = AthleteSetup(dict.fromkeys(KNOWN, Mount.UNKNOWN), Prescription(Exercise.ROMANIAN_DEADLIFT))
    output = pushed(parts, [ZeroAnew(BEGIN_NS + length_ns)], setup)
    assert last_told(output) == ([(s, n) for s in (1, 2) for n in (1, 2, 3, 4)], {1: 4, 2: 4})
    calibrated_ns = [e.time_ns for e in output.events if isinstance(e, CalibrationEvent)]
    assert min(t for t in calibrated_ns if t >= BEGIN_NS + length_ns) < BEGIN_NS + length_ns + 3_000_000_000
    assert len({e.repetition.close_ns for e in repetitions(output)}) == 8
    pelvis = [block.pelvic_tilt_deg for block in output.angles]
    assert sum(map(len, pelvis)) == len(set_of_four[0]) * 2


def test_without_samples_an_order_need_not_wait(set_of_four: list[ImuBlock]) -> None:
    pipeline = MotionPipeline(AthleteSetup(KNOWN, Prescription(Exercise.ROMANIAN_DEADLIFT)))
    pipeline.order(SetEnds(BEGIN_NS))
    assert pipeline.obey_now() == PipelineOutput()
    events = [event for part in chunks(set_of_four, 0, longest=20) for event in pipeline.push(part).events]
    assert not any(e.summary.is_final for e in events if isinstance(e, SetEvent))
    pipeline.order(SetEnds(1 << 62))
    output = pipeline.obey_now()
    assert [e.summary.repetitions for e in output.events if isinstance(e, SetEvent)][-1] == 4
    assert output.live is not None
    assert (output.live.set_number, output.live.repetition_count) == (2, 0)


def test_a_movement_that_was_not_counted_can_be_measured() -> None:
    scenario = replace(hardware_sim.load_scenario("romanian_deadlift"), repetitions=3, sets=1)
    tempo = replace(scenario.tempo, eccentric_s=1.5, concentric_s=1.0, top_s=1.0)
    form = replace(scenario.form, aborted_after=(2,), aborted_depth=0.4)
    blocks = recorded(replace(scenario, tempo=tempo, form=form), seed=5)
    pipeline = MotionPipeline(AthleteSetup(KNOWN, Prescription(Exercise.ROMANIAN_DEADLIFT)))
    assert pipeline.measure_missed(BEGIN_NS) is None
    events = [event for part in chunks(blocks, 0, 20) for event in pipeline.push(part).events]
    (aborted,) = [event.aborted for event in events if isinstance(event, RepetitionAborted)]
    counted = [e.repetition for e in events if isinstance(e, RepetitionEvent) and e.revision == 0]
    assert len(counted) == 3
    missed = pipeline.measure_missed(aborted.end_ns + 1_000_000_000)
    assert missed is not None
    assert missed.bottom_ns == pytest.approx(aborted.bottom_ns, abs=300_000_000)
    assert missed.eccentric_s is not None
    assert missed.hip_flexion_left_range_deg == pytest.approx(aborted.depth_deg, rel=0.25)
    assert missed.hip_flexion_left_range_deg < 0.6 * counted[0].hip_flexion_left_range_deg
    # It is measured only: the count goes on as it was.
    assert pipeline.measure_missed(counted[0].close_ns - 2_000_000_000) is None
    (summary,) = [event.summary for event in pipeline.flush().events if isinstance(event, SetEvent)][-1:]
    assert summary.repetitions == 3
