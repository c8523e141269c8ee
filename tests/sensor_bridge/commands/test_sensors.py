"""``hipline sensors`` against virtual sensors of another process."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

HIPLINE = [sys.executable, "-c", "from sensor_bridge.cli import main; main()"]


@pytest.fixture(scope="module")
def virtual_port() -> Iterator[str]:
    process = subprocess.Popen(
        [*HIPLINE, "virtual-sensors", "standing", "--duration", "20"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        found = re.search(r"at port (\d+)", process.stderr.readline())
        assert found, "the virtual sensors did not say their port"
        yield found[1]
    finally:
        process.kill()
        process.communicate(timeout=10)


def hipline(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*HIPLINE, *arguments], capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.realtime
def test_sensors_are_found_asked_and_recognised(virtual_port: str) -> None:
    heard = hipline("sensors", "scan", "--duration", "2", "--virtual-port", virtual_port)
    assert heard.returncode == 0, heard.stderr
    addresses = re.findall(r"(?:[0-9A-F]{2}:){5}[0-9A-F]{2}", heard.stdout)
    assert len(set(addresses)) == 3
    assert "dBm" in heard.stdout

    asked = hipline("sensors", "info", addresses[0], "--virtual-port", virtual_port)
    assert asked.returncode == 0, asked.stderr
    assert re.search(r"^firmware +1\.0\.0$", asked.stdout, re.MULTILINE)
    assert re.search(r"^battery +\d+ %, \d{4} mV$", asked.stdout, re.MULTILINE)
    assert re.search(r"^remembers +6000 samples while the link is down$", asked.stdout, re.MULTILINE)

    shown = hipline("sensors", "identify", addresses[0], "--duration", "2", "--virtual-port", virtual_port)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout == f"{addresses[0]} blinks for 2 s.\n"


def test_a_virtual_radio_that_is_not_there_is_said_in_one_line() -> None:
    outcome = hipline("sensors", "scan", "--duration", "0.5", "--virtual-port", "1")
    assert outcome.returncode == 2
    assert outcome.stderr == "hipline: no virtual radio at port 1: start it first\n"
    assert outcome.stdout == ""
