"""``hipline sensors calibrate`` with a virtual sensor that somebody lays on its six sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sensor_bridge.recording.sensor_calibrations import read_calibrations
from tests.sensor_bridge.commands.virtual_clips import hipline, virtual_clips

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.realtime
def test_six_positions_and_a_check_make_a_calibration(tmp_path: Path) -> None:
    config = tmp_path / "gym.toml"
    config.write_text('data_folder = "data"\n')
    with virtual_clips("six_positions", "--duration", "9") as port:
        outcome = hipline(
            *("sensors", "calibrate", "Hipline clip-a", "--still", "0.6"),
            *("-c", str(config), "--virtual-port", port),
        )
    assert outcome.returncode == 0, outcome.stderr
    assert "1 of 6: on its left edge, right edge up (+x up, " in outcome.stderr
    assert "6 of 6: on its face" in outcome.stderr
    assert "Now lean it against something" in outcome.stderr
    calibration = read_calibrations(tmp_path / "data")["clip-a"]
    assert calibration.residual_m_s2 < calibration.uncorrected_m_s2
    assert calibration.temperature_c == 31.5
    assert f"gravity when leaning  off by {calibration.residual_m_s2:.3f} m/s²" in outcome.stdout
    assert str(tmp_path / "data" / "calibrations" / "clip-a.json") in outcome.stdout
