"""The pelvis' turn about the vertical, told apart from a drop or an opening that grows with depth.

A turned sensor leaks tilt into obliquity and heading, with the sine of the tilt and with one minus its
cosine. A pelvis that drops, opens or turns does so in step with depth. Over a whole lowering these shapes
differ, although at the bottom each could pass for the other: their sizes are found together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analytics.imu import FloatArray, Placement
from analytics.quaternions import rotate_by_each, rotate_vectors, turn_about_z, up_in_sensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.alignment import AlignedBlock


@dataclass(frozen=True, slots=True)
class DropParameters:
    """Settings of the fit; degrees are one-sigma.

    Parameters
    ----------
    rate_hz
        Samples are thinned to this: nothing faster matters.
    independent_s
        Samples nearer in time than this say the same.
    sway_deg
        Sway of obliquity and heading about the shapes.
    drop_deg, opening_deg, turn_deg
        What a pelvis may do at the bottom: drop, open about its own long axis, turn about the vertical.
    drift_deg
        Drift of the heading over one repetition.
    shift_deg
        Obliquity while standing on the foot that will carry, relative to standing on both.
    shortest_s, least_tilt_deg
        A stretch that is shorter, or never leans so far, says nothing.
    model_sd_deg
        Of the yaw, for people whose drop is not in step with depth.
    """

    rate_hz: float = 10.0
    independent_s: float = 0.6
    sway_deg: float = 1.0
    drop_deg: float = 10.0
    opening_deg: float = 10.0
    turn_deg: float = 2.0
    drift_deg: float = 1.0
    shift_deg: float = 1.0
    shortest_s: float = 2.0
    least_tilt_deg: float = 15.0
    model_sd_deg: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class PelvisPath:
    """How the pelvis went through one repetition.

    Parameters
    ----------
    earth_from_sensor_wxyz
        Orientations of its sensor, thinned, shape (n, 4).
    sampling_rate_hz
        Their rate.
    """

    earth_from_sensor_wxyz: FloatArray
    sampling_rate_hz: float


def pelvis_path(window: AlignedBlock, parameters: DropParameters) -> PelvisPath | None:
    """Thin the pelvis' orientations of a repetition; None where they are not whole or have no heading."""
    samples = window.segments.get(Placement.PELVIS)
    if samples is None or not bool((samples.is_received & samples.has_gyroscope).all()):
        return None
    if len(window) < parameters.shortest_s * window.sampling_rate_hz:
        return None
    step = max(1, round(window.sampling_rate_hz / parameters.rate_hz))
    return PelvisPath(samples.earth_from_sensor_wxyz[::step].copy(), window.sampling_rate_hz / step)


def fit_yaw_beside_drop(
    paths: Sequence[PelvisPath], level: FloatArray, start_yaw_rad: float, parameters: DropParameters
) -> tuple[float, float] | None:
    """Find the yaw that leaves the least to be explained by a drop, an opening or a turn.

    Parameters
    ----------
    paths
        Repetitions.
    level
        Rotation matrix from sensor_frame to the levelled frame, shape (3, 3).
    start_yaw_rad
        Yaw to begin with, within 45 degrees of the right one.
    parameters
        Settings.

    Returns
    -------
    Yaw, rad, and its one-sigma, degrees; None where nothing leans far enough.
    """
    p = parameters
    prior = np.diag([0.0, *(math.radians(sd) ** -2 for sd in (p.drop_deg, p.opening_deg, p.turn_deg))])
    yaw_rad = start_yaw_rad
    information = prior
    for _ in range(4):
        information, vector = prior.copy(), np.zeros(4)
        for path in paths:
            told = _evidence(path, turn_about_z(yaw_rad) @ level, p)
            if told is not None:
                information += told[0]
                vector += told[1]
        if information[0, 0] <= 0.0:
            return None
        yaw_rad -= float(np.linalg.solve(information, vector)[0])
    sd_deg = math.degrees(math.sqrt(float(np.linalg.inv(information)[0, 0])))
    return math.remainder(yaw_rad, 2.0 * math.pi), math.hypot(sd_deg, p.model_sd_deg)


def _evidence(
    path: PelvisPath, segment_from_sensor: FloatArray, p: DropParameters
) -> tuple[FloatArray, FloatArray] | None:
    """Set up the normal equations of yaw error, drop, opening and turn by one repetition, rad."""
    quats = path.earth_from_sensor_wxyz
    up = rotate_vectors(segment_from_sensor, up_in_sensor(quats))
    tilt = np.arctan2(-up[:, 0], up[:, 2])
    deepest = float(tilt.max())
    if deepest < math.radians(p.least_tilt_deg):
        return None
    obliquity = -np.arcsin(np.clip(up[:, 1], -1.0, 1.0))
    left = rotate_by_each(quats, segment_from_sensor[1])
    heading = np.unwrap(np.arctan2(-left[:, 0], left[:, 1]))
    depth = tilt / deepest
    n = len(tilt)
    duration_s = n / path.sampling_rate_hz
    none, one, time = np.zeros(n), np.ones(n), np.linspace(-0.5, 0.5, n)
    # Columns: yaw error, drop, opening, turn; shift of obliquity, heading at the start, its drift.
    seen_in_obliquity = (np.sin(tilt), depth, -depth * np.sin(tilt), none, one, none, none)
    seen_in_heading = (1.0 - np.cos(tilt), none, depth * np.cos(tilt), depth, none, one, time)
    shapes = np.concatenate((np.stack(seen_in_obliquity, axis=1), np.stack(seen_in_heading, axis=1)))
    values = np.concatenate((obliquity, heading - heading[0]))
    weight = duration_s / p.independent_s / n / math.radians(p.sway_deg) ** 2
    normal, right = weight * shapes.T @ shapes, weight * shapes.T @ values
    normal[4, 4] += math.radians(p.shift_deg) ** -2
    normal[6, 6] += math.radians(p.drift_deg) ** -2
    # What belongs to this repetition alone is taken out.
    share = np.linalg.solve(normal[4:, 4:], normal[4:, :4]).T
    return normal[:4, :4] - share @ normal[4:, :4], right[:4] - share @ right[4:]
