from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec
import pytest

from sensor_bridge.messages import Outgoing
from sensor_bridge.mqtt import payloads
from sensor_bridge.mqtt.broker import EmbeddedBroker, EmbeddedBrokerSettings
from sensor_bridge.mqtt.client import MqttClient
from sensor_bridge.mqtt.outbox import Outbox
from sensor_bridge.mqtt.outbox_settings import OutboxSettings
from sensor_bridge.mqtt.retained import RetainedBoard
from sensor_bridge.mqtt.settings import Message, MqttSettings, Protocol
from sensor_bridge.mqtt.topics import Channel, Topics
from sensor_bridge.mqtt.users import gym_users
from sensor_bridge.publisher import Publisher
from tests.gym_tokens import create_tokens
from tests.message_contract import assert_kept

if TYPE_CHECKING:
    from pathlib import Path

    from sensor_bridge.mqtt.outbox_store import OutgoingEvent

TOPICS = Topics("gym-1")
NOW_MS = 1_800_000_000_000.0  # 2027-01-15 08:00
ATHLETE = {"athlete": "a1"}
EVENT_ID = "01a3175b-2c00-7aaa-8bbb-cccccccccccc"


@dataclass
class Ways:
    """Client, outbox and board in one, noting what each was given, in order."""

    sent: list[tuple[str, str, bytes]] = field(default_factory=list)
    events: list[tuple[OutgoingEvent, ...]] = field(default_factory=list)
    is_connected: bool = True

    def publish_live(self, topic: str, payload: bytes) -> bool:
        self.sent.append(("live", topic, payload))
        return self.is_connected


class Board:
    def __init__(self, ways: Ways) -> None:
        self.ways = ways

    def put(self, topic: str, payload: bytes) -> None:
        self.ways.sent.append(("retained", topic, payload))


class Box:
    def __init__(self, ways: Ways) -> None:
        self.ways = ways

    async def put(self, *events: OutgoingEvent) -> None:
        self.ways.events.append(events)
        self.ways.sent += [("event", event.topic, event.body) for event in events]


@pytest.fixture
def ways() -> Ways:
    return Ways()


@pytest.fixture
def publisher(ways: Ways) -> Publisher:
    return Publisher(TOPICS, "session-1", ways, Box(ways), Board(ways))


def live(time_ms: float = NOW_MS) -> Outgoing:
    data = payloads.Live(t_ms=time_ms, rate_hz=50.0, posture="standing", phase="top", set=1, repetition=2)
    return Outgoing(Channel.LIVE, ATHLETE, time_ms, data)


def fault(event_id: str | None = EVENT_ID, revision: int = 0) -> Outgoing:
    data = payloads.FaultEvent(athlete="a1", code="balance_loss", t_ms=NOW_MS, set=1, repetition=2)
    return Outgoing(Channel.FAULT, ATHLETE, NOW_MS, data, event_id, revision)


def calibration() -> Outgoing:
    data = payloads.Calibration(athlete="a1", t_ms=NOW_MS, calibration=[])
    return Outgoing(Channel.CALIBRATION, ATHLETE, NOW_MS, data)


def sensor() -> Outgoing:
    data = payloads.SensorStatus(sensor="s1", athlete="a1", placement="pelvis", name="HL-1", link="connected")
    return Outgoing(Channel.SENSOR_STATUS, {"sensor": "s1"}, NOW_MS, data)


async def test_each_message_goes_the_way_its_channel_asks_for(publisher: Publisher, ways: Ways) -> None:
    await publisher.publish([live(), fault(), calibration(), sensor()])
    assert [(way, topic) for way, topic, _ in ways.sent] == [
        ("live", "hipline/v1/gym-1/athlete/a1/live"),
        ("retained", "hipline/v1/gym-1/athlete/a1/calibration"),
        ("retained", "hipline/v1/gym-1/sensor/s1/status"),
        ("event", "hipline/v1/gym-1/athlete/a1/fault"),
    ]


async def test_a_message_is_wrapped_with_sample_time_session_and_sequence(
    publisher: Publisher, ways: Ways
) -> None:
    await publisher.publish([fault()])
    ((_, _, body),) = ways.sent
    assert msgspec.json.decode(body) == {
        "v": 1,
        "id": "01a3175b-2c00-7aaa-8bbb-cccccccccccc",
        "ts": "2027-01-15T08:00:00.000Z",
        "session": "session-1",
        "seq": 0,
        "data": {
            "athlete": "a1",
            "code": "balance_loss",
            "t_ms": 1800000000000.0,
            "set": 1,
            "repetition": 2,
            "revision": 0,
            "phase": "unknown",
            "value": None,
            "threshold": None,
            "sd": None,
            "kind": "measured",
            "text": "",
            "withdrawn": False,
        },
    }


async def test_events_of_one_call_are_stored_together_with_id_and_revision(
    publisher: Publisher, ways: Ways
) -> None:
    await publisher.publish([fault(revision=0), live(), fault(revision=1)])
    (stored,) = ways.events
    assert [(event.event_id, event.revision, event.topic) for event in stored] == [
        (EVENT_ID, 0, "hipline/v1/gym-1/athlete/a1/fault"),
        (EVENT_ID, 1, "hipline/v1/gym-1/athlete/a1/fault"),
    ]


async def test_without_events_the_disk_is_left_alone(publisher: Publisher, ways: Ways) -> None:
    await publisher.publish([live(), calibration()])
    await publisher.publish([])
    assert ways.events == []


async def test_each_topic_counts_for_itself(publisher: Publisher, ways: Ways) -> None:
    await publisher.publish([live(), live(), calibration(), live()])
    numbered = [(topic.rsplit("/", 1)[1], msgspec.json.decode(body)["seq"]) for _, topic, body in ways.sent]
    assert numbered == [("live", 0), ("live", 1), ("calibration", 0), ("live", 2)]


async def test_messages_that_are_no_events_get_an_id_each(publisher: Publisher, ways: Ways) -> None:
    await publisher.publish([live(), live(), calibration()])
    assert len({msgspec.json.decode(body)["id"] for _, _, body in ways.sent}) == 3


async def test_live_messages_that_cannot_go_are_counted_and_leave_a_hole_in_the_sequence(
    publisher: Publisher, ways: Ways
) -> None:
    ways.is_connected = False
    await publisher.publish([live(), live()])
    assert publisher.live_dropped == 2
    ways.is_connected = True
    await publisher.publish([live()])
    assert publisher.live_dropped == 2
    assert msgspec.json.decode(ways.sent[-1][2])["seq"] == 2


async def test_while_a_log_is_read_again_live_messages_stay_at_home(publisher: Publisher, ways: Ways) -> None:
    await publisher.publish([live(), fault(), calibration()], live=False)
    assert [way for way, _, _ in ways.sent] == ["retained", "event"]
    assert publisher.live_dropped == 0
    await publisher.publish([live()])
    assert msgspec.json.decode(ways.sent[-1][2])["seq"] == 0


async def test_nothing_takes_back_what_is_retained(publisher: Publisher, ways: Ways) -> None:
    await publisher.publish([Outgoing(Channel.PRESCRIPTION, ATHLETE, NOW_MS, None)])
    assert ways.sent == [("retained", "hipline/v1/gym-1/athlete/a1/prescription", b"")]


async def test_an_event_without_an_id_is_an_error_of_the_caller(publisher: Publisher, ways: Ways) -> None:
    with pytest.raises(ValueError, match="athlete/a1/fault needs an id"):
        await publisher.publish([fault(event_id=None)])
    assert ways.sent == []


@pytest.mark.parametrize("channel", [Channel.LIVE, Channel.FAULT])
async def test_only_what_is_retained_can_be_taken_back(publisher: Publisher, channel: Channel) -> None:
    with pytest.raises(ValueError, match="nothing is retained on hipline/v1/gym-1/athlete/a1/"):
        await publisher.publish([Outgoing(channel, ATHLETE, NOW_MS, None, EVENT_ID)])


async def test_everything_reaches_a_reader_through_the_embedded_broker(tmp_path: Path) -> None:
    tokens = create_tokens()
    alarms: list[str] = []
    async with contextlib.AsyncExitStack() as stack:
        broker = await stack.enter_async_context(
            EmbeddedBroker(EmbeddedBrokerSettings(gym_users(TOPICS, tokens)))
        )

        def settings(user: str) -> MqttSettings:
            return MqttSettings(
                client_id=user,
                port=broker.tcp_port,
                username=user,
                password=tokens[user],
                protocol=Protocol.V311,
            )

        bridge = await stack.enter_async_context(MqttClient(settings("bridge")))
        reader = await stack.enter_async_context(MqttClient(settings("coach")))
        outbox = await stack.enter_async_context(
            Outbox(OutboxSettings(tmp_path / "outbox.sqlite"), bridge, lambda code, _: alarms.append(code))
        )
        board = RetainedBoard(bridge)
        await bridge.connected(5)
        await reader.connected(5)
        await reader.subscribe(TOPICS.everything, qos=0)
        workers = [asyncio.create_task(outbox.run()), asyncio.create_task(board.run())]
        publisher = Publisher(TOPICS, "session-1", bridge, outbox, board)
        await publisher.publish([live(), fault(), calibration(), sensor()])
        received: dict[str, Message] = {}
        async with asyncio.timeout(10):
            async for message in reader.messages():
                received[message.topic] = message
                if len(received) == 4:
                    break
        for worker in workers:
            worker.cancel()
        await asyncio.wait(workers)
    for sent in (live(), fault(), calibration(), sensor()):
        arrived = received[TOPICS.topic(sent.channel, **sent.ids)]
        assert_kept(arrived.topic, arrived.payload, retained=arrived.retained)
        assert payloads.decode(sent.channel, arrived.payload).data == sent.data
    assert publisher.live_dropped == 0
    assert alarms == []
