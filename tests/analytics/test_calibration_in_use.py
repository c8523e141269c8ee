"""How the sensors of the virtual athlete are found to sit, against how they really sit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import hardware_sim
from analytics.batch import analyse, side_by_side
from analytics.calibration import CalibrationMethod
from analytics.imu import ImuBlock, Mount, Placement
from analytics.pipeline import MotionPipeline
from analytics.pipeline_output import CalibrationEvent, PipelineOutput, RepetitionEvent
from analytics.pipeline_setup import AthleteSetup
from analytics.wearing import Wearing
from hardware_sim.scenario import Tempo

ALL = (Placement.PELVIS, Placement.THIGH_LEFT, Placement.THIGH_RIGHT)


def perform(name: str, seed: int, **changes: object) -> hardware_sim.Performance:
    return hardware_sim.simulate(replace(hardware_sim.load_scenario(name), **changes), seed)


def blocks_of(performance: hardware_sim.Performance, from_s: float = 0.0) -> list[ImuBlock]:
    columns = hardware_sim.trace_columns(performance)
    rate_hz = performance.scenario.rate_hz
    first = round(from_s * rate_hz)
    return [
        ImuBlock(
            placement=placement,
            start_time_ns=round(first * 1e9 / rate_hz),
            sampling_rate_hz=rate_hz,
            acc_m_s2=np.stack([columns[f"{placement}_a{axis}"][first:] for axis in "xyz"], axis=1),
            gyr_rad_s=np.stack([columns[f"{placement}_g{axis}"][first:] for axis in "xyz"], axis=1),
        )
        for placement in ALL
    ]


def declared(performance: hardware_sim.Performance) -> AthleteSetup:
    return AthleteSetup(
        {Placement(worn.placement): Mount(worn.mount) for worn in performance.scenario.sensors}
    )


def finished(output: PipelineOutput) -> list[RepetitionEvent]:
    return [event for event in output.events if isinstance(event, RepetitionEvent) and event.final]


def errors_deg(performance: hardware_sim.Performance, events: list[RepetitionEvent], name: str) -> np.ndarray:
    truth, rate_hz = performance.truth, performance.scenario.rate_hz
    parts = []
    for event in events:
        start = round(event.angles.start_time_ns * 1e-9 * rate_hz)
        true = getattr(truth.angles, name)[start : start + len(event.angles)]
        parts.append(getattr(event.angles, name) - true)
    return np.concatenate(parts)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_zero_is_the_middle_of_the_sway_of_standing(seed: int) -> None:
    performance = perform("micro_hinge", seed)
    events = finished(analyse(blocks_of(performance), declared(performance)))
    assert events
    # So small a hinge shows no accelerometer bias: what is left is the zero.
    assert abs(float(np.median(errors_deg(performance, events, "pelvic_tilt_deg")))) < 0.15


def test_a_held_bottom_is_not_taken_for_standing() -> None:
    tempo = Tempo(2.5, 4.5, 1.5, 1.5)
    scenario = hardware_sim.load_scenario("romanian_deadlift")
    # At the side of the hip a sensor that is bent over looks like one that was clipped on turned.
    sensors = tuple(
        replace(worn, mount="hip_left") if worn.placement == "pelvis" else worn for worn in scenario.sensors
    )
    performance = perform("romanian_deadlift", 5, tempo=tempo, repetitions=3, sensors=sensors)
    first_s = performance.truth.repetitions[0].eccentric_true_start_s
    output = analyse(blocks_of(performance, first_s - 0.8), declared(performance))
    events = finished(output)
    assert len({event.repetition.repetition_number for event in events}) == 3
    assert float(np.max(np.abs(errors_deg(performance, events, "pelvic_tilt_deg")))) < 4.0


def unknown_mounts(wearing: Wearing | None = None) -> AthleteSetup:
    return AthleteSetup(dict.fromkeys(ALL, Mount.UNKNOWN), wearing=wearing)


def test_a_kept_calibration_serves_the_next_set_from_its_first_sample() -> None:
    # The same seed: the same sensors, not taken off between the sets.
    performance = perform("romanian_deadlift", 4, repetitions=2)
    pipeline = MotionPipeline(unknown_mounts())
    first = [pipeline.push_together(part) for part in side_by_side(blocks_of(performance))]
    assert np.isnan(first[0].angles[0].thigh_flexion_left_deg[0])
    assert pipeline.wearing is not None
    kept = Wearing.from_dict(pipeline.wearing.to_dict())
    output = analyse(blocks_of(performance), unknown_mounts(kept))
    truth = performance.truth
    live = np.concatenate([block.thigh_flexion_left_deg for block in output.angles])
    assert float(np.max(np.abs(live - truth.angles.thigh_flexion_left_deg[: len(live)]))) < 3.0
    told = [event for event in output.events if isinstance(event, CalibrationEvent)]
    assert {event.calibration.method for event in told} == {CalibrationMethod.MOVEMENT}
    assert len({e.repetition.repetition_number for e in finished(output)}) == 2


def test_a_kept_calibration_of_another_wearing_is_not_used() -> None:
    performance = perform("romanian_deadlift", 4, repetitions=2)
    pipeline = MotionPipeline(unknown_mounts())
    for part in side_by_side(blocks_of(performance)):
        pipeline.push_together(part)
    assert pipeline.wearing is not None
    turned = [
        replace(block, acc_m_s2=block.acc_m_s2[:, [1, 2, 0]], gyr_rad_s=block.gyr_rad_s[:, [1, 2, 0]])
        for block in blocks_of(performance)
    ]
    output = analyse(turned, unknown_mounts(pipeline.wearing))
    told = [event.calibration for event in output.events if isinstance(event, CalibrationEvent)]
    assert all("calibrated anew" in calibration.warnings[0] for calibration in told[:3])
    assert float(np.max(np.abs(errors_deg(performance, finished(output), "pelvic_tilt_deg")))) < 2.0


def test_a_calibration_taken_standing_serves_lying() -> None:
    stood = perform("romanian_deadlift", 0, repetitions=2)
    lay = perform("glute_bridge", 0, repetitions=2, sensors=stood.scenario.sensors)
    pipeline = MotionPipeline(unknown_mounts())
    for part in side_by_side(blocks_of(stood)):
        pipeline.push_together(part)
    events = finished(analyse(blocks_of(lay), unknown_mounts(pipeline.wearing)))
    assert len({event.repetition.repetition_number for event in events}) == 2
    # Lying alone, an unknown mount leaves the thigh's zero open by more than ten degrees.
    for name in ("pelvic_tilt_deg", "thigh_flexion_left_deg"):
        assert float(np.max(np.abs(errors_deg(lay, events, name)))) < 2.5


def test_a_slow_lowering_that_follows_at_once_does_not_pull_zero_along() -> None:
    performance = perform("single_leg_deadlift_left", 5, tempo=Tempo(7.0, 0.6, 2.9, 1.0), repetitions=2)
    first_s = performance.truth.repetitions[0].eccentric_true_start_s
    events = finished(analyse(blocks_of(performance, first_s - 0.7), declared(performance)))
    assert events
    assert abs(float(np.median(errors_deg(performance, events, "pelvic_tilt_deg")))) < 1.5


def test_standing_softly_locked_after_a_set_is_not_zero() -> None:
    scenario = hardware_sim.load_scenario("romanian_deadlift")
    form = replace(scenario.form, soft_lockout_deg=12.0)
    performance = perform(
        "romanian_deadlift", 2, tempo=Tempo(0.9, 0.0, 0.8, 0.1), repetitions=3, form=form, duration_s=20.0
    )
    first_s = performance.truth.repetitions[0].eccentric_true_start_s
    events = finished(analyse(blocks_of(performance, first_s - 0.8), declared(performance)))
    assert events
    assert abs(float(np.median(errors_deg(performance, events, "hip_flexion_left_deg")))) < 3.0
