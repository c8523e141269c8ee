"""A session's log with a set in it: a virtual athlete's samples, packed as the sensors pack them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from firmware_protocol.codec import encode
from firmware_protocol.packets import ImuFrame
from firmware_protocol.ranges import AccelRange, GyroRange, SamplingRate
from sensor_bridge.ble.link import FrameKind, ReceivedFrame
from sensor_bridge.recording.session import create_session
from sensor_bridge.virtual_radio import simulate
from tests.sensor_bridge.archive.told import START_MS

if TYPE_CHECKING:
    from pathlib import Path

    from sensor_bridge.recording.session import Session

SCENARIO = """
exercise = "romanian_deadlift"
repetitions = 3
lead_in_s = 3.0
lead_out_s = 12.0
[tempo]
eccentric_s = 1.5
bottom_s = 0.3
concentric_s = 1.0
top_s = 0.7
"""
SENSORS = {"pelvis": "sacrum", "thigh_left": "thigh_lateral", "thigh_right": "thigh_lateral"}
_ACC_LSB = 8 * 9.80665 / 32768  # m/s²
_GYR_LSB = np.deg2rad(1000) / 32768  # rad/s
_BATCH = 10


def record_set(data_folder: Path, *athletes: str) -> Session:
    """Let each athlete do the same set of three repetitions; return the session, which is not closed."""
    scenario = data_folder.parent / "set.toml"
    scenario.write_text(SCENARIO)
    columns = simulate(str(scenario), 1).trace_columns
    session = create_session(data_folder, {"gym": "gym-1", "athletes": [worn_by(each) for each in athletes]})
    n = len(columns["t"]) // _BATCH * _BATCH
    with session.open_log() as log:
        for first in range(0, n, _BATCH):
            for athlete in athletes:
                for placement in SENSORS:
                    log.append(_frame(columns, f"{athlete}-{placement.replace('_', '-')}", placement, first))
    return session


def worn_by(athlete: str) -> dict[str, Any]:
    """An athlete with three sensors, as the header of a log has it."""
    sensors = [
        {"id": f"{athlete}-{place.replace('_', '-')}", "placement": place, "mount": mount, "name": place}
        for place, mount in SENSORS.items()
    ]
    return {"id": athlete, "name": athlete.capitalize(), "sensors": sensors, "prescription": None}


def _frame(columns: Any, sensor: str, placement: str, first: int) -> ReceivedFrame:
    scales = dict.fromkeys(("ax", "ay", "az"), _ACC_LSB) | dict.fromkeys(("gx", "gy", "gz"), _GYR_LSB)
    rows = slice(first, first + _BATCH)
    samples = np.column_stack([columns[f"{placement}_{axis}"][rows] / lsb for axis, lsb in scales.items()])
    packet = ImuFrame(
        stream_id=1,
        first_sample_index=first,
        device_time_us=first * 10_000,
        sampling_rate=SamplingRate.HZ100,
        accel_range=AccelRange.G8,
        gyro_range=GyroRange.DPS1000,
        clipped=False,
        gap_before=False,
        samples=np.rint(samples).astype("<i2").tobytes(),
    )
    arrival_ns = int(START_MS * 1e6) + (first + _BATCH) * 10_000_000
    return ReceivedFrame(sensor, arrival_ns, FrameKind.DATA, encode(packet))
