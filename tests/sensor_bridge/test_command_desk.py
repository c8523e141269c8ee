"""Commands as they come over the broker, good and hostile; each is answered with one line, or by nobody."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from sensor_bridge.athlete_commands import AthleteCommands
from sensor_bridge.athlete_session import AthleteSession
from sensor_bridge.ble.link import FrameKind
from sensor_bridge.command_desk import CommandDesk
from sensor_bridge.config import Config
from sensor_bridge.errors import LinkLost
from sensor_bridge.mqtt.client import MqttClient
from sensor_bridge.mqtt.command_payloads import Response
from sensor_bridge.mqtt.payloads import decode, rfc3339
from sensor_bridge.mqtt.settings import Message, MqttSettings, Protocol
from sensor_bridge.mqtt.topics import Channel, Topics
from sensor_bridge.prescribed import PrescriptionStore, with_prescriptions
from tests.mosquitto_broker import Mosquitto, mosquitto

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sensor_bridge.ble.link import ReceivedFrame
    from sensor_bridge.outgoing import Outgoing

__all__ = ["mosquitto"]

NOW_NS = 1_800_000_000_000_000_000
ATHLETE = {"id": "mia", "sensors": [{"placement": "pelvis", "id": "s-1", "name": "Hipline 1"}]}


class Broker:
    """A client whose messages a test makes, and who hears the answers."""

    def __init__(self) -> None:
        self.filters: list[str] = []
        self.answers: asyncio.Queue[tuple[str, Any, bytes | None]] = asyncio.Queue()
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()

    async def subscribe(self, topic_filter: str, *, qos: int) -> None:
        assert qos == 1
        self.filters.append(topic_filter)

    async def messages(self) -> AsyncIterator[Message]:
        while True:
            yield await self._inbox.get()

    async def publish(self, topic: str, payload: bytes, *, correlation_data: bytes | None = None) -> None:
        self.answers.put_nowait((topic, decode(Channel.RESPONSE, payload).data, correlation_data))

    def give(self, name: str, body: bytes | str, **how: Any) -> None:
        payload = body.encode() if isinstance(body, str) else body
        topic = f"hipline/v1/gym-1/svc/bridge/cmd/{name}"
        self._inbox.put_nowait(Message(topic, payload, how.pop("retained", False), **how))


class Bridge:
    """A desk, and what else of the bridge it needs."""

    def __init__(self, folder: Path, athlete: dict[str, Any] | None = None) -> None:
        config = Config.model_validate({"athletes": [athlete or ATHLETE]})
        self.broker = Broker()
        self.frames: list[ReceivedFrame] = []
        self.messages: list[Outgoing] = []
        self.shown: list[tuple[str, int]] = []
        self.prescriptions = PrescriptionStore(folder, config)
        (worn,) = config.athletes
        self.desk = CommandDesk(
            "bridge",
            "session-1",
            Topics("gym-1"),
            self.broker,  # type: ignore[arg-type]
            {"mia": AthleteSession(worn, "session-1")},
            self._identify,
            self._put,
            lambda: NOW_NS,
            self.prescriptions,
            system_s=lambda: NOW_NS / 1e9 + 3600.0,
        )

    async def _identify(self, sensor_id: str, duration_s: int) -> None:
        self.shown.append((sensor_id, duration_s))
        if len(self.shown) > 1:
            raise LinkLost("s-1 is not connected: it cannot show itself now")

    def _put(self, frame: ReceivedFrame) -> None:
        self.frames.append(frame)
        self.messages += self.desk.obey(frame, is_live=True)

    async def answer(self, reply_to: str = "coach-7") -> Any:
        async with asyncio.timeout(20):
            topic, data, _ = await self.broker.answers.get()
        assert topic == f"hipline/v1/gym-1/svc/bridge/rsp/{reply_to}"
        assert "\n" not in data.text
        assert len(data.text) < 300
        return data

    async def ask(self, name: str, request: str = "r-1", **arguments: Any) -> Any:
        self.broker.give(name, told(request=request, arguments=arguments))
        data = await self.answer()
        assert data.request == request
        return data


@contextlib.asynccontextmanager
async def opened(folder: Path, athlete: dict[str, Any] | None = None) -> AsyncIterator[Bridge]:
    bridge = Bridge(folder, athlete)
    running = asyncio.create_task(bridge.desk.run())
    try:
        yield bridge
        assert not running.done()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def told(*, age_s: float = 0.0, envelope: dict[str, Any] | None = None, **data: Any) -> str:
    return json.dumps(
        {
            "v": 1,
            "id": "018bcfe5-6800-70ef-9767-b8b58882af76",
            "ts": rfc3339(NOW_NS / 1e6 - age_s * 1e3),
            "session": "",
            "seq": 0,
            "data": {"request": "r-1", "reply_to": "coach-7", "arguments": {"athlete": "mia"}} | data,
        }
        | (envelope or {})
    )


NOTE = {"athlete": "mia", "text": "good"}
DEEP = "[" * 100_000 + "]" * 100_000
HOSTILE: list[tuple[str, str, str | bytes, str | None]] = [
    ("nothing", "note", b"", None),
    ("no JSON", "note", b"\xff\xfe\x00", None),
    ("a list", "note", "[]", None),
    ("deep", "note", DEEP, None),
    ("deep inside", "note", told(arguments=NOTE)[:-1] + f', "more": {DEEP}}}', None),
    ("a megabyte", "note", told(arguments=NOTE | {"text": "x" * 1_000_000}), "a command may have"),
    ("nobody to answer", "note", told(reply_to="../../live", arguments=NOTE), None),
    ("no text", "note", told(arguments={"athlete": "mia"}), "note: Object missing required field `text`"),
    ("text too long", "note", told(arguments=NOTE | {"text": "x" * 501}), "note: Expected `str` of length"),
    ("a number as text", "note", told(arguments=NOTE | {"text": 1}), "note: Expected `str`, got `int`"),
    ("an object", "note", told(arguments=NOTE | {"text": {}}), "not a command message"),
    ("no arguments", "note", told(arguments=None), "not a command message"),
    ("another version", "note", told(envelope={"v": 2}, arguments=NOTE), "schema version 2 is not"),
    ("no such command", "reboot", told(), "there is no command reboot"),
    ("no such athlete", "start-set", told(arguments={"athlete": "nobody"}), "there is no athlete nobody"),
    ("no such sensor", "identify", told(arguments={"sensor": "s-9"}), "there is no sensor s-9 here"),
    ("stale", "note", told(age_s=11, arguments=NOTE), "this command is 11 s old"),
    ("from the future", "note", told(age_s=-60, arguments=NOTE), "this command comes 60 s out of the"),
    ("no date", "note", told(envelope={"ts": "2026-02-31T25:61:00.000Z"}, arguments=NOTE), "ts is no time"),
    ("no request", "note", told(request="", arguments=NOTE), "not a command message"),
]


@pytest.mark.parametrize(
    ("name", "body", "complaint"), [case[1:] for case in HOSTILE], ids=[c[0] for c in HOSTILE]
)
async def test_what_is_wrong_is_answered_in_one_line_and_nothing_breaks(
    tmp_path: Path, name: str, body: str | bytes, complaint: str | None
) -> None:
    async with opened(tmp_path) as bridge:
        bridge.broker.give(name, body)
        if complaint is not None:
            answer = await bridge.answer()
            assert not answer.ok
            assert answer.text.startswith(complaint)
        assert bridge.frames == []
        assert (await bridge.ask("note", "r-2", **NOTE)).ok


async def test_a_command_is_logged_executed_and_answered_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as bridge:
        first = await bridge.ask("note", **NOTE)
        assert bridge.broker.filters == ["hipline/v1/gym-1/svc/bridge/cmd/+"]
        (frame,) = bridge.frames
        assert (frame.sensor_id, frame.arrival_ns, frame.kind) == ("s-1", NOW_NS, FrameKind.COMMAND)
        assert [message.channel for message in bridge.messages] == [Channel.NOTE]
        assert await bridge.ask("note", **NOTE) == first
        bridge.broker.give("note", told(age_s=3600, arguments=NOTE))  # the answer was long in coming
        assert await bridge.answer() == first
        assert len(bridge.frames) == 1


async def test_after_a_crash_the_log_tells_what_was_answered(tmp_path: Path) -> None:
    async with opened(tmp_path) as bridge:
        first = await bridge.ask("note", **NOTE)
    async with opened(tmp_path) as restarted:
        for frame in bridge.frames:
            assert len(restarted.desk.obey(frame, is_live=False)) == 1
        assert restarted.broker.answers.empty()
        assert await restarted.ask("note", **NOTE) == first
        assert restarted.frames == []


async def test_a_command_that_fails_takes_nothing_else_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError

    async with opened(tmp_path) as bridge:
        with monkeypatch.context() as broken:
            broken.setattr(AthleteCommands, "_do", fail)
            answer = await bridge.ask("note", "r-1", **NOTE)
        assert (answer.ok, answer.text) == (False, "this failed: the bridge's log says how")
        assert "note, request r-1, failed" in caplog.text
        assert (await bridge.ask("note", "r-2", **NOTE)).ok


async def test_what_is_retained_is_refused(tmp_path: Path) -> None:
    async with opened(tmp_path) as bridge:
        bridge.broker.give("note", told(arguments=NOTE), retained=True)
        assert (await bridge.answer()).text == "a command must not be retained: publish it without"


async def test_a_program_by_the_systems_clock_is_heard_too(tmp_path: Path) -> None:
    async with opened(tmp_path) as bridge:
        bridge.broker.give("note", told(age_s=-3599, arguments=NOTE))
        assert (await bridge.answer()).ok


async def test_answers_carry_what_mqtt_5_correlates_by(tmp_path: Path) -> None:
    async with opened(tmp_path) as bridge:
        for body in (told(arguments=NOTE), told(arguments={})):
            bridge.broker.give("note", body, correlation_data=b"\x01\x02")
            async with asyncio.timeout(20):
                assert (await bridge.broker.answers.get())[2] == b"\x01\x02"


async def test_a_sensor_shows_itself_or_says_why_not(tmp_path: Path) -> None:
    async with opened(tmp_path) as bridge:
        assert (await bridge.ask("identify", "r-1", sensor="s-1")).text == "s-1 shows itself for 5 s"
        assert (await bridge.ask("identify", "r-1", sensor="s-1")).ok
        refused = await bridge.ask("identify", "r-2", sensor="s-1")
        assert (refused.ok, refused.text) == (False, "s-1 is not connected: it cannot show itself now")
        assert bridge.shown == [("s-1", 5), ("s-1", 5)]


async def test_what_is_prescribed_holds_in_later_sessions(tmp_path: Path) -> None:
    async with opened(tmp_path) as bridge:
        assert (await bridge.ask("prescribe", "r-1", athlete="mia", exercise="deadlift", load_kg=60)).ok
    config = Config.model_validate({"athletes": [ATHLETE]})
    overrides = PrescriptionStore(tmp_path, config).overrides()
    (athlete,) = with_prescriptions(config, json.loads(json.dumps(overrides))).athletes
    assert athlete.prescription is not None
    assert (athlete.prescription.exercise, athlete.prescription.load_kg) == ("deadlift", 60.0)
    assert (tmp_path / "prescribed.json").stat().st_mode & 0o077 == 0
    # Who edits the configuration since means it.
    edited = Config.model_validate({"athletes": [ATHLETE | {"prescription": {"exercise": "hip_hinge"}}]})
    assert PrescriptionStore(tmp_path, edited).overrides() == {}


@pytest.mark.parametrize("text", ["", "[]", "{", '{"mia": 1}', '{"mia": {"configured": null}}'])
def test_a_damaged_file_of_prescriptions_is_left_aside(tmp_path: Path, text: str) -> None:
    (tmp_path / "prescribed.json").write_text(text)
    store = PrescriptionStore(tmp_path, Config.model_validate({"athletes": [ATHLETE]}))
    assert store.overrides() == {}
    store.keep("mia", None)
    assert store.overrides() == {"mia": None}


@pytest.mark.broker
async def test_commands_over_mqtt_5(mosquitto: Mosquitto, tmp_path: Path) -> None:
    def client(user: str) -> MqttClient:
        password = mosquitto.passwords[user]
        return MqttClient(
            MqttSettings(user, host=mosquitto.host, port=mosquitto.tcp_port, username=user, password=password)
        )

    bridge = Bridge(tmp_path)
    async with client("bridge") as own, client("coach") as coach:
        bridge.desk._client = own
        running = asyncio.create_task(bridge.desk.run())
        await asyncio.gather(own.connected(20), coach.connected(20))
        await coach.subscribe("hipline/v1/gym-1/svc/bridge/rsp/coach-7", qos=1)
        answers = coach.messages()
        topic = Topics("gym-1").command("bridge", "note")
        # Not heard where the desk's subscription comes later: whoever gets no answer asks again.
        async with asyncio.timeout(30):
            heard = asyncio.ensure_future(anext(answers))
            while not heard.done():
                await coach.publish(topic, told(arguments=NOTE).encode(), correlation_data=b"\x07")
                await asyncio.wait({heard}, timeout=0.5)
        message = heard.result()
        assert decode(Channel.RESPONSE, message.payload).data == Response(
            request="r-1", ok=True, text="noted"
        )
        assert message.correlation_data == b"\x07"
        assert own.protocol is Protocol.V5
        assert len(bridge.frames) == 1
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
