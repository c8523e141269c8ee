from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from sensor_bridge.cli import run_command
from tests.sensor_bridge.archive.told import session_id, three_sessions

if TYPE_CHECKING:
    from pathlib import Path

NEWEST = session_id(2)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration whose data folder holds three sessions."""
    (tmp_path / "data").mkdir()
    three_sessions(tmp_path / "data")
    path = tmp_path / "hipline.toml"
    path.write_text('data_folder = "data"\n')
    return path


def test_the_last_session_of_an_athlete_goes_to_a_file(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "anna.json"
    arguments = ["export", "last", "--format", "json", "--athlete", "anna", "--out", str(out)]
    assert run_command([*arguments, "--config", str(config)]) == 0
    assert json.loads(out.read_text())["session"] == NEWEST
    assert "3 repetitions of anna" in capsys.readouterr().out


def test_without_a_name_it_is_named_by_athlete_and_session(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_command(["export", session_id(0), "--config", str(config)]) == 0
    assert (tmp_path / f"anna-{session_id(0)}.csv").read_text().count("\n") == 5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["last"], "took part: anna, ben: choose one with --athlete"),
        (["01"], "in the archive 3 sessions begin with 01"),
        (["zz"], "in the archive no session begins with zz"),
        (["last", "--athlete", "carl"], "no session of carl begins"),
        (["last", "--athlete", "anna", "--format", "mot"], "a motion cannot be written"),
        (["last", "--athlete", "anna", "--out", "nowhere/at/all.csv"], "there is no folder"),
        (["last", "--format", "xlsx"], "xlsx"),
    ],
)
def test_what_cannot_be_exported_is_one_line(
    config: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert run_command(["export", *arguments, "--config", str(config)]) == 2
    told = capsys.readouterr().err
    assert words in told
    assert len(told.strip().splitlines()) == 1


def test_an_empty_archive_says_how_to_fill_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "hipline.toml"
    config.write_text('data_folder = "data"\n')
    assert run_command(["export", "--config", str(config)]) == 2
    assert "hipline run fills it" in capsys.readouterr().err
