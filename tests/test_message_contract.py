"""The check that end-to-end tests run over all they hear lets nothing through that is not in the contract."""

from __future__ import annotations

import json
from typing import Any

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from sensor_bridge.mqtt.examples import Example, examples
from sensor_bridge.mqtt.topics import DELIVERY, Channel
from tests.message_contract import assert_kept, assert_told

EXAMPLES = examples()
LIVE, COMMAND = (
    next(example for example in EXAMPLES if example.channel is channel)
    for channel in (Channel.LIVE, Channel.COMMAND)
)


def body(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode()


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.topic for example in EXAMPLES])
def test_what_the_contract_shows_is_kept(example: Example) -> None:
    assert_kept(example.topic, body(example.message), retained=DELIVERY[example.channel].retain)


@pytest.mark.parametrize(
    ("topic", "changed", "said"),
    [
        ("hipline/v1/gym-1/athlete/a1/pulse", {}, "is not a topic"),
        (LIVE.topic, {"v": 2}, r"\$\.v: 1 was expected"),
        (LIVE.topic, {"ts": "yesterday"}, r"\$\.ts"),
        (LIVE.topic, {"data": {**LIVE.message["data"], "depth": 1.5}}, r"\$\.data\.depth"),
        (LIVE.topic, {"data": {**LIVE.message["data"], "depth": float("nan")}}, "NaN is no JSON"),
        (COMMAND.topic.replace("identify", "undo"), {}, r"\$\.data\.arguments"),
    ],
)
def test_what_breaks_it_is_named(topic: str, changed: dict[str, Any], said: str) -> None:
    example = COMMAND if "/cmd/" in topic else LIVE
    with pytest.raises(AssertionError, match=said):
        assert_kept(topic, body(example.message | changed))


def test_it_sees_what_is_kept_by_mistake_and_what_is_of_others() -> None:
    with pytest.raises(AssertionError, match="live is retained"):
        assert_kept(LIVE.topic, body(LIVE.message), retained=True)
    with pytest.raises(AssertionError, match="nothing is retained there"):
        assert_kept(LIVE.topic, b"")
    state = next(example for example in EXAMPLES if example.channel is Channel.STATE)
    assert_kept(state.topic, b"")
    with pytest.raises(AssertionError, match="a2/state tells of a1"):
        assert_kept(state.topic.replace("a1", "a2"), body(state.message))


def test_it_sees_missing_properties() -> None:
    said = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    said.ContentType = "application/json"
    said.UserProperty = ("schema", "urn:hipline:v1:live")
    said.MessageExpiryInterval = 1
    assert_told(LIVE.topic, b"{}", said)
    assert_told(COMMAND.topic, b"{}", None)
    said.MessageExpiryInterval = 3
    with pytest.raises(AssertionError, match="expires in 3 s"):
        assert_told(LIVE.topic, b"{}", said)
    with pytest.raises(AssertionError, match="says nothing of itself"):
        assert_told(LIVE.topic, b"{}", None)
