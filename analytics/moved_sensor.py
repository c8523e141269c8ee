"""Which of several sensors is being moved: how lively each is, and whether one stands out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analytics.imu import FloatArray


@dataclass(frozen=True, slots=True)
class MovedSensorParameters:
    """When a sensor counts as moved.

    Parameters
    ----------
    window_s
        How much of the newest samples is looked at, s.
    gyr_unit_rad_s, acc_unit_m_s2
        Scatter (root mean square about the mean) that makes a liveliness of 1: a hand that holds a sensor as
        still as it can stays below 0.3.
    moved
        Least liveliness of a sensor that is being moved on purpose.
    stands_out
        It is so many times livelier than any other.
    at_rest
        Most liveliness of a sensor that lies or is worn quietly.
    """

    window_s: float = 1.0
    gyr_unit_rad_s: float = 0.3
    acc_unit_m_s2: float = 0.5
    moved: float = 3.0
    stands_out: float = 4.0
    at_rest: float = 1.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who is being moved.

    Parameters
    ----------
    moved
        The one that stands out; ``None`` where none does.
    together
        All that are lively where more than one is and none stands out, the liveliest first.
    at_rest
        Whether all are quiet.
    """

    moved: str | None = None
    together: tuple[str, ...] = ()
    at_rest: bool = False


class Liveliness:
    """How much one sensor has been moved of late.

    Biases and the constant part of gravity do not count: only the scatter about the mean does.

    Parameters
    ----------
    sampling_rate_hz
        Of its samples.
    parameters
        When a sensor counts as moved.
    """

    def __init__(self, sampling_rate_hz: float, parameters: MovedSensorParameters | None = None) -> None:
        self._parameters = parameters or MovedSensorParameters()
        self._n = max(round(self._parameters.window_s * sampling_rate_hz), 2)
        self._samples: FloatArray = np.empty((0, 6))

    def push(self, acc_m_s2: FloatArray, gyr_rad_s: FloatArray) -> None:
        """Take samples, shapes (n, 3), m/s² and rad/s, sensor_frame."""
        self._samples = np.vstack([self._samples, np.hstack([acc_m_s2, gyr_rad_s])])[-self._n :]

    @property
    def value(self) -> float | None:
        """Liveliness, 0 or more; ``None`` before a whole window has come."""
        if len(self._samples) < self._n:
            return None
        scatter = self._samples.std(axis=0)
        acc = float(np.linalg.norm(scatter[:3])) / self._parameters.acc_unit_m_s2
        gyr = float(np.linalg.norm(scatter[3:])) / self._parameters.gyr_unit_rad_s
        return float(np.hypot(acc, gyr))


def judge(liveliness: Mapping[str, float], parameters: MovedSensorParameters | None = None) -> Verdict:
    """Say which sensor is being moved, if that can be said.

    Parameters
    ----------
    liveliness
        Of every sensor that could be meant, by its id.
    parameters
        When a sensor counts as moved.

    Raises
    ------
    ValueError
        No sensor.
    """
    if not liveliness:
        raise ValueError("there is no sensor to judge")
    limits = parameters or MovedSensorParameters()
    ranked = sorted(liveliness, key=lambda sensor_id: -liveliness[sensor_id])
    strongest = liveliness[ranked[0]]
    if strongest < limits.moved:
        return Verdict(at_rest=strongest <= limits.at_rest)
    if len(ranked) == 1 or strongest >= limits.stands_out * liveliness[ranked[1]]:
        return Verdict(moved=ranked[0])
    lively = tuple(each for each in ranked if liveliness[each] * limits.stands_out > strongest)
    return Verdict(together=lively)
