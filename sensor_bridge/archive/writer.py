"""Keeps the archive beside the measuring: takes events at once, writes them in a thread of its own.

Where the disk refuses, events wait in memory and an alarm says so. Beyond a bound they are let go, and the
session is not marked as whole: it is archived again from its frame log, which holds everything.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, Self

from sensor_bridge.archive.store import (
    ArchiveFull,
    ArchiveStore,
    ArchiveUnusable,
    EventTold,
    PrescriptionTold,
    SessionBegun,
    SessionEnded,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sensor_bridge.archive.store import Entry
    from sensor_bridge.outgoing import Outgoing

log = logging.getLogger(__name__)

ARCHIVE_ALARM = "archive"
_RETRY_S: Final = 5.0
_MOST_WAITING: Final = 20_000
_LONGEST_FAREWELL_S: Final = 5.0


class ArchiveWriter:
    """Writes what one session tells into the archive; use in ``async with``.

    Parameters
    ----------
    path
        ``archive.sqlite``.
    on_alarm
        Called in the event loop with a code and a sentence, or with the code and None when it is over.
    retry_s, most_waiting
        How long to wait where the disk refuses, s, and how many entries wait in memory meanwhile.
    """

    def __init__(
        self,
        path: Path,
        on_alarm: Callable[[str, str | None], None],
        *,
        retry_s: float = _RETRY_S,
        most_waiting: int = _MOST_WAITING,
    ) -> None:
        self._path = path
        self._on_alarm = on_alarm
        self._retry_s = retry_s
        self._most_waiting = most_waiting
        self._waiting: list[Entry] = []
        self._broken: set[str] = set()
        self._work = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="archive")
        self._store: ArchiveStore | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="archive")
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), _LONGEST_FAREWELL_S)
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._waiting:
            log.warning(
                "%d entries of the archive are not written: the next start makes up for it",
                len(self._waiting),
            )
        if self._store is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._store.close)
        self._thread.shutdown()

    def begin(self, session: str, started_ms: float, athletes: dict[str, str]) -> None:
        """Note a session and who takes part: names by athlete id; `started_ms` is UTC."""
        self._put(SessionBegun(session, started_ms, tuple(athletes.items())))

    def take(self, session: str, message: Outgoing) -> None:
        """Note an event that was told."""
        if message.data is None or message.event_id is None:
            raise ValueError(f"{message.channel.name} is no event")
        self._put(
            EventTold(
                session=session,
                athlete=message.ids["athlete"],
                channel=message.channel.value.rpartition("/")[2],
                event_id=message.event_id,
                revision=message.revision,
                time_ms=message.sample_time_ms,
                data=message.data,
            )
        )

    def take_prescription(self, session: str, message: Outgoing) -> None:
        """Note what an athlete is asked from now on."""
        self._put(PrescriptionTold(session, message.ids["athlete"], message.sample_time_ms, message.data))

    def lost(self, session: str) -> None:
        """Note that something of a session could not be kept: it is not called whole."""
        self._broken.add(session)

    def end(self, session: str, ended_ms: float | None) -> None:
        """Note that all was told of a session; `ended_ms` is UTC, None where that is not known."""
        self._put(SessionEnded(session, ended_ms, is_whole=session not in self._broken))

    async def written(self) -> None:
        """Wait until everything taken so far is written, or given up."""
        await self._idle.wait()

    def _put(self, entry: Entry) -> None:
        if len(self._waiting) >= self._most_waiting:
            self._broken.add(entry.session)
            return
        self._waiting.append(entry)
        self._idle.clear()
        self._work.set()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        is_alarmed = False
        while True:
            await self._work.wait()
            self._work.clear()
            batch = tuple(self._waiting)
            try:
                if batch:
                    await loop.run_in_executor(self._thread, self._write, batch)
            except ArchiveFull as error:
                is_alarmed = True
                self._on_alarm(ARCHIVE_ALARM, f"{error}; {len(self._waiting)} entries wait: free some space")
                await asyncio.sleep(self._retry_s)
                self._work.set()
                continue
            except ArchiveUnusable as error:
                # Nothing will mend it while this runs: measuring goes on, the log holds all.
                self._on_alarm(ARCHIVE_ALARM, str(error))
                self._most_waiting = 0
                self._waiting.clear()
                self._idle.set()
                return
            del self._waiting[: len(batch)]
            if is_alarmed:
                is_alarmed = False
                self._on_alarm(ARCHIVE_ALARM, None)
            if not self._waiting:
                self._idle.set()

    def _write(self, entries: tuple[Entry, ...]) -> None:
        if self._store is None:
            self._store = ArchiveStore(self._path)
        self._store.write(entries)
