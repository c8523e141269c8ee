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
    from collections.abc import Callable

    from sensor_bridge.mqtt.client import MqttClient

log = logging.getLogger(__name__)

REFUSED_ALARM = "retained_refused"


class RetainedBoard:
    """Holds what late joiners shall see; `run` keeps the broker up to date with it.

    Parameters
    ----------
    client
        The connection to publish on.
    on_alarm
        Called in the event loop with a code and a sentence while the broker refuses a topic, and with the
        code and None when that is over.
    """

    def __init__(self, client: MqttClient, on_alarm: Callable[[str, str | None], None] | None = None) -> None:
        self._client = client
        self._on_alarm = on_alarm
        self._messages: dict[str, bytes] = {}
        self._stale: dict[str, None] = {}
        self._refused: dict[str, str] = {}
        self._work = asyncio.Event()
        client.add_connection_listener(self._on_connection)

    def put(self, topic: str, payload: bytes) -> None:
        """Replace what is retained on `topic`; an empty payload clears it."""
        if self._messages.get(topic) == payload:
            return
        self._messages[topic] = payload
        self._mark(topic)

    def is_waiting(self, topic: str) -> bool:
        """Whether the broker does not have the last word on `topic` yet, or refused it."""
        return topic in self._stale or topic in self._refused

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
            self._refused[topic] = str(error)
        else:
            self._refused.pop(topic, None)
        self._tell_refusals()
        if not payload and topic not in self._stale:
            self._messages.pop(topic, None)
        return True

    def _tell_refusals(self) -> None:
        if self._on_alarm is None:
            return
        first = next(iter(self._refused.values()), None)
        others = len(self._refused) - 1
        self._on_alarm(REFUSED_ALARM, first and first + (f", and {others} more" if others else ""))

    def _mark(self, topic: str) -> None:
        self._stale[topic] = None
        self._work.set()

    def _on_connection(self, is_connected: bool) -> None:
        if is_connected:
            for topic in self._messages:
                self._mark(topic)
