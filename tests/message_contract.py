"""Holds messages seen at a broker to the contract: topic, schema, and what MQTT 5 says beside them."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

import jsonschema

from sensor_bridge.mqtt.command_payloads import COMMANDS
from sensor_bridge.mqtt.message_properties import properties_of
from sensor_bridge.mqtt.schemas import command_schema, schema
from sensor_bridge.mqtt.topics import DELIVERY, Channel, UnknownTopic, parse

if TYPE_CHECKING:
    from paho.mqtt.properties import Properties


def assert_kept(topic: str, body: bytes, *, retained: bool = False) -> None:
    """Fail, saying what is wrong, where a message is not what its topic promises.

    Parameters
    ----------
    topic, body
        As received.
    retained
        Whether it came because the broker had kept it.
    """
    try:
        address = parse(topic)
    except UnknownTopic as error:
        raise AssertionError(f"{error}: {body!r}") from None
    is_kept = DELIVERY[address.channel].retain
    assert is_kept or not retained, f"{topic} is retained"
    if not body:
        assert is_kept, f"{topic}: nothing is retained there that could be taken back"
        return
    message = json.loads(body, parse_constant=_refuse)
    validator = _validator(address.channel, address.ids.get("name"))
    for error in validator.iter_errors(message):
        raise AssertionError(f"{topic}: {error.json_path}: {error.message} in {body!r}")
    for role in ("athlete", "sensor"):
        if role in address.ids:
            told = message["data"].get(role, address.ids[role])
            assert told == address.ids[role], f"{topic} tells of {told}"


def assert_told(topic: str, body: bytes, said: Properties | None) -> None:
    """Fail where a message of the bridge came without its MQTT 5 properties, or with others."""
    if not body or parse(topic).channel is Channel.COMMAND:  # commands come from others, over 3.1.1 too
        return
    told = properties_of(topic)
    found: Any = said
    assert found is not None, f"{topic} says nothing of itself"
    assert getattr(found, "ContentType", None) == told.content_type, topic
    assert tuple(getattr(found, "UserProperty", ())) == told.user, topic
    left = getattr(found, "MessageExpiryInterval", None)
    assert (left is None) == (told.expiry_s is None), f"{topic} expires in {left} s"
    assert left is None or told.expiry_s is None or left <= told.expiry_s, f"{topic} expires in {left} s"


@functools.cache
def _validator(channel: Channel, name: str | None) -> jsonschema.Draft202012Validator:
    # A command nobody knows has to be a command all the same: it is answered.
    known = channel is Channel.COMMAND and name in COMMANDS
    return jsonschema.Draft202012Validator(command_schema(str(name)) if known else schema(channel))


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")
