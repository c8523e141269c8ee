"""What a bridge tells of sessions, made by hand: payloads, and the archive that holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from sensor_bridge.archive.store import (
    FILE_NAME,
    ArchiveStore,
    Entry,
    EventTold,
    SessionBegun,
    SessionEnded,
)
from sensor_bridge.mqtt.command_payloads import Note
from sensor_bridge.mqtt.payloads import MEASURES, FaultEvent, FoundFault, Repetition, SetSummary

if TYPE_CHECKING:
    from pathlib import Path

    import msgspec

START_MS = 1_800_000_000_000.0  # 2027-01-15 08:00 UTC
DAY_MS = 86_400_000.0


def session_id(number: int) -> str:
    """UUIDv7 of the nth session, one a day."""
    return str(UUID(int=(int(START_MS + number * DAY_MS) << 80) | (7 << 76) | (2 << 62) | number))


def event_id(number: int) -> str:
    """UUIDv7 of the nth event."""
    return str(UUID(int=(int(START_MS) << 80) | (7 << 76) | (2 << 62) | 1 << 40 | number))


def repetition(
    number: int = 1,
    *,
    athlete: str = "anna",
    of_set: int = 1,
    revision: int = 1,
    status: str = "confirmed",
    exercise: str = "romanian_deadlift",
    side: str = "both",
    faults: tuple[str, ...] = (),
    start_ms: float = START_MS,
    **measured: float,
) -> Repetition:
    begin = start_ms + 60_000.0 * of_set + 8_000.0 * number
    fields: dict[str, Any] = {
        "eccentric_start_ms": begin,
        "eccentric_end_ms": begin + 5_000.0,
        "concentric_start_ms": begin + 5_200.0,
        "concentric_end_ms": begin + 6_400.0,
        "eccentric_s": 5.0,
        "bottom_pause_s": 0.2,
        "concentric_s": 1.2,
        "tut_s": 6.4,
        "pelvic_tilt_range_deg": 55.0,
        **measured,
    }
    return Repetition(
        athlete=athlete,
        set=of_set,
        repetition=number,
        revision=revision,
        final=True,
        status=status,  # type: ignore[arg-type]
        exercise=exercise,
        side=side,  # type: ignore[arg-type]
        sd={name: 0.1 for name in fields if not name.endswith("_ms")},
        reasons={name: "not worn" for name in MEASURES if name not in fields},
        faults=[FoundFault(code=code, value=2.0, threshold=1.0, sd=0.1) for code in faults],
        **fields,
    )


def set_summary(
    number: int = 1,
    *,
    athlete: str = "anna",
    revision: int = 1,
    exercise: str = "romanian_deadlift",
    side: str = "both",
    repetitions: int = 3,
    faults: tuple[FoundFault, ...] = (),
    withdrawn: bool = False,
    start_ms: float = START_MS,
) -> SetSummary:
    begin = start_ms + 60_000.0 * number + 8_000.0
    return SetSummary(
        athlete=athlete,
        set=number,
        revision=revision,
        final=True,
        exercise=exercise,
        side=side,  # type: ignore[arg-type]
        repetitions=repetitions,
        start_ms=begin,
        end_ms=begin + 8_000.0 * repetitions,
        tut_s=6.4 * repetitions,
        faults=list(faults),
        withdrawn=withdrawn,
    )


def fault(code: str = "repetition_aborted", *, athlete: str = "anna") -> FaultEvent:
    return FaultEvent(athlete=athlete, code=code, t_ms=START_MS, set=1, repetition=1)


def note(text: str = "well done", *, athlete: str = "anna", revision: int = 0) -> Note:
    return Note(athlete=athlete, revision=revision, kind="note", at_ms=START_MS, text=text, by="coach")


_CHANNELS: dict[type, str] = {Repetition: "rep", SetSummary: "set", FaultEvent: "fault", Note: "note"}


def told(data: msgspec.Struct, number: int, *, session: str | None = None) -> EventTold:
    """An event of a session, the first by default; `number` makes its event id."""
    fields: Any = data
    return EventTold(
        session=session or session_id(0),
        athlete=fields.athlete,
        channel=_CHANNELS[type(data)],
        event_id=event_id(number),
        revision=fields.revision,
        time_ms=START_MS + number,
        data=data,
    )


def begun(number: int = 0, **names: str) -> SessionBegun:
    return SessionBegun(
        session_id(number), START_MS + number * DAY_MS, tuple((names or {"anna": "Anna Berg"}).items())
    )


def ended(number: int = 0) -> SessionEnded:
    return SessionEnded(session_id(number), START_MS + number * DAY_MS + 3_600_000.0, is_whole=True)


def archive(folder: Path, *entries: Entry) -> None:
    """Write an archive into a data folder."""
    with ArchiveStore(folder / FILE_NAME) as store:
        store.write(entries)


def three_sessions(folder: Path) -> None:
    """Anna in three sessions, Ben in the last: a set of three each, one fault, one note, one withdrawn."""
    entries: list[Entry] = []
    for number in range(3):
        names = {"anna": "Anna Berg"} | ({"ben": "Ben Öst"} if number == 2 else {})
        entries.append(begun(number, **names))
        for place, athlete in enumerate(names):
            first = 1000 * number + 100 * place
            start_ms = START_MS + number * DAY_MS
            events: list[msgspec.Struct] = [
                repetition(1, athlete=athlete, start_ms=start_ms),
                repetition(2, athlete=athlete, start_ms=start_ms, faults=("incomplete_lockout",)),
                repetition(3, athlete=athlete, start_ms=start_ms, eccentric_s=4.0),
                repetition(4, athlete=athlete, start_ms=start_ms, status="withdrawn"),
                set_summary(athlete=athlete, start_ms=start_ms),
                note(f"note {number}", athlete=athlete),
                fault(athlete=athlete),
            ]
            entries += [told(data, first + n, session=session_id(number)) for n, data in enumerate(events)]
        entries.append(ended(number))
    archive(folder, *entries)
