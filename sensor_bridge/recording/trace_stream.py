"""A trace as the blocks a live session would have made, on the trace's own ``t``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analytics.imu import NANOSECONDS_PER_SECOND, FloatArray, ImuBlock, Placement
from analytics.timebase import GridResampler
from firmware_protocol.ranges import FULL_SCALE_LSB, AccelRange, GyroRange
from sensor_bridge.recording import trace_checks as checks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.timebase import IntArray
    from sensor_bridge.recording.trace import SensorTrace, Trace

CHUNK_S = 0.5


@dataclass(frozen=True, slots=True)
class DataQuality:
    """What a recording lost.

    Parameters
    ----------
    gaps, lost_s
        Holes and the time missing in them, over all sensors, s.
    clipped_samples
        Samples at the end of a sensor's range.
    warnings
        What the reader has to know, one line each.
    """

    gaps: int
    lost_s: float
    clipped_samples: int
    warnings: tuple[str, ...]


class TraceStream:
    """Blocks of all sensors of a trace, in the order of time, on one grid.

    The grid has the nominal rate of the reference sensor (the pelvis, else the first) and begins at its
    first sample, as in a live session; a trace that lies on that grid passes through bit-identically.

    Parameters
    ----------
    trace
        What :func:`sensor_bridge.recording.trace.read_trace` returned.

    Attributes
    ----------
    sampling_rate_hz
        Rate of the grid.
    start_ns, end_ns
        First point of the grid within the recording, and time of its last row, integer ns of ``t``.
    """

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        times_ns = np.rint(trace.t_s * NANOSECONDS_PER_SECOND).astype(np.int64)
        reference = Placement.PELVIS if Placement.PELVIS in trace.sensors else next(iter(trace.sensors))
        present = {placement: sensor.has_sample for placement, sensor in trace.sensors.items()}
        rate_hz = checks.nominal_rate_hz(checks.measured_rate_hz(trace.t_s[present[reference]]))
        origin_ns = int(times_ns[present[reference]][0])
        self.sampling_rate_hz = rate_hz
        before = math.floor((origin_ns - int(times_ns[0])) * rate_hz / NANOSECONDS_PER_SECOND + 0.01)
        self.start_ns = origin_ns - round(before * NANOSECONDS_PER_SECOND / rate_hz)
        self.end_ns = int(times_ns[-1])
        self._times_ns: dict[Placement, IntArray] = {}
        self._resamplers: dict[Placement, GridResampler] = {}
        for placement, sensor in trace.sensors.items():
            self._times_ns[placement] = times_ns[present[placement]]
            self._resamplers[placement] = GridResampler(
                placement,
                rate_hz,
                source_rate_hz=checks.measured_rate_hz(trace.t_s[present[placement]]),
                origin_ns=origin_ns,
                has_gyroscope=sensor.gyr_rad_s is not None,
            )

    def blocks(self) -> Iterator[ImuBlock]:
        """Yield the blocks; to be run through once."""
        chunk_ns = int(CHUNK_S * NANOSECONDS_PER_SECOND)
        first_ns = min(int(times[0]) for times in self._times_ns.values())
        last_ns = max(int(times[-1]) for times in self._times_ns.values())
        samples = {placement: _samples(sensor) for placement, sensor in self._trace.sensors.items()}
        done = dict.fromkeys(samples, 0)
        for end_ns in range(first_ns + chunk_ns, last_ns + chunk_ns + 1, chunk_ns):
            for placement, (acc, gyr) in samples.items():
                times = self._times_ns[placement]
                start, stop = done[placement], int(np.searchsorted(times, end_ns))
                if stop > start:
                    chunk = slice(start, stop)
                    yield from self._resamplers[placement].push(times[chunk], acc[chunk], gyr[chunk])
                    done[placement] = stop
        for resampler in self._resamplers.values():
            yield from resampler.flush()

    def quality(self) -> DataQuality:
        """Tell what was lost, once all blocks are out."""
        resamplers = self._resamplers.values()
        return DataQuality(
            gaps=sum(resampler.n_gaps for resampler in resamplers),
            lost_s=sum(resampler.lost_s for resampler in resamplers),
            clipped_samples=sum(_n_clipped(sensor) for sensor in self._trace.sensors.values()),
            warnings=self._trace.warnings,
        )


def _samples(sensor: SensorTrace) -> tuple[FloatArray, FloatArray]:
    present = sensor.has_sample
    acc = sensor.acc_m_s2[present]
    gyr = np.zeros_like(acc) if sensor.gyr_rad_s is None else sensor.gyr_rad_s[present]
    return acc, gyr


def _n_clipped(sensor: SensorTrace) -> int:
    acc, gyr = _samples(sensor)
    n = checks.count_clipped(acc, [r.m_s2_per_lsb * FULL_SCALE_LSB for r in AccelRange])
    return n + checks.count_clipped(gyr, [r.rad_s_per_lsb * FULL_SCALE_LSB for r in GyroRange])
