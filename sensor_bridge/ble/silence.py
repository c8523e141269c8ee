"""Noticing a stream that has stopped though its link is up."""

from __future__ import annotations

import math
from typing import Final

TICK_S: Final = 0.25
_LEAST_SILENCE_S: Final = 1.0
_SILENT_FRAMES: Final = 5.0
_STOPPED_S: Final = 10.0
_STATUS_SILENCE_S: Final = 6.0  # STATUS comes once a second; with no samples due it is the only sign of life


class SilenceWatch:
    """Counts the ticks since something came.

    Time is counted in ticks and not read from a clock: when this machine itself stood still, that is one tick
    and not the sensor's silence.

    Parameters
    ----------
    frame_s
        Time from one frame to the next, s.
    has_sent
        Whether samples came of it before, on another link.
    """

    def __init__(self, frame_s: float, *, has_sent: bool = False) -> None:
        self._data_limit = _ticks(frame_s)
        self._status_limit = math.ceil(_STATUS_SILENCE_S / TICK_S)
        self._since_data = 0
        self._since_status = 0
        self._is_expecting_data = False
        self._has_sent = has_sent

    @property
    def has_stopped(self) -> bool:
        """Whether a sensor that sent samples says, for some seconds now, that it makes none."""
        return self._has_sent and not self._is_expecting_data and self._since_data * TICK_S >= _STOPPED_S

    def note_data(self, frame_s: float) -> None:
        """Hear that samples came, and how much time they take, s; 0 where that is not known yet."""
        if frame_s:
            self._data_limit = _ticks(frame_s)
        self._since_data = 0
        self._is_expecting_data = True
        self._has_sent = True

    def note_status(self, *, is_streaming: bool) -> None:
        """Hear that a STATUS came; a sensor that says it makes no samples owes none."""
        self._since_status = 0
        if is_streaming != self._is_expecting_data:
            self._is_expecting_data = is_streaming
            self._since_data = 0

    def tick(self) -> str | None:
        """Let `TICK_S` pass; return what is wrong, or None."""
        self._since_data += 1
        self._since_status += 1
        if self._is_expecting_data and self._since_data > self._data_limit:
            return f"no samples for {self._since_data * TICK_S:g} s though the link is up"
        if self._since_status > self._status_limit and self._since_data > self._data_limit:
            return f"no sign of life for {self._since_status * TICK_S:g} s though the link is up"
        return None


def _ticks(frame_s: float) -> int:
    return math.ceil(max(_LEAST_SILENCE_S, _SILENT_FRAMES * frame_s) / TICK_S)
