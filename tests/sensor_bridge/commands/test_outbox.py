from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from sensor_bridge.cli import run_command
from sensor_bridge.mqtt.outbox_store import EventState, GivenUp, OutboxStore, OutgoingEvent

if TYPE_CHECKING:
    from pathlib import Path

    Captured = pytest.CaptureFixture[str]

TOPIC = "hipline/v1/gym/athlete/mia/rep"
NOON_MS = 1_795_262_400_000


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "gym.toml"
    path.write_text('data_folder = "data"\n', encoding="utf-8")
    return str(path)


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """One event that waits, one that was refused, one that is not even JSON, and one given up."""
    path = tmp_path / "data" / "outbox.sqlite"
    path.parent.mkdir()
    with OutboxStore(path) as store:
        bodies = (b'{"v": 1}', b'{"v": 2}', b"\xff[red]no JSON")
        events = [OutgoingEvent(f"id-{n}", n, TOPIC, body) for n, body in enumerate(bodies)]
        store.insert(events, since_ms=NOON_MS)
        store.mark_refused(2, "Not authorized")
        store.mark_refused(3, "[bold]Packet too large")
        store.note_given_up([GivenUp("id-9", 0, TOPIC, NOON_MS)])
    return path


def test_what_waits_and_what_was_put_aside_is_shown(
    config: str, filled: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    with OutboxStore(filled):  # a bridge is running
        assert run_command(["outbox", "list", "--config", config]) == 0
    printed = capsys.readouterr().out
    for text in (
        "waiting",
        "id-1",
        "Not authorized",
        "[bold]Packet too large",
        "id-9",
        "2026-11-21 12:00:00",
    ):
        assert text in printed
    assert "hipline outbox resend" in printed


def test_what_was_put_aside_goes_out_again(config: str, filled: Path, capsys: Captured) -> None:
    assert run_command(["outbox", "resend", "--config", config]) == 0
    assert "2 events go out again" in capsys.readouterr().out
    with OutboxStore(filled) as store:
        assert store.count(EventState.PENDING) == 3
    assert run_command(["outbox", "resend", "--config", config]) == 0
    assert "nothing was put aside" in capsys.readouterr().out


def test_what_was_put_aside_is_exported_and_stays_unless_told_otherwise(
    config: str, filled: Path, tmp_path: Path
) -> None:
    out = tmp_path / "dead.jsonl"
    assert run_command(["outbox", "export", "--out", str(out), "--config", config]) == 0
    first, second = map(json.loads, out.read_text(encoding="utf-8").splitlines())
    assert (first["topic"], first["id"], first["revision"]) == (TOPIC, "id-1", 1)
    assert (first["state"], first["reason"], first["message"]) == ("refused", "Not authorized", {"v": 2})
    assert second["message"] == "\N{REPLACEMENT CHARACTER}[red]no JSON"
    with OutboxStore(filled) as store:
        assert len(store.dead_letters()) == 2
    assert run_command(["outbox", "export", "--remove", "--out", str(out), "--config", config]) == 0
    assert len(out.read_text(encoding="utf-8").splitlines()) == 2
    with OutboxStore(filled) as store:
        assert store.dead_letters() == []
        assert store.count(EventState.PENDING) == 1


@pytest.mark.parametrize("out", ["data/outbox.sqlite", "nowhere/dead.jsonl", "data"])
def test_an_export_costs_nobody_a_file(
    config: str, filled: Path, tmp_path: Path, out: str, capsys: Captured
) -> None:
    before = filled.read_bytes()
    command = ["outbox", "export", "--remove", "--out", str(tmp_path / out), "--config", config]
    assert run_command(command) == 2
    assert "hipline: " in capsys.readouterr().err
    assert filled.read_bytes() == before


def test_without_an_outbox_none_is_made(config: str, tmp_path: Path, capsys: Captured) -> None:
    assert run_command(["outbox", "list", "--config", config]) == 2
    assert "there is no outbox yet: hipline run makes it" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()
