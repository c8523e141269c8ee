"""The frames of a log as if nothing had been late: fetched samples stand where they belong. Pure.

A frame that came long after its samples were made, over BULK or out of the sensor's RAM, is put behind the
frame that holds the samples before its own, under the time at which it would have come. When that is, the
frames of the same stream that came in time say: arrival minus sensor's clock, of the quickest nearby.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from firmware_protocol.codec import decode_frame, decode_notified, encode
from firmware_protocol.errors import ProtocolError
from firmware_protocol.packets import BulkPage
from sensor_bridge.ble.link import FrameKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analytics.imu import FloatArray
    from firmware_protocol.packets import ImuFrame
    from sensor_bridge.ble.link import ReceivedFrame

_NS_PER_US: Final = 1_000.0
_US_PER_S: Final = 1e6
_LATE_NS: Final = 500_000_000.0
_MOST_DRIFT: Final = 200e-6  # of one clock against the other


@dataclass(slots=True)
class _Stream:
    """Frames of one stream, in any order: where they came in the log, what they hold."""

    places: list[int] = field(default_factory=list)
    firsts: list[int] = field(default_factory=list)
    newest_ns: list[float] = field(default_factory=list)
    arrivals_ns: list[float] = field(default_factory=list)  # NaN for what was fetched

    def add(self, place: int, frame: ImuFrame, arrival_ns: float) -> None:
        length_us = (frame.n_samples - 1) * _US_PER_S / frame.sampling_rate.hz
        self.places.append(place)
        self.firsts.append(frame.first_sample_index)
        self.newest_ns.append((frame.device_time_us + length_us) * _NS_PER_US)
        self.arrivals_ns.append(arrival_ns)

    def due_ns(self) -> FloatArray | None:
        """Tell when each frame came, or would have come; None where none came live."""
        order = np.lexsort((np.array(self.arrivals_ns), np.array(self.firsts)))
        newest = np.array(self.newest_ns)[order]
        arrivals = np.array(self.arrivals_ns)[order]
        is_live = ~np.isnan(arrivals)
        if not is_live.any():
            return None
        clock = newest[is_live]
        quickest = _lower_envelope(clock, arrivals[is_live] - clock)
        earliest = newest + np.interp(newest, clock, quickest)
        in_time = is_live & (np.nan_to_num(arrivals) - earliest < _LATE_NS)
        due = np.empty(len(order))
        due[order] = np.maximum.accumulate(np.where(in_time, arrivals, earliest))
        return due


class SampleOrder:
    """Takes frames as they came, gives them back in the order of their samples.

    Only Hipline's own frames tell by themselves when their samples were made: those of other sensors stay
    where they are. So does every payload that is not what it should be.
    """

    def __init__(self) -> None:
        self._frames: list[ReceivedFrame] = []
        self._streams: dict[tuple[str, int], _Stream] = {}
        self._foreign: set[str] = set()

    def push(self, frame: ReceivedFrame) -> None:
        """Take the next frame."""
        place = len(self._frames)
        self._frames.append(frame)
        sensor_id = frame.sensor_id
        if frame.kind is FrameKind.DRIVER:
            self._foreign.add(sensor_id)
        if sensor_id in self._foreign:
            return
        try:
            if frame.kind is FrameKind.DATA:
                imu = decode_frame(frame.payload)
                self._stream(sensor_id, imu.stream_id).add(place, imu, float(frame.arrival_ns))
            elif frame.kind is FrameKind.BULK:
                told = decode_notified(frame.payload)
                if isinstance(told, BulkPage):
                    self._frames[place] = replace(frame, kind=FrameKind.DATA, payload=encode(told.frame))
                    self._stream(sensor_id, told.frame.stream_id).add(place, told.frame, np.nan)
        except ProtocolError:
            return

    def ordered(self) -> list[ReceivedFrame]:
        """Return all frames; those that were late carry the time at which they would have come."""
        due_ns = np.array([float(frame.arrival_ns) for frame in self._frames])
        firsts = np.zeros(
            len(self._frames)
        )  # of frames due together the one with the earlier samples goes first
        for stream in self._streams.values():
            due = stream.due_ns()
            firsts[stream.places] = stream.firsts
            if due is not None:
                due_ns[stream.places] = due
        order: Sequence[int] = np.lexsort((firsts, due_ns)).tolist()
        return [self._at(place, due_ns[place]) for place in order]

    def _at(self, place: int, due_ns: float) -> ReceivedFrame:
        frame = self._frames[place]
        if frame.kind is not FrameKind.DATA or abs(frame.arrival_ns - due_ns) < _NS_PER_US:
            return frame
        return replace(frame, arrival_ns=int(due_ns))

    def _stream(self, sensor_id: str, stream_id: int) -> _Stream:
        return self._streams.setdefault((sensor_id, stream_id), _Stream())


def in_sample_order(frames: Iterable[ReceivedFrame]) -> list[ReceivedFrame]:
    """Put frames into the order of their samples, all at once; see :class:`SampleOrder`."""
    order = SampleOrder()
    for frame in frames:
        order.push(frame)
    return order.ordered()


def _lower_envelope(clock_ns: FloatArray, transit_ns: FloatArray) -> FloatArray:
    """Return the transit of the quickest frame nearby, which rises and falls no faster than clocks drift."""
    slope = _MOST_DRIFT * clock_ns
    from_left = np.minimum.accumulate(transit_ns - slope) + slope
    from_right = np.minimum.accumulate((transit_ns + slope)[::-1])[::-1] - slope
    envelope: FloatArray = np.minimum(from_left, from_right)
    return envelope
