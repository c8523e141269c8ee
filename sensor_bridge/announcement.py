"""A running bridge tells other programs of the same user where its broker is and how to read there."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from platformdirs import user_data_path

from sensor_bridge.config import APPLICATION
from sensor_bridge.errors import BrokerUnavailable
from sensor_bridge.mqtt.settings import MqttSettings, Protocol
from sensor_bridge.private_file import write_private

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor_bridge.mqtt_access import MqttAccess

FILE_NAME = "broker-access.json"


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """What the file says: credentials of the coach, who reads all and commands the bridge."""

    gym: str
    host: str
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)]
    protocol: str
    username: str | None
    password: str | None
    tls: bool
    ca_file: str | None

    def __repr__(self) -> str:
        """Name the broker, and no password."""
        return f"Announcement(gym={self.gym!r}, host={self.host!r}, port={self.port})"

    def settings(self, client_id: str) -> MqttSettings:
        """Return how to connect."""
        return MqttSettings(
            client_id=client_id,
            host=self.host,
            port=self.port,
            protocol=Protocol(self.protocol),
            username=self.username,
            password=self.password,
            tls=self.tls,
            ca_file=None if self.ca_file is None else Path(self.ca_file),
        )


def announcement_path(data_folder: Path) -> Path:
    """Return where the bridge that keeps its data in this folder announces its broker."""
    return data_folder / FILE_NAME


def demo_announcement_path() -> Path:
    """Return where a running demo announces its broker: its data lie in a folder of the moment."""
    return announcement_path(user_data_path(APPLICATION) / "demo")


@contextlib.contextmanager
def announced(access: MqttAccess, gym: str, path: Path) -> Iterator[None]:
    """Announce a broker while the block lasts, in a file that only its owner may read (mode 0600).

    Raises
    ------
    BridgeError
        The file cannot be written.
    """
    text = msgspec.json.encode(
        Announcement(
            gym=gym,
            host=access.host,
            port=access.port,
            protocol=access.protocol.value,
            username=access.coach_user,
            password=access.coach_password,
            tls=access.tls,
            ca_file=None if access.ca_file is None else str(access.ca_file),
        )
    )
    write_private(path, text)
    try:
        yield
    finally:
        # Another bridge may have announced itself since: that stays.
        with contextlib.suppress(OSError):
            if path.read_bytes() == text:
                path.unlink()


def read_announcement(path: Path) -> Announcement:
    """Read where a running bridge's broker is.

    Raises
    ------
    BrokerUnavailable
        No bridge has announced one there.
    """
    try:
        told = msgspec.json.decode(path.read_bytes(), type=Announcement)
        Protocol(told.protocol)
    except (OSError, ValueError, msgspec.DecodeError) as error:
        raise BrokerUnavailable(
            "no bridge runs here: start hipline demo or hipline run, or name its configuration with --config"
        ) from error
    return told
