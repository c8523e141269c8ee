"""The outbox on disk: events and what became of them, in SQLite. Blocking; used from one thread.

Rows are keyed by event id and revision, and inserting a known one does nothing: analysing a recording again
after a crash cannot publish twice what was stored once.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from sensor_bridge.errors import BridgeError, UserInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_FORMAT = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS event (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    topic TEXT NOT NULL,
    body BLOB NOT NULL,
    state INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    UNIQUE (event_id, revision)
);
CREATE INDEX IF NOT EXISTS event_by_state ON event (state, position);
"""


class EventState(IntEnum):
    """What became of an event."""

    PENDING = 0
    DELIVERED = 1
    DEAD = 2


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
    """An event the broker refused, and what it said."""

    event: OutgoingEvent
    reason: str


class OutboxStore:
    """The SQLite file of an outbox, locked against other processes while open.

    Parameters
    ----------
    path
        The file; made when absent.
    max_bytes
        Space granted to it; an insert beyond raises `StoreFull`.

    Raises
    ------
    UserInputError
        When the file is in use by another process, or is not an outbox.
    """

    def __init__(self, path: Path, *, max_bytes: int) -> None:
        try:
            self._db = sqlite3.connect(path, isolation_level=None, timeout=1.0)
        except sqlite3.OperationalError as error:
            raise UserInputError(f"the outbox {path} cannot be opened ({error}): check its folder") from error
        try:
            self._prepare(max_bytes)
        except sqlite3.DatabaseError as error:
            self._db.close()
            mend = (
                "another hipline process uses it, stop that one"
                if "locked" in str(error)
                else "move the file away to start with an empty one"
            )
            raise UserInputError(f"the outbox {path} cannot be used ({error}): {mend}") from error

    def _prepare(self, max_bytes: int) -> None:
        db = self._db
        # Two publishers of one outbox would break the order: nobody else may open it.
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        (found,) = db.execute("PRAGMA user_version").fetchone()
        if found not in {0, _FORMAT}:
            raise sqlite3.DatabaseError(f"format {found} is not {_FORMAT}")
        db.executescript(_SCHEMA)
        db.execute(f"PRAGMA user_version = {_FORMAT}")
        (page_size,) = db.execute("PRAGMA page_size").fetchone()
        db.execute(f"PRAGMA max_page_count = {max(8, max_bytes // page_size)}")

    def insert(self, events: Iterable[OutgoingEvent]) -> int:
        """Store events in one durable transaction; known ones are left alone.

        Returns
        -------
        int
            How many were new.

        Raises
        ------
        StoreFull
            Nothing was stored.
        """
        rows = [(event.event_id, event.revision, event.topic, event.body) for event in events]
        statement = "INSERT OR IGNORE INTO event (event_id, revision, topic, body) VALUES (?, ?, ?, ?)"
        return self._write(statement, rows)

    def pending(self, limit: int) -> list[StoredEvent]:
        """List the first `limit` pending events in order of arrival."""
        rows = self._db.execute(
            "SELECT position, event_id, revision, topic, body FROM event"
            " WHERE state = ? ORDER BY position LIMIT ?",
            (EventState.PENDING, limit),
        )
        return [StoredEvent(position, OutgoingEvent(*rest)) for position, *rest in rows]

    def mark_delivered(self, positions: Sequence[int]) -> None:
        """Note that the broker has these events; only their names are kept."""
        self._write(
            "UPDATE event SET state = ?, body = x'' WHERE position = ?",
            [(EventState.DELIVERED, position) for position in positions],
        )

    def mark_dead(self, position: int, reason: str) -> None:
        """Put an event aside that the broker refuses."""
        self._write(
            "UPDATE event SET state = ?, reason = ? WHERE position = ?",
            [(EventState.DEAD, reason, position)],
        )

    def dead_letters(self) -> list[DeadLetter]:
        """List the refused events in order of arrival."""
        rows = self._db.execute(
            "SELECT event_id, revision, topic, body, reason FROM event WHERE state = ? ORDER BY position",
            (EventState.DEAD,),
        )
        return [DeadLetter(OutgoingEvent(*event), reason) for *event, reason in rows]

    def revive(self) -> int:
        """Make the refused events pending again; returns how many."""
        return self._write(
            "UPDATE event SET state = ?, reason = NULL WHERE state = ?",
            [(EventState.PENDING, EventState.DEAD)],
        )

    def count(self, state: EventState) -> int:
        """Count the events in a state."""
        (n,) = self._db.execute("SELECT count(*) FROM event WHERE state = ?", (state,)).fetchone()
        return int(n)

    def prune(self, *, keep: int) -> None:
        """Forget delivered events but the last `keep`."""
        self._write(
            "DELETE FROM event WHERE state = ?1 AND position <= coalesce((SELECT position FROM event"
            " WHERE state = ?1 ORDER BY position DESC LIMIT 1 OFFSET ?2), 0)",
            [(EventState.DELIVERED, keep)],
        )

    def close(self) -> None:
        """Close the file and release the lock."""
        self._db.close()

    def _write(self, statement: str, rows: Sequence[Sequence[object]]) -> int:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            changed = self._db.executemany(statement, rows).rowcount
            self._db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise StoreFull(f"the outbox cannot be written: {error}") from error
        return changed
