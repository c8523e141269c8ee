"""A coach's commands, from the broker over the whole bridge to sensors, repetitions and answers."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from hardware_sim.athlete import simulate
from hardware_sim.radio import VirtualRadio
from hardware_sim.scenario_file import parse_scenario
from hardware_sim.worn_sensors import sample_sources
from sensor_bridge.ble.adapter import Adapter
from sensor_bridge.config import Config
from sensor_bridge.errors import BridgeError
from sensor_bridge.mqtt.client import MqttClient
from sensor_bridge.mqtt.command_payloads import Command
from sensor_bridge.mqtt.payloads import decode, encode, envelope
from sensor_bridge.mqtt.topics import Channel, Topics, parse
from sensor_bridge.service import run_bridge
from sensor_bridge.virtual_radio import Playback
from tests.message_contract import assert_kept

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from sensor_bridge.mqtt.command_payloads import Response
    from sensor_bridge.service import Bridge

GYM = "gym-1"
# The rest is too short to end a set by itself.
TWICE_TWO_REPETITIONS = """
exercise = "romanian_deadlift"
repetitions = 2
sets = 2
rest_s = 6.5
lead_in_s = 3.0
lead_out_s = 3.0
[tempo]
eccentric_s = 1.4
bottom_s = 0.2
concentric_s = 0.9
top_s = 1.0
"""


@dataclass
class Coach:
    """Reads everything, gives commands, and waits for what comes of them."""

    client: MqttClient
    answers: dict[str, list[Response]] = field(default_factory=dict)
    told: dict[Channel, dict[str, Any]] = field(default_factory=dict)
    revisions: dict[str, list[Any]] = field(default_factory=dict)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def listen(self) -> None:
        async for message in self.client.messages():
            assert_kept(message.topic, message.payload, retained=message.retained)
            if not message.payload:
                continue
            channel = parse(message.topic).channel
            read = decode(channel, message.payload)
            if channel is Channel.RESPONSE:
                self.answers.setdefault(read.data.request, []).append(read.data)
            before = self.told.setdefault(channel, {}).get(read.id)
            if before is None or getattr(before, "revision", 0) <= getattr(read.data, "revision", 0):
                self.told[channel][read.id] = read.data
            self.revisions.setdefault(read.id, []).append(read.data)
            async with self.news:
                self.news.notify_all()

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(40), self.news:
            await self.news.wait_for(condition)

    async def give(self, name: str, under: str = "", /, *, age_s: float = 0.0, **arguments: Any) -> Response:
        """Give a command and wait for the answer."""
        request = under or str(uuid.uuid4())
        heard = len(self.answers.get(request, []))
        command = Command(request=request, reply_to="coach-7", arguments=arguments)
        told = envelope(
            command,
            message_id="018bcfe5-6800-70ef-9767-b8b58882af76",
            sample_time_ms=(time.time() - age_s) * 1e3,
            session="",
            seq=0,
        )
        await self.client.publish(Topics(GYM).command("bridge", name), encode(told))
        await self.until(lambda: len(self.answers.get(request, [])) > heard)
        return self.answers[request][-1]

    def links(self, sensor: str) -> list[str]:
        told = self.told.get(Channel.SENSOR_STATUS, {}).values()
        return [each.link for each in told if each.sensor == sensor]

    def standing(self) -> list[tuple[int, int]]:
        repetitions = self.told.get(Channel.REPETITION, {}).values()
        return sorted((each.set, each.repetition) for each in repetitions if each.status != "withdrawn")

    def finals(self) -> list[str]:
        """Ids of the repetitions that are measured for good, in their order."""
        told = self.told.get(Channel.REPETITION, {}).items()
        return [
            name for name, each in sorted(told, key=lambda item: item[1].eccentric_start_ms) if each.final
        ]

    def last_state(self) -> tuple[int, int]:
        state = list(self.told[Channel.STATE].values())[-1]
        return state.set, state.repetition

    def sets(self) -> dict[int, tuple[int, bool]]:
        told = self.told.get(Channel.SET, {}).values()
        return {each.set: (each.repetitions, each.final) for each in told if not each.withdrawn}


@contextlib.asynccontextmanager
async def coach_of(bridge: Bridge) -> AsyncIterator[Coach]:
    async with MqttClient(bridge.broker.reader_settings("coach-7")) as client:
        await client.connected(20)
        coach = Coach(client)
        await client.subscribe(Topics(GYM).everything, qos=1)
        listening = asyncio.create_task(coach.listen())
        try:
            yield coach
        finally:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening


async def test_a_coach_commands_a_set_and_a_crash_takes_nothing_back(tmp_path: Path) -> None:
    sources = sample_sources(simulate(parse_scenario(TWICE_TWO_REPETITIONS, "twice two"), 2))
    worn = {"id": "anna", "name": "Anna", "sensors": Playback(sources).worn_sensors}
    config = Config.model_validate(
        {"gym": GYM, "data_folder": tmp_path, "dashboard": {"enabled": False}, "athletes": [worn]}
    )
    kept: dict[str, Any] = {}

    async def first_half(bridge: Bridge) -> None:
        async with coach_of(bridge) as coach:
            pelvis = sources[0].sensor_id
            await coach.until(lambda: coach.links(pelvis)[-1:] == ["connected"])
            answer = await coach.give("identify", sensor=pelvis)
            assert answer.ok, answer.text
            assert radio.peripherals[pelvis].is_identifying
            answer = await coach.give("end-set", athlete="anna")
            assert not answer.ok
            answer = await coach.give(
                "prescribe",
                "p-1",
                athlete="anna",
                exercise="romanian_deadlift",
                repetitions=2,
                tempo="2-0-1-1",
            )
            assert answer.ok, answer.text
            await coach.until(lambda: coach.told.get(Channel.PRESCRIPTION))
            (prescribed,) = coach.told[Channel.PRESCRIPTION].values()
            assert (prescribed.repetitions, prescribed.eccentric_s) == (2, 2.0)
            assert "is 60 s old" in (await coach.give("start-set", athlete="anna", age_s=60)).text

            await coach.until(lambda: len(coach.finals()) == 2)
            answer = await coach.give("start-set", "s-1", athlete="anna")
            assert answer.text == "set 2 begins"
            first, second = coach.finals()
            answer = await coach.give(
                "not-a-repetition", "n-1", athlete="anna", event=first, text="<b>no</b>"
            )
            assert answer.text == "repetition 1 of set 1 does not count: 1 are left"
            await coach.until(lambda: coach.sets().get(1) == (1, True))
            assert coach.told[Channel.REPETITION][first].status == "withdrawn"
            assert coach.told[Channel.REPETITION][second].repetition == 1
            kept.update(first=first, second=second, revision=coach.told[Channel.REPETITION][second].revision)
            raise BridgeError("the power was cut")

    async def second_half(bridge: Bridge) -> None:
        async with coach_of(bridge) as coach:
            first, second = kept["first"], kept["second"]
            await coach.until(lambda: coach.standing()[-2:] == [(2, 1), (2, 2)])
            again = await coach.give("not-a-repetition", "n-1", athlete="anna", event=first)
            assert again.text == "repetition 1 of set 1 does not count: 1 are left"
            answer = await coach.give("undo", "u-1", athlete="anna", request="n-1")
            assert answer.ok, answer.text
            await coach.until(lambda: coach.sets().get(1) == (2, True))
            assert coach.told[Channel.REPETITION][first].repetition == 1
            assert coach.told[Channel.REPETITION][second].repetition == 2
            assert coach.told[Channel.REPETITION][second].revision == kept["revision"] + 1
            await coach.until(lambda: coach.told.get(Channel.NOTE))
            (note,) = coach.told[Channel.NOTE].values()
            assert (note.kind, note.event, note.text, note.withdrawn) == (
                "not_a_repetition",
                first,
                "<b>no</b>",
                True,
            )
            answer = await coach.give("end-set", athlete="anna")
            assert answer.text == "set 2 is over"
            await coach.until(lambda: coach.sets() == {1: (2, True), 2: (2, True)})
            await coach.until(lambda: coach.last_state() == (3, 0))
            assert (await coach.give("undo", athlete="anna", request="s-1")).text == (
                "undo: start-set cannot be undone"
            )
            answer = await coach.give("re-zero", athlete="anna")
            assert answer.ok, answer.text

    async with VirtualRadio(sources, seed=2) as radio:
        backends = radio.bleak_backends()
        with pytest.raises(BridgeError, match="the power was cut"):
            await run_bridge(config, Adapter(*backends), first_half)
        await run_bridge(config, Adapter(*backends), second_half)
