"""The configuration file: TOML in, a :class:`sensor_bridge.config.Config` out.

An unknown key or a value that does not fit is a :class:`ConfigError` of one line that names file and key.
Passwords are never in the file: it names another file (mode 0600) or an environment variable.
"""

from __future__ import annotations

import difflib
import os
import stat
import tomllib
from typing import TYPE_CHECKING, Any

from platformdirs import user_config_path
from pydantic import BaseModel, ValidationError

from sensor_bridge.config import APPLICATION, Config
from sensor_bridge.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pydantic.fields import FieldInfo

    from sensor_bridge.config_access import MqttConfig


def default_config_path() -> Path:
    """Where the configuration is looked for when none is named."""
    return user_config_path(APPLICATION) / "hipline.toml"


def load_config(path: Path | None = None) -> Config:
    """Read the configuration.

    Parameters
    ----------
    path
        A TOML file; ``None``: the one at :func:`default_config_path` if it is there, else the defaults.

    Raises
    ------
    ConfigError
        The file cannot be read, is not TOML, or holds an unknown key or a value that does not fit.
    """
    if path is None:
        path = default_config_path()
        if not path.exists():
            return Config()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"{path}: cannot be read: {reason}") from error
    return checked_config(text, path)


def load_config_or_none_yet(path: Path | None) -> Config:
    """Read the configuration for a command that will write it: a file that is named need not be there yet.

    Raises
    ------
    ConfigError
        As :func:`load_config`.
    """
    return Config() if path is not None and not path.exists() else load_config(path)


def checked_config(text: str, path: Path) -> Config:
    """Check the text of a configuration file.

    Parameters
    ----------
    text
        TOML.
    path
        Where it stands or will stand: relative paths in it are taken from there.

    Raises
    ------
    ConfigError
        It is not TOML, or holds an unknown key or a value that does not fit.
    """
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # tomllib has both for text that is no TOML
        raise ConfigError(f"{path}: is not TOML: {error}") from error
    try:
        config = Config.model_validate(table)
    except ValidationError as error:
        raise ConfigError(f"{path}: {_first_problem(error)}") from error
    return _resolved(config, path)


def read_password(config: MqttConfig, environment: Mapping[str, str] = os.environ) -> str | None:
    """Read the external broker's password from where the configuration says; ``None`` where it needs none.

    Raises
    ------
    ConfigError
        It is not there, or others may read the file.
    """
    return _secret("mqtt.password", config.password_file, config.password_env, environment)


def read_dashboard_password(config: MqttConfig, environment: Mapping[str, str] = os.environ) -> str | None:
    """Read the page's password for the external broker, as :func:`read_password` does the bridge's."""
    return _secret(
        "mqtt.dashboard_password", config.dashboard_password_file, config.dashboard_password_env, environment
    )


def _secret(key: str, path: Path | None, variable: str | None, environment: Mapping[str, str]) -> str | None:
    if variable is not None:
        password = environment.get(variable)
        if not password:
            raise ConfigError(f"{key}_env: the environment variable {variable} is not set")
        return password
    if path is None:
        return None
    try:
        mode = path.stat().st_mode
        password = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"{key}_file: {path} cannot be read: {reason}") from error
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(f"{key}_file: others may read {path}: run chmod 600 {path}")
    if not password:
        raise ConfigError(f"{key}_file: {path} is empty")
    return password


def _resolved(config: Config, file: Path) -> Config:
    """Take relative paths from the configuration's own folder."""

    def absolute(key: str, path: Path) -> Path:
        try:
            return file.parent / path.expanduser()
        except RuntimeError as error:
            raise ConfigError(
                f"{file}: {key}: there is no home folder for {path}: write the whole path"
            ) from error

    mqtt = config.mqtt
    changed = {
        name: absolute(f"mqtt.{name}", getattr(mqtt, name))
        for name in ("password_file", "dashboard_password_file", "ca_file")
        if getattr(mqtt, name) is not None
    }
    encryption = {
        name: absolute(f"tls.{name}", getattr(config.tls, name))
        for name in ("certificate", "key")
        if getattr(config.tls, name) is not None
    }
    return config.model_copy(
        update={
            "data_folder": absolute("data_folder", config.data_folder),
            "mqtt": mqtt.model_copy(update=changed),
            "tls": config.tls.model_copy(update=encryption),
        }
    )


def _first_problem(error: ValidationError) -> str:
    problems = error.errors(include_url=False)
    problem = problems[0]
    key = _dotted(problem["loc"])
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    if problem["type"] == "extra_forbidden":
        return f"unknown key {key}{_suggestion(problem['loc'])}{more}"
    if problem["type"] == "missing":
        return f"{key} is missing{more}"
    message = problem["msg"].removeprefix("Value error, ")
    given = problem["input"]
    shown = (
        f", not {given!r}"
        if isinstance(given, (str, int, float, bool)) and repr(given) not in message
        else ""
    )
    return f"{key + ': ' if key else ''}{message[:1].lower() + message[1:]}{shown}{more}"


def _dotted(location: tuple[int | str, ...]) -> str:
    text = ""
    for part in location:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def _suggestion(location: tuple[int | str, ...]) -> str:
    fields = _fields_at(location[:-1])
    near = difflib.get_close_matches(str(location[-1]), fields, n=1)
    return f": did you mean {near[0]}?" if near else f": known are {', '.join(fields)}"


def _fields_at(location: tuple[int | str, ...]) -> list[str]:
    section: type[BaseModel] = Config
    for part in location:
        if isinstance(part, str) and part in section.model_fields:
            section = _section_of(section.model_fields[part])
    return list(section.model_fields)


def _section_of(field: FieldInfo) -> type[BaseModel]:
    pending: list[Any] = [field.annotation]
    while pending:
        kind = pending.pop()
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
        pending += getattr(kind, "__args__", ())
    return Config
