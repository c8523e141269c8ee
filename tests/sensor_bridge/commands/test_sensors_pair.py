"""``hipline sensors pair`` and ``forget`` with virtual sensors that ask for pairing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sensor_bridge.config_file import load_config
from tests.sensor_bridge.commands.virtual_clips import hipline, virtual_clips

if TYPE_CHECKING:
    from pathlib import Path

ADDRESS = "CF:16:90:EC:70:24"
PELVIS = "Hipline clip-a"


@pytest.mark.realtime
def test_a_sensor_is_paired_for_later_commands_and_forgotten(tmp_path: Path) -> None:
    config = tmp_path / "gym.toml"
    with virtual_clips("six_positions", "--pairing") as port:
        config.write_text(f'data_folder = "data"\n[radio]\nvirtual_port = {port} # here\n')

        refused = hipline("sensors", "identify", PELVIS, "-c", str(config))
        assert refused.returncode == 1
        assert refused.stderr == (
            f"hipline: {PELVIS}: the sensor takes commands only from a computer it is paired with: "
            f"hipline sensors pair '{PELVIS}'\n"
        )

        paired = hipline("sensors", "pair", PELVIS, "-c", str(config))
        assert paired.returncode == 0, paired.stderr
        assert paired.stdout.startswith(f"{PELVIS} is paired and blinks")
        assert load_config(config).radio.paired == (ADDRESS,)
        assert "# here" in config.read_text()

        shown = hipline("sensors", "identify", PELVIS, "-c", str(config))
        assert shown.stdout == f"{PELVIS} blinks for 5 s.\n", shown.stderr

        forgotten = hipline("sensors", "forget", ADDRESS, "-c", str(config))
        assert forgotten.returncode == 0, forgotten.stderr
        assert load_config(config).radio.paired == ()
