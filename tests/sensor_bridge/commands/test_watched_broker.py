from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sensor_bridge import announcement
from sensor_bridge.access.known_users import KnownUsers
from sensor_bridge.announcement import announced, announcement_path, demo_announcement_path
from sensor_bridge.commands.watched_broker import find_broker
from sensor_bridge.errors import BrokerUnavailable, ConfigError
from sensor_bridge.mqtt.settings import Protocol
from sensor_bridge.mqtt_access import MqttAccess

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    monkeypatch.setattr(announcement, "user_data_path", lambda name: tmp_path / "home" / name)


def access(port: int) -> MqttAccess:
    return MqttAccess(
        host="127.0.0.1",
        port=port,
        protocol=Protocol.V311,
        websocket_url="ws://127.0.0.1:1",
        bridge_user="bridge",
        bridge_password="b",
        coach_user="coach",
        coach_password="d",
        known_users=KnownUsers({}),
    )


def config(folder: Path, text: str) -> Path:
    path = folder / "hipline.toml"
    path.write_text(text)
    return path


def test_the_broker_of_the_named_configuration_comes_first(tmp_path: Path) -> None:
    path = config(tmp_path, 'gym = "home"\ndata_folder = "data"\n')
    with (
        announced(access(1001), "home", announcement_path(tmp_path / "data")),
        announced(access(1002), "demo", demo_announcement_path()),
    ):
        settings, gym = find_broker(path)
    assert (settings.port, gym) == (1001, "home")


def test_a_running_demo_is_found_without_a_configuration() -> None:
    with announced(access(1002), "demo", demo_announcement_path()):
        settings, gym = find_broker(None)
    assert (settings.port, gym) == (1002, "demo")


def test_a_demo_is_not_taken_for_the_named_configuration(tmp_path: Path) -> None:
    path = config(tmp_path, 'data_folder = "data"\n')
    with announced(access(1002), "demo", demo_announcement_path()), pytest.raises(BrokerUnavailable):
        find_broker(path)


def test_an_external_broker_is_reached_as_its_reader(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("only to read\n")
    secret.chmod(0o600)
    path = config(
        tmp_path,
        'gym = "home"\n[mqtt]\nbroker = "external"\nhost = "broker.local"\n'
        'dashboard_username = "coach"\ndashboard_password_file = "password"\n',
    )
    settings, gym = find_broker(path)
    assert (settings.host, settings.port, settings.protocol) == ("broker.local", 1883, Protocol.AUTO)
    assert (settings.username, settings.password, gym) == ("coach", "only to read", "home")


def test_each_watch_has_a_client_id_of_its_own() -> None:
    with announced(access(1002), "demo", demo_announcement_path()):
        settings, _ = find_broker(None)
    assert settings.client_id.startswith("watch-")
    assert settings.client_id != "watch-"


def test_a_password_without_a_reader_is_refused(tmp_path: Path) -> None:
    path = config(tmp_path, '[mqtt]\nbroker = "external"\ndashboard_password_env = "COACH"\n')
    with pytest.raises(ConfigError, match="a dashboard_password needs a dashboard_username"):
        find_broker(path)
