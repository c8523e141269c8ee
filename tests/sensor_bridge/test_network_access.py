from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from sensor_bridge.access.certificates import CertificateFiles, create_certificates
from sensor_bridge.config import Config
from sensor_bridge.errors import ConfigError
from sensor_bridge.network_access import network_access

if TYPE_CHECKING:
    from pathlib import Path


def config(folder: Path, **sections: Any) -> Config:
    return Config.model_validate({"data_folder": folder, **sections})


OPEN = {"host": "0.0.0.0"}


def test_this_machine_only_is_the_default(tmp_path: Path) -> None:
    access = network_access(config(tmp_path))
    assert (access.host, access.public_host, access.encryption) == ("127.0.0.1", "127.0.0.1", None)
    assert not access.names.in_host("192.168.1.5")


def test_an_open_page_needs_encryption_or_somebodys_word(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"run hipline certificates create, or say with --trusted-network"):
        network_access(config(tmp_path, dashboard=OPEN))
    trusted = network_access(config(tmp_path, dashboard=OPEN, network={"trusted": True}))
    assert (trusted.host, trusted.encryption) == ("0.0.0.0", None)
    create_certificates(CertificateFiles.of(tmp_path), ["localhost"], dt.datetime.now(dt.UTC))
    assert network_access(config(tmp_path, dashboard=OPEN)).encryption is not None
    assert network_access(config(tmp_path)).encryption is None


def test_links_carry_the_first_name_and_all_names_are_known(tmp_path: Path) -> None:
    network = {"trusted": True, "names": ["Gym.example", "tv"]}
    access = network_access(config(tmp_path, dashboard=OPEN, network=network))
    assert access.public_host == "Gym.example"
    for name in ("gym.example:8321", "tv", "192.168.1.5", "localhost"):
        assert access.names.in_host(name)
    assert not access.names.in_host("evil.example")


def test_where_there_is_no_page_the_broker_stays_on_this_machine(tmp_path: Path) -> None:
    access = network_access(config(tmp_path, dashboard={"enabled": False, **OPEN}))
    assert access.host == "127.0.0.1"


def test_a_certificate_of_ones_own_is_used_and_has_to_be_in_force(tmp_path: Path) -> None:
    files = CertificateFiles.of(tmp_path)
    create_certificates(files, ["localhost"], dt.datetime.now(dt.UTC))
    tls = {"certificate": files.server, "key": files.server_key}
    assert network_access(config(tmp_path / "elsewhere", tls=tls)).encryption is not None
    create_certificates(files, ["localhost"], dt.datetime.now(dt.UTC) - dt.timedelta(days=900))
    with pytest.raises(ConfigError, match="has expired on"):
        network_access(config(tmp_path, tls=tls))
    with pytest.raises(ConfigError, match="has expired on"):
        network_access(config(tmp_path, dashboard=OPEN))


def test_an_encrypted_page_wants_an_encrypted_broker(tmp_path: Path) -> None:
    create_certificates(CertificateFiles.of(tmp_path), ["localhost"], dt.datetime.now(dt.UTC))
    external: dict[str, Any] = {"broker": "external", "websocket_url": "ws://broker:9001"}
    with pytest.raises(ConfigError, match=r"mqtt\.websocket_url needs a wss:// address"):
        network_access(config(tmp_path, dashboard=OPEN, mqtt=external))
    external["websocket_url"] = "wss://broker:9001"
    assert network_access(config(tmp_path, dashboard=OPEN, mqtt=external)).encryption is not None
