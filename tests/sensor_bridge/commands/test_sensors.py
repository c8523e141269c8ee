"""``hipline sensors`` against virtual sensors of another process."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from hardware_sim.firmware_image import build_image
from tests.sensor_bridge.commands.virtual_clips import hipline, virtual_clips

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def virtual_port() -> Iterator[str]:
    with virtual_clips("standing", "--duration", "20") as port:
        yield port


@pytest.mark.realtime
def test_sensors_are_found_asked_and_recognised(virtual_port: str) -> None:
    heard = hipline("sensors", "scan", "--duration", "2", "--virtual-port", virtual_port)
    assert heard.returncode == 0, heard.stderr
    rows = re.findall(
        r"Hipline [a-z-]+ +Hipline +(-\d+) +(\d+) +1\.0\.0 +((?:[0-9A-F]{2}:){5}[0-9A-F]{2})",
        heard.stdout,
    )
    assert len(rows) == 3, heard.stdout
    rssi, batteries, addresses = zip(*rows, strict=True)
    assert [int(each) for each in rssi] == sorted(map(int, rssi), reverse=True)
    assert all(60 <= int(each) <= 100 for each in batteries)

    asked = hipline("sensors", "info", addresses[0], "--virtual-port", virtual_port)
    assert asked.returncode == 0, asked.stderr
    assert re.search(r"^firmware +1\.0\.0$", asked.stdout, re.MULTILINE)
    assert re.search(r"^battery +\d+ %, \d{4} mV$", asked.stdout, re.MULTILINE)
    assert re.search(r"^remembers +6000 samples while the link is down$", asked.stdout, re.MULTILINE)

    shown = hipline("sensors", "identify", addresses[0], "--duration", "2", "--virtual-port", virtual_port)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout == f"{addresses[0]} blinks for 2 s.\n"

    own = re.search(r"^sampling rates +(\d+) Hz$", asked.stdout, re.MULTILINE)
    accel = re.search(r"^accelerometer +± (\d+) g$", asked.stdout, re.MULTILINE)
    gyro = re.search(r"^gyroscope +± (\d+) °/s$", asked.stdout, re.MULTILINE)
    assert own, asked.stdout
    assert accel, asked.stdout
    assert gyro, asked.stdout
    arguments = ["sensors", "configure", addresses[0], "--virtual-port", virtual_port, "--batch", "4"]
    set_to = ["--rate", own[1], "--accel-range", accel[1], "--gyro-range", gyro[1]]
    took = hipline(*arguments, *set_to)
    settings = f"{own[1]} Hz, ±{accel[1]} g, ±{gyro[1]} °/s, 4 samples a packet (one every 40 ms)"
    assert took.stdout == f"{addresses[0]} took {settings}.\n", took.stderr
    refused = hipline(*arguments, *set_to, "--rate", "1000")
    assert refused.returncode == 2
    assert "does not offer 1000 Hz, as asked for: choose --rate from 100 Hz" in refused.stderr


def test_a_virtual_radio_that_is_not_there_is_said_in_one_line() -> None:
    outcome = hipline("sensors", "scan", "--duration", "0.5", "--virtual-port", "1")
    assert outcome.returncode == 2
    assert outcome.stderr == "hipline: no virtual radio at port 1: start it first\n"
    assert outcome.stdout == ""


@pytest.mark.realtime
def test_new_firmware_is_brought_onto_a_sensor(virtual_port: str, tmp_path: Path) -> None:
    image = tmp_path / "sensor.bin"
    image.write_bytes(build_image((1, 1, 0)))
    given = hipline("sensors", "update", "Hipline sim-pelvis", str(image), "--virtual-port", virtual_port)
    assert given.returncode == 0, given.stderr
    assert given.stdout == "Hipline sim-pelvis runs and has confirmed firmware 1.1.0.\n"
    assert "restarting (4168 of 4168 bytes)\n" in given.stderr

    image.write_bytes(build_image((1, 0, 5)))
    older = hipline("sensors", "update", "Hipline sim-pelvis", str(image), "--virtual-port", virtual_port)
    assert older.returncode == 1
    assert older.stderr.splitlines()[-1].endswith(
        "the image is 1.0.5, Hipline sim-pelvis runs 1.1.0: older firmware is not installed"
    )

    image.write_text("no firmware")
    none = hipline("sensors", "update", "Hipline sim-pelvis", str(image), "--virtual-port", virtual_port)
    assert none.returncode == 2
    assert "not a firmware image of MCUboot" in none.stderr
