"""Scenarios as TOML files: the bundled ones by name, others by path."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path

from hardware_sim.errors import ScenarioError
from hardware_sim.scenario import Scenario
from hardware_sim.toml_table import build, suggestion


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
                f"no scenario named {text_name!r}{suggestion(text_name, names)}; "
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
    except (ValueError, RecursionError) as error:  # tomllib has both for text that is no TOML
        raise ScenarioError(f"scenario {name} is not TOML: {error}; mend that place") from error
    try:
        return build(Scenario, {"name": name, **table})
    except ScenarioError as error:
        raise ScenarioError(f"scenario {name}: {error}") from error
