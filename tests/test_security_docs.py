"""docs/security.md: each attack names a test that exists."""

from __future__ import annotations

import pytest

from tests.conftest import REPOSITORY
from tests.test_reliability_docs import functions_of

PAGE = (REPOSITORY / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.split("| attack | what happens | test |")[1].split("\n\n")[0].splitlines()[2:]
]
PROMISED = (
    *("no token", "wrong token ", "athlete A reads B's topics", "wildcard subscription"),
    *(
        "markup and script in every text",
        "JSON that is none",
        "payload of 1 MB",
        "300 malformed MQTT connections",
    ),
    *("a site elsewhere", "path traversal"),
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_attack_names_a_test_that_exists(row: list[str]) -> None:
    attack, happens, test = row
    assert all((attack, happens))
    path, _, name = test.strip("`").partition("::")
    assert name.startswith("test_")
    assert name in functions_of(path)


@pytest.mark.parametrize("attack", PROMISED)
def test_every_attack_promised_is_there(attack: str) -> None:
    assert any(attack in row[0] for row in ROWS)
