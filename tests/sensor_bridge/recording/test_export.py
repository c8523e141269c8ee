from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from analytics.imu import Mount, Placement
from firmware_protocol.codec import encode
from firmware_protocol.packets import ImuFrame
from firmware_protocol.ranges import AccelRange, GyroRange, SamplingRate
from sensor_bridge.ble.link import FrameKind, ReceivedFrame
from sensor_bridge.errors import RecordingError
from sensor_bridge.recording.export import export_trace
from sensor_bridge.recording.frame_log import FrameLogWriter
from sensor_bridge.recording.trace import read_trace, write_trace
from sensor_bridge.recording.trace_stream import TraceStream
from tests.sensor_bridge.recording.test_sample_order import arrival_ns, fetched, live

if TYPE_CHECKING:
    from pathlib import Path

UTC_NS = 1_777_896_000_000_000_000  # 2026-05-04T12:00:00Z
COUNTS = np.random.default_rng(2).integers(-300, 300, (600, 6)).astype("<i2")
COUNTS[:, 1] += 4096  # 1 g at ±8 g


def log_frames(path: Path, sensor_id: str, *, boot_us: int, lost: range) -> None:
    with FrameLogWriter(path) as log:
        for index in range(0, 600, 10):
            if index in lost:
                continue
            packet = ImuFrame(
                stream_id=3,
                first_sample_index=index,
                device_time_us=boot_us + index * 10_000,
                sampling_rate=SamplingRate.HZ100,
                accel_range=AccelRange.G8,
                gyro_range=GyroRange.DPS1000,
                clipped=False,
                gap_before=False,
                samples=COUNTS[index : index + 10].tobytes(),
            )
            arrival_ns = UTC_NS + (index + 9) * 10_000_000
            log.append(ReceivedFrame(sensor_id, arrival_ns, FrameKind.DATA, encode(packet)))


def test_a_log_becomes_a_trace_of_the_same_samples(tmp_path: Path) -> None:
    log = tmp_path / "frames.log"
    log_frames(log, "hip", boot_us=50_000_000, lost=range(200, 250))
    log_frames(log, "thigh", boot_us=9_000_000, lost=range(400, 410))
    log_frames(log, "somebody-else", boot_us=9_000_000, lost=range(0))
    trace = export_trace(
        log,
        {"hip": Placement.PELVIS, "thigh": Placement.THIGH_LEFT},
        mounts={Placement.PELVIS: Mount.SACRUM},
        athlete="mia",
    )
    path = tmp_path / "trace.parquet"
    write_trace(path, trace)
    again = read_trace(path)
    assert again.t_s == pytest.approx(np.arange(600) / 100)
    pelvis = again.sensors[Placement.PELVIS]
    kept = np.r_[0:200, 250:600]
    assert pelvis.has_sample.nonzero()[0].tolist() == kept.tolist()
    assert pelvis.acc_m_s2[kept] == pytest.approx(COUNTS[kept, :3] * (8 * 9.80665 / 32768))
    assert again.sensors[Placement.THIGH_LEFT].has_sample.sum() == 590
    assert again.started_at == "2026-05-04T12:00:00.000Z"
    assert (again.rate_hz, again.athlete, again.mount(Placement.PELVIS)) == (100.0, "mia", Mount.SACRUM)
    stream = TraceStream(again)
    assert sum(map(len, stream.blocks())) == 550 + 590
    assert stream.quality().gaps == 2


def test_rows_where_no_sensor_has_a_sample_are_left_out(tmp_path: Path) -> None:
    log = tmp_path / "frames.log"
    log_frames(log, "hip", boot_us=0, lost=range(200, 250))
    trace = export_trace(log, {"hip": Placement.PELVIS})
    assert len(trace.t_s) == 550
    assert np.diff(trace.t_s).max() == pytest.approx(0.51)


def test_a_log_without_these_sensors_is_refused(tmp_path: Path) -> None:
    log = tmp_path / "frames.log"
    log_frames(log, "hip", boot_us=0, lost=range(0))
    with pytest.raises(RecordingError, match="holds no sample of thigh"):
        export_trace(log, {"thigh": Placement.THIGH_LEFT})


def test_a_clock_that_leaps_by_years_makes_a_gap_and_no_large_table(tmp_path: Path) -> None:
    log = tmp_path / "frames.log"
    log_frames(log, "hip", boot_us=50_000_000, lost=range(0))
    packet = ImuFrame(
        stream_id=3,
        first_sample_index=600,
        device_time_us=2**48 - 1_000_000,
        sampling_rate=SamplingRate.HZ100,
        accel_range=AccelRange.G8,
        gyro_range=GyroRange.DPS1000,
        clipped=False,
        gap_before=False,
        samples=COUNTS[:10].tobytes(),
    )
    with FrameLogWriter(log) as again:
        again.append(ReceivedFrame("hip", UTC_NS + 6_100_000_000, FrameKind.DATA, encode(packet)))
    trace = export_trace(log, {"hip": Placement.PELVIS})
    assert 600 <= len(trace.t_s) <= 610
    assert trace.t_s[-1] - trace.t_s[-20] > 1e8


def test_fetched_samples_fill_the_hole_that_the_live_ones_left(tmp_path: Path) -> None:
    path = tmp_path / "frames.log"
    frames = [live(index) for index in (*range(0, 200, 10), *range(500, 800, 10))]
    frames += [fetched(index, at_ns=arrival_ns(800)) for index in range(200, 400, 10)]
    with FrameLogWriter(path) as log:
        for frame in frames:
            log.append(frame)
    trace = export_trace(path, {"hip": Placement.PELVIS})
    assert len(trace.t_s) == 700
    (step,) = [step for step in np.diff(trace.t_s) if step > 0.015]
    assert step == pytest.approx(1.01)  # what nobody has stays a hole of its length
