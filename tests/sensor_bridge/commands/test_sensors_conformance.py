"""``hipline sensors conformance`` against a virtual sensor of another process."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from firmware_protocol.clauses import CLAUSES
from sensor_bridge.cli import run_command
from sensor_bridge.commands import sensors_conformance
from sensor_bridge.conformance.verdict import Finding, Verdict
from sensor_bridge.errors import LinkLost, UserInputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HIPLINE = [sys.executable, "-c", "from sensor_bridge.cli import main; main()"]


@pytest.fixture
def sensor() -> Iterator[tuple[str, str]]:
    """Port and address of a virtual sensor that has begun."""
    process = subprocess.Popen(
        [*HIPLINE, "virtual-sensors", "standing", "--duration", "40", "--at-once"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        lines = []
        while "have begun" not in "".join(lines[-1:]):
            lines.append(process.stdout.readline())
            assert lines[-1], "the virtual sensors ended"
        port = re.search(r"virtual_port = (\d+)", "".join(lines))
        address = re.search(r'address = "(.+)"', "".join(lines))
        assert port
        assert address
        yield port[1], address[1]
    finally:
        process.kill()
        process.communicate(timeout=10)


@pytest.mark.realtime
def test_findings_are_printed_and_written(sensor: tuple[str, str], tmp_path: Path) -> None:
    port, address = sensor
    path = tmp_path / "findings.json"
    only = ["gatt-services", "info-layout", "start-new", "frame-numbering", "time-echo", "resume-fallen"]
    chosen = [word for clause in only for word in ("--only", clause)]
    done = subprocess.run(
        [
            *[*HIPLINE, "sensors", "conformance", address, "--virtual-port", port, "--patience", "5"],
            *[*chosen, "--json", str(path)],
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    *lines, _, count = done.stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [
        *(["pass", clause] for clause in only[:-1]),
        ["-", "resume-fallen"],
    ]
    assert lines[-1].endswith("allow 62 s (--patience)")
    assert count == "5 passed, 0 failed, 1 not examined."
    document = json.loads(path.read_text(encoding="utf-8"))
    assert document["format"] == "hipline-conformance/1"
    assert document["sensor"] == address
    assert [(each["id"], each["verdict"]) for each in document["clauses"]] == [
        *((clause, "passed") for clause in only[:-1]),
        ("resume-fallen", "not examined"),
    ]


def test_a_failed_clause_is_the_exit_code_and_says_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clause = next(each for each in CLAUSES if each.id == "device-texts")

    async def find(word, clauses, config, port, patience_s, findings):
        finding = Finding(clause, Verdict.FAILED, "Model Number is \x1b[31m[b]red[/b]")
        findings.append(finding)
        print(sensors_conformance._line(finding))

    monkeypatch.setattr(sensors_conformance, "_examine", find)
    code = sensors_conformance.examine_sensor("x", [], None, None, patience_s=1.0, json_path=None)
    assert code == 1
    said = capsys.readouterr().out
    assert "FAIL device-texts" in said
    assert "\x1b" not in said
    assert "[b]red[/b]" in said
    assert said.endswith("0 passed, 1 failed, 0 not examined.\n")


def test_an_unknown_clause_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["sensors", "conformance", "x", "--only", "frame-colour"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("hipline: there is no clause frame-colour; choose from gatt-services, ")
    assert said.count("\n") == 1


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Path of a file that cannot be written."""

    def write_text(_path, _text, encoding):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("pathlib.Path.write_text", write_text)
    return tmp_path / "findings.json"


def test_findings_that_cannot_be_written_are_one_line_after_the_count(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], full_disk: Path
) -> None:
    async def find(word, clauses, config, port, patience_s, findings):
        findings.append(Finding(clauses[0], Verdict.PASSED, ""))

    monkeypatch.setattr(sensors_conformance, "_examine", find)
    with pytest.raises(UserInputError, match=r"the findings cannot be written: No space left .*--json$"):
        sensors_conformance.examine_sensor("x", [], None, None, patience_s=1.0, json_path=full_disk)
    assert "1 passed, 0 failed" in capsys.readouterr().out


def test_what_ended_the_examination_is_not_hidden_by_the_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], full_disk: Path
) -> None:
    async def lose(word, clauses, config, port, patience_s, findings):
        raise LinkLost("x: the link was lost")

    monkeypatch.setattr(sensors_conformance, "_examine", lose)
    with pytest.raises(LinkLost, match="x: the link was lost"):
        sensors_conformance.examine_sensor("x", [], None, None, patience_s=1.0, json_path=full_disk)
    assert "the findings cannot be written" in capsys.readouterr().err
