"""From TOML files, bundled or not, to frozen dataclasses, strictly."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from hardware_sim.errors import HardwareSimError, ScenarioError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_Value = TypeVar("_Value")


def names_in(folder: Traversable) -> tuple[str, ...]:
    """Names of the TOML files in a folder, without ending, in alphabetical order."""
    return tuple(sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".toml")))


def read_toml(name_or_path: str | Path, folder: Traversable, what: str) -> str:
    """Read the text of a TOML file.

    Parameters
    ----------
    name_or_path
        Name of a file in the folder, or the path of any other (recognised by its suffix).
    folder
        Where those are that have a name.
    what
        What such a file holds, for messages.

    Raises
    ------
    ScenarioError
        There is none, or it cannot be read.
    """
    name = str(name_or_path)
    names = names_in(folder)
    if name.endswith(".toml"):
        file: Traversable = Path(name_or_path)
    elif name in names:
        file = folder / f"{name}.toml"
    else:
        raise ScenarioError(
            f"no {what} named {name!r}{suggestion(name, names)}; "
            f"choose one of {', '.join(names)} or give the path of a .toml file"
        )
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ScenarioError(f"cannot read {what} {name}: {reason}; check the path") from error


def parse_as(kind: type[_Value], text: str, what: str, name: str, default_name: str) -> _Value:
    """Make a dataclass that has a name of TOML text.

    Parameters
    ----------
    kind
        The dataclass.
    text
        What was read.
    what, name
        Beginning of every message: what such a file holds, and which it is.
    default_name
        Its name where the text gives none.

    Raises
    ------
    ScenarioError
        Not TOML, nested deeper than any person writes, an unknown key, or a value that does not fit.
    """
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # tomllib has both for text that is no TOML
        raise ScenarioError(f"{what} {name} is not TOML: {error}; mend that place") from error
    try:
        return build(kind, {"name": default_name, **table})
    except HardwareSimError as error:
        raise ScenarioError(f"{what} {name}: {error}") from error


def suggestion(word: str, words: tuple[str, ...]) -> str:
    """Say which word may have been meant; nothing where none is close."""
    close = difflib.get_close_matches(word, words, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def build(kind: type[_Value], table: dict[str, Any], where: str = "") -> _Value:
    """Make a dataclass of a TOML table, strictly: unknown keys and wrong types are errors.

    Parameters
    ----------
    kind
        The dataclass; its fields may be dataclasses, tuples of them, words of an enumeration, or optional.
    table
        What was read.
    where
        Path of the table in its file, ending in a dot; for messages.

    Raises
    ------
    ScenarioError
        An unknown or missing key, or a value that does not fit.
    """
    hints = get_type_hints(kind)
    for key in table:
        if key not in hints:
            raise ScenarioError(
                f"unknown key {where}{key}{suggestion(key, tuple(hints))}; "
                f"known here are {', '.join(sorted(hints))}"
            )
    for item in fields(kind):  # type: ignore[arg-type]  # every kind passed in is a dataclass
        if item.name not in table and item.default is MISSING and item.default_factory is MISSING:
            raise ScenarioError(f"{where}{item.name} is missing; add it")
    return kind(**{key: _convert(hints[key], value, where + key) for key, value in table.items()})


def _convert(hint: Any, value: Any, key: str) -> Any:
    """Turn one TOML value into what the field asks for."""
    if get_origin(hint) in (Union, UnionType):
        hint = next(option for option in get_args(hint) if option is not type(None))
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise ScenarioError(f"{key} must be a list, not {value!r}")
        return tuple(_convert(get_args(hint)[0], entry, f"{key}[{i}]") for i, entry in enumerate(value))
    if is_dataclass(hint):
        if not isinstance(value, dict):
            raise ScenarioError(f"{key} must be a table, not {value!r}")
        return build(hint, value, f"{key}.")  # type: ignore[arg-type]  # a field's hint is a class
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint in (float, int, bool, str):
        if type(value) is not hint:
            wanted = {float: "a number", int: "a whole number", bool: "true or false", str: "a text"}[hint]
            raise ScenarioError(f"{key} must be {wanted}, not {value!r}")
        return value
    words = tuple(str(member) for member in hint)
    if value not in words:
        raise ScenarioError(
            f"{key} = {value!r} is unknown{suggestion(str(value), words)}; choose {', '.join(words)}"
        )
    return hint(value)
