"""Bias and scale of one inertial sensor: found from six still positions, taken off before all else.

Not to be confused with :mod:`analytics.calibration`, which finds how a sensor sits on its segment.

Source: I. Frosio, F. Pedersini, N. A. Borghese, "Autocalibration of MEMS accelerometers", IEEE Transactions
on Instrumentation and Measurement 58 (6), 2009, 2034-2041, with the model of bias and scale alone. Whatever
way a still accelerometer is turned, what it feels has the length of gravity, so neither table nor housing
has to be level or square, as the classic six positions ask for (F. Ferraris, U. Grimaldi, M. Parvis,
"Procedure for effortless in-field calibration of three-axial rate gyro and accelerometers", Sensors and
Materials 7 (5), 1995, 311-330).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.optimize import least_squares

from analytics.errors import ImplausibleCalibration
from analytics.imu import STANDARD_GRAVITY_M_S2

if TYPE_CHECKING:
    from analytics.imu import FloatArray

_MOST_ACC_BIAS_M_S2: Final = 2.0  # data sheets allow 0.05 g; more is a sensor that is broken
_MOST_SCALE_ERROR: Final = 0.1  # data sheets allow 3 %; more is another range than the sensor says
_MOST_GYR_BIAS_RAD_S: Final = 0.35  # 20 °/s, what the cheapest chips allow


@dataclass(frozen=True, slots=True, eq=False)
class InertialCalibration:
    """Errors of one sensor: ``true = (measured - bias) * scale`` for each axis.

    Parameters
    ----------
    acc_bias_m_s2
        Shape (3,), m/s², sensor_frame.
    acc_scale
        Shape (3,), without unit, about 1.
    gyr_bias_rad_s
        Shape (3,), rad/s, sensor_frame; rest says nothing of the scale of a gyroscope.

    Raises
    ------
    ValueError
        Wrong shapes, or a value that is not finite.
    ImplausibleCalibration
        No sensor in order has such errors.
    """

    acc_bias_m_s2: FloatArray
    acc_scale: FloatArray
    gyr_bias_rad_s: FloatArray

    def __post_init__(self) -> None:
        for name in ("acc_bias_m_s2", "acc_scale", "gyr_bias_rad_s"):
            values = np.array(getattr(self, name), dtype=np.float64)
            if values.shape != (3,) or not np.isfinite(values).all():
                raise ValueError(f"{name} must hold three numbers, not {values}")
            values.setflags(write=False)
            object.__setattr__(self, name, values)
        for what, values, most, unit in (
            ("an accelerometer bias", self.acc_bias_m_s2, _MOST_ACC_BIAS_M_S2, "m/s²"),
            ("an accelerometer scale error", self.acc_scale - 1.0, _MOST_SCALE_ERROR, ""),
            ("a gyroscope bias", self.gyr_bias_rad_s, _MOST_GYR_BIAS_RAD_S, "rad/s"),
        ):
            worst = float(np.max(np.abs(values)))
            if worst > most:
                raise ImplausibleCalibration(f"{what} of {worst:.2f} {unit} is more than {most:g} {unit}")

    def correct_acc(self, acc_m_s2: FloatArray) -> FloatArray:
        """Return what a perfect accelerometer would have measured, shape (n, 3), m/s²."""
        return np.asarray((acc_m_s2 - self.acc_bias_m_s2) * self.acc_scale, dtype=np.float64)

    def correct_gyr(self, gyr_rad_s: FloatArray) -> FloatArray:
        """Return angular rates without their bias, shape (n, 3), rad/s."""
        return np.asarray(gyr_rad_s - self.gyr_bias_rad_s, dtype=np.float64)

    def gravity_error_m_s2(self, acc_m_s2: FloatArray) -> float:
        """Tell how far the length of a still reading, shape (3,), is from gravity once corrected, m/s²."""
        return gravity_error_m_s2(self.correct_acc(acc_m_s2))


def gravity_error_m_s2(acc_m_s2: FloatArray) -> float:
    """Tell how far the length of a still reading, shape (3,), is from standard gravity, m/s².

    Gravity itself differs by ±0.026 m/s² between equator and pole: that goes into the scale and matters not.
    """
    return abs(float(np.linalg.norm(acc_m_s2)) - STANDARD_GRAVITY_M_S2)


def fit_calibration(acc_m_s2: FloatArray, gyr_rad_s: FloatArray) -> InertialCalibration:
    """Find bias and scale of each axis by least squares over still positions.

    Parameters
    ----------
    acc_m_s2
        Mean specific force in each position, shape (n, 3), m/s²: each axis once up and once down at least.
    gyr_rad_s
        Mean angular rate in each, shape (n, 3), rad/s.

    Returns
    -------
    InertialCalibration
        The lengths of the corrected readings come as near to gravity as they can.

    Raises
    ------
    ImplausibleCalibration
        No sensor in order has such errors.
    ValueError
        Fewer than six positions.
    """
    if len(acc_m_s2) < 6 or acc_m_s2.shape != gyr_rad_s.shape:
        raise ValueError(f"six positions of both sensors are needed, not {acc_m_s2.shape}, {gyr_rad_s.shape}")
    high, low = acc_m_s2.max(axis=0), acc_m_s2.min(axis=0)
    start = np.concatenate([(high + low) / 2.0, 2.0 * STANDARD_GRAVITY_M_S2 / (high - low)])

    def excess(parameters: FloatArray) -> FloatArray:
        corrected = (acc_m_s2 - parameters[:3]) * parameters[3:]
        return np.asarray(np.linalg.norm(corrected, axis=1) - STANDARD_GRAVITY_M_S2, dtype=np.float64)

    found = least_squares(excess, start, method="lm", xtol=1e-12, ftol=1e-12)
    return InertialCalibration(found.x[:3], found.x[3:], gyr_rad_s.mean(axis=0))
