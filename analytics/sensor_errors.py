"""Errors of a sensor from use: what it says of turning must agree with what it says of gravity.

Standing hides an accelerometer's bias, because the zero is taken with it; bending brings it back. A
gyroscope's scale shows the other way round, in the bend alone. And whatever both say wrongly of "up" would
carry the sensor away: integrated twice, 0.2 degrees are a hand's breadth in three seconds, but a body stays
where it stands. So biases, scales and cross-axis errors are found together, from the place of the sensor.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from analytics.imu import STANDARD_GRAVITY_M_S2
from analytics.quaternions import multiply

if TYPE_CHECKING:
    from analytics.alignment import SegmentSamples
    from analytics.imu import FloatArray

# Gyroscope matrix (9), accelerometer bias (3), accelerometer matrix (9).
_SHARED = 21
_GYR, _BIAS, _ACC = slice(0, 9), slice(9, 12), slice(12, 21)
_JUDGED_AT_RAD = math.radians(45.0)
# Repetitions are alike: a body that does not turn about a fixed point errs alike in all of them.
_MODEL_SHARE = 1.4


@dataclass(frozen=True, slots=True)
class SensorErrorParameters:
    """Settings of the estimate.

    Parameters
    ----------
    gyr_share, acc_share
        One-sigma of scale and cross-axis errors: of a sensor that its maker calibrated, and of another. The
        likelier of the two is taken.
    acc_bias_m_s2
        One-sigma of the accelerometer's bias, of the same two.
    position_sd_m
        How far a worn sensor is from a point that is fixed to the turning segment, one-sigma.
    apart_s
        Places nearer in time than this say the same.
    lever_m, start_deg, gyr_bias_deg_s
        One-sigma of the arm to that point, and in each stretch anew of the inclination at its start and of
        the gyroscope's bias.
    shortest_s
        A shorter stretch says nothing.
    largest_residual_m
        Someone whose place is explained no better than this has walked: nothing is learnt.
    """

    gyr_share: tuple[float, float] = (0.003, 0.01)
    acc_share: tuple[float, float] = (0.003, 0.01)
    acc_bias_m_s2: tuple[float, float] = (0.04, 0.25)
    position_sd_m: float = 0.03
    apart_s: float = 0.6
    lever_m: float = 0.6
    start_deg: float = 3.0
    gyr_bias_deg_s: float = 1.0
    shortest_s: float = 2.0
    largest_residual_m: float = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class ErrorEvidence:
    """What some stretches of one sensor say of its errors.

    Parameters
    ----------
    information
        Normal matrix, shape (21, 21).
    vector
        Its right side, shape (21,).
    """

    information: FloatArray
    vector: FloatArray

    def __add__(self, other: ErrorEvidence) -> ErrorEvidence:
        return ErrorEvidence(self.information + other.information, self.vector + other.vector)

    def weighed(self, share: float) -> ErrorEvidence:
        """Return a part of it: the stretch is counted by this share."""
        return ErrorEvidence(share * self.information, share * self.vector)

    @staticmethod
    def nothing() -> ErrorEvidence:
        """Return the evidence of no sample."""
        return ErrorEvidence(np.zeros((_SHARED, _SHARED)), np.zeros(_SHARED))


@dataclass(frozen=True, slots=True, eq=False)
class SensorErrors:
    """Errors of one sensor: sensed = true + matrix @ true + bias.

    Parameters
    ----------
    gyr_matrix, acc_matrix
        Scale and cross-axis errors, shape (3, 3).
    acc_bias_m_s2
        Shape (3,), sensor_frame.
    covariance
        Of all, in the order gyroscope, bias, accelerometer, shape (21, 21).
    """

    gyr_matrix: FloatArray
    acc_bias_m_s2: FloatArray
    acc_matrix: FloatArray
    covariance: FloatArray

    def taken_off(self, samples: SegmentSamples) -> SegmentSamples:
        """Return the samples without them; the gyroscope's bias stays."""
        turning = samples.gyr_rad_s - samples.bias_rad_s
        return replace(
            samples,
            acc_m_s2=samples.acc_m_s2 - self.acc_bias_m_s2 - samples.acc_m_s2 @ self.acc_matrix.T,
            gyr_rad_s=samples.gyr_rad_s - turning @ self.gyr_matrix.T,
        )

    def at_rest_m_s2(self, up_sensor: FloatArray) -> FloatArray:
        """Error of the accelerometer at rest in a pose, shape (3,), sensor_frame."""
        return self.acc_bias_m_s2 + STANDARD_GRAVITY_M_S2 * self.acc_matrix @ up_sensor

    def bias_sd_deg(self, still_up_sensor: FloatArray, up_sensor: FloatArray) -> float:
        """One-sigma of what is left, as that of a bias of one axis: an angle, degrees.

        Parameters
        ----------
        still_up_sensor
            Direction of up while standing, shape (3,).
        up_sensor
            The same over a repetition, shape (n, 3): it tells the axis of the movement.
        """
        known = up_sensor[np.isfinite(up_sensor).all(axis=1)]
        axis = np.zeros(3)
        if len(known):
            axis = np.cross(still_up_sensor, known[int(np.argmin(known @ still_up_sensor))])
        length = float(np.linalg.norm(axis))
        axis = axis / length if length > 0.0 else np.eye(3)[int(np.argmin(np.abs(still_up_sensor)))]
        bent = math.cos(_JUDGED_AT_RAD) * still_up_sensor + math.sin(_JUDGED_AT_RAD) * np.cross(
            axis, still_up_sensor
        )
        leaned = _turn_by_errors(axis, bent) - _turn_by_errors(axis, still_up_sensor)
        sd_rad = _MODEL_SHARE * math.sqrt(max(0.0, float(leaned @ self.covariance @ leaned)))
        return math.degrees(sd_rad) / (2.0 * math.sin(0.5 * _JUDGED_AT_RAD))


def _turn_by_errors(axis: FloatArray, up: FloatArray) -> FloatArray:
    """Turn of the sensed direction of up about an axis, rad, for each error of one, shape (21,)."""
    across = np.cross(axis, up)
    turns = np.zeros(_SHARED)
    turns[_BIAS] = across / STANDARD_GRAVITY_M_S2
    turns[_ACC] = np.outer(across, up).ravel()
    return turns


def gather_error_evidence(
    samples: SegmentSamples, sampling_rate_hz: float, parameters: SensorErrorParameters
) -> ErrorEvidence:
    """Collect what a stretch says.

    Parameters
    ----------
    samples
        A repetition with standing before and after, orientations measured again over it.
    sampling_rate_hz
        Its rate.
    parameters
        Settings.
    """
    p = parameters
    is_whole = bool((samples.is_received & samples.has_gyroscope).all())
    if not is_whole or len(samples) < p.shortest_s * sampling_rate_hz:
        return ErrorEvidence.nothing()
    shapes, place_m = _places(samples, sampling_rate_hz, p)
    weight = p.position_sd_m**-2
    normal, right = weight * shapes.T @ shapes, weight * shapes.T @ place_m
    own = slice(_SHARED, None)
    normal[own, own] += np.diag(
        [
            *[math.radians(p.gyr_bias_deg_s) ** -2] * 3,
            *[math.radians(p.start_deg) ** -2] * 2,
            *[1e-6] * 6,
            *[p.lever_m**-2] * 3,
        ]
    )
    largest = _prior(p, 1) + normal[:_SHARED, :_SHARED]
    whole = normal.copy()
    whole[:_SHARED, :_SHARED] = largest
    residual = place_m - shapes @ np.linalg.solve(whole, right)
    if float(np.sqrt(np.mean(residual**2))) > p.largest_residual_m:
        return ErrorEvidence.nothing()
    # What belongs to this stretch alone is taken out.
    share = np.linalg.solve(normal[own, own], normal[own, :_SHARED]).T
    return ErrorEvidence(
        normal[:_SHARED, :_SHARED] - share @ normal[own, :_SHARED], right[:_SHARED] - share @ right[own]
    )


def estimate_errors(evidence: ErrorEvidence, parameters: SensorErrorParameters) -> SensorErrors:
    """Errors by what is known of them so far."""
    found = []
    for kind in range(2):
        prior = _prior(parameters, kind)
        information = prior + evidence.information
        errors: FloatArray = np.asarray(np.linalg.solve(information, evidence.vector), dtype=np.float64)
        log_determinant = np.linalg.slogdet(information)[1] - np.linalg.slogdet(prior)[1]
        found.append((float(evidence.vector @ errors) - float(log_determinant), kind, errors, information))
    _, _, errors, information = max(found, key=lambda one: one[0])
    return SensorErrors(
        errors[_GYR].reshape(3, 3),
        errors[_BIAS],
        errors[_ACC].reshape(3, 3),
        np.asarray(np.linalg.inv(information), dtype=np.float64),
    )


def _prior(p: SensorErrorParameters, kind: int) -> FloatArray:
    sds = np.repeat((p.gyr_share[kind], p.acc_bias_m_s2[kind], p.acc_share[kind]), (9, 3, 9))
    return np.diag(sds**-2.0)


def _places(
    samples: SegmentSamples, rate_hz: float, p: SensorErrorParameters
) -> tuple[FloatArray, FloatArray]:
    """Where dead reckoning ends up, m, shape (3 m,), and what each error adds to it, shape (3 m, 35).

    Columns: the shared errors; gyroscope bias, inclination at the start, place and speed at the start, arm.
    """
    from analytics import dead_reckoning_steps  # noqa: PLC0415 - numba takes half a second

    turning = samples.gyr_rad_s - samples.bias_rad_s[-1]
    matrices = _rotation_matrices(_reckoned(turning, rate_hz, samples.earth_from_sensor_wxyz[0]))
    apart = max(1, round(p.apart_s * rate_hz))
    at = np.arange(0, len(matrices), apart)
    places = np.empty((len(at), 3, _SHARED + 6))
    dead_reckoning_steps.reckon(
        matrices, turning, samples.acc_m_s2, rate_hz, STANDARD_GRAVITY_M_S2, apart, places
    )
    start = np.zeros((len(at), 3, 6))
    start[:, :, :3] = np.eye(3)
    start[:, :, 3:] = np.eye(3) * (at / rate_hz)[:, None, None]
    shapes = np.concatenate((places[:, :, :-1], start, matrices[at]), axis=2)
    return shapes.reshape(3 * len(at), -1), -places[:, :, -1].ravel()


def _reckoned(turning_rad_s: FloatArray, rate_hz: float, start_wxyz: FloatArray) -> FloatArray:
    """Orientations by the turning alone, shape (n, 4)."""
    step = 0.5 * (turning_rad_s[1:] + turning_rad_s[:-1]) / rate_hz
    angle = np.linalg.norm(step, axis=1)
    share = 0.5 * np.sinc(angle / (2.0 * np.pi))
    steps = np.concatenate((np.cos(0.5 * angle)[:, None], step * share[:, None]), axis=1)
    quats = np.concatenate((start_wxyz[None], steps))
    # Products of all steps until each sample, doubling their number.
    done = 1
    while done < len(quats):
        quats = np.concatenate((quats[:done], multiply(quats[:-done], quats[done:])))
        done *= 2
    return np.asarray(quats / np.linalg.norm(quats, axis=1)[:, None], dtype=np.float64)


def _rotation_matrices(quats_wxyz: FloatArray) -> FloatArray:
    w, x, y, z = quats_wxyz.T
    rows = (
        (1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)),
        (2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)),
        (2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)),
    )
    return np.stack([np.stack(row, axis=1) for row in rows], axis=1)
