from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor_bridge.mqtt.greeting import Greeting, MalformedGreeting, parse_greeting

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)


def string(text: str) -> bytes:
    return len(text.encode()).to_bytes(2, "big") + text.encode()


def connect(client_id: str, username: str | None, password: str | None, will: str | None = None) -> bytes:
    """Write a CONNECT's body (MQTT 3.1.1, section 3.1)."""
    flags = 2 | (0x80 if username is not None else 0) | (0x40 if password is not None else 0)
    flags |= 0x04 if will is not None else 0
    body = string("MQTT") + bytes([4, flags, 0, 15]) + string(client_id)
    if will is not None:
        body += string(will) + string("gone")
    for text in (username, password):
        body += string(text) if text is not None else b""
    return body


@given(TEXT, TEXT, st.none() | TEXT, st.none() | TEXT, TEXT)
def test_what_a_greeting_says_is_read_and_only_the_client_id_changes(
    client_id: str, username: str, password: str | None, will: str | None, other: str
) -> None:
    greeting = parse_greeting(connect(client_id, username, password, will))
    assert (greeting.client_id, greeting.username, greeting.password) == (client_id, username, password)
    assert (greeting.will_topic, greeting.keepalive_s, greeting.version) == (will, 15, 4)
    body = connect(other, username, password, will)
    packet = greeting.packet(other)
    assert packet[0] == 0x10
    assert packet.endswith(body)
    length = packet[1 : len(packet) - len(body)]
    assert sum((digit & 127) << 7 * place for place, digit in enumerate(length)) == len(body)


@given(st.binary(max_size=200))
def test_anything_else_is_refused_and_nothing_more(body: bytes) -> None:
    with contextlib.suppress(MalformedGreeting):
        parse_greeting(body)


@given(st.integers(0, 200))
def test_a_greeting_cut_short_is_refused(length: int) -> None:
    whole = connect("page", "coach", "secret", "will")
    cut = whole[: min(length, len(whole) - 1)]
    with pytest.raises(MalformedGreeting):
        parse_greeting(cut)


@pytest.mark.parametrize(
    "body",
    [
        string("HTTP") + b"\x04\x02\x00\x0f\x00\x00",
        string("MQTT") + b"\x04\x03\x00\x0f\x00\x00",  # the reserved flag
        string("MQTT") + b"\x04\x42\x00\x0f\x00\x00\x00\x01p",  # a password without a user
        string("MQTT") + b"\x04\x02\x00\x0f\x00\x01\xff",
        string("MQTT") + b"\x04\x02\x00\x0f\x00\x01\x00",
        connect("page", "coach", "secret") + b"more",
    ],
)
def test_what_does_not_go_together_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedGreeting):
        parse_greeting(body)


def test_of_other_versions_only_the_version_is_known() -> None:
    assert parse_greeting(string("MQTT") + b"\x05\xff\xff") == Greeting(5)


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(parse_greeting(connect("page", "coach", "secret")))
