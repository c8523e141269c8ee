"""Events on their way to the broker: stored first, published in order, never dropped.

Delivery is at least once: what the broker had just acknowledged when the process was killed goes out again
under the same id and revision, and consumers drop it.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeVar

from sensor_bridge.errors import BrokerRefused, BrokerUnavailable
from sensor_bridge.mqtt.outbox_store import EventState, OutboxStore, OutgoingEvent, StoredEvent, StoreFull

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sensor_bridge.mqtt.client import MqttClient
    from sensor_bridge.mqtt.outbox_store import DeadLetter

log = logging.getLogger(__name__)

FULL_ALARM = "outbox_full"
DEAD_ALARM = "outbox_dead_letters"

_BATCH = 50
_PRUNE_EVERY = 1000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class OutboxSettings:
    """Where events wait and for how long.

    Attributes
    ----------
    path
        The SQLite file.
    max_bytes
        Space granted to the file.
    keep_delivered
        Delivered events kept, so that analysing a recording again does not send them again.
    """

    path: Path
    max_bytes: int = 256 * 1024 * 1024
    keep_delivered: int = 20_000


@dataclass(slots=True)
class OutboxCounts:
    """What went through since the start; `unsaved` is what waits in memory only, the disk being full."""

    stored: int = 0
    delivered: int = 0
    dead: int = 0
    unsaved: int = 0


class Outbox:
    """Stores events and publishes them at QoS 1, one after the other, whenever there is a broker.

    Parameters
    ----------
    settings
        File and limits.
    client
        The connection to publish on.
    on_alarm
        Called in the event loop with a code and a sentence, or with the code and None when it is over.
    """

    def __init__(
        self,
        settings: OutboxSettings,
        client: MqttClient,
        on_alarm: Callable[[str, str | None], None],
    ) -> None:
        self.counts = OutboxCounts()
        self._settings = settings
        self._client = client
        self._on_alarm = on_alarm
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="outbox")
        self._store: OutboxStore | None = None
        self._unsaved: dict[tuple[str, int], OutgoingEvent] = {}
        self._is_full = False
        # Positions whose outcome is known here but not yet on the disk.
        self._delivered: list[int] = []
        self._refused: set[int] = set()
        self._work = asyncio.Event()
        self._since_pruning = 0
        client.add_connection_listener(self._on_connection)

    async def __aenter__(self) -> Self:
        def open_store() -> OutboxStore:
            return OutboxStore(self._settings.path, max_bytes=self._settings.max_bytes)

        try:
            self._store = await self._in_thread(open_store)
        except BaseException:
            self._thread.shutdown()
            raise
        await self._prune(keep=self._settings.keep_delivered)
        await self._try_refused_again()
        self._work.set()
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        await self._in_thread(self._opened.close)
        self._thread.shutdown()

    async def put(self, *events: OutgoingEvent) -> None:
        """Store events; they are on the disk when this returns, or in memory with an alarm if it is full."""
        await self._save(events)
        self._work.set()

    async def run(self) -> None:
        """Publish what is pending, for ever; at most one such loop an outbox."""
        while True:
            await self._work.wait()
            self._work.clear()
            await self._drain()

    async def pending(self) -> int:
        """Count what the broker does not have yet."""
        stored = await self._in_thread(lambda: self._opened.count(EventState.PENDING))
        return stored - len(self._delivered) - len(self._refused) + len(self._unsaved)

    async def dead_letters(self) -> list[DeadLetter]:
        """List the events the broker refused, with its reasons."""
        return await self._in_thread(self._opened.dead_letters)

    async def revive_dead_letters(self) -> int:
        """Send the refused events again, the broker's access rules having been mended; returns how many."""
        revived = await self._in_thread(self._opened.revive)
        self._on_alarm(DEAD_ALARM, None)
        self._work.set()
        return revived

    @property
    def _opened(self) -> OutboxStore:
        if self._store is None:
            raise RuntimeError("use the outbox inside 'async with'")
        return self._store

    async def _drain(self) -> None:
        while self._client.is_connected:
            await self._save()
            batch = await self._next_batch()
            if batch:
                if not await self._publish_stored(batch):
                    return
            elif not await self._publish_unsaved():
                return

    async def _next_batch(self) -> list[StoredEvent]:
        settled = self._refused.union(self._delivered)
        rows = await self._in_thread(lambda: self._opened.pending(_BATCH + len(settled)))
        return [stored for stored in rows if stored.position not in settled]

    async def _publish_stored(self, batch: Sequence[StoredEvent]) -> bool:
        try:
            for stored in batch:
                try:
                    await self._client.publish(stored.event.topic, stored.event.body, qos=1)
                except BrokerUnavailable:
                    return False
                except (BrokerRefused, ValueError) as error:
                    await self._bury(stored, str(error))
                else:
                    self._delivered.append(stored.position)
                    self.counts.delivered += 1
        finally:
            await self._mark()
        return True

    async def _publish_unsaved(self) -> bool:
        if not self._unsaved:
            return False
        key, event = next(iter(self._unsaved.items()))
        try:
            await self._client.publish(event.topic, event.body, qos=1)
        except BrokerUnavailable:
            return False
        except (BrokerRefused, ValueError) as error:
            self._on_alarm(DEAD_ALARM, f"an event is lost, refused and not stored: {error}")
            self.counts.dead += 1
        else:
            self.counts.delivered += 1
        # Where it was saved meanwhile it goes out once more, under the same id.
        self._unsaved.pop(key, None)
        self.counts.unsaved = len(self._unsaved)
        return True

    async def _save(self, events: Sequence[OutgoingEvent] = ()) -> None:
        waiting = (*self._unsaved.values(), *events)
        if not waiting:
            return
        try:
            stored = await self._in_thread(lambda: self._insert_making_room(waiting))
        except StoreFull as error:
            self._unsaved |= {(event.event_id, event.revision): event for event in events}
            self._is_full = True
            self._on_alarm(FULL_ALARM, f"{error}; {len(self._unsaved)} events wait in memory only")
        else:
            self.counts.stored += stored
            for event in waiting:
                self._unsaved.pop((event.event_id, event.revision), None)
            if self._is_full:
                self._is_full = False
                self._on_alarm(FULL_ALARM, None)
        self.counts.unsaved = len(self._unsaved)

    async def _bury(self, stored: StoredEvent, reason: str) -> None:
        log.error("event %s is put aside: %s", stored.event.event_id, reason)
        self.counts.dead += 1
        try:
            await self._in_thread(lambda: self._opened.mark_dead(stored.position, reason))
        except StoreFull as error:
            self._refused.add(stored.position)
            self._on_alarm(FULL_ALARM, str(error))
        self._on_alarm(DEAD_ALARM, f"{self.counts.dead} events put aside, the last because {reason}")

    async def _mark(self) -> None:
        if not self._delivered:
            return
        positions = tuple(self._delivered)
        try:
            await asyncio.shield(self._in_thread(lambda: self._opened.mark_delivered(positions)))
        except StoreFull as error:
            self._on_alarm(FULL_ALARM, str(error))
            return
        del self._delivered[: len(positions)]
        self._since_pruning += len(positions)
        if self._since_pruning >= _PRUNE_EVERY:
            await self._prune(keep=self._settings.keep_delivered)

    def _insert_making_room(self, events: Sequence[OutgoingEvent]) -> int:
        try:
            return self._opened.insert(events)
        except StoreFull:
            self._opened.prune(keep=0)
            return self._opened.insert(events)

    async def _try_refused_again(self) -> None:
        # Whoever started us anew may have mended the broker's rules; what is refused again alarms again.
        try:
            revived = await self._in_thread(self._opened.revive)
        except StoreFull as error:
            self._on_alarm(FULL_ALARM, str(error))
            return
        if revived:
            log.info("%d events the broker had refused go out again", revived)

    async def _prune(self, *, keep: int) -> None:
        self._since_pruning = 0
        try:
            await self._in_thread(lambda: self._opened.prune(keep=keep))
        except StoreFull as error:
            self._on_alarm(FULL_ALARM, str(error))

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def _on_connection(self, is_connected: bool) -> None:
        if is_connected:
            self._work.set()
