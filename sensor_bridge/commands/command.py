"""``hipline command``: one command to a running bridge, and what it answers."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import msgspec
from rich.console import Console

from sensor_bridge.commands.watched_broker import find_broker
from sensor_bridge.errors import BridgeError, BrokerUnavailable, UserInputError
from sensor_bridge.mqtt.client import MqttClient
from sensor_bridge.mqtt.command_payloads import COMMANDS, ArgumentError, Command, arguments_of
from sensor_bridge.mqtt.event_ids import message_id
from sensor_bridge.mqtt.payloads import decode, encode, envelope
from sensor_bridge.mqtt.topics import Channel, Topics
from sensor_bridge.mqtt.users import SERVICE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sensor_bridge.mqtt.command_payloads import Response
    from sensor_bridge.mqtt.settings import MqttSettings

_PATIENCE_S: Final = 9.0  # the bridge refuses what is older than 10 s
_AGAIN_S: Final = 2.0


def run(name: str, words: Sequence[str], config_path: Path | None) -> None:
    """Give a command and print the answer.

    Parameters
    ----------
    name
        Of the command.
    words
        Its arguments, each ``argument=value``.
    config_path
        As for ``hipline watch``.

    Raises
    ------
    UserInputError
        There is no such command, or an argument is wrong.
    BridgeError
        The bridge refuses, or nobody answers.
    """
    command = read_command(name, words)
    settings, gym = find_broker(config_path)
    client_id = command.reply_to
    answer = asyncio.run(ask(replace(settings, client_id=client_id), gym, name, command))
    if not answer.ok:
        raise BridgeError(answer.text)
    Console(highlight=False, soft_wrap=True).print(f"{answer.text} (request {answer.request})", markup=False)


def read_command(name: str, words: Sequence[str]) -> Command:
    """Read a command as it was typed.

    Raises
    ------
    UserInputError
        As for :func:`run`.
    """
    told: dict[str, str] = {}
    for word in words:
        argument, is_given, value = word.partition("=")
        if not is_given:
            raise UserInputError(f"{word!r} says nothing: write argument=value, such as athlete=anna")
        told[argument] = value
    nobody = f"command-{os.getpid()}"
    request = f"{nobody}-{time.time_ns()}"
    command = Command(request=request, reply_to=nobody, arguments={})
    try:
        if name in COMMANDS:  # typed text knows no numbers
            typed = msgspec.convert(told, COMMANDS[name], strict=False)
            command = msgspec.structs.replace(command, arguments=msgspec.structs.asdict(typed))
        arguments_of(name, command)
    except (ArgumentError, msgspec.ValidationError) as error:
        raise UserInputError(f"{name}: {error}".removeprefix(f"{name}: {name}: ")) from error
    return command


async def ask(settings: MqttSettings, gym: str, name: str, command: Command) -> Response:
    """Give a command, again and again until it is answered.

    Parameters
    ----------
    settings
        The broker, and the credentials of one who may command.
    gym
        Name of the gym in topics.
    name, command
        What is ordered.

    Raises
    ------
    BrokerUnavailable
        There is no broker, or no bridge.
    BrokerRefused
        The broker does not let us in, or does not let us command.
    """
    topics = Topics(gym)
    topic, now_ms = topics.command(SERVICE, name), time.time() * 1e3
    body = encode(
        envelope(
            command,
            message_id=message_id(now_ms, session="", topic=topic, seq=0),
            sample_time_ms=now_ms,
            session="",
            seq=0,
        )
    )
    async with MqttClient(settings) as client:
        await client.connected(_PATIENCE_S)
        await client.subscribe(topics.response(SERVICE, command.reply_to), qos=1)
        heard = asyncio.ensure_future(anext(client.messages()))
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while not heard.done():
                    await client.publish(topic, body)
                    await asyncio.wait({heard}, timeout=_AGAIN_S)
        except TimeoutError:
            heard.cancel()
            raise BrokerUnavailable("the bridge does not answer: does hipline run still run?") from None
        response: Response = decode(Channel.RESPONSE, heard.result().payload).data
        return response
