"""A set with a hole in it is measured again once the sensors gave what they kept; in virtual time."""

from __future__ import annotations

import asyncio
import contextlib
import random
from dataclasses import dataclass, field, replace
from itertools import count, pairwise
from typing import TYPE_CHECKING, Any

import pytest

from firmware_protocol.codec import decode_notified
from firmware_protocol.packets import BulkPage
from hardware_sim.athlete import simulate
from hardware_sim.peripheral import SensorModel
from hardware_sim.radio import VirtualRadio
from hardware_sim.radio_conditions import RadioConditions
from hardware_sim.scenario_file import parse_scenario
from hardware_sim.virtual_time import run_in_virtual_time
from hardware_sim.worn_sensors import sample_sources
from sensor_bridge.athlete_session import AthleteSession
from sensor_bridge.ble.adapter import Adapter
from sensor_bridge.ble.backfill import BackfillPlanner
from sensor_bridge.ble.backoff import Backoff
from sensor_bridge.ble.link import FrameKind, LinkState, ReceivedFrame
from sensor_bridge.ble.supervisor import SensorSupervisor
from sensor_bridge.config import AthleteConfig, Config
from sensor_bridge.healing import Healing
from sensor_bridge.host_clock import HostClock
from sensor_bridge.mqtt.topics import Channel
from sensor_bridge.recording.frame_log import FrameLogWriter, read_frame_log
from sensor_bridge.sensor_report import WornSensor
from sensor_bridge.virtual_radio import Playback

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from sensor_bridge.assembly import SensorQuality
    from sensor_bridge.outgoing import Outgoing

SET = """
exercise = "romanian_deadlift"
repetitions = 7
lead_in_s = 3.0
lead_out_s = 14.0
[tempo]
eccentric_s = 3.0
bottom_s = 0.5
concentric_s = 1.0
top_s = 1.0
"""
BEGAN_NS = 1_800_000_000_000_000_000
AIR = RadioConditions(connection_interval_ms=30.0, supervision_timeout_s=1.0)
KEEPING = SensorModel(ring_capacity_samples=300, flash_capacity_samples=100_000)
FORGETTING = replace(KEEPING, flash_capacity_samples=1000)
HOLE_BEGINS_S, HOLE_S = 13.0, 20.0
STEP_S = 0.0005  # measuring again takes so long a step, on any machine


def performed(repetitions: int, placements: tuple[str, ...]) -> Playback:
    scenario = SET.replace("repetitions = 7", f"repetitions = {repetitions}")
    sources = sample_sources(simulate(parse_scenario(scenario, "a set"), 5))
    return Playback(tuple(each for each in sources if each.placement in placements))


@pytest.fixture(scope="module")
def playback() -> Playback:
    return performed(7, ("pelvis",))


def athlete_of(playback: Playback) -> AthleteConfig:
    worn = {"id": "mia", "name": "Mia", "sensors": playback.worn_sensors}
    return Config.model_validate({"athletes": [worn]}).athletes[0]


@dataclass
class Told:
    """What a bridge said, and what became of the samples."""

    messages: list[Outgoing] = field(default_factory=list)
    quality: dict[str, SensorQuality] = field(default_factory=dict)

    def events(self, channel: Channel = Channel.REPETITION) -> dict[str, list[Any]]:
        """List the revisions of each event by its id."""
        found: dict[str, list[Any]] = {}
        for message in self.messages:
            if message.channel is channel:
                assert message.event_id is not None
                found.setdefault(message.event_id, []).append(message.data)
        return found

    def repetitions(self) -> list[Any]:
        """Return the last word on each repetition that stands, in order."""
        last = [max(revisions, key=lambda data: data.revision) for revisions in self.events().values()]
        standing = [data for data in last if data.status != "withdrawn"]
        return sorted(standing, key=lambda data: (data.set, data.repetition))


class LoggingBridge:
    """What the service does between radio and broker, without both processes around it."""

    def __init__(self, playback: Playback, log_path: Path) -> None:
        loop = asyncio.get_running_loop()
        self.told = Told()
        self.clock = HostClock(lambda: BEGAN_NS, lambda: round(loop.time() * 1e9))
        self.session = AthleteSession(athlete_of(playback), "session-1")
        self.planners = {sensor.id: BackfillPlanner() for sensor in self.session.athlete.sensors}
        self.links: dict[str, LinkState] = {}
        self.log_path = log_path
        self.log = FrameLogWriter(log_path)
        self._queue: asyncio.Queue[Any] = asyncio.Queue()
        steps = count()
        self.healing = Healing(
            log_path,
            {"mia": self.session},
            self.planners,
            self.links,
            self.take,
            self.clock.now_ns,
            working_s=lambda: STEP_S * next(steps),
        )

    def take(self, frame: Any) -> None:
        self.log.append(frame)
        self._queue.put_nowait(frame)

    async def measure(self) -> None:
        while True:
            frame = await self._queue.get()
            self.told.messages += await messages_of(self.session, self.healing, frame)

    async def run(self, radio: VirtualRadio, until: Callable[[LoggingBridge], Awaitable[None]]) -> Told:
        adapter, lock = Adapter(*radio.bleak_backends()), asyncio.Lock()
        streaming = Config.model_validate({"athletes": []}).streaming
        supervisors = [
            SensorSupervisor(
                WornSensor(self.session.athlete, sensor, streaming),
                adapter,
                lock,
                self.take,
                lambda state: self.links.update({state.sensor_id: state}),
                clock=self.clock,
                backoff=Backoff(first_s=0.1, longest_s=0.5, generator=random.Random(1)),
                planner=self.planners[sensor.id],
            )
            for sensor in self.session.athlete.sensors
        ]
        tasks = [asyncio.create_task(each.run()) for each in supervisors]
        tasks += [asyncio.create_task(self.measure()), asyncio.create_task(self.healing.run())]
        try:
            await until(self)
            await self.healing.settle()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self.told.messages += self.session.finish()
        self.told.messages += await self.healing.finish()
        self.told.quality = {
            sensor.id: self.session.quality(sensor.id) for sensor in self.session.athlete.sensors
        }
        self.log.close()
        return self.told


async def messages_of(session: AthleteSession, healing: Healing, frame: Any) -> list[Outgoing]:
    return await healing.corrections(frame) if frame.kind is FrameKind.HEALED else session.take(frame)


async def play(
    playback: Playback,
    log_path: Path,
    model: SensorModel,
    away: tuple[str, ...] = (),
    away_s: float = HOLE_S,
) -> Told:
    """Let the set be done; carry some of its sensors out of range in the middle of it."""
    random.seed(1)  # a link asks for the sensor's time at random moments
    async with VirtualRadio(playback.sources, radio=AIR, model=model, seed=1) as radio:
        bridge = LoggingBridge(playback, log_path)

        async def until_played(_bridge: LoggingBridge) -> None:
            while not all(each.is_streaming for each in radio.peripherals.values()):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            await asyncio.sleep(HOLE_BEGINS_S)
            for sensor_id in away:
                radio.set_in_range(sensor_id, in_range=False)
            await asyncio.sleep(away_s)
            for sensor_id in away:
                radio.set_in_range(sensor_id, in_range=True)
            await radio.playback_finished.wait()

        return await bridge.run(radio, until_played)


@pytest.fixture(scope="module")
def undisturbed(playback: Playback, tmp_path_factory: pytest.TempPathFactory) -> Told:
    path = tmp_path_factory.mktemp("undisturbed") / "frames.log"
    return run_in_virtual_time(play(playback, path, KEEPING))


@pytest.fixture(scope="module")
def broken_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("broken") / "frames.log"


@pytest.fixture(scope="module")
def broken(playback: Playback, broken_log: Path) -> Told:
    everyone = tuple(sensor["id"] for sensor in playback.worn_sensors)
    return run_in_virtual_time(play(playback, broken_log, KEEPING, everyone))


def times_s(repetitions: list[Any]) -> list[list[float]]:
    names = ("eccentric_start_ms", "eccentric_end_ms", "concentric_start_ms", "concentric_end_ms")
    return [[getattr(each, name) / 1e3 for name in names] for each in repetitions]


def test_in_the_end_all_repetitions_are_those_of_the_undisturbed_set(undisturbed: Told, broken: Told) -> None:
    healed, whole = broken.repetitions(), undisturbed.repetitions()
    assert len(whole) == 7
    assert [(each.set, each.repetition) for each in healed] == [(each.set, each.repetition) for each in whole]
    for mine, theirs in zip(times_s(healed), times_s(whole), strict=True):
        assert mine == pytest.approx(theirs, abs=0.02)
    for mine, theirs in zip(healed, whole, strict=True):
        assert mine.eccentric_s == pytest.approx(theirs.eccentric_s, abs=0.02)
        assert mine.final
    sets = [revisions[-1] for revisions in broken.events(Channel.SET).values()]
    assert [(each.set, each.repetitions) for each in sets if not each.withdrawn] == [(1, 7)]


def test_what_was_told_live_keeps_its_id_and_gets_a_higher_revision(broken: Told) -> None:
    corrected = [revisions for revisions in broken.events().values() if len(revisions) > 1]
    assert len(corrected) >= 2  # before the hole and behind it
    for revisions in corrected:
        numbers = [data.revision for data in revisions]
        assert numbers == sorted(set(numbers))
    renumbered = [revisions for revisions in corrected if revisions[0].repetition != revisions[-1].repetition]
    assert renumbered  # the one after the hole was told as the third or so
    found_later = [revisions for revisions in broken.events().values() if len(revisions) == 1]
    assert found_later
    assert {revisions[0].revision for revisions in found_later} == {0}


def test_live_went_on_while_the_rest_was_fetched(broken: Told) -> None:
    live_ms = [message.sample_time_ms for message in broken.messages if message.channel is Channel.LIVE]
    (hole_ms,) = [b - a for a, b in pairwise(live_ms) if b - a > 5000.0]
    assert hole_ms == pytest.approx(1e3 * HOLE_S, abs=4000.0)
    after = [at for at in live_ms if at > live_ms[0] + 1e3 * (HOLE_BEGINS_S + HOLE_S + 4.0)]
    assert len(after) > 100


def test_every_sample_is_accounted_for_and_no_hole_is_left(undisturbed: Told, broken: Told) -> None:
    for sensor_id, quality in broken.quality.items():
        assert quality.received + quality.backfilled >= undisturbed.quality[sensor_id].received
        assert quality.backfilled > 1500
        assert (quality.lost, quality.gaps, quality.lost_s) == (0, 0, 0.0)


def test_a_log_read_again_says_the_same_of_every_event(
    playback: Playback, broken: Told, broken_log: Path
) -> None:
    async def read_again() -> list[Outgoing]:
        bridge = LoggingBridge(playback, broken_log)
        said: list[Outgoing] = []
        for frame in read_frame_log(broken_log):
            said += await messages_of(bridge.session, bridge.healing, frame)
        bridge.log.close()
        return said

    first = {(each.event_id, each.revision): each.data for each in broken.messages if each.event_id}
    again = {
        (each.event_id, each.revision): each.data
        for each in run_in_virtual_time(read_again())
        if each.event_id
    }
    assert again
    assert {key: first.get(key) for key in again} == again
    assert FrameKind.HEALED in {frame.kind for frame in read_frame_log(broken_log)}


def test_one_sensor_of_two_away_is_healed_as_well(tmp_path: Path) -> None:
    playback = performed(4, ("pelvis", "thigh_left"))
    (thigh,) = [each["id"] for each in playback.worn_sensors if each["placement"] == "thigh_left"]
    told = run_in_virtual_time(play(playback, tmp_path / "frames.log", KEEPING, (thigh,), 8.0))
    assert len(told.repetitions()) == 4
    assert told.quality[thigh].backfilled > 300
    assert all(each.hip_flexion_left_range_deg > 30.0 for each in told.repetitions())
    assert (told.quality[thigh].gaps, told.quality[thigh].lost) == (0, 0)


def test_what_the_flash_no_longer_had_stays_a_gap_of_its_length(playback: Playback, tmp_path: Path) -> None:
    log_path = tmp_path / "frames.log"
    everyone = tuple(sensor["id"] for sensor in playback.worn_sensors)
    told = run_in_virtual_time(play(playback, log_path, FORGETTING, everyone))
    rate_hz = playback.sources[0].rate.hz
    for quality in told.quality.values():
        assert quality.lost > 500
        assert quality.backfilled > 300
        assert 1 <= quality.gaps <= 2  # the ring was overwritten while it was fetched
        assert quality.lost_s == pytest.approx(quality.lost / rate_hz, abs=0.05)
    repetitions = told.repetitions()
    assert 2 <= len(repetitions) < 7  # none was made up
    pages = [
        decode_notified(each.payload) for each in read_frame_log(log_path) if each.kind is FrameKind.BULK
    ]
    assert any(isinstance(each, BulkPage) and each.frame.gap_before for each in pages)


@pytest.mark.parametrize(
    "payload", [b"", b"{}", b"[]", b"\xff", b'{"reach": "x", "sets": 1, "backfilled": 0}']
)
def test_a_mark_that_cannot_be_read_changes_nothing(
    payload: bytes, playback: Playback, tmp_path: Path
) -> None:
    async def scene() -> list[Outgoing]:
        bridge = LoggingBridge(playback, tmp_path / "frames.log")
        mark = ReceivedFrame(playback.worn_sensors[0]["id"], BEGAN_NS, FrameKind.HEALED, payload)
        with contextlib.closing(bridge.log):
            return await bridge.healing.corrections(mark)

    assert run_in_virtual_time(scene()) == []
