from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import signal
import socket
import sys
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from sensor_bridge.commands.watch import PlainView, TableView, View, run, watch
from sensor_bridge.errors import BrokerRefused, BrokerUnavailable
from sensor_bridge.messages import Outgoing
from sensor_bridge.mqtt import payloads
from sensor_bridge.mqtt.broker import EmbeddedBroker, EmbeddedBrokerSettings
from sensor_bridge.mqtt.client import MqttClient
from sensor_bridge.mqtt.outbox import Outbox
from sensor_bridge.mqtt.outbox_settings import OutboxSettings
from sensor_bridge.mqtt.retained import RetainedBoard
from sensor_bridge.mqtt.settings import MqttSettings, Protocol
from sensor_bridge.mqtt.topics import Channel, Topics
from sensor_bridge.mqtt.users import gym_users
from sensor_bridge.publisher import Publisher
from tests.gym_tokens import create_tokens

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

TOPICS = Topics("gym-1")
START_MS = 1_800_000_000_000.0  # 2027-01-15 08:00
ATHLETE = {"athlete": "a1"}


def state() -> Outgoing:
    data = payloads.AthleteState(
        athlete="a1",
        name="Ada",
        session="session-1",
        exercise="romanian_deadlift",
        side="both",
        set=1,
        repetition=0,
        phase="eccentric",
        target=payloads.Target(repetitions=8, eccentric_s=5.0),
    )
    return Outgoing(Channel.STATE, ATHLETE, START_MS, data)


def live() -> Outgoing:
    data = payloads.Live(
        t_ms=START_MS + 2400,
        rate_hz=50.0,
        posture="standing",
        phase="eccentric",
        set=1,
        repetition=0,
        pelvic_tilt_deg=[35.0],
        eccentric_start_ms=START_MS,
    )
    return Outgoing(Channel.LIVE, ATHLETE, START_MS + 2400, data)


def repetition() -> Outgoing:
    data = payloads.Repetition(
        athlete="a1",
        set=1,
        repetition=1,
        revision=0,
        final=False,
        status="provisional",
        exercise="romanian_deadlift",
        side="both",
        eccentric_s=4.7,
        concentric_s=1.3,
        pelvic_tilt_range_deg=48.0,
        reasons=dict.fromkeys(payloads.MEASURES, "not worn"),
    )
    name = "01a3175b-2c00-7aaa-8bbb-cccccccccccc"
    return Outgoing(Channel.REPETITION, ATHLETE, START_MS + 7000, data, name)


def sensor(link: payloads.LinkPhase = "connected") -> Outgoing:
    data = payloads.SensorStatus(
        sensor="s1", athlete="a1", placement="pelvis", name="HL-1", link=link, battery_percent=87.0
    )
    return Outgoing(Channel.SENSOR_STATUS, {"sensor": "s1"}, START_MS, data)


def credentials(user: str, port: int, tokens: dict[str, str]) -> MqttSettings:
    return MqttSettings(
        client_id=f"{user}-1",
        port=port,
        username=user,
        password=tokens[user],
        protocol=Protocol.V311,
        longest_backoff_s=0.3,
    )


@dataclass
class Room:
    """A broker with a bridge that publishes what a test asks for, and the credentials of a reader."""

    publisher: Publisher
    reader: MqttSettings


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    tokens = create_tokens()
    async with contextlib.AsyncExitStack() as stack:
        broker = await stack.enter_async_context(
            EmbeddedBroker(EmbeddedBrokerSettings(gym_users(TOPICS, tokens)))
        )
        client = await stack.enter_async_context(MqttClient(credentials("bridge", broker.tcp_port, tokens)))
        outbox = await stack.enter_async_context(
            Outbox(OutboxSettings(tmp_path / "outbox.sqlite"), client, lambda _code, _text: None)
        )
        board = RetainedBoard(client)
        await client.connected(5)
        workers = [asyncio.create_task(outbox.run()), asyncio.create_task(board.run())]
        publisher = Publisher(TOPICS, "session-1", client, outbox, board)
        yield Room(publisher, credentials("coach", broker.tcp_port, tokens))
        for worker in workers:
            worker.cancel()
        await asyncio.wait(workers)


async def until(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - output is told by nobody
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def watching(settings: MqttSettings, view: View) -> AsyncIterator[asyncio.Task[None]]:
    with view:
        task = asyncio.create_task(watch(settings, "gym-1", view))
        try:
            yield task
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


class Ticking(PlainView):
    """Says when it is under way."""

    def __init__(self) -> None:
        super().__init__()
        self.ticked = asyncio.Event()

    def tick(self) -> None:
        self.ticked.set()


async def test_events_become_lines(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    await room.publisher.publish([state()])
    written: list[str] = []

    def lines() -> list[str]:
        written.extend(capsys.readouterr().out.splitlines())
        return written

    async with watching(room.reader, PlainView()):
        await until(lambda: len(lines()) == 1)
        await room.publisher.publish([live(), repetition(), sensor()])
        await until(lambda: len(lines()) == 3)
    assert lines()[0] == ("2027-01-15T08:00:00.000Z Ada: Romanian deadlift, set 1, repetition 0 of 8")
    assert set(written[1:]) == {
        "2027-01-15T08:00:07.000Z Ada: set 1, repetition 1 of 8: 4.7 s down, 1.3 s up, tilt 48°: good",
        "2027-01-15T08:00:00.000Z Ada: sensor on the pelvis: connected, battery 87 %",
    }


async def test_the_table_shows_what_the_bridge_publishes(room: Room) -> None:
    out = io.StringIO()
    view = TableView(Console(file=out, width=160, force_terminal=True, color_system=None), "gym-1")
    await room.publisher.publish([state(), sensor()])
    async with watching(room.reader, view):
        await until(lambda: "battery 87 %" in out.getvalue())
        await room.publisher.publish([live(), repetition()])
        await until(lambda: "✓ good" in out.getvalue() and "lowering 3 of 5" in out.getvalue())
    assert "tilt 35°" in out.getvalue()


async def test_a_broker_that_goes_and_comes_is_told(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    tokens = create_tokens()
    users = gym_users(TOPICS, tokens)
    written: list[str] = []

    def lines() -> list[str]:
        written.extend(capsys.readouterr().out.splitlines())
        return written

    async with contextlib.AsyncExitStack() as stack:
        async with EmbeddedBroker(EmbeddedBrokerSettings(users)) as broker:
            port = broker.tcp_port
            view = Ticking()
            await stack.enter_async_context(watching(credentials("coach", port, tokens), view))
            await asyncio.wait_for(view.ticked.wait(), 10)
        await until(lambda: lines() == ["the broker is gone, trying again"])
        async with EmbeddedBroker(EmbeddedBrokerSettings(users, tcp_port=port)):
            await until(lambda: len(lines()) == 2)
            await stack.aclose()
    assert lines() == ["the broker is gone, trying again", "the broker is back"]
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_leaving_is_not_told_as_a_loss(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    await room.publisher.publish([sensor()])
    written: list[str] = []

    def lines() -> list[str]:
        written.extend(capsys.readouterr().out.splitlines())
        return written

    async with watching(room.reader, PlainView()):
        await until(lambda: len(lines()) == 1)
    assert "gone" not in " ".join(lines())


async def test_after_a_restart_with_other_credentials_the_watch_ends() -> None:
    tokens = create_tokens()
    async with EmbeddedBroker(EmbeddedBrokerSettings(gym_users(TOPICS, tokens))) as broker:
        port = broker.tcp_port
        view = Ticking()
        task = asyncio.create_task(watch(credentials("coach", port, tokens), "gym-1", view))
        await asyncio.wait_for(view.ticked.wait(), 10)
    others = gym_users(TOPICS, create_tokens())
    async with EmbeddedBroker(EmbeddedBrokerSettings(others, tcp_port=port)):
        with pytest.raises(BrokerRefused, match=f"the broker at 127.0.0.1:{port} refused 'coach-1'"):
            await asyncio.wait_for(task, 20)


async def test_a_gym_that_may_not_be_read_is_refused_in_one_error(room: Room) -> None:
    with pytest.raises(BrokerRefused, match="refused the subscription to hipline/v1/gym-2/athlete"):
        await watch(room.reader, "gym-2", PlainView())


async def test_a_reader_that_has_gone_ends_the_watch_with_that(room: Room) -> None:
    class Closed(PlainView):
        def _write(self, line: str) -> None:
            raise BrokenPipeError(line)

    await room.publisher.publish([state()])
    with pytest.raises(BrokenPipeError):
        await asyncio.wait_for(watch(room.reader, "gym-1", Closed()), 10)


def test_nobody_at_the_address_is_one_error(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sensor_bridge.commands.watch._PATIENCE_S", 0.5)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        port = taken.getsockname()[1]
        with pytest.raises(BrokerUnavailable, match=f"no MQTT broker answers at 127.0.0.1:{port}"):
            run(MqttSettings(client_id="watch-1", port=port, connect_timeout_s=1.0), "gym-1", plain=True)
    assert capfd.readouterr() == ("", "")


SCRIPT = """
import sys
from sensor_bridge.commands.watch import run
from sensor_bridge.mqtt.settings import MqttSettings, Protocol
run(
    MqttSettings(
        client_id="watch-1",
        port=int(sys.argv[1]),
        username="coach",
        password=sys.argv[2],
        protocol=Protocol.V311,
    ),
    "gym-1",
)
"""


async def test_ctrl_c_ends_it_without_a_word(room: Room) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        SCRIPT,
        str(room.reader.port),
        room.reader.password or "",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    await room.publisher.publish([state()])
    line = await asyncio.wait_for(process.stdout.readline(), 60)
    assert line.decode() == "2027-01-15T08:00:00.000Z Ada: Romanian deadlift, set 1, repetition 0 of 8\n"
    process.send_signal(signal.SIGINT)
    rest, errors = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, rest, errors) == (0, b"", b"")


async def test_a_pipe_that_is_closed_ends_it_without_a_word(room: Room) -> None:
    process = await asyncio.create_subprocess_exec(
        "/bin/sh",
        "-c",
        '"$0" "$@" | head -n 1',
        sys.executable,
        "-c",
        SCRIPT,
        str(room.reader.port),
        room.reader.password or "",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    await room.publisher.publish([state()])
    assert (await asyncio.wait_for(process.stdout.readline(), 60)).startswith(b"2027-01-15T08:00:00.000Z Ada")

    async def go_on_talking() -> None:
        links: tuple[payloads.LinkPhase, ...] = ("connected", "lost")
        for link in cycle(links):
            await room.publisher.publish([sensor(link)])
            await asyncio.sleep(0.05)

    talking = asyncio.create_task(go_on_talking())
    _, errors = await asyncio.wait_for(process.communicate(), 30)
    talking.cancel()
    assert errors == b""
