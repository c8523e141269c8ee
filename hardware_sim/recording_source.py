"""What a virtual sensor plays: counts with the sensor's own time stamps, simulated or recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.packets import AccelRange, GyroRange, SamplingRate
from hardware_sim.errors import RecordingSourceError

if TYPE_CHECKING:
    from hardware_sim.spectral import FloatArray

IntArray: TypeAlias = NDArray[np.int64]
CountArray: TypeAlias = NDArray[np.int16]

_LARGEST_COUNT = 32767


class InCounts:
    """What was sampled, in counts of the ranges; seen in SI units."""

    __slots__ = ()

    accel_range: AccelRange
    gyro_range: GyroRange
    counts: CountArray

    @property
    def acc_m_s2(self) -> FloatArray:
        """Specific force, shape (n, 3), m/s², sensor_frame."""
        return np.asarray(self.counts[:, :3] * self.accel_range.m_s2_per_lsb, dtype=np.float64)

    @property
    def gyr_rad_s(self) -> FloatArray:
        """Angular rate, shape (n, 3), rad/s, sensor_frame."""
        return np.asarray(self.counts[:, 3:] * self.gyro_range.rad_s_per_lsb, dtype=np.float64)

    @property
    def clipped(self) -> NDArray[np.bool_]:
        """True where an axis stands at its full scale, shape (n,)."""
        at_the_end = (self.counts >= _LARGEST_COUNT) | (self.counts <= -_LARGEST_COUNT - 1)
        return np.asarray(np.any(at_the_end, axis=1))


@dataclass(frozen=True, slots=True, eq=False)
class SampleSource(InCounts):
    """Samples one virtual sensor will send, in order.

    Parameters
    ----------
    sensor_id
        Name of the sensor, unique in a recording.
    placement, mount
        Where it is worn, words of FORMATS.
    rate
        Nominal sampling rate.
    accel_range, gyro_range
        Full scales the counts refer to.
    device_time_us
        The sensor's own clock at each sample, shape (n,), int64, µs, increasing. A jump of more than 1.5
        sample periods is lost data.
    counts
        ax ay az gx gy gz, shape (n, 6), int16, sensor_frame.
    true_time_s
        True time of each sample, shape (n,), s, increasing: where the sensor's clock runs fast or slow.
        None where that clock is exact.

    Raises
    ------
    RecordingSourceError
        Shapes that do not fit, no sample at all, or time that does not increase.
    """

    sensor_id: str
    placement: str
    mount: str
    rate: SamplingRate
    accel_range: AccelRange
    gyro_range: GyroRange
    device_time_us: IntArray
    counts: CountArray
    true_time_s: FloatArray | None = None

    def __post_init__(self) -> None:
        times = np.array(self.device_time_us, dtype=np.int64)
        counts = np.array(self.counts, dtype=np.int16, order="C")
        if counts.ndim != 2 or counts.shape != (len(times), 6):
            raise RecordingSourceError(
                f"{self.sensor_id}: counts must have shape ({len(times)}, 6), not {counts.shape}"
            )
        if len(times) == 0:
            raise RecordingSourceError(f"{self.sensor_id}: no sample to play; leave this sensor out")
        if times[0] < 0 or np.any(np.diff(times) <= 0):
            raise RecordingSourceError(f"{self.sensor_id}: device times must increase, from 0 on; sort them")
        for name, values in (("device_time_us", times), ("counts", counts)):
            values.flags.writeable = False
            object.__setattr__(self, name, values)
        if self.true_time_s is not None and (
            self.true_time_s.shape != times.shape or np.any(np.diff(self.true_time_s) <= 0.0)
        ):
            raise RecordingSourceError(f"{self.sensor_id}: {len(times)} true times must increase; sort them")

    def __len__(self) -> int:
        return len(self.device_time_us)

    @property
    def elapsed_s(self) -> FloatArray:
        """True time from the first sample to each, shape (n,), s."""
        time_s = self.device_time_us / 1e6 if self.true_time_s is None else self.true_time_s
        return np.asarray(time_s - time_s[0], dtype=np.float64)


def to_counts(values: FloatArray, unit_per_lsb: float) -> CountArray:
    """Round to the nearest count; what lies beyond the full scale stops there."""
    return np.clip(np.rint(values / unit_per_lsb), -_LARGEST_COUNT - 1, _LARGEST_COUNT).astype(np.int16)


def smallest_accel_range(acc_m_s2: FloatArray) -> AccelRange:
    """Smallest accelerometer range that does not clip these values (the largest one if all do)."""
    peak = float(np.max(np.abs(acc_m_s2)))
    return next((r for r in AccelRange if peak < (_LARGEST_COUNT - 1) * r.m_s2_per_lsb), AccelRange.G16)


def smallest_gyro_range(gyr_rad_s: FloatArray) -> GyroRange:
    """Smallest gyroscope range that does not clip these values (the largest one if all do)."""
    peak = float(np.max(np.abs(gyr_rad_s)))
    return next((r for r in GyroRange if peak < (_LARGEST_COUNT - 1) * r.rad_s_per_lsb), GyroRange.DPS2000)


def nearest_rate(rate_hz: float) -> SamplingRate:
    """Choose the sampling rate a sensor offers that lies nearest.

    Raises
    ------
    RecordingSourceError
        No offered rate within 10 %: sample indices and time stamps would not fit together.
    """
    rate = min(SamplingRate, key=lambda r: abs(r.hz - rate_hz))
    if not abs(rate.hz - rate_hz) <= 0.1 * rate.hz:
        offered = ", ".join(f"{r.hz:g}" for r in SamplingRate)
        raise RecordingSourceError(f"no sensor samples at {rate_hz:g} Hz; resample it to one of {offered} Hz")
    return rate


def from_si(
    sensor_id: str,
    placement: str,
    mount: str,
    time_s: FloatArray,
    acc_m_s2: FloatArray,
    gyr_rad_s: FloatArray,
    *,
    rate_hz: float | None = None,
) -> SampleSource:
    """Turn a recording in SI units into what a virtual sensor plays, in the smallest ranges that do not clip.

    Parameters
    ----------
    sensor_id, placement, mount
        As in `SampleSource`.
    time_s
        Times of the samples, shape (n,), s, increasing; becomes the sensor's own clock, first sample at
        ``time_s[0]`` (times below 0 are not possible).
    acc_m_s2, gyr_rad_s
        Shape (n, 3), sensor_frame. A row with a value that is not finite is no sample and is left out.
    rate_hz
        Nominal rate; without it the median distance of the samples decides.

    Returns
    -------
    SampleSource
        Ready to be played.

    Raises
    ------
    RecordingSourceError
        Shapes that do not fit, no finite sample, time that does not increase, or a rate no sensor has.
    """
    if not acc_m_s2.shape == gyr_rad_s.shape == (len(time_s), 3):
        raise RecordingSourceError(
            f"{sensor_id}: {len(time_s)} times, accelerations {acc_m_s2.shape}, rates {gyr_rad_s.shape}; "
            f"both must be ({len(time_s)}, 3)"
        )
    there = (
        np.isfinite(time_s) & np.all(np.isfinite(acc_m_s2), axis=1) & np.all(np.isfinite(gyr_rad_s), axis=1)
    )
    if np.count_nonzero(there) < 2:
        raise RecordingSourceError(f"{sensor_id}: fewer than two finite samples; leave this sensor out")
    times, acc, gyr = time_s[there], acc_m_s2[there], gyr_rad_s[there]
    period_s = float(np.median(np.diff(times)))
    if period_s <= 0.0:
        raise RecordingSourceError(f"{sensor_id}: time must increase; sort the recording")
    accel_range, gyro_range = smallest_accel_range(acc), smallest_gyro_range(gyr)
    return SampleSource(
        sensor_id=sensor_id,
        placement=placement,
        mount=mount,
        rate=nearest_rate(1.0 / period_s if rate_hz is None else rate_hz),
        accel_range=accel_range,
        gyro_range=gyro_range,
        device_time_us=np.rint(times * 1e6).astype(np.int64),
        counts=np.column_stack(
            [to_counts(acc, accel_range.m_s2_per_lsb), to_counts(gyr, gyro_range.rad_s_per_lsb)]
        ),
    )
