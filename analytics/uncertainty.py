"""How far an angle can be trusted: one-sigma figures from what the sensors showed of themselves.

Standing is zero by definition, so an accelerometer's bias shows only as the body inclines; a wrong turn
about the vertical turns tilt into obliquity; the skin under a sensor moves on its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SensorQuality:
    """What is known of one worn sensor.

    Parameters
    ----------
    yaw_sd_deg
        Calibration quality: one-sigma of the turn about the vertical, degrees.
    acc_residual_deg
        57.3 x rms of (|acceleration| - g) / g at quasi-rest, degrees: about 0.5 for a good sensor, 2 for
        a cheap one.
    acc_bias_is_corrected
        The accelerometer's bias was estimated in use and taken off.
    """

    yaw_sd_deg: float
    acc_residual_deg: float = 2.0
    acc_bias_is_corrected: bool = False


@dataclass(frozen=True, slots=True)
class UncertaintyParameters:
    """Constants of the model; degrees.

    Parameters
    ----------
    zero_deg
        Of the standing average.
    finished_deg, live_deg
        Of the orientation filter, smoothed over a finished repetition or causal.
    soft_tissue_deg
        Skin and clothing over one segment, from optical recordings of people; 0 for a rigid body.
    rotation_deg, rotation_drift_deg_s
        Of the heading inside one repetition: fixed part and growth.
    """

    zero_deg: float = 0.15
    finished_deg: float = 0.15
    live_deg: float = 0.35
    soft_tissue_deg: float = 1.0
    rotation_deg: float = 0.5
    rotation_drift_deg_s: float = 0.3


@dataclass(frozen=True, slots=True)
class UncertaintyModel:
    """One-sigma of angles and ranges.

    Parameters
    ----------
    is_smoothed
        The angles were re-measured over the finished repetition, not taken live.
    parameters
        Constants.
    """

    is_smoothed: bool
    parameters: UncertaintyParameters = UncertaintyParameters()

    def inclination_sd_deg(self, sensor: SensorQuality, inclination_deg: float) -> float:
        """Tilt or thigh flexion at an inclination from standing, degrees."""
        p = self.parameters
        return math.hypot(
            p.zero_deg, _bias_sd_deg(sensor, inclination_deg), self._filter_deg, p.soft_tissue_deg
        )

    def inclination_range_sd_deg(self, sensor: SensorQuality, range_deg: float) -> float:
        """Range of tilt or thigh flexion; the zero cancels."""
        return math.hypot(
            math.sqrt(2.0) * self._filter_deg,
            _bias_sd_deg(sensor, range_deg),
            self.parameters.soft_tissue_deg,
        )

    def obliquity_sd_deg(self, pelvis: SensorQuality, tilt_deg: float) -> float:
        """Obliquity at a tilt: a yaw error leaks tilt into it."""
        p = self.parameters
        return math.hypot(
            p.zero_deg,
            math.sin(math.radians(tilt_deg)) * pelvis.yaw_sd_deg,
            0.5 * _bias_sd_deg(pelvis, tilt_deg),
            self._filter_deg,
            p.soft_tissue_deg,
        )

    def rotation_range_sd_deg(self, pelvis: SensorQuality, tilt_deg: float, duration_s: float) -> float:
        """Range of rotation in a repetition: drift, and tilt that a yaw error leaks into it."""
        p = self.parameters
        leak = pelvis.yaw_sd_deg * (1.0 - math.cos(math.radians(tilt_deg)))
        return math.hypot(p.rotation_deg + p.rotation_drift_deg_s * duration_s, leak)

    @property
    def _filter_deg(self) -> float:
        return self.parameters.finished_deg if self.is_smoothed else self.parameters.live_deg


def _bias_sd_deg(sensor: SensorQuality, inclination_deg: float) -> float:
    residual = sensor.acc_residual_deg
    bias = math.hypot(0.2, 0.25 * residual) if sensor.acc_bias_is_corrected else math.hypot(0.3, residual)
    return 2.0 * abs(math.sin(math.radians(inclination_deg) / 2.0)) * bias
