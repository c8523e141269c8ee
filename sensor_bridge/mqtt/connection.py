"""One connection to a broker, from CONNECT to its end; the only file that knows paho.

A connection is one paho client, thrown away when it breaks: paho then never re-sends behind the back of the
outbox. paho runs its network thread; its callbacks only hand over to the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import socket
import ssl
from typing import TYPE_CHECKING, Any, Self

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from sensor_bridge.errors import BrokerRefused, BrokerUnavailable
from sensor_bridge.mqtt.message_properties import properties_of
from sensor_bridge.mqtt.settings import Message, MqttSettings, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from paho.mqtt.reasoncodes import ReasonCode

log = logging.getLogger(__name__)

_UNSUPPORTED_PROTOCOL = 0x84
_QUOTA_EXCEEDED = 0x97
_CLOSE_TIMEOUT_S = 2.0
_UTF_8 = 1  # payload format indicator
_FRAMING_BYTES = (
    9  # of a PUBLISH beside topic, properties and payload, at most: header, length, topic's length, id
)


class SpeaksNotVersion5(BrokerUnavailable):
    """The broker refused MQTT 5, or kept silent as brokers of 3.1.1 may.

    Attributes
    ----------
    is_said
        Whether it said so; False: it kept silent.
    """

    def __init__(self, message: str, *, is_said: bool = False) -> None:
        super().__init__(message)
        self.is_said = is_said


class Connection:
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
        self._largest_packet: int | None = None
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
            will = settings.will
            said = _properties(PacketTypes.WILLMESSAGE, will.topic) if is_v5 else None
            client.will_set(will.topic, will.payload, qos=1, retain=True, properties=said)
        client.on_connect = lambda _c, _u, _flags, reason, granted: self._post(
            self._set_accepted, reason, granted
        )
        client.on_disconnect = lambda _c, _u, _flags, reason, _p: self._post(self._set_lost, str(reason))
        client.on_publish = lambda _c, _u, mid, reason, _p: self._post(self._acknowledge, mid, reason)
        client.on_subscribe = lambda _c, _u, mid, reasons, _p: self._post(self._acknowledge, mid, reasons[0])
        client.on_message = lambda _c, _u, message: self._post(self._on_message, _received(message))
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
            why = getattr(error, "verify_message", None) or error.reason
            mend = "renew the broker's certificate" if "expired" in why else "check tls and ca_file"
            raise BrokerRefused(f"no trusted TLS connection to {settings.address} ({why}): {mend}") from error
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

    async def publish(
        self, topic: str, payload: bytes, *, qos: int, retain: bool, correlation_data: bytes | None
    ) -> None:
        """Publish and, for QoS 1, wait until the broker has it; raises as `MqttClient.publish` does."""
        said = self._properties(topic, payload, correlation_data)
        excessive = self._excessive_bytes(topic, payload, said)
        if excessive is not None:
            raise BrokerRefused(
                f"a message on {topic} has {excessive} bytes, the broker takes {self._largest_packet}: "
                "raise its limit (mosquitto: max_packet_size)"
            )
        info = self._paho.publish(topic, payload, qos=qos, retain=retain, properties=said)
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
        """Send at QoS 0 now or never; tell whether it went."""
        if len(self._unsent) >= self._settings.unsent_limit:
            return False
        said = self._properties(topic, payload)
        if self._excessive_bytes(topic, payload, said) is not None:
            return False
        info = self._paho.publish(topic, payload, qos=0, properties=said)
        if info.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            return False
        self._unsent.add(info.mid)
        return True

    async def subscribe(self, topic_filter: str, qos: int) -> None:
        """Subscribe and wait until the broker grants it; raises as `MqttClient.subscribe` does."""
        code, mid = self._paho.subscribe(topic_filter, qos=qos)
        if code is not MQTTErrorCode.MQTT_ERR_SUCCESS or mid is None:
            raise BrokerUnavailable(f"not connected to the MQTT broker at {self._settings.address}")
        reason = await self._acknowledgement(mid)
        if reason.is_failure:
            raise BrokerRefused(f"the broker refused the subscription to {topic_filter}: {reason}")

    def _properties(
        self, topic: str, payload: bytes, correlation_data: bytes | None = None
    ) -> Properties | None:
        # An empty payload takes back what is retained: it has no type.
        if self.protocol is not Protocol.V5 or not payload:
            return None
        if correlation_data is None:
            return _known_properties(topic)
        said = _properties(PacketTypes.PUBLISH, topic)
        said.CorrelationData = correlation_data
        return said

    def _excessive_bytes(self, topic: str, payload: bytes, said: Properties | None) -> int | None:
        # At a packet that is too large the broker would hang up, and again at the next attempt.
        if self._largest_packet is None or said is None:
            return None
        size = _FRAMING_BYTES + len(topic.encode()) + len(payload) + len(said.pack())  # type: ignore[no-untyped-call]
        return size if size > self._largest_packet else None

    async def _await_acceptance(self) -> None:
        address = self._settings.address
        ends: set[asyncio.Future[Any]] = {self._accepted, self.lost}
        done, _ = await asyncio.wait(
            ends, timeout=self._settings.connect_timeout_s, return_when=asyncio.FIRST_COMPLETED
        )
        if self._accepted not in done:
            # Brokers of 3.1.1 may answer to MQTT 5 with silence or by hanging up.
            silent = SpeaksNotVersion5 if self.protocol is Protocol.V5 else BrokerUnavailable
            raise silent(f"the broker at {address} takes the connection but does not answer")
        reason = self._accepted.result()
        if reason.value == _UNSUPPORTED_PROTOCOL and self.protocol is Protocol.V5:
            raise SpeaksNotVersion5(f"the broker at {address} does not speak MQTT 5", is_said=True)
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

    def _set_accepted(self, reason: ReasonCode, granted: Properties | None) -> None:
        self._largest_packet = getattr(granted, "MaximumPacketSize", None)
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


@functools.lru_cache(maxsize=4096)
def _known_properties(topic: str) -> Properties:
    return _properties(PacketTypes.PUBLISH, topic)


def _properties(packet_type: int, topic: str) -> Properties:
    told = properties_of(topic)
    said = Properties(packet_type)  # type: ignore[no-untyped-call]
    said.PayloadFormatIndicator = _UTF_8
    said.ContentType = told.content_type
    if told.expiry_s is not None:
        said.MessageExpiryInterval = told.expiry_s
    if told.user:
        said.UserProperty = list(told.user)
    return said


def _received(message: paho.MQTTMessage) -> Message:
    said = message.properties
    return Message(
        message.topic,
        bytes(message.payload),
        bool(message.retain),
        response_topic=getattr(said, "ResponseTopic", None),
        correlation_data=getattr(said, "CorrelationData", None),
    )
