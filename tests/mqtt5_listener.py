"""A client of MQTT 5 that sees what is beside the payload."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

if TYPE_CHECKING:
    from sensor_bridge.mqtt.settings import MqttSettings


class Listener:
    """A reader of MQTT 5 that keeps the properties; `ask` sends as those do who want an answer."""

    def __init__(self, settings: MqttSettings, topic_filter: str) -> None:
        self.messages: list[paho.MQTTMessage] = []
        self._loop = asyncio.get_running_loop()
        self._granted = asyncio.Event()
        self._paho = paho.Client(paho.CallbackAPIVersion.VERSION2, "listener", protocol=paho.MQTTv5)
        self._paho.username_pw_set(settings.username, settings.password)
        self._paho.on_connect = lambda client, *_: client.subscribe(topic_filter, qos=1)
        self._paho.on_subscribe = lambda *_: self._loop.call_soon_threadsafe(self._granted.set)
        self._paho.on_message = lambda _c, _u, message: self._loop.call_soon_threadsafe(
            self.messages.append, message
        )
        self._paho.connect(settings.host, settings.port)
        self._paho.loop_start()

    async def ready(self) -> None:
        await asyncio.wait_for(self._granted.wait(), 10)

    def ask(
        self, topic: str, payload: bytes, response_topic: str | None, correlation_data: bytes | None
    ) -> None:
        said = Properties(PacketTypes.PUBLISH)
        if response_topic is not None:
            said.ResponseTopic = response_topic
        if correlation_data is not None:
            said.CorrelationData = correlation_data
        self._paho.publish(topic, payload, qos=1, properties=said)

    async def got(self, count: int) -> dict[str, paho.MQTTMessage]:
        async with asyncio.timeout(10):
            while len(self.messages) < count:  # noqa: ASYNC110 - they come from paho's thread
                await asyncio.sleep(0.01)
        return {message.topic: message for message in self.messages}

    def close(self) -> None:
        self._paho.disconnect()
        self._paho.loop_stop()
