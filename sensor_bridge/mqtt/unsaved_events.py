"""Events that wait in memory because the disk does not take them: bounded, in order. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensor_bridge.mqtt.outbox_store import GivenUp, OutgoingEvent
from sensor_bridge.mqtt.topics import Channel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# What gives way first where there is no room; repetitions, and what people said, come last.
_LEAST_DEAR = tuple(channel.value.rpartition("/")[2] for channel in (Channel.FAULT, Channel.SET))
_LONGEST_ACCOUNT = 100_000


class UnsavedEvents:
    """Holds events until they can be saved or sent.

    Where more come than fit, these give way, in this order: earlier revisions of an event that is here in a
    later one (nothing is lost by that), movements broken off, summaries of sets, and then the oldest.

    Parameters
    ----------
    limit
        How many may wait.

    Attributes
    ----------
    n_lost
        How many were given up so far.
    losses
        Which, until somebody has written them down and clears the list; the first 100 000.
    """

    def __init__(self, limit: int) -> None:
        self.n_lost = 0
        self.losses: list[GivenUp] = []
        self._limit = limit
        self._events: dict[tuple[str, int], OutgoingEvent] = {}

    def __len__(self) -> int:
        return len(self._events)

    def __iter__(self) -> Iterator[OutgoingEvent]:
        return iter(self._events.values())

    def add(self, events: Iterable[OutgoingEvent], now_ms: int) -> None:
        """Take events in; those already here stay where they are."""
        for event in events:
            self._events.setdefault(_key(event), event)
        if len(self._events) > self._limit:
            self._drop_superseded()
        while len(self._events) > self._limit:
            given_up = self._least_dear()
            self.discard([given_up])
            self.n_lost += 1
            if len(self.losses) < _LONGEST_ACCOUNT:
                self.losses.append(GivenUp(given_up.event_id, given_up.revision, given_up.topic, now_ms))

    def discard(self, events: Iterable[OutgoingEvent]) -> None:
        """Let go of events that were saved or sent."""
        for event in events:
            self._events.pop(_key(event), None)

    def _drop_superseded(self) -> None:
        newest: dict[str, int] = {}
        for event in self:
            newest[event.event_id] = max(event.revision, newest.get(event.event_id, 0))
        self._events = {
            key: event for key, event in self._events.items() if event.revision == newest[event.event_id]
        }

    def _least_dear(self) -> OutgoingEvent:
        for kind in _LEAST_DEAR:
            for event in self:
                if event.topic.rpartition("/")[2] == kind:
                    return event
        return next(iter(self))


def _key(event: OutgoingEvent) -> tuple[str, int]:
    return (event.event_id, event.revision)
