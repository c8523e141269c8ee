from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from sensor_bridge.archive import store
from sensor_bridge.archive.reading import ArchiveReader
from sensor_bridge.archive.store import FILE_NAME, ArchiveStore, ArchiveUnusable, PrescriptionTold
from sensor_bridge.mqtt.payloads import FoundFault, Prescription
from tests.sensor_bridge.archive.told import (
    START_MS,
    archive,
    begun,
    ended,
    fault,
    note,
    repetition,
    session_id,
    set_summary,
    three_sessions,
    told,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_of_all_revisions_the_highest_holds_whatever_the_order(tmp_path: Path) -> None:
    revisions = [repetition(revision=r, eccentric_s=float(r)) for r in (0, 2, 1)]
    archive(tmp_path, begun(), *(told(each, 1) for each in revisions))
    detail = ArchiveReader(tmp_path).session(session_id(0), "anna")
    assert detail is not None
    assert [(each.revision, each.eccentric_s) for each in detail.repetitions] == [(2, 2.0)]


def test_writing_the_same_again_changes_nothing(tmp_path: Path) -> None:
    three_sessions(tmp_path)
    before = [ArchiveReader(tmp_path).session(session_id(n), "anna") for n in range(3)]
    three_sessions(tmp_path)
    assert [ArchiveReader(tmp_path).session(session_id(n), "anna") for n in range(3)] == before


def test_the_file_is_its_owners_only(tmp_path: Path) -> None:
    archive(tmp_path, begun())
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_what_failed_half_way_was_not_written_at_all(tmp_path: Path) -> None:
    archive(tmp_path, begun())
    with ArchiveStore(tmp_path / FILE_NAME) as opened:
        opened._db.execute("PRAGMA max_page_count = 1")
        events = [told(note("x" * 400), n) for n in range(200)]
        with pytest.raises(Exception, match="full"):
            opened.write(events)
        opened._db.execute("PRAGMA max_page_count = 100000")
        detail = ArchiveReader(tmp_path).session(session_id(0), "anna")
        assert detail is not None
        assert detail.notes == []
        opened.write(events)
    detail = ArchiveReader(tmp_path).session(session_id(0), "anna")
    assert detail is not None
    assert len(detail.notes) == 200


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        ("PRAGMA user_version = 99", "a newer Hipline made it"),
        (None, "move it away"),
    ],
)
def test_a_file_that_cannot_be_used_says_what_to_do(tmp_path: Path, prepare: str | None, words: str) -> None:
    path = tmp_path / FILE_NAME
    if prepare is None:
        path.write_bytes(b"this is no database, whatever its name says" * 100)
    else:
        with closing(sqlite3.connect(path)) as db:
            db.execute(prepare)
    with pytest.raises(ArchiveUnusable, match=words):
        ArchiveStore(path)


def test_an_archive_of_the_first_format_becomes_one_of_this(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as then:
        then.setattr(store, "_MIGRATIONS", store._MIGRATIONS[:1])
        archive(tmp_path, begun(), told(repetition(), 1))
    asked = Prescription(athlete="anna", exercise="glute_bridge", side="both")
    archive(tmp_path, PrescriptionTold(session_id(0), "anna", START_MS, asked))
    detail = ArchiveReader(tmp_path).session(session_id(0), "anna")
    assert detail is not None
    assert len(detail.repetitions) == 1
    assert [each.asked for each in detail.prescriptions] == [asked]


def test_what_is_asked_is_kept_where_it_changes(tmp_path: Path) -> None:
    asked = [Prescription(athlete="anna", exercise="glute_bridge", side="both", load_kg=kg) for kg in (5, 9)]
    told_at = [(0.0, None), (1.0, asked[0]), (2.0, asked[0]), (3.0, asked[1]), (4.0, None), (5.0, None)]
    entries = [PrescriptionTold(session_id(0), "anna", START_MS + at, data) for at, data in told_at]
    archive(tmp_path, begun(), *entries)
    archive(tmp_path, *entries)
    detail = ArchiveReader(tmp_path).session(session_id(0), "anna")
    assert detail is not None
    assert [(each.since_ms - START_MS, each.asked) for each in detail.prescriptions] == [
        (1.0, asked[0]),
        (3.0, asked[1]),
        (4.0, None),
    ]


def test_sessions_that_may_lack_something_are_named(tmp_path: Path) -> None:
    archive(tmp_path, begun(0), ended(0), begun(1))
    with ArchiveStore(tmp_path / FILE_NAME) as opened:
        assert opened.unfinished([session_id(n) for n in (2, 1, 0)]) == [session_id(2), session_id(1)]


def test_an_empty_folder_holds_nothing(tmp_path: Path) -> None:
    reader = ArchiveReader(tmp_path)
    assert reader.athletes() == []
    assert reader.sessions() == []
    assert reader.session(session_id(0), "anna") is None
    assert reader.progress("anna").exercises == []
    assert list(tmp_path.iterdir()) == []


def test_lists_tell_who_trained_when_and_what_was_found(tmp_path: Path) -> None:
    three_sessions(tmp_path)
    reader = ArchiveReader(tmp_path)
    assert [(each.athlete, each.name, each.sessions) for each in reader.athletes()] == [
        ("anna", "Anna Berg", 3),
        ("ben", "Ben Öst", 1),
    ]
    listed = reader.sessions()
    newest = session_id(2)
    assert [(each.session, each.athlete) for each in listed] == [
        (newest, "anna"),
        (newest, "ben"),
        (session_id(1), "anna"),
        (session_id(0), "anna"),
    ]
    first = listed[-1]
    assert (first.sets, first.repetitions, first.exercises) == (1, 3, ["romanian_deadlift"])
    assert first.faults == {"incomplete_lockout": 1, "repetition_aborted": 1}
    assert (first.started_ms, first.ended_ms) == (START_MS, START_MS + 3_600_000.0)
    assert [each.athlete for each in reader.sessions("ben")] == ["ben"]
    assert [each.session for each in reader.sessions("anna", limit=1, before_ms=listed[0].started_ms)] == [
        session_id(1)
    ]


def test_a_fault_is_counted_once_and_not_at_all_of_a_repetition_taken_back(tmp_path: Path) -> None:
    repeated = (
        FoundFault(code="pelvic_drop", repetition=1),
        FoundFault(code="uneven_tempo", repetition=1),
        FoundFault(code="uneven_tempo", repetition=2),
        FoundFault(code="alternation_error"),
    )
    archive(
        tmp_path,
        begun(),
        told(repetition(1, faults=("pelvic_drop",)), 1),
        told(repetition(2, status="withdrawn"), 2),
        told(set_summary(faults=repeated), 3),
        told(fault("balance_loss"), 4),
    )
    [entry] = ArchiveReader(tmp_path).sessions()
    assert entry.faults == {"alternation_error": 1, "balance_loss": 1, "pelvic_drop": 1, "uneven_tempo": 1}


def test_a_set_taken_back_leaves_the_lists_and_stays_in_the_detail(tmp_path: Path) -> None:
    archive(tmp_path, begun(), told(set_summary(), 1), told(set_summary(revision=2, withdrawn=True), 1))
    reader = ArchiveReader(tmp_path)
    assert reader.sessions()[0].sets == 0
    detail = reader.session(session_id(0), "anna")
    assert detail is not None
    assert [each.withdrawn for each in detail.sets] == [True]


def test_the_exercise_of_the_set_is_that_of_its_repetitions(tmp_path: Path) -> None:
    archive(
        tmp_path,
        begun(),
        told(repetition(1, exercise="other"), 1),
        told(set_summary(exercise="glute_bridge"), 2),
        told(repetition(1, of_set=2, exercise="other"), 3),
    )
    reader = ArchiveReader(tmp_path)
    assert reader.sessions()[0].exercises == ["glute_bridge", "other"]
    progress = reader.progress("anna")
    assert (progress.exercise, progress.exercises) == ("glute_bridge", ["glute_bridge", "other"])
    assert progress.metrics["eccentric_s"].sessions[0].n == 1
    assert reader.progress("anna", "squat").metrics == {}


def test_progress_follows_the_sessions_in_order(tmp_path: Path) -> None:
    three_sessions(tmp_path)
    course = ArchiveReader(tmp_path).progress("anna").metrics["eccentric_s"]
    assert [(each.session, each.n, each.median) for each in course.sessions] == [
        (session_id(n), 3, 5.0) for n in range(3)
    ]


def test_an_event_that_is_not_understood_is_left_out_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    archive(tmp_path, begun(), told(repetition(1), 1), told(repetition(2), 2))
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as db:
        db.execute("UPDATE event SET data = x'7b7d' WHERE repetition = 2")
        db.commit()
    detail = ArchiveReader(tmp_path).session(session_id(0), "anna")
    assert detail is not None
    assert [each.repetition for each in detail.repetitions] == [1]
    assert "is left out" in caplog.text


def test_deleting_an_athlete_leaves_others_and_no_byte_behind(tmp_path: Path) -> None:
    three_sessions(tmp_path)
    with ArchiveStore(tmp_path / FILE_NAME) as opened:
        deleted = opened.delete_athlete("anna")
    assert deleted == {"event": 21, "prescription": 0, "session": 2, "participation": 3}
    assert [(each.session, each.athlete) for each in ArchiveReader(tmp_path).sessions()] == [
        (session_id(2), "ben")
    ]
    for file in tmp_path.iterdir():
        assert b"anna" not in file.read_bytes().lower()
