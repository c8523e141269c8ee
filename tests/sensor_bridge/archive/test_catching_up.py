from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sensor_bridge.archive.angle_files import read_angles
from sensor_bridge.archive.catching_up import archive_again, catch_up, missing_sessions
from sensor_bridge.archive.forgetting import SessionRuns, forget, kept_of
from sensor_bridge.archive.reading import ArchiveReader
from sensor_bridge.archive.store import FILE_NAME
from sensor_bridge.ble.link import FrameKind, ReceivedFrame
from sensor_bridge.cli import run_command
from sensor_bridge.errors import RecordingError
from sensor_bridge.given_command import GivenCommand
from sensor_bridge.mqtt.command_payloads import TakeNote
from sensor_bridge.recording.frame_log import FrameLogInUse, held
from sensor_bridge.recording.session import create_session, list_sessions
from tests.sensor_bridge.archive.recorded import record_set, worn_by
from tests.sensor_bridge.archive.told import START_MS

if TYPE_CHECKING:
    from pathlib import Path

    from sensor_bridge.recording.session import Session

ENDED = datetime(2027, 1, 15, 9, tzinfo=UTC)


def empty_session(data_folder: Path) -> Session:
    """A session of Anna's in which no sensor sent anything, ended."""
    session = create_session(data_folder, {"gym": "gym-1", "athletes": [worn_by("anna")]})
    session.close(ENDED)
    return session


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with one session that ended: a set of Anna's, and a note that the coach took."""
    folder = tmp_path / "data"
    session = record_set(folder, "anna")
    note = GivenCommand("note", "request-1", "coach-page", TakeNote(athlete="anna", text="heavy"))
    with session.open_log() as log:
        log.append(
            ReceivedFrame("anna-pelvis", int((START_MS + 9e3) * 1e6), FrameKind.COMMAND, note.to_bytes())
        )
    session.close(ENDED)
    return folder


async def test_a_session_is_archived_from_its_log_alone(data: Path) -> None:
    [session] = missing_sessions(data)
    read = 0

    def count(n: int) -> None:
        nonlocal read
        read += n

    await archive_again(data, session, on_bytes=count)
    assert 0 < read < session.frame_log_path.stat().st_size
    [entry] = ArchiveReader(data).sessions()
    assert (entry.athlete, entry.name, entry.sets, entry.repetitions) == ("anna", "Anna", 1, 3)
    assert entry.ended_ms == ENDED.timestamp() * 1000
    detail = ArchiveReader(data).session(session.session_id, "anna")
    assert detail is not None
    assert all(each.final for each in detail.repetitions)
    assert [(each.text, each.by) for each in detail.notes] == [("heavy", "coach-page")]
    angles = read_angles(session.folder, "anna")
    assert angles is not None
    assert np.nanmax(angles.angles["pelvic_tilt_deg"]) > 30
    assert missing_sessions(data) == []


async def test_beside_a_running_bridge_all_that_is_missing_is_archived(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    empty_session(tmp_path)
    broken = create_session(tmp_path, {"gym": "gym-1", "athletes": [{"id": "NOT AN ID"}]})
    broken.close(ENDED)
    empty_session(tmp_path)
    await catch_up(tmp_path)
    assert "does not say who wore what" in caplog.text
    assert [each.session_id for each in missing_sessions(tmp_path)] == [broken.session_id]
    assert [each.athlete for each in ArchiveReader(tmp_path).sessions()] == ["anna", "anna"]


async def test_who_is_forgotten_meanwhile_does_not_come_back(tmp_path: Path) -> None:
    listed = [
        empty_session(tmp_path),
        create_session(tmp_path, {"athletes": [worn_by("anna"), worn_by("ben")]}),
    ]
    listed[1].close(ENDED)
    forget(tmp_path, "anna", kept_of(tmp_path, "anna"))
    with pytest.raises(FileNotFoundError):
        await archive_again(tmp_path, listed[0])
    await archive_again(tmp_path, listed[1])
    assert [each.athlete for each in ArchiveReader(tmp_path).athletes()] == ["ben"]


async def test_while_a_session_is_archived_nobody_in_it_is_forgotten(tmp_path: Path) -> None:
    session = empty_session(tmp_path)
    with held(session.frame_log_path), pytest.raises(SessionRuns):
        kept_of(tmp_path, "anna")
    with held(session.frame_log_path), pytest.raises(FrameLogInUse):
        await archive_again(tmp_path, session)


def test_what_runs_or_may_go_on_is_left_to_the_bridge(tmp_path: Path) -> None:
    data = tmp_path
    going_on = create_session(data, {"gym": "gym-1"})
    assert going_on.session_id not in [each.session_id for each in missing_sessions(data)]
    going_on.close(ENDED)
    with going_on.open_log():
        assert going_on.session_id not in [each.session_id for each in missing_sessions(data)]
    assert going_on.session_id in [each.session_id for each in missing_sessions(data)]


async def test_an_archive_that_is_none_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"no archive" * 1000)
    await catch_up(tmp_path)
    assert "move it away" in caplog.text


async def test_a_log_without_athletes_is_named(tmp_path: Path) -> None:
    session = create_session(tmp_path, {"athletes": "nobody"})
    with pytest.raises(RecordingError, match="does not say who wore what"):
        await archive_again(tmp_path, session)


def test_the_command_archives_and_says_how_much(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data"
    empty_session(data)
    config = tmp_path / "gym.toml"
    config.write_text('data_folder = "data"\n')
    arguments = ["sessions", "archive", "--config", str(config)]
    assert run_command(arguments) == 0
    assert capsys.readouterr().out == "1 session archived\n"
    assert run_command(arguments) == 0
    assert "nothing is missing" in capsys.readouterr().out
    create_session(data, {"athletes": "nobody"}).close(ENDED)
    assert run_command(arguments) == 1
    assert "who wore what" in capsys.readouterr().err
    assert len(list_sessions(data)) == 2
