"""Accelerometer bias for the angles to come: found from the repetitions that forward is found from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.accelerometer_bias import (
    AccelerometerBiasParameters,
    BiasEvidence,
    estimate_bias,
    gather_evidence,
    with_true_zero,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analytics.alignment import AlignedBlock
    from analytics.calibration import SegmentCalibration, StillPose
    from analytics.imu import FloatArray, Placement


class LiveAccelerometerBias:
    """Bias of each accelerometer, as far as it is known by now.

    Parameters
    ----------
    parameters
        Settings; ``None``: none is looked for.
    """

    def __init__(self, parameters: AccelerometerBiasParameters | None) -> None:
        self._parameters = parameters
        self._evidence: dict[Placement, BiasEvidence] = {}
        self._used_until = 0
        self.m_s2: dict[Placement, FloatArray] = {}

    def learn(self, window: AlignedBlock, poses: Mapping[Placement, StillPose]) -> None:
        """Use one more repetition, orientations measured again, of an athlete who stands."""
        if self._parameters is None:
            return
        # Windows overlap; what was used once is not used again.
        first = max(window.first_index, min(self._used_until, window.end_index))
        fresh = window.cut(first, window.end_index)
        self._used_until = window.end_index
        for placement, pose in poses.items():
            self._evidence[placement] = self._evidence.get(
                placement, BiasEvidence.nothing()
            ) + gather_evidence(
                fresh.segments[placement], fresh.sampling_rate_hz, pose.up_sensor, self._parameters
            )
            bias = estimate_bias(self._evidence[placement], self._parameters)
            if bias is not None:
                self.m_s2[placement] = bias

    def taken_off(
        self,
        calibrations: Mapping[Placement, SegmentCalibration],
        poses: Mapping[Placement, StillPose],
    ) -> dict[Placement, SegmentCalibration]:
        """Return the calibrations for orientations that the bias was taken off."""
        return {
            placement: with_true_zero(calibration, poses[placement], self.m_s2[placement])
            if placement in self.m_s2
            else calibration
            for placement, calibration in calibrations.items()
        }
