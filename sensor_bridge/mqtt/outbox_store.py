"""The outbox on disk: events and what became of them, in SQLite. Blocking; used from one thread.

Rows are keyed by event id and revision, and inserting a known one does nothing: analysing a recording again
after a crash cannot publish twice what was stored once.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Self

from sensor_bridge.errors import BridgeError, UserInputError
from sensor_bridge.mqtt.outbox_ownership import mend, ownership

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_FORMAT = 2
_SCHEMA = """
CREATE TABLE IF NOT EXISTS event (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    topic TEXT NOT NULL,
    body BLOB NOT NULL,
    state INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    since_ms INTEGER NOT NULL DEFAULT 0,
    UNIQUE (event_id, revision)
);
CREATE INDEX IF NOT EXISTS event_by_state ON event (state, position);
CREATE TABLE IF NOT EXISTS given_up (
    event_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    topic TEXT NOT NULL,
    at_ms INTEGER NOT NULL
);
"""
_LONGEST_WAIT_S = 5.0
_ROOM_BYTES = 1_000_000


class EventState(IntEnum):
    """What became of an event."""

    PENDING = 0
    DELIVERED = 1
    REFUSED = 2
    EXPIRED = 3


class StoreFull(BridgeError):  # noqa: N818 - named for what was met, like the rest of the error tree
    """The disk, or the space granted to the outbox, is full, or the disk fails."""


@dataclass(frozen=True, slots=True)
class OutgoingEvent:
    """An event to be delivered: the message `body` on `topic`, named by `event_id` and `revision`."""

    event_id: str
    revision: int
    topic: str
    body: bytes


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A pending event and its place in the order of arrival."""

    position: int
    event: OutgoingEvent


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event put aside: `REFUSED` by the broker, or `EXPIRED`; it waited since `since_ms`, UTC ms."""

    position: int
    event: OutgoingEvent
    state: EventState
    reason: str
    since_ms: int


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits on one topic: how many events, and since when the oldest does, UTC ms."""

    topic: str
    waiting: int
    oldest_ms: int


@dataclass(frozen=True, slots=True)
class GivenUp:
    """An event there was no room for: named here so that the loss is known, its body is gone."""

    event_id: str
    revision: int
    topic: str
    at_ms: int


class OutboxStore:
    """The SQLite file of an outbox.

    Parameters
    ----------
    path
        The file; made when absent.
    max_bytes
        Space granted to it; an insert beyond raises `StoreFull`. None: as much as there is.
    is_owner
        Whether this process publishes from it. There is one such process at a time; others may look, and
        change what became of events.

    Raises
    ------
    UserInputError
        When another process owns the file, it is not an outbox, or cannot be opened.
    """

    def __init__(self, path: Path, *, max_bytes: int | None = None, is_owner: bool = True) -> None:
        self._max_bytes = max_bytes
        self.path = path
        with contextlib.ExitStack() as opened:
            if is_owner:
                opened.enter_context(ownership(path))
            try:
                self._db = sqlite3.connect(path, isolation_level=None, timeout=_LONGEST_WAIT_S)
            except sqlite3.OperationalError as error:
                raise UserInputError(
                    f"the outbox {path} cannot be opened ({error}): check its folder"
                ) from error
            opened.callback(self._db.close)
            try:
                self._prepare()
            except sqlite3.DatabaseError as error:
                raise UserInputError(f"the outbox {path} cannot be used ({error}): {mend(error)}") from error
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self.close()

    def _prepare(self) -> None:
        db = self._db
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        (found,) = db.execute("PRAGMA user_version").fetchone()
        if found not in range(_FORMAT + 1):
            raise sqlite3.DatabaseError(f"format {found} is not {_FORMAT}")
        if found != _FORMAT:
            if found == 1:
                db.execute("ALTER TABLE event ADD COLUMN since_ms INTEGER NOT NULL DEFAULT 0")
            db.executescript(_SCHEMA)
            db.execute(f"PRAGMA user_version = {_FORMAT}")
        self._page_bytes = int(db.execute("PRAGMA page_size").fetchone()[0])
        if self._max_bytes is not None:
            db.execute(f"PRAGMA max_page_count = {max(16, self._max_bytes // self._page_bytes)}")

    def insert(self, events: Iterable[OutgoingEvent], *, since_ms: int = 0) -> int:
        """Store events in one durable transaction; known ones are left alone.

        Parameters
        ----------
        events
            In the order they shall be published.
        since_ms
            From when on they wait, UTC ms; 0: from when `date` is called.

        Returns
        -------
        int
            How many were new.

        Raises
        ------
        StoreFull
            Nothing was stored.
        """
        rows = [(event.event_id, event.revision, event.topic, event.body, since_ms) for event in events]
        return self._write(
            "INSERT OR IGNORE INTO event (event_id, revision, topic, body, since_ms) VALUES (?, ?, ?, ?, ?)",
            rows,
        )

    def date(self, now_ms: int) -> None:
        """Let those wait from now on whose beginning is unknown, or in the future (a clock set back)."""
        self._write(
            "UPDATE event SET since_ms = ?1 WHERE state = ?2 AND (since_ms = 0 OR since_ms > ?1)",
            [(now_ms, EventState.PENDING)],
        )

    def pending(self, limit: int) -> list[StoredEvent]:
        """List the first `limit` pending events in order of arrival."""
        rows = self._read(
            "SELECT position, event_id, revision, topic, body FROM event"
            " WHERE state = ? ORDER BY position LIMIT ?",
            (EventState.PENDING, limit),
        )
        return [StoredEvent(position, OutgoingEvent(*rest)) for position, *rest in rows]

    def mark_delivered(self, position: int) -> None:
        """Note that the broker has this event; only its name is kept.

        A power cut may take the note back, and the event then goes out twice; the death of the process
        cannot.
        """
        self._db.execute("PRAGMA synchronous = NORMAL")
        try:
            self._write(
                "UPDATE event SET state = ?, body = x'' WHERE position = ?",
                [(EventState.DELIVERED, position)],
            )
        finally:
            self._db.execute("PRAGMA synchronous = FULL")

    def mark_refused(self, position: int, reason: str) -> None:
        """Put an event aside that the broker refuses."""
        self._write(
            "UPDATE event SET state = ?, reason = ? WHERE position = ?",
            [(EventState.REFUSED, reason, position)],
        )

    def expire(self, before_ms: int, reason: str) -> int:
        """Put the events aside that have waited since before then; returns how many."""
        return self._write(
            "UPDATE event SET state = ?, reason = ? WHERE state = ? AND since_ms > 0 AND since_ms < ?",
            [(EventState.EXPIRED, reason, EventState.PENDING, before_ms)],
        )

    def dead_letters(self) -> list[DeadLetter]:
        """List the events put aside in order of arrival."""
        rows = self._read(
            "SELECT position, event_id, revision, topic, body, state, reason, since_ms FROM event"
            " WHERE state IN (2, 3) ORDER BY position"
        )
        return [
            DeadLetter(position, OutgoingEvent(*event), EventState(state), reason, since_ms)
            for position, *event, state, reason, since_ms in rows
        ]

    def revive(self, *states: EventState) -> int:
        """Make the events put aside in these states pending again; returns how many."""
        return self._write(
            "UPDATE event SET state = ?, reason = NULL, since_ms = 0 WHERE state = ?",
            [(EventState.PENDING, state) for state in states],
        )

    def revive_topic(self, topic: str) -> int:
        """Make the events refused on one topic pending again; returns how many."""
        return self._write(
            "UPDATE event SET state = ?, reason = NULL WHERE state = ? AND topic = ?",
            [(EventState.PENDING, EventState.REFUSED, topic)],
        )

    def revive_probes(self) -> set[int]:
        """Make the oldest refused event of each topic pending again; returns their positions."""
        rows = self._read(
            "SELECT min(position) FROM event WHERE state = ? GROUP BY topic", (EventState.REFUSED,)
        )
        probes = {int(position) for (position,) in rows}
        self._write(
            "UPDATE event SET state = ?, reason = NULL WHERE position = ?",
            [(EventState.PENDING, position) for position in probes],
        )
        return probes

    def remove_dead_letters(self, positions: Iterable[int]) -> int:
        """Forget events put aside; returns how many."""
        return self._write(
            "DELETE FROM event WHERE state IN (2, 3) AND position = ?",
            [(position,) for position in positions],
        )

    def count(self, state: EventState) -> int:
        """Count the events in a state."""
        ((n,),) = self._read("SELECT count(*) FROM event WHERE state = ?", (state,))
        return int(n)

    def queues(self) -> list[Queue]:
        """Tell what waits, by topic."""
        rows = self._read(
            "SELECT topic, count(*), min(since_ms) FROM event WHERE state = ? GROUP BY topic ORDER BY topic",
            (EventState.PENDING,),
        )
        return [Queue(*row) for row in rows]

    def fill(self) -> float:
        """Tell which share of the granted space is in use, 0 to 1; 0 where there is no bound."""
        if self._max_bytes is None:
            return 0.0
        return self._pages_used() * self._page_bytes / self._max_bytes

    def prune(self, *, keep: int) -> None:
        """Forget delivered events but the last `keep`."""
        self._write(
            "DELETE FROM event WHERE state = ?1 AND position <= coalesce((SELECT position FROM event"
            " WHERE state = ?1 ORDER BY position DESC LIMIT 1 OFFSET ?2), 0)",
            [(EventState.DELIVERED, keep)],
        )

    def drop_superseded(self) -> int:
        """Forget pending events of which a later revision waits too; returns how many."""
        return self._write(
            "DELETE FROM event WHERE state = ?1 AND EXISTS (SELECT 1 FROM event AS later WHERE"
            " later.event_id = event.event_id AND later.revision > event.revision AND later.state = ?1)",
            [(EventState.PENDING,)],
        )

    def note_given_up(self, losses: Sequence[GivenUp]) -> None:
        """Write down which events there was no room for."""
        self._write(
            "INSERT INTO given_up (event_id, revision, topic, at_ms) VALUES (?, ?, ?, ?)",
            [(loss.event_id, loss.revision, loss.topic, loss.at_ms) for loss in losses],
        )

    def given_up(self) -> list[GivenUp]:
        """List the events there was no room for."""
        return [
            GivenUp(*row)
            for row in self._read("SELECT event_id, revision, topic, at_ms FROM given_up ORDER BY rowid")
        ]

    def try_writing(self) -> None:
        """Change nothing, but on the disk.

        Raises
        ------
        StoreFull
            It cannot be written.
        """
        self._write(f"PRAGMA user_version = {_FORMAT}", None)

    def changes_by_others(self) -> int:
        """Return a number that is another one after another process has changed something."""
        ((version,),) = self._read("PRAGMA data_version")
        return int(version)

    def close(self) -> None:
        """Close the file and give up its ownership."""
        self._opened.close()

    def _pages_used(self) -> int:
        ((pages,),) = self._read("PRAGMA page_count")
        ((free,),) = self._read("PRAGMA freelist_count")
        return int(pages) - int(free)

    def _read(self, statement: str, values: Sequence[object] = ()) -> list[Any]:
        try:
            return self._db.execute(statement, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise StoreFull(f"the outbox cannot be read: {error}: {mend(error)}") from error

    def _write(self, statement: str, rows: Sequence[Sequence[object]] | None) -> int:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            changed = (
                self._db.execute(statement) if rows is None else self._db.executemany(statement, rows)
            ).rowcount
            self._db.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise StoreFull(self._why_full(error)) from error
        return max(0, changed)

    def _why_full(self, error: sqlite3.DatabaseError) -> str:
        # A full disk and a reached bound come as the same error.
        is_full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        if is_full and self._max_bytes is not None and self._has_room():
            return f"the outbox is full: all of its {self._max_bytes / 1e6:g} MB wait for the broker"
        return f"the outbox cannot be written: {error}: {mend(error)}"

    def _has_room(self) -> bool:
        try:
            return shutil.disk_usage(self.path.parent).free > _ROOM_BYTES
        except OSError:
            return False
