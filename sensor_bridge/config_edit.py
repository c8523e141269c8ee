"""Changing the configuration file and nothing else in it: comments, order and spelling stay as they were."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT

from sensor_bridge.config_file import checked_config
from sensor_bridge.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from analytics.imu import Mount, Placement
    from sensor_bridge.config import Config

_NEW_FILE = "# Hipline: who wears which sensor, and where the measurements go.\n"
_PRIVATE = 0o600


@dataclass(frozen=True, slots=True)
class Assignment:
    """One sensor on one athlete.

    Parameters
    ----------
    athlete_id
        Who.
    placement
        On which segment.
    address
        Which sensor.
    mount
        Where on the segment; None leaves what is written.
    athlete_name, sensor_id
        How to call them; None leaves what is written, or what follows from the others.
    """

    athlete_id: str
    placement: Placement
    address: str
    mount: Mount | None = None
    athlete_name: str | None = None
    sensor_id: str | None = None


def assign(path: Path, assignments: list[Assignment]) -> Config:
    """Write who wears which sensor where; a sensor that was worn elsewhere is taken from there.

    Parameters
    ----------
    path
        The configuration; made where it does not exist.
    assignments
        In order.

    Returns
    -------
    Config
        As it is now.

    Raises
    ------
    ConfigError
        The file cannot be read or written, or would be in no order afterwards; it is then as it was.
    """

    def change(document: tomlkit.TOMLDocument) -> None:
        for each in assignments:
            _assign(document, each)

    return _edit(path, change)


def change_paired(path: Path, address: str, *, is_paired: bool) -> Config:
    """Write whether this computer is paired with a sensor: whether ``[radio] paired`` lists its address.

    Parameters
    ----------
    path
        The configuration; made where it does not exist.
    address
        Which sensor.
    is_paired
        False takes it off the list.

    Raises
    ------
    ConfigError
        As :func:`assign`.
    """

    def change(document: tomlkit.TOMLDocument) -> None:
        radio = document.setdefault("radio", tomlkit.table())
        listed = radio.setdefault("paired", tomlkit.array())
        for index in reversed(range(len(listed))):
            if str(listed[index]).upper() == address.upper():
                del listed[index]
        if is_paired:
            listed.append(address)

    return _edit(path, change)


def _assign(document: tomlkit.TOMLDocument, wanted: Assignment) -> None:
    athletes = _list_in(document, "athletes")
    athlete = next((each for each in athletes if each.get("id") == wanted.athlete_id), None)
    if athlete is None:
        name = {} if wanted.athlete_name is None else {"name": wanted.athlete_name}
        athlete = _append(athletes, {"id": wanted.athlete_id, **name})
    elif wanted.athlete_name is not None:
        athlete["name"] = wanted.athlete_name
    worn = _list_in(athlete, "sensors")
    place = next((each for each in worn if each.get("placement") == str(wanted.placement)), None)
    for other in athletes:
        for sensor in [*other.get("sensors", [])]:
            is_elsewhere = sensor is not place
            if is_elsewhere and str(sensor.get("address", "")).upper() == wanted.address.upper():
                _removed(other["sensors"], sensor)
    values = {"address": wanted.address}
    if wanted.sensor_id is not None:
        values["id"] = wanted.sensor_id
    if wanted.mount is not None:
        values["mount"] = str(wanted.mount)
    if place is None:
        _append(worn, {"placement": str(wanted.placement), **values})
        return
    before = str(place.get("address", wanted.address))
    if before.upper() != wanted.address.upper():  # another sensor, whose kind its advertisement says
        place.pop("kind", None)
        place.pop("layout", None)
    place.update(values)
    place.pop("name", None)  # the address finds it, and the name may be another sensor's


def _edit(path: Path, change: Callable[[tomlkit.TOMLDocument], None]) -> Config:
    """Change a file as a whole or not at all."""
    target = path.resolve()  # a link stays one
    is_new = not target.exists()
    try:
        # As bytes: line ends are part of what is not ours to change.
        text = _NEW_FILE if is_new else target.read_bytes().decode("utf-8")
        document = tomlkit.parse(text)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: cannot be read: it is not UTF-8 text") from error
    except TOMLKitError as error:
        raise ConfigError(f"{path}: is not TOML: {error}") from error
    try:
        change(document)
    except (TypeError, AttributeError, KeyError) as error:  # tables where lists belong, and the like
        raise ConfigError(
            f"{path}: is not written as in the README, and cannot be changed by a program"
        ) from error
    text = tomlkit.dumps(document)
    config = checked_config(text, path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _replace(target, text, _PRIVATE if is_new else stat.S_IMODE(target.stat().st_mode))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from error
    return config


def _replace(target: Path, text: str, mode: int) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode("utf-8"))
        part = Path(name)
        part.chmod(mode)
        part.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _list_in(table: Any, key: str) -> Any:
    """Return the list of tables under a key, made where there is none."""
    if key not in table:
        is_inline = isinstance(table, tomlkit.items.InlineTable)
        table[key] = tomlkit.array() if is_inline else tomlkit.aot()
    return table[key]


def _append(entries: Any, values: dict[str, str]) -> Any:
    if not isinstance(entries, AoT):
        entry: Any = tomlkit.inline_table()
        entry.update(values)
        entries.append(entry)
        return entries[-1]
    entry = tomlkit.table()
    entry.update(values)
    if not (entries and entries[-1].as_string().endswith(("\n\n", "\n\r\n"))):
        entry.trivia.indent = "\n"  # an empty line before its header
    entries.append(entry)
    return entries[-1]


def _removed(entries: Any, entry: Any) -> None:
    for index, each in enumerate(entries):
        if each is entry:
            del entries[index]
            return
