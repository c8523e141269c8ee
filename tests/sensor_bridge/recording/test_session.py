from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from sensor_bridge.ble.link import FrameKind, ReceivedFrame
from sensor_bridge.errors import BridgeError, RecordingError
from sensor_bridge.recording.frame_log import read_frame_log, read_session_metadata
from sensor_bridge.recording.session import create_session, find_unfinished_session, open_session

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 5, 4, 12, 0, 0, 250_000, tzinfo=UTC)
FRAME = ReceivedFrame("hip", 1, FrameKind.DATA, b"abc")


def test_a_session_says_what_it_is(tmp_path: Path) -> None:
    session = create_session(tmp_path, {"gym": "north", "athletes": [{"id": "mia"}]}, now=NOON)
    assert re.fullmatch(
        r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", session.session_id
    )
    assert session.folder == tmp_path / "sessions" / session.session_id
    assert read_session_metadata(session.frame_log_path) == {
        "gym": "north",
        "athletes": [{"id": "mia"}],
        "session": session.session_id,
        "started_at": "2026-05-04T12:00:00.250Z",
    }
    assert open_session(session.folder) == session


def test_a_session_that_was_cut_off_goes_on(tmp_path: Path) -> None:
    session = create_session(tmp_path)
    with session.open_log() as log:
        log.append(FRAME)
    found = find_unfinished_session(tmp_path)
    assert found == session
    with found.open_log() as log:
        log.append(FRAME)
    assert list(read_frame_log(found.frame_log_path)) == [FRAME, FRAME]


def test_a_closed_session_does_not(tmp_path: Path) -> None:
    session = create_session(tmp_path)
    session.close(NOON)
    assert session.is_closed
    assert (session.folder / "closed").read_text(encoding="utf-8") == "2026-05-04T12:00:00.250Z\n"
    assert find_unfinished_session(tmp_path) is None


def test_nor_one_that_another_bridge_is_writing(tmp_path: Path) -> None:
    session = create_session(tmp_path)
    with session.open_log():
        assert find_unfinished_session(tmp_path) is None
    assert find_unfinished_session(tmp_path) == session


def test_nor_one_of_yesterday(tmp_path: Path) -> None:
    session = create_session(tmp_path)
    now = datetime.now(UTC)
    assert find_unfinished_session(tmp_path, now=now + timedelta(hours=1.9)) == session
    assert find_unfinished_session(tmp_path, now=now + timedelta(hours=2.1)) is None
    assert find_unfinished_session(tmp_path, now=now + timedelta(days=2), longest_break_s=3e5) == session


def test_a_session_is_over_where_a_later_one_was_begun_and_ended(tmp_path: Path) -> None:
    _, newer = create_session(tmp_path), create_session(tmp_path)
    newer.close(NOON)
    assert find_unfinished_session(tmp_path) is None


def test_the_newest_is_found_and_rubbish_passed_over(tmp_path: Path) -> None:
    assert find_unfinished_session(tmp_path) is None
    _, newer = create_session(tmp_path), create_session(tmp_path)
    (tmp_path / "sessions" / "zzz").mkdir()
    (tmp_path / "sessions" / "zzz" / "frames.log").write_bytes(b"HIPL")
    (tmp_path / "sessions" / "notes.txt").write_text("hello", encoding="utf-8")
    assert find_unfinished_session(tmp_path) == newer


def test_what_is_no_session_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="no such frame log"):
        open_session(tmp_path)
    session = create_session(tmp_path)
    header = session.frame_log_path.read_bytes()
    os.truncate(session.frame_log_path, 0)
    assert header
    with pytest.raises(RecordingError, match="is no frame log"):
        open_session(session.folder)
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(BridgeError, match="the session's folder cannot be made"):
        create_session(tmp_path / "file")


def test_a_session_that_may_not_be_read_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    session = create_session(tmp_path)

    def forbid(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("sensor_bridge.recording.frame_log.os.open", forbid)
    assert find_unfinished_session(tmp_path) is None
    assert caplog.messages == [f"{session.frame_log_path}: left alone: Permission denied"]


def test_an_end_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    session = create_session(tmp_path)
    (session.folder / "closed").mkdir()
    with pytest.raises(BridgeError, match="the end of the session cannot be written: Is a directory"):
        session.close(NOON)
