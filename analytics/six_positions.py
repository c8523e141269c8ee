"""A sensor laid on its six sides: notices when it lies still, on which side, whether that is a new one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from analytics.errors import ImplausibleCalibration
from analytics.imu import STANDARD_GRAVITY_M_S2
from analytics.inertial_calibration import InertialCalibration, fit_calibration, gravity_error_m_s2

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analytics.imu import FloatArray

_LOOKS_A_WINDOW = 8


class Side(StrEnum):
    """Which axis of sensor_frame points up."""

    X_UP = "+x"
    X_DOWN = "-x"
    Y_UP = "+y"
    Y_DOWN = "-y"
    Z_UP = "+z"
    Z_DOWN = "-z"


SIDES: Mapping[Side, FloatArray] = {
    side: np.array([(1.0 if side[0] == "+" else -1.0) * (name == side[1]) for name in "xyz"]) for side in Side
}


@dataclass(frozen=True, slots=True)
class SixPositionsParameters:
    """What counts as still, as lying on a side, and as good enough.

    Parameters
    ----------
    still_s
        It has to be still for so long, s.
    acc_sd_m_s2, gyr_sd_rad_s
        Most scatter of an axis about its mean while still: noise, not a hand.
    acc_drift_m_s2
        Most difference between the first and the last third of the time: it does not sink or creep.
    on_side_deg
        An axis within this of the vertical is up or down, degrees.
    leaning_deg
        For the check all axes are farther than this from the vertical, degrees.
    gyr_spread_rad_s
        Most difference between the gyroscope's readings in the positions: more was turning, not rest.
    most_residual_m_s2
        Most error in the position that is only checked.
    """

    still_s: float = 3.0
    acc_sd_m_s2: float = 0.15
    gyr_sd_rad_s: float = 0.03
    acc_drift_m_s2: float = 0.06
    on_side_deg: float = 20.0
    leaning_deg: float = 30.0
    gyr_spread_rad_s: float = 0.02
    most_residual_m_s2: float = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class StillPosition:
    """Means of one still time.

    Parameters
    ----------
    acc_m_s2, gyr_rad_s
        Mean readings, shape (3,).
    acc_sd_m_s2
        Largest scatter of an axis.
    """

    acc_m_s2: FloatArray
    gyr_rad_s: FloatArray
    acc_sd_m_s2: float

    @property
    def nearest(self) -> tuple[Side, float]:
        """The side that is up most, and how far its axis is from the vertical, degrees."""
        length = max(float(np.linalg.norm(self.acc_m_s2)), 1e-9)
        cosines = {side: float(axis @ self.acc_m_s2) / length for side, axis in SIDES.items()}
        side = max(cosines, key=lambda each: cosines[each])
        return side, float(np.degrees(np.arccos(min(cosines[side], 1.0))))


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A side that was missing has been measured."""

    side: Side
    position: StillPosition
    n_missing: int


@dataclass(frozen=True, slots=True)
class Repeated:
    """It lies still on a side that has been measured already."""

    side: Side


@dataclass(frozen=True, slots=True)
class Askew:
    """It lies still, but not in a way that is wanted now.

    Parameters
    ----------
    side
        Side that is up most.
    off_deg
        How far its axis is from the vertical.
    """

    side: Side
    off_deg: float


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationFound:
    """All is measured, and the check has been passed.

    Parameters
    ----------
    calibration
        Bias and scale.
    residual_m_s2
        Error of the length of gravity in the leaning position, which took no part in the fit.
    uncorrected_m_s2
        What that error would be without the calibration.
    gyr_spread_rad_s
        Largest difference of a position's angular rate from the bias.
    """

    calibration: InertialCalibration
    residual_m_s2: float
    uncorrected_m_s2: float
    gyr_spread_rad_s: float


PositionEvent: TypeAlias = Measured | Repeated | Askew | CalibrationFound


class SixPositions:
    """Samples of one sensor in, what is noticed out. How samples are cut into pushes changes nothing.

    Six sides first, in any order, then one position in which the sensor leans: bias and scale of three axes
    are six numbers, and six positions fit any; only a seventh tells whether they are right.

    Parameters
    ----------
    sampling_rate_hz
        Of the samples.
    parameters
        What counts as still, as lying on a side, and as good enough.
    """

    def __init__(self, sampling_rate_hz: float, parameters: SixPositionsParameters | None = None) -> None:
        self._parameters = parameters or SixPositionsParameters()
        self._n = max(round(self._parameters.still_s * sampling_rate_hz), _LOOKS_A_WINDOW)
        self._hop = max(self._n // _LOOKS_A_WINDOW, 1)
        self._samples: FloatArray = np.empty((0, 6))
        self._to_look = self._hop
        self._was_told = False
        self.positions: dict[Side, StillPosition] = {}

    @property
    def missing(self) -> tuple[Side, ...]:
        """Sides that have not been measured yet."""
        return tuple(side for side in Side if side not in self.positions)

    def interrupt(self) -> None:
        """Take note that samples are missing here."""
        self._samples = self._samples[:0]
        self._to_look = self._hop

    def push(self, acc_m_s2: FloatArray, gyr_rad_s: FloatArray) -> list[PositionEvent]:
        """Take samples, shapes (n, 3), m/s² and rad/s, sensor_frame; return what is noticed.

        Raises
        ------
        ImplausibleCalibration
            All positions are there, but no sensor in order has such errors, or the check failed.
        """
        rows = np.hstack([acc_m_s2, gyr_rad_s])
        events: list[PositionEvent] = []
        while len(rows):
            taken, rows = rows[: self._to_look], rows[self._to_look :]
            self._samples = np.vstack([self._samples, taken])[-self._n :]
            self._to_look -= len(taken)
            if self._to_look == 0:
                self._to_look = self._hop
                events += self._look()
        return events

    def _look(self) -> list[PositionEvent]:
        position = self._still()
        if position is None:
            self._was_told = False
            return []
        if self._was_told:
            return []
        self._was_told = True
        side, off_deg = position.nearest
        if not self.missing:
            if off_deg < self._parameters.leaning_deg:
                return [Askew(side, off_deg)]
            return [self._found(position)]
        if off_deg > self._parameters.on_side_deg:
            return [Askew(side, off_deg)]
        if side in self.positions:
            return [Repeated(side)]
        self.positions[side] = position
        return [Measured(side, position, len(self.missing))]

    def _still(self) -> StillPosition | None:
        if len(self._samples) < self._n:
            return None
        limits = self._parameters
        scatter = self._samples.std(axis=0)
        third = self._n // 3
        drift = self._samples[-third:, :3].mean(axis=0) - self._samples[:third, :3].mean(axis=0)
        if (
            scatter[:3].max() > limits.acc_sd_m_s2
            or scatter[3:].max() > limits.gyr_sd_rad_s
            or np.abs(drift).max() > limits.acc_drift_m_s2
        ):
            return None
        mean = self._samples.mean(axis=0)
        return StillPosition(mean[:3], mean[3:], float(scatter[:3].max()))

    def _found(self, check: StillPosition) -> CalibrationFound:
        limits = self._parameters
        acc = np.array([position.acc_m_s2 for position in self.positions.values()])
        gyr = np.array([position.gyr_rad_s for position in self.positions.values()])
        calibration = fit_calibration(acc, gyr)
        spread = float(np.abs(gyr - calibration.gyr_bias_rad_s).max())
        if spread > limits.gyr_spread_rad_s:
            raise ImplausibleCalibration(
                f"the gyroscope's rest differs by {np.degrees(spread):.1f} °/s between positions: "
                "was it turned slowly?"
            )
        residual = calibration.gravity_error_m_s2(check.acc_m_s2)
        if residual > limits.most_residual_m_s2:
            raise ImplausibleCalibration(
                f"leaning, it measures gravity {residual:.2f} m/s² off "
                f"({residual / STANDARD_GRAVITY_M_S2:.1%}) though corrected: "
                "its axes leak into each other, or it was moved"
            )
        return CalibrationFound(calibration, residual, gravity_error_m_s2(check.acc_m_s2), spread)
