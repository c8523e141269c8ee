"""What the embedded broker does about those who mean harm, and that others do not notice."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from sensor_bridge.access.doorkeeper import Doorkeeper, Limits
from sensor_bridge.mqtt import broker as broker_module
from sensor_bridge.mqtt import broker_streams
from sensor_bridge.mqtt.broker import EmbeddedBroker, EmbeddedBrokerSettings
from sensor_bridge.mqtt.broker_streams import LONGEST_PACKET
from sensor_bridge.mqtt.client import MqttClient
from sensor_bridge.mqtt.settings import Protocol
from sensor_bridge.mqtt.topics import Topics
from sensor_bridge.mqtt.users import gym_users
from tests.gym_tokens import create_tokens
from tests.sensor_bridge.access.test_doorkeeper import Clock
from tests.sensor_bridge.mqtt.conftest import BrokerUnderTest
from tests.sensor_bridge.mqtt.test_greeting import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TOPICS = Topics("gym-1")
LIVE = TOPICS.live("a1")
REFUSED = b"\x20\x02\x00\x05"


def packet(kind: int, body: bytes) -> bytes:
    length = len(body)
    digits = bytearray()
    while True:
        length, digit = divmod(length, 128)
        digits.append(digit | (128 if length else 0))
        if not length:
            return bytes([kind]) + bytes(digits) + body


@contextlib.asynccontextmanager
async def serving(
    *athletes: str, door: Doorkeeper | None = None
) -> AsyncIterator[tuple[BrokerUnderTest, Doorkeeper]]:
    tokens = create_tokens(*athletes)
    door = door or Doorkeeper()
    users = gym_users(TOPICS, tokens, {athlete: [] for athlete in athletes})
    async with EmbeddedBroker(EmbeddedBrokerSettings(users), door) as broker:
        yield BrokerUnderTest(broker.tcp_port, broker.websocket_port, tokens, Protocol.V311), door


async def send(port: int, data: bytes, *, timeout_s: float = 60.0) -> bytes:
    """Connect, send, return what comes until the broker hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(timeout_s):
            writer.write(data)
            with contextlib.suppress(ConnectionError):
                return await reader.read()
            return b""
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


class Audience:
    """Live data that flow from the bridge to the coach meanwhile; none may be missing."""

    def __init__(self, bridge: MqttClient, coach: MqttClient) -> None:
        self._bridge, self._coach = bridge, coach
        self._sent = 0
        self._heard: list[int] = []

    async def play(self) -> None:
        while True:
            await self._bridge.publish(LIVE, str(self._sent).encode())
            self._sent += 1
            await asyncio.sleep(0.02)

    async def listen(self) -> None:
        async for message in self._coach.messages():
            self._heard.append(int(message.payload))

    async def has_missed_nothing(self) -> None:
        sent = self._sent
        async with asyncio.timeout(60):
            while len(self._heard) < sent:  # noqa: ASYNC110 - the listener tells nobody
                await asyncio.sleep(0.02)
        assert self._heard[:sent] == list(range(sent))
        assert sent > 0


@contextlib.asynccontextmanager
async def audience(broker: BrokerUnderTest) -> AsyncIterator[Audience]:
    async with MqttClient(broker.settings()) as bridge, MqttClient(broker.settings("coach")) as coach:
        await bridge.connected(30)
        await coach.connected(30)
        await coach.subscribe(LIVE)
        watching = Audience(bridge, coach)
        tasks = [asyncio.create_task(watching.play()), asyncio.create_task(watching.listen())]
        try:
            yield watching
            await watching.has_missed_nothing()
            assert not any(task.done() for task in tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def settled(door: Doorkeeper, connections: int) -> None:
    async with asyncio.timeout(60):
        while door.open_connections > connections:  # noqa: ASYNC110 - told by nobody
            await asyncio.sleep(0.02)


@pytest.fixture
def brief_greetings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let those go soon who never finish their greeting."""
    monkeypatch.setattr(broker_module, "_GREETING_S", 1.0)


async def test_without_a_token_nobody_gets_in() -> None:
    async with serving() as (broker, _):
        for username, password in ((None, None), ("coach", None), ("coach", ""), ("", "")):
            assert await send(broker.tcp_port, packet(0x10, connect("x", username, password))) == REFUSED


async def test_a_thousand_wrong_tokens_slow_nobody_but_the_guesser() -> None:
    """Delivery is what counts: each live message of the bridge reaches the coach."""
    async with serving() as (broker, door), audience(broker):
        answered = 0
        guesses = iter(range(1000))
        began_s = time.monotonic()

        async def guess() -> None:
            nonlocal answered
            for number in guesses:
                answer = await send(broker.tcp_port, packet(0x10, connect("x", "coach", f"guess {number}")))
                answered += answer == REFUSED
                assert answer in {REFUSED, b""}

        await asyncio.gather(*(guess() for _ in range(40)))
        # 20 at once and one a second, and ten a second that waited for it.
        assert 20 <= answered <= 30 + 11 * (time.monotonic() - began_s)
        # From the same address, the right token still opens.
        async with MqttClient(broker.settings("coach", client_id="late")) as late:
            await late.connected(30)
        await settled(door, 2)


async def test_who_connects_too_fast_is_closed_unread() -> None:
    clock = Clock()
    slow = Doorkeeper(Limits(connects_at_once=20, connects_per_s=1.0), clock)
    async with serving(door=slow) as (broker, door), MqttClient(broker.settings()) as bridge:
        await bridge.connected(30)
        answers = await asyncio.gather(*(send(broker.tcp_port, b"\x00") for _ in range(60)))
        assert set(answers) == {b""}
        assert door.turned_away == 60 - 19
        await bridge.publish(LIVE, b"still here")
        clock.now_s += 5.0
        async with MqttClient(broker.settings("coach")) as coach:
            await coach.connected(30)


def malformed(random_: random.Random) -> list[bytes]:
    whole = packet(0x10, connect("page", "coach", "guessed", "will"))
    return [
        b"",
        b"\x10",
        whole[: random_.randrange(1, len(whole))],
        b"\x10\xff\xff\xff\xff\xff",
        b"\x10\xff\xff\x7f" + b"x" * 100,
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00" + random_.randbytes(200),
        random_.randbytes(64),
        packet(0x10, b"\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x04page"),
        packet(0x10, connect("page", "coach", "guessed") + b"more"),
        packet(0x82, b"\x00\x01\x00\x01#\x00"),
        packet(0x30, b"\x00\x01t" + b"x" * 1000),
    ]


@pytest.mark.usefixtures("brief_greetings")
async def test_three_hundred_malformed_connections_keep_nobody_waiting_and_leave_nothing_open() -> None:
    async with serving() as (broker, door), audience(broker):
        before = open_files()
        random_ = random.Random(5)
        attacks = [malformed(random_)[number % 12] for number in range(300)]
        ports = (broker.tcp_port, broker.websocket_port)
        writers = []
        for number, data in enumerate(attacks):  # left open: the broker has to close them
            _, writer = await asyncio.open_connection("127.0.0.1", ports[number % 4 == 0])
            writer.write(data)
            writers.append(writer)
        waits_s = []
        for number in range(3):
            began = time.monotonic()
            async with MqttClient(broker.settings("coach", client_id=f"new-{number}")) as new:
                await new.connected(30)
                waits_s.append(time.monotonic() - began)
        assert min(waits_s) < 1.0
        print(f"a new client was served in {[round(wait, 3) for wait in waits_s]} s")
        await settled(door, 2)
        for writer in writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)
        async with asyncio.timeout(60):
            while open_files() > before:  # noqa: ASYNC110 - told by nobody
                await asyncio.sleep(0.02)


@pytest.mark.usefixtures("brief_greetings")
async def test_those_who_never_say_who_they_are_make_room_for_others() -> None:
    async with serving() as (broker, door), audience(broker):
        silent = [await asyncio.open_connection("127.0.0.1", broker.tcp_port) for _ in range(200)]
        async with MqttClient(broker.settings("coach", client_id="new")) as new:
            await new.connected(30)
        await settled(door, 2)
        for _, writer in silent:
            writer.close()


@pytest.mark.parametrize("size", [LONGEST_PACKET + 1, 1_000_000])
async def test_a_payload_that_is_far_too_long_ends_only_its_own_connection(size: int) -> None:
    async with serving() as (broker, _), audience(broker):
        greeting = packet(0x10, connect("big", "bridge", broker.passwords["bridge"]))
        topic = TOPICS.state("a1").encode()
        body = len(topic).to_bytes(2, "big") + topic + b"x" * size
        answer = await send(broker.tcp_port, greeting + packet(0x31, body))
        assert answer == b"\x20\x02\x00\x00"
        async with MqttClient(broker.settings("coach", client_id="late")) as late:
            await late.connected(30)
            await late.subscribe(TOPICS.state("a1"))
            await late.subscribe(LIVE)
            assert (await anext(late.messages())).topic == LIVE


async def test_a_payload_of_the_longest_allowed_arrives() -> None:
    async with (
        serving() as (broker, _),
        MqttClient(broker.settings()) as bridge,
        MqttClient(broker.settings("coach")) as coach,
    ):
        await bridge.connected(30)
        await coach.connected(30)
        await coach.subscribe(TOPICS.state("a1"), qos=1)
        payload = b"x" * (LONGEST_PACKET - 200)
        await bridge.publish(TOPICS.state("a1"), payload)
        assert (await anext(coach.messages())).payload == payload


async def test_a_stranger_cannot_end_or_take_over_a_session() -> None:
    """In amqtt a known client id ends that client's session before the password is looked at."""
    async with serving("anna") as (broker, _), audience(broker):
        for client_id in ("test-bridge", "test-coach", "bridge/test-bridge"):
            for password in ("guessed", broker.passwords["athlete-anna"]):
                for flags in (0xC2, 0xC0):
                    body = bytearray(connect(client_id, "athlete-anna", password))
                    body[7] = flags
                    reader, writer = await asyncio.open_connection("127.0.0.1", broker.tcp_port)
                    writer.write(packet(0x10, bytes(body)))
                    assert (await reader.readexactly(4))[3] in {0, 5}
                    writer.close()


async def test_a_client_that_falls_silent_is_let_go() -> None:
    async with serving() as (broker, door):
        body = bytearray(connect("quiet", "coach", broker.passwords["coach"]))
        body[8:10] = (1).to_bytes(2, "big")  # keep alive 1 s
        assert await send(broker.tcp_port, packet(0x10, bytes(body))) == b"\x20\x02\x00\x00"
        await settled(door, 0)


async def test_a_reader_that_takes_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it should get would pile up in the memory of the bridge."""
    monkeypatch.setattr(broker_streams, "_LONGEST_STALL_S", 0.5)
    async with serving() as (broker, door), audience(broker):
        greeting = packet(0x10, connect("stuck", "coach", broker.passwords["coach"]))
        wanted = TOPICS.state("a1").encode()
        subscription = b"\x00\x01" + len(wanted).to_bytes(2, "big") + wanted + b"\x00"
        stuck = socket.create_connection(("127.0.0.1", broker.tcp_port))
        stuck.sendall(greeting + packet(0x82, subscription))
        async with MqttClient(broker.settings(client_id="sender")) as sender:
            await sender.connected(30)
            async with asyncio.timeout(60):
                while door.open_connections < 4:  # noqa: ASYNC110 - told by nobody
                    await asyncio.sleep(0.02)
            async with asyncio.timeout(60):
                while door.open_connections == 4:
                    await sender.publish(TOPICS.state("a1"), b"x" * 200_000)
        await settled(door, 2)
        stuck.close()


@pytest.mark.parametrize(
    "data",
    [
        packet(0x82, b"\x00\x01\xff\xff#\x00"),
        packet(0x30, b"\xff\xfftopic"),
        packet(0x32, b"\x00\x01t"),
        packet(0xF0, b""),
        b"\x30\xff\xff\xff\xff\x7f",
        packet(0x10, connect("again", "coach", "x")),
    ],
    ids=["subscription", "topic", "no-packet-id", "reserved", "endless-length", "second-greeting"],
)
async def test_packets_that_lie_about_themselves_end_their_connection(data: bytes) -> None:
    async with serving() as (broker, door):
        reader, writer = await asyncio.open_connection("127.0.0.1", broker.tcp_port)
        writer.write(packet(0x10, connect("liar", "coach", broker.passwords["coach"])) + data)
        assert await reader.readexactly(4) == b"\x20\x02\x00\x00"
        writer.write_eof()
        async with asyncio.timeout(60):
            with contextlib.suppress(ConnectionError):
                await reader.read()
        writer.close()
        await settled(door, 0)
        async with MqttClient(broker.settings()) as bridge:
            await bridge.connected(30)


async def speak(port: int, **options: Any) -> bytes:
    async with open_websocket(
        f"ws://127.0.0.1:{port}/mqtt", subprotocols=[Subprotocol("mqtt")], **options
    ) as socket:
        await socket.send(packet(0x10, connect("page", "coach", "guessed")))
        answer = await socket.recv()
        assert isinstance(answer, bytes)
        return answer


async def test_pages_from_elsewhere_open_no_socket() -> None:
    async with serving() as (broker, _):
        for origin in (None, "http://127.0.0.1:8321", "http://localhost:8321"):
            assert await speak(broker.websocket_port, origin=origin and Origin(origin)) == REFUSED
        for origin in ("http://evil.example", "null", "http://127.0.0.1.evil.example"):
            with pytest.raises(InvalidStatus, match="403"):
                await speak(broker.websocket_port, origin=Origin(origin))


async def test_a_name_that_points_here_from_elsewhere_opens_no_socket() -> None:
    async with serving() as (broker, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", broker.websocket_port)
        writer.write(
            b"GET /mqtt HTTP/1.1\r\nHost: evil.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        assert (await reader.readline()).startswith(b"HTTP/1.1 403")
        writer.close()


async def test_text_and_oversized_frames_end_the_socket() -> None:
    async with serving() as (broker, door):
        for message in ("text", b"x" * (LONGEST_PACKET * 2)):
            url = f"ws://127.0.0.1:{broker.websocket_port}"
            async with open_websocket(url, subprotocols=[Subprotocol("mqtt")], max_size=None) as socket:
                with contextlib.suppress(ConnectionClosed):
                    await socket.send(message)
                with pytest.raises(ConnectionClosed):
                    await socket.recv()
        await settled(door, 0)
