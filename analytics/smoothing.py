"""Filters without delay, for finished stretches only: they look ahead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.signal import butter, sosfiltfilt

if TYPE_CHECKING:
    from analytics.imu import FloatArray


def filter_without_delay(
    values: FloatArray,
    cutoff_hz: float,
    sampling_rate_hz: float,
    *,
    kind: Literal["lowpass", "highpass"] = "lowpass",
) -> FloatArray:
    """Second-order Butterworth, forward and backward.

    Parameters
    ----------
    values
        Finite samples along the first axis, shape (n,) or (n, k).
    cutoff_hz
        -3 dB frequency of one pass; held below 0.4 of the sampling rate.
    sampling_rate_hz
        Rate of the samples.
    kind
        ``lowpass`` or ``highpass``.

    Returns
    -------
    FloatArray
        Same shape and unit as ``values``.
    """
    sos = butter(2, min(cutoff_hz, 0.4 * sampling_rate_hz), kind, fs=sampling_rate_hz, output="sos")
    # Long enough for a slow filter to settle, never longer than the data allow.
    pad = min(len(values) - 1, round(sampling_rate_hz / cutoff_hz))
    return np.asarray(sosfiltfilt(sos, values, axis=0, padlen=max(pad, 0)), dtype=np.float64)
