from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from sensor_bridge.cli import app
from sensor_bridge.commands.command import ask, read_command
from sensor_bridge.errors import UserInputError
from sensor_bridge.mqtt.broker import EmbeddedBroker, EmbeddedBrokerSettings
from sensor_bridge.mqtt.client import MqttClient
from sensor_bridge.mqtt.command_payloads import COMMANDS, Response
from sensor_bridge.mqtt.payloads import decode, encode, envelope
from sensor_bridge.mqtt.settings import MqttSettings, Protocol
from sensor_bridge.mqtt.topics import Channel, Topics, parse
from sensor_bridge.mqtt.users import gym_users
from tests.gym_tokens import create_tokens

if TYPE_CHECKING:
    from sensor_bridge.mqtt.client import Message

TOPICS = Topics("gym-1")


def test_arguments_are_read_as_they_are_meant() -> None:
    command = read_command("prescribe", ["athlete=a1", "repetitions=8", "load_kg=20", "support=true"])
    told = {name: value for name, value in command.arguments.items() if value is not None}
    assert told == {"athlete": "a1", "repetitions": 8, "load_kg": 20.0, "support": True}
    assert read_command("note", ["athlete=a1", "text=a=b"]).arguments["text"] == "a=b"


@pytest.mark.parametrize(
    ("name", "words", "complaint"),
    [
        ("reboot", [], "there is no command reboot: the bridge knows start-set"),
        ("start-set", [], "start-set: Object missing required field `athlete`"),
        ("start-set", ["anna"], "'anna' says nothing: write argument=value, such as athlete=anna"),
        ("prescribe", ["athlete=a1", "repetitions=many"], "prescribe: Expected `int"),
        ("prescribe", ["athlete=a1", "reps=8"], "prescribe: Object contains unknown field `reps`"),
    ],
)
def test_what_is_typed_wrong_is_the_users_to_mend(name: str, words: list[str], complaint: str) -> None:
    with pytest.raises(UserInputError) as refusal:
        read_command(name, words)
    assert complaint in str(refusal.value)


def test_the_help_names_every_command_and_argument() -> None:
    help_text = " ".join(CliRunner().invoke(app, ["command", "--help"]).output.split())
    for name, model in COMMANDS.items():
        assert name in help_text
        assert all(argument in help_text for argument in model.__struct_fields__), name


async def test_a_command_is_given_until_the_bridge_answers() -> None:
    tokens = create_tokens("a1")
    settings = EmbeddedBrokerSettings(users=gym_users(TOPICS, tokens, {"a1": []}))
    async with EmbeddedBroker(settings) as broker:

        def client(user: str) -> MqttSettings:
            return MqttSettings(
                user, port=broker.tcp_port, username=user, password=tokens[user], protocol=Protocol.V311
            )

        command = read_command("start-set", ["athlete=a1"])
        async with MqttClient(client("bridge")) as bridge:
            await bridge.connected(20)
            await bridge.subscribe(TOPICS.commands("bridge"), qos=1)

            async def answer() -> Message:
                given = await anext(bridge.messages())
                told = decode(Channel.COMMAND, given.payload)
                response = Response(request=told.data.request, ok=True, text="set 1 begins")
                body = encode(envelope(response, message_id=told.id, sample_time_ms=0.0, session="", seq=0))
                await bridge.publish(TOPICS.response("bridge", told.data.reply_to), body)
                return given

            answering = asyncio.create_task(answer())
            answered = await ask(client("coach"), "gym-1", "start-set", command)
            assert answered == Response(request=command.request, ok=True, text="set 1 begins")
            assert parse((await answering).topic).ids["name"] == "start-set"
