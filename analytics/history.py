"""The recent past of all sensors: what a finished repetition is measured over again."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from analytics.alignment import AlignedBlock, SegmentSamples

if TYPE_CHECKING:
    from collections.abc import Iterator


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

    def __bool__(self) -> bool:
        return bool(self._blocks)

    @property
    def end_index(self) -> int:
        """Grid point after the newest sample."""
        return self._blocks[-1].end_index

    def append(self, block: AlignedBlock) -> None:
        """Take the next block."""
        self._blocks.append(block)
        oldest = block.end_index - round(self._length_s * block.sampling_rate_hz)
        while self._blocks[0].end_index <= oldest:
            self._blocks.popleft()

    def window(self, start_index: int, end_index: int) -> AlignedBlock | None:
        """Return grid points ``start_index`` to ``end_index`` as far as they are kept and without a hole.

        A hole in all sensors cuts off what lies before it.
        """
        chosen: deque[AlignedBlock] = deque()
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
        for block in self._blocks:
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
