"""Sensors people can buy, each as a virtual peripheral of its own: from the scan to repetitions."""

from __future__ import annotations

import asyncio
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analytics.imu import Placement
from hardware_sim.vendors import FIRMWARES
from hardware_sim.virtual_time import run_in_virtual_time
from sensor_bridge.athlete_session import AthleteSession
from sensor_bridge.ble.driver import StreamDescription
from sensor_bridge.ble.drivers import DRIVERS
from sensor_bridge.ble.link import FrameKind, LinkPhase, ReceivedFrame
from sensor_bridge.ble.supervisor import SensorSupervisor
from sensor_bridge.commands import virtual_sensors
from sensor_bridge.config import Config
from sensor_bridge.errors import UserInputError
from sensor_bridge.host_clock import HostClock
from sensor_bridge.mqtt.topics import Channel
from sensor_bridge.recording.export import export_trace
from sensor_bridge.recording.frame_log import FrameLogWriter, read_frame_log
from sensor_bridge.recording.trace import read_trace, write_trace
from sensor_bridge.sensor_report import WornSensor, sensor_status
from sensor_bridge.virtual_radio import on_air, rehearse

EXAMPLE = tomllib.loads((Path(__file__).parents[2] / "docs" / "sensors.example.toml").read_text("utf-8"))
UTC_NS = 1_700_000_000_000_000_000
LACKS = {
    "witmotion": "neither time nor number",
    "thingy52": "neither time nor number",
}


class Wearer:
    """An athlete with one sensor of a kind on the pelvis, and a bridge that keeps a log."""

    def __init__(self, kind: str, duration_s: float, log_path: Path) -> None:
        playback, _, self.truth = rehearse("romanian_deadlift", 1, duration_s, kind)
        self.playback = replace(playback, sources=playback.sources[:1])
        self.config = Config.model_validate(
            {
                "athletes": [{"id": "anna", "sensors": list(self.playback.worn_sensors)}],
                "layouts": EXAMPLE["layouts"],
            }
        )
        (self.athlete,) = self.config.athletes
        (sensor,) = self.athlete.sensors
        self.worn = WornSensor(self.athlete, sensor, self.config.streaming, self.config.layouts)
        self.session = self.new_session()
        self.messages = []
        self.states = []
        self.log_path = log_path

    def new_session(self) -> AthleteSession:
        return AthleteSession(self.athlete, "session")

    async def perform(self, *, heard=None, break_at_s: float | None = None) -> None:
        loop = asyncio.get_running_loop()
        clock = HostClock(lambda: UTC_NS, lambda: round(loop.time() * 1e9))
        with FrameLogWriter(self.log_path) as log:

            def take(frame):
                log.append(frame)
                self.messages += self.session.take(frame)

            async with on_air(self.playback, 1) as (adapter, finished):
                if heard is not None:
                    heard += [found.sighting for found in await adapter.scan(1.0)]
                supervisor = SensorSupervisor(
                    self.worn, adapter, asyncio.Lock(), take, self.states.append, clock=clock
                )
                run = loop.create_task(supervisor.run())
                if break_at_s is not None:
                    await asyncio.sleep(break_at_s)
                    await supervisor._link.close()
                await finished.wait()
                await asyncio.sleep(0.3)
                run.cancel()
                await asyncio.wait([run])
        self.messages += self.session.finish()

    @property
    def status(self):
        connected = [state for state in self.states if state.phase is LinkPhase.CONNECTED][-1]
        quality = self.session.quality(self.worn.sensor_id)
        return sensor_status(self.worn, connected, quality, 0.0).data


def repetitions(messages):
    """Last word on each repetition, by set and number."""
    last = {}
    for message in messages:
        if message.channel is Channel.REPETITION:
            last[message.data.set, message.data.repetition] = message.data
    return last


@pytest.mark.parametrize("kind", FIRMWARES)
def test_from_scan_to_repetitions(kind, tmp_path):
    wearer, heard = Wearer(kind, 18.0, tmp_path / "frames.log"), []
    run_in_virtual_time(wearer.perform(heard=heard))

    recognised = [sighting.kind for sighting in heard]
    assert recognised == ([] if kind == "generic" else [kind])
    counted = repetitions(wearer.messages)
    assert len(counted) == len(wearer.truth["repetitions"]) > 0

    status = wearer.status
    made = len(wearer.playback.sources[0])
    assert made - 60 <= status.received <= made
    assert (status.lost, status.duplicated, status.rejected, status.gaps) == (0, 0, 0, 0)
    is_arrival_timed = kind in LACKS
    assert status.lacks == (["clock", "loss"] if is_arrival_timed else [])
    assert (status.battery_percent is None) == (kind == "generic")

    again = wearer.new_session()
    messages = [message for frame in read_frame_log(wearer.log_path) for message in again.take(frame)]
    messages += again.finish()
    assert repetitions(messages) == counted  # as a bridge that was killed finds it

    trace = export_trace(wearer.log_path, {wearer.worn.sensor_id: Placement.PELVIS})
    write_trace(tmp_path / "trace.parquet", trace)
    warnings = [told for told in read_trace(tmp_path / "trace.parquet").warnings if "the sensor" in told]
    assert [LACKS[kind] in told for told in warnings] == ([True] if is_arrival_timed else [])


def test_accelerations_alone_stay_accelerations_alone(tmp_path):
    details = {"acceleration": {"rate_hz": 50, "resolution": 16, "range": 8}}
    described = StreamDescription("polar", 1, 50.0, details)
    with FrameLogWriter(tmp_path / "frames.log") as log:
        log.append(ReceivedFrame("hip", UTC_NS, FrameKind.DRIVER, described.to_bytes()))
        for k in range(1, 20):  # raw frames of 10 samples: 1 g upwards
            head = b"\x02" + (k * 200_000_000).to_bytes(8, "little") + b"\x01"
            payload = head + bytes.fromhex("e80300000000") * 10
            log.append(ReceivedFrame("hip", UTC_NS + k * 200_000_000, FrameKind.DATA, payload))
    trace = export_trace(tmp_path / "frames.log", {"hip": Placement.PELVIS})
    pelvis = trace.sensors[Placement.PELVIS]
    assert pelvis.gyr_rad_s is None
    assert pelvis.acc_m_s2 == pytest.approx(np.tile([9.80665, 0.0, 0.0], (190, 1)))
    assert trace.warnings == ("pelvis: the sensor has no gyroscope: only accelerations came",)


@pytest.mark.parametrize(
    ("what", "kind", "complaint"),
    [
        ("six_positions", "polar", "--kind goes with a scenario, not with six_positions"),
        ("squat", "ant", "there is no virtual sensor of kind 'ant': choose from movella-dot, "),
    ],
)
def test_a_kind_that_cannot_perform_is_refused(what, kind, complaint):
    with pytest.raises(UserInputError, match=complaint):
        virtual_sensors.run(what, port=0, seed=1, duration_s=None, kind=kind)


def test_a_link_made_anew_is_a_new_stream_after_a_gap(tmp_path):
    wearer = Wearer("movesense", 18.0, tmp_path / "frames.log")
    run_in_virtual_time(wearer.perform(break_at_s=6.0))
    described = [frame for frame in read_frame_log(wearer.log_path) if frame.kind is FrameKind.DRIVER]
    assert [DRIVERS["movesense"].kind in frame.payload.decode() for frame in described] == [True, True]
    assert [state.stream_id for state in wearer.states if state.phase is LinkPhase.CONNECTED][-1] == 2
    status = wearer.status
    assert status.reconnects == 1
    assert status.gaps == 1
    assert 0.05 < status.lost_s < 3.0
