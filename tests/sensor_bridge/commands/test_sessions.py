from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest

from firmware_protocol.codec import encode
from firmware_protocol.packets import ImuFrame
from firmware_protocol.ranges import AccelRange, GyroRange, SamplingRate
from sensor_bridge.archive.store import SessionBegun
from sensor_bridge.ble.link import FrameKind, ReceivedFrame
from sensor_bridge.cli import run_command
from sensor_bridge.recording.session import create_session
from sensor_bridge.recording.trace import read_trace
from tests.sensor_bridge.archive.told import archive, repetition, told

if TYPE_CHECKING:
    from pathlib import Path

    from sensor_bridge.recording.session import Session

    Captured = pytest.CaptureFixture[str]

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
ATHLETES = [
    {
        "id": "mia",
        "sensors": [
            {"id": "mia-hip", "placement": "pelvis", "mount": "sacrum"},
            {"id": "mia-thigh", "placement": "thigh_left", "mount": "unknown"},
        ],
    },
    {"id": "bo", "sensors": [{"id": "bo-hip", "placement": "pelvis", "mount": "belly"}]},
]


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "gym.toml"
    path.write_text('data_folder = "data"\n', encoding="utf-8")
    return str(path)


def record(tmp_path: Path, *sensor_ids: str) -> Session:
    """Four seconds of each sensor, resting."""
    session = create_session(tmp_path / "data", {"gym": "north", "athletes": ATHLETES}, now=NOON)
    samples = np.tile(np.array([0, 4096, 0, 0, 0, 0], dtype="<i2"), (10, 1)).tobytes()
    with session.open_log() as log:
        for index in range(0, 400, 10):
            for sensor_id in sensor_ids:
                packet = ImuFrame(
                    stream_id=1,
                    first_sample_index=index,
                    device_time_us=index * 10_000,
                    sampling_rate=SamplingRate.HZ100,
                    accel_range=AccelRange.G8,
                    gyro_range=GyroRange.DPS1000,
                    clipped=False,
                    gap_before=False,
                    samples=samples,
                )
                arrival_ns = int(NOON.timestamp()) * 1_000_000_000 + (index + 9) * 10_000_000
                log.append(ReceivedFrame(sensor_id, arrival_ns, FrameKind.DATA, encode(packet)))
    return session


def test_sessions_are_listed(tmp_path: Path, config: str, capsys: Captured) -> None:
    session = record(tmp_path, "mia-hip")
    session.close(NOON)
    archive(
        tmp_path / "data",
        SessionBegun(session.session_id, session.started_ms, (("mia", "Mia"),)),
        *(
            told(repetition(number, athlete="mia"), number, session=session.session_id)
            for number in range(1, 78)
        ),
    )
    assert run_command(["sessions", "list", "--config", config]) == 0
    printed = capsys.readouterr().out
    assert session.session_id[:13] in printed
    assert "2026-05-04" in printed
    assert "mia, bo" in printed
    assert " 77 " in printed
    assert "ended" in printed


def test_one_athletes_part_becomes_a_recording(tmp_path: Path, config: str, capsys: Captured) -> None:
    record(tmp_path, "mia-hip", "mia-thigh", "bo-hip")
    out = tmp_path / "mia.parquet"
    asked = ["sessions", "export", "--out", str(out), "--athlete", "mia", "--config", config]
    assert run_command(asked) == 0
    assert "4 s of mia, pelvis, thigh_left" in capsys.readouterr().out
    trace = read_trace(out)
    assert trace.athlete == "mia"
    assert trace.started_at == "2026-05-04T12:00:00.000Z"
    assert {str(placement): str(mount) for placement, mount in trace.mounts.items()} == {
        "pelvis": "sacrum",
        "thigh_left": "unknown",
    }
    assert len(trace.t_s) == 400


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["last"], "in this session took part: mia, bo: choose one with --athlete"),
        (["last", "--athlete", "eve"], "eve took no part in this session: mia, bo did"),
        (["last", "--athlete", "bo"], "holds no sample of bo-hip"),
        (["ffff"], "no session begins with ffff: hipline sessions list shows them all"),
        (["0"], "2 sessions begin with 0: hipline sessions list shows them all"),
    ],
)
def test_what_cannot_be_exported_is_said(
    tmp_path: Path, config: str, capsys: Captured, arguments: list[str], message: str
) -> None:
    record(tmp_path, "mia-hip")
    record(tmp_path, "mia-hip")
    out = tmp_path / "out.csv"
    assert run_command(["sessions", "export", *arguments, "--out", str(out), "--config", config]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not out.exists()


def test_without_any_session_it_says_what_records_them(config: str, capsys: Captured) -> None:
    assert run_command(["sessions", "list", "--config", config]) == 2
    assert "no session lies here yet: hipline run records them" in capsys.readouterr().err
