"""What every sensor family's payloads become: runs of numbered, timed samples in the sensor's own units."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.imu import FloatArray

_US_PER_S = 1e6
_NS_PER_US = 1_000


@dataclass(frozen=True, slots=True)
class StreamTraits:
    """What a stream lacks, if anything.

    Parameters
    ----------
    has_gyroscope
        False where only accelerations come; the angular rates are then zero and mean nothing.
    has_clock
        False where the sensor sends no time: its samples are *arrival-timed*, by when they came.
    shows_loss
        False where neither a number nor a time tells that samples are missing.
    """

    has_gyroscope: bool = True
    has_clock: bool = True
    shows_loss: bool = True

    def lacks(self) -> tuple[str, ...]:
        """Say what is missing, each in words that follow "the sensor"."""
        words = []
        if not self.has_clock and not self.shows_loss:
            words.append("sends neither time nor number: timed by arrival, lost samples cannot be counted")
        elif not self.has_clock:
            words.append("sends no time: its samples are timed by their arrival")
        if not self.has_gyroscope:
            words.append("has no gyroscope: only accelerations came")
        return tuple(words)


COMPLETE: Final = StreamTraits()
ARRIVAL_TIMED: Final = StreamTraits(has_clock=False, shows_loss=False)


@dataclass(frozen=True, slots=True)
class SampleScale:
    """What the numbers of a stream stand for.

    Parameters
    ----------
    acc_unit_m_s2, gyr_unit_rad_s, acc_limit, gyr_limit
        As in `SampleRun`.
    """

    acc_unit_m_s2: float
    gyr_unit_rad_s: float
    acc_limit: float = math.inf
    gyr_limit: float = math.inf


@dataclass(frozen=True, slots=True, eq=False)
class SampleRun:
    """Consecutive samples of one stream.

    Parameters
    ----------
    stream_id
        Names the stream, 1 to 65535; a new one whenever the index starts anew.
    first_sample_index
        Number of the first sample since the start of the stream.
    device_time_us
        Time of the FIRST sample, µs: the sensor's own clock, or UTC where it is arrival-timed.
    sampling_rate_hz
        Nominal rate.
    values
        Shape (n, 6): ax ay az gx gy gz, sensor_frame, in the units below.
    acc_unit_m_s2, gyr_unit_rad_s
        What 1 stands for in `values`, m/s² and rad/s.
    acc_limit, gyr_limit
        A value this large stands at the end of its range; infinite where the range is not known.
    traits
        What the stream lacks.
    """

    stream_id: int
    first_sample_index: int
    device_time_us: int
    sampling_rate_hz: float
    values: NDArray[np.int16] | FloatArray
    acc_unit_m_s2: float
    gyr_unit_rad_s: float
    acc_limit: float = math.inf
    gyr_limit: float = math.inf
    traits: StreamTraits = COMPLETE

    @property
    def n_samples(self) -> int:
        """How many samples."""
        return len(self.values)

    @property
    def acc_m_s2(self) -> FloatArray:
        """Specific force, shape (n, 3), m/s², sensor_frame."""
        return np.asarray(self.values[:, :3] * self.acc_unit_m_s2, dtype=np.float64)

    @property
    def gyr_rad_s(self) -> FloatArray:
        """Angular rate, shape (n, 3), rad/s, sensor_frame."""
        return np.asarray(self.values[:, 3:] * self.gyr_unit_rad_s, dtype=np.float64)

    @property
    def is_clipped(self) -> NDArray[np.bool_]:
        """Whether a sample has an axis at the end of its range, shape (n,)."""
        size = np.abs(self.values.astype(np.float64))
        return np.asarray(
            (size[:, :3] >= self.acc_limit).any(axis=1) | (size[:, 3:] >= self.gyr_limit).any(axis=1)
        )


@dataclass(frozen=True, slots=True, eq=False)
class ArrivedRun:
    """A run of samples, from whom and when it came.

    Parameters
    ----------
    sensor_id
        Name of the sensor in the configuration.
    arrival_ns
        When the host got the last of it, UTC ns.
    run
        The samples.
    """

    sensor_id: str
    arrival_ns: int
    run: SampleRun

    @property
    def length_us(self) -> float:
        """Time its samples take, µs."""
        return self.run.n_samples * _US_PER_S / self.run.sampling_rate_hz

    @property
    def newest_us(self) -> float:
        """Time of its last sample on the sensor's clock, µs."""
        return self.run.device_time_us + self.length_us - _US_PER_S / self.run.sampling_rate_hz

    @property
    def transit_us(self) -> float:
        """Arrival minus time of the last sample, on two clocks of unknown offset, µs."""
        return self.arrival_ns / _NS_PER_US - self.newest_us
