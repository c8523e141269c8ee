"""Phases of a repetition by the definition in METRICS, on an exactly known driving angle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware_sim.rotation import first_derivative
from hardware_sim.spectral import FloatArray, low_pass

CUTOFF_HZ = 5.0
SLOWEST_DEG_S = 3.0
PEAK_SHARE = 0.10
PEAK_SHARE_AT_MOST = 0.50
JOINED_GAP_S = 0.1
LEAST_TRAVEL_SHARE = 0.08
LONGEST_REST_S = 1.5


@dataclass(frozen=True, slots=True)
class Phase:
    """One movement, s.

    ``movement_start_s`` and ``movement_end_s`` lie further out: by the time between one and two thresholds.
    """

    start_s: float
    end_s: float
    movement_start_s: float
    movement_end_s: float


@dataclass(frozen=True, slots=True, eq=False)
class DrivingAngle:
    """The driving angle without its fast part, growing on the way out.

    Parameters
    ----------
    time_s, angle_deg, speed_deg_s
        Shape (n,); the angle is low-passed at 5 Hz without delay.
    rate_hz
        Rate of the grid, Hz.
    """

    time_s: FloatArray
    angle_deg: FloatArray
    speed_deg_s: FloatArray
    rate_hz: float

    @classmethod
    def of(cls, time_s: FloatArray, angle_deg: FloatArray, rate_hz: float) -> DrivingAngle:
        """Low-pass an angle, shape (n,), and take its speed."""
        smooth = low_pass(angle_deg, CUTOFF_HZ, rate_hz)
        return cls(time_s, smooth, first_derivative(smooth, rate_hz), rate_hz)

    def index(self, at_s: float) -> int:
        """Index of the sample at or after a time, s."""
        return int(np.clip(np.searchsorted(self.time_s, at_s), 0, len(self.time_s) - 1))


def out_and_back(driving: DrivingAngle, window_s: tuple[float, float]) -> tuple[Phase, Phase] | None:
    """Split the way out and the way back at the largest angle inside a window.

    Parameters
    ----------
    driving
        Driving angle, growing on the way out.
    window_s
        From the rest before to the rest after the repetition, s.

    Returns
    -------
    tuple[Phase, Phase] | None
        Way out and way back, or None where one of them is not there.
    """
    first, last = driving.index(window_s[0]), driving.index(window_s[1])
    far = first + int(np.argmax(driving.angle_deg[first : last + 1]))
    out = _phase(driving, first, far, 1.0)
    back = _phase(driving, far, last, -1.0)
    return (out, back) if out and back else None


def _phase(driving: DrivingAngle, first: int, last: int, sign: float) -> Phase | None:
    speed = sign * driving.speed_deg_s[first : last + 1]
    angle = sign * driving.angle_deg[first : last + 1]
    if len(speed) < 2:
        return None
    peak = float(np.max(speed))
    if peak <= 0.0:
        return None
    threshold = min(max(SLOWEST_DEG_S, PEAK_SHARE * peak), PEAK_SHARE_AT_MOST * peak)
    starts, ends = _runs(speed > threshold, int(JOINED_GAP_S * driving.rate_hz + 0.5))
    travel = angle[ends] - angle[starts]
    kept = np.flatnonzero(travel >= LEAST_TRAVEL_SHARE * float(np.ptp(angle)))
    if len(kept) == 0:
        return None
    starts, ends = starts[kept], ends[kept]
    low = high = int(np.argmax(travel[kept]))
    longest = LONGEST_REST_S * driving.rate_hz
    while low > 0 and starts[low] - ends[low - 1] <= longest:
        low -= 1
    while high < len(starts) - 1 and starts[high + 1] - ends[high] <= longest:
        high += 1
    start, end = int(starts[low]), int(ends[high])
    fast = np.flatnonzero(speed[start : end + 1] >= 2.0 * threshold)
    lead, trail = (int(fast[0]), end - start - int(fast[-1])) if len(fast) else (0, 0)
    origin_s, step_s = float(driving.time_s[first]), 1.0 / driving.rate_hz
    return Phase(
        start_s=origin_s + start * step_s,
        end_s=origin_s + end * step_s,
        movement_start_s=origin_s + (start - lead) * step_s,
        movement_end_s=origin_s + (end + trail) * step_s,
    )


def _runs(
    above: np.ndarray[tuple[int], np.dtype[np.bool_]], joined_gap: int
) -> tuple[np.ndarray, np.ndarray]:
    """First and last indices of the stretches above, neighbours at most ``joined_gap`` apart made one."""
    edges = np.diff(np.concatenate([[0], above.astype(np.int8), [0]]))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    apart = starts[1:] - ends[:-1] > joined_gap
    return starts[np.concatenate([[True], apart])], ends[np.concatenate([apart, [True]])]
