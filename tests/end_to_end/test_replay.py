"""A recording played live over the virtual radio gives what analysing its file gives."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet
import pytest

from analytics.imu import Mount, Placement
from sensor_bridge.recording.trace import SensorTrace, Trace, read_trace, write_trace
from sensor_bridge.virtual_radio import playback_of
from tests.conftest import REPOSITORY
from tests.end_to_end.conftest import HiplineProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.realtime

BOWING = REPOSITORY.parent / "shared" / "data" / "bowing_vicon"
SHORTEST = "S06_T5"  # 19 s, 3 bows
BOUNDARIES = ("eccentric_start_s", "eccentric_end_s", "concentric_start_s", "concentric_end_s")
DURATIONS = ("eccentric_s", "bottom_pause_s", "concentric_s", "top_pause_s", "tut_s")

THREE_SENSORS = """
exercise = "micro_hinge"
repetitions = 2
lead_in_s = 3.0
lead_out_s = 2.0
[tempo]
eccentric_s = 1.5
bottom_s = 0.5
concentric_s = 1.2
top_s = 1.0
"""


@dataclass(frozen=True)
class ThreeSensors:
    """A simulated recording of three sensors, analysed and replayed side by side."""

    folder: Path
    n_done: int
    live: HiplineProcess
    from_file: HiplineProcess

    def results(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return finished(self.from_file, self.folder / "file.json"), finished(
            self.live, self.folder / "live.json"
        )


@pytest.fixture(scope="module", autouse=True)
def three_sensors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThreeSensors]:
    """Begin this replay first: it plays while the other one does."""
    folder = tmp_path_factory.mktemp("three-sensors")
    scenario, recording = folder / "three.toml", folder / "three.parquet"
    scenario.write_text(THREE_SENSORS)
    outputs = ["--out", str(recording), "--truth", str(folder / "truth.json")]
    with contextlib.ExitStack() as stack:

        def begin(*arguments: str) -> HiplineProcess:
            process = HiplineProcess(*arguments)
            stack.callback(process.kill)
            return process

        truth = finished(begin("simulate", str(scenario), *outputs), folder / "truth.json")
        yield ThreeSensors(
            folder,
            len(truth["repetitions"]),
            begin("replay", str(recording), "--headless", "--json", str(folder / "live.json")),
            begin("analyze", str(recording), "--json", str(folder / "file.json")),
        )


@pytest.fixture
def bowing(tmp_path: Path) -> Path:
    """Write a recording of real bows as a trace: the torso sensor read as a pelvis sensor."""
    source = BOWING / f"{SHORTEST}.parquet"
    if not source.exists():
        pytest.skip(f"the recording {source.name} is not there")
    table = pyarrow.parquet.read_table(source)

    def columns(kind: str) -> Any:
        return np.column_stack([table[f"torso_{kind}{axis}"].to_numpy() for axis in "xyz"]).astype(float)

    sensor = SensorTrace(columns("a"), columns("g"))
    path = tmp_path / "bowing.parquet"
    write_trace(
        path,
        Trace(table["t"].to_numpy(), {Placement.PELVIS: sensor}, mounts={Placement.PELVIS: Mount.UNKNOWN}),
    )
    return path


def as_sent(recording: Path) -> Path:
    """Write what virtual sensors make of a recording: 16-bit counts and times in whole microseconds."""
    (source,) = playback_of(read_trace(recording), str(recording)).sources
    path = recording.with_name("as-sent.parquet")
    write_trace(
        path,
        Trace(
            source.device_time_us / 1e6, {Placement.PELVIS: SensorTrace(source.acc_m_s2, source.gyr_rad_s)}
        ),
    )
    return path


def finished(process: HiplineProcess, result: Path) -> dict[str, Any]:
    process.process.wait(90)
    assert process.process.returncode == 0, process.said
    document: dict[str, Any] = json.loads(result.read_text())
    return document


def largest_difference_ms(ours: dict[str, Any], theirs: dict[str, Any]) -> float:
    """Largest difference of any boundary or duration, in ms; null only matches null."""
    pairs = [
        (mine[name], other[name])
        for mine, other in zip(ours["repetitions"], theirs["repetitions"], strict=True)
        for name in (*BOUNDARIES, *DURATIONS)
    ]
    assert all((mine is None) == (other is None) for mine, other in pairs)
    return max(1000 * abs(mine - other) for mine, other in pairs if mine is not None)


@pytest.mark.recordings
def test_real_bows_replayed_are_the_same_to_the_millisecond(
    hipline: Callable[..., HiplineProcess], bowing: Path, tmp_path: Path
) -> None:
    live = hipline("replay", str(bowing), "--headless", "--json", str(tmp_path / "live.json"))
    from_file = hipline("analyze", str(bowing), "--json", str(tmp_path / "file.json"))
    sent = hipline("analyze", str(as_sent(bowing)), "--json", str(tmp_path / "sent.json"))

    analysed = finished(from_file, tmp_path / "file.json")
    replayed = finished(live, tmp_path / "live.json")

    assert len(analysed["repetitions"]) == 3
    assert replayed["data_quality"]["lost_s"] == 0.0
    assert largest_difference_ms(replayed, analysed) < 0.5
    # What difference there is comes from rounding to counts: without that there is none at all.
    assert replayed["repetitions"] == finished(sent, tmp_path / "sent.json")["repetitions"]


def test_three_sensors_replayed_agree_within_their_clocks(three_sensors: ThreeSensors) -> None:
    analysed, replayed = three_sensors.results()
    assert three_sensors.n_done == len(analysed["repetitions"]) == 2
    assert replayed["data_quality"]["lost_s"] == 0.0
    assert largest_difference_ms(replayed, analysed) < 5.0
