from __future__ import annotations

import csv
import io
import json
import zipfile
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest

from sensor_bridge.archive.reading import ArchiveReader
from sensor_bridge.cli import run_command
from sensor_bridge.recording.frame_log import read_frame_log
from sensor_bridge.recording.session import list_sessions
from tests.sensor_bridge.archive.kept import ANNA, BEN, NAMES, data_folder

if TYPE_CHECKING:
    from pathlib import Path

    Captured = pytest.CaptureFixture[str]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "gym.toml"
    sensors = '[{ placement = "pelvis", name = "H1" }]'
    path.write_text(f'data_folder = "data"\n[[athletes]]\nid = "{ANNA}"\nsensors = {sensors}\n')
    data_folder(tmp_path / "data")
    return path


def taken_out(config: Path, athlete: str = ANNA) -> zipfile.ZipFile:
    out = config.parent / "all.zip"
    assert run_command(["takeout", athlete, "--out", str(out), "--config", str(config)]) == 0
    return zipfile.ZipFile(out)


def test_everything_of_the_archive_and_of_the_logs_is_in_it(
    config: Path, tmp_path: Path, capsys: Captured
) -> None:
    with taken_out(config) as packed:
        names = packed.namelist()
        files = {name: packed.read(name) for name in names}
    reader = ArchiveReader(tmp_path / "data")
    for session in list_sessions(tmp_path / "data"):
        [folder] = {name.rpartition("/")[0] for name in names if session.session_id in name}
        archived = json.loads(msgspec.json.encode(reader.session(session.session_id, ANNA)))
        assert json.loads(files[f"{folder}/session.json"]) == {"format": "hipline-session/1", **archived}
        logged = [f for f in read_frame_log(session.frame_log_path) if f.sensor_id.startswith(ANNA)]
        rows = list(csv.DictReader(io.StringIO(files[f"{folder}/frames.csv"].decode())))
        assert [
            (int(row["arrival_utc_ns"]), row["sensor"], bytes.fromhex(row["payload_hex"])) for row in rows
        ] == [(frame.arrival_ns, frame.sensor_id, bytes(frame.payload)) for frame in logged]
        samples = pq.read_table(io.BytesIO(files[f"{folder}/sensors.parquet"]))
        assert np.isfinite(samples["pelvis_ax"].to_numpy()).sum() == 200
        angles = pq.read_table(io.BytesIO(files[f"{folder}/angles.parquet"]))
        assert (len(angles), angles["hip_flexion_left_deg"][0].as_py()) == (200, 1.0)
        assert NAMES[ANNA] in files[f"{folder}/report.html"].decode()
        assert files[f"{folder}/session.fit"][8:12] == b".FIT"
        assert b"inDegrees=yes" in files[f"{folder}/motion.mot"]
        assert json.loads(files[f"{folder}/recorded.json"])["athlete"]["id"] == ANNA
    rows = list(csv.DictReader(io.StringIO(files["repetitions.csv"].decode())))
    assert len(rows) == 4
    assert list(json.loads(files["progress.json"])) == ["romanian_deadlift"]
    assert json.loads(files["configuration.json"])["id"] == ANNA
    assert "2 sessions, 4 repetitions, 80 messages" in " ".join(capsys.readouterr().out.split())


def test_the_readme_inside_names_every_file(config: Path) -> None:
    with taken_out(config) as packed:
        readme = packed.read("README.txt").decode()
        for name in packed.namelist():
            assert name.rpartition("/")[2] in readme + "README.txt"
    assert f"{NAMES[ANNA]} (id {ANNA})" in readme


def test_nothing_of_others_is_in_it(config: Path) -> None:
    with taken_out(config) as packed:
        for name in packed.namelist():
            content = name.encode() + packed.read(name)
            assert BEN.encode() not in content
            assert NAMES[BEN].encode() not in content


def test_what_could_not_be_read_is_named(config: Path, tmp_path: Path, capsys: Captured) -> None:
    session = list_sessions(tmp_path / "data")[-1]
    content = session.frame_log_path.read_bytes()
    session.frame_log_path.write_bytes(content[: content.index(b"\xa5\x5a")])
    with taken_out(config) as packed:
        assert "holds no sample" in packed.read("README.txt").decode()
    assert f"missing: session {session.session_id}, sensors.parquet" in capsys.readouterr().out


def test_damaged_angles_cost_no_more_than_themselves(config: Path, tmp_path: Path, capsys: Captured) -> None:
    session = list_sessions(tmp_path / "data")[0]
    [part] = (session.folder / "angles" / ANNA).iterdir()
    part.write_bytes(b"PAR1 damaged")
    with taken_out(config) as packed:
        names = [name for name in packed.namelist() if session.session_id in name]
        assert {name.rpartition("/")[2] for name in names} == {
            "frames.csv",
            "recorded.json",
            "sensors.parquet",
            "session.fit",
            "session.json",
        }
        assert "holds no angles" in packed.read("README.txt").decode()
    assert "missing: session" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("athlete", "out", "words"),
    [
        ("nobody", "x.zip", "nothing of nobody is kept"),
        (ANNA, "x.tar", "ends in .zip"),
        (ANNA, "no/x.zip", "no folder"),
    ],
)
def test_what_cannot_be_taken_out_is_one_line(
    config: Path, tmp_path: Path, capsys: Captured, athlete: str, out: str, words: str
) -> None:
    assert run_command(["takeout", athlete, "--out", str(tmp_path / out), "--config", str(config)]) == 2
    told = capsys.readouterr().err
    assert words in told
    assert len(told.strip().splitlines()) == 1
    assert not list(tmp_path.glob("x.*"))
