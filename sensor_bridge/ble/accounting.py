"""What became of each sample, by stream and index."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING

from firmware_protocol.packets import BulkOpcode, BulkPage, BulkResult
from sensor_bridge.ble.index_ranges import IndexRanges

if TYPE_CHECKING:
    from firmware_protocol.packets import BulkReply, CommandReply, ImuFrame, StreamStatus
    from sensor_bridge.ble.samples import SampleRun


class Arrival(Enum):
    """How a frame continues what was there."""

    FIRST = auto()
    NEXT = auto()
    AFTER_LOSS = auto()
    DUPLICATE = auto()
    OVERLAP = auto()


@dataclass(slots=True)
class SampleAccount:
    """Counts of one sensor's samples; state and counters in one, no clock and no I/O.

    A stream is expected to arrive in order, from index 0: the link layer keeps the order, and a resumed
    stream begins again where it broke off, or later. What is skipped is lost until it is fetched from the
    sensor's flash; what was there already is a duplicate. At any time::

        samples made, as far as is known = received + backfilled + lost

    Parameters
    ----------
    received, backfilled, lost, duplicated
        Samples so far: that came live, that were fetched later, that are not here, that came again.
    stream_id, next_index
        The stream seen last and the index that would continue it; None before any.
    gaps
        The samples lost, by stream.
    """

    received: int = 0
    backfilled: int = 0
    lost: int = 0
    duplicated: int = 0
    stream_id: int | None = None
    next_index: int = 0
    gaps: dict[int, IndexRanges] = field(default_factory=dict)
    _ends: dict[int, int] = field(default_factory=dict)
    _goes_on: bool = False

    def add(self, frame: ImuFrame | SampleRun) -> Arrival:
        """Count one frame."""
        first, after = frame.first_sample_index, frame.first_sample_index + frame.n_samples
        if frame.stream_id != self.stream_id:
            if self.stream_id is not None:
                self._ends[self.stream_id] = self.next_index
            self.stream_id, self.next_index = frame.stream_id, after
            self.received += frame.n_samples
            self._lose(frame.stream_id, 0, first)
            return Arrival.FIRST if first == 0 else Arrival.AFTER_LOSS
        if first > self.next_index:
            self._lose(frame.stream_id, self.next_index, first)
            arrival = Arrival.AFTER_LOSS
        elif after <= self.next_index:
            self.duplicated += frame.n_samples
            return Arrival.DUPLICATE
        else:
            self.duplicated += self.next_index - first
            arrival = Arrival.NEXT if first == self.next_index else Arrival.OVERLAP
        self.received += after - max(first, self.next_index)
        self.next_index = after
        return arrival

    def link_up(self) -> None:
        """Take note of a new link: until the reply to Start nothing of a stream can come."""
        self._goes_on = False

    def go_on(self, reply: CommandReply) -> None:
        """Take the reply to Start: what a resumed stream leaves out is lost, even if no frame follows."""
        self._goes_on = True
        self._skip_to(reply.stream_id, reply.next_sample_index)

    def hear(self, status: StreamStatus) -> None:
        """Take a STATUS: where a stream has ended and all of it was sent, what did not come is lost.

        Nothing follows that could show it by a jump of its index.
        """
        if (
            self._goes_on
            and not status.is_streaming
            and not status.queue_depth
            and status.newest_sample_index
        ):
            self._skip_to(status.stream_id, status.newest_sample_index + 1)

    def add_stored(self, told: BulkPage | BulkReply) -> int:
        """Count what the sensor's flash gave, or said that it holds; return how many samples are new."""
        if isinstance(told, BulkPage):
            frame = told.frame
            first, end = frame.first_sample_index, frame.first_sample_index + frame.n_samples
            self._make(frame.stream_id, end)
            gaps = self.gaps.get(frame.stream_id)
            new = gaps.discard(first, end) if gaps is not None else 0
            self.lost -= new
            self.backfilled += new
            self.duplicated += frame.n_samples - new
            return new
        if told.opcode == BulkOpcode.SURVEY and told.result is BulkResult.OK:
            self._make(told.stream_id, told.end_sample_index)
        return 0

    def take_up(self, stream_id: int, next_index: int) -> None:
        """Continue a stream whose samples below ``next_index`` were received earlier (before a restart)."""
        self.stream_id, self.next_index = stream_id, next_index

    def resume_point(self) -> tuple[int, int] | None:
        """Return (stream_id, next index) to ask the sensor for; None before any frame."""
        return None if self.stream_id is None else (self.stream_id, self.next_index)

    def end_of(self, stream_id: int) -> int | None:
        """Tell how far a stream has come, as far as is known; None where it was never seen."""
        return self.next_index if stream_id == self.stream_id else self._ends.get(stream_id)

    def _skip_to(self, stream_id: int, index: int) -> None:
        """Know that nothing below an index of the running stream comes live any more."""
        if stream_id == self.stream_id and index > self.next_index:
            self._lose(stream_id, self.next_index, index)
            self.next_index = index

    def _make(self, stream_id: int, end: int) -> None:
        """Know that a stream seen earlier has come as far as ``end``."""
        known = None if stream_id == self.stream_id else self._ends.get(stream_id)
        if known is not None and end > known:
            self._lose(stream_id, known, end)
            self._ends[stream_id] = end

    def _lose(self, stream_id: int, first: int, end: int) -> None:
        if end > first:
            self.lost += self.gaps.setdefault(stream_id, IndexRanges()).add(first, end)
