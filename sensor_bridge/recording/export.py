"""A frame log as a trace: what the pipeline saw, as a table for other tools and for ``hipline analyze``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from analytics.imu import NANOSECONDS_PER_SECOND, ImuBlock, Mount, Placement
from sensor_bridge.assembly import BlockAssembly
from sensor_bridge.errors import RecordingError
from sensor_bridge.recording.frame_log import read_frame_log
from sensor_bridge.recording.sample_order import in_sample_order
from sensor_bridge.recording.trace import SensorTrace, Trace
from sensor_bridge.recording.trace_origins import SensorOrigin

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sensor_bridge.recording.sensor_calibrations import SensorCalibration


def export_trace(
    log_path: Path,
    placements: Mapping[str, Placement],
    *,
    mounts: Mapping[Placement, Mount] | None = None,
    athlete: str | None = None,
    calibrations: Mapping[str, SensorCalibration] | None = None,
) -> Trace:
    """Turn the log of one athlete's sensors into a trace.

    Parameters
    ----------
    log_path
        Frame log; samples fetched later stand where they belong.
    placements
        Where each of the athlete's sensors, by id, is worn; frames of others are passed over.
    mounts, athlete
        Into the trace's metadata.
    calibrations
        Of sensors, by serial number, that the session was measured with: the trace holds corrected values.

    Returns
    -------
    Trace
        ``t`` counts from the first sample; NaN where a sensor has none, no row where none has any.

    Raises
    ------
    RecordingError
        No frame log, or no sample of these sensors in it.
    """
    assembly = BlockAssembly(placements, calibrations)
    blocks: list[ImuBlock] = []
    worn = (frame for frame in read_frame_log(log_path) if frame.sensor_id in placements)
    for frame in in_sample_order(worn):
        blocks += assembly.push(frame)
    blocks += assembly.flush()
    if not blocks:
        raise RecordingError(f"{log_path}: holds no sample of {', '.join(placements)}")
    start_ns = min(block.start_time_ns for block in blocks)
    rate_hz = blocks[0].sampling_rate_hz
    rows = [_index(block.start_time_ns, start_ns, rate_hz) + np.arange(len(block)) for block in blocks]
    # Only rows that hold something: a sensor whose clock leaps by years makes a long gap, not a large table.
    present = np.unique(np.concatenate(rows))
    sensors: dict[Placement, SensorTrace] = {}
    for block, own_rows in zip(blocks, rows, strict=True):
        if block.placement not in sensors:
            gyr = np.full((len(present), 3), np.nan) if block.has_gyroscope else None
            sensors[block.placement] = SensorTrace(np.full((len(present), 3), np.nan), gyr)
        places = np.searchsorted(present, own_rows)
        sensor = sensors[block.placement]
        sensor.acc_m_s2[places] = block.acc_m_s2
        if sensor.gyr_rad_s is not None:
            sensor.gyr_rad_s[places] = block.gyr_rad_s
    return Trace(
        t_s=present / rate_hz,
        sensors=dict(sorted(sensors.items())),
        mounts=mounts or {},
        rate_hz=rate_hz,
        started_at=_rfc3339(assembly.to_utc_ns(start_ns)),
        athlete=athlete,
        origins=_origins(assembly, placements),
        warnings=tuple(
            f"{placement}: the sensor {lack}"
            for sensor_id, placement in placements.items()
            for lack in assembly.quality(sensor_id).traits.lacks()
        ),
    )


def _origins(assembly: BlockAssembly, placements: Mapping[str, Placement]) -> dict[Placement, SensorOrigin]:
    origins = {}
    for sensor_id, placement in placements.items():
        serial, calibration = assembly.identity(sensor_id)
        if serial is not None:
            origins[placement] = SensorOrigin(serial, calibration)
    return origins


def _index(time_ns: int, start_ns: int, rate_hz: float) -> int:
    return round((time_ns - start_ns) * rate_hz / NANOSECONDS_PER_SECOND)


def _rfc3339(utc_ns: int) -> str:
    moment = datetime.fromtimestamp(utc_ns / NANOSECONDS_PER_SECOND, tz=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
