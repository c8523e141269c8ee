"""Several sensors on one grid: waits for the slower ones, fills short holes, counts what came too late."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from analytics.errors import MixedSamplingRates
from analytics.imu import NANOSECONDS_PER_SECOND, FloatArray, Placement
from analytics.quaternions import normalized

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from analytics.orientation import OrientationBlock


@dataclass(frozen=True, slots=True)
class AlignmentParameters:
    """Settings of the alignment.

    Parameters
    ----------
    wait_s
        A placement whose samples stay this far behind the newest of the others is no longer waited for,
        in time of the data.
    margin_s
        While a placement is missing, samples leave this much later than they came: where it comes back with
        packets of up to half of this, none of them is late.
    longest_bridge_s
        Holes up to this length are filled along a straight line and marked as not measured.
    """

    wait_s: float = 2.0
    margin_s: float = 0.5
    longest_bridge_s: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class SegmentSamples:
    """What one sensor contributes to a stretch of the grid; NaN where it has nothing.

    Parameters
    ----------
    earth_from_sensor_wxyz
        Shape (n, 4).
    acc_m_s2, gyr_rad_s, bias_rad_s
        Shape (n, 3), sensor_frame.
    bias_sigma_rad_s
        Shape (n,).
    is_present
        True where there is a sample, received or bridged, shape (n,).
    is_received
        True where a sample was received: what may be filtered anew, shape (n,).
    is_measured
        True where it was received and the filter has settled, shape (n,).
    has_gyroscope
        True where angular rates were recorded, shape (n,).
    """

    earth_from_sensor_wxyz: FloatArray
    acc_m_s2: FloatArray
    gyr_rad_s: FloatArray
    bias_rad_s: FloatArray
    bias_sigma_rad_s: FloatArray
    is_present: NDArray[np.bool_]
    is_received: NDArray[np.bool_]
    is_measured: NDArray[np.bool_]
    has_gyroscope: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.acc_m_s2)

    def cut(self, start: int, end: int) -> SegmentSamples:
        """Return samples ``start`` to ``end``."""
        return SegmentSamples(*(getattr(self, field.name)[start:end] for field in fields(self)))

    @staticmethod
    def joined(parts: Iterable[SegmentSamples]) -> SegmentSamples:
        """Return the samples of all parts, one after another."""
        kept = list(parts)
        names = [field.name for field in fields(SegmentSamples)]
        return SegmentSamples(*(np.concatenate([getattr(part, name) for part in kept]) for name in names))

    @staticmethod
    def absent(n: int) -> SegmentSamples:
        """Return a stretch without samples."""
        nothing = np.zeros(n, dtype=np.bool_)
        vectors = np.full((n, 3), np.nan)
        return SegmentSamples(
            earth_from_sensor_wxyz=np.full((n, 4), np.nan),
            acc_m_s2=vectors,
            gyr_rad_s=vectors,
            bias_rad_s=vectors,
            bias_sigma_rad_s=np.full(n, np.nan),
            is_present=nothing,
            is_received=nothing,
            is_measured=nothing,
            has_gyroscope=nothing,
        )


@dataclass(frozen=True, slots=True, eq=False)
class AlignedBlock:
    """All worn sensors on one stretch of the common grid.

    Parameters
    ----------
    anchor_ns
        Time of grid point 0.
    first_index
        Grid point of the first sample.
    sampling_rate_hz
        Rate of the grid.
    gap_before_s
        0.0 where the block continues the previous one, else the length of the hole in all sensors, s.
    segments
        Samples by placement, all of one length.
    """

    anchor_ns: int
    first_index: int
    sampling_rate_hz: float
    gap_before_s: float
    segments: Mapping[Placement, SegmentSamples]

    def __len__(self) -> int:
        return len(next(iter(self.segments.values())))

    @property
    def end_index(self) -> int:
        """Grid point after the last sample."""
        return self.first_index + len(self)

    def time_ns(self, index: int) -> int:
        """Time of a grid point, integer nanoseconds."""
        return self.anchor_ns + round(index * NANOSECONDS_PER_SECOND / self.sampling_rate_hz)

    def cut(self, start_index: int, end_index: int) -> AlignedBlock:
        """Return grid points ``start_index`` to ``end_index``."""
        start, end = start_index - self.first_index, end_index - self.first_index
        return AlignedBlock(
            anchor_ns=self.anchor_ns,
            first_index=start_index,
            sampling_rate_hz=self.sampling_rate_hz,
            gap_before_s=self.gap_before_s if start == 0 else 0.0,
            segments={placement: samples.cut(start, end) for placement, samples in self.segments.items()},
        )


@dataclass(slots=True)
class _Queue:
    """Samples of one placement that have not left yet."""

    parts: deque[tuple[int, SegmentSamples]]
    end_ns: int | None = None
    input_end_ns: int | None = None
    last: SegmentSamples | None = None


class PlacementAlignment:
    """Puts the worn placements side by side.

    Samples leave as soon as every placement that is not too far behind has delivered them. The sensors must
    share one grid; times that are off it are put to the nearest point.

    Parameters
    ----------
    placements
        The placements worn; the first that delivers, in this order, sets the grid.
    parameters
        Settings.

    Attributes
    ----------
    late_samples
        Samples that arrived after their place had left, by placement.
    bridged_samples
        Samples filled in, by placement.
    """

    def __init__(
        self, placements: Iterable[Placement], parameters: AlignmentParameters | None = None
    ) -> None:
        self._parameters = parameters or AlignmentParameters()
        self._queues = {placement: _Queue(deque()) for placement in placements}
        self._rate_hz: float | None = None
        self._anchor_ns: int | None = None
        self._first_input_ns: int | None = None
        self._next_index: int | None = None
        self.late_samples = dict.fromkeys(self._queues, 0)
        self.bridged_samples = dict.fromkeys(self._queues, 0)

    def note_input(self, placement: Placement, start_ns: int, end_ns: int) -> None:
        """Tell that raw samples up to ``end_ns`` are on their way: their sensor is alive."""
        queue = self._queues[placement]
        queue.input_end_ns = end_ns
        if self._first_input_ns is None or start_ns < self._first_input_ns:
            self._first_input_ns = start_ns

    def push(self, block: OrientationBlock) -> None:
        """Take the next samples of one placement.

        Raises
        ------
        MixedSamplingRates
            The placements do not share one rate.
        """
        if self._rate_hz is None:
            self._rate_hz = block.sampling_rate_hz
        if block.sampling_rate_hz != self._rate_hz:
            raise MixedSamplingRates(block.placement, block.sampling_rate_hz, self._rate_hz)
        queue = self._queues[block.placement]
        samples = _as_samples(block)
        if queue.end_ns is not None and queue.last is not None:
            missing = round((block.start_time_ns - queue.end_ns) * self._rate_hz / NANOSECONDS_PER_SECOND)
            if 0 < missing <= round(self._parameters.longest_bridge_s * self._rate_hz):
                queue.parts.append((queue.end_ns, _bridge(queue.last, samples, missing)))
                self.bridged_samples[block.placement] += missing
        queue.parts.append((block.start_time_ns, samples))
        queue.last = samples.cut(len(samples) - 1, len(samples))
        queue.end_ns = block.start_time_ns + round(len(block) * NANOSECONDS_PER_SECOND / self._rate_hz)

    def pop(self) -> list[AlignedBlock]:
        """Return what is complete."""
        if self._rate_hz is None:
            return []
        waited_for = [queue for queue in self._queues.values() if not self._is_behind(queue)]
        ends = [queue.end_ns for queue in waited_for if queue.end_ns is not None]
        if len(ends) < len(waited_for):
            return []
        if len(waited_for) < len(self._queues):
            assert self.newest_input_ns is not None
            ends.append(self.newest_input_ns - round(self._parameters.margin_s * NANOSECONDS_PER_SECOND))
        return self._release(min(ends, default=None))

    def flush(self) -> list[AlignedBlock]:
        """End of the recording: return everything."""
        return self._release(
            max((queue.end_ns for queue in self._queues.values() if queue.end_ns), default=None)
        )

    @property
    def newest_input_ns(self) -> int | None:
        """End of the newest samples that any sensor has delivered; None before the first."""
        ends = [queue.input_end_ns for queue in self._queues.values() if queue.input_end_ns is not None]
        return max(ends, default=None)

    def _is_behind(self, queue: _Queue) -> bool:
        assert self._first_input_ns is not None
        own = self._first_input_ns if queue.input_end_ns is None else queue.input_end_ns
        assert self.newest_input_ns is not None
        return self.newest_input_ns - own > self._parameters.wait_s * NANOSECONDS_PER_SECOND

    def _index(self, time_ns: int) -> int:
        assert self._anchor_ns is not None
        assert self._rate_hz is not None
        return round((time_ns - self._anchor_ns) * self._rate_hz / NANOSECONDS_PER_SECOND)

    def _release(self, until_ns: int | None) -> list[AlignedBlock]:
        waiting = [queue for queue in self._queues.values() if queue.parts]
        if until_ns is None or not waiting:
            return []
        if self._anchor_ns is None:
            self._anchor_ns = waiting[0].parts[0][0]
            self._next_index = min(self._index(queue.parts[0][0]) for queue in waiting)
        assert self._next_index is not None
        assert self._rate_hz is not None
        until = self._index(until_ns)
        blocks: list[AlignedBlock] = []
        while self._next_index < until:
            self._drop_late()
            starts = [self._index(queue.parts[0][0]) for queue in self._queues.values() if queue.parts]
            if not starts or min(starts) >= until:
                break
            hole = max(0, min(starts) - self._next_index)
            first = self._next_index + hole
            end = min(until, self._end_of_common_run(first))
            blocks.append(
                AlignedBlock(
                    anchor_ns=self._anchor_ns,
                    first_index=first,
                    sampling_rate_hz=self._rate_hz,
                    gap_before_s=hole / self._rate_hz,
                    segments={p: self._take(queue, first, end) for p, queue in self._queues.items()},
                )
            )
            self._next_index = end
        return blocks

    def _drop_late(self) -> None:
        assert self._next_index is not None
        for placement, queue in self._queues.items():
            while queue.parts and self._index(queue.parts[0][0]) < self._next_index:
                start_ns, samples = queue.parts.popleft()
                late = min(len(samples), self._next_index - self._index(start_ns))
                self.late_samples[placement] += int(np.count_nonzero(samples.is_received[:late]))
                if late < len(samples):
                    assert self._rate_hz is not None
                    moved_ns = start_ns + round(late * NANOSECONDS_PER_SECOND / self._rate_hz)
                    queue.parts.appendleft((moved_ns, samples.cut(late, len(samples))))
                    break

    def _end_of_common_run(self, first: int) -> int:
        """Grid point up to which the set of placements with samples stays the same."""
        ends = []
        for queue in self._queues.values():
            expected = first
            for start_ns, samples in queue.parts:
                start = self._index(start_ns)
                if start > expected:
                    if expected == first:
                        ends.append(start)
                    break
                expected = start + len(samples)
            if expected > first:
                ends.append(expected)
        return min(ends)

    def _take(self, queue: _Queue, first: int, end: int) -> SegmentSamples:
        taken: list[SegmentSamples] = []
        assert self._rate_hz is not None
        while queue.parts and self._index(queue.parts[0][0]) < end:
            start_ns, samples = queue.parts.popleft()
            n = end - self._index(start_ns)
            if n < len(samples):
                rest_ns = start_ns + round(n * NANOSECONDS_PER_SECOND / self._rate_hz)
                queue.parts.appendleft((rest_ns, samples.cut(n, len(samples))))
                samples = samples.cut(0, n)
            taken.append(samples)
        return SegmentSamples.joined(taken) if taken else SegmentSamples.absent(end - first)


def _as_samples(block: OrientationBlock) -> SegmentSamples:
    received = np.ones(len(block), dtype=np.bool_)
    return SegmentSamples(
        earth_from_sensor_wxyz=block.earth_from_sensor_wxyz,
        acc_m_s2=block.acc_m_s2,
        gyr_rad_s=block.gyr_rad_s,
        bias_rad_s=block.bias_rad_s,
        bias_sigma_rad_s=block.bias_sigma_rad_s,
        is_present=received,
        is_received=received,
        is_measured=block.is_settled,
        has_gyroscope=np.full(len(block), block.has_gyroscope),
    )


def _bridge(before: SegmentSamples, after: SegmentSamples, n: int) -> SegmentSamples:
    share = (np.arange(1, n + 1) / (n + 1))[:, None]
    start, end = before.earth_from_sensor_wxyz[0], after.earth_from_sensor_wxyz[0]
    if float(start @ end) < 0.0:
        end = -end
    nothing = np.zeros(n, dtype=np.bool_)

    def line(name: str) -> FloatArray:
        first, last = getattr(before, name)[0], getattr(after, name)[0]
        return np.asarray(first + share * (last - first), dtype=np.float64)

    return SegmentSamples(
        earth_from_sensor_wxyz=normalized(start + share * (end - start)),
        acc_m_s2=line("acc_m_s2"),
        gyr_rad_s=line("gyr_rad_s"),
        bias_rad_s=line("bias_rad_s"),
        bias_sigma_rad_s=line("bias_sigma_rad_s")[:, 0] if n else np.zeros(0),
        is_present=np.ones(n, dtype=np.bool_),
        is_received=nothing,
        is_measured=nothing,
        has_gyroscope=np.full(n, bool(after.has_gyroscope[0])),
    )
