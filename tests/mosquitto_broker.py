"""A real mosquitto for tests: password file, access rules, TCP and WebSocket listener, on free ports.

Import the `mosquitto` fixture in a conftest: ``from tests.mosquitto_broker import mosquitto``.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GYM = "gym-1"
PASSWORDS = {"bridge": "correct-horse", "coach": "battery-staple"}
ACCESS = f"""
user bridge
topic readwrite hipline/v1/{GYM}/#

user coach
topic read hipline/v1/{GYM}/#
topic write hipline/v1/{GYM}/svc/+/cmd/+
"""


@dataclass
class Mosquitto:
    """One mosquitto process that can be stopped and started again on the same ports.

    `certificate` and `key` (PEM files) turn the TCP listener into a TLS one; `further` are more lines of its
    configuration.
    """

    folder: Path
    passwords: dict[str, str] = field(default_factory=lambda: dict(PASSWORDS))
    access: str = ACCESS
    certificate: Path | None = None
    key: Path | None = None
    host: str = "127.0.0.1"
    gym: str = GYM
    further: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.tcp_port, self.websocket_port = _free_ports(2)
        self.log = self.folder / "mosquitto.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._configure()

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [_executable(), "-c", str(self.folder / "mosquitto.conf")], stdout=log, stderr=log
            )
        deadline = time.monotonic() + 10.0
        while not all(_answers(port) for port in (self.tcp_port, self.websocket_port)):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"mosquitto did not start:\n{self.log.read_text()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it in good order (SIGTERM); does nothing where it has ended."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=10)
            self._process = None

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=10)
            self._process = None

    def grant(self, access: str) -> None:
        """Replace the access rules; they hold from the next start."""
        self.access = access
        self._configure()

    def _configure(self) -> None:
        passwords, access = self.folder / "passwords", self.folder / "access"
        passwords.touch(mode=0o600)
        for user, password in self.passwords.items():
            subprocess.run(["mosquitto_passwd", "-b", passwords, user, password], check=True)
        access.write_text(self.access)
        access.chmod(0o600)
        encryption = [f"certfile {self.certificate}", f"keyfile {self.key}"] if self.certificate else []
        lines = [
            # A process started by root would become the user mosquitto, who may not read the folder.
            *(["user root"] if os.geteuid() == 0 else []),
            "allow_anonymous false",
            "set_tcp_nodelay true",
            f"password_file {passwords}",
            f"acl_file {access}",
            # Sessions of subscribers that are away keep all they missed. With 0, for "no limit", mosquitto
            # 2.0.11 hangs up after each publish it refuses.
            "max_queued_messages 100000",
            "persistence true",
            f"persistence_location {self.folder}/",
            "autosave_on_changes true",
            "autosave_interval 1",
            *self.further,
            f"listener {self.tcp_port} {self.host}",
            *encryption,
            f"listener {self.websocket_port} {self.host}",
            "protocol websockets",
        ]
        (self.folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """Start a mosquitto for one test."""
    require_mosquitto()
    folder = tmp_path / "mosquitto"
    folder.mkdir()
    broker = Mosquitto(folder)
    broker.start()
    yield broker
    broker.stop()


def require_mosquitto() -> None:
    """Skip, by name, where the executable is absent."""
    if shutil.which("mosquitto", path=_search_path()) is None:
        pytest.skip("mosquitto is not installed: apt install mosquitto")


def _executable() -> str:
    found = shutil.which("mosquitto", path=_search_path())
    assert found is not None
    return found


def _search_path() -> str:
    # Debian keeps daemons where ordinary users do not look.
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
