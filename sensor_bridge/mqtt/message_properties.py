"""What a message says of itself to a broker of MQTT 5. Pure.

All of it is copied from the payload or from the topic: on 3.1.1 nothing is missing.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from sensor_bridge.mqtt.topics import DELIVERY, ROOT, Channel, UnknownTopic, parse

CONTENT_TYPE = "application/json"
SCHEMA_PROPERTY = "schema"


@dataclass(frozen=True, slots=True)
class MessageProperties:
    """Properties of a PUBLISH (MQTT 5.0, section 3.3.2.3).

    Attributes
    ----------
    expiry_s
        After so long the broker no longer delivers it; None: always.
    content_type
        Of the payload.
    user
        User properties, by name.
    """

    expiry_s: int | None
    content_type: str
    user: tuple[tuple[str, str], ...]


def schema_id(channel: Channel) -> str:
    """Return the ``$id`` of the schema of a channel's messages; the version of the schemas is in it."""
    return f"urn:{ROOT.replace('/', ':')}:{channel.name.lower()}"


@functools.lru_cache(maxsize=4096)
def properties_of(topic: str) -> MessageProperties:
    """Return the properties of the messages on a topic; one that is not ours only tells that it is JSON."""
    try:
        channel = parse(topic).channel
    except UnknownTopic:
        return MessageProperties(None, CONTENT_TYPE, ())
    return MessageProperties(
        DELIVERY[channel].expiry_s, CONTENT_TYPE, ((SCHEMA_PROPERTY, schema_id(channel)),)
    )
