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


# By their numbers in the compiled steps.
_POSTURES = (Posture.UNKNOWN, Posture.STANDING, Posture.SUPINE)


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
        from analytics import posture_steps  # noqa: PLC0415 - numba takes half a second

        self._steps = posture_steps
        self._parameters = p = parameters or PostureParameters()
        self._latch = np.zeros(1, dtype=posture_steps.LATCH)
        self._latch["posture"] = _POSTURES.index(initial)
        self._limits = np.zeros(1, dtype=posture_steps.LIMITS)
        self._limits[0] = (
            math.radians(p.rest_deg_s) ** 2,
            0.0,
            p.standing_deg,
            *p.supine_tilt_deg,
            *p.supine_thigh_deg,
        )

    def __copy__(self) -> PostureLatch:
        """Return a latch that goes on by itself from the same state."""
        other = PostureLatch(self.posture, self._parameters)
        other._latch[:] = self._latch
        return other

    @property
    def posture(self) -> Posture:
        """The posture latched last."""
        return _POSTURES[self._latch["posture"].item()]

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
        thighs = (thigh_flexion_deg, thigh_flexion_deg)
        return [_POSTURES[code] for code in self._decide(tilt_deg, *thighs, rate_rad_s.T, sampling_rate_hz)]

    def is_supine(self, columns: AngleColumns, sampling_rate_hz: float) -> NDArray[np.bool_]:
        """Take the next angles; tell at which samples the athlete lies on the back, shape (n,)."""
        rows = columns.values
        posture = self._decide(rows[0], rows[1], rows[2], rows[8:11], sampling_rate_hz)
        return np.equal(posture, self._steps.SUPINE)

    def _decide(
        self,
        tilt_deg: FloatArray,
        thigh_flexion_left_deg: FloatArray,
        thigh_flexion_right_deg: FloatArray,
        rate_rad_s: FloatArray,
        sampling_rate_hz: float,
    ) -> NDArray[np.int8]:
        self._limits["rest_samples"] = self._parameters.rest_s * sampling_rate_hz
        posture = np.empty(len(tilt_deg), dtype=np.int8)
        self._steps.decide(
            self._latch,
            self._limits,
            tilt_deg,
            thigh_flexion_left_deg,
            thigh_flexion_right_deg,
            rate_rad_s,
            posture,
        )
        return posture
