from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sensor_bridge.cli import run_command
from tests.sensor_bridge.archive.told import session_id, three_sessions

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration whose data folder holds three sessions."""
    (tmp_path / "data").mkdir()
    three_sessions(tmp_path / "data")
    path = tmp_path / "hipline.toml"
    path.write_text('data_folder = "data"\n')
    return path


def test_a_session_becomes_a_page(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "anna.html"
    assert run_command(["report", session_id(0), "--out", str(out), "--config", str(config)]) == 0
    page = out.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "Anna Berg" in page
    assert f"session {session_id(0)}" in page
    assert capsys.readouterr().out.startswith(f"{out}: 1 set of anna, ")


def test_without_a_name_it_is_named_by_athlete_and_session(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_command(["report", "last", "--athlete", "ben", "--config", str(config)]) == 0
    assert "Ben Öst" in (tmp_path / f"ben-{session_id(2)}.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["last"], "took part: anna, ben: choose one with --athlete"),
        (["zz"], "in the archive no session begins with zz"),
        (["last", "--athlete", "anna", "--out", "nowhere/at/all.html"], "there is no folder"),
    ],
)
def test_what_cannot_be_reported_is_one_line(
    config: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert run_command(["report", *arguments, "--config", str(config)]) == 2
    told = capsys.readouterr().err
    assert words in told
    assert len(told.strip().splitlines()) == 1
