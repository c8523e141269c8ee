"""What the archive answers: one model an answer, as the HTTP API and the reports give it. Pure."""

from __future__ import annotations

from msgspec import Struct, field

from sensor_bridge.archive.progress import MetricProgress, SidesProgress
from sensor_bridge.mqtt.command_payloads import Note
from sensor_bridge.mqtt.payloads import FaultEvent, Prescription, Repetition, SetSummary


class AthleteEntry(Struct, frozen=True, kw_only=True):
    """An athlete, with the number of sessions and the start of the last one, UTC ms."""

    athlete: str
    name: str
    sessions: int
    last_ms: float


class SessionEntry(Struct, frozen=True, kw_only=True):
    """One athlete's part of a session.

    Attributes
    ----------
    started_ms, ended_ms
        UTC; null while it goes on, or where it was cut off.
    sets, repetitions
        Those that stand.
    exercises
        Codes, in the order of the sets.
    faults
        How often each code was found: in repetitions, in whole sets, and between repetitions.
    """

    session: str
    athlete: str
    name: str
    started_ms: float
    ended_ms: float | None
    sets: int
    repetitions: int
    exercises: list[str]
    faults: dict[str, int]


class ArchivedRepetition(Repetition, frozen=True, kw_only=True):
    """A repetition with its event id."""

    id: str = ""


class ArchivedSet(SetSummary, frozen=True, kw_only=True):
    """A set with its event id."""

    id: str = ""


class ArchivedFault(FaultEvent, frozen=True, kw_only=True):
    """A fault event with its event id."""

    id: str = ""


class ArchivedNote(Note, frozen=True, kw_only=True):
    """A note with its event id."""

    id: str = ""


class ArchivedPrescription(Struct, frozen=True, kw_only=True):
    """What was asked from a time on, UTC ms; null: nothing."""

    since_ms: float
    asked: Prescription | None


class SessionDetail(Struct, frozen=True, kw_only=True):
    """All of one athlete's part of a session, withdrawn events too; times as in :class:`SessionEntry`.

    Attributes
    ----------
    fault_counts
        `SessionEntry.faults`.
    sets, repetitions
        By number.
    faults, notes, prescriptions
        In order of time.
    """

    session: str
    athlete: str
    name: str
    started_ms: float
    ended_ms: float | None
    exercises: list[str]
    fault_counts: dict[str, int]
    sets: list[ArchivedSet]
    repetitions: list[ArchivedRepetition]
    faults: list[ArchivedFault]
    notes: list[ArchivedNote]
    prescriptions: list[ArchivedPrescription]


class Progress(Struct, frozen=True, kw_only=True):
    """An athlete's progress in one exercise; `exercises` lists those that can be asked for."""

    athlete: str
    exercise: str | None
    exercises: list[str]
    metrics: dict[str, MetricProgress] = field(default_factory=dict)
    sides: dict[str, SidesProgress] = field(default_factory=dict)
