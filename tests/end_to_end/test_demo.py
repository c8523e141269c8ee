from __future__ import annotations

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

HIPLINE = Path(sys.executable).with_name("hipline")
NUMBER = r"[+-]?\d+\.\d+"


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [HIPLINE, "demo", "--no-browser", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.realtime
def test_it_counts_what_was_done_and_ends_by_itself() -> None:
    done = demo("--headless", "--duration", "18")
    assert done.returncode == 0, done.stderr
    assert "repetition 1: " in done.stderr
    assert "Repetitions: 1 counted, 1 done." in done.stdout

    # Seed 1 lowers in 4.417 s, by the definition, and tilts the pelvis by 56.1°.
    row = re.search(rf"│ +1 │ +({NUMBER}) │ +({NUMBER}) │ +({NUMBER}) │ +({NUMBER}) │", done.stdout)
    assert row is not None, done.stdout
    eccentric_s, true_eccentric_s, tilt_deg, true_tilt_deg = map(float, row.groups())
    assert true_eccentric_s == pytest.approx(4.42, abs=0.011)
    assert eccentric_s == pytest.approx(true_eccentric_s, abs=0.1)
    assert true_tilt_deg == pytest.approx(56.1, abs=0.11)
    assert tilt_deg == pytest.approx(true_tilt_deg, abs=1.5)

    mean = re.search(rf"Mean eccentric: ({NUMBER}) s, truth ({NUMBER}) s", done.stdout)
    assert mean is not None, done.stdout
    assert float(mean[1]) == pytest.approx(float(mean[2]), abs=0.1)
    tilt = re.search(rf"Tilt range: largest difference ({NUMBER})°", done.stdout)
    assert tilt is not None, done.stdout
    assert float(tilt[1]) <= 1.5


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--duration", "5"), "5 s is too short for one repetition; give at least 18 s"),
        (("--duration", "soon"), "'--duration'"),
        (("--scenario", "romanian_deadlft"), "did you mean 'romanian_deadlift'?"),
        (("--scenario", "absent.toml"), "cannot read scenario absent.toml"),
    ],
)
def test_a_wrong_argument_is_one_line(arguments: tuple[str, ...], said: str) -> None:
    done = demo("--headless", *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("hipline: ")
    assert said in done.stderr


def test_a_taken_port_is_one_line() -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port = squatter.getsockname()[1]
        done = demo("--port", str(port), "--duration", "18")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert f"port {port}" in done.stderr
    assert "choose another port" in done.stderr
