"""Do the hips rise or sink as the body leaves its still pose? What tells lying from standing without a mount.

Whoever lies on the back leaves that pose only by lifting the hips; whoever stands, only by lowering them or
by keeping their height. The norm of the acceleration tells: it needs no heading, no mount, and no orientation
but the inclination, whose own acceleration it is compared with.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analytics.filters import low_pass_zero_phase
from analytics.gate import judge
from analytics.imu import Placement
from analytics.quaternions import up_in_sensor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analytics.alignment import AlignedBlock, SegmentSamples
    from analytics.calibration import StillPose
    from analytics.gate import GateParameters
    from analytics.imu import FloatArray
    from analytics.repetition_events import Candidate

_CUTOFF_HZ = 2.0
_LEAST_LEVER_M = {Placement.PELVIS: 0.25, Placement.THIGH_LEFT: 0.165, Placement.THIGH_RIGHT: 0.165}
_FAR = math.cos(math.radians(45.0))
_SMALLEST_TURN_RAD = math.radians(4.0)


@dataclass(frozen=True, slots=True)
class HipRise:
    """Rise of a sensor with the inclination of its segment.

    Parameters
    ----------
    lever_m
        Rise for each radian of inclination, m: about 0.45 at the pelvis in a bridge, which turns about the
        shoulders; within 0.15 of zero in a hinge; negative in a squat.
    sd_m
        One-sigma, m.
    """

    lever_m: float
    sd_m: float


def find_hip_rise(
    samples: SegmentSamples, still_up_sensor: FloatArray, sampling_rate_hz: float
) -> HipRise | None:
    """Compare the acceleration of the height with that of the inclination.

    Parameters
    ----------
    samples
        One sensor over a repetition and some rest before it.
    still_up_sensor
        Up in the still pose, sensor_frame, shape (3,).
    sampling_rate_hz
        Rate of the samples.

    Returns
    -------
    None where data are missing, the segment hardly turned, or there is no gyroscope: then the inclination is
    itself made of the acceleration that it is compared with.
    """
    is_whole = bool(samples.is_received.all()) and bool(samples.has_gyroscope.all())
    if not is_whole or len(samples) < 2.0 * sampling_rate_hz:
        return None
    up = up_in_sensor(samples.earth_from_sensor_wxyz)
    inclination = _signed_inclination_rad(up, still_up_sensor)
    if float(np.ptp(inclination)) < _SMALLEST_TURN_RAD:
        return None
    cutoff_hz = min(_CUTOFF_HZ, 0.2 * sampling_rate_hz)
    turning = low_pass_zero_phase(inclination, cutoff_hz, sampling_rate_hz)
    turning = np.gradient(np.gradient(turning)) * sampling_rate_hz**2
    norm = low_pass_zero_phase(np.linalg.norm(samples.acc_m_s2, axis=1), cutoff_hz, sampling_rate_hz)
    # An accelerometer's bias shows in the norm as the sensor turns: up itself takes that share away.
    smooth_up = low_pass_zero_phase(up, cutoff_hz, sampling_rate_hz)
    terms = np.column_stack((turning, np.ones(len(up)), smooth_up))
    products = terms.T @ terms
    products += 1e-6 * np.trace(products) / len(products) * np.diag((0.0, 1.0, 1.0, 1.0, 1.0))
    inverse = np.linalg.inv(products)
    found = inverse @ terms.T @ norm
    residual = norm - terms @ found
    # Low-passed samples repeat each other: only so many of them are independent.
    repeated = sampling_rate_hz / (2.0 * cutoff_hz)
    variance = float(residual @ residual) / max(1.0, len(up) - 5.0 * repeated) * repeated
    return HipRise(float(found[0]), math.sqrt(variance * float(inverse[0, 0])))


def lifts_from_lying(window: AlignedBlock, poses: Mapping[Placement, StillPose]) -> bool | None:
    """Tell whether a repetition lifted the hips, as on the back; None where it cannot be told.

    Parameters
    ----------
    window
        A repetition and some rest before it.
    poses
        Still poses of the worn sensors; the pelvis is asked first.
    """
    for placement in Placement:
        if placement not in poses:
            continue
        rise = find_hip_rise(window.segments[placement], poses[placement].up_sensor, window.sampling_rate_hz)
        if rise is not None and abs(rise.lever_m - _LEAST_LEVER_M[placement]) > rise.sd_m:
            return rise.lever_m > _LEAST_LEVER_M[placement]
    return None


def may_be_learnt_from(
    candidate: Candidate,
    window: AlignedBlock,
    poses: Mapping[Placement, StillPose],
    gate: GateParameters | None,
) -> bool:
    """Tell whether a movement shows how the sensors sit: a repetition as one stands, or surely a bridge.

    Parameters
    ----------
    candidate
        A movement that may be a bridge by its gate.
    window, poses
        As for :func:`lifts_from_lying`.
    gate
        Demands of standing; ``None`` demands nothing.
    """
    began_lying = any(pose.is_supine for pose in poses.values())
    if not began_lying and _is_far_from_pose(window, poses):
        return False
    if began_lying or candidate.is_supine or gate is None or candidate.verdict is None:
        return True
    return judge(candidate.verdict.features, gate).is_repetition or lifts_from_lying(window, poses) is True


def _is_far_from_pose(window: AlignedBlock, poses: Mapping[Placement, StillPose]) -> bool:
    """Tell whether the leading sensor never came near its still pose: who stood before lies now."""
    leading = next(placement for placement in Placement if placement in poses)
    up = up_in_sensor(window.segments[leading].earth_from_sensor_wxyz)
    cosine = up @ poses[leading].up_sensor
    known = cosine[np.isfinite(cosine)]
    return len(known) > 0 and float(np.max(known)) < _FAR


def _signed_inclination_rad(up: FloatArray, still_up: FloatArray) -> FloatArray:
    """Inclination along the main direction of movement, + the side with more of it, rad, shape (n,)."""
    across = up - (up @ still_up)[:, None] * still_up
    _, vectors = np.linalg.eigh(across.T @ across)
    along = across @ vectors[:, 2]
    if float(np.sum(along * np.abs(along))) < 0.0:
        along = -along
    return np.asarray(np.arctan2(along, up @ still_up), dtype=np.float64)
