"""The archive's file: sessions, who took part, and the last revision of each event, in SQLite. Blocking.

Writing the same twice changes nothing: a bridge that reads its frame log again after a crash writes all
events once more. Readers open the file beside the writer (WAL); what was deleted is overwritten on the disk.
"""

from __future__ import annotations

import json
import os
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Self, TypeAlias

from sensor_bridge.errors import BridgeError
from sensor_bridge.mqtt import payloads
from sensor_bridge.overwriting import overwrite_deleted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from types import TracebackType

    import msgspec

FILE_NAME = "archive.sqlite"
_MIGRATIONS = (
    """
    CREATE TABLE session (
        session TEXT PRIMARY KEY,
        started_ms REAL NOT NULL,
        ended_ms REAL,
        is_whole INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
    CREATE TABLE participation (
        session TEXT NOT NULL REFERENCES session,
        athlete TEXT NOT NULL,
        name TEXT NOT NULL,
        PRIMARY KEY (session, athlete)
    ) WITHOUT ROWID;
    CREATE INDEX participation_by_athlete ON participation (athlete, session);
    CREATE TABLE event (
        event_id TEXT PRIMARY KEY,
        session TEXT NOT NULL,
        athlete TEXT NOT NULL,
        channel TEXT NOT NULL,
        revision INTEGER NOT NULL,
        time_ms REAL NOT NULL,
        stands INTEGER NOT NULL,
        set_number INTEGER,
        repetition INTEGER,
        exercise TEXT,
        faults TEXT NOT NULL,
        data BLOB NOT NULL
    );
    CREATE INDEX event_of_session ON event (session, athlete, channel, stands);
    CREATE INDEX event_of_athlete ON event (athlete, channel, exercise);
    """,
    """
    CREATE TABLE prescription (
        session TEXT NOT NULL,
        athlete TEXT NOT NULL,
        since_ms REAL NOT NULL,
        data BLOB,
        PRIMARY KEY (session, athlete, since_ms)
    ) WITHOUT ROWID;
    """,
)
"""Schemas by version: each turns the one before into itself. ``PRAGMA user_version`` counts them."""


class ArchiveFull(BridgeError):  # noqa: N818 - named for what was met, like the rest of the error tree
    """The disk is full or fails; nothing of what was to be written was."""


class ArchiveUnusable(BridgeError):  # noqa: N818 - named for what was met, like the rest of the error tree
    """The file is no archive, or a newer Hipline made it."""


@dataclass(frozen=True, slots=True)
class SessionBegun:
    """A session, and who takes part: athlete ids and the names people read."""

    session: str
    started_ms: float
    athletes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class EventTold:
    """A revision of an event.

    Parameters
    ----------
    session, athlete
        Where it belongs.
    channel
        Last part of its topic: ``rep``, ``set``, ``fault``, ``note``.
    event_id, revision
        Its name; of all revisions the highest is kept.
    time_ms
        When it happened, UTC.
    data
        The payload.
    """

    session: str
    athlete: str
    channel: str
    event_id: str
    revision: int
    time_ms: float
    data: msgspec.Struct


@dataclass(frozen=True, slots=True)
class PrescriptionTold:
    """What an athlete is asked from a time on, UTC ms; None: nothing."""

    session: str
    athlete: str
    since_ms: float
    data: msgspec.Struct | None


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """A session is over; `is_whole` says that all of its events were written."""

    session: str
    ended_ms: float | None
    is_whole: bool


_COLUMNS = (
    "event_id",
    "session",
    "athlete",
    "channel",
    "revision",
    "time_ms",
    "stands",
    "set_number",
    "repetition",
    "exercise",
    "faults",
    "data",
)
_INSERT_EVENT = (
    f"INSERT INTO event ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608 - our own names
    f" ON CONFLICT (event_id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _COLUMNS[4:])}"
    " WHERE excluded.revision > event.revision"
)

Entry: TypeAlias = SessionBegun | EventTold | PrescriptionTold | SessionEnded


class ArchiveStore:
    """The file, open for writing.

    Parameters
    ----------
    path
        Made when absent, for its owner only.

    Raises
    ------
    ArchiveUnusable
        The file is no archive, or a newer Hipline made it.
    ArchiveFull
        The disk refuses.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._db = sqlite3.connect(path, isolation_level=None, timeout=10.0)
        except (OSError, sqlite3.OperationalError) as error:
            raise ArchiveFull(f"the archive {path} cannot be opened: {error}") from error
        try:
            self._prepare()
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise _translated(error, path) from error
        except BridgeError:
            self._db.close()
            raise

    def _prepare(self) -> None:
        db = self._db
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")  # the frame log is what survives a power cut
        db.execute("PRAGMA secure_delete = ON")
        (found,) = db.execute("PRAGMA user_version").fetchone()
        if found > len(_MIGRATIONS):
            raise ArchiveUnusable(
                f"the archive {self._path} has format {found}, this program knows {len(_MIGRATIONS)}: "
                "a newer Hipline made it, update this one"
            )
        for version, script in enumerate(_MIGRATIONS[found:], start=found + 1):
            db.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {version}; COMMIT")

    def write(self, entries: Iterable[Entry]) -> None:
        """Write entries in one transaction, in order.

        Raises
        ------
        ArchiveFull
            None of them was written.
        ArchiveUnusable
            The file is damaged.
        """
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for entry in entries:
                self._write(entry)
            self._db.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise _translated(error, self._path) from error

    def unfinished(self, sessions: Sequence[str]) -> list[str]:
        """Name those of `sessions` of which something may be missing here, in the order given."""
        whole = {row[0] for row in self._db.execute("SELECT session FROM session WHERE is_whole")}
        return [session for session in sessions if session not in whole]

    def delete_athlete(self, athlete: str) -> dict[str, int]:
        """Delete all of an athlete, and sessions that nobody else took part in; the disk keeps no trace.

        Returns
        -------
        dict[str, int]
            Rows deleted, by table.

        Raises
        ------
        ArchiveFull
            Somebody else is writing, or the disk refuses: nothing was deleted, or not all was overwritten.
        """
        statements = {
            "event": "DELETE FROM event WHERE athlete = ?",
            "prescription": "DELETE FROM prescription WHERE athlete = ?",
            "session": "DELETE FROM session WHERE session IN (SELECT session FROM participation"
            " GROUP BY session HAVING min(athlete) = ?1 AND max(athlete) = ?1)",
            "participation": "DELETE FROM participation WHERE athlete = ?",
        }
        try:
            self._db.execute("BEGIN IMMEDIATE")
            deleted = {
                table: self._db.execute(statement, (athlete,)).rowcount
                for table, statement in statements.items()
            }
            self._db.execute("COMMIT")
            overwrite_deleted(self._db)
        except sqlite3.DatabaseError as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise _translated(error, self._path) from error
        return deleted

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _write(self, entry: Entry) -> None:
        db = self._db
        match entry:
            case SessionBegun(session=session, started_ms=started_ms, athletes=athletes):
                db.execute(
                    "INSERT OR IGNORE INTO session (session, started_ms) VALUES (?, ?)", (session, started_ms)
                )
                db.executemany(
                    "INSERT OR REPLACE INTO participation (session, athlete, name) VALUES (?, ?, ?)",
                    [(session, athlete, name) for athlete, name in athletes],
                )
            case EventTold():
                db.execute(
                    _INSERT_EVENT,
                    _row(entry),
                )
            case PrescriptionTold(session=session, athlete=athlete, since_ms=since_ms, data=data):
                # Said again at each start of the bridge: only what is new is kept.
                body = None if data is None else payloads.encode(data)
                before = db.execute(
                    "SELECT data FROM prescription WHERE session = ? AND athlete = ? AND since_ms <= ?"
                    " ORDER BY since_ms DESC LIMIT 1",
                    (session, athlete, since_ms),
                ).fetchone()
                if (before or (None,))[0] != body:
                    db.execute(
                        "INSERT OR REPLACE INTO prescription VALUES (?, ?, ?, ?)",
                        (session, athlete, since_ms, body),
                    )
            case SessionEnded(session=session, ended_ms=ended_ms, is_whole=is_whole):
                db.execute(
                    "UPDATE session SET ended_ms = coalesce(?, ended_ms), is_whole = max(is_whole, ?)"
                    " WHERE session = ?",
                    (ended_ms, is_whole, session),
                )


def _row(event: EventTold) -> tuple[object, ...]:
    found = _searched(event.data)
    return (
        event.event_id,
        event.session,
        event.athlete,
        event.channel,
        event.revision,
        event.time_ms,
        found.stands,
        found.set_number,
        found.repetition,
        found.exercise,
        json.dumps(found.faults),
        payloads.encode(event.data),
    )


class _Searched(NamedTuple):
    """What lists ask of an event; `faults` holds code and, from sets, the repetition that has it."""

    stands: bool
    set_number: int | None = None
    repetition: int | None = None
    exercise: str | None = None
    faults: Sequence[tuple[str, int | None]] = ()


def _searched(data: msgspec.Struct) -> _Searched:
    match data:
        case payloads.Repetition():
            own = [(fault.code, data.repetition) for fault in data.faults]
            return _Searched(data.status != "withdrawn", data.set, data.repetition, data.exercise, own)
        case payloads.SetSummary():
            faults = [(fault.code, fault.repetition) for fault in data.faults]
            return _Searched(not data.withdrawn, data.set, None, data.exercise, faults)
        case payloads.FaultEvent():
            return _Searched(not data.withdrawn, data.set, None, None, [(data.code, None)])
        case _:
            return _Searched(not getattr(data, "withdrawn", False))


def _translated(error: sqlite3.DatabaseError, path: Path) -> BridgeError:
    if isinstance(error, sqlite3.OperationalError):
        return ArchiveFull(f"the archive {path} cannot be written: {error}")
    return ArchiveUnusable(f"the archive {path} cannot be used ({error}): move it away, it is made anew")
