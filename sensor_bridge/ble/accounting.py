"""What became of each sample, by stream and index."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firmware_protocol.packets import ImuFrame
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
    stream begins again where it broke off. What is skipped is lost, what was there already is a duplicate.

    Parameters
    ----------
    received, lost, duplicated
        Samples so far (doubles are not in ``received``).
    stream_id, next_index
        The stream seen last and the index that would continue it; None before any.
    """

    received: int = 0
    lost: int = 0
    duplicated: int = 0
    stream_id: int | None = None
    next_index: int = 0

    def add(self, frame: ImuFrame | SampleRun) -> Arrival:
        """Count one frame."""
        first, after = frame.first_sample_index, frame.first_sample_index + frame.n_samples
        if frame.stream_id != self.stream_id:
            self.stream_id, self.next_index = frame.stream_id, after
            self.received += frame.n_samples
            self.lost += first
            return Arrival.FIRST if first == 0 else Arrival.AFTER_LOSS
        if first > self.next_index:
            self.lost += first - self.next_index
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

    def take_up(self, stream_id: int, next_index: int) -> None:
        """Continue a stream whose samples below ``next_index`` were received earlier (before a restart)."""
        self.stream_id, self.next_index = stream_id, next_index

    def resume_point(self) -> tuple[int, int] | None:
        """Return (stream_id, next index) to ask the sensor for; None before any frame."""
        return None if self.stream_id is None else (self.stream_id, self.next_index)
