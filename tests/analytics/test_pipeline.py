"""The whole body against the virtual athlete's exact truth, and against real bows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import hardware_sim
from analytics.batch import analyse
from analytics.errors import MixedSamplingRates
from analytics.exercises import Exercise, Side
from analytics.imu import ImuBlock, Mount, Placement
from analytics.pipeline import AthleteSetup, MotionPipeline
from analytics.pipeline_output import (
    CalibrationEvent,
    PipelineOutput,
    RepetitionAborted,
    RepetitionEvent,
    SetEvent,
)
from analytics.prescription import Prescription
from analytics.repetition_figures import RepetitionStatus
from analytics.repetitions import Phase

BOWS = Path(__file__).resolve().parents[3] / "shared" / "data" / "bowing_vicon"
ALL = (Placement.PELVIS, Placement.THIGH_LEFT, Placement.THIGH_RIGHT)


def perform(name: str, seed: int = 3, model: str = "good", **changes: object) -> hardware_sim.Performance:
    scenario = replace(hardware_sim.load_scenario(name), **changes)
    sensors = tuple(replace(worn, model=model) for worn in scenario.sensors)
    return hardware_sim.simulate(replace(scenario, sensors=sensors), seed)


def blocks_of(
    performance: hardware_sim.Performance, placements: tuple[Placement, ...] = ALL
) -> list[ImuBlock]:
    columns = hardware_sim.trace_columns(performance)
    return [
        ImuBlock(
            placement=placement,
            start_time_ns=0,
            sampling_rate_hz=100.0,
            acc_m_s2=np.stack([columns[f"{placement}_a{axis}"] for axis in "xyz"], axis=1),
            gyr_rad_s=np.stack([columns[f"{placement}_g{axis}"] for axis in "xyz"], axis=1),
        )
        for placement in placements
    ]


def setup_of(
    performance: hardware_sim.Performance, mount: str, placements: tuple[Placement, ...] = ALL
) -> AthleteSetup:
    mounts = {Placement(worn.placement): Mount(worn.mount) for worn in performance.scenario.sensors}
    scenario = performance.scenario
    return AthleteSetup(
        {p: mounts[p] if mount == "known" else Mount.UNKNOWN for p in placements},
        Prescription(Exercise(scenario.exercise), side=Side(scenario.side)),
    )


def part(block: ImuBlock, start: int, end: int, gap_s: float = 0.0) -> ImuBlock:
    return replace(
        block,
        start_time_ns=block.time_ns(start),
        acc_m_s2=block.acc_m_s2[start:end],
        gyr_rad_s=block.gyr_rad_s[start:end],
        gap_before_s=gap_s,
    )


def newest(output: PipelineOutput) -> list[RepetitionEvent]:
    events = {}
    for event in output.events:
        if isinstance(event, RepetitionEvent):
            events[event.repetition.set_number, event.repetition.repetition_number] = event
    return [events[key] for key in sorted(events)]


def inside_error_deg(output: PipelineOutput, performance: hardware_sim.Performance, name: str) -> float:
    """Root mean square error of the finished repetitions' angles."""
    truth = getattr(performance.truth.angles, name)
    differences = []
    for event in newest(output):
        start = round(event.angles.start_time_ns / 1e7)
        differences.append(getattr(event.angles, name) - truth[start : start + len(event.angles)])
    return float(np.sqrt(np.mean(np.concatenate(differences) ** 2)))


@pytest.fixture(scope="module")
def hinges() -> hardware_sim.Performance:
    return perform("romanian_deadlift", repetitions=4)


# --- against the truth ------------------------------------------------------------------------


@pytest.mark.parametrize("mount", ["known", "unknown"])
@pytest.mark.parametrize(
    ("name", "model", "hip_deg"),
    [
        ("romanian_deadlift", "good", 1.0),
        ("romanian_deadlift", "cheap", 1.5),
        ("single_leg_deadlift_left", "good", 1.0),
        ("micro_hinge", "cheap", 1.0),
        ("squat", "good", 1.0),
    ],
)
def test_repetitions_of_the_virtual_athlete(name: str, model: str, hip_deg: float, mount: str) -> None:
    performance = perform(name, model=model, repetitions=3)
    output = analyse(blocks_of(performance), setup_of(performance, mount))
    events, truth = newest(output), performance.truth.repetitions
    assert len(events) == len(truth) == 3
    for event, true in zip(events, truth, strict=True):
        measured = event.repetition
        assert measured.pelvic_tilt_range_deg == pytest.approx(true.pelvic_tilt_range_deg, abs=1.5)
        assert measured.hip_flexion_left_range_deg == pytest.approx(true.hip_flexion_left_range_deg, abs=2.0)
        assert measured.eccentric_s == pytest.approx(true.eccentric_s, abs=0.1)
        assert measured.eccentric_start_ns / 1e9 == pytest.approx(true.eccentric_start_s, abs=0.1)
        assert measured.concentric_end_ns / 1e9 == pytest.approx(true.concentric_end_s, abs=0.1)
    assert inside_error_deg(output, performance, "pelvic_tilt_deg") < hip_deg
    assert inside_error_deg(output, performance, "hip_flexion_left_deg") < hip_deg


@pytest.mark.parametrize("mount", ["known", "unknown"])
def test_bridges_begin_with_the_concentric(mount: str) -> None:
    performance = perform("glute_bridge", repetitions=3)
    output = analyse(blocks_of(performance), setup_of(performance, mount))
    events, truth = newest(output), performance.truth.repetitions
    assert len(events) == len(truth) == 3
    for event, true in zip(events, truth, strict=True):
        measured = event.repetition
        assert measured.is_supine
        assert measured.concentric_start_ns < measured.eccentric_start_ns
        assert measured.pelvic_tilt_range_deg == pytest.approx(true.pelvic_tilt_range_deg, abs=1.5)
        assert measured.concentric_s == pytest.approx(true.concentric_s, abs=0.1)
        assert measured.lockout_deficit_deg is None
        assert "standing" in measured.reasons["lockout_deficit_deg"]


@pytest.mark.parametrize("mount", ["known", "unknown"])
def test_walking_is_no_repetition(mount: str) -> None:
    performance = perform("walking")
    setup = replace(setup_of(perform("squat", repetitions=1), mount), prescription=None)
    output = analyse(blocks_of(performance), setup)
    assert newest(output) == []
    assert not any(isinstance(event, RepetitionAborted) for event in output.events)


@pytest.mark.parametrize(
    "placements",
    [
        (Placement.PELVIS,),
        (Placement.PELVIS, Placement.THIGH_RIGHT),
        (Placement.THIGH_LEFT,),
        (Placement.THIGH_LEFT, Placement.THIGH_RIGHT),
    ],
    ids="+".join,
)
@pytest.mark.parametrize("mount", ["known", "unknown"])
def test_fewer_sensors_say_less_and_count_the_same(
    hinges: hardware_sim.Performance, placements: tuple[Placement, ...], mount: str
) -> None:
    output = analyse(blocks_of(hinges, placements), setup_of(hinges, mount, placements))
    repetitions = [event.repetition for event in newest(output)]
    assert len(repetitions) == 4
    for repetition in repetitions:
        has_pelvis = Placement.PELVIS in placements
        assert (repetition.pelvic_tilt_range_deg is None) is not has_pelvis
        has_right_hip = has_pelvis and Placement.THIGH_RIGHT in placements
        assert (repetition.hip_flexion_right_range_deg is None) is not has_right_hip
        assert repetition.hip_flexion_left_range_deg is None


def test_a_thigh_alone_says_that_it_is_careful_where_nothing_was_asked(
    hinges: hardware_sim.Performance,
) -> None:
    placements = (Placement.THIGH_LEFT,)
    setup = replace(setup_of(hinges, "unknown", placements), prescription=None)
    output = analyse(blocks_of(hinges, placements), setup)
    assert len(newest(output)) == 4
    assert [event.summary.exercise for event in output.events if isinstance(event, SetEvent)][
        -1
    ] is Exercise.OTHER
    calibrations = [event.calibration for event in output.events if isinstance(event, CalibrationEvent)]
    assert calibrations
    assert all("unless an exercise is asked for, only slow" in c.warnings[-1] for c in calibrations)


def test_a_wrongly_declared_placement_is_found_out(hinges: hardware_sim.Performance) -> None:
    setup = setup_of(hinges, "known")
    wrong = AthleteSetup({**setup.mounts, Placement.PELVIS: Mount.BELLY}, setup.prescription)
    output = analyse(blocks_of(hinges), wrong)
    assert len(newest(output)) == 4
    assert inside_error_deg(output, hinges, "pelvic_tilt_deg") < 1.0
    warnings = [w for e in output.events if isinstance(e, CalibrationEvent) for w in e.calibration.warnings]
    assert any("not at the belly as declared" in warning for warning in warnings)


def test_accelerations_alone_count_and_say_what_they_cannot(hinges: hardware_sim.Performance) -> None:
    blocks = [
        replace(block, gyr_rad_s=np.zeros_like(block.gyr_rad_s), has_gyroscope=False)
        for block in blocks_of(hinges)
    ]
    output = analyse(blocks, setup_of(hinges, "known"))
    events = newest(output)
    assert len(events) == 4
    for event, true in zip(events, hinges.truth.repetitions, strict=True):
        assert event.repetition.pelvic_tilt_range_deg == pytest.approx(true.pelvic_tilt_range_deg, abs=1.5)
        assert event.repetition.pelvic_rotation_range_deg is None
    warnings = [w for e in output.events if isinstance(e, CalibrationEvent) for w in e.calibration.warnings]
    assert any("no gyroscope" in warning for warning in warnings)


@pytest.mark.parametrize("mount", ["known", "unknown"])
def test_a_recording_that_starts_just_before_the_first_repetition(
    hinges: hardware_sim.Performance, mount: str
) -> None:
    start = round((hinges.truth.repetitions[0].eccentric_true_start_s - 0.3) * 100.0)
    blocks = [part(block, start, len(block)) for block in blocks_of(hinges)]
    output = analyse(blocks, setup_of(hinges, mount))
    repetitions = [event.repetition for event in newest(output)]
    assert len(repetitions) == 4
    # A steady soft lockout would look the same: so nothing is said about it.
    assert all(repetition.lockout_deficit_deg is None for repetition in repetitions)


# --- holes ------------------------------------------------------------------------------------


def middle_of_lowering(performance: hardware_sim.Performance, number: int) -> int:
    repetition = performance.truth.repetitions[number]
    return round(50.0 * (repetition.eccentric_start_s + repetition.eccentric_end_s))


def test_a_short_hole_is_bridged_and_marked(hinges: hardware_sim.Performance) -> None:
    first = middle_of_lowering(hinges, 1)
    last = first + 40
    blocks = [
        piece
        for block in blocks_of(hinges)
        for piece in (part(block, 0, first), part(block, last, len(block), gap_s=0.4))
    ]
    output = analyse(blocks, setup_of(hinges, "known"))
    events = newest(output)
    assert len(events) == 4
    assert "0.40 s of data are missing" in events[1].repetition.warnings[0]
    live = np.concatenate([block.is_measured for block in output.angles])
    assert not live[first:last].any()
    assert not live[last : last + 199].any()  # the filter settles for two seconds
    assert live[:first].all()
    assert live[last + 201 :].all()


def test_a_long_hole_ends_the_repetition_and_is_not_filled(hinges: hardware_sim.Performance) -> None:
    first = middle_of_lowering(hinges, 1)
    last = first + 200
    blocks = [
        piece
        for block in blocks_of(hinges)
        for piece in (part(block, 0, first), part(block, last, len(block), gap_s=2.0))
    ]
    output = analyse(blocks, setup_of(hinges, "known"))
    assert len(newest(output)) == 3
    assert [e.aborted.reason.value for e in output.events if isinstance(e, RepetitionAborted)] == [
        "unmeasured"
    ]
    assert [block.gap_before_s for block in output.angles if block.gap_before_s > 0.0] == [2.0]
    assert sum(len(block) for block in output.angles) == len(blocks_of(hinges)[0]) - 200


def test_the_other_thigh_goes_on_where_one_is_lost(hinges: hardware_sim.Performance) -> None:
    pelvis, left, right = blocks_of(hinges)
    output = analyse([pelvis, part(left, 0, 1500), right], setup_of(hinges, "known"))
    assert len(newest(output)) == 4
    assert newest(output)[-1].repetition.hip_flexion_left_range_deg is None
    assert newest(output)[-1].repetition.hip_flexion_right_range_deg is not None


def test_samples_that_come_too_late_are_counted(hinges: hardware_sim.Performance) -> None:
    pelvis, left, right = (part(block, 0, 1000) for block in blocks_of(hinges))
    pipeline = MotionPipeline(setup_of(hinges, "known"))
    for block in (pelvis, right, left):
        pipeline.push(block)
    pipeline.flush()
    assert pipeline.late_samples[Placement.THIGH_LEFT] == 950  # all but the last half second
    assert pipeline.late_samples[Placement.PELVIS] == 0


def test_a_sensor_that_comes_late_is_calibrated_at_the_next_standstill() -> None:
    performance = perform("romanian_deadlift", repetitions=2, lead_in_s=9.0)
    pelvis, left, right = blocks_of(performance)
    output = analyse([pelvis, part(left, 400, len(left)), right], setup_of(performance, "known"))
    calibrated_s = [
        event.time_ns / 1e9
        for event in output.events
        if isinstance(event, CalibrationEvent) and event.calibration.placement is Placement.THIGH_LEFT
    ]
    assert calibrated_s[0] == pytest.approx(6.0, abs=0.6)
    assert [event.repetition.hip_flexion_left_range_deg is None for event in newest(output)] == [False, False]


@pytest.mark.parametrize("mount", ["known", "unknown"])
@pytest.mark.parametrize("late_s", [0.6, 1.9, 3.5])
def test_the_sensor_that_sets_the_grid_need_not_be_the_first(
    hinges: hardware_sim.Performance, mount: str, late_s: float
) -> None:
    pelvis, left, right = blocks_of(hinges)
    output = analyse([part(pelvis, round(late_s * 100.0), len(pelvis)), left, right], setup_of(hinges, mount))
    assert output.angles[0].start_time_ns == 0
    assert sum(len(block) for block in output.angles) == len(left)
    assert len(newest(output)) == 4


# --- events -----------------------------------------------------------------------------------


def test_revisions_of_a_repetition(hinges: hardware_sim.Performance) -> None:
    blocks = blocks_of(hinges)
    pipeline = MotionPipeline(setup_of(hinges, "known"))
    published = []
    for start in range(0, len(blocks[0]), 10):
        for block in blocks:
            end = min(start + 10, len(block))
            published.extend(
                (end / 100.0, event)
                for event in pipeline.push(part(block, start, end)).events
                if isinstance(event, RepetitionEvent) and event.repetition.repetition_number == 2
            )
    end_s = hinges.truth.repetitions[1].concentric_end_s
    at = {event.revision: time_s for time_s, event in published}
    assert [event.revision for _, event in published] == [0, 1, 2]
    assert [event.final for _, event in published] == [False, True, True]
    assert end_s - 0.5 < at[0] < end_s + 0.4
    assert at[0] + 0.8 < at[1] < at[0] + 1.3
    first, final, complete = (event.repetition for _, event in published)
    assert first.pelvic_tilt_range_deg == pytest.approx(final.pelvic_tilt_range_deg, abs=0.3)
    assert final.top_pause_s is None
    assert complete.top_pause_s == pytest.approx(hinges.truth.repetitions[1].top_pause_s, abs=0.1)


def test_the_set_is_summed_up_when_it_ends(hinges: hardware_sim.Performance) -> None:
    output = analyse(blocks_of(hinges), setup_of(hinges, "known"))
    summaries = [event for event in output.events if isinstance(event, SetEvent)]
    assert [event.revision for event in summaries] == [0, 1, 2, 3, 4]
    last = summaries[-1].summary
    assert last.is_final
    assert last.repetitions == 4
    assert last.exercise is Exercise.ROMANIAN_DEADLIFT
    true_s = np.mean([r.eccentric_s for r in hinges.truth.repetitions])
    assert last.mean_eccentric_s == pytest.approx(true_s, abs=0.05)
    assert {e.repetition.status for e in newest(output)} == {RepetitionStatus.CONFIRMED}


def test_published_angles_are_not_rewritten(hinges: hardware_sim.Performance) -> None:
    output = analyse(blocks_of(hinges), setup_of(hinges, "unknown"))
    starts = np.array([block.start_time_ns for block in output.angles])
    ends = np.array([block.time_ns(len(block)) for block in output.angles])
    np.testing.assert_array_equal(starts[1:], ends[:-1])
    tilt = np.concatenate([block.pelvic_tilt_deg for block in output.angles])
    obliquity = np.concatenate([block.pelvic_obliquity_deg for block in output.angles])
    learnt = next(
        event.time_ns
        for event in output.events
        if isinstance(event, CalibrationEvent) and event.calibration.is_yaw_known
    )
    before = round(learnt / 1e7)
    # Without a forward direction an inclination has a size and no sign.
    assert (tilt[:before] >= 0.0).all()
    assert np.isnan(obliquity[:before]).all()
    assert np.isfinite(obliquity[before:]).all()
    first = hinges.truth.repetitions[0]
    assert first.concentric_end_s - 0.5 < learnt / 1e9 < first.concentric_end_s + 0.5


def test_live_state_follows_the_set(hinges: hardware_sim.Performance) -> None:
    blocks = blocks_of(hinges)
    pipeline = MotionPipeline(setup_of(hinges, "known"))
    second = hinges.truth.repetitions[1]
    seen = {}
    for start in range(0, len(blocks[0]), 10):
        for block in blocks:
            live = pipeline.push(part(block, start, min(start + 10, len(block)))).live
        if live is not None:
            seen[round(live.time_ns / 1e8)] = live
    lowering = seen[round(5.0 * (second.eccentric_start_s + second.eccentric_end_s))]
    assert lowering.phase is Phase.ECCENTRIC
    assert (lowering.set_number, lowering.repetition_count) == (1, 1)
    assert lowering.eccentric_start_ns / 1e9 == pytest.approx(second.eccentric_start_s, abs=0.4)
    assert 0.2 < lowering.depth_fraction < 0.8
    assert seen[round(10.0 * second.concentric_end_s) + 8].repetition_count == 2


def test_the_first_two_seconds_are_calibrating(hinges: hardware_sim.Performance) -> None:
    pelvis = blocks_of(hinges, (Placement.PELVIS,))[0]
    pipeline = MotionPipeline(AthleteSetup({Placement.PELVIS: Mount.SACRUM}))
    output = pipeline.push(part(pelvis, 0, 150))
    assert output.angles == ()
    assert output.live.phase is Phase.CALIBRATING
    assert output.live.time_ns == 1_500_000_000
    output = pipeline.push(part(pelvis, 150, 220))
    assert output.live.phase is Phase.TOP
    assert sum(len(block) for block in output.angles) == 220


# --- what is refused --------------------------------------------------------------------------


def test_nobody_worn_is_refused() -> None:
    with pytest.raises(ValueError, match="name at least one placement"):
        AthleteSetup({})


def test_a_placement_that_is_not_worn_is_refused() -> None:
    pipeline = MotionPipeline(AthleteSetup({Placement.PELVIS: Mount.SACRUM}))
    with pytest.raises(ValueError, match="thigh_left is not worn by this athlete"):
        pipeline.push(ImuBlock(Placement.THIGH_LEFT, 0, 100.0, np.ones((5, 3)), np.zeros((5, 3))))


def test_two_rates_are_refused() -> None:
    pipeline = MotionPipeline(AthleteSetup(dict.fromkeys(ALL[:2], Mount.UNKNOWN)))
    still = np.tile((0.0, 0.0, 9.81), (300, 1))
    pipeline.push(ImuBlock(Placement.PELVIS, 0, 100.0, still, np.zeros((300, 3))))
    with pytest.raises(MixedSamplingRates, match="resample all sensors to one grid first"):
        pipeline.push(ImuBlock(Placement.THIGH_LEFT, 0, 50.0, still, np.zeros((300, 3))))


# --- real people ------------------------------------------------------------------------------


@pytest.mark.recordings
@pytest.mark.skipif(not BOWS.is_dir(), reason="the evaluation recordings are not in ../shared/data")
@pytest.mark.parametrize("trial", ["S01_T1", "S02_T3", "S03_T5", "S04_T2", "S05_T4", "S06_T5"])
def test_real_bows_are_counted_and_timed(trial: str) -> None:
    table = pd.read_parquet(BOWS / f"{trial}.parquet")
    listed = pd.read_csv(BOWS / "reps.csv")
    bottoms_s = listed.loc[listed["trial"] == trial, "t_bottom"].to_numpy()
    block = ImuBlock(
        placement=Placement.PELVIS,
        start_time_ns=0,
        sampling_rate_hz=100.0,
        acc_m_s2=table[["torso_ax", "torso_ay", "torso_az"]].to_numpy(np.float64),
        gyr_rad_s=table[["torso_gx", "torso_gy", "torso_gz"]].to_numpy(np.float64),
    )
    events = newest(analyse([block], AthleteSetup({Placement.PELVIS: Mount.UNKNOWN})))
    assert len(events) == 3
    measured_s = [e.angles.time_ns(int(np.argmax(e.angles.pelvic_tilt_deg))) / 1e9 for e in events]
    np.testing.assert_allclose(measured_s, bottoms_s, atol=0.1)
