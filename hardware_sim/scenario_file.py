"""Scenarios as TOML files: the bundled ones by name, others by path."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from hardware_sim.scenario import Scenario
from hardware_sim.toml_table import names_in, parse_as, read_toml

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


def scenario_names() -> tuple[str, ...]:
    """Names of the bundled scenarios, in alphabetical order."""
    return names_in(_folder())


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
    return parse_scenario(read_toml(name_or_path, _folder(), "scenario"), Path(name_or_path).stem)


def parse_scenario(text: str, name: str) -> Scenario:
    """Make a scenario of TOML text; ``name`` is its name where the text gives none.

    Raises
    ------
    ScenarioError
        Not TOML, an unknown key, or a value that does not fit; the message begins with the name.
    """
    return parse_as(Scenario, text, "scenario", name, name)


def _folder() -> Traversable:
    return resources.files("hardware_sim") / "scenarios"
