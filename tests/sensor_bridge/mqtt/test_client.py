from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sensor_bridge.errors import BrokerRefused, BrokerUnavailable, ConfigError
from sensor_bridge.mqtt.broker import EmbeddedBroker, EmbeddedBrokerSettings
from sensor_bridge.mqtt.client import MqttClient
from sensor_bridge.mqtt.connection import Connection
from sensor_bridge.mqtt.settings import Message, MqttSettings, Protocol
from sensor_bridge.mqtt.topics import Topics
from sensor_bridge.mqtt.users import gym_users
from tests.certificates import Authority
from tests.gym_tokens import create_tokens

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.mosquitto_broker import Mosquitto
    from tests.sensor_bridge.mqtt.conftest import BrokerUnderTest

TOPICS = Topics("gym-1")


async def collect(client: MqttClient, count: int, timeout_s: float = 5.0) -> list[Message]:
    received: list[Message] = []
    async with asyncio.timeout(timeout_s):
        async for message in client.messages():
            received.append(message)
            if len(received) == count:
                return received
    raise AssertionError("messages() ended")


async def until(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - some conditions belong to another process
            await asyncio.sleep(0.01)


async def test_messages_arrive_in_order_at_both_qualities(any_broker: BrokerUnderTest) -> None:
    async with (
        MqttClient(any_broker.settings()) as bridge,
        MqttClient(any_broker.settings("coach")) as dashboard,
    ):
        await bridge.connected(5)
        await dashboard.connected(5)
        await dashboard.subscribe(TOPICS.live("a1"), qos=0)
        await dashboard.subscribe(TOPICS.repetition("a1"), qos=1)
        for n in range(20):
            await bridge.publish(TOPICS.repetition("a1"), b"event %d" % n)
        assert bridge.publish_live(TOPICS.live("a1"), b"live")
        received = await collect(dashboard, 21)
    assert received[:20] == [
        Message(TOPICS.repetition("a1"), b"event %d" % n, retained=False) for n in range(20)
    ]
    assert received[20].payload == b"live"
    assert bridge.counts.live_sent == 1


async def test_websocket_listeners_are_served(any_broker: BrokerUnderTest) -> None:
    page = any_broker.settings("coach", port=any_broker.websocket_port, transport="websockets")
    async with MqttClient(any_broker.settings()) as bridge, MqttClient(page) as dashboard:
        await bridge.connected(5)
        await dashboard.connected(5)
        await dashboard.subscribe(TOPICS.everything)
        await bridge.publish(TOPICS.live("a1"), b"x" * 20_000)
        (received,) = await collect(dashboard, 1)
    assert received.payload == b"x" * 20_000


async def test_a_wrong_password_is_refused_at_once(any_broker: BrokerUnderTest) -> None:
    async with MqttClient(any_broker.settings(password="guess")) as client:
        with pytest.raises(BrokerRefused, match="refused 'test-bridge'"):
            await client.connected(5)
        assert not client.is_connected


async def test_the_password_never_shows() -> None:
    assert "hunter2" not in repr(MqttSettings(client_id="c", username="u", password="hunter2"))


async def test_nobody_at_the_address_is_said_plainly() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        async with MqttClient(MqttSettings(client_id="c", port=port)) as client:
            with pytest.raises(BrokerUnavailable, match=f"no MQTT broker answers at 127.0.0.1:{port}"):
                await client.connected(0.5)
            with pytest.raises(BrokerUnavailable, match="not connected"):
                await client.publish("a", b"")


async def test_a_host_that_takes_connections_and_keeps_silent_is_no_broker() -> None:
    async def keep_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(keep_silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = MqttSettings(client_id="c", port=port, connect_timeout_s=0.2)
    async with server, MqttClient(settings) as client:
        with pytest.raises(BrokerUnavailable):
            await client.connected(1.0)


async def test_live_messages_are_dropped_and_counted_without_a_connection() -> None:
    async with MqttClient(MqttSettings(client_id="c", port=1)) as client:
        assert not client.publish_live("a", b"")
        assert not client.publish_live("a", b"")
    assert client.counts.live_dropped == 2
    assert client.counts.live_sent == 0


async def test_live_messages_are_dropped_while_the_socket_is_stuck(embedded: BrokerUnderTest) -> None:
    async with MqttClient(embedded.settings(unsent_limit=3)) as client:
        await client.connected(5)
        # No turn of the event loop in between: nothing can be reported as sent.
        sent = [client.publish_live(TOPICS.live("a1"), b"x") for _ in range(5)]
        assert sent == [True, True, True, False, False]
        await until(lambda: client.publish_live(TOPICS.live("a1"), b"x"))
    assert client.counts.live_dropped >= 2


async def test_a_slow_reader_loses_the_oldest_and_it_is_counted(embedded: BrokerUnderTest) -> None:
    async with MqttClient(embedded.settings(inbox_limit=3)) as client:
        await client.connected(5)
        await client.subscribe(TOPICS.everything)
        for n in range(5):
            await client.publish(TOPICS.repetition("a1"), b"%d" % n)
        await until(lambda: client.counts.received == 5)
        kept = await collect(client, 3)
    assert [message.payload for message in kept] == [b"2", b"3", b"4"]
    assert client.counts.inbox_dropped == 2


@pytest.mark.broker
async def test_version_5_tells_of_a_refused_publish(real: BrokerUnderTest) -> None:
    async with MqttClient(real.settings("coach")) as client:
        await client.connected(5)
        with pytest.raises(
            BrokerRefused, match=r"refused a message on hipline/v1/gym-1/athlete/a1/rep: Not auth"
        ):
            await client.publish(TOPICS.repetition("a1"), b"")
        await client.publish(TOPICS.command("bridge", "identify"), b"")
        assert client.is_connected


@pytest.mark.broker
async def test_auto_speaks_version_5_with_mosquitto(real: BrokerUnderTest) -> None:
    async with MqttClient(real.settings(protocol=Protocol.AUTO)) as client:
        await client.connected(5)
        assert client.protocol is Protocol.V5


async def test_auto_falls_back_where_version_5_meets_silence(embedded: BrokerUnderTest) -> None:
    async with MqttClient(embedded.settings(protocol=Protocol.AUTO, connect_timeout_s=0.5)) as client:
        await client.connected(5)
        assert client.protocol is Protocol.V311


@pytest.mark.parametrize(
    ("answers", "spoken"),
    [
        # Silence at first: a broker of 3.1.1. Silence later: one that is busy.
        (["silence", "yes"], [5, 4]),
        (["yes, then gone", "silence", "yes"], [5, 5, 5]),
        (["yes, then gone", "no", "yes"], [5, 5, 4]),
    ],
)
async def test_a_broker_that_spoke_version_5_is_not_left_for_3_1_1_over_a_silence(
    answers: list[str], spoken: list[int]
) -> None:
    heard: list[int] = []
    ends: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends.append(writer)
        connect = await reader.readuntil(b"MQTT")
        assert connect[0] == 0x10
        version = (await reader.readexactly(1))[0]
        answer = answers[len(heard)]
        heard.append(version)
        properties = b"\0" if version == 5 else b""
        code = b"\x84" if answer == "no" else b"\0"
        if answer != "silence":
            body = b"\0" + code + properties
            writer.write(bytes([0x20, len(body)]) + body)
            await writer.drain()
        if answer != "yes, then gone":
            await reader.read()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = MqttSettings(client_id="c", port=port, connect_timeout_s=2.0, longest_backoff_s=0.1)
    async with server, MqttClient(settings) as client:

        def hang_up() -> None:
            if answers[len(heard) - 1] == "yes, then gone":
                ends[-1].close()

        client.add_connection_listener(lambda is_connected: hang_up() if is_connected else None)
        await until(lambda: len(heard) == len(answers) and client.is_connected)
        assert heard == spoken
    for end in ends:
        end.close()
    for end in ends:
        with contextlib.suppress(OSError):
            await end.wait_closed()


@pytest.mark.broker
async def test_after_a_broker_restart_subscriptions_hold_and_listeners_know(
    mosquitto: Mosquitto, real: BrokerUnderTest
) -> None:
    told: list[bool] = []
    async with MqttClient(real.settings()) as client:
        client.add_connection_listener(told.append)
        await client.connected(5)
        await client.subscribe(TOPICS.repetition("a1"), qos=1)
        mosquitto.kill()
        await until(lambda: not client.is_connected)
        with pytest.raises(BrokerUnavailable):
            await client.publish(TOPICS.repetition("a1"), b"lost")
        mosquitto.start()
        await client.connected(10)
        await client.publish(TOPICS.repetition("a1"), b"again")
        (received,) = await collect(client, 1)
    assert received.payload == b"again"
    assert told == [True, False, True, False]
    assert client.counts.connections == 2


async def test_a_subscription_made_while_others_are_renewed_holds(
    embedded: BrokerUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once, renewing = Connection.subscribe, asyncio.Event()

    async def slowly(connection: Connection, topic_filter: str, qos: int) -> None:
        renewing.set()
        await asyncio.sleep(0.05)
        await at_once(connection, topic_filter, qos)

    monkeypatch.setattr(Connection, "subscribe", slowly)
    async with MqttClient(embedded.settings()) as client:
        await client.subscribe(TOPICS.live("a1"))
        await asyncio.wait_for(renewing.wait(), 5)
        await client.subscribe(TOPICS.repetition("a1"), qos=1)
        await client.connected(5)
        await client.publish(TOPICS.repetition("a1"), b"heard")
        (received,) = await collect(client, 1)
    assert received.payload == b"heard"


@pytest.mark.broker
async def test_a_publish_under_way_fails_when_the_broker_stops_answering(real: BrokerUnderTest) -> None:
    """A connection through a tap that is turned off: bytes vanish, the socket stays open."""
    flows = asyncio.Event()
    flows.set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(4096):
            await flows.wait()
            writer.write(data)
        writer.close()

    ends: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_broker, from_broker = await asyncio.open_connection("127.0.0.1", real.tcp_port)
        ends.extend((writer, from_broker))
        async with asyncio.TaskGroup() as group:
            group.create_task(pump(reader, from_broker))
            group.create_task(pump(to_broker, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, MqttClient(real.settings(port=port, acknowledge_timeout_s=0.3)) as client:
        await client.connected(5)
        flows.clear()
        with pytest.raises(BrokerUnavailable, match="does not acknowledge"):
            await client.publish(TOPICS.repetition("a1"), b"")
        await until(lambda: not client.is_connected)
        flows.set()
        await client.connected(10)
    for end in ends:  # or the garbage collector finds them, in some later test
        end.close()
    for end in ends:
        with contextlib.suppress(OSError):
            await end.wait_closed()


async def test_an_error_in_the_block_leaves_as_it_is(embedded: BrokerUnderTest) -> None:
    async def fail() -> None:
        async with MqttClient(embedded.settings()) as client:
            await client.connected(5)
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await fail()


async def test_leaving_is_quick_and_cancellation_passes_through(any_broker: BrokerUnderTest) -> None:
    is_in = asyncio.Event()

    async def stay() -> None:
        async with MqttClient(any_broker.settings()) as client:
            await client.connected(20)
            is_in.set()
            await asyncio.sleep(600)

    staying = asyncio.create_task(stay())
    await asyncio.wait_for(is_in.wait(), 30)
    started = time.monotonic()
    staying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await staying
    assert time.monotonic() - started < 5.0
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("mqtt[")]


def open_sockets() -> set[int]:
    return {o.fileno() for o in gc.get_objects() if issubclass(type(o), socket.socket)} - {-1}


@pytest.mark.parametrize("user", ["bridge", "stranger"])
async def test_no_socket_waits_for_the_garbage_collector(real: BrokerUnderTest, user: str) -> None:
    before = open_sockets()
    gc.disable()
    try:
        async with MqttClient(replace(real.settings(), username=user)) as client:
            with contextlib.suppress(BrokerRefused):
                await client.connected(5)
            assert client.is_connected == (user == "bridge")
        assert open_sockets() <= before
    finally:
        gc.enable()


async def test_a_second_client_of_the_same_name_takes_over() -> None:
    """The restarted bridge must get in while the broker still believes in the dead one."""
    tokens = create_tokens()
    async with EmbeddedBroker(EmbeddedBrokerSettings(gym_users(TOPICS, tokens))) as broker:
        settings = MqttSettings(
            client_id="bridge",
            port=broker.tcp_port,
            username="bridge",
            password=tokens["bridge"],
            protocol=Protocol.V311,
            longest_backoff_s=60.0,
        )
        async with MqttClient(settings) as first, MqttClient(settings) as second:
            await first.connected(5)
            await second.connected(5)
            await second.publish(TOPICS.repetition("a1"), b"")


@pytest.mark.broker
async def test_tls_trusts_the_given_certificates_and_no_others(
    tmp_path: Path, encrypted_mosquitto: Callable[[Path, Path], Mosquitto]
) -> None:
    authority = Authority(tmp_path)
    broker = encrypted_mosquitto(*authority.sign())
    broker.start()
    common = {
        "client_id": "bridge",
        "port": broker.tcp_port,
        "username": "bridge",
        "password": broker.passwords["bridge"],
        "tls": True,
    }
    try:
        async with MqttClient(MqttSettings(**common, ca_file=authority.certificate_file)) as client:
            await client.connected(5)
            await client.publish(TOPICS.repetition("a1"), b"secret")
        async with MqttClient(MqttSettings(**common)) as client:
            with pytest.raises(BrokerRefused, match="check tls and ca_file"):
                await client.connected(5)
    finally:
        broker.stop()


def test_a_missing_file_of_certificates_is_a_setting_to_mend(tmp_path: Path) -> None:
    missing = tmp_path / "nothing.pem"
    with pytest.raises(ConfigError, match=r"mqtt.ca_file .*nothing.pem cannot be used"):
        MqttClient(MqttSettings(client_id="c", tls=True, ca_file=missing))
