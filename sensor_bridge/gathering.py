"""Waits until all sensors of an athlete deliver live, at the start and after a silence.

Sensors connect one after the other, and after an interruption each first sends what it remembered. Seen one
by one, the first to return would be minutes ahead of the last, and the last would count as missing. Decided
from the frames alone, so that reading a frame log again decides the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sensor_bridge.ble.samples import ArrivedRun

_US_PER_S = 1e6
_NS_PER_US = 1_000
_LONG_FRAMES = 3  # a silence is also longer than so many frames: at 10 Hz one frame alone may last 1.9 s


@dataclass(frozen=True, slots=True)
class GatheringParameters:
    """How patient to be.

    Parameters
    ----------
    silence_s
        So long without a frame of any sensor, and the sensors are waited for again, s.
    patience_s
        After so long it goes on without those that are missing, s.
    settled_s
        A sensor is live when it has not caught up for so long, s; longer than a connection interval, because
        frames of one interval arrive together.
    catching_up
        It catches up where its samples advance so many times faster than the clock.
    """

    silence_s: float = 1.0
    patience_s: float = 10.0
    settled_s: float = 0.4
    catching_up: float = 1.5


class Gathering:
    """Holds frames back while sensors are missing or catching up; else lets them through at once.

    Parameters
    ----------
    sensor_ids
        The sensors that belong together.
    parameters
        How patient to be.
    """

    def __init__(self, sensor_ids: Iterable[str], parameters: GatheringParameters | None = None) -> None:
        self._parameters = parameters or GatheringParameters()
        self._sensor_ids = tuple(sensor_ids)
        self._held: dict[str, list[ArrivedRun]] | None = self._nothing()
        self._since_ns: int | None = None
        self._last_arrival_ns: int | None = None
        self._longest_frame_us = 0.0

    @property
    def is_waiting(self) -> bool:
        """Whether frames are held back."""
        return self._held is not None

    def push(self, frame: ArrivedRun) -> list[ArrivedRun]:
        """Take a frame; return those whose turn has come, in the order of their sample times.

        Raises
        ------
        KeyError
            The sensor is not one of these.
        """
        arrival_ns = frame.arrival_ns
        released: list[ArrivedRun] = []
        if self._was_silent_until(arrival_ns):
            released = self.flush()
            self._held = self._nothing()
            self._since_ns = None
        self._last_arrival_ns = arrival_ns
        self._longest_frame_us = max(self._longest_frame_us, frame.length_us)
        if self._held is None:
            return [frame]
        if self._since_ns is None:
            self._since_ns = arrival_ns
        self._held[frame.sensor_id].append(frame)
        waited_s = (arrival_ns - self._since_ns) / 1e9
        is_complete = all(self._is_live(frames) for frames in self._held.values())
        if is_complete or waited_s > self._parameters.patience_s:
            released += self.flush()
        return released

    def flush(self) -> list[ArrivedRun]:
        """Return everything held back and wait no longer."""
        held, self._held = self._held, None
        if held is None:
            return []
        transits_us: dict[tuple[str, int], float] = {}  # the quickest frame of a stream tells its clock
        frames = [frame for of_sensor in held.values() for frame in of_sensor]
        for frame in frames:
            stream = _stream_of(frame)
            transits_us[stream] = min(transits_us.get(stream, frame.transit_us), frame.transit_us)
        return sorted(frames, key=lambda frame: frame.newest_us + transits_us[_stream_of(frame)])

    def _was_silent_until(self, arrival_ns: int) -> bool:
        if self._last_arrival_ns is None:
            return False
        longest_s = max(self._parameters.silence_s, _LONG_FRAMES * self._longest_frame_us / _US_PER_S)
        return arrival_ns - self._last_arrival_ns > longest_s * 1e9

    def _is_live(self, frames: list[ArrivedRun]) -> bool:
        """Whether a sensor has not sent faster than it samples for a while."""
        if not frames:
            return False
        newest = frames[-1]
        for earlier in reversed(frames):
            elapsed_us = (newest.arrival_ns - earlier.arrival_ns) / _NS_PER_US
            if _stream_of(earlier) != _stream_of(newest):
                return False
            if elapsed_us >= self._parameters.settled_s * _US_PER_S:
                return newest.newest_us - earlier.newest_us <= self._parameters.catching_up * elapsed_us
        return False

    def _nothing(self) -> dict[str, list[ArrivedRun]]:
        return {sensor_id: [] for sensor_id in self._sensor_ids}


def _stream_of(frame: ArrivedRun) -> tuple[str, int]:
    return frame.sensor_id, frame.run.stream_id
