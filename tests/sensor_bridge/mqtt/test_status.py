from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import pytest

from sensor_bridge.mqtt.client import MqttClient
from sensor_bridge.mqtt.payloads import ServiceStatus, decode
from sensor_bridge.mqtt.retained import RetainedBoard
from sensor_bridge.mqtt.settings import Message
from sensor_bridge.mqtt.status import ServiceStatusPublisher
from sensor_bridge.mqtt.topics import Channel, Topics

if TYPE_CHECKING:
    from tests.mosquitto_broker import Mosquitto
    from tests.sensor_bridge.mqtt.conftest import BrokerUnderTest

TOPICS = Topics("gym-1")
STATUS = TOPICS.service_status("bridge")

SERVICE = """
import asyncio, sys
from sensor_bridge.mqtt.client import MqttClient
from sensor_bridge.mqtt.retained import RetainedBoard
from sensor_bridge.mqtt.settings import MqttSettings, Protocol
from sensor_bridge.mqtt.status import ServiceStatusPublisher

async def main(port, password, protocol):
    status = ServiceStatusPublisher("hipline/v1/gym-1/svc/bridge/status", version="0.1.0", session="s1")
    settings = MqttSettings(client_id="bridge", port=int(port), username="bridge", password=password,
                            protocol=Protocol(protocol), will=status.will)
    async with MqttClient(settings) as client:
        board = RetainedBoard(client)
        async with status.attach(board):
            await board.run()

asyncio.run(main(*sys.argv[1:]))
"""


async def next_status(client: MqttClient) -> tuple[ServiceStatus, bool]:
    async with asyncio.timeout(10):
        async for message in client.messages():
            if message.topic == STATUS and message.payload:
                return decode(Channel.SERVICE_STATUS, message.payload).data, message.retained
    raise AssertionError("messages() ended")


def make(now_ms: float = 1_700_000_000_000.0) -> ServiceStatusPublisher:
    return ServiceStatusPublisher(STATUS, version="0.1.0", session="s1", now_ms=lambda: now_ms)


async def test_a_killed_service_is_offline_by_its_last_will(any_broker: BrokerUnderTest) -> None:
    async with MqttClient(any_broker.settings("coach")) as page:
        await page.connected(5)
        await page.subscribe(STATUS, qos=1)
        service = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", SERVICE, str(any_broker.tcp_port)),
            *(any_broker.passwords["bridge"], any_broker.protocol.value),
        )
        assert await next_status(page) == (ServiceStatus(state="online", version="0.1.0"), False)
        service.kill()
        await service.wait()
        assert await next_status(page) == (ServiceStatus(state="offline", version="0.1.0"), False)
    async with MqttClient(any_broker.settings("coach", client_id="late")) as late:
        await late.connected(5)
        await late.subscribe(STATUS, qos=1)
        assert await next_status(late) == (ServiceStatus(state="offline", version="0.1.0"), True)


async def test_a_service_that_ends_says_so_itself(any_broker: BrokerUnderTest) -> None:
    status = make()
    async with MqttClient(any_broker.settings("coach")) as page:
        await page.connected(5)
        await page.subscribe(STATUS, qos=1)
        async with MqttClient(any_broker.settings(will=status.will)) as client:
            await client.connected(5)
            async with status.attach(RetainedBoard(client)):
                pass
        (last, _) = await next_status(page)
        assert last.state == "offline"


async def test_alarms_are_raised_changed_and_ended(any_broker: BrokerUnderTest) -> None:
    status = make()
    async with (
        MqttClient(any_broker.settings("coach")) as page,
        MqttClient(any_broker.settings()) as client,
    ):
        await page.connected(5)
        await page.subscribe(STATUS, qos=1)
        await client.connected(5)
        board = RetainedBoard(client)
        async with status.attach(board):
            await board.flush(5)
            assert (await next_status(page))[0].alarms == []
            for text, expected in (
                ("disk full", ["disk full"]),
                ("disk full since 9:00", ["disk full since 9:00"]),
                (None, []),
            ):
                status.set_alarm("outbox_full", text)
                await board.flush(5)
                (seen, _) = await next_status(page)
                assert seen.alarms == expected == status.alarms
        status.set_alarm("never_raised", None)
        assert status.alarms == []


async def test_the_same_alarm_again_is_no_news(embedded: BrokerUnderTest) -> None:
    status = make()
    async with MqttClient(embedded.settings()) as client:
        await client.connected(5)
        board = RetainedBoard(client)
        async with status.attach(board):
            status.set_alarm("x", "same")
            assert await board.flush(5)
            before = board._messages[STATUS]
            status.set_alarm("x", "same")
            assert board._messages[STATUS] is before


async def test_an_alarm_after_the_end_does_not_bring_the_service_back(embedded: BrokerUnderTest) -> None:
    status = make()
    async with MqttClient(embedded.settings()) as client:
        await client.connected(5)
        board = RetainedBoard(client)
        async with status.attach(board):
            status.set_alarm("x", "raised")
        status.set_alarm("outbox_full", "the disk is full")
        said = decode(Channel.SERVICE_STATUS, board._messages[STATUS]).data
        assert said.state == "offline"
        assert said.alarms == ["raised", "the disk is full"]


async def test_a_late_joiner_sees_the_newest_of_each_topic(any_broker: BrokerUnderTest) -> None:
    async with MqttClient(any_broker.settings()) as client:
        board = RetainedBoard(client)
        board.put(TOPICS.state("a1"), b"old")
        board.put(TOPICS.state("a1"), b"new")
        board.put(TOPICS.state("a2"), b"other")
        await client.connected(5)
        assert await board.flush(5)
        board.put(TOPICS.state("a2"), b"")
        assert await board.flush(5)
        async with MqttClient(any_broker.settings("coach")) as late:
            await late.connected(5)
            await late.subscribe(TOPICS.every(Channel.STATE), qos=1)
            await asyncio.sleep(0.2)
            assert late.counts.received == 1
            assert await anext(late.messages()) == Message(TOPICS.state("a1"), b"new", retained=True)


@pytest.mark.broker
async def test_what_changes_while_the_broker_is_away_is_there_after(
    mosquitto: Mosquitto, real: BrokerUnderTest
) -> None:
    async with MqttClient(real.settings()) as client:
        board = RetainedBoard(client)
        running = asyncio.create_task(board.run())
        await client.connected(5)
        board.put(TOPICS.state("a1"), b"one")
        mosquitto.kill()
        board.put(TOPICS.state("a1"), b"two")
        assert not await board.flush(0.1) or not client.is_connected
        # A broker that has forgotten all it retained.
        (mosquitto.folder / "mosquitto.db").unlink(missing_ok=True)
        board.put(TOPICS.state("a2"), b"three")
        mosquitto.start()
        async with MqttClient(real.settings("coach")) as late:
            await late.connected(5)
            await late.subscribe(TOPICS.every(Channel.STATE), qos=1)
            seen: dict[str, bytes] = {}
            async with asyncio.timeout(10):
                async for message in late.messages():
                    seen[message.topic] = message.payload
                    if seen == {TOPICS.state("a1"): b"two", TOPICS.state("a2"): b"three"}:
                        break
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


@pytest.mark.broker
async def test_a_refused_retained_message_does_not_hold_up_the_others(
    real: BrokerUnderTest, caplog: pytest.LogCaptureFixture
) -> None:
    async with MqttClient(real.settings()) as client:
        await client.connected(5)
        board = RetainedBoard(client)
        board.put("hipline/v1/gym-2/athlete/a1/state", b"not ours")
        board.put(TOPICS.state("a1"), b"ours")
        assert await board.flush(5)
    assert "refused a message on hipline/v1/gym-2/athlete/a1/state" in caplog.text
