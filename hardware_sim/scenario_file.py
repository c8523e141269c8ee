"""Scenarios as TOML files: the bundled ones by name, others by path."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import MISSING, fields, is_dataclass
from importlib import resources
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from hardware_sim.errors import ScenarioError
from hardware_sim.scenario import Scenario

_Value = TypeVar("_Value")


def scenario_names() -> tuple[str, ...]:
    """Names of the bundled scenarios, in alphabetical order."""
    folder = resources.files("hardware_sim") / "scenarios"
    return tuple(sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".toml")))


def load_scenario(name_or_path: str | Path) -> Scenario:
    """Read a scenario.

    Parameters
    ----------
    name_or_path
        Name of a bundled scenario, or the path of a TOML file (recognised by its suffix).

    Returns
    -------
    Scenario
        Checked values; what the file leaves out has its default.

    Raises
    ------
    ScenarioError
        No such scenario, not TOML, an unknown key, or a value that does not fit.
    """
    text_name = str(name_or_path)
    if text_name.endswith(".toml"):
        try:
            text = Path(name_or_path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise ScenarioError(f"cannot read scenario {text_name}: {reason}; check the path") from error
    else:
        names = scenario_names()
        if text_name not in names:
            raise ScenarioError(
                f"no scenario named {text_name!r}{_suggestion(text_name, names)}; "
                f"choose one of {', '.join(names)} or give the path of a .toml file"
            )
        text = (resources.files("hardware_sim") / "scenarios" / f"{text_name}.toml").read_text(
            encoding="utf-8"
        )
    return parse_scenario(text, Path(text_name).stem)


def parse_scenario(text: str, name: str) -> Scenario:
    """Make a scenario of TOML text; ``name`` is its name where the text gives none.

    Raises
    ------
    ScenarioError
        Not TOML, an unknown key, or a value that does not fit; the message begins with the name.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"scenario {name} is not TOML: {error}; mend that place") from error
    try:
        return _build(Scenario, {"name": name, **table}, "")
    except ScenarioError as error:
        raise ScenarioError(f"scenario {name}: {error}") from error


def _suggestion(word: str, words: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(word, words, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _build(kind: type[_Value], table: dict[str, Any], where: str) -> _Value:
    """Make a dataclass of a TOML table, strictly: unknown keys and wrong types are errors."""
    hints = get_type_hints(kind)
    for key in table:
        if key not in hints:
            raise ScenarioError(
                f"unknown key {where}{key}{_suggestion(key, tuple(hints))}; "
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
        return _build(hint, value, f"{key}.")  # type: ignore[arg-type]  # a field's hint is a class
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
            f"{key} = {value!r} is unknown{_suggestion(str(value), words)}; choose {', '.join(words)}"
        )
    return hint(value)
