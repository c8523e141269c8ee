"""Whatever a file holds, its reader reads it or refuses it by the error it declares, in bounded memory."""

from __future__ import annotations

import json
import logging
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from hardware_sim.chaos import load_chaos
from hardware_sim.errors import HardwareSimError, ScenarioError
from hardware_sim.firmware_image import build_image, read_image
from hardware_sim.scenario_file import parse_scenario
from sensor_bridge.announcement import read_announcement
from sensor_bridge.ble.link import FrameKind, ReceivedFrame
from sensor_bridge.config_file import load_config
from sensor_bridge.errors import BrokerUnavailable, ConfigError, RecordingError, UserInputError
from sensor_bridge.firmware_file import read_firmware
from sensor_bridge.recording.frame_log import FrameLogWriter, read_frame_log, read_session_metadata
from sensor_bridge.recording.sensor_calibrations import FOLDER_NAME, read_calibrations
from sensor_bridge.recording.session import list_sessions
from sensor_bridge.recording.trace import read_trace
from tests.fuzzing import bounded_memory, damaged, fuzz, refused_only_by

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1 << 20
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
DEEP = b"[" * 100_000

CONFIG = b"""
gym = "north"
data_folder = "data"
[radio]
virtual_port = 4711
[[athletes]]
id = "anna"
name = "Anna"
[[athletes.sensors]]
id = "hip"
address = "C0:DE:00:00:00:01"
placement = "pelvis"
mount = "sacrum"
[mqtt]
broker = "external"
host = "localhost"
port = 1883
[dashboard]
port = 0
"""
SCENARIO = b"""
exercise = "romanian_deadlift"
repetitions = 4
lead_in_s = 3.0
[tempo]
eccentric_s = 1.5
bottom_s = 0.3
concentric_s = 1.0
top_s = 0.7
"""


def log_bytes(path: Path) -> bytes:
    if not path.exists():
        with FrameLogWriter(path, {"session": "0198", "started_at": "2026-01-01T00:00:00Z"}) as log:
            for k in range(8):
                log.append(ReceivedFrame("hip", 10**18 + k, FrameKind(1 + k % 5), bytes([k]) * (9 * k)))
    return path.read_bytes()


def trace_columns(n: int = 200) -> dict[str, np.ndarray]:
    t = np.arange(n) / 100.0
    columns = {"t": t}
    for axis, value in zip(("ax", "ay", "az", "gx", "gy", "gz"), (0.1, 9.7, 0.3, 0.0, 0.1, 0.0), strict=True):
        columns[f"pelvis_{axis}"] = value + 0.01 * np.sin(t)
    return columns


@given(data=st.data())
@fuzz(150)
def test_fuzzed_frame_logs(tmp_path: Path, data: st.DataObject) -> None:
    whole = log_bytes(tmp_path / "whole.log")
    path = tmp_path / "frames.log"
    path.write_bytes(data.draw(damaged(whole) | st.binary(max_size=200)))
    logging.disable(logging.WARNING)
    try:
        with bounded_memory(MIB):
            for read in (read_session_metadata, lambda log: [*read_frame_log(log)]):
                refused_only_by(RecordingError, read, path)
    finally:
        logging.disable(logging.NOTSET)


@pytest.mark.parametrize("text", [b"", b"\xff", b"[1]", b"7", b"null", b'{"session": 5}', DEEP])
def test_frame_logs_whose_header_is_whole_and_no_table(tmp_path: Path, text: bytes) -> None:
    folder = tmp_path / "sessions" / "a"
    folder.mkdir(parents=True)
    head = struct.pack("<8sHI", b"HIPLFLOG", 1, len(text)) + text + struct.pack("<I", zlib.crc32(text))
    (folder / "frames.log").write_bytes(head)
    assert list_sessions(tmp_path) == []


@given(data=st.data())
@fuzz(100)
def test_fuzzed_parquet_recordings(tmp_path: Path, data: st.DataObject) -> None:
    whole = tmp_path / "whole.parquet"
    if not whole.exists():
        table = pa.table(trace_columns())
        parquet.write_table(table.replace_schema_metadata({b"trace": b'{"format": "trace/1"}'}), whole)
    path = tmp_path / "trace.parquet"
    path.write_bytes(data.draw(damaged(whole.read_bytes())))
    with bounded_memory(16 * MIB):
        refused_only_by(RecordingError, read_trace, path)


@given(
    metadata=st.one_of(JSON.map(json.dumps).map(str.encode), st.binary(max_size=60)),
    data=st.data(),
)
@fuzz(80)
def test_fuzzed_metadata_of_recordings(tmp_path: Path, metadata: bytes, data: st.DataObject) -> None:
    if data.draw(st.booleans()):
        keys = ["rate_hz", "placement", "started_at", "athlete", "prescription", "sensors"]
        told = {"format": "trace/1"} | data.draw(st.dictionaries(st.sampled_from(keys), JSON, max_size=4))
        metadata = json.dumps(told).encode()
    path = tmp_path / "trace.parquet"
    table = pa.table(trace_columns())
    parquet.write_table(table.replace_schema_metadata({b"trace": metadata}), path)
    refused_only_by(RecordingError, read_trace, path)


CELLS = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.sampled_from(
        ["", "NaN", "x", "1e999", "9007199254740993", "true", "2026-01-01", '"', "\x00", "0x1F", "1,5"]
    ),
)


@given(cells=st.lists(st.tuples(st.integers(0, 29), st.integers(0, 6), CELLS), max_size=8), data=st.data())
@fuzz(150)
def test_fuzzed_csv_recordings(tmp_path: Path, cells: list, data: st.DataObject) -> None:
    columns = trace_columns(30)
    rows = [[*map(str, row)] for row in zip(*columns.values(), strict=True)]
    for row, column, cell in cells:
        rows[row][column] = str(cell)
    text = "\n".join([",".join(columns), *(",".join(row) for row in rows)]).encode("utf-8", "surrogateescape")
    path = tmp_path / "trace.csv"
    path.write_bytes(data.draw(st.just(text) | damaged(text)))
    with bounded_memory(16 * MIB):
        refused_only_by(RecordingError, read_trace, path)


@given(content=damaged(CONFIG) | st.binary(max_size=100))
@fuzz(300)
def test_fuzzed_configurations(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "hipline.toml"
    path.write_bytes(content)
    refused_only_by(ConfigError, load_config, path)


@given(content=damaged(SCENARIO) | st.binary(max_size=100))
@fuzz(200)
def test_fuzzed_scenarios(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(content)
    refused_only_by(ScenarioError, load_chaos, path)
    refused_only_by(ScenarioError, parse_scenario, content.decode(errors="replace"), "own")


@given(content=damaged(build_image((1, 2, 3))) | st.binary(max_size=100))
@fuzz(200)
def test_fuzzed_firmware_images(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "image.bin"
    path.write_bytes(content)
    refused_only_by(UserInputError, read_firmware, path)
    refused_only_by(HardwareSimError, read_image, content)


@given(content=st.one_of(JSON.map(json.dumps).map(str.encode), st.binary(max_size=60)))
@fuzz(100)
def test_fuzzed_files_of_the_data_folder(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broker-access.json"
    path.write_bytes(content)
    with pytest.raises(BrokerUnavailable):
        read_announcement(path)
    folder = tmp_path / FOLDER_NAME
    folder.mkdir(exist_ok=True)
    (folder / "s.json").write_bytes(content)
    logging.disable(logging.WARNING)
    try:
        assert read_calibrations(tmp_path) == {}
    finally:
        logging.disable(logging.NOTSET)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("deep", b"a=" + DEEP),
        ("dotted", b"[" + b"a." * 5000 + b"a]"),
        ("digits", b"a=" + b"9" * 5000),
        ("inline", b"a=" + b"{a=" * 5000),
    ],
)
def test_toml_that_wears_out_its_reader_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / f"{name}.toml"
    path.write_bytes(content)
    assert refused_only_by(ConfigError, load_config, path)
    assert refused_only_by(ScenarioError, load_chaos, path)
    assert refused_only_by(ScenarioError, parse_scenario, content.decode(), name)


def test_metadata_that_wear_out_their_reader_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "trace.parquet"
    parquet.write_table(pa.table(trace_columns()).replace_schema_metadata({b"trace": DEEP}), path)
    assert refused_only_by(RecordingError, read_trace, path)
