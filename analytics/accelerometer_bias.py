"""Accelerometer bias from use: at quasi-rest an accelerometer must read gravity, whichever way it leans.

Standing hides a bias, because the zero is taken with it; bending brings it back, ``2 sin(angle / 2)`` times
its size. The length of the acceleration shows the bias along gravity; a repetition leans the sensor far
enough to show the rest of what matters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import uniform_filter1d

from analytics.filters import low_pass_zero_phase
from analytics.imu import STANDARD_GRAVITY_M_S2
from analytics.quaternions import from_matrix, shortest_rotation, to_matrix, up_in_sensor
from analytics.true_stretches import true_stretches

if TYPE_CHECKING:
    from analytics.alignment import SegmentSamples
    from analytics.calibration import SegmentCalibration, StillPose
    from analytics.imu import FloatArray


@dataclass(frozen=True, slots=True)
class AccelerometerBiasParameters:
    """Settings of the estimate.

    Parameters
    ----------
    spread_s, largest_spread_m_s2
        A sample is quasi-static where the length of the acceleration spreads by less than the second over
        the first; without this gate the estimate diverges in fast movement.
    largest_rate_rad_s
        ... and the sensor turns slower than this.
    cutoff_hz, largest_residual_m_s2
        ... and the low-passed length is this near to gravity.
    inclined_deg, least_inclined_s
        Nothing is said before so long was spent so far from standing: fast squats would lose by it.
    independent_s
        Samples nearer in time than this say the same.
    residual_sd_m_s2, prior_sd_m_s2
        One-sigma of one independent residual, and of the bias before anything was seen.
    least_significance
        Nothing is said where the residuals fall by less than this (chi-square, 3 degrees of freedom, 95 %):
        a good sensor has no bias that use could show, and movement would be taken for one.
    """

    spread_s: float = 0.8
    largest_spread_m_s2: float = 0.25
    largest_rate_rad_s: float = 1.0
    cutoff_hz: float = 0.8
    largest_residual_m_s2: float = 0.8
    inclined_deg: float = 20.0
    least_inclined_s: float = 1.0
    independent_s: float = 0.6
    residual_sd_m_s2: float = 0.12
    prior_sd_m_s2: float = 0.10
    least_significance: float = 7.8


@dataclass(frozen=True, slots=True, eq=False)
class BiasEvidence:
    """What some stretches of one sensor say of its bias.

    Parameters
    ----------
    information
        Normal matrix, shape (3, 3), s²·s²/m².
    vector
        Its right side, shape (3,), s²/m.
    inclined_s
        Time spent far from standing, s.
    """

    information: FloatArray
    vector: FloatArray
    inclined_s: float

    def __add__(self, other: BiasEvidence) -> BiasEvidence:
        return BiasEvidence(
            self.information + other.information,
            self.vector + other.vector,
            self.inclined_s + other.inclined_s,
        )

    @staticmethod
    def nothing() -> BiasEvidence:
        """Return the evidence of no sample."""
        return BiasEvidence(np.zeros((3, 3)), np.zeros(3), 0.0)


def gather_evidence(
    samples: SegmentSamples,
    sampling_rate_hz: float,
    still_up_sensor: FloatArray,
    parameters: AccelerometerBiasParameters | None = None,
) -> BiasEvidence:
    """Collect what a stretch says.

    Parameters
    ----------
    samples
        A stretch of one sensor, orientations measured again over it.
    sampling_rate_hz
        Its rate.
    still_up_sensor
        Direction of up while standing, sensor_frame, shape (3,).
    parameters
        Settings.
    """
    p = parameters or AccelerometerBiasParameters()
    evidence = BiasEvidence.nothing()
    usable = samples.is_received & samples.has_gyroscope
    for start, end in true_stretches(usable):
        # The low-pass needs some of its own periods.
        if end - start >= 2.0 * sampling_rate_hz:
            evidence = evidence + _of_run(samples.cut(start, end), sampling_rate_hz, still_up_sensor, p)
    return evidence


def _of_run(
    samples: SegmentSamples, rate_hz: float, still_up: FloatArray, p: AccelerometerBiasParameters
) -> BiasEvidence:
    up = up_in_sensor(samples.earth_from_sensor_wxyz)
    norm = np.linalg.norm(samples.acc_m_s2, axis=1)
    residual = low_pass_zero_phase(norm, min(p.cutoff_hz, 0.4 * rate_hz), rate_hz) - STANDARD_GRAVITY_M_S2
    length = max(1, round(p.spread_s * rate_hz))
    mean = uniform_filter1d(norm, length)
    spread = np.sqrt(np.maximum(uniform_filter1d(norm**2, length) - mean**2, 0.0))
    turning = np.linalg.norm(samples.gyr_rad_s - samples.bias_rad_s, axis=1)
    quiet = (
        (spread < p.largest_spread_m_s2)
        & (turning < p.largest_rate_rad_s)
        & (np.abs(residual) < p.largest_residual_m_s2)
        & np.isfinite(up).all(axis=1)
    )
    directions = up[quiet]
    weight = 1.0 / (p.independent_s * rate_hz * p.residual_sd_m_s2**2)
    inclined = directions @ still_up < math.cos(math.radians(p.inclined_deg))
    return BiasEvidence(
        weight * (directions.T @ directions),
        weight * (directions.T @ residual[quiet]),
        float(np.count_nonzero(inclined)) / rate_hz,
    )


def estimate_bias(
    evidence: BiasEvidence, parameters: AccelerometerBiasParameters | None = None
) -> FloatArray | None:
    """Bias by what is known of it so far.

    Returns
    -------
    Shape (3,), m/s², sensor_frame; ``None`` where the sensor did not lean long enough, or shows no bias.
    """
    p = parameters or AccelerometerBiasParameters()
    if evidence.inclined_s < p.least_inclined_s:
        return None
    information = evidence.information + np.eye(3) / p.prior_sd_m_s2**2
    bias = np.asarray(np.linalg.solve(information, evidence.vector), dtype=np.float64)
    return bias if float(evidence.vector @ bias) > p.least_significance else None


def with_true_zero(
    calibration: SegmentCalibration, pose: StillPose, bias_m_s2: FloatArray
) -> SegmentCalibration:
    """Take the bias out of the zero as well: the still pose was measured with it.

    Parameters
    ----------
    calibration, pose
        Of one sensor, standing.
    bias_m_s2
        Its bias, sensor_frame, shape (3,).
    """
    true_up = STANDARD_GRAVITY_M_S2 * pose.up_sensor - bias_m_s2
    turn = shortest_rotation(true_up / float(np.linalg.norm(true_up)), pose.up_sensor)
    return replace(
        calibration, segment_from_sensor=from_matrix(to_matrix(calibration.segment_from_sensor) @ turn)
    )
