"""An MQTT client under asyncio: it connects again and again, and renews its subscriptions."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from sensor_bridge.errors import BrokerRefused, BrokerUnavailable
from sensor_bridge.mqtt.connection import Connection, SpeaksNotVersion5
from sensor_bridge.mqtt.settings import Message, MqttSettings, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

log = logging.getLogger(__name__)


@dataclass(slots=True)
class ClientCounts:
    """What the client did and lost since it was made."""

    connections: int = 0
    live_sent: int = 0
    live_dropped: int = 0
    received: int = 0
    inbox_dropped: int = 0


class MqttClient:
    """Keeps a connection to the broker for as long as its ``async with`` block lasts.

    Entering returns at once; `connected` waits for the broker. While there is no connection, live messages
    are dropped and counted, and everything else raises `BrokerUnavailable`.
    """

    def __init__(self, settings: MqttSettings) -> None:
        self.settings = settings
        self.counts = ClientCounts()
        self._tls = settings.tls_context()
        self._has_spoken_5 = False
        self._connection: Connection | None = None
        self._subscriptions: dict[str, int] = {}
        self._listeners: list[Callable[[bool], None]] = []
        self._inbox: deque[Message] = deque(maxlen=settings.inbox_limit)
        self._inbox_filled = asyncio.Event()
        self._attempt_ended = asyncio.Condition()
        self._refusal: BrokerRefused | None = None
        self._tasks = asyncio.TaskGroup()
        self._supervisor: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._supervisor = self._tasks.create_task(self._supervise(), name=f"mqtt[{self.settings.client_id}]")
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        if self._supervisor is not None:
            self._supervisor.cancel()
        # The block's own exception must leave as it is, not wrapped into a group.
        await self._tasks.__aexit__(None, None, None)

    @property
    def is_connected(self) -> bool:
        """Whether the broker answered and the connection has not broken since."""
        return self._connection is not None and not self._connection.lost.done()

    @property
    def protocol(self) -> Protocol | None:
        """The version spoken on the present connection, None without one."""
        return self._connection.protocol if self._connection else None

    def add_connection_listener(self, listener: Callable[[bool], None]) -> None:
        """Call `listener` in the event loop with True after each connection and False after each loss."""
        self._listeners.append(listener)

    async def connected(self, timeout_s: float | None = None) -> None:
        """Wait for a connection.

        Raises
        ------
        BrokerRefused
            As soon as the broker turns us away (credentials, protocol, certificate).
        BrokerUnavailable
            When there is no connection within `timeout_s`.
        """
        try:
            async with asyncio.timeout(timeout_s), self._attempt_ended:
                await self._attempt_ended.wait_for(lambda: self.is_connected or self._refusal)
        except TimeoutError:
            raise BrokerUnavailable(
                f"no MQTT broker answers at {self.settings.address}: is it running, are host and port right?"
            ) from None
        if not self.is_connected and self._refusal is not None:
            raise self._refusal

    async def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        correlation_data: bytes | None = None,
    ) -> None:
        """Publish and, for QoS 1, wait until the broker has it.

        Parameters
        ----------
        topic, payload, qos, retain
            What goes where, and how; on MQTT 5 with the properties of its topic.
        correlation_data
            On MQTT 5, what the message that this one answers had of it.

        Raises
        ------
        BrokerUnavailable
            Not connected, or the connection broke first: the broker may or may not have it.
        BrokerRefused
            The broker said no, or the message is larger than it takes (only MQTT 5 brokers tell).
        """
        await self._require_connection().publish(
            topic, payload, qos=qos, retain=retain, correlation_data=correlation_data
        )

    def publish_live(self, topic: str, payload: bytes) -> bool:
        """Send at QoS 0 now or never; False, and counted, where that is not possible."""
        connection = self._connection
        if connection is None or not connection.publish_live(topic, payload):
            self.counts.live_dropped += 1
            return False
        self.counts.live_sent += 1
        return True

    async def subscribe(self, topic_filter: str, *, qos: int = 0) -> None:
        """Subscribe, now if connected and again after every reconnection.

        Raises
        ------
        BrokerRefused
            The broker did not grant it; it is not asked again.
        """
        self._subscriptions[topic_filter] = qos
        if self._connection is None:
            return
        try:
            await self._connection.subscribe(topic_filter, qos)
        except BrokerRefused:
            self._subscriptions.pop(topic_filter, None)
            raise
        except BrokerUnavailable:
            log.debug("subscription to %s waits for the next connection", topic_filter)

    async def messages(self) -> AsyncIterator[Message]:
        """Iterate over received messages for ever; a slow reader loses the oldest, counted."""
        while True:
            while self._inbox:
                yield self._inbox.popleft()
            self._inbox_filled.clear()
            await self._inbox_filled.wait()

    def _require_connection(self) -> Connection:
        if self._connection is None:
            raise BrokerUnavailable(f"not connected to the MQTT broker at {self.settings.address}")
        return self._connection

    def _receive(self, message: Message) -> None:
        self.counts.received += 1
        if len(self._inbox) == self._inbox.maxlen:
            self.counts.inbox_dropped += 1
        self._inbox.append(message)
        self._inbox_filled.set()

    async def _supervise(self) -> None:
        failures = 0
        while True:
            try:
                async with contextlib.AsyncExitStack() as stack:
                    connection = await self._connect(stack)
                    failures = 0
                    await self._use(connection)
            except BrokerUnavailable as error:
                log.log(logging.DEBUG if failures else logging.WARNING, "%s", error)
            except BrokerRefused as error:
                log.log(logging.DEBUG if self._refusal else logging.ERROR, "%s", error)
                async with self._attempt_ended:
                    self._refusal = error
                    self._attempt_ended.notify_all()
            failures += 1
            await asyncio.sleep(_backoff_s(failures, self.settings.longest_backoff_s))

    async def _connect(self, stack: contextlib.AsyncExitStack) -> Connection:
        wanted = self.settings.protocol
        if wanted is Protocol.AUTO:
            try:
                connection = await self._open(stack, Protocol.V5)
            except SpeaksNotVersion5 as error:
                # Once it spoke version 5, silence means that it is busy: over 3.1.1 refusals would be lost.
                if self._has_spoken_5 and not error.is_said:
                    raise
                connection = await self._open(stack, Protocol.V311)
                log.warning("%s speaks only MQTT 3.1.1: refusals cannot be seen", self.settings.address)
            else:
                self._has_spoken_5 = True
            return connection
        return await self._open(stack, wanted)

    async def _open(self, stack: contextlib.AsyncExitStack, protocol: Protocol) -> Connection:
        return await stack.enter_async_context(Connection(self.settings, protocol, self._tls, self._receive))

    async def _use(self, connection: Connection) -> None:
        asked: set[str] = set()
        while waiting := self._subscriptions.keys() - asked:  # some may come while the broker answers
            for topic_filter in waiting:
                asked.add(topic_filter)
                try:
                    await connection.subscribe(topic_filter, self._subscriptions[topic_filter])
                except BrokerRefused as error:
                    log.error("%s", error)  # noqa: TRY400 - the broker's answer says it all
        self._connection = connection
        self.counts.connections += 1
        self._refusal = None
        async with self._attempt_ended:
            self._attempt_ended.notify_all()
        log.info("connected to %s, MQTT %s", self.settings.address, connection.protocol.value)
        try:
            self._tell_listeners(is_connected=True)
            await asyncio.wait({connection.lost})
        finally:
            self._connection = None
            self._tell_listeners(is_connected=False)

    def _tell_listeners(self, *, is_connected: bool) -> None:
        for listener in self._listeners:
            listener(is_connected)


def _backoff_s(failures: int, longest_s: float) -> float:
    ceiling = min(longest_s, 0.2 * 2 ** min(failures, 10))
    return random.uniform(0.1, max(0.1, ceiling))
