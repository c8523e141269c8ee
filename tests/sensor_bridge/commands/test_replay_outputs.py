from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sensor_bridge.commands.replay import run
from sensor_bridge.errors import RecordingError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_replay_never_writes_over_its_recording(tmp_path: Path) -> None:
    recording = tmp_path / "set.csv"
    recording.write_text("t,pelvis_ax,pelvis_ay,pelvis_az\n")
    with pytest.raises(RecordingError, match=r"set\.csv: cannot be written: that is .*which would be lost"):
        run(recording, json_path=recording, is_headless=True, port=0, seed=1)
    assert recording.read_text() == "t,pelvis_ax,pelvis_ay,pelvis_az\n"


def test_a_place_that_is_not_there_is_said_before_the_replay_begins(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"there is no folder .*nowhere to write it to"):
        run(
            tmp_path / "set.csv",
            json_path=tmp_path / "nowhere" / "result.json",
            is_headless=True,
            port=0,
            seed=1,
        )
