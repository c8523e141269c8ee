from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, cast

from sensor_bridge.errors import BrokerRefused
from sensor_bridge.mqtt.retained import REFUSED_ALARM, RetainedBoard

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from sensor_bridge.mqtt.client import MqttClient

TOPIC = "hipline/v1/gym-1/athlete/a1/state"


class Broker:
    """A connection to a broker that acknowledges nothing, then refuses everything."""

    is_connected = True

    def __init__(self) -> None:
        self.is_silent = True
        self.heard: list[bytes] = []

    def add_connection_listener(self, _listener: Callable[[bool], None]) -> None:
        return

    async def publish(self, _topic: str, payload: bytes, **_how: object) -> None:
        self.heard.append(payload)
        if self.is_silent:
            await asyncio.Event().wait()
        raise BrokerRefused(f"no {payload.decode()} here")


def board_at(broker: Broker) -> RetainedBoard:
    return RetainedBoard(cast("MqttClient", broker))


async def test_what_was_not_acknowledged_in_time_is_told_again() -> None:
    broker = Broker()
    board = board_at(broker)
    board.put(TOPIC, b"1")
    assert not await board.flush(0.05)
    assert not await board.flush(0.05)
    assert broker.heard == [b"1", b"1"]


class MoodyBroker(Broker):
    """Takes and refuses as it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: set[str] = set()

    async def publish(self, topic: str, payload: bytes, **_how: object) -> None:
        if topic in self.refused:
            raise BrokerRefused(f"no {topic} here")


async def test_while_a_topic_is_refused_it_is_an_alarm_and_waits() -> None:
    broker = MoodyBroker()
    alarms: list[tuple[str, str | None]] = []
    board = RetainedBoard(cast("MqttClient", broker), lambda code, text: alarms.append((code, text)))
    broker.refused = {"a", "b"}
    for topic in ("a", "b", "c"):
        board.put(topic, b"1")
        assert await board.flush(1)
    assert alarms[-1] == (REFUSED_ALARM, "no a here, and 1 more")
    assert [topic for topic in ("a", "b", "c") if board.is_waiting(topic)] == ["a", "b"]
    broker.refused.clear()
    for topic in ("a", "b"):
        board.put(topic, b"2")
        assert await board.flush(1)
    assert [text for _, text in alarms[-2:]] == ["no b here", None]
    assert not board.is_waiting("a")


async def test_a_refusal_is_said_once_a_topic(caplog: pytest.LogCaptureFixture) -> None:
    broker = Broker()
    broker.is_silent = False
    board = board_at(broker)
    with caplog.at_level(logging.INFO):
        for payload in (b"1", b"2", b"3"):
            board.put(TOPIC, payload)
            assert await board.flush(1)
    assert broker.heard == [b"1", b"2", b"3"]
    assert [record.getMessage() for record in caplog.records] == ["no 1 here"]
