"""The first packet of an MQTT connection, taken apart before the broker sees it (MQTT 3.1.1, section 3.1)."""

from __future__ import annotations

from dataclasses import dataclass, field

CONNECT = 0x10
ANSWER_NOT_AUTHORIZED = b"\x20\x02\x00\x05"
ANSWER_WRONG_VERSION = b"\x20\x02\x00\x01"
ANSWER_WRONG_VERSION_5 = b"\x20\x03\x00\x84\x00"
VERSION_311, VERSION_5 = 4, 5

_USERNAME, _PASSWORD, _WILL, _CLEAN, _RESERVED = 0x80, 0x40, 0x04, 0x02, 0x01


class MalformedGreeting(ValueError):  # noqa: N818 - named for what was met, like the rest of the error tree
    """Not a CONNECT of MQTT."""


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a CONNECT says; of other versions than 3.1.1 only the version is known.

    Attributes
    ----------
    version
        Protocol level: 4 is MQTT 3.1.1, 5 is MQTT 5.
    client_id
        As the client calls itself.
    username, password
        None where there is none.
    will_topic
        Where the last will is to go, if there is one.
    keepalive_s
        The longest silence the client announces; 0: none.
    """

    version: int
    client_id: str = ""
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    will_topic: str | None = None
    keepalive_s: int = 0
    _before_id: bytes = field(default=b"", repr=False)
    _after_id: bytes = field(default=b"", repr=False)

    def packet(self, client_id: str) -> bytes:
        """Write the same greeting under another client id."""
        name = client_id.encode()
        body = self._before_id + len(name).to_bytes(2, "big") + name + self._after_id
        return bytes([CONNECT]) + _length(len(body)) + body


def parse_greeting(body: bytes) -> Greeting:
    """Take the body of a CONNECT apart: all behind the fixed header.

    Raises
    ------
    MalformedGreeting
        It is none.
    """
    rest = _Rest(body)
    if rest.binary() != b"MQTT":
        raise MalformedGreeting("another protocol")
    version = rest.byte()
    if version != VERSION_311:
        return Greeting(version)
    flags = rest.byte()
    keepalive_s = rest.number()
    before_id = rest.taken()
    client_id = rest.text()
    after = rest.position
    if flags & _RESERVED or (flags & _PASSWORD and not flags & _USERNAME):
        raise MalformedGreeting("flags that do not go together")
    will_topic = None
    if flags & _WILL:
        will_topic = rest.text()
        rest.binary()
    username = rest.text() if flags & _USERNAME else None
    password = rest.text() if flags & _PASSWORD else None
    if rest.left:
        raise MalformedGreeting("more than it should hold")
    return Greeting(
        version,
        client_id,
        username,
        password,
        will_topic,
        keepalive_s,
        _before_id=before_id,
        _after_id=body[after:],
    )


class _Rest:
    """What has not been read yet of a packet."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.position = 0

    @property
    def left(self) -> int:
        return len(self._body) - self.position

    def taken(self) -> bytes:
        return self._body[: self.position]

    def byte(self) -> int:
        return self._take(1)[0]

    def number(self) -> int:
        return int.from_bytes(self._take(2), "big")

    def binary(self) -> bytes:
        return self._take(self.number())

    def text(self) -> str:
        try:
            text = self.binary().decode()
        except UnicodeDecodeError as error:
            raise MalformedGreeting("text that is no UTF-8") from error
        if "\0" in text:
            raise MalformedGreeting("text with a null character")
        return text

    def _take(self, length: int) -> bytes:
        if length > self.left:
            raise MalformedGreeting("less than it should hold")
        self.position += length
        return self._body[self.position - length : self.position]


def _length(number: int) -> bytes:
    """Encode a remaining length (section 2.2.3)."""
    encoded = bytearray()
    while True:
        number, digit = divmod(number, 128)
        encoded.append(digit | (128 if number else 0))
        if not number:
            return bytes(encoded)
