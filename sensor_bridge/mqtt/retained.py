"""The retained messages of this process: the last word on each topic, kept true on the broker.

A broker may forget retained messages (the embedded one does at every start), so all of them are published
again after each connection. Between connections only the newest counts.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from sensor_bridge.errors import BrokerRefused, BrokerUnavailable

if TYPE_CHECKING:
    from sensor_bridge.mqtt.client import MqttClient

log = logging.getLogger(__name__)


class RetainedBoard:
    """Holds what late joiners shall see; `run` keeps the broker up to date with it.

    Parameters
    ----------
    client
        The connection to publish on.
    """

    def __init__(self, client: MqttClient) -> None:
        self._client = client
        self._messages: dict[str, bytes] = {}
        self._stale: dict[str, None] = {}
        self._refused: set[str] = set()
        self._work = asyncio.Event()
        client.add_connection_listener(self._on_connection)

    def put(self, topic: str, payload: bytes) -> None:
        """Replace what is retained on `topic`; an empty payload clears it."""
        if self._messages.get(topic) == payload:
            return
        self._messages[topic] = payload
        self._mark(topic)

    async def run(self) -> None:
        """Publish what changed, for ever."""
        while True:
            await self._work.wait()
            self._work.clear()
            await self._publish_stale()

    async def flush(self, timeout_s: float) -> bool:
        """Publish what changed without `run`; False when the broker has not got all within `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._publish_stale()
        except TimeoutError:
            log.warning("%d retained messages did not reach the broker in time", len(self._stale))
        return not self._stale

    async def _publish_stale(self) -> None:
        while self._stale and self._client.is_connected:
            if not await self._publish(next(iter(self._stale))):
                return  # the next connection wakes `run` again

    async def _publish(self, topic: str) -> bool:
        del self._stale[topic]
        payload = self._messages[topic]
        try:
            await self._client.publish(topic, payload, qos=1, retain=True)
        except BrokerUnavailable:
            self._stale[topic] = None
            return False
        except asyncio.CancelledError:
            self._stale[topic] = None  # nobody knows whether the broker has it
            raise
        except BrokerRefused as error:
            # A status is told anew every second: its refusal is news only once.
            log.log(logging.DEBUG if topic in self._refused else logging.ERROR, "%s", error)
            self._refused.add(topic)
        else:
            self._refused.discard(topic)
        if not payload and topic not in self._stale:
            self._messages.pop(topic, None)
        return True

    def _mark(self, topic: str) -> None:
        self._stale[topic] = None
        self._work.set()

    def _on_connection(self, is_connected: bool) -> None:
        if is_connected:
            for topic in self._messages:
                self._mark(topic)
