from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from sensor_bridge.errors import BrokerRefused, BrokerUnavailable, ConfigError
from sensor_bridge.mqtt.broker import (
    BrokerUser,
    EmbeddedBroker,
    EmbeddedBrokerSettings,
    create_tokens,
    gym_users,
)
from sensor_bridge.mqtt.client import MqttClient
from sensor_bridge.mqtt.settings import MqttSettings, Protocol, Will
from sensor_bridge.mqtt.topics import Topics

if TYPE_CHECKING:
    from tests.sensor_bridge.mqtt.conftest import BrokerUnderTest

TOPICS = Topics("gym-1")
TOKENS = {"bridge": "b" * 43, "dashboard": "d" * 43}


async def heard(client: MqttClient, within_s: float) -> list[str]:
    await asyncio.sleep(within_s)
    return [(await anext(client.messages())).topic for _ in range(client.counts.received)]


@pytest.mark.parametrize(
    "topic_filter", ["#", "hipline/#", "hipline/v1/+/athlete/a1/live", "hipline/v1/gym-2/#"]
)
@pytest.mark.parametrize("user", ["bridge", "dashboard"])
async def test_subscriptions_beyond_the_gym_are_refused(
    embedded: BrokerUnderTest, user: str, topic_filter: str
) -> None:
    async with MqttClient(embedded.settings(user)) as client:
        await client.connected(5)
        with pytest.raises(BrokerRefused, match="refused the subscription to"):
            await client.subscribe(topic_filter)
        await client.subscribe(TOPICS.everything)


async def test_the_dashboard_may_only_read(embedded: BrokerUnderTest) -> None:
    async with (
        MqttClient(embedded.settings()) as bridge,
        MqttClient(embedded.settings("dashboard")) as dashboard,
    ):
        await bridge.connected(5)
        await dashboard.connected(5)
        await bridge.subscribe(TOPICS.everything, qos=1)
        # MQTT 3.1.1 acknowledges what it throws away.
        await dashboard.publish(TOPICS.repetition("a1"), b"forged")
        await dashboard.publish(TOPICS.state("a1"), b"forged", retain=True)
        await dashboard.publish("hipline/v1/gym-2/svc/bridge/cmd/identify", b"")
        await dashboard.publish(TOPICS.command("bridge", "identify"), b"forged")
        await bridge.publish(TOPICS.repetition("a1"), b"wanted")
        assert await heard(bridge, 0.3) == [TOPICS.repetition("a1")]


async def test_a_last_will_cannot_go_where_its_owner_may_not_publish(embedded: BrokerUnderTest) -> None:
    forged = embedded.settings("dashboard", will=Will(TOPICS.repetition("a1"), b"forged"))
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
            username="dashboard",
            password=TOKENS["dashboard"],
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


def test_tokens_are_long_and_random() -> None:
    tokens = create_tokens()
    assert set(tokens) == {"bridge", "dashboard"}
    assert min(map(len, tokens.values())) >= 43
    assert not set(tokens.values()) & set(create_tokens().values())


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
