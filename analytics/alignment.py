"""Several sensors on one grid: waits for the slower ones, fills short holes, counts what came too late."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analytics.aligned_block import (
    HAS_GYROSCOPE,
    MEASURED,
    PRESENT,
    RECEIVED,
    AlignedBlock,
    Samples,
    SegmentSamples,
)
from analytics.errors import MixedSamplingRates
from analytics.imu import NANOSECONDS_PER_SECOND, Placement
from analytics.quaternions import normalized

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from analytics.history import AlignedHistory
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


@dataclass(frozen=True, slots=True)
class Stretch:
    """Grid points that became complete; the same placements have samples throughout.

    Parameters
    ----------
    first_index, end_index
        First grid point, and the one after the last.
    gap_before_s
        0.0 where it continues the previous one, else the length of the hole in all sensors, s.
    """

    first_index: int
    end_index: int
    gap_before_s: float


@dataclass(slots=True)
class _Part:
    """Samples of one placement on their way; those before ``used`` have left."""

    start_ns: int
    samples: Samples
    flags: NDArray[np.uint8]
    index: int = 0
    used: int = 0

    @property
    def next_index(self) -> int:
        """Grid point of the first sample that has not left."""
        return self.index + self.used

    @property
    def end_index(self) -> int:
        """Grid point after the last sample."""
        return self.index + len(self.flags)


@dataclass(slots=True)
class _Queue:
    """Samples of one placement that have not left yet."""

    parts: deque[_Part]
    end_ns: int | None = None
    input_end_ns: int | None = None
    last: Samples | None = None


class PlacementAlignment:
    """Puts the worn placements side by side, into a history.

    Samples leave as soon as every placement that is not too far behind has delivered them. The sensors must
    share one grid; times that are off it are put to the nearest point.

    Parameters
    ----------
    placements
        The placements worn; the first that delivers, in this order, sets the grid.
    history
        Takes the samples that leave.
    parameters
        Settings.

    Attributes
    ----------
    newest_input_ns
        End of the newest samples that any sensor has delivered; None before the first.
    late_samples
        Samples that arrived after their place had left, by placement.
    bridged_samples
        Samples filled in, by placement.
    """

    def __init__(
        self,
        placements: Iterable[Placement],
        history: AlignedHistory,
        parameters: AlignmentParameters | None = None,
    ) -> None:
        self._parameters = parameters or AlignmentParameters()
        self._history = history
        self._queues = {placement: _Queue(deque()) for placement in placements}
        self._wait_ns = self._parameters.wait_s * NANOSECONDS_PER_SECOND
        self._rate_hz: float | None = None
        self._anchor_ns: int | None = None
        self._first_input_ns: int | None = None
        self._next_index = 0
        self._released_ns: int | None = None
        self.newest_input_ns: int | None = None
        self.late_samples = dict.fromkeys(self._queues, 0)
        self.bridged_samples = dict.fromkeys(self._queues, 0)

    def note_input(self, placement: Placement, start_ns: int, end_ns: int) -> None:
        """Tell that raw samples up to ``end_ns`` are on their way: their sensor is alive."""
        self._queues[placement].input_end_ns = end_ns
        if self._first_input_ns is None or start_ns < self._first_input_ns:
            self._first_input_ns = start_ns
        if self.newest_input_ns is None or end_ns > self.newest_input_ns:
            self.newest_input_ns = end_ns

    def push(self, block: OrientationBlock) -> None:
        """Take the next samples of one placement.

        Raises
        ------
        MixedSamplingRates
            The placements do not share one rate.
        """
        rate_hz = self._rate_hz
        if rate_hz is None:
            rate_hz = self._rate_hz = block.sampling_rate_hz
        if block.sampling_rate_hz != rate_hz:
            raise MixedSamplingRates(block.placement, block.sampling_rate_hz, rate_hz)
        queue = self._queues[block.placement]
        samples = (
            block.earth_from_sensor_wxyz,
            block.acc_m_s2,
            block.gyr_rad_s,
            block.bias_rad_s,
            block.bias_sigma_rad_s,
        )
        known = PRESENT | RECEIVED | HAS_GYROSCOPE if block.has_gyroscope else PRESENT | RECEIVED
        if queue.end_ns is not None and queue.last is not None:
            missing = round((block.start_time_ns - queue.end_ns) * rate_hz / NANOSECONDS_PER_SECOND)
            if 0 < missing <= round(self._parameters.longest_bridge_s * rate_hz):
                bridge = _bridge(queue.last, samples, missing)
                self._enqueue(queue, queue.end_ns, bridge, np.full(missing, known & ~RECEIVED))
                self.bridged_samples[block.placement] += missing
        self._enqueue(queue, block.start_time_ns, samples, block.is_settled * MEASURED | known)
        queue.last = samples
        queue.end_ns = block.start_time_ns + round(len(block) * NANOSECONDS_PER_SECOND / rate_hz)

    def _enqueue(self, queue: _Queue, start_ns: int, samples: Samples, flags: NDArray[np.uint8]) -> None:
        # Before the first release there is no grid yet; `_set_grid` makes up for it.
        index = 0 if self._anchor_ns is None else self._index(start_ns)
        queue.parts.append(_Part(start_ns, samples, flags, index))

    def pop(self) -> list[Stretch]:
        """Let go what is complete."""
        newest_ns, until_ns = self.newest_input_ns, None
        if self._rate_hz is None or newest_ns is None:
            return []
        for queue in self._queues.values():
            own_ns = self._first_input_ns if queue.input_end_ns is None else queue.input_end_ns
            assert own_ns is not None
            if newest_ns - own_ns > self._wait_ns:
                end_ns = newest_ns - round(self._parameters.margin_s * NANOSECONDS_PER_SECOND)
            elif queue.end_ns is None:
                return []
            else:
                end_ns = queue.end_ns
            if until_ns is None or end_ns < until_ns:
                until_ns = end_ns
        return self._release(until_ns) if until_ns != self._released_ns else []

    def flush(self) -> list[Stretch]:
        """End of the recording: let go of everything."""
        return self._release(
            max((queue.end_ns for queue in self._queues.values() if queue.end_ns), default=None)
        )

    def _index(self, time_ns: int) -> int:
        assert self._anchor_ns is not None
        assert self._rate_hz is not None
        return round((time_ns - self._anchor_ns) * self._rate_hz / NANOSECONDS_PER_SECOND)

    def _set_grid(self) -> None:
        waiting = [queue for queue in self._queues.values() if queue.parts]
        assert self._rate_hz is not None
        self._anchor_ns = waiting[0].parts[0].start_ns
        self._history.begin(self._anchor_ns, self._rate_hz)
        for queue in waiting:
            for part in queue.parts:
                part.index = self._index(part.start_ns)
        self._next_index = min(queue.parts[0].index for queue in waiting)

    def _release(self, until_ns: int | None) -> list[Stretch]:
        if until_ns is None or not any(queue.parts for queue in self._queues.values()):
            return []
        if self._anchor_ns is None:
            self._set_grid()
        assert self._rate_hz is not None
        self._released_ns = until_ns
        until = self._index(until_ns)
        stretches: list[Stretch] = []
        if self._is_all_of(until):
            # The usual case: one packet of each sensor, side by side.
            return [self._release_together(until)]
        while self._next_index < until:
            self._drop_late()
            starts = [queue.parts[0].next_index for queue in self._queues.values() if queue.parts]
            if not starts or min(starts) >= until:
                break
            hole = max(0, min(starts) - self._next_index)
            first = self._next_index + hole
            end = min(until, self._end_of_common_run(first))
            stretch = Stretch(first, end, hole / self._rate_hz)
            self._history.extend(first, end, stretch.gap_before_s)
            for placement, queue in self._queues.items():
                self._move(placement, queue.parts, end)
            stretches.append(stretch)
            self._next_index = end
        return stretches

    def _is_all_of(self, until: int) -> bool:
        """Whether each placement waits with one part, from the next grid point to another."""
        return all(
            len(queue.parts) == 1
            and queue.parts[0].used == 0
            and queue.parts[0].index == self._next_index
            and queue.parts[0].end_index == until
            for queue in self._queues.values()
        )

    def _release_together(self, until: int) -> Stretch:
        first, self._next_index = self._next_index, until
        self._history.extend(first, until, 0.0)
        for placement, queue in self._queues.items():
            part = queue.parts.popleft()
            self._history.put(placement, first, part.samples, part.flags)
        return Stretch(first, until, 0.0)

    def _drop_late(self) -> None:
        for placement, queue in self._queues.items():
            while queue.parts and queue.parts[0].next_index < self._next_index:
                part = queue.parts[0]
                late = part.flags[part.used : self._next_index - part.index]
                self.late_samples[placement] += int(np.count_nonzero(late & RECEIVED))
                part.used += len(late)
                if part.used == len(part.flags):
                    queue.parts.popleft()

    def _end_of_common_run(self, first: int) -> int:
        """Grid point up to which the set of placements with samples stays the same."""
        ends = []
        for queue in self._queues.values():
            expected = first
            for part in queue.parts:
                if part.next_index > expected:
                    if expected == first:
                        ends.append(part.next_index)
                    break
                expected = part.end_index
            if expected > first:
                ends.append(expected)
        return min(ends)

    def _move(self, placement: Placement, parts: deque[_Part], end: int) -> None:
        """Move a placement's samples before grid point ``end`` into the history."""
        while parts and parts[0].next_index < end:
            part = parts[0]
            start, stop = part.used, min(len(part.flags), end - part.index)
            samples, flags = part.samples, part.flags
            if stop - start < len(flags):
                samples, flags = _cut(samples, start, stop), flags[start:stop]
            self._history.put(placement, part.index + start, samples, flags)
            part.used = stop
            if stop == len(part.flags):
                parts.popleft()


def _cut(samples: Samples, start: int, stop: int) -> Samples:
    quaternion, acceleration, rate, bias, bias_sigma = samples
    return (
        quaternion[start:stop],
        acceleration[start:stop],
        rate[start:stop],
        bias[start:stop],
        bias_sigma[start:stop],
    )


def _bridge(before: Samples, after: Samples, n: int) -> Samples:
    """Straight line from the last sample before a hole to the first after it."""
    share = (np.arange(1, n + 1) / (n + 1))[:, None]
    start, end = before[0][-1], after[0][0]
    if float(start @ end) < 0.0:
        end = -end
    acceleration, rate, bias, bias_sigma = (
        one[-1] + share * (other[0] - one[-1]) for one, other in zip(before[1:], after[1:], strict=True)
    )
    return normalized(start + share * (end - start)), acceleration, rate, bias, bias_sigma[:, 0]


__all__ = ["AlignedBlock", "AlignmentParameters", "PlacementAlignment", "SegmentSamples", "Stretch"]
