from __future__ import annotations

import numpy as np

from analytics.aligned_block import SegmentSamples
from analytics.imu import STANDARD_GRAVITY_M_S2
from analytics.orientation import remeasure
from analytics.sensor_errors import (
    ErrorEvidence,
    SensorErrorParameters,
    SensorErrors,
    estimate_errors,
    gather_error_evidence,
)

RATE_HZ = 100.0
UP = np.array((0.0, 0.0, 1.0))
BIAS = np.array((0.25, 0.0, -0.2))
SCALE = np.diag((0.01, 0.015, -0.01))
PARAMETERS = SensorErrorParameters()


def hinges(bias_m_s2: np.ndarray, gyr_matrix: np.ndarray, walked_m: float = 0.0) -> SegmentSamples:
    """Three hinges of 60 degrees about y, the sensor 0.3 m above the axis; it may walk along x meanwhile."""
    time_s = np.arange(0.0, 15.0, 1.0 / RATE_HZ)
    lean = np.radians(30.0) * (1.0 - np.cos(2.0 * np.pi * np.clip(time_s - 1.5, 0.0, 12.0) / 4.0))
    place = 0.3 * np.stack((np.sin(lean), np.zeros_like(lean), np.cos(lean)), axis=1)
    place[:, 0] += walked_m * (1.0 - np.cos(2.0 * np.pi * time_s / 15.0))
    force = np.gradient(np.gradient(place, axis=0), axis=0) * RATE_HZ**2 + STANDARD_GRAVITY_M_S2 * UP
    x = np.stack((np.cos(lean), np.zeros_like(lean), -np.sin(lean)), axis=1)
    z = np.stack((np.sin(lean), np.zeros_like(lean), np.cos(lean)), axis=1)
    acc = np.stack((np.sum(x * force, axis=1), np.zeros_like(lean), np.sum(z * force, axis=1)), axis=1)
    gyr = np.stack((np.zeros_like(lean), np.gradient(lean) * RATE_HZ, np.zeros_like(lean)), axis=1)
    acc, gyr = acc + bias_m_s2, gyr + gyr @ gyr_matrix.T
    nothing = np.zeros((len(time_s), 3))
    yes = np.ones(len(time_s), dtype=np.bool_)
    quats = remeasure(acc, gyr, RATE_HZ, bias_rad_s=np.zeros(3), bias_sigma_rad_s=0.002)
    return SegmentSamples(
        earth_from_sensor_wxyz=quats,
        acc_m_s2=acc,
        gyr_rad_s=gyr,
        bias_rad_s=nothing,
        bias_sigma_rad_s=np.full(len(time_s), 0.002),
        is_measured=yes,
        is_received=yes,
        has_gyroscope=yes,
        is_present=yes,
    )


def lean_error_deg(errors: SensorErrors, bias_m_s2: np.ndarray) -> float:
    """Error about y that is left of a lean of 60 degrees, at rest."""
    leaned = np.array((-np.sin(np.radians(60.0)), 0.0, np.cos(np.radians(60.0))))
    left = [bias_m_s2 - errors.at_rest_m_s2(up) for up in (UP, leaned)]
    turned = [float(np.cross(up, one)[1]) for up, one in zip((UP, leaned), left, strict=True)]
    return float(np.degrees((turned[1] - turned[0]) / STANDARD_GRAVITY_M_S2))


def test_bias_and_scale_are_told_apart() -> None:
    evidence = gather_error_evidence(hinges(BIAS, SCALE), RATE_HZ, PARAMETERS)
    errors = estimate_errors(evidence, PARAMETERS)
    nothing = estimate_errors(ErrorEvidence.nothing(), PARAMETERS)
    assert abs(lean_error_deg(nothing, BIAS)) > 1.5
    assert abs(lean_error_deg(errors, BIAS)) < 0.4
    # Of the scale about the axis of the movement; the others did not turn.
    assert errors.gyr_matrix[1, 1] > 0.004


def test_a_good_sensor_is_left_alone() -> None:
    evidence = gather_error_evidence(hinges(np.zeros(3), np.zeros((3, 3))), RATE_HZ, PARAMETERS)
    errors = estimate_errors(evidence, PARAMETERS)
    assert abs(lean_error_deg(errors, np.zeros(3))) < 0.1


def test_more_evidence_makes_the_rest_smaller() -> None:
    cheap = SensorErrorParameters(gyr_share=(0.01, 0.01), acc_share=(0.01, 0.01), acc_bias_m_s2=(0.25, 0.25))
    evidence = gather_error_evidence(hinges(BIAS, SCALE), RATE_HZ, cheap)
    leaned = np.array([(-0.7, 0.0, 0.7)])
    sds = [
        estimate_errors(known, cheap).bias_sd_deg(UP, leaned) for known in (ErrorEvidence.nothing(), evidence)
    ]
    assert 0.0 < sds[1] < 0.5 * sds[0]


def test_nothing_is_learnt_from_someone_who_walks() -> None:
    evidence = gather_error_evidence(hinges(BIAS, SCALE, walked_m=3.0), RATE_HZ, PARAMETERS)
    assert not evidence.information.any()


def test_nothing_is_learnt_from_a_moment() -> None:
    samples = hinges(BIAS, SCALE).cut(0, 150)
    assert not gather_error_evidence(samples, RATE_HZ, PARAMETERS).information.any()
