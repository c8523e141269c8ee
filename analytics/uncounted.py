"""Movements that were seen and not counted: a person may say that one of them was a repetition."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from analytics.drive_events import AbortReason, CloseReason
from analytics.imu import NANOSECONDS_PER_SECOND
from analytics.repetition_events import Aborted, Candidate, Rejected, Withdrawn

if TYPE_CHECKING:
    from analytics.repetition_events import CounterEvent

_MOST: Final = 200  # a minute of fidgeting
# Whoever misses a repetition says so when it is over.
_SAID_LATE_NS: Final = 6 * NANOSECONDS_PER_SECOND
_SAID_EARLY_NS: Final = NANOSECONDS_PER_SECOND // 2
_WHOLE: Final = frozenset({AbortReason.TOO_SHALLOW, AbortReason.TOO_SHORT})


class UncountedMovements:
    """The last of them."""

    def __init__(self) -> None:
        self._movements: deque[Candidate] = deque(maxlen=_MOST)

    def note(self, event: CounterEvent, *, is_supine: bool) -> None:
        """Keep what was refused, taken back or broken off as it would have been counted."""
        if isinstance(event, Rejected | Withdrawn):
            self._movements.append(event.candidate)
        elif isinstance(event, Aborted) and event.reason in _WHOLE:
            movement = Candidate(
                start_ns=event.start_ns,
                bottom_ns=event.bottom_ns,
                close_ns=event.end_ns,
                decided_ns=event.end_ns,
                amplitude_deg=event.depth_deg,
                lockout_deg=0.0,
                closed_by=CloseReason.LOCKOUT,
                is_provisional=False,
                is_supine=is_supine,
            )
            self._movements.append(movement)

    def near(self, at_ns: int) -> Candidate | None:
        """Return the largest that was under way at a moment, or had ended shortly before."""
        near = [
            movement
            for movement in self._movements
            if movement.start_ns - _SAID_EARLY_NS <= at_ns <= movement.close_ns + _SAID_LATE_NS
        ]
        return max(near, key=lambda movement: movement.amplitude_deg, default=None)
