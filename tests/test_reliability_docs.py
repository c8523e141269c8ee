"""docs/reliability.md: each fault names a test that exists, and none costs a repetition."""

from __future__ import annotations

import ast
import re
import tomllib

import pytest

from sensor_bridge.outbox_config import OutboxConfig
from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs" / "reliability.md").read_text(encoding="utf-8")
HEAD = "| fault | what happens | what the coach sees | repetitions lost | test |"
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.split(HEAD)[1].split("\n\n")[0].splitlines()[2:]
]
PROMISED = (
    "broker stopped for 60 s",
    "broker restarted with its state lost",
    "SIGKILL",
    "disk full",
    "wrong password",
    "deny",
    "TLS certificate expired",
    "+1 h",
    "asleep for 10 min",
    "without Wi-Fi for a minute",
)


def functions_of(path: str) -> set[str]:
    tree = ast.parse((REPOSITORY / path).read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in tree.body if isinstance(node, functions)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_fault_names_a_test_that_exists(row: list[str]) -> None:
    fault, happens, seen, lost, test = row
    assert all((fault, happens, seen))
    assert lost == "0"
    path, _, name = test.strip("`").partition("::")
    assert name.startswith("test_")
    assert name in functions_of(path)


@pytest.mark.parametrize("fault", PROMISED)
def test_every_fault_promised_is_there(fault: str) -> None:
    assert sum(fault in row[0] for row in ROWS) == 1


def test_tests_named_in_the_text_exist() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
    assert len(named) == len(ROWS) + 1
    for path, name in named:
        assert name in functions_of(path)


def test_the_settings_shown_are_those_in_force() -> None:
    (shown,) = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert OutboxConfig.model_validate(tomllib.loads(shown)["outbox"]) == OutboxConfig()
    assert set(tomllib.loads(shown)["outbox"]) == set(OutboxConfig.model_fields)
