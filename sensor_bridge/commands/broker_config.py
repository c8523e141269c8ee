"""``hipline broker config``: the files a production broker needs for this gym."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import TYPE_CHECKING

import typer

from sensor_bridge.access.certificates import CertificateFiles, create_certificates
from sensor_bridge.access.machine import own_addresses, own_names
from sensor_bridge.access.mosquitto_config import (
    ACCESS,
    CERTIFICATE,
    DATA,
    KEY,
    PASSWORDS,
    access_rules,
    configuration,
    password_line,
)
from sensor_bridge.access.tokens import tokens_of
from sensor_bridge.config_file import load_config
from sensor_bridge.errors import BridgeError
from sensor_bridge.home_assistant.rights import HOME_ASSISTANT_USER, with_home_assistant_user
from sensor_bridge.mqtt.topics import Topics
from sensor_bridge.mqtt.users import BRIDGE_USER, gym_users, user_names
from sensor_bridge.private_file import write_private

if TYPE_CHECKING:
    from pathlib import Path

    from sensor_bridge.config import Config

_BRIDGE_PASSWORD = "bridge-password"  # noqa: S105 - the name of the file
_HOME_ASSISTANT_PASSWORD = "home-assistant-password"  # noqa: S105 - the name of the file
_SALT_BYTES = 12


def mosquitto(
    config_path: Path | None,
    *,
    out: Path,
    address: str | None,
    installed_in: Path | None,
    port: int,
    websocket_port: int,
) -> None:
    """Write configuration, passwords, access rules and certificate of a mosquitto for this gym.

    Parameters
    ----------
    config_path
        The configuration; None: the user's own.
    out
        Folder the files go to.
    address
        Name or address under which the broker will be reached; None: this machine's.
    installed_in
        Where the files will lie on the broker's machine; None: in `out`.
    port, websocket_port
        Of MQTT and of MQTT over WebSocket.

    Raises
    ------
    BridgeError
        A file cannot be read or written, or the certificate cannot be made.
    """
    config = load_config(config_path)
    folder = out.resolve()
    tokens = tokens_of(config.data_folder, user_names([athlete.id for athlete in config.athletes]))
    worn = {athlete.id: [sensor.id for sensor in athlete.sensors] for athlete in config.athletes}
    topics = Topics(config.gym)
    users = gym_users(topics, tokens, worn)
    if config.home_assistant.discovery:
        token = tokens_of(config.data_folder, [HOME_ASSISTANT_USER])[HOME_ASSISTANT_USER]
        users = with_home_assistant_user(users, topics, token, prefix=config.home_assistant.prefix)
        write_private(folder / _HOME_ASSISTANT_PASSWORD, f"{token}\n".encode())
    host = address or next(iter([*own_addresses(), *own_names()]), "127.0.0.1")
    authority = _certificate(config, folder, host)
    lines = [password_line(user.name, user.token, secrets.token_bytes(_SALT_BYTES)) for user in users]
    write_private(folder / PASSWORDS, "".join(lines).encode())
    write_private(folder / ACCESS, access_rules(users).encode())
    write_private(folder / _BRIDGE_PASSWORD, f"{tokens[BRIDGE_USER]}\n".encode())
    text = configuration(installed_in or folder, port, websocket_port)
    write_private(folder / "mosquitto.conf", text.encode())
    section = _section(host, port, websocket_port, folder / _BRIDGE_PASSWORD, authority)
    write_private(folder / "hipline-mqtt.toml", section.encode())
    typer.echo(f"{folder}: for mosquitto -c {(installed_in or folder) / 'mosquitto.conf'}", err=True)
    typer.echo(
        "Its user (mosquitto, as a rule) has to own the folder: chown -R mosquitto: FOLDER. "
        "After a new athlete or a new token write it again, and restart both.",
        err=True,
    )
    typer.echo("Into the configuration of the bridge, in the place of [mqtt]:\n", err=True)
    typer.echo(section, nl=False)


def _certificate(config: Config, folder: Path, host: str) -> Path | None:
    """Put certificate and key into the folder; return the authority to trust where it is not a public one."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / DATA).mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise BridgeError(f"{folder}: cannot be made: {error.strerror}") from error
    tls = config.tls
    if tls.certificate is not None and tls.key is not None:
        for source, name in ((tls.certificate, CERTIFICATE), (tls.key, KEY)):
            try:
                write_private(folder / name, source.read_bytes())
            except OSError as error:
                raise BridgeError(f"{source}: cannot be read: {error.strerror}") from error
        return None
    files = CertificateFiles(CertificateFiles.of(config.data_folder.resolve()).folder, folder)
    create_certificates(files, [host, *own_names(), "localhost", "127.0.0.1"], dt.datetime.now(dt.UTC))
    return files.authority


def _section(host: str, port: int, websocket_port: int, password: Path, authority: Path | None) -> str:
    bracketed = f"[{host}]" if ":" in host else host
    lines = [
        "[mqtt]",
        'broker = "external"',
        f'host = "{host}"',
        f"port = {port}",
        f'websocket_url = "wss://{bracketed}:{websocket_port}"',
        f'username = "{BRIDGE_USER}"',
        f"password_file = {_quoted(password)}",
        "tls = true",
        *([f"ca_file = {_quoted(authority)}"] if authority is not None else []),
    ]
    return "\n".join(lines) + "\n"


def _quoted(path: Path) -> str:
    text = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
