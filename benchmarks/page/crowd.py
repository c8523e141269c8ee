"""Many athletes at once on a real broker: what a bridge would say of them, at the time it would say it.

Only radio and measuring are left out: the pipeline has gone over simulated recordings beforehand, and its
outputs become messages here, athlete by athlete, by the bridge's own code and way (outbox, retained board).
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec
import numpy as np

import hardware_sim
from analytics.batch import side_by_side
from analytics.pipeline import MotionPipeline
from benchmarks.virtual_athlete import blocks_of, setup_of
from sensor_bridge.assembly import SensorQuality
from sensor_bridge.ble.link import LinkPhase, LinkState
from sensor_bridge.config import Config
from sensor_bridge.dashboard.server import DashboardServer, DashboardSettings, page_link
from sensor_bridge.messages import AthleteCard, AthleteMessages
from sensor_bridge.mqtt.client import MqttClient
from sensor_bridge.mqtt.outbox import Outbox, OutboxSettings
from sensor_bridge.mqtt.payloads import Live
from sensor_bridge.mqtt.retained import RetainedBoard
from sensor_bridge.mqtt.status import ServiceStatusPublisher
from sensor_bridge.mqtt.topics import Topics
from sensor_bridge.mqtt.users import COACH_USER
from sensor_bridge.mqtt_access import open_broker
from sensor_bridge.publisher import Publisher
from sensor_bridge.sensor_report import WornSensor, sensor_status

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from multiprocessing.connection import Connection
    from pathlib import Path

    from analytics.pipeline_output import PipelineOutput
    from analytics.prescription import Prescription
    from sensor_bridge.config import AthleteConfig
    from sensor_bridge.outgoing import Outgoing

GYM = "gym-1"
LIVE_PERIOD_S = 0.1
AGE_S = 0.075
"""Age of the newest sample when its message leaves the bridge: batching is over, radio and measuring done."""
CLOCK_RAMP_MS = 6000
CLOCK_DEG_PER_MS = 0.01

_SCENARIOS = (
    "romanian_deadlift",
    "single_leg_deadlift_left",
    "micro_hinge",
    "glute_bridge",
    "single_leg_deadlift_right",
    "glute_bridge_walkout",
)
_PLACEMENTS = ("pelvis", "thigh_left", "thigh_right")
_FIRST_S, _SPREAD_S = 8.0, 14.0
_SESSION = "01a1ffc6-6f07-708c-ab2c-8bce6c440c74"


@dataclass(frozen=True)
class Script:
    """What the pipeline says of one recording, each with the time of its newest sample, s; what was asked."""

    outputs: tuple[tuple[float, PipelineOutput], ...]
    prescription: Prescription | None


def write_scripts(n: int) -> list[Script]:
    """Simulate and measure `n` athletes, each with a course of events of its own."""
    scripts = []
    for index in range(n):
        scenario = hardware_sim.load_scenario(_SCENARIOS[index % len(_SCENARIOS)])
        performance = hardware_sim.simulate(scenario, seed=index)
        setup = setup_of(performance, is_known=True)
        pipeline = MotionPipeline(setup)
        outputs = [
            (max(block.time_ns(len(block) - 1) for block in blocks) / 1e9, pipeline.push_together(blocks))
            for blocks in side_by_side(blocks_of(performance), LIVE_PERIOD_S)
        ]
        scripts.append(Script(tuple(outputs), setup.prescription))
    return scripts


def crowd_config(n: int, data_folder: Path, mqtt: dict[str, object] | None = None) -> Config:
    """Configure `n` athletes with a pelvis and two thigh sensors each."""
    return Config.model_validate(
        {
            "gym": GYM,
            "data_folder": data_folder,
            "athletes": [
                {
                    "id": f"a{index + 1}",
                    "name": f"Athlete {index + 1}",
                    "sensors": [
                        {
                            "id": f"a{index + 1}-{placement.replace('_', '-')}",
                            "name": f"Hipline {index + 1} {placement}",
                            "placement": placement,
                        }
                        for placement in _PLACEMENTS
                    ],
                }
                for index in range(n)
            ],
            **({"mqtt": mqtt} if mqtt else {}),
        }
    )


class _Player:
    """One athlete of the crowd."""

    def __init__(self, athlete: AthleteConfig, script: Script, first_s: float, *, is_clock: bool) -> None:
        self.sensors = [sensor.id for sensor in athlete.sensors]
        self._script = script
        self._first_s = first_s
        self._is_clock = is_clock
        self._begun_ns = time.time_ns()
        card = AthleteCard(
            athlete.id, athlete.name, _SESSION, tuple(self.sensors), prescription=script.prescription
        )
        self._messages = AthleteMessages(card, self._to_utc_ns)

    def _to_utc_ns(self, timeline_ns: int) -> int:
        return self._begun_ns + timeline_ns - round(self._first_s * 1e9)

    async def play(self, publisher: Publisher) -> None:
        """Say what has been, then what comes, each at its time."""
        self._begun_ns = time.time_ns()
        begun_s = time.monotonic() - self._first_s
        await publisher.publish(self._messages.begin(self._begun_ns / 1e6))
        for time_s, output in self._script.outputs:
            wait_s = begun_s + time_s + AGE_S - time.monotonic()
            if wait_s > 0.0:
                await asyncio.sleep(wait_s)
            messages = [self._timed(message) for message in self._messages.tell(output)]
            await publisher.publish(messages, live=time_s > self._first_s)

    def _timed(self, message: Outgoing) -> Outgoing:
        """Let the pelvis show what time it is."""
        live = message.data
        if not self._is_clock or not isinstance(live, Live) or live.pelvic_tilt_deg is None:
            return message
        n = len(live.pelvic_tilt_deg)
        times_ms = live.t_ms - np.arange(n - 1, -1, -1) * 1000.0 / live.rate_hz
        tilt = [round(float(ms % CLOCK_RAMP_MS) * CLOCK_DEG_PER_MS, 2) for ms in times_ms]
        return replace(message, data=msgspec.structs.replace(live, pelvic_tilt_deg=tilt))


@asynccontextmanager
async def crowd(config: Config, scripts: Sequence[Script]) -> AsyncIterator[str]:
    """Let all athletes of a configuration train; yield the coach's link to the page.

    The first athlete's pelvis is a clock: its tilt is the time of the sample, `CLOCK_DEG_PER_MS` a
    millisecond within `CLOCK_RAMP_MS`.
    """
    topics = Topics(config.gym)
    players = [
        _Player(athlete, script, _FIRST_S + _SPREAD_S * index / len(scripts), is_clock=index == 0)
        for index, (athlete, script) in enumerate(zip(config.athletes, scripts, strict=True))
    ]
    async with AsyncExitStack() as stack:
        access = await stack.enter_async_context(open_broker(config, topics))
        settings = DashboardSettings(
            gym=config.gym, websocket_url=access.websocket_url, users=access.known_users
        )
        server = await stack.enter_async_context(DashboardServer(settings))
        status = ServiceStatusPublisher(topics.service_status("bridge"), version="0", session=_SESSION)
        client = await stack.enter_async_context(MqttClient(access.bridge_settings("crowd", status.will)))
        outbox = await stack.enter_async_context(
            Outbox(OutboxSettings(config.data_folder / "outbox.sqlite"), client, status.set_alarm)
        )
        board = RetainedBoard(client)
        publisher = Publisher(topics, _SESSION, client, outbox, board)
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(outbox.run()), tasks.create_task(board.run())]
            async with status.attach(board):
                running.append(tasks.create_task(_tell_sensors(config, publisher)))
                running += [tasks.create_task(player.play(publisher)) for player in players]
                yield page_link(server.url, f"{COACH_USER}.{access.coach_password}")
                for task in running[2:]:
                    task.cancel()
            for task in running:
                task.cancel()


async def _tell_sensors(config: Config, publisher: Publisher) -> None:
    quality = SensorQuality(12_000, 0, 0, 0, 0, 0, 0, 0.0, 8.0, 4.0)
    while True:
        now_ms = time.time() * 1000.0
        for athlete in config.athletes:
            for sensor in athlete.sensors:
                link = LinkState(
                    sensor.id,
                    LinkPhase.CONNECTED,
                    name=sensor.name,
                    sampling_rate_hz=100.0,
                    battery_percent=76,
                )
                worn = WornSensor(athlete, sensor, config.streaming)
                await publisher.publish([sensor_status(worn, link, quality, now_ms)])
        await asyncio.sleep(1.0)


def play_crowd(n: int, data_folder: Path, mqtt: dict[str, object] | None, pipe: Connection) -> None:
    """Let `n` athletes train in this process: send the page's link through `pipe`, end on an answer."""

    async def play() -> None:
        scripts = write_scripts(n)
        async with crowd(crowd_config(n, data_folder, mqtt), scripts) as url:
            pipe.send(url)
            with suppress(EOFError):
                await asyncio.to_thread(pipe.recv)

    asyncio.run(play())
