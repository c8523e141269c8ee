"""An MQTT client under asyncio; the only file that knows paho.

A connection is one paho client, thrown away when it breaks: paho then never re-sends behind the back of the
outbox. paho runs its network thread; its callbacks only hand over to the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import socket
import ssl
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from sensor_bridge.errors import BrokerRefused, BrokerUnavailable
from sensor_bridge.mqtt.settings import Message, MqttSettings, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from paho.mqtt.reasoncodes import ReasonCode

log = logging.getLogger(__name__)

_UNSUPPORTED_PROTOCOL = 0x84
_QUOTA_EXCEEDED = 0x97
_CLOSE_TIMEOUT_S = 2.0


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
        self._connection: _Connection | None = None
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

    async def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Publish and, for QoS 1, wait until the broker has it.

        Raises
        ------
        BrokerUnavailable
            Not connected, or the connection broke first: the broker may or may not have it.
        BrokerRefused
            The broker said no (only MQTT 5 brokers do).
        """
        await self._require_connection().publish(topic, payload, qos=qos, retain=retain)

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

    def _require_connection(self) -> _Connection:
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

    async def _connect(self, stack: contextlib.AsyncExitStack) -> _Connection:
        wanted = self.settings.protocol
        if wanted is Protocol.AUTO:
            try:
                return await self._open(stack, Protocol.V5)
            except _SpeaksNotVersion5:
                connection = await self._open(stack, Protocol.V311)
                log.warning("%s speaks only MQTT 3.1.1: refusals cannot be seen", self.settings.address)
                return connection
        return await self._open(stack, wanted)

    async def _open(self, stack: contextlib.AsyncExitStack, protocol: Protocol) -> _Connection:
        return await stack.enter_async_context(_Connection(self.settings, protocol, self._tls, self._receive))

    async def _use(self, connection: _Connection) -> None:
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


class _SpeaksNotVersion5(BrokerUnavailable):
    """The broker refused MQTT 5, or kept silent as brokers of 3.1.1 may."""


class _Connection:
    """One paho client from CONNECT to its end; every public method runs in the event loop."""

    def __init__(
        self,
        settings: MqttSettings,
        protocol: Protocol,
        tls: ssl.SSLContext | None,
        on_message: Callable[[Message], None],
    ) -> None:
        self.protocol = protocol
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = self._loop.create_future()
        self._accepted: asyncio.Future[ReasonCode] = self._loop.create_future()
        self._pending: dict[int, asyncio.Future[ReasonCode]] = {}
        self._unsent: set[int] = set()
        self._on_message = on_message
        self._paho = self._new_paho(tls)

    def _new_paho(self, tls: ssl.SSLContext | None) -> paho.Client:
        settings = self._settings
        is_v5 = self.protocol is Protocol.V5
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=settings.client_id,
            protocol=MQTTProtocolVersion.MQTTv5 if is_v5 else MQTTProtocolVersion.MQTTv311,
            transport=settings.transport,
            clean_session=None if is_v5 else True,
            reconnect_on_failure=False,
        )
        client.connect_timeout = settings.connect_timeout_s
        client.username_pw_set(settings.username, settings.password)
        if tls is not None:
            client.tls_set_context(tls)
        if settings.will is not None:
            client.will_set(settings.will.topic, settings.will.payload, qos=1, retain=True)
        client.on_connect = lambda _c, _u, _flags, reason, _p: self._post(self._set_accepted, reason)
        client.on_disconnect = lambda _c, _u, _flags, reason, _p: self._post(self._set_lost, str(reason))
        client.on_publish = lambda _c, _u, mid, reason, _p: self._post(self._acknowledge, mid, reason)
        client.on_subscribe = lambda _c, _u, mid, reasons, _p: self._post(self._acknowledge, mid, reasons[0])
        client.on_message = lambda _c, _u, message: self._post(
            self._on_message, Message(message.topic, bytes(message.payload), bool(message.retain))
        )
        return client

    async def __aenter__(self) -> Self:
        settings = self._settings
        # paho connects blocking; the thread cannot be cancelled, so its socket is closed when it is done.
        attempt = self._loop.run_in_executor(
            None, self._paho.connect, settings.host, settings.port, settings.keepalive_s
        )
        try:
            await asyncio.shield(attempt)
        except asyncio.CancelledError:
            attempt.add_done_callback(self._abandon)
            raise
        except ssl.SSLError as error:
            raise BrokerRefused(
                f"no trusted TLS connection to {settings.address} ({error.reason}): check tls and ca_file"
            ) from error
        except (OSError, ValueError) as error:
            raise BrokerUnavailable(f"no MQTT broker at {settings.address} ({error})") from error
        try:
            self._disable_nagle()
            self._paho.loop_start()
            await self._await_acceptance()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        await self._close()

    async def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> None:
        info = self._paho.publish(topic, payload, qos=qos, retain=retain)
        if info.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._set_lost(str(info.rc))
            raise BrokerUnavailable(f"not connected to the MQTT broker at {self._settings.address}")
        if qos == 0:
            self._unsent.add(info.mid)
            return
        reason = await self._acknowledgement(info.mid)
        if reason.value == _QUOTA_EXCEEDED:
            self._set_lost("the broker's quota is exceeded")
            raise BrokerUnavailable(f"the MQTT broker at {self._settings.address} is over its quota")
        if reason.is_failure:
            raise BrokerRefused(f"the broker refused a message on {topic}: {reason}")

    def publish_live(self, topic: str, payload: bytes) -> bool:
        if len(self._unsent) >= self._settings.unsent_limit:
            return False
        info = self._paho.publish(topic, payload, qos=0)
        if info.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            return False
        self._unsent.add(info.mid)
        return True

    async def subscribe(self, topic_filter: str, qos: int) -> None:
        code, mid = self._paho.subscribe(topic_filter, qos=qos)
        if code is not MQTTErrorCode.MQTT_ERR_SUCCESS or mid is None:
            raise BrokerUnavailable(f"not connected to the MQTT broker at {self._settings.address}")
        reason = await self._acknowledgement(mid)
        if reason.is_failure:
            raise BrokerRefused(f"the broker refused the subscription to {topic_filter}: {reason}")

    async def _await_acceptance(self) -> None:
        address = self._settings.address
        ends: set[asyncio.Future[Any]] = {self._accepted, self.lost}
        done, _ = await asyncio.wait(
            ends, timeout=self._settings.connect_timeout_s, return_when=asyncio.FIRST_COMPLETED
        )
        if self._accepted not in done:
            # Brokers of 3.1.1 may answer to MQTT 5 with silence or by hanging up.
            silent = _SpeaksNotVersion5 if self.protocol is Protocol.V5 else BrokerUnavailable
            raise silent(f"the broker at {address} takes the connection but does not answer")
        reason = self._accepted.result()
        if reason.value == _UNSUPPORTED_PROTOCOL and self.protocol is Protocol.V5:
            raise _SpeaksNotVersion5(f"the broker at {address} does not speak MQTT 5")
        if reason.is_failure:
            raise BrokerRefused(f"the broker at {address} refused {self._settings.client_id!r}: {reason}")

    async def _acknowledgement(self, mid: int) -> ReasonCode:
        # Registered in the same step of the loop as the call into paho: the answer cannot come before.
        answer: asyncio.Future[ReasonCode] = self._loop.create_future()
        self._pending[mid] = answer
        try:
            async with asyncio.timeout(self._settings.acknowledge_timeout_s):
                return await answer
        except TimeoutError:
            self._set_lost("the broker does not acknowledge")
            raise BrokerUnavailable(f"the broker at {self._settings.address} does not acknowledge") from None
        finally:
            self._pending.pop(mid, None)

    def _post(self, callback: Callable[..., None], *args: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the event loop is closed: nobody is left to tell
            self._loop.call_soon_threadsafe(callback, *args)

    def _set_accepted(self, reason: ReasonCode) -> None:
        if not self._accepted.done():
            self._accepted.set_result(reason)

    def _set_lost(self, why: str) -> None:
        if self.lost.done():
            return
        log.info("connection to %s lost: %s", self._settings.address, why)
        self.lost.set_result(None)
        for answer in self._pending.values():
            if not answer.done():
                answer.set_exception(BrokerUnavailable(f"connection to {self._settings.address} lost: {why}"))

    def _acknowledge(self, mid: int, reason: ReasonCode) -> None:
        self._unsent.discard(mid)
        answer = self._pending.get(mid)
        if answer is not None and not answer.done():
            answer.set_result(reason)

    def _disable_nagle(self) -> None:
        # A second small message must not wait for the peer's delayed acknowledgement of the first (40 ms).
        if self._settings.transport == "tcp":
            sock = self._paho.socket()
            if isinstance(sock, socket.socket):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def _close(self) -> None:
        self._paho.disconnect()
        stopping = self._loop.run_in_executor(None, self._paho.loop_stop)
        done, _ = await asyncio.wait({stopping}, timeout=_CLOSE_TIMEOUT_S)
        if not done:
            self._hang_up()
            await stopping
        # paho leaves the sockets that wake its thread to the garbage collector, which complains of them.
        self._paho._reset_sockets()  # noqa: SLF001
        self._set_lost("closed")

    def _hang_up(self) -> None:
        sock = self._paho.socket()
        if isinstance(sock, socket.socket):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _abandon(self, attempt: asyncio.Future[Any]) -> None:
        if not attempt.cancelled() and attempt.exception() is None:
            self._paho.disconnect()


def _backoff_s(failures: int, longest_s: float) -> float:
    ceiling = min(longest_s, 0.2 * 2 ** min(failures, 10))
    return random.uniform(0.1, max(0.1, ceiling))
