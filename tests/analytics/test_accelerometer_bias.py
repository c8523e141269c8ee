"""The accelerometer's bias, found while it is used."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import hardware_sim
from analytics.accelerometer_bias import BiasEvidence, estimate_bias, gather_evidence, with_true_zero
from analytics.alignment import SegmentSamples
from analytics.batch import analyse
from analytics.calibration import StillPose
from analytics.imu import ImuBlock, Mount, Placement
from analytics.pipeline import AthleteSetup, PipelineParameters
from analytics.pipeline_output import RepetitionEvent
from analytics.quaternions import to_matrix
from analytics.repetition_meter import MeterParameters

UP = np.array((0.0, 1.0, 0.0))  # sensor_frame as worn: y is up while standing
BIAS = np.array((0.05, -0.20, 0.15))


def leaning(largest_deg: float, *, shake_m_s2: float = 0.0, seconds: float = 12.0) -> SegmentSamples:
    """Lean a sensor about its x axis and back, smoothly, its accelerometer wrong by ``BIAS``."""
    n = round(100.0 * seconds)
    angle = np.radians(largest_deg) * 0.5 * (1.0 - np.cos(np.linspace(0.0, 2.0 * np.pi, n)))
    # Standing has y up: earth_from_sensor is a quarter turn about x, and the lean on top of it.
    turned = 0.5 * np.pi + angle
    zeros = np.zeros(n)
    quat = np.stack((np.cos(0.5 * turned), np.sin(0.5 * turned), zeros, zeros), axis=1)
    up = np.stack((zeros, np.sin(turned), np.cos(turned)), axis=1)
    wave = shake_m_s2 * np.sin(2.0 * np.pi * 3.0 * np.arange(n) / 100.0)
    yes = np.ones(n, dtype=np.bool_)
    rate = np.stack((np.gradient(angle) * 100.0, zeros, zeros), axis=1)
    return SegmentSamples(
        earth_from_sensor_wxyz=quat,
        acc_m_s2=(9.80665 + wave)[:, None] * up + BIAS,
        gyr_rad_s=rate,
        bias_rad_s=np.zeros((n, 3)),
        bias_sigma_rad_s=zeros,
        is_present=yes,
        is_received=yes,
        is_measured=yes,
        has_gyroscope=yes,
    )


def test_a_bend_shows_the_bias_across_its_axis() -> None:
    bias = estimate_bias(gather_evidence(leaning(80.0), 100.0, UP))
    assert bias is not None
    # Nothing leans along x: that part stays unknown, and is left at zero.
    np.testing.assert_allclose(bias, (0.0, -0.20, 0.15), atol=0.02)


def test_a_small_bend_says_nothing() -> None:
    assert estimate_bias(gather_evidence(leaning(15.0), 100.0, UP)) is None


def test_shaking_says_nothing() -> None:
    evidence = gather_evidence(leaning(80.0, shake_m_s2=1.0), 100.0, UP)
    assert evidence.inclined_s == 0.0
    assert estimate_bias(evidence) is None


def test_an_unbiased_sensor_is_left_alone() -> None:
    samples = leaning(80.0)
    exact = replace(samples, acc_m_s2=samples.acc_m_s2 - BIAS)
    assert estimate_bias(gather_evidence(exact, 100.0, UP)) is None


def test_missing_samples_are_left_out() -> None:
    samples = leaning(80.0)
    received = samples.is_received.copy()
    received[300:700] = False
    broken = replace(
        samples, is_received=received, acc_m_s2=np.where(received[:, None], samples.acc_m_s2, np.nan)
    )
    whole, evidence = gather_evidence(samples, 100.0, UP), gather_evidence(broken, 100.0, UP)
    assert np.isfinite(evidence.information).all()
    assert 0.0 < evidence.inclined_s < whole.inclined_s
    assert (BiasEvidence.nothing() + evidence).inclined_s == evidence.inclined_s


def test_the_zero_is_put_right_as_well() -> None:
    measured_up = 9.80665 * UP + BIAS
    pose = StillPose(
        Placement.PELVIS,
        Mount.SACRUM,
        measured_up / np.linalg.norm(measured_up),
        is_supine=False,
        was_still=True,
    )
    calibration = with_true_zero(pose.initial(), pose, BIAS)
    # A pose keeps no length: what the bias adds along gravity stays, 0.02 degrees here instead of 0.9.
    np.testing.assert_allclose(to_matrix(calibration.segment_from_sensor) @ UP, (0.0, 0.0, 1.0), atol=5e-4)


@pytest.mark.parametrize(("model", "largest_deg"), [("good", 0.3), ("cheap", 0.7)])
def test_cheap_sensors_gain_and_good_ones_do_not_lose(model: str, largest_deg: float) -> None:
    scenario = replace(hardware_sim.load_scenario("romanian_deadlift"), repetitions=3)
    sensors = tuple(replace(worn, model=model) for worn in scenario.sensors)
    performance = hardware_sim.simulate(replace(scenario, sensors=sensors), 1)
    columns = hardware_sim.trace_columns(performance)
    blocks = [
        ImuBlock(
            placement=placement,
            start_time_ns=0,
            sampling_rate_hz=100.0,
            acc_m_s2=np.stack([columns[f"{placement}_a{axis}"] for axis in "xyz"], axis=1),
            gyr_rad_s=np.stack([columns[f"{placement}_g{axis}"] for axis in "xyz"], axis=1),
        )
        for placement in Placement
    ]
    setup = AthleteSetup({Placement(worn.placement): Mount(worn.mount) for worn in sensors})

    def worst_range_deg(parameters: PipelineParameters) -> float:
        found = {
            e.repetition.repetition_number: e.repetition.pelvic_tilt_range_deg
            for e in analyse(blocks, setup, parameters).events
            if isinstance(e, RepetitionEvent)
        }
        true = [r.pelvic_tilt_range_deg for r in performance.truth.repetitions]
        return max(abs((found[i + 1] or np.nan) - true[i]) for i in range(3))

    plain = worst_range_deg(PipelineParameters(meter=MeterParameters(sensor_errors=None)))
    corrected = worst_range_deg(PipelineParameters())
    assert corrected < largest_deg
    assert corrected <= plain + 0.05
