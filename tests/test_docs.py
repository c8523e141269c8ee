"""README and docs/ are true: what they name exists, what they show works, what exists is told."""

from __future__ import annotations

import importlib
import importlib.util
import re
import tomllib
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer

from sensor_bridge.cli import app
from sensor_bridge.config_file import load_config

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).resolve().parent.parent
PAGES = {
    str(path.relative_to(REPOSITORY)): path.read_text(encoding="utf-8")
    for path in (REPOSITORY / "README.md", REPOSITORY / "CHANGELOG.md", *sorted(REPOSITORY.glob("docs/*.md")))
}
PACKAGES = ("firmware_protocol", "analytics", "sensor_bridge", "hardware_sim")
SOURCES = [
    path
    for package in PACKAGES
    for path in sorted((REPOSITORY / package).rglob("*"))
    if path.suffix in {".py", ".ts", ".tsx", ".css"} and not {"node_modules", "dist"} & set(path.parts)
]
LONG = 400  # lines
every_page = pytest.mark.parametrize("page", PAGES)


def spans(page: str) -> list[str]:
    """Code inside the lines of a page."""
    prose = re.sub(r"^```.*?^```", "", PAGES[page], flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"`([^`\n]+)`", prose)


def shell_lines(page: str) -> list[str]:
    """Lines of the blocks that name no language, without their comments."""
    blocks = re.findall(r"^```\n(.*?)^```", PAGES[page], re.MULTILINE | re.DOTALL)
    return [line.split(" #")[0].strip() for block in blocks for line in block.splitlines()]


def said_commands(page: str) -> list[list[str]]:
    """Words after ``hipline`` wherever a page shows the command."""
    return [code.split()[1:] for code in spans(page) + shell_lines(page) if code.startswith("hipline ")]


def commands_of(group: Any, before: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """All commands of the CLI that do something, with their words."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands_of(command, (*before, name))
        else:
            yield (*before, name), command


def options_of(command: Any) -> set[str]:
    """Names of all options of one command."""
    named = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    return named | {"--help", "-h"}


COMMANDS = dict(commands_of(typer.main.get_command(app)))


@every_page
def test_commands_and_their_options_exist(page: str) -> None:
    for words in said_commands(page):
        found = COMMANDS.get(tuple(words[:2])) or COMMANDS.get(tuple(words[:1]))
        if found is None:
            assert any(known[0] == words[0] for known in COMMANDS), f"{page}: hipline {' '.join(words)}"
            assert words[1:] == [], f"{page}: hipline {' '.join(words)}"
            continue
        options = {word.split("=")[0] for word in words if word.startswith("-")}
        assert options <= options_of(found), f"{page}: hipline {' '.join(words)}"


@every_page
def test_options_named_alone_exist(page: str) -> None:
    named = {code.split()[0].split("=")[0] for code in spans(page) if code.startswith("--")}
    known = set().union(*(options_of(command) for command in COMMANDS.values()))
    for path in (REPOSITORY / "benchmarks").rglob("*.py"):
        known |= set(re.findall(r'"(--[a-z-]+)"', path.read_text(encoding="utf-8")))
    assert named <= known, page


def test_every_command_is_told() -> None:
    told = [words for page in PAGES if page != "CHANGELOG.md" for words in said_commands(page)]
    for words in COMMANDS:
        assert any(tuple(said[: len(words)]) == words for said in told), f"hipline {' '.join(words)}"


@every_page
def test_targets_of_make_exist(page: str) -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    for code in spans(page) + shell_lines(page):
        if code.startswith("make "):
            assert re.search(rf"^{re.escape(code.split()[1])}:", makefile, re.MULTILINE), f"{page}: {code}"


@every_page
def test_modules_named_exist(page: str) -> None:
    for code in spans(page) + shell_lines(page):
        words = code.split()
        if words[:2] == ["python", "-m"]:
            assert importlib.util.find_spec(words[2]) is not None, f"{page}: {code}"
        elif re.fullmatch(rf"({'|'.join(PACKAGES)})(\.\w+)*", code):
            assert resolves(code), f"{page}: {code}"


def resolves(dotted: str) -> bool:
    """Tell whether a dotted name is a module, or something in one."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        if importlib.util.find_spec(".".join(parts[:length])):
            module = importlib.import_module(".".join(parts[:length]))
            missing = object()
            return reduce(lambda a, b: getattr(a, b, missing), parts[length:], module) is not missing
    return False


@every_page
def test_files_named_exist(page: str) -> None:
    names = {path.name for path in SOURCES}
    for code in spans(page):
        if re.fullmatch(r"[\w.-]+\.(py|md|toml|json|ts|tsx|css)", code):
            beside = (REPOSITORY / page).parent / code
            assert code in names or (REPOSITORY / code).exists() or beside.exists(), f"{page}: {code}"
        elif re.fullmatch(r"\.?[\w-]+(/[\w.-]+)+/?", code) and not re.fullmatch(r"\w+/\d+", code):
            top = code.split("/")[0]
            if (REPOSITORY / top).exists():  # else it is a topic, a unit, anything with a stroke
                assert (REPOSITORY / code).exists(), f"{page}: {code}"


@every_page
def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", PAGES[page]):
        if re.match(r"https?://", target):
            continue
        file, _, anchor = target.partition("#")
        path = (REPOSITORY / page).parent / file if file else REPOSITORY / page
        assert path.exists(), f"{page}: {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in slugs, f"{page}: {target}"


def test_the_configuration_of_the_readme_is_in_order(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```toml\n(.*?)^```", PAGES["README.md"], re.MULTILINE | re.DOTALL)
    path = tmp_path / "gym.toml"
    path.write_text(example, encoding="utf-8")
    config = load_config(path)
    (athlete,) = config.athletes
    assert (config.gym, athlete.name) == ("home", "Robin")
    assert [(each.id, each.placement, each.mount) for each in athlete.sensors] == [
        ("hip", "pelvis", "sacrum"),
        ("thigh", "thigh_right", "thigh_lateral"),
    ]


def test_the_table_of_libraries_names_what_is_installed() -> None:
    section = PAGES["docs/architecture.md"].split("## Chosen libraries")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")][2:]
    told = [name.strip() for row in rows for name in re.sub(r"\(.*?\)", "", row[1]).split(",")]
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert sorted(told) == sorted(re.split(r"[<>=]", each)[0] for each in project["dependencies"])


def test_long_files_have_their_reason() -> None:
    section = PAGES["docs/architecture.md"].split("## Long files")[1].split("\n## ")[0]
    reasons = dict(re.findall(r"^\| `(.+?)` \| (.+) \|$", section, re.MULTILINE))
    for path in SOURCES:
        name = str(path.relative_to(REPOSITORY))
        if len(path.read_text(encoding="utf-8").splitlines()) > LONG:
            assert reasons.get(name), f"{name} is longer than {LONG} lines: split it, or say why not"
