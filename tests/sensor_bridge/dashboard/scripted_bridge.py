"""A bridge that takes commands and answers when, and what, a test says."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

import paho.mqtt.client as mqtt

from sensor_bridge.mqtt.event_ids import message_id
from sensor_bridge.mqtt.payloads import Response, decode, encode, envelope
from sensor_bridge.mqtt.topics import Channel, Topics
from tests.message_contract import assert_kept

if TYPE_CHECKING:
    from sensor_bridge.mqtt.command_payloads import Command


class ScriptedBridge:
    """Listens for commands as the bridge does; `taken` holds them by name, in order."""

    def __init__(self, gym: str, port: int, token: str) -> None:
        self.taken: asyncio.Queue[tuple[str, Command]] = asyncio.Queue()
        self._topics = Topics(gym)
        self._port = port
        self._client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id="scripted-bridge", protocol=mqtt.MQTTv311
        )
        self._client.username_pw_set("bridge", token)

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        granted = asyncio.Event()

        def take(_client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
            assert_kept(message.topic, message.payload)
            command = decode(Channel.COMMAND, message.payload).data
            loop.call_soon_threadsafe(self.taken.put_nowait, (message.topic.rpartition("/")[2], command))

        self._client.on_connect = lambda client, *_: client.subscribe(
            self._topics.every(Channel.COMMAND), qos=1
        )
        self._client.on_subscribe = lambda *_: loop.call_soon_threadsafe(granted.set)
        self._client.on_message = take
        self._client.connect_async("127.0.0.1", self._port)
        self._client.loop_start()
        await asyncio.wait_for(granted.wait(), 10)
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)

    async def next(self, name: str) -> Command:
        """Wait for the next command, which must be `name`."""
        told, command = await asyncio.wait_for(self.taken.get(), 10)
        assert told == name
        return command

    def answer(self, command: Command, text: str, *, ok: bool = True) -> None:
        """Say what became of a command."""
        told = Response(request=command.request, ok=ok, text=text)
        topic = self._topics.response("bridge", command.reply_to)
        name = message_id(0.0, session="", topic=topic, seq=0)
        message = envelope(told, message_id=name, sample_time_ms=0.0, session="", seq=0)
        self._client.publish(topic, encode(message), qos=1)
