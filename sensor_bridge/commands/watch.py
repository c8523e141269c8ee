"""``hipline watch``: what the broker says of a gym, as a live table or a line an event."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import time
from collections import deque
from typing import TYPE_CHECKING, Protocol

from rich.console import Console
from rich.live import Live

from sensor_bridge.commands.watch_table import gym_table
from sensor_bridge.commands.watched_gym import WATCHED, WatchedGym
from sensor_bridge.errors import BridgeError
from sensor_bridge.mqtt.client import MqttClient
from sensor_bridge.mqtt.topics import DELIVERY, Topics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor_bridge.mqtt.settings import Message, MqttSettings

_PATIENCE_S = 5.0
_TICK_S = 0.125
_LINES_BELOW = 4


def run(settings: MqttSettings, gym: str, *, plain: bool = False) -> None:
    """Show what happens in a gym until Ctrl-C.

    Parameters
    ----------
    settings
        The broker and the credentials of one who may read; the client id must be nobody else's.
    gym
        Name of the gym in topics.
    plain
        A line an event, without escape codes; always so where stdout is no terminal.

    Raises
    ------
    BrokerUnavailable
        Nobody answers at the broker's address.
    BrokerRefused
        The broker does not let us in, or does not let us read.
    """
    console = Console()
    is_plain = plain or not console.is_terminal or console.is_dumb_terminal
    view: View = PlainView() if is_plain else TableView(console, f"{gym} at {settings.address}")
    try:
        with view:
            asyncio.run(watch(settings, gym, view))
    except KeyboardInterrupt:
        return
    except BrokenPipeError:
        # Whoever read our lines has gone (head, less); the flush at exit must not try again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class View(Protocol):
    """Where messages are shown."""

    def __enter__(self) -> object:
        """Begin to show."""

    def __exit__(self, *exc_info: object) -> None:
        """Leave the terminal as it was."""

    def take(self, message: Message) -> None:
        """Take in a message."""

    def connection_changed(self, is_connected: bool) -> None:
        """Note that the broker came or went."""

    def tick(self) -> None:
        """Show how time goes by; called some times a second."""


class PlainView:
    """Writes a line an event to stdout."""

    def __init__(self) -> None:
        self._gym = WatchedGym()
        self._was_lost = False

    def __enter__(self) -> object:
        return self

    def __exit__(self, *exc_info: object) -> None:
        return

    def take(self, message: Message) -> None:
        """Write what a message tells."""
        for line in self._gym.take(message, time.monotonic()):
            self._write(line)

    def connection_changed(self, is_connected: bool) -> None:
        """Write when the broker goes, and when it is back."""
        if not is_connected:
            self._write("the broker is gone, trying again")
        elif self._was_lost:
            self._write("the broker is back")
        self._was_lost = not is_connected

    def tick(self) -> None:
        """Do nothing: lines are written when they come."""

    def _write(self, line: str) -> None:
        print(line, flush=True)  # noqa: T201 - this is what the command is for


class TableView:
    """Draws a table that stays in its place.

    Parameters
    ----------
    console
        The terminal.
    title
        Above the table.
    """

    def __init__(self, console: Console, title: str) -> None:
        self._gym = WatchedGym()
        self._title = title
        self._is_connected = True
        self._lines: deque[str] = deque(maxlen=_LINES_BELOW)
        # Drawn from the event loop alone: rich's own thread would read the gym while it changes.
        self._live = Live(console=console, auto_refresh=False)

    def __enter__(self) -> object:
        self._live.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._live.stop()

    def take(self, message: Message) -> None:
        """Note what a message tells; the next tick shows it."""
        self._lines += self._gym.take(message, time.monotonic())

    def connection_changed(self, is_connected: bool) -> None:
        """Say in the picture when the broker is gone."""
        self._is_connected = is_connected
        self.tick()

    def tick(self) -> None:
        """Draw."""
        picture = gym_table(
            self._gym,
            time.monotonic(),
            title=self._title,
            is_connected=self._is_connected,
            lines=self._lines,
        )
        self._live.update(picture, refresh=True)


async def watch(settings: MqttSettings, gym: str, view: View) -> None:
    """Show messages in `view`, for ever; see `run`."""
    topics = Topics(gym)
    is_over = False

    def note(is_connected: bool) -> None:
        if not is_over:
            view.connection_changed(is_connected)

    with _quiet_client(), _single_errors():
        async with MqttClient(settings) as client:
            await client.connected(_PATIENCE_S)
            client.add_connection_listener(note)
            try:
                for channel in WATCHED:
                    await client.subscribe(topics.every(channel), qos=DELIVERY[channel].qos)
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(_stay(client, view), name="watch connection")
                    tasks.create_task(_show(client, view), name="watch messages")
            finally:
                is_over = True  # the goodbye is ours


async def _show(client: MqttClient, view: View) -> None:
    async for message in client.messages():
        view.take(message)


async def _stay(client: MqttClient, view: View) -> None:
    """Keep drawing; end when the broker, come back, does not let us in any more."""
    while True:
        await client.connected()
        view.tick()
        await asyncio.sleep(_TICK_S)


@contextlib.contextmanager
def _single_errors() -> Iterator[None]:
    """Let an error leave the task groups as what it is."""
    try:
        yield
    except BaseExceptionGroup as group:
        expected, others = group.split((BridgeError, BrokenPipeError))
        if expected is None or others is not None:
            raise
        error: BaseException = expected
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from None


@contextlib.contextmanager
def _quiet_client() -> Iterator[None]:
    """Keep the client's log out of the picture: the view itself says how the connection is."""
    log = logging.getLogger("sensor_bridge.mqtt")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(level)
