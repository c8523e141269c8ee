"""Finding the first repetition without knowing where forward is.

Inclination from the still pose has no sign and needs none: it grows when the athlete leaves the pose in any
direction. A cycle of it that passes the gate (one steady axis, no impacts) is a repetition to learn from.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from analytics.angles import AngleBlock
from analytics.imu import FloatArray, Placement
from analytics.quaternions import rotate_vectors, up_in_sensor
from analytics.repetitions import Candidate, CounterParameters, Driver, Phase, RepetitionCounter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from analytics.alignment import AlignedBlock
    from analytics.calibration import StillPose
    from analytics.history import AlignedHistory


class MotionTrigger:
    """Streaming search for cycles of the inclination from the still pose.

    Parameters
    ----------
    poses
        Still poses of the worn sensors.
    parameters
        Settings of the counter.
    """

    def __init__(self, poses: Mapping[Placement, StillPose], parameters: CounterParameters) -> None:
        self._poses = poses
        self._driving = next(placement for placement in Placement if placement in poses)
        self._levelled = poses[self._driving].levelled()
        driver = Driver(
            pelvis=self._driving is Placement.PELVIS, left=self._driving is not Placement.PELVIS, right=False
        )
        # The pelvis drives alone here, whatever is worn: the largest inclination stands in for its tilt.
        # What may be a bridge is let through; whoever learns from it asks whether the hips rose.
        self._counter = RepetitionCounter(
            driver, replace(parameters, gate=parameters.lying_gate), hinge_axis_is_known=False
        )

    @property
    def phase(self) -> Phase:
        """What the athlete seems to be doing."""
        return self._counter.phase

    def watch(
        self, history: AlignedHistory, at: int, stop: int, next_step: Callable[[int], int]
    ) -> tuple[int, Candidate | None]:
        """Look at samples ``at`` to ``stop``, or to the step after the first cycle found; return both."""
        found: Candidate | None = None
        while at < stop:
            block = history.window(at, stop)
            assert block is not None
            candidate, taken = self.advance(block)
            at += taken
            if candidate is not None:
                found, stop = found or candidate, min(stop, next_step(at - 1))
        return stop, found

    def advance(self, block: AlignedBlock) -> tuple[Candidate | None, int]:
        """Take the next samples, up to the one at which a cycle is found.

        Returns
        -------
        The cycle, and how many samples were taken.
        """
        inclination = self._inclination_deg(block)
        samples = block.segments[self._driving]
        nothing = np.full(len(block), np.nan)
        rates = rotate_vectors(self._levelled, samples.gyr_rad_s - samples.bias_rad_s)
        x, y, z = (samples.acc_m_s2[:, i] for i in range(3))
        angles = AngleBlock(
            start_time_ns=block.time_ns(block.first_index),
            sampling_rate_hz=block.sampling_rate_hz,
            gap_before_s=block.gap_before_s,
            pelvic_tilt_deg=inclination,
            pelvic_obliquity_deg=nothing,
            pelvic_rotation_deg=nothing,
            thigh_flexion_left_deg=inclination,
            thigh_flexion_right_deg=nothing,
            hip_flexion_left_deg=nothing,
            hip_flexion_right_deg=nothing,
            acc_norm_m_s2=np.sqrt(x * x + y * y + z * z),
            gyr_segment_rad_s=rates,
            is_supine=np.zeros(len(block), dtype=np.bool_),
            is_measured=samples.is_measured.copy(),
        )
        taken, found = 0, None
        while found is None and taken < len(angles):
            events, taken = self._counter.advance(angles, taken, len(angles))
            found = next((event for event in events if isinstance(event, Candidate)), None)
        return found, taken

    def _inclination_deg(self, block: AlignedBlock) -> FloatArray:
        """Larger of the pelvis' inclination and the thighs' mean, degrees, shape (n,)."""
        inclined = {
            placement: _inclination_deg(block.segments[placement].earth_from_sensor_wxyz, pose.up_sensor)
            for placement, pose in self._poses.items()
        }
        thighs = [inclined[placement] for placement in inclined if placement is not Placement.PELVIS]
        parts = [inclined[Placement.PELVIS]] if Placement.PELVIS in inclined else []
        if thighs:
            mean = thighs[0] if len(thighs) == 1 else 0.5 * (thighs[0] + thighs[1])
            parts.append(mean)
        return parts[0].copy() if len(parts) == 1 else np.fmax(parts[0], parts[1])


def _inclination_deg(earth_from_sensor_wxyz: FloatArray, still_up: FloatArray) -> FloatArray:
    up = up_in_sensor(earth_from_sensor_wxyz)
    cosine = up[:, 0] * still_up[0] + up[:, 1] * still_up[1] + up[:, 2] * still_up[2]
    return np.asarray(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))), dtype=np.float64)
