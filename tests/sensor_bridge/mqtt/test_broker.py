from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import subprocess
import sys

import pytest

from sensor_bridge.errors import BrokerRefused, BrokerUnavailable, ConfigError
from sensor_bridge.mqtt.broker import EmbeddedBroker, EmbeddedBrokerSettings
from sensor_bridge.mqtt.client import MqttClient
from sensor_bridge.mqtt.settings import MqttSettings, Protocol, Will
from sensor_bridge.mqtt.topics import Channel, Topics
from sensor_bridge.mqtt.users import BrokerUser, gym_users
from tests.gym_tokens import create_tokens
from tests.sensor_bridge.mqtt.conftest import BrokerUnderTest

TOPICS = Topics("gym-1")
TOKENS = {"bridge": "b" * 43, "coach": "d" * 43}


async def heard(client: MqttClient, within_s: float) -> list[str]:
    await asyncio.sleep(within_s)
    return [(await anext(client.messages())).topic for _ in range(client.counts.received)]


@pytest.mark.parametrize(
    "topic_filter", ["#", "hipline/#", "hipline/v1/+/athlete/a1/live", "hipline/v1/gym-2/#"]
)
@pytest.mark.parametrize("user", ["bridge", "coach"])
async def test_subscriptions_beyond_the_gym_are_refused(
    embedded: BrokerUnderTest, user: str, topic_filter: str
) -> None:
    async with MqttClient(embedded.settings(user)) as client:
        await client.connected(5)
        with pytest.raises(BrokerRefused, match="refused the subscription to"):
            await client.subscribe(topic_filter)
        await client.subscribe(TOPICS.everything)


async def test_the_coach_may_command_the_bridge_and_write_nothing_else(embedded: BrokerUnderTest) -> None:
    async with (
        MqttClient(embedded.settings()) as bridge,
        MqttClient(embedded.settings("coach")) as coach,
    ):
        await bridge.connected(5)
        await coach.connected(5)
        await bridge.subscribe(TOPICS.everything, qos=1)
        # MQTT 3.1.1 acknowledges what it throws away.
        await coach.publish(TOPICS.repetition("a1"), b"forged")
        await coach.publish(TOPICS.state("a1"), b"forged", retain=True)
        await coach.publish(TOPICS.response("bridge", "coach-1"), b"forged")
        await coach.publish(TOPICS.command("elsewhere", "identify"), b"not for the bridge")
        await coach.publish("hipline/v1/gym-2/svc/bridge/cmd/identify", b"")
        await coach.publish(TOPICS.command("bridge", "identify"), b"wanted")
        await bridge.publish(TOPICS.repetition("a1"), b"wanted")
        wanted = {TOPICS.command("bridge", "identify"), TOPICS.repetition("a1")}
        assert set(await heard(bridge, 0.3)) == wanted


async def test_an_athlete_reads_own_topics_and_sensors_and_writes_nothing() -> None:
    tokens = create_tokens("a1", "a2")
    users = gym_users(TOPICS, tokens, {"a1": ["clip-1"], "a2": ["clip-2"]})
    async with EmbeddedBroker(EmbeddedBrokerSettings(users)) as broker:
        at_broker = BrokerUnderTest(broker.tcp_port, broker.websocket_port, tokens, Protocol.V311)
        async with (
            MqttClient(at_broker.settings()) as bridge,
            MqttClient(at_broker.settings("athlete-a1")) as athlete,
        ):
            await bridge.connected(5)
            await athlete.connected(5)
            await athlete.subscribe(f"{TOPICS.root}/athlete/a1/#")
            await athlete.subscribe(TOPICS.service_status("bridge"))
            await athlete.subscribe(TOPICS.sensor_status("clip-1"))
            others = (
                *(TOPICS.live("a2"), TOPICS.every(Channel.LIVE), TOPICS.everything, "#", "+/+/+/+/a2/live"),
                *(TOPICS.sensor_status("clip-2"), TOPICS.every(Channel.SENSOR_STATUS)),
                *(TOPICS.every(Channel.COMMAND), TOPICS.every(Channel.RESPONSE)),
            )
            for topic_filter in others:
                with pytest.raises(BrokerRefused):
                    await athlete.subscribe(topic_filter)
            await bridge.subscribe(TOPICS.everything)
            await athlete.publish(TOPICS.command("bridge", "start-set"), b"forged")
            await athlete.publish(TOPICS.repetition("a1"), b"forged")
            await bridge.publish(TOPICS.live("a2"), b"not for a1")
            await bridge.publish(TOPICS.live("a1"), b"for a1")
            assert await heard(athlete, 0.3) == [TOPICS.live("a1")]
            assert await heard(bridge, 0.0) == [TOPICS.live("a2"), TOPICS.live("a1")]


async def test_who_connects_is_not_told_what_others_subscribed_to() -> None:
    tokens = create_tokens("a1", "a2")
    async with EmbeddedBroker(
        EmbeddedBrokerSettings(gym_users(TOPICS, tokens, {"a1": [], "a2": []}))
    ) as broker:
        at_broker = BrokerUnderTest(broker.tcp_port, broker.websocket_port, tokens, Protocol.V311)
        async with (
            MqttClient(at_broker.settings()) as bridge,
            MqttClient(at_broker.settings("coach")) as coach,
        ):
            for client in (bridge, coach):
                await client.connected(5)
            await coach.subscribe(TOPICS.every(Channel.STATE))
            for athlete in ("a1", "a2"):
                await bridge.publish(TOPICS.state(athlete), b"kept", retain=True)
            async with MqttClient(at_broker.settings("athlete-a1")) as athlete_client:
                await athlete_client.connected(5)
                assert await heard(athlete_client, 0.3) == []
                await athlete_client.subscribe(TOPICS.state("a1"))
                assert await heard(athlete_client, 0.3) == [TOPICS.state("a1")]


async def test_a_last_will_cannot_go_where_its_owner_may_not_publish(embedded: BrokerUnderTest) -> None:
    forged = embedded.settings("coach", will=Will(TOPICS.repetition("a1"), b"forged"))
    async with MqttClient(forged) as client:
        with pytest.raises(BrokerRefused):
            await client.connected(5)


@pytest.mark.parametrize("user", ["bridge", "nobody", None])
async def test_strangers_are_refused(embedded: BrokerUnderTest, user: str | None) -> None:
    settings = MqttSettings(
        client_id="stranger", port=embedded.tcp_port, username=user, protocol=Protocol.V311
    )
    async with MqttClient(settings) as client:
        with pytest.raises(BrokerRefused):
            await client.connected(5)


async def test_a_user_granted_one_level_cannot_read_the_levels_below() -> None:
    """The mistake of amqtt's own access plugin."""
    reader = BrokerUser("reader", "t" * 43, read=("hipline/v1/gym-1/+",))
    async with EmbeddedBroker(EmbeddedBrokerSettings((reader,))) as broker:
        settings = MqttSettings(
            client_id="r", port=broker.tcp_port, username="reader", password="t" * 43, protocol=Protocol.V311
        )
        async with MqttClient(settings) as client:
            await client.connected(5)
            with pytest.raises(BrokerRefused):
                await client.subscribe("hipline/v1/gym-1/#")
            await client.subscribe("hipline/v1/gym-1/+")


async def test_it_listens_on_this_machine_only_and_the_ports_are_free_again_after() -> None:
    async with EmbeddedBroker(EmbeddedBrokerSettings(gym_users(TOPICS, TOKENS))) as broker:
        ports = (broker.tcp_port, broker.websocket_port)
        for port in ports:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            await writer.wait_closed()
            # All of 127/8 is this machine; a listener on every address would answer here too.
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.2", port)
    async with EmbeddedBroker(EmbeddedBrokerSettings(gym_users(TOPICS, TOKENS), *ports)) as again:
        assert (again.tcp_port, again.websocket_port) == ports


@pytest.mark.parametrize("key", ["tcp_port", "websocket_port"])
async def test_a_taken_port_is_a_setting_to_mend(key: str, caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = EmbeddedBrokerSettings(gym_users(TOPICS, TOKENS), **{key: port})
        broker = EmbeddedBroker(settings)
        with pytest.raises(ConfigError, match=rf"mqtt\.{key}: port {port} of 127.0.0.1 cannot be used"):
            await broker.__aenter__()
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_connections_of_the_page_do_not_hold_up_the_end() -> None:
    async with contextlib.AsyncExitStack() as stack:
        broker = await stack.enter_async_context(
            EmbeddedBroker(EmbeddedBrokerSettings(gym_users(TOPICS, TOKENS)))
        )
        settings = MqttSettings(
            client_id="page",
            port=broker.websocket_port,
            transport="websockets",
            username="coach",
            password=TOKENS["coach"],
            protocol=Protocol.V311,
        )
        async with MqttClient(settings) as page:
            await page.connected(5)
            async with asyncio.timeout(20):
                await stack.aclose()
            with pytest.raises(BrokerUnavailable):
                await page.publish("x", b"")


async def test_malformed_greetings_do_not_end_the_service(embedded: BrokerUnderTest) -> None:
    for garbage in (b"", b"\x10", b"GET / HTTP/1.1\r\n\r\n", b"\x10\xff\xff\xff\xff", b"\xff" * 64):
        _, writer = await asyncio.open_connection("127.0.0.1", embedded.tcp_port)
        writer.write(garbage)
        writer.close()
        await writer.wait_closed()
    async with MqttClient(embedded.settings()) as client:
        await client.connected(5)
        await client.publish(TOPICS.repetition("a1"), b"")


def test_tokens_never_show_in_a_repr() -> None:
    assert "b" * 43 not in repr(gym_users(TOPICS, TOKENS))


def test_importing_and_running_it_warns_of_nothing() -> None:
    program = """
import asyncio
from sensor_bridge.mqtt.broker import EmbeddedBroker, EmbeddedBrokerSettings

async def main() -> None:
    async with EmbeddedBroker(EmbeddedBrokerSettings(())) as broker:
        print(broker.tcp_port > 0)

asyncio.run(main())
"""
    outcome = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (outcome.stdout, outcome.stderr) == ("True\n", "")


async def test_no_event_is_lost_while_others_come_and_go(embedded: BrokerUnderTest) -> None:
    wanted = [f"{index}".encode() for index in range(200)]
    async with contextlib.AsyncExitStack() as stack:
        bridge = await stack.enter_async_context(MqttClient(embedded.settings()))
        await bridge.connected(5)
        coaches = []
        filters = (f"{TOPICS.root}/athlete/#", TOPICS.every(Channel.REPETITION), TOPICS.repetition("a1"))
        for index, topic_filter in enumerate(filters):
            settings = embedded.settings("coach", client_id=f"coach-{index}")
            coaches.append(await stack.enter_async_context(MqttClient(settings)))
            await coaches[-1].connected(5)
            await coaches[-1].subscribe(topic_filter, qos=1)
        passing = await stack.enter_async_context(MqttClient(embedded.settings("coach", client_id="passing")))
        await passing.connected(5)

        async def subscribe_to_many() -> None:
            for index in range(200):
                await passing.subscribe(TOPICS.repetition(f"p{index}"))

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(subscribe_to_many())
            for payload in wanted:
                await bridge.publish(TOPICS.repetition("a1"), payload)
        async with asyncio.timeout(20):
            for coach in coaches:
                messages = coach.messages()
                assert [(await anext(messages)).payload for _ in wanted] == wanted
