"""A clip that slips in mid-set: from one repetition to the next one sensor alone stands otherwise at the top.

A soft lockout moves pelvis and thighs together, and comes and goes; a clip that slipped stays where it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from analytics.quaternions import up_in_sensor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analytics.alignment import AlignedBlock
    from analytics.calibration import SegmentCalibration
    from analytics.imu import FloatArray, Placement

TOPS_SINCE = 2
"""A slip is known when this many tops have been seen after it."""


@dataclass(frozen=True, slots=True)
class SlipParameters:
    """Settings of the detection, degrees.

    Parameters
    ----------
    least_deg
        Step from two tops to the next two that is called a slip.
    steady_deg
        The two tops on either side agree within this.
    others_deg
        No other sensor steps by more than this.
    top_s
        Time at the end of a repetition that is called its top.
    """

    least_deg: float = 7.0
    steady_deg: float = 4.0
    others_deg: float = 3.5
    top_s: float = 0.2


@dataclass(frozen=True, slots=True)
class Slip:
    """A sensor that moved on its segment.

    Parameters
    ----------
    placement
        Which.
    angle_deg
        By how much its reading of standing changed.
    """

    placement: Placement
    angle_deg: float

    @property
    def warning(self) -> str:
        """Line for the athlete."""
        return (
            f"{self.placement}: the sensor seems to have slipped by {self.angle_deg:.0f} degrees; "
            "its angles are off by as much since: fasten it and start again from standing still"
        )

    def noted_in(self, calibration: SegmentCalibration) -> SegmentCalibration:
        """Return the sensor's calibration with what has become of it."""
        warnings = (*calibration.warnings, self.warning)
        return replace(calibration, warnings=warnings, slip_deg=self.angle_deg)


def tops_of(window: AlignedBlock) -> dict[Placement, FloatArray]:
    """Mean direction of up of each sensor that was received throughout, sensor_frame, shape (3,)."""
    return {
        placement: np.asarray(np.mean(up_in_sensor(samples.earth_from_sensor_wxyz), axis=0), dtype=np.float64)
        for placement, samples in window.segments.items()
        if bool(samples.is_received.all())
    }


class SlipDetector:
    """Watches how each sensor stands at the tops.

    Parameters
    ----------
    standing
        Direction of up while standing, sensor_frame, shape (3,), by placement.
    parameters
        Settings.
    """

    def __init__(
        self, standing: Mapping[Placement, FloatArray], parameters: SlipParameters | None = None
    ) -> None:
        self._parameters = parameters or SlipParameters()
        self._tops = [dict(standing)]

    def push(self, top: Mapping[Placement, FloatArray]) -> list[Slip]:
        """Take the directions of up at the top after one more repetition; return what slipped before it."""
        self._tops = [*self._tops[-3:], dict(top)]
        if len(self._tops) < 4:
            return []
        p = self._parameters
        steps = {
            placement: _apart_deg(
                self._tops[0][placement] + self._tops[1][placement],
                self._tops[2][placement] + self._tops[3][placement],
            )
            for placement in top
            if all(placement in seen for seen in self._tops)
        }
        slips = []
        for placement, step_deg in steps.items():
            pairs = ((self._tops[0], self._tops[1]), (self._tops[2], self._tops[3]))
            is_steady = all(_apart_deg(a[placement], b[placement]) < p.steady_deg for a, b in pairs)
            others = [step for other, step in steps.items() if other is not placement]
            # Alone on the body a sensor cannot tell its own slip from another way to stand.
            if step_deg > p.least_deg and is_steady and others and max(others) < p.others_deg:
                slips.append(Slip(placement, step_deg))
        return slips


def _apart_deg(one: FloatArray, other: FloatArray) -> float:
    cosine = float(one @ other) / float(np.linalg.norm(one) * np.linalg.norm(other))
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))
