from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from firmware_protocol import tables

REPOSITORY = Path(__file__).resolve().parents[2]


def test_byte_table_counts_offsets() -> None:
    assert tables.tables()["TimeReply"].splitlines() == [
        "| offset | bytes | field | type | unit | meaning |",
        "| --- | --- | --- | --- | --- | --- |",
        "| 0 | 1 | `head` | u8 |  | bits 4 to 7 protocol version, bits 0 to 3 packet type = 7 (TIME_REPLY) |",
        "| 1 | 2 | `sequence` | u16 |  | that of the request |",
        "| 3 | 8 | `host_send_us` | u64 | µs | that of the request |",
        "| 11 | 6 | `device_receive_us` | u48 | µs | sensor's clock (since boot) when the request came in |",
        (
            "| 17 | 6 | `device_send_us` | u48 | µs | sensor's clock when the reply was handed to the radio; "
            "not before the former |"
        ),
    ]


def test_part_of_variable_length_comes_last() -> None:
    last = tables.tables()["ImuFrame"].splitlines()[-1]
    assert last.startswith("| 16 | variable | `samples` | n_samples x 6 x i16 | counts |")


def test_fill_replaces_only_the_blocks() -> None:
    document = "before\n<!-- table: Stop -->\nold\nrows\n<!-- end of table -->\nafter\n"
    filled = tables.fill(document)
    assert filled.startswith("before\n<!-- table: Stop -->\n| offset |")
    assert filled.endswith("|\n<!-- end of table -->\nafter\n")
    assert "old" not in filled
    assert tables.fill(filled) == filled


def test_command_rewrites_a_file(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- table: results -->\n<!-- end of table -->\n", encoding="utf-8")
    assert tables.main([str(page)]) == 0
    assert "| 3 | `BUSY` |" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "No such file or directory"),
        (
            "<!-- table: nothing -->\n<!-- end of table -->\n",
            "there is no table 'nothing'; choose from services,",
        ),
    ],
)
def test_user_mistake_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, complaint: str
) -> None:
    page = tmp_path / "page.md"
    if content is not None:
        page.write_text(content, encoding="utf-8")
    assert tables.main([str(page)]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"{page}: ")
    assert complaint in shown.err
    assert shown.err.count("\n") == 1


def test_module_prints_every_table() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "firmware_protocol.tables"],
        capture_output=True,
        check=True,
        cwd=REPOSITORY,
        encoding="utf-8",
        env={"PYTHONIOENCODING": "utf-8"},
    )
    for name in tables.tables():
        assert f"<!-- table: {name} -->" in run.stdout
