"""A sensor's calibration: kept under its serial number, taken off by the bridge and by analyze, and said."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from analytics.imu import Placement
from firmware_protocol.codec import encode
from firmware_protocol.packets import AccelRange, DeviceInfo, GyroRange, ImuFrame, SamplingRate
from sensor_bridge.assembly import BlockAssembly
from sensor_bridge.ble.link import FrameKind, ReceivedFrame
from sensor_bridge.cli import run_command
from sensor_bridge.errors import BridgeError
from sensor_bridge.recording.export import export_trace
from sensor_bridge.recording.frame_log import FrameLogWriter
from sensor_bridge.recording.sensor_calibrations import (
    SensorCalibration,
    calibration_path,
    from_metadata,
    read_calibrations,
    store_calibration,
    to_metadata,
)
from sensor_bridge.recording.trace import read_trace, write_trace
from sensor_bridge.recording.trace_origins import SensorOrigin, calibration_notes, corrected

if TYPE_CHECKING:
    from pathlib import Path

UTC_NS = 1_777_896_000_000_000_000
SERIAL = "HL-0001"
BIAS, SCALE, GYR_BIAS = (0.2, -0.1, 0.3), (1.01, 0.99, 1.02), (0.01, -0.02, 0.03)
COUNTS = np.random.default_rng(2).integers(-300, 300, (300, 6)).astype("<i2")
COUNTS[:, 1] += 4096  # 1 g at ±8 g
ACC = COUNTS[:, :3] * AccelRange.G8.m_s2_per_lsb
GYR = COUNTS[:, 3:] * GyroRange.DPS1000.rad_s_per_lsb


def made(**changes: Any) -> SensorCalibration:
    fine = {
        "serial": SERIAL,
        "made_at": "2026-05-04T12:00:00Z",
        "temperature_c": 24.5,
        "firmware": "1.0.0",
        "accel_range_g": 8,
        "gyro_range_dps": 1000,
        "acc_bias_m_s2": BIAS,
        "acc_scale": SCALE,
        "gyr_bias_rad_s": GYR_BIAS,
        "residual_m_s2": 0.012,
        "uncorrected_m_s2": 0.21,
        "gyr_spread_rad_s": 0.001,
    }
    return SensorCalibration.model_validate(fine | changes)


def frames(serial: str = SERIAL) -> list[ReceivedFrame]:
    info = DeviceInfo(
        protocol_version=1,
        hardware_revision=1,
        firmware_version=(1, 0, 0),
        serial=serial,
        rates=(SamplingRate.HZ100,),
        accel_ranges=(AccelRange.G8,),
        gyro_ranges=(GyroRange.DPS1000,),
        max_batch=10,
        ring_capacity_samples=6000,
    )
    received = [ReceivedFrame("hip", UTC_NS, FrameKind.INFO, encode(info))]
    for index in range(0, 300, 10):
        packet = ImuFrame(
            stream_id=3,
            first_sample_index=index,
            device_time_us=1_000_000 + index * 10_000,
            sampling_rate=SamplingRate.HZ100,
            accel_range=AccelRange.G8,
            gyro_range=GyroRange.DPS1000,
            clipped=False,
            gap_before=False,
            samples=COUNTS[index : index + 10].tobytes(),
        )
        arrival_ns = UTC_NS + (index + 9) * 10_000_000
        received.append(ReceivedFrame("hip", arrival_ns, FrameKind.DATA, encode(packet)))
    return received


def measured(serial: str, calibrations: dict[str, SensorCalibration]) -> tuple[BlockAssembly, np.ndarray]:
    assembly = BlockAssembly({"hip": Placement.PELVIS}, calibrations)
    blocks = [block for frame in frames(serial) for block in assembly.push(frame)] + assembly.flush()
    return assembly, np.vstack([np.hstack([block.acc_m_s2, block.gyr_rad_s]) for block in blocks])


def test_the_bridge_takes_off_what_is_known_of_this_very_sensor() -> None:
    assembly, samples = measured(SERIAL, {SERIAL: made()})
    assert samples == pytest.approx(np.hstack([(ACC - BIAS) * SCALE, GYR - GYR_BIAS]))
    assert assembly.identity("hip") == (SERIAL, made())


def test_another_sensor_in_its_place_is_left_as_it_measures() -> None:
    assembly, samples = measured("HL-0002", {SERIAL: made()})
    assert np.array_equal(samples, np.hstack([ACC, GYR]))
    assert assembly.identity("hip") == ("HL-0002", None)


def test_what_was_stored_is_read_again(tmp_path: Path) -> None:
    assert read_calibrations(tmp_path) == {}
    store_calibration(tmp_path, made(residual_m_s2=0.5))
    path = store_calibration(tmp_path, made())
    assert list(path.parent.iterdir()) == [path]
    assert read_calibrations(tmp_path) == {SERIAL: made()}
    assert from_metadata(json.loads(json.dumps(to_metadata({SERIAL: made()})))) == {SERIAL: made()}


@pytest.mark.parametrize("serial", ["../../escape", "..", "a/b", "ä°", "C:\\x", "."])
def test_whatever_the_serial_number_holds_the_file_stays_in_its_folder(tmp_path: Path, serial: str) -> None:
    path = store_calibration(tmp_path, made(serial=serial))
    assert path.resolve().parent == (tmp_path / "calibrations").resolve()
    assert read_calibrations(tmp_path) == {serial: made(serial=serial)}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"format": "sensor-calibration/1"}',
        made().model_dump_json().replace("0.2,", "NaN,"),
        made().model_dump_json().replace("0.2,", "50.0,"),
        made().model_dump_json().replace(SERIAL, "HL-0002"),
        " " * 100_000,
    ],
)
def test_what_is_no_calibration_is_left_alone_and_said(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    store_calibration(tmp_path, made(serial="HL-0009"))
    calibration_path(tmp_path, SERIAL).write_text(text)
    assert list(read_calibrations(tmp_path)) == ["HL-0009"]
    assert len(caplog.records) == 1


def test_a_header_that_holds_something_else_corrects_nothing(caplog: pytest.LogCaptureFixture) -> None:
    assert from_metadata(None) == from_metadata("x") == from_metadata([]) == {}
    assert from_metadata([3, {"serial": SERIAL}]) == {}
    assert len(caplog.records) == 2


def test_a_place_that_cannot_be_written_to_is_said(tmp_path: Path) -> None:
    (tmp_path / "calibrations").write_text("in the way")
    with pytest.raises(BridgeError, match="the calibration cannot be written"):
        store_calibration(tmp_path, made())


def test_an_exported_trace_holds_corrected_values_and_says_so(tmp_path: Path) -> None:
    log = tmp_path / "frames.log"
    with FrameLogWriter(log) as writer:
        for frame in frames():
            writer.append(frame)
    trace = export_trace(log, {"hip": Placement.PELVIS}, calibrations={SERIAL: made()})
    assert trace.sensors[Placement.PELVIS].acc_m_s2 == pytest.approx((ACC - BIAS) * SCALE)
    write_trace(tmp_path / "trace.parquet", trace)
    again = read_trace(tmp_path / "trace.parquet")
    assert again.origins == {Placement.PELVIS: SensorOrigin(SERIAL, made())}
    twice = corrected(again, {SERIAL: made()})
    assert np.array_equal(twice.sensors[Placement.PELVIS].acc_m_s2, again.sensors[Placement.PELVIS].acc_m_s2)

    as_measured = export_trace(log, {"hip": Placement.PELVIS})
    assert as_measured.origins == {Placement.PELVIS: SensorOrigin(SERIAL)}
    assert calibration_notes(as_measured) == {}
    late = corrected(as_measured, {SERIAL: made()})
    assert late.sensors[Placement.PELVIS].acc_m_s2 == pytest.approx((ACC - BIAS) * SCALE)
    assert calibration_notes(late)["pelvis"]["serial"] == SERIAL


@pytest.mark.parametrize(
    "entry", [3, {}, {"serial": 4}, {"serial": "x" * 99}, {"serial": "x", "calibration": {"serial": "x"}}]
)
def test_an_origin_that_is_none_corrects_nothing(tmp_path: Path, entry: object) -> None:
    log = tmp_path / "frames.log"
    with FrameLogWriter(log) as writer:
        for frame in frames():
            writer.append(frame)
    path = tmp_path / "trace.parquet"
    write_trace(path, export_trace(log, {"hip": Placement.PELVIS}))
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    told = json.loads(table.schema.metadata[b"trace"])
    told["sensors"] = {"pelvis": entry, "knee": 3}
    pq.write_table(table.replace_schema_metadata({b"trace": json.dumps(told).encode()}), path)
    trace = read_trace(path)
    assert trace.origins == {}
    assert "the metadata of the sensor of pelvis are none: its calibration is not known" in trace.warnings


def test_analyze_takes_it_off_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log, path, result = tmp_path / "frames.log", tmp_path / "trace.parquet", tmp_path / "result.json"
    with FrameLogWriter(log) as writer:
        for frame in frames():
            writer.append(frame)
    write_trace(path, replace(export_trace(log, {"hip": Placement.PELVIS}), mounts={}))
    config = tmp_path / "gym.toml"
    config.write_text('data_folder = "data"\n')
    arguments = ["analyze", str(path), "--json", str(result), "--config", str(config)]
    assert run_command(arguments) == 0
    assert "sensor_calibration" not in json.loads(result.read_text())["data_quality"]
    assert "corrected" not in capsys.readouterr().out

    store_calibration(tmp_path / "data", made())
    assert run_command(arguments) == 0
    assert json.loads(result.read_text())["data_quality"]["sensor_calibration"] == {
        "pelvis": {
            "serial": SERIAL,
            "made_at": "2026-05-04T12:00:00Z",
            "temperature_c": 24.5,
            "residual_m_s2": 0.012,
        }
    }
    expected = (
        "pelvis: sensor HL-0001 corrected by its calibration of 2026-05-04 12:00 (24 °C, residual 0.012 m/s²)"
    )
    assert expected in capsys.readouterr().out
