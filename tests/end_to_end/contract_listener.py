"""Listens at the broker of a running bridge, as the coach may, and holds every message to the contract."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from sensor_bridge.mqtt.client import MqttClient
from sensor_bridge.mqtt.topics import Channel, Topics, parse
from tests.message_contract import assert_kept

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sensor_bridge.mqtt.settings import Message
    from sensor_bridge.service import Bridge

# Told from the start of each session, whoever does what in it.
EACH_SESSION = {
    Channel.SERVICE_STATUS,
    Channel.SENSOR_STATUS,
    Channel.STATE,
    Channel.PRESCRIPTION,
    Channel.CALIBRATION,
    Channel.LIVE,
    Channel.REPETITION,
}


def held_to_the_contract(
    until: Callable[[Bridge], Awaitable[None]], gym: str
) -> Callable[[Bridge], Awaitable[None]]:
    """Wrap what `run_bridge` runs until, a set with at least one repetition.

    It fails in the end where a message was not what its topic promises, or where nothing was heard on one of
    `EACH_SESSION`.
    """
    channels: set[Channel] = set()
    heard: list[Message] = []

    async def listen(client: MqttClient) -> None:
        async for message in client.messages():
            channels.add(parse(message.topic).channel)
            heard.append(message)

    async def listening(bridge: Bridge) -> None:
        async with MqttClient(bridge.broker.reader_settings("listening")) as client:
            await client.subscribe(Topics(gym).everything)
            await client.connected(20)
            listener = asyncio.create_task(listen(client))
            try:
                await until(bridge)
            finally:
                listener.cancel()
            for message in heard:
                assert_kept(message.topic, message.payload, retained=message.retained)
            assert channels >= EACH_SESSION

    return listening
