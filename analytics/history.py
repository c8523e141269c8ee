"""The recent past of all sensors: what a finished repetition is measured over again."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from analytics.alignment import AlignedBlock, SegmentSamples
from analytics.imu import NANOSECONDS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.imu import Placement


class AlignedHistory:
    """Ring of aligned blocks.

    Parameters
    ----------
    length_s
        Time kept; older blocks are dropped as new ones come.
    """

    def __init__(self, length_s: float) -> None:
        self._length_s = length_s
        self._blocks: deque[AlignedBlock] = deque()
        self._oldest_index = 0

    def __bool__(self) -> bool:
        return bool(self._blocks)

    @property
    def end_index(self) -> int:
        """Grid point after the newest sample."""
        return self._blocks[-1].end_index

    @property
    def sampling_rate_hz(self) -> float:
        """Rate of the grid."""
        return self._blocks[-1].sampling_rate_hz

    def time_ns(self, index: int) -> int:
        """Time of a grid point, integer nanoseconds."""
        return self._blocks[-1].time_ns(index)

    def index_of(self, time_ns: int) -> int:
        """Grid point nearest to a time."""
        newest = self._blocks[-1]
        return round((time_ns - newest.anchor_ns) * newest.sampling_rate_hz / NANOSECONDS_PER_SECOND)

    def newest(self, placement: Placement) -> SegmentSamples:
        """Return the last sample of a placement."""
        samples = self._blocks[-1].segments[placement]
        return samples.cut(len(samples) - 1, len(samples))

    def append(self, block: AlignedBlock) -> None:
        """Take the next block."""
        self._blocks.append(block)
        self._oldest_index = block.end_index - round(self._length_s * block.sampling_rate_hz)
        while self._blocks[0].end_index <= self._oldest_index:
            self._blocks.popleft()

    def window(self, start_index: int, end_index: int) -> AlignedBlock | None:
        """Return grid points ``start_index`` to ``end_index`` as far as they are kept and without a hole.

        A hole in all sensors cuts off what lies before it.
        """
        chosen: deque[AlignedBlock] = deque()
        start_index = max(start_index, self._oldest_index)
        for block in reversed(self._blocks):
            if block.first_index >= end_index:
                continue
            if block.end_index <= start_index:
                break
            chosen.appendleft(block)
            if block.gap_before_s > 0.0:
                break
        if not chosen:
            return None
        joined = _joined(list(chosen))
        return joined.cut(max(start_index, joined.first_index), min(end_index, joined.end_index))

    def runs(self) -> Iterator[AlignedBlock]:
        """Everything kept, one block for each stretch without a hole."""
        run: list[AlignedBlock] = []
        for kept in self._blocks:
            # Cut to the sample: what is kept must not depend on how the blocks were cut.
            block = (
                kept
                if kept.first_index >= self._oldest_index
                else kept.cut(self._oldest_index, kept.end_index)
            )
            if block.gap_before_s > 0.0 and run:
                yield _joined(run)
                run = []
            run.append(block)
        if run:
            yield _joined(run)


def _joined(blocks: list[AlignedBlock]) -> AlignedBlock:
    first = blocks[0]
    return AlignedBlock(
        anchor_ns=first.anchor_ns,
        first_index=first.first_index,
        sampling_rate_hz=first.sampling_rate_hz,
        gap_before_s=first.gap_before_s,
        segments={
            placement: SegmentSamples.joined([block.segments[placement] for block in blocks])
            for placement in first.segments
        },
    )
