"""What MQTT 5 says beside the payload, with a real mosquitto; over 3.1.1 the same messages go without."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from sensor_bridge.errors import BrokerRefused
from sensor_bridge.mqtt.client import MqttClient
from sensor_bridge.mqtt.message_properties import properties_of
from sensor_bridge.mqtt.outbox import Outbox, OutboxSettings
from sensor_bridge.mqtt.outbox_alarms import DEAD_ALARM
from sensor_bridge.mqtt.outbox_store import OutgoingEvent
from sensor_bridge.mqtt.schemas import schema
from sensor_bridge.mqtt.settings import MqttSettings, Protocol, Will
from sensor_bridge.mqtt.topics import DELIVERY, Channel, Topics
from tests.mosquitto_broker import Mosquitto, require_mosquitto
from tests.mqtt5_listener import Listener

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from tests.sensor_bridge.mqtt.conftest import BrokerUnderTest

TOPICS = Topics("gym-1")
EXAMPLE_IDS = {"service": "bridge", "name": "identify", "client": "coach-7", "sensor": "s1", "athlete": "a1"}


def topic_of(channel: Channel) -> str:
    roles = {role: text for role, text in EXAMPLE_IDS.items() if f"{{{role}}}" in channel.value}
    return TOPICS.topic(channel, **roles)


@pytest.fixture
async def listener(real: BrokerUnderTest) -> AsyncIterator[Listener]:
    listening = Listener(real.settings("coach"), TOPICS.everything)
    try:
        await listening.ready()
        yield listening
    finally:
        listening.close()


async def publish_each(client: MqttClient) -> None:
    await client.connected(10)
    for channel, how in DELIVERY.items():
        if how.qos == 0:
            assert client.publish_live(topic_of(channel), b"{}")
        else:
            await client.publish(topic_of(channel), b"{}", retain=how.retain)


@pytest.mark.broker
async def test_every_message_tells_its_type_its_schema_and_how_long_it_counts(
    real: BrokerUnderTest, listener: Listener
) -> None:
    async with MqttClient(real.settings()) as client:
        await publish_each(client)
        told = await listener.got(len(DELIVERY))
    for channel in Channel:
        said: Any = told[topic_of(channel)].properties
        assert said.ContentType == "application/json"
        assert said.PayloadFormatIndicator == 1
        assert said.UserProperty == [("schema", schema(channel)["$id"])]
        # What the broker hands over is what is left of it.
        left = getattr(said, "MessageExpiryInterval", None)
        expiry = DELIVERY[channel].expiry_s
        assert (left is None) if expiry is None else (left is not None and 0 <= left <= expiry)
    assert {channel: DELIVERY[channel].expiry_s for channel in Channel if DELIVERY[channel].expiry_s} == {
        Channel.LIVE: 2,
        Channel.COMMAND: 10,
        Channel.RESPONSE: 10,
    }


@pytest.mark.broker
async def test_over_3_1_1_the_same_messages_arrive_without(real: BrokerUnderTest, listener: Listener) -> None:
    async with MqttClient(real.settings(protocol=Protocol.V311)) as client:
        await publish_each(client)
        told = await listener.got(len(DELIVERY))
    assert set(told) == {topic_of(channel) for channel in Channel}
    assert all(message.properties.isEmpty() for message in told.values() if message.properties)


@pytest.mark.broker
async def test_the_last_will_tells_what_it_is(real: BrokerUnderTest, listener: Listener) -> None:
    status = TOPICS.service_status("bridge")
    async with MqttClient(real.settings(will=Will(status, b"{}"))) as client:
        await client.connected(10)
        assert client._connection is not None
        client._connection._hang_up()
        told: Any = (await listener.got(1))[status].properties
    assert told.ContentType == "application/json"
    assert told.UserProperty == [("schema", "urn:hipline:v1:service_status")]


@pytest.mark.broker
async def test_taking_back_what_is_retained_tells_no_type(real: BrokerUnderTest, listener: Listener) -> None:
    async with MqttClient(real.settings()) as client:
        await client.connected(10)
        await client.publish(TOPICS.calibration("a1"), b"", retain=True)
        told = await listener.got(1)
    said = told[TOPICS.calibration("a1")].properties
    assert said is None or said.isEmpty()


@pytest.mark.broker
async def test_a_question_and_its_answer_carry_the_same_correlation(
    real: BrokerUnderTest, listener: Listener
) -> None:
    command, answer = TOPICS.command("bridge", "identify"), TOPICS.response("bridge", "coach-7")
    async with MqttClient(real.settings()) as client:
        await client.connected(10)
        await client.subscribe(command, qos=1)
        listener.ask(command, b"{}", answer, b"\x00\xff17")
        asked = await asyncio.wait_for(anext(aiter(client.messages())), 10)
        assert (asked.response_topic, asked.correlation_data) == (answer, b"\x00\xff17")
        assert asked.response_topic is not None
        await client.publish(asked.response_topic, b"{}", correlation_data=asked.correlation_data)
        told: Any = (await listener.got(2))[answer].properties
    assert told.CorrelationData == b"\x00\xff17"
    assert told.ContentType == "application/json"


async def test_over_3_1_1_a_message_has_no_response_topic(embedded: BrokerUnderTest) -> None:
    async with MqttClient(embedded.settings()) as client:
        await client.connected(5)
        await client.subscribe(TOPICS.everything, qos=1)
        await client.publish(TOPICS.response("bridge", "c"), b"{}", correlation_data=b"17")
        heard = await asyncio.wait_for(anext(aiter(client.messages())), 5)
    assert (heard.response_topic, heard.correlation_data) == (None, None)


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[Mosquitto]:
    """A mosquitto that takes no packet over 1000 bytes."""
    require_mosquitto()
    folder = tmp_path / "narrow"
    folder.mkdir()
    broker = Mosquitto(folder, further=("max_packet_size 1000",))
    broker.start()
    yield broker
    broker.stop()


@pytest.mark.broker
async def test_what_is_too_large_for_the_broker_is_put_aside_and_the_rest_goes_on(
    narrow: Mosquitto, tmp_path: Path
) -> None:
    settings = MqttSettings(
        client_id="bridge", port=narrow.tcp_port, username="bridge", password=narrow.passwords["bridge"]
    )
    alarms: dict[str, str | None] = {}
    topic = TOPICS.repetition("a1")
    async with (
        MqttClient(settings) as client,
        Outbox(OutboxSettings(tmp_path / "outbox.sqlite"), client, alarms.__setitem__) as outbox,
    ):
        await client.connected(10)
        with pytest.raises(BrokerRefused, match=r"has 1\d\d\d bytes, the broker takes 1000: raise its limit"):
            await client.publish(topic, b"x" * 1000)
        assert not client.publish_live(TOPICS.live("a1"), b"x" * 1000)
        await outbox.put(
            OutgoingEvent("large", 0, topic, b"x" * 1000), OutgoingEvent("small", 0, topic, b"{}")
        )
        running = asyncio.create_task(outbox.run())
        await until(lambda: outbox.counts.delivered == 1)
        running.cancel()
        (letter,) = await outbox.dead_letters()
        assert client.counts.connections == 1
    assert letter.event.event_id == "large"
    assert "max_packet_size" in str(alarms[DEAD_ALARM])


@pytest.mark.broker
async def test_what_just_fits_is_taken(narrow: Mosquitto) -> None:
    settings = MqttSettings(
        client_id="bridge", port=narrow.tcp_port, username="bridge", password=narrow.passwords["bridge"]
    )
    topic = TOPICS.repetition("a1")
    async with MqttClient(settings) as client:
        await client.connected(10)
        for size in range(1000, 0, -1):
            try:
                await client.publish(topic, b"x" * size)
            except BrokerRefused:
                continue
            break
        assert size > 850
        assert client.counts.connections == 1


def test_a_topic_of_others_only_tells_that_it_is_json() -> None:
    told = properties_of("homeassistant/device/x/config")
    assert (told.content_type, told.expiry_s, told.user) == ("application/json", None, ())


async def until(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - some conditions belong to another process
            await asyncio.sleep(0.01)
