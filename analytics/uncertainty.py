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
    acc_bias_sd_deg
        What is left of the accelerometer's bias after what use has shown of it, as an angle: one-sigma of
        one axis over gravity, degrees.
    is_forward_known
        The turn about the vertical has been found: inclinations have a sign.
    """

    yaw_sd_deg: float
    acc_bias_sd_deg: float = 0.6
    is_forward_known: bool = True


@dataclass(frozen=True, slots=True)
class UncertaintyParameters:
    """Constants of the model.

    Parameters
    ----------
    zero_deg
        Of the standing average, degrees: sway over the stretch that was called standing.
    finished_deg, live_deg
        Of the orientation filter, smoothed over a finished repetition or causal, degrees.
    scale_share
        Of what was turned through: scale and cross-axis errors of the gyroscope that the filter leaves.
    settling_share
        Of what was turned through a moment ago: what the filter has not let go of yet.
    soft_tissue_share
        Of the inclination from standing: how far skin and clothing do not follow the bone. 2 % is 1.1 degrees
        in a full hinge; optical recordings of people show 1.15 in tilt, 0.95 in the thigh and 1.14 in
        obliquity. 0 for a rigid body.
    rotation_deg, rotation_drift_deg_s
        Of the heading inside one repetition, degrees and degrees/s: fixed part and growth.
    speed_deg_s, speed_share
        Of the smoothed speed of an angle: fixed part, and part of the speed itself.
    """

    zero_deg: float = 0.14
    finished_deg: float = 0.07
    live_deg: float = 0.35
    scale_share: float = 0.003
    settling_share: float = 0.004
    soft_tissue_share: float = 0.02
    rotation_deg: float = 0.3
    rotation_drift_deg_s: float = 0.15
    speed_deg_s: float = 0.13
    speed_share: float = 0.003


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

    def inclination_sd_deg(
        self, sensor: SensorQuality, inclination_deg: float, turned_deg: float = 0.0
    ) -> float:
        """Tilt or thigh flexion at an inclination from standing, degrees.

        Parameters
        ----------
        sensor
            Which sensor.
        inclination_deg
            Where it is.
        turned_deg
            How far it turned in the seconds before.
        """
        p = self.parameters
        return math.hypot(
            p.zero_deg,
            _bias_sd_deg(sensor, inclination_deg),
            self._filter_deg,
            p.settling_share * turned_deg,
            p.soft_tissue_share * inclination_deg,
        )

    def inclination_range_sd_deg(self, sensor: SensorQuality, range_deg: float) -> float:
        """Range of tilt or thigh flexion; the zero cancels."""
        p = self.parameters
        return math.hypot(
            math.sqrt(2.0) * self._filter_deg,
            _bias_sd_deg(sensor, range_deg),
            p.scale_share * range_deg,
            p.soft_tissue_share * range_deg,
        )

    def obliquity_sd_deg(self, pelvis: SensorQuality, tilt_deg: float) -> float:
        """Obliquity at a tilt: a yaw error leaks tilt into it."""
        p = self.parameters
        return math.hypot(
            p.zero_deg,
            math.sin(math.radians(tilt_deg)) * pelvis.yaw_sd_deg,
            0.5 * _bias_sd_deg(pelvis, tilt_deg),
            self._filter_deg,
            p.soft_tissue_share * tilt_deg,
        )

    def rotation_range_sd_deg(self, pelvis: SensorQuality, tilt_deg: float, duration_s: float) -> float:
        """Range of rotation in a repetition: drift, and tilt that a yaw error leaks into it."""
        p = self.parameters
        leak = pelvis.yaw_sd_deg * (1.0 - math.cos(math.radians(tilt_deg)))
        drift = p.rotation_drift_deg_s * duration_s
        return math.hypot(p.rotation_deg, drift, leak, p.soft_tissue_share * tilt_deg)

    def speed_sd_deg_s(self, speed_deg_s: float) -> float:
        """Smoothed speed of an angle, degrees/s."""
        p = self.parameters
        return math.hypot(p.speed_deg_s, (p.speed_share + p.soft_tissue_share) * speed_deg_s)

    @property
    def _filter_deg(self) -> float:
        return self.parameters.finished_deg if self.is_smoothed else self.parameters.live_deg


def sd_of_farthest(low: float, high: float, sd: float) -> float:
    """One-sigma of the extreme that lies farther from zero, when the other one may as well be it.

    Parameters
    ----------
    low, high
        Smallest and largest value; the farther one is the figure.
    sd
        One-sigma of either.

    Returns
    -------
    float
        ``sd``, grown by the chance that the other side is the farther one in truth, times the jump.
    """
    if sd <= 0.0:
        return 0.0
    lead = abs(abs(high) - abs(low))
    chance = 0.5 * math.erfc(lead / (2.0 * sd)) if low < 0.0 < high else 0.0
    return math.hypot(sd, math.sqrt(chance) * (high - low))


def _bias_sd_deg(sensor: SensorQuality, inclination_deg: float) -> float:
    return 2.0 * abs(math.sin(math.radians(inclination_deg) / 2.0)) * sensor.acc_bias_sd_deg
