from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from sensor_bridge.archive.reading import ArchiveReader
from sensor_bridge.archive.store import FILE_NAME, ArchiveFull, ArchiveStore
from sensor_bridge.archive.writer import ARCHIVE_ALARM, ArchiveWriter
from sensor_bridge.mqtt.topics import Channel
from sensor_bridge.outgoing import Outgoing
from tests.sensor_bridge.archive.told import START_MS, event_id, repetition, session_id

if TYPE_CHECKING:
    from pathlib import Path

SESSION = session_id(0)


def message(number: int) -> Outgoing:
    data = repetition(number)
    return Outgoing(Channel.REPETITION, {"athlete": "anna"}, START_MS, data, event_id(number), data.revision)


def full_disk(monkeypatch: pytest.MonkeyPatch, state: dict[str, bool]) -> None:
    """Let writing fail as on a full disk for as long as the state says so."""
    write = ArchiveStore.write

    def refuse(self: ArchiveStore, entries: object) -> None:
        if state["is_full"]:
            raise ArchiveFull("the archive cannot be written: database or disk is full")
        write(self, entries)  # type: ignore[arg-type]

    monkeypatch.setattr(ArchiveStore, "write", refuse)


async def test_what_is_told_is_archived_while_the_session_goes_on(tmp_path: Path) -> None:
    alarms: list[tuple[str, str | None]] = []
    async with ArchiveWriter(tmp_path / FILE_NAME, lambda *alarm: alarms.append(alarm)) as writer:
        writer.begin(SESSION, START_MS, {"anna": "Anna Berg"})
        writer.take(SESSION, message(1))
        writer.take(SESSION, message(2))
        await writer.written()
        [entry] = ArchiveReader(tmp_path).sessions()
        assert (entry.repetitions, entry.ended_ms) == (2, None)
        writer.end(SESSION, START_MS + 1000.0)
    [entry] = ArchiveReader(tmp_path).sessions()
    assert entry.ended_ms == START_MS + 1000.0
    assert alarms == []


async def test_a_full_disk_raises_an_alarm_and_is_made_up_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = {"is_full": True}
    full_disk(monkeypatch, state)
    alarms: asyncio.Queue[tuple[str, str | None]] = asyncio.Queue()
    async with ArchiveWriter(
        tmp_path / FILE_NAME, lambda *alarm: alarms.put_nowait(alarm), retry_s=0.01
    ) as writer:
        writer.begin(SESSION, START_MS, {"anna": "Anna Berg"})
        writer.take(SESSION, message(1))
        code, text = await alarms.get()
        assert code == ARCHIVE_ALARM
        assert text is not None
        assert "free some space" in text
        state["is_full"] = False
        while (alarm := await alarms.get())[1] is not None:
            pass
        assert alarm == (ARCHIVE_ALARM, None)
        writer.end(SESSION, None)
    assert [each.repetitions for each in ArchiveReader(tmp_path).sessions()] == [1]
    with ArchiveStore(tmp_path / FILE_NAME) as store:
        assert store.unfinished([SESSION]) == []


async def test_a_session_whose_events_found_no_room_is_not_called_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = {"is_full": True}
    full_disk(monkeypatch, state)
    async with ArchiveWriter(tmp_path / FILE_NAME, lambda *_: None, retry_s=0.01, most_waiting=2) as writer:
        writer.begin(SESSION, START_MS, {"anna": "Anna Berg"})
        for number in (1, 2, 3):
            writer.take(SESSION, message(number))
        state["is_full"] = False
        await writer.written()
        writer.end(SESSION, START_MS)
    with ArchiveStore(tmp_path / FILE_NAME) as store:
        assert store.unfinished([SESSION]) == [SESSION]


async def test_an_archive_that_is_none_is_said_and_measuring_goes_on(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"no archive at all" * 100)
    alarms: list[tuple[str, str | None]] = []
    async with ArchiveWriter(tmp_path / FILE_NAME, lambda *alarm: alarms.append(alarm)) as writer:
        writer.begin(SESSION, START_MS, {"anna": "Anna Berg"})
        await writer.written()
        writer.take(SESSION, message(1))
        await writer.written()
    [(code, text)] = alarms
    assert code == ARCHIVE_ALARM
    assert text is not None
    assert "move it away" in text


async def test_a_reader_that_is_busy_does_not_keep_the_writer(tmp_path: Path) -> None:
    async with ArchiveWriter(tmp_path / FILE_NAME, lambda *_: None) as writer:
        writer.begin(SESSION, START_MS, {"anna": "Anna Berg"})
        await writer.written()
        with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as db:
            db.execute("BEGIN")
            db.execute("SELECT count(*) FROM event").fetchone()
            writer.take(SESSION, message(1))
            await writer.written()
            assert db.execute("SELECT count(*) FROM event").fetchone() == (0,)
        assert [each.repetitions for each in ArchiveReader(tmp_path).sessions()] == [1]


def test_what_has_no_id_is_no_event(tmp_path: Path) -> None:
    state = Outgoing(Channel.STATE, {"athlete": "anna"}, START_MS, None)

    async def take() -> None:
        async with ArchiveWriter(tmp_path / FILE_NAME, lambda *_: None) as writer:
            writer.take(SESSION, state)

    with pytest.raises(ValueError, match="STATE is no event"):
        asyncio.run(take())
