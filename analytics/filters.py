"""Streaming and zero-phase low-pass filters."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import butter, sosfilt, sosfilt_zi

if TYPE_CHECKING:
    from types import ModuleType

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
        self._sos, settled = _butterworth(cutoff_hz, sampling_rate_hz)
        self._state = settled[:, :, np.newaxis] * start[np.newaxis, np.newaxis, :]

    def push(self, samples: FloatArray) -> FloatArray:
        """Filter the next samples, shape (n, channels)."""
        if len(samples) == 0:
            return samples.copy()
        filtered, self._state = sosfilt(self._sos, samples, axis=0, zi=self._state)
        return np.asarray(filtered, dtype=np.float64)


def low_pass_zero_phase(samples: FloatArray, cutoff_hz: float, sampling_rate_hz: float) -> FloatArray:
    """Filter finished samples forward and backward (second order each way), shape (n,) or (n, channels).

    What :func:`scipy.signal.sosfiltfilt` does with odd padding, at a hundredth of its cost for the thousand
    samples of a repetition: filters are designed once, and run compiled.
    """
    pad = max(0, min(len(samples) - 1, round(sampling_rate_hz / cutoff_hz)))
    return _both_ways(_butterworth(cutoff_hz, sampling_rate_hz), samples, pad)


def band_pass_zero_phase(
    samples: FloatArray, band_hz: tuple[float, float], sampling_rate_hz: float
) -> FloatArray:
    """Keep a band of finished samples, forward and backward (second order each way), shape (n, ...)."""
    # As much padding as :func:`scipy.signal.sosfiltfilt` takes for two sections.
    return _both_ways(_band_pass(band_hz, sampling_rate_hz), samples, min(len(samples) - 1, 15))


def _both_ways(design: tuple[FloatArray, FloatArray], samples: FloatArray, pad: int) -> FloatArray:
    filtered = np.empty(samples.shape)
    if len(samples):
        columns = samples.reshape(len(samples), -1)
        _filter_steps().filter_both_ways(*design, columns, pad, filtered.reshape(len(samples), -1))
    return filtered


@cache
def _filter_steps() -> ModuleType:
    from analytics import filter_steps  # noqa: PLC0415 - numba takes half a second

    return filter_steps


@lru_cache(maxsize=16)
def _band_pass(band_hz: tuple[float, float], sampling_rate_hz: float) -> tuple[FloatArray, FloatArray]:
    """Second-order band-pass as sections, shape (2, 6), and their states after a long 1, shape (2, 2)."""
    sos = butter(2, band_hz, btype="bandpass", fs=sampling_rate_hz, output="sos")
    return sos, sosfilt_zi(sos)


@lru_cache(maxsize=64)
def _butterworth(cutoff_hz: float, sampling_rate_hz: float) -> tuple[FloatArray, FloatArray]:
    """Second-order low-pass as one section, shape (1, 6), and its state after a long 1, shape (1, 2)."""
    sos = butter(2, cutoff_hz, fs=sampling_rate_hz, output="sos")
    return sos, sosfilt_zi(sos)
