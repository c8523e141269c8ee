"""Streaming and zero-phase low-pass filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import butter, sosfilt, sosfilt_zi, sosfiltfilt

if TYPE_CHECKING:
    from analytics.imu import FloatArray


class CausalLowPass:
    """Second-order Butterworth that carries its state from block to block.

    Parameters
    ----------
    cutoff_hz
        Lower: smoother and later (about ``0.22 / cutoff_hz`` s of delay).
    sampling_rate_hz
        Rate of the samples.
    start
        Value taken to have held for ever before the first sample, shape (channels,).
    """

    def __init__(self, cutoff_hz: float, sampling_rate_hz: float, start: FloatArray) -> None:
        self._sos = butter(2, cutoff_hz, fs=sampling_rate_hz, output="sos")
        self._state = sosfilt_zi(self._sos)[:, :, np.newaxis] * start[np.newaxis, np.newaxis, :]

    def push(self, samples: FloatArray) -> FloatArray:
        """Filter the next samples, shape (n, channels)."""
        if len(samples) == 0:
            return samples.copy()
        filtered, self._state = sosfilt(self._sos, samples, axis=0, zi=self._state)
        return np.asarray(filtered, dtype=np.float64)


def low_pass_zero_phase(samples: FloatArray, cutoff_hz: float, sampling_rate_hz: float) -> FloatArray:
    """Filter finished samples forward and backward (second order each way), shape (n,) or (n, channels)."""
    sos = butter(2, cutoff_hz, fs=sampling_rate_hz, output="sos")
    pad = min(len(samples) - 1, round(sampling_rate_hz / cutoff_hz))
    return np.asarray(sosfiltfilt(sos, samples, axis=0, padlen=max(pad, 0)), dtype=np.float64)
