"""``hipline sensors assign``: by name, and by moving virtual sensors one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sensor_bridge.config_file import load_config
from tests.sensor_bridge.commands.virtual_clips import hipline, virtual_clips

if TYPE_CHECKING:
    from pathlib import Path

ADDRESSES = {
    "pelvis": "CF:16:90:EC:70:24",
    "thigh_left": "C1:15:A3:F1:B5:0D",
    "thigh_right": "CE:E5:8C:BF:76:BB",
}


@pytest.mark.realtime
def test_the_moved_sensors_are_recognised_and_written(tmp_path: Path) -> None:
    file = tmp_path / "gym.toml"
    file.write_text("# the garage\n")
    with virtual_clips("moved_in_turn", "--duration", "12") as port:
        outcome = hipline("sensors", "assign", "--athlete", "robin", "-c", str(file), "--virtual-port", port)
    assert outcome.returncode == 0, outcome.stderr
    assert file.read_text().startswith("# the garage\n")
    (robin,) = load_config(file).athletes
    assert {str(each.placement): each.address for each in robin.sensors} == ADDRESSES
    for question in ("your hip", "your left thigh", "your right thigh"):
        assert f"Move the one for {question}" in outcome.stderr
    assert f"Hipline clip-b ({ADDRESSES['thigh_left']}) it is" in outcome.stderr
    assert f"robin: left thigh, unknown: {ADDRESSES['thigh_left']}" in outcome.stdout


def test_a_sensor_named_by_its_address_needs_no_radio(tmp_path: Path) -> None:
    file = tmp_path / "gym.toml"
    arguments = ["sensors", "assign", ADDRESSES["pelvis"], "--athlete", "robin", "-c", str(file)]
    outcome = hipline(*arguments, "--placement", "pelvis", "--mount", "sacrum", "--name", "Robin")
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout == f"Robin: pelvis, sacrum: {ADDRESSES['pelvis']}\nwritten to {file}\n"
    refused = hipline(*arguments)
    assert refused.returncode == 2
    assert refused.stderr == (
        "hipline: say with one --placement where it is worn: pelvis, thigh_left or thigh_right\n"
    )
