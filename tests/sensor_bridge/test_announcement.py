from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from sensor_bridge.access.known_users import KnownUsers
from sensor_bridge.announcement import announced, announcement_path, read_announcement
from sensor_bridge.errors import BrokerUnavailable
from sensor_bridge.mqtt.settings import Protocol
from sensor_bridge.mqtt_access import MqttAccess

if TYPE_CHECKING:
    from pathlib import Path


def access(port: int = 4711) -> MqttAccess:
    return MqttAccess(
        host="127.0.0.1",
        port=port,
        protocol=Protocol.V311,
        websocket_url="ws://127.0.0.1:4712",
        bridge_user="bridge",
        bridge_password="secret of the bridge",
        coach_user="coach",
        coach_password="secret of the page",
        known_users=KnownUsers({}),
    )


def test_others_learn_where_to_read_and_nothing_more(tmp_path: Path) -> None:
    path = announcement_path(tmp_path)
    with announced(access(), "gym-1", path):
        found = read_announcement(path)
        settings = found.settings("watch-1")
        assert found.gym == "gym-1"
        assert (settings.host, settings.port, settings.protocol) == ("127.0.0.1", 4711, Protocol.V311)
        assert (settings.username, settings.password) == ("coach", "secret of the page")
        assert settings.client_id == "watch-1"
        assert b"secret of the bridge" not in path.read_bytes()
        assert "secret" not in repr(found) + repr(settings)


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = announcement_path(tmp_path / "not there yet")
    with announced(access(), "gym-1", path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_a_killed_bridge_left_half_written_does_not_open_it_to_others(tmp_path: Path) -> None:
    path = announcement_path(tmp_path)
    left = path.with_name(f"{path.name}.{os.getpid()}")
    left.write_text("half")
    left.chmod(0o644)
    with announced(access(), "gym-1", path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert read_announcement(path).gym == "gym-1"


def test_it_is_gone_with_the_bridge(tmp_path: Path) -> None:
    path = announcement_path(tmp_path)
    with announced(access(), "gym-1", path):
        pass
    with pytest.raises(BrokerUnavailable, match=r"no bridge runs here: start hipline demo or hipline run"):
        read_announcement(path)


def test_the_announcement_of_a_later_bridge_stays(tmp_path: Path) -> None:
    path = announcement_path(tmp_path)
    with announced(access(), "gym-1", path), announced(access(port=4713), "gym-2", tmp_path / "other"):
        (tmp_path / "other").replace(path)
    assert read_announcement(path).gym == "gym-2"


WHOLE = (
    '{"gym": "g", "host": "h", "port": 1883, "protocol": "5", "username": null, "password": null, '
    '"tls": false, "ca_file": null}'
)
DAMAGED = [
    *(b"", b"{}", b"[1, 2]", b'{"gym": 7}', b"\xff\xfe"),
    *(WHOLE.replace(*change).encode() for change in (('"5"', '"4"'), ("1883", "0"), ("1883", "70000"))),
]


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    announcement_path(tmp_path).write_text(WHOLE)
    assert read_announcement(announcement_path(tmp_path)).settings("x").port == 1883


@pytest.mark.parametrize("content", DAMAGED, ids=repr)
def test_a_damaged_file_is_no_bridge(tmp_path: Path, content: bytes) -> None:
    path = announcement_path(tmp_path)
    path.write_bytes(content)
    with pytest.raises(BrokerUnavailable):
        read_announcement(path)
