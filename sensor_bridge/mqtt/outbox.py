"""Events on their way to the broker: stored first, published in order, never dropped in silence.

Delivery is at least once: the one event that the broker had just acknowledged when the process was killed
goes out again under the same id and revision, and consumers drop it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Self, TypeVar

from sensor_bridge.errors import BrokerRefused, BrokerUnavailable
from sensor_bridge.mqtt.outbox_alarms import OutboxAlarms
from sensor_bridge.mqtt.outbox_settings import DAY_S, OutboxCounts, OutboxSettings
from sensor_bridge.mqtt.outbox_store import EventState, OutboxStore, OutgoingEvent, StoredEvent, StoreFull
from sensor_bridge.mqtt.settings import Protocol
from sensor_bridge.mqtt.unsaved_events import UnsavedEvents

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sensor_bridge.mqtt.client import MqttClient
    from sensor_bridge.mqtt.outbox_store import DeadLetter

log = logging.getLogger(__name__)

_BATCH = 50
_PRUNE_EVERY = 1000
_UPKEEP_PERIOD_S = 2.0
# A new connection may mean new rules; one that hangs up on what it refuses shall not be pressed.
_PROBE_AFTER_CONNECTING_S = 5.0
# A message the broker hangs up on, again and again, must not hold up all that come after it.
_LONGEST_SERIES_OF_LOSSES = 10

T = TypeVar("T")


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
    now_ms
        The clock, UTC in ms since 1970.
    """

    def __init__(
        self,
        settings: OutboxSettings,
        client: MqttClient,
        on_alarm: Callable[[str, str | None], None],
        now_ms: Callable[[], float] = lambda: time.time() * 1000.0,
    ) -> None:
        self.counts = OutboxCounts()
        self._settings = settings
        self._client = client
        self._alarms = OutboxAlarms(on_alarm)
        self._now_ms = now_ms
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="outbox")
        self._store: OutboxStore | None = None
        self._saving = asyncio.Lock()
        self._unsaved = UnsavedEvents(settings.memory_events)
        self._is_full = False
        self._why_full = StoreFull("")
        # What became of events is known here but could not yet be written down.
        self._delivered: list[int] = []
        self._refused: dict[int, str] = {}
        self._refused_unsaved: set[OutgoingEvent] = set()
        self._losses: Counter[int] = Counter()
        self._probes: set[int] = set()
        self._changes_by_others = 0
        self._last_reason: str | None = None
        self._probed_s = 0.0
        self._is_newly_connected = False
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
        with contextlib.suppress(StoreFull):  # the first event to be saved tells
            await self._in_thread(lambda: self._opened.prune(keep=self._settings.keep_delivered))
            # Whoever started us anew may have mended the broker's rules; what is refused again alarms again.
            if revived := await self._in_thread(lambda: self._opened.revive(EventState.REFUSED)):
                log.info("%d events the broker had refused go out again", revived)
            await self._in_thread(lambda: self._opened.date(round(self._now_ms())))
            await self._tell_dead()
        self._work.set()
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        with contextlib.suppress(StoreFull):
            await self._save_unsaved()
        if self._unsaved:
            log.error(
                "%d events end with this process, neither saved nor delivered: the disk is full",
                len(self._unsaved),
            )
        await self._in_thread(self._opened.close)
        self._thread.shutdown()

    async def put(self, *events: OutgoingEvent) -> None:
        """Store events; they are on the disk when this returns, or in memory with an alarm if it is full."""
        async with self._saving:
            try:
                if self._unsaved:  # what waits in memory goes first; `run` tries to save it
                    raise self._why_full
                await self._insert(events)
            except StoreFull as error:
                self._why_full = error
                self._unsaved.add(events, round(self._now_ms()))
                self._tell_full(error)
        self._work.set()

    async def run(self) -> None:
        """Publish what is pending, for ever; at most one such loop an outbox."""
        loop = asyncio.get_running_loop()
        upkeep_s = self._probed_s = loop.time()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(upkeep_s):  # wait_for may swallow a cancellation
                    await self._work.wait()
            self._work.clear()
            try:
                if loop.time() >= upkeep_s:
                    upkeep_s = loop.time() + _UPKEEP_PERIOD_S
                    await self._keep_up()
                await self._drain()
            except StoreFull as error:
                self._tell_full(error)

    async def pending(self) -> int:
        """Count what the broker does not have yet and may still get."""
        unsaved = len(self._unsaved) - len(self._refused_unsaved)
        try:
            stored = await self._in_thread(lambda: self._opened.count(EventState.PENDING))
        except StoreFull:  # nobody knows: at least one
            return max(1, unsaved)
        return stored - len(self._delivered) - len(self._refused) + unsaved

    async def dead_letters(self) -> list[DeadLetter]:
        """List the events put aside, with the reasons."""
        return await self._in_thread(self._opened.dead_letters)

    async def revive_dead_letters(self) -> int:
        """Send the events put aside again, the broker's access rules having been mended; returns how many."""
        states = (EventState.REFUSED, EventState.EXPIRED)
        revived = await self._in_thread(lambda: self._opened.revive(*states))
        await self._in_thread(lambda: self._opened.date(round(self._now_ms())))
        await self._tell_dead()
        self._work.set()
        return revived

    @property
    def _opened(self) -> OutboxStore:
        if self._store is None:
            raise RuntimeError("use the outbox inside 'async with'")
        return self._store

    async def _drain(self) -> None:
        while self._client.is_connected:
            await self._save_unsaved()
            batch = await self._next_batch()
            if batch:
                if not await self._publish_stored(batch):
                    return
            elif not await self._publish_unsaved():
                return

    async def _next_batch(self) -> list[StoredEvent]:
        settled = {*self._delivered, *self._refused}
        rows = await self._in_thread(lambda: self._opened.pending(_BATCH + len(settled)))
        return [stored for stored in rows if stored.position not in settled]

    async def _publish_stored(self, batch: Sequence[StoredEvent]) -> bool:
        for stored in batch:
            if not self._client.is_connected:
                return False
            try:
                await self._client.publish(stored.event.topic, stored.event.body, qos=1)
            except BrokerUnavailable as error:
                self._losses[stored.position] += 1
                if self._losses[stored.position] < _LONGEST_SERIES_OF_LOSSES:
                    return False
                await self._bury(stored, f"each time it was sent the connection was lost: {error}")
            except (BrokerRefused, ValueError) as error:
                await self._bury(stored, str(error))
            else:
                await self._mark_delivered(stored)
        return True

    async def _publish_unsaved(self) -> bool:
        event = next((event for event in self._unsaved if event not in self._refused_unsaved), None)
        if event is None:
            return False
        try:
            await self._client.publish(event.topic, event.body, qos=1)
        except BrokerUnavailable:
            return False
        except (BrokerRefused, ValueError) as error:
            # It stays, and is put aside when there is room to write that down.
            self._refused_unsaved.add(event)
            log.error("event %s is refused: %s", event.event_id, error)  # noqa: TRY400 - the reason says it all
        else:
            self.counts.delivered += 1
            # Where it was saved meanwhile it goes out once more, under the same id.
            self._forget_unsaved([event])
        return True

    async def _save_unsaved(self) -> None:
        async with self._saving:
            try:
                while waiting := tuple(islice(self._unsaved, _BATCH)):
                    await self._insert(waiting)
                    self._forget_unsaved(waiting)
                if losses := tuple(self._unsaved.losses):
                    await self._in_thread(lambda: self._opened.note_given_up(losses))
                    del self._unsaved.losses[: len(losses)]
                await self._write_outcomes_down()
                if self._is_full:  # nothing to write is no sign of room
                    await self._in_thread(self._opened.try_writing)
            except StoreFull as error:
                self._tell_full(error)
            else:
                self._is_full = False
                self._alarms.full(None, 0)

    async def _insert(self, events: Sequence[OutgoingEvent]) -> None:
        now_ms = round(self._now_ms())
        self.counts.stored += await self._in_thread(lambda: self._insert_making_room(events, now_ms))

    def _insert_making_room(self, events: Sequence[OutgoingEvent], now_ms: int) -> int:
        try:
            return self._opened.insert(events, since_ms=now_ms)
        except StoreFull:
            self._opened.prune(keep=0)
            if dropped := self._opened.drop_superseded():
                log.warning(
                    "the outbox makes room: %d revisions overtaken by later ones are dropped", dropped
                )
            return self._opened.insert(events, since_ms=now_ms)

    def _forget_unsaved(self, events: Sequence[OutgoingEvent]) -> None:
        self._unsaved.discard(events)
        self._refused_unsaved.intersection_update(self._unsaved)
        self.counts.unsaved = len(self._unsaved)

    def _tell_full(self, error: StoreFull) -> None:
        self._is_full = True
        self.counts.unsaved = len(self._unsaved)
        self._alarms.full(str(error), len(self._unsaved))
        self._alarms.lost(self._unsaved.n_lost)

    async def _mark_delivered(self, stored: StoredEvent) -> None:
        self.counts.delivered += 1
        self._losses.pop(stored.position, None)
        self._delivered.append(stored.position)
        try:
            # Cancelled here, the note is made all the same: the event shall not go out twice for that.
            await asyncio.shield(self._write_deliveries_down())
        except StoreFull as error:
            self._tell_full(error)
            return
        if stored.position in self._probes:
            self._probes.discard(stored.position)
            await self._in_thread(lambda: self._opened.revive_topic(stored.event.topic))
            await self._tell_dead()
        self._since_pruning += 1
        if self._since_pruning >= _PRUNE_EVERY:
            self._since_pruning = 0
            await self._in_thread(lambda: self._opened.prune(keep=self._settings.keep_delivered))

    async def _write_outcomes_down(self) -> None:
        await self._write_deliveries_down()
        for position, reason in tuple(self._refused.items()):
            await self._in_thread(partial(self._opened.mark_refused, position, reason))
            del self._refused[position]

    async def _write_deliveries_down(self) -> None:
        for position in tuple(self._delivered):
            await self._in_thread(partial(self._opened.mark_delivered, position))
            if position in self._delivered:  # else a note begun before a cancellation was sooner
                self._delivered.remove(position)

    async def _bury(self, stored: StoredEvent, reason: str) -> None:
        level = logging.DEBUG if reason == self._last_reason else logging.ERROR
        log.log(level, "event %s is put aside: %s", stored.event.event_id, reason)
        self.counts.dead += 1
        self._losses.pop(stored.position, None)
        self._probes.discard(stored.position)
        self._refused[stored.position] = reason
        self._last_reason = reason
        try:
            await self._write_outcomes_down()
            await self._tell_dead()
        except StoreFull as error:
            self._tell_full(error)

    async def _keep_up(self) -> None:
        """See to what time brings about: room on the disk, age, mended rules, a person with a command."""
        await self._save_unsaved()
        await self._tell_space()
        if self._client.is_connected and self._client.settings.protocol is Protocol.AUTO:
            self._alarms.blind(self._client.protocol is Protocol.V311)
        before_ms = round(self._now_ms() - self._settings.expire_after_s * 1000)
        why = f"no broker took it within {self._settings.expire_after_s / DAY_S:g} days"
        expired = await self._in_thread(lambda: self._opened.expire(before_ms, why))
        changes = await self._in_thread(self._opened.changes_by_others)
        if expired or changes != self._changes_by_others:
            self._changes_by_others = changes
            await self._in_thread(lambda: self._opened.date(round(self._now_ms())))
            await self._tell_dead()
            self._work.set()
        now_s, wait_s = asyncio.get_running_loop().time(), self._settings.retry_refused_s
        if self._is_newly_connected:
            wait_s = min(wait_s, _PROBE_AFTER_CONNECTING_S)
        if self._client.is_connected and now_s - self._probed_s >= wait_s:
            self._probes |= await self._in_thread(self._opened.revive_probes)
            self._probed_s, self._is_newly_connected = now_s, False
            self._work.set()

    async def _tell_space(self) -> None:
        self._alarms.filling(await self._in_thread(self._opened.fill))
        folder = self._settings.path.parent
        with contextlib.suppress(OSError):  # the folder is gone: writing tells
            usage = await self._in_thread(lambda: shutil.disk_usage(folder))
            self._alarms.disk(usage.free, self._settings.low_disk_bytes)

    async def _tell_dead(self) -> None:
        refused = await self._in_thread(lambda: self._opened.count(EventState.REFUSED))
        expired = await self._in_thread(lambda: self._opened.count(EventState.EXPIRED))
        self._alarms.dead(refused + len(self._probes), expired, self._last_reason)

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def _on_connection(self, is_connected: bool) -> None:
        if is_connected:
            self._is_newly_connected = True
            self._work.set()
