"""Is a table what it claims to be? Refusals in one line that says how to mend it, else warnings.

Units are never converted by guess: a table that looks like another unit is refused with the option that
says so.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import uniform_filter1d

from analytics.imu import STANDARD_GRAVITY_M_S2
from firmware_protocol.ranges import SamplingRate
from sensor_bridge.errors import RecordingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.imu import FloatArray

LOWEST_RATE_HZ = 8.0
COARSE_RATE_HZ = 20.0
SHORTEST_S = 2.0
LONGEST_GAP_S = 3600.0
_LONGEST_STEP_PERIODS = 1.5  # FORMATS: a longer step is a gap
_SNAP = 0.1  # a virtual sensor plays such a recording at that nominal rate: replay and file share their grid
_MOST_NAMES = 12


def listed(names: Sequence[str]) -> str:
    """Names for a message, shortened where there are many."""
    shown = ", ".join(names[:_MOST_NAMES])
    return shown + (f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else "")


def check_time(where: str, t_s: FloatArray) -> list[str]:
    """Refuse a time axis that cannot be one; warn of times that come twice.

    Raises
    ------
    RecordingError
        Fewer than two rows, a time that is no number, or time running backwards.
    """
    if len(t_s) < 2:
        raise RecordingError(f"{where}: has {len(t_s)} rows of data: there is nothing to analyse")
    bad = np.flatnonzero(~np.isfinite(t_s))
    if len(bad):
        raise RecordingError(
            f"{where}: t is not a number in row {bad[0] + 1}: give every row its time in s, or remove the row"
        )
    steps = np.diff(t_s)
    back = np.flatnonzero(steps < 0)
    if len(back):
        row = int(back[0])
        raise RecordingError(
            f"{where}: time runs backwards in row {row + 2} ({t_s[row]:.3f} s → {t_s[row + 1]:.3f} s): "
            "sort the rows by t, or split the recording there"
        )
    longest = int(np.argmax(steps))
    if steps[longest] > max(LONGEST_GAP_S, 100 * float(np.median(steps))):
        raise RecordingError(
            f"{where}: t jumps by {steps[longest]:g} s in row {longest + 2}: these are two recordings, "
            "split them there"
        )
    twice = int(np.count_nonzero(steps == 0))
    if twice == len(steps):
        raise RecordingError(f"{where}: t stands still at {t_s[0]:g} s: give every row its time in s")
    return [f"{twice} rows repeat the time of the row before and were left out"] if twice else []


def measured_rate_hz(t_s: FloatArray) -> float:
    """Rate of the samples outside gaps and repeated times, Hz; 0.0 where there are too few to tell."""
    steps = np.diff(t_s)
    steps = steps[steps > 0]
    if not len(steps):
        return 0.0
    usual = steps[steps <= _LONGEST_STEP_PERIODS * np.median(steps)]
    return float(1.0 / np.mean(usual))


def nominal_rate_hz(rate_hz: float) -> float:
    """Nominal rate of a sensor that measures at ``rate_hz``, or that rate itself where none is near."""
    nearest = min((rate.hz for rate in SamplingRate), key=lambda hz: abs(hz - rate_hz))
    return nearest if abs(nearest - rate_hz) <= _SNAP * nearest else rate_hz


def check_rate(where: str, rate_hz: float, stated_hz: float | None) -> list[str]:
    """Refuse rates that no repetition survives; warn of coarse ones and of a wrong statement.

    Raises
    ------
    RecordingError
        Below ``LOWEST_RATE_HZ``; where the step looks like another unit of time, it says so.
    """
    if rate_hz < LOWEST_RATE_HZ:
        step = 1.0 / rate_hz if rate_hz else math.inf
        for unit, factor in (("ms", 1e3), ("µs", 1e6), ("ns", 1e9)):
            if LOWEST_RATE_HZ <= rate_hz * factor <= 2000.0:
                raise RecordingError(
                    f"{where}: t steps by {step:g}: that looks like {unit}; divide t by {factor:.0f}"
                )
        raise RecordingError(
            f"{where}: {rate_hz:.2g} Hz is too slow for repetitions: record at {LOWEST_RATE_HZ:g} Hz or more"
        )
    warnings = []
    if rate_hz < COARSE_RATE_HZ:
        warnings.append(
            f"{rate_hz:.3g} Hz is slow: phase boundaries are no finer than {1000.0 / rate_hz:.0f} ms"
        )
    if stated_hz is not None and abs(stated_hz - rate_hz) > 0.05 * rate_hz:
        warnings.append(f"the metadata say {stated_hz:g} Hz, but t says {rate_hz:.4g} Hz: t was believed")
    return warnings


def check_duration(where: str, t_s: FloatArray) -> None:
    """Refuse what is too short for any repetition, and times that integer nanoseconds do not reach.

    Raises
    ------
    RecordingError
        Shorter than ``SHORTEST_S``, or beyond 9e9 s.
    """
    duration_s = float(t_s[-1] - t_s[0])
    if duration_s < SHORTEST_S:
        raise RecordingError(
            f"{where}: lasts {duration_s:.2f} s, too short: movement needs {SHORTEST_S:g} s of standing first"
        )
    if max(abs(float(t_s[0])), abs(float(t_s[-1]))) > 9e9:
        raise RecordingError(f"{where}: t reaches {t_s[-1]:g} s: it counts seconds from the start")


def check_acceleration(where: str, placement: str, acc_m_s2: FloatArray) -> None:
    """Refuse specific forces that do not show one gravity.

    The median norm is gravity in every recording of a person: sways and steps go both ways.

    Raises
    ------
    RecordingError
        The median norm lies outside 7 to 13 m/s².
    """
    norm = np.linalg.norm(acc_m_s2[np.isfinite(acc_m_s2).all(axis=1)], axis=1)
    rest = float(np.median(norm))
    if 7.0 <= rest <= 13.0:
        return
    columns = f"{placement}_ax {placement}_ay {placement}_az"
    g = STANDARD_GRAVITY_M_S2
    if 0.7 <= rest <= 1.3:
        mend = f"that looks like g; multiply them by {g} or say --acc-unit g"
    elif 700.0 <= rest <= 1300.0:
        mend = f"that looks like mg; multiply them by {g / 1000} or say --acc-unit mg"
    elif rest < 0.7:
        mend = "gravity seems to have been removed; record the raw specific force"
    else:
        mend = "the unit is unknown; convert them to m/s²"
    raise RecordingError(f"{where}: {columns} have a norm of {rest:.3g} at rest instead of 9.81 m/s²: {mend}")


def check_rotation(
    where: str, placement: str, t_s: FloatArray, acc_m_s2: FloatArray, gyr_rad_s: FloatArray
) -> list[str]:
    """Refuse angular rates that are in °/s beyond doubt; warn where they only look too large.

    Gravity turns in sensor_frame as the sensor turns: d(up)/dt = cross(up, ω). The factor between both sides
    is 1 for rad/s and π/180 for °/s.

    Raises
    ------
    RecordingError
        The factor is that of °/s.
    """
    columns = f"{placement}_gx {placement}_gy {placement}_gz"
    scale, correlation = _rotation_scale(t_s, acc_m_s2, gyr_rad_s)
    if correlation > 0.8 and 0.012 < scale < 0.026:
        raise RecordingError(
            f"{where}: {columns} are {1 / scale:.0f} times as fast as gravity turns: that looks like °/s; "
            "multiply them by π/180 or say --gyr-unit deg/s"
        )
    fastest = float(np.percentile(np.linalg.norm(gyr_rad_s, axis=1), 99))
    if fastest > 12.0:
        warning = (
            f"{columns} reach {fastest:.0f} rad/s ({math.degrees(fastest):.0f} °/s), more than hips move: "
            "check that they are not in °/s (--gyr-unit deg/s)"
        )
        return [warning]
    return []


def count_clipped(values: FloatArray, full_scales: Sequence[float]) -> int:
    """Count the samples, shape (n, 3), that sit at the end of a sensor's range.

    A range counts as reached where the largest value lies within 0.2 % of it and comes at least three times.
    """
    size = np.abs(values)
    peak = float(size.max(initial=0.0))
    at_peak = (size >= 0.9995 * peak).any(axis=1)
    reached = any(abs(peak - full_scale) <= 0.002 * full_scale for full_scale in full_scales)
    n_at_peak = int(np.count_nonzero(at_peak))
    return n_at_peak if reached and n_at_peak >= 3 else 0


def _rotation_scale(t_s: FloatArray, acc: FloatArray, gyr: FloatArray) -> tuple[float, float]:
    """Regression of d(up)/dt on cross(up, ω): factor and correlation; (0, 0) where nothing turned."""
    width = max(3, round(0.2 * measured_rate_hz(t_s)))
    if len(t_s) < 3 * width:
        return 0.0, 0.0
    smooth_acc = uniform_filter1d(acc, width, axis=0)
    smooth_gyr = uniform_filter1d(gyr, width, axis=0)
    norm = np.linalg.norm(smooth_acc, axis=1)
    up = smooth_acc / np.maximum(norm, 1e-9)[:, None]
    step = np.maximum(t_s[2:] - t_s[:-2], 1e-9)
    turning = (up[2:] - up[:-2]) / step[:, None]
    expected = np.cross(up, smooth_gyr)[1:-1]
    calm = (np.abs(norm[1:-1] - np.median(norm)) < 0.15 * np.median(norm)) & (step < 2.5 * np.median(step))
    turning, expected = turning[calm], expected[calm]
    power = float(np.sum(expected**2))
    both = math.sqrt(power * float(np.sum(turning**2)))
    if not both > 0:
        return 0.0, 0.0
    product = float(np.sum(turning * expected))
    return product / power, product / both
