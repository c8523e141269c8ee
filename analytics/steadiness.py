"""How steady a repetition was: sway, tremor and smoothness, and bursts that tell of lost balance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from analytics.filters import low_pass_zero_phase
from analytics.missing_data import bridged
from analytics.repetition_figures import Figure, Kind, Measured, Unmeasured

if TYPE_CHECKING:
    from analytics.imu import FloatArray
    from analytics.uncertainty import SensorQuality


class FallDirection(StrEnum):
    """Where to the pelvis tipped when balance was lost."""

    LEFT = "left"
    RIGHT = "right"
    FORWARD = "forward"
    BACKWARD = "backward"


@dataclass(frozen=True, slots=True)
class SteadinessParameters:
    """Constants.

    Parameters
    ----------
    sway_cutoff_hz
        Sway is slower than this.
    tremor_low_hz, tremor_high_hz
        Band of tremor; skin rings in it as well.
    burst_low_hz, burst_high_hz
        Band of a correction that is quicker than any movement on purpose.
    rate_sd_deg_s
        One-sigma of a smoothed angular rate: noise and what is left of the gyroscope's bias.
    smoothness_cutoff_hz, smoothness_level, smoothness_padding
        SPARC (Balasubramanian et al. 2015): highest frequency, least amplitude of the spectrum, zero padding
        in powers of two.
    smoothness_sd
        One-sigma of SPARC where the movement is seen whole; it has no unit.
    """

    sway_cutoff_hz: float = 5.0
    tremor_low_hz: float = 4.0
    tremor_high_hz: float = 12.0
    burst_low_hz: float = 1.5
    burst_high_hz: float = 6.0
    rate_sd_deg_s: float = 0.15
    smoothness_cutoff_hz: float = 10.0
    smoothness_level: float = 0.05
    smoothness_padding: int = 4
    smoothness_sd: float = 0.02


@dataclass(frozen=True, slots=True)
class Burst:
    """The quickest correction of the pelvis in a repetition.

    Parameters
    ----------
    rate
        Its peak angular rate, degrees/s.
    direction
        Where to the pelvis tipped; ``None`` where nothing was measured.
    """

    rate: Figure
    direction: FallDirection | None = None


def steadiness_figures(
    pelvis_rate_deg_s: FloatArray,
    sampling_rate_hz: float,
    inside: slice,
    pelvis: SensorQuality | None,
    cut_reason: str | None = None,
    parameters: SteadinessParameters | None = None,
) -> tuple[dict[str, Figure], Burst]:
    """Measure how steady the pelvis was.

    Parameters
    ----------
    pelvis_rate_deg_s
        Angular rate in segment_frame without bias, degrees/s, shape (n, 3); NaN in holes.
    sampling_rate_hz
        Its rate.
    inside
        The repetition.
    pelvis
        What is known of its sensor, ``None`` where none is worn: bending leaks into sway by the error of its
        forward direction.
    cut_reason
        Why only a part of the repetition was seen, if so.
    parameters
        Constants.

    Returns
    -------
    tuple
        ``sway_deg_s``: root mean square of the turning sideways and about the long axis;
        ``tremor_deg_s``: that of all axes in the band of tremor. And the largest burst.
    """
    p = parameters or SteadinessParameters()
    reason = cut_reason
    if pelvis is None:
        reason = "no pelvis sensor"
    elif not pelvis.is_forward_known:
        reason = "the pelvis sensor's forward direction is not known yet"
    elif not np.isfinite(pelvis_rate_deg_s[inside]).all():
        reason = "data are missing in this repetition"
    if pelvis is None or reason is not None:
        unmeasured = Unmeasured(reason or "no pelvis sensor")
        return {"sway_deg_s": unmeasured, "tremor_deg_s": unmeasured}, Burst(unmeasured)
    yaw_sd_deg = pelvis.yaw_sd_deg
    pelvis_rate_deg_s = np.stack([bridged(pelvis_rate_deg_s[:, axis]) for axis in range(3)], axis=1)
    slow = _low_pass(pelvis_rate_deg_s, p.sway_cutoff_hz, sampling_rate_hz)[inside]
    aside = math.sqrt(float(np.mean(slow[:, 0] ** 2 + slow[:, 2] ** 2)))
    bending = math.sqrt(float(np.mean(slow[:, 1] ** 2)))
    leak = math.radians(yaw_sd_deg) * bending
    # What leaks adds up squared: a leak smaller than the sway itself hardly shows in it.
    sway_sd = math.hypot(p.rate_sd_deg_s, math.hypot(aside, leak) - aside)
    shaking = (
        _low_pass(pelvis_rate_deg_s, p.tremor_high_hz, sampling_rate_hz)
        - _low_pass(pelvis_rate_deg_s, p.tremor_low_hz, sampling_rate_hz)
    )[inside]
    tremor = math.sqrt(float(np.mean(np.sum(shaking**2, axis=1))))
    figures: dict[str, Figure] = {
        "sway_deg_s": Measured(aside, sway_sd),
        "tremor_deg_s": Measured(tremor, math.hypot(p.rate_sd_deg_s, 0.1 * tremor), Kind.PROXY),
    }
    return figures, _burst(pelvis_rate_deg_s, sampling_rate_hz, inside, yaw_sd_deg, p)


def _burst(
    rate_deg_s: FloatArray, sampling_rate_hz: float, inside: slice, yaw_sd_deg: float, p: SteadinessParameters
) -> Burst:
    quick = (
        _low_pass(rate_deg_s, p.burst_high_hz, sampling_rate_hz)
        - _low_pass(rate_deg_s, p.burst_low_hz, sampling_rate_hz)
    )[inside]
    # Tipping sideways is turning about the forward axis; falling forward is what bending looks like.
    at = int(np.argmax(np.abs(quick[:, 0])))
    peak = float(quick[at, 0])
    leak = math.radians(yaw_sd_deg) * float(np.max(np.abs(quick[:, 1])))
    direction = FallDirection.RIGHT if peak > 0.0 else FallDirection.LEFT
    return Burst(Measured(abs(peak), math.hypot(p.rate_sd_deg_s, leak)), direction)


def smoothness(
    speed_deg_s: FloatArray, sampling_rate_hz: float, parameters: SteadinessParameters | None = None
) -> Figure:
    """Spectral arc length of a speed profile (SPARC, Balasubramanian et al. 2015): nearer to 0 is smoother.

    Parameters
    ----------
    speed_deg_s
        Speed of one movement from rest to rest, degrees/s, shape (n,).
    sampling_rate_hz
        Its rate.
    parameters
        Constants.
    """
    p = parameters or SteadinessParameters()
    if len(speed_deg_s) < 8 or not float(np.max(np.abs(speed_deg_s))) > 0.0:
        return Unmeasured("there is no movement whose smoothness could be told")
    length = 2 ** (math.ceil(math.log2(len(speed_deg_s))) + p.smoothness_padding)
    spectrum = np.abs(np.fft.rfft(speed_deg_s, length))
    frequency = np.fft.rfftfreq(length, 1.0 / sampling_rate_hz)
    spectrum = spectrum / spectrum[0] if spectrum[0] > 0.0 else spectrum
    wanted = frequency <= p.smoothness_cutoff_hz
    spectrum, frequency = spectrum[wanted], frequency[wanted]
    last = int(np.flatnonzero(spectrum >= p.smoothness_level)[-1])
    if last < 1:
        return Unmeasured("there is no movement whose smoothness could be told")
    steps = np.diff(frequency[: last + 1]) / (frequency[last] - frequency[0])
    arc = -float(np.sum(np.hypot(steps, np.diff(spectrum[: last + 1]))))
    return Measured(arc, p.smoothness_sd)


def _low_pass(values: FloatArray, cutoff_hz: float, sampling_rate_hz: float) -> FloatArray:
    return low_pass_zero_phase(values, min(cutoff_hz, 0.4 * sampling_rate_hz), sampling_rate_hz)
