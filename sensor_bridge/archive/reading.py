"""Asks the archive: who trained, in which sessions, what was measured. Blocking; opens the file each time.

A file that is not there yet holds nothing. What it holds is what consumers were told; an event that this
program cannot read is left out with a warning.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from sensor_bridge.archive.answers import (
    ArchivedFault,
    ArchivedNote,
    ArchivedPrescription,
    ArchivedRepetition,
    ArchivedSet,
    AthleteEntry,
    Progress,
    SessionDetail,
    SessionEntry,
)
from sensor_bridge.archive.progress import metrics_progress, sides_progress
from sensor_bridge.archive.store import FILE_NAME, ArchiveUnusable
from sensor_bridge.mqtt.payloads import Prescription
from sensor_bridge.recording.session import session_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

_PARTS = "SELECT session, athlete, name, started_ms, ended_ms FROM participation JOIN session USING (session)"
# The exercise belongs to the set: its repetitions were told before it was known.
_STANDING_REPETITIONS = (
    " FROM event AS rep JOIN session ON session.session = rep.session"
    " LEFT JOIN event AS whole ON whole.channel = 'set' AND whole.stands AND whole.session = rep.session"
    " AND whole.athlete = rep.athlete AND whole.set_number = rep.set_number"
    " WHERE rep.athlete = ? AND rep.channel = 'rep' AND rep.stands"
)
_EXERCISE = "coalesce(whole.exercise, rep.exercise)"

log = logging.getLogger(__name__)

MOST_SESSIONS: Final = 1000
Data = TypeVar("Data", bound=msgspec.Struct)


class ArchiveReader:
    """Reads the archive of a data folder, also while a bridge writes to it.

    Parameters
    ----------
    data_folder
        Where ``archive.sqlite`` lies.
    """

    def __init__(self, data_folder: Path) -> None:
        self._data_folder = data_folder
        self._path = data_folder / FILE_NAME

    def folder_of(self, session: str) -> Path:
        """Tell where a session's own files lie: its log and its angles."""
        return session_folder(self._data_folder, session)

    def athletes(self) -> list[AthleteEntry]:
        """List everybody who took part in a session, by name."""
        rows = self._ask(
            "SELECT athlete, name, count(*), max(started_ms) FROM participation JOIN session USING (session)"
            " GROUP BY athlete ORDER BY name, athlete"
        )
        return [AthleteEntry(athlete=a, name=name, sessions=n, last_ms=last) for a, name, n, last in rows]

    def sessions(
        self, athlete: str | None = None, *, limit: int = MOST_SESSIONS, before_ms: float | None = None
    ) -> list[SessionEntry]:
        """List sessions, one entry an athlete, the newest first.

        Parameters
        ----------
        athlete
            Only this one's.
        limit
            At most so many.
        before_ms
            Only those that started before, UTC ms.
        """
        found = self._ask(
            f"{_PARTS} WHERE (?1 IS NULL OR athlete = ?1) AND (?2 IS NULL OR started_ms < ?2)"
            " ORDER BY started_ms DESC, session DESC, athlete LIMIT ?3",
            (athlete, before_ms, limit),
        )
        return self._entries(found)

    def session(self, session: str, athlete: str) -> SessionDetail | None:
        """Tell all of one athlete's part of a session; None where there is none."""
        found = self._ask(
            f"{_PARTS} WHERE session = ? AND athlete = ?",
            (session, athlete),
        )
        if not found:
            return None
        [entry] = self._entries(found)
        rows = self._ask(
            "SELECT channel, event_id, data FROM event WHERE session = ? AND athlete = ?"
            " ORDER BY time_ms, event_id",
            (session, athlete),
        )
        bodies: dict[str, list[tuple[str, bytes]]] = defaultdict(list)
        for channel, event_id, data in rows:
            bodies[channel].append((event_id, data))
        sets = sorted(_decoded(bodies["set"], ArchivedSet), key=lambda each: each.set)
        repetitions = sorted(
            _decoded(bodies["rep"], ArchivedRepetition), key=lambda each: (each.set, each.repetition)
        )
        return SessionDetail(
            session=entry.session,
            athlete=entry.athlete,
            name=entry.name,
            started_ms=entry.started_ms,
            ended_ms=entry.ended_ms,
            exercises=entry.exercises,
            fault_counts=entry.faults,
            sets=sets,
            repetitions=repetitions,
            faults=list(_decoded(bodies["fault"], ArchivedFault)),
            notes=list(_decoded(bodies["note"], ArchivedNote)),
            prescriptions=self._prescriptions(session, athlete),
        )

    def progress(self, athlete: str, exercise: str | None = None) -> Progress:
        """Tell an athlete's progress in an exercise; None: in the one done most often."""
        counted = self._ask(
            f"SELECT {_EXERCISE}, count(*) {_STANDING_REPETITIONS} GROUP BY 1 ORDER BY 2 DESC, 1",
            (athlete,),
        )
        exercises = [code for code, _ in counted]
        asked = exercise if exercise is not None else next(iter(exercises), None)
        if asked not in exercises:
            return Progress(athlete=athlete, exercise=asked, exercises=exercises)
        rows = self._ask(
            f"SELECT rep.session, started_ms, rep.event_id, rep.data {_STANDING_REPETITIONS}"
            f" AND {_EXERCISE} = ? ORDER BY started_ms, rep.session, rep.event_id",
            (athlete, asked),
        )
        bodies: dict[tuple[str, float], list[tuple[str, bytes]]] = defaultdict(list)
        for session, started_ms, event_id, data in rows:
            bodies[session, started_ms].append((event_id, data))
        sessions = {key: list(_decoded(of, ArchivedRepetition)) for key, of in bodies.items()}
        return Progress(
            athlete=athlete,
            exercise=asked,
            exercises=exercises,
            metrics=metrics_progress(sessions),
            sides=sides_progress(sessions),
        )

    def _prescriptions(self, session: str, athlete: str) -> list[ArchivedPrescription]:
        rows = self._ask(
            "SELECT since_ms, data FROM prescription WHERE session = ? AND athlete = ? ORDER BY since_ms",
            (session, athlete),
        )
        found = []
        for since_ms, data in rows:
            try:
                asked = None if data is None else msgspec.json.decode(data, type=Prescription)
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                log.warning("a prescription of session %s is left out: %s", session, error)
                continue
            found.append(ArchivedPrescription(since_ms=since_ms, asked=asked))
        return found

    def _entries(self, found: Sequence[tuple[str, str, str, float, float | None]]) -> list[SessionEntry]:
        """Count what stands in each session found."""
        wanted = {(session, athlete) for session, athlete, *_ in found}
        counts: dict[tuple[str, str], _Counts] = defaultdict(_Counts)
        for session, athlete, *rest in self._events_of({session for session, _ in wanted}):
            if (session, athlete) in wanted:
                counts[session, athlete].add(*rest)
        return [
            counts[session, athlete].entry(session, athlete, name, started_ms, ended_ms)
            for session, athlete, name, started_ms, ended_ms in found
        ]

    def _events_of(self, sessions: Iterable[str]) -> Iterator[Any]:
        listed = sorted(sessions)
        for start in range(0, len(listed), 500):
            some = listed[start : start + 500]
            yield from self._ask(
                "SELECT session, athlete, channel, set_number, repetition, exercise, faults FROM event"  # noqa: S608 - only places
                f" WHERE stands AND session IN ({', '.join('?' * len(some))}) ORDER BY set_number, channel",
                some,
            )

    def _ask(self, question: str, values: Sequence[object] = ()) -> list[Any]:
        if not self._path.exists():
            return []
        try:
            with closing(sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True)) as db:
                return db.execute(question, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise ArchiveUnusable(f"the archive {self._path} cannot be read: {error}") from error


class _Counts:
    """What stands in one athlete's part of a session."""

    def __init__(self) -> None:
        self._sets = 0
        self._repetitions: set[tuple[int, int]] = set()
        self._exercises: dict[int, str] = {}
        self._faults: list[tuple[int, int | None, str]] = []

    def add(self, channel: str, set_number: int, repetition: int, exercise: str | None, faults: str) -> None:
        """Count one event that stands."""
        if channel == "rep":
            self._repetitions.add((set_number, repetition))
        if channel == "set":
            self._sets += 1
        if exercise is not None:  # the set comes after its repetitions, and knows better
            self._exercises[set_number] = exercise
        self._faults += [(set_number, of, code) for code, of in json.loads(faults)]

    def entry(
        self, session: str, athlete: str, name: str, started_ms: float, ended_ms: float | None
    ) -> SessionEntry:
        """Sum up; what a set repeats of its repetition counts once, of one withdrawn not at all."""
        in_repetitions = {(n, of, code) for n, of, code in self._faults if (n, of) in self._repetitions}
        codes = Counter(code for _, _, code in in_repetitions)
        codes.update(code for _, of, code in self._faults if of is None)
        return SessionEntry(
            session=session,
            athlete=athlete,
            name=name,
            started_ms=started_ms,
            ended_ms=ended_ms,
            sets=self._sets,
            repetitions=len(self._repetitions),
            exercises=list(dict.fromkeys(self._exercises.values())),
            faults=dict(sorted(codes.items())),
        )


def _decoded(bodies: Iterable[tuple[str, bytes]], model: type[Data]) -> Iterator[Data]:
    """Read events as archived; `model` is the payload with an ``id``."""
    for event_id, data in bodies:
        try:
            yield msgspec.structs.replace(msgspec.json.decode(data, type=model), id=event_id)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            log.warning("event %s of the archive is left out: %s", event_id, error)
