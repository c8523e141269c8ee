"""Standing or lying: decided at rest and kept while moving, so that a deep bend never looks like lying."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.angle_block import AngleColumns
    from analytics.imu import FloatArray


class Posture(StrEnum):
    """How the athlete is placed."""

    STANDING = "standing"
    SUPINE = "supine"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PostureParameters:
    """Settings of the latch.

    Parameters
    ----------
    rest_deg_s
        Turning rate below which the athlete rests, degrees a second.
    rest_s
        Rest that must have lasted before a posture is believed.
    standing_deg
        Tilt and thigh flexion below which rest is standing.
    supine_tilt_deg
        Range of pelvic tilt of lying on the back, hips down or up.
    supine_thigh_deg
        Range of thigh flexion of lying with bent knees, where no pelvis sensor is worn.
    """

    rest_deg_s: float = 15.0
    rest_s: float = 1.0
    standing_deg: float = 25.0
    supine_tilt_deg: tuple[float, float] = (-150.0, -55.0)
    supine_thigh_deg: tuple[float, float] = (105.0, 175.0)


class PostureLatch:
    """Streaming posture, one decision a sample.

    Parameters
    ----------
    initial
        Posture that the calibration found.
    parameters
        Settings.
    """

    def __init__(self, initial: Posture, parameters: PostureParameters | None = None) -> None:
        self.posture = initial
        self._parameters = parameters or PostureParameters()
        self._resting_samples = 0

    def push(
        self,
        tilt_deg: FloatArray,
        thigh_flexion_deg: FloatArray,
        rate_rad_s: FloatArray,
        sampling_rate_hz: float,
    ) -> list[Posture]:
        """Take the next samples.

        Parameters
        ----------
        tilt_deg, thigh_flexion_deg
            Pelvic tilt and mean thigh flexion, NaN where not worn, shape (n,).
        rate_rad_s
            Bias-free angular rate of the driving sensor, shape (n, 3).
        sampling_rate_hz
            Rate of all.

        Returns
        -------
        The posture at each sample.
        """
        return self._decide(self._resting(rate_rad_s.T), tilt_deg, thigh_flexion_deg, sampling_rate_hz)

    def is_supine(self, columns: AngleColumns, sampling_rate_hz: float) -> NDArray[np.bool_]:
        """Take the next angles; tell at which samples the athlete lies on the back, shape (n,)."""
        resting = self._resting(columns.values[8:11])
        if True not in resting:
            self._resting_samples = 0
            return np.full(len(resting), self.posture is Posture.SUPINE)
        tilt, left, right = columns.values[:3]
        # The mean of the thighs, or the one there is.
        thigh = 0.5 * (np.fmax(left, right) + np.fmin(left, right))
        postures = self._decide(resting, tilt, thigh, sampling_rate_hz)
        if Posture.SUPINE not in postures:
            return np.zeros(len(postures), dtype=np.bool_)
        return np.array([posture is Posture.SUPINE for posture in postures], dtype=np.bool_)

    def _resting(self, rate_rad_s: FloatArray) -> list[bool]:
        x, y, z = rate_rad_s * rate_rad_s
        limit = math.radians(self._parameters.rest_deg_s) ** 2
        return [square < limit for square in (x + y + z).tolist()]

    def _decide(
        self,
        resting: list[bool],
        tilt_deg: FloatArray,
        thigh_flexion_deg: FloatArray,
        sampling_rate_hz: float,
    ) -> list[Posture]:
        needed = self._parameters.rest_s * sampling_rate_hz
        postures: list[Posture] = []
        for is_resting, tilt, thigh in zip(
            resting, tilt_deg.tolist(), thigh_flexion_deg.tolist(), strict=True
        ):
            self._resting_samples = self._resting_samples + 1 if is_resting else 0
            if self._resting_samples >= needed:
                self.posture = self._judge(tilt, thigh)
            postures.append(self.posture)
        return postures

    def _judge(self, tilt_deg: float, thigh_deg: float) -> Posture:
        p = self._parameters
        if math.isfinite(tilt_deg):
            is_supine = p.supine_tilt_deg[0] < tilt_deg < p.supine_tilt_deg[1]
            is_upright = abs(tilt_deg) < p.standing_deg and not abs(thigh_deg) >= p.standing_deg
        else:
            is_supine = p.supine_thigh_deg[0] < thigh_deg < p.supine_thigh_deg[1]
            is_upright = abs(thigh_deg) < p.standing_deg
        if is_supine:
            return Posture.SUPINE
        # A held bottom is rest as well: leaving standing takes lying, not leaning.
        return Posture.STANDING if is_upright else self.posture
