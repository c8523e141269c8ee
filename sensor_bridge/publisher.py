"""Hands messages to the way their channel asks for: live, retained, or through the outbox."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from typing import TYPE_CHECKING, Protocol

from sensor_bridge.mqtt.event_ids import message_id
from sensor_bridge.mqtt.outbox_store import OutgoingEvent
from sensor_bridge.mqtt.payloads import encode, envelope
from sensor_bridge.mqtt.topics import DELIVERY, Channel

if TYPE_CHECKING:
    from collections.abc import Iterable

    import msgspec

    from sensor_bridge.messages import Outgoing
    from sensor_bridge.mqtt.outbox import Outbox
    from sensor_bridge.mqtt.topics import Topics

log = logging.getLogger(__name__)


class LiveWay(Protocol):
    """Sends now or never; `sensor_bridge.mqtt.client.MqttClient` does."""

    def publish_live(self, topic: str, payload: bytes) -> bool:
        """Send; False where that is not possible."""


class RetainedWay(Protocol):
    """Keeps the last word on each topic; `sensor_bridge.mqtt.retained.RetainedBoard` does."""

    def put(self, topic: str, payload: bytes) -> None:
        """Replace what is retained; an empty payload clears it."""


class EventWay(Protocol):
    """Delivers at least once, in order; `sensor_bridge.mqtt.outbox.Outbox` does."""

    async def put(self, *events: OutgoingEvent) -> None:
        """Store events for delivery."""


class ArchiveWay(Protocol):
    """Keeps events for later; `sensor_bridge.archive.writer.ArchiveWriter` does."""

    def take(self, session: str, message: Outgoing) -> None:
        """Note an event, without waiting for the disk."""

    def take_prescription(self, session: str, message: Outgoing) -> None:
        """Note what an athlete is asked from now on, without waiting for the disk."""


class Publisher:
    """The one way out of the bridge.

    Parameters
    ----------
    topics
        Names of this gym.
    session
        Id of the running session, in every message.
    client, outbox, board
        Where live messages, events and retained messages go.
    archive
        Where events are kept besides; None: nowhere.
    """

    def __init__(
        self,
        topics: Topics,
        session: str,
        client: LiveWay,
        outbox: EventWay,
        board: RetainedWay,
        archive: ArchiveWay | None = None,
    ) -> None:
        self.topics = topics
        self.session = session
        self.live_dropped = 0
        self._client = client
        self._outbox = outbox
        self._board = board
        self._archive = archive
        self._sequence: Counter[str] = Counter()

    async def publish(self, messages: Iterable[Outgoing], *, live: bool = True) -> None:
        """Send messages; events are on the disk when this returns.

        Parameters
        ----------
        messages
            In the order they happened.
        live
            False while a frame log is read again: what was live then is of no interest now.

        Raises
        ------
        ValueError
            An event without an id or a payload, or a live message without a payload.
        """
        events: list[OutgoingEvent] = []
        for message in messages:
            delivery = DELIVERY[message.channel]
            topic = self.topics.topic(message.channel, **message.ids)
            if message.channel is Channel.PRESCRIPTION and self._archive is not None:
                self._archive.take_prescription(self.session, message)
            if delivery.retain:
                self._board.put(topic, self._body(topic, message, message.data) if message.data else b"")
                continue
            if message.data is None:
                raise ValueError(f"nothing is retained on {topic} that could be taken back")
            if delivery.is_event:
                if message.event_id is None:
                    raise ValueError(f"an event on {topic} needs an id")
                if self._archive is not None:
                    self._archive.take(self.session, message)
                body = self._body(topic, message, message.data)
                events.append(OutgoingEvent(message.event_id, message.revision, topic, body))
            elif live and not self._client.publish_live(topic, self._body(topic, message, message.data)):
                self.live_dropped += 1
        if events:
            await self._outbox.put(*events)

    def _body(self, topic: str, message: Outgoing, data: msgspec.Struct) -> bytes:
        sequence = self._sequence[topic]
        self._sequence[topic] += 1
        identifier = message.event_id or message_id(
            message.sample_time_ms, session=self.session, topic=topic, seq=sequence
        )
        return encode(
            envelope(
                data,
                message_id=identifier,
                sample_time_ms=message.sample_time_ms,
                session=self.session,
                seq=sequence,
            )
        )


async def outbox_emptied(outbox: Outbox, longest_s: float) -> bool:
    """Wait until the broker has every event; False where some still wait on the disk after `longest_s`."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(longest_s):
            while await outbox.pending():  # noqa: ASYNC110 - the outbox itself waits for the broker
                await asyncio.sleep(0.05)
            return True
    log.warning("%d events wait on the disk for the broker", await outbox.pending())
    return False
