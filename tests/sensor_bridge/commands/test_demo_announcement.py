from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from sensor_bridge.access.known_users import KnownUsers
from sensor_bridge.announcement import read_announcement
from sensor_bridge.commands import demo
from sensor_bridge.mqtt.settings import Protocol
from sensor_bridge.mqtt_access import MqttAccess

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

BRIDGE: Any = SimpleNamespace(
    broker=MqttAccess(
        host="127.0.0.1",
        port=4711,
        protocol=Protocol.V311,
        websocket_url="ws://127.0.0.1:4712",
        bridge_user="bridge",
        bridge_password="b",
        coach_user="coach",
        coach_password="d",
        known_users=KnownUsers({}),
    )
)


def test_a_watcher_finds_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "demo" / "access.json"
    monkeypatch.setattr(demo, "demo_announcement_path", lambda: path)
    with demo._announced_to_watchers(BRIDGE):
        assert read_announcement(path).port == 4711
    assert not path.exists()


def test_a_home_that_cannot_be_written_does_not_end_the_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "home").write_text("a file")
    path = tmp_path / "home" / "demo" / "access.json"
    monkeypatch.setattr(demo, "demo_announcement_path", lambda: path)
    entered = False
    with demo._announced_to_watchers(BRIDGE):
        entered = True
    assert entered
    assert capsys.readouterr().err == (
        f"hipline watch will not find this demo: {path}: cannot be written: Not a directory\n"
    )
