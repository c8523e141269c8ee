"""Filters and noise in the frequency domain: exact zero phase, any length, no start-up transient."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]


def butterworth_gain(frequency_hz: FloatArray, cutoff_hz: float, rate_hz: float) -> FloatArray:
    """Gain of a 2nd-order digital Butterworth low-pass run forward and backward.

    Forward-backward filtering multiplies the spectrum by ``|H|²``; with the bilinear transform
    ``|H|² = 1 / (1 + (tan(π f / fs) / tan(π fc / fs))⁴)``.

    Parameters
    ----------
    frequency_hz
        Frequencies, shape (m,), Hz, none above ``rate_hz / 2``.
    cutoff_hz
        Frequency where one pass is at -3 dB (both passes: -6 dB), Hz.
    rate_hz
        Sampling rate, Hz.

    Returns
    -------
    FloatArray
        Gains in 0 ... 1, shape (m,).
    """
    ratio = np.tan(np.pi * np.minimum(frequency_hz / rate_hz, 0.4999)) / np.tan(np.pi * cutoff_hz / rate_hz)
    return np.asarray(1.0 / (1.0 + ratio**4), dtype=np.float64)


def low_pass(values: FloatArray, cutoff_hz: float, rate_hz: float) -> FloatArray:
    """Low-pass without delay: 2nd-order Butterworth, forward and backward, along the first axis.

    Parameters
    ----------
    values
        Shape (n,) or (n, m), evenly sampled.
    cutoff_hz, rate_hz
        Cut-off of one pass and sampling rate, Hz.

    Returns
    -------
    FloatArray
        Same shape as ``values``.
    """
    n = len(values)
    pad = min(n - 1, int(3.0 * rate_hz / cutoff_hz))
    # A point reflection at both ends keeps value and slope continuous, so the ends are not dragged to zero.
    head = 2.0 * values[:1] - values[pad:0:-1]
    tail = 2.0 * values[-1:] - values[-2 : -pad - 2 : -1]
    padded = np.concatenate([head, values, tail])
    spectrum = np.fft.rfft(padded, axis=0)
    frequency_hz = np.asarray(np.fft.rfftfreq(len(padded), 1.0 / rate_hz), dtype=np.float64)
    gain = butterworth_gain(frequency_hz, cutoff_hz, rate_hz)
    spectrum *= gain.reshape((-1,) + (1,) * (values.ndim - 1))
    return np.asarray(np.fft.irfft(spectrum, len(padded), axis=0)[pad : pad + n], dtype=np.float64)


def band_noise(
    generator: np.random.Generator,
    count: int,
    rate_hz: float,
    low_hz: float,
    high_hz: float,
    slope: float = 0.0,
) -> FloatArray:
    """Gaussian noise of unit standard deviation inside one band.

    Parameters
    ----------
    generator
        Where the randomness comes from.
    count
        Number of samples.
    rate_hz
        Sampling rate, Hz.
    low_hz, high_hz
        Edges of the band, Hz; both roll off smoothly.
    slope
        The amplitude falls with ``frequency ** -slope`` (postural sway: about 1).

    Returns
    -------
    FloatArray
        Shape (count,), mean 0, standard deviation 1 (of the process, not of this piece).
    """
    # Twice the length, half of it thrown away: otherwise the end would wrap round to the start.
    total = 2 * count
    frequency_hz = np.fft.rfftfreq(total, 1.0 / rate_hz)
    safe_hz = np.maximum(frequency_hz, rate_hz / total)
    shape = safe_hz**-slope / np.sqrt(1.0 + (low_hz / safe_hz) ** 8) / np.sqrt(1.0 + (safe_hz / high_hz) ** 8)
    shape[0] = 0.0
    noise = np.fft.irfft(np.fft.rfft(generator.standard_normal(total)) * shape, total)[:count]
    power = np.sum(shape**2) * 2.0 / total
    return np.asarray(noise / np.sqrt(power), dtype=np.float64)


def resonant_displacement(
    acceleration_m_s2: FloatArray, rate_hz: float, resonance_hz: float, damping: float
) -> FloatArray:
    """Displacement of a mass on a damped spring whose anchor is accelerated.

    Solves ``x'' + 2 ζ ω₀ x' + ω₀² x = -a`` in the frequency domain: the skin under a clipped sensor.

    Parameters
    ----------
    acceleration_m_s2
        Acceleration of the anchor, shape (n, 3), m/s².
    rate_hz
        Sampling rate, Hz.
    resonance_hz, damping
        Natural frequency, Hz, and damping ratio of the spring.

    Returns
    -------
    FloatArray
        Displacement relative to the anchor, shape (n, 3), m.
    """
    n = len(acceleration_m_s2)
    total = n + int(2.0 * rate_hz)
    omega = 2.0 * np.pi * np.fft.rfftfreq(total, 1.0 / rate_hz)[:, None]
    natural = 2.0 * np.pi * resonance_hz
    transfer = -1.0 / (natural**2 - omega**2 + 2j * damping * natural * omega)
    spectrum = np.fft.rfft(acceleration_m_s2, total, axis=0)
    return np.asarray(np.fft.irfft(spectrum * transfer, total, axis=0)[:n], dtype=np.float64)
