"""Where each message goes: building, reading and matching topic names. Pure.

Every topic starts with ``hipline/v1/<gym>/``. Identifiers in topics are opaque pseudonyms of ``[a-z0-9-]``;
people's names belong into payloads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

ROOT = "hipline/v1"
ID_PATTERN = r"[a-z0-9][a-z0-9-]{0,62}"

_ID = re.compile(ID_PATTERN)


class UnknownTopic(ValueError):  # noqa: N818 - named for what was met, like the rest of the error tree
    """A topic that is not one of ours."""


class Channel(Enum):
    """What a topic carries; the value is the topic below the gym, and `CHANNELS` says how it is sent."""

    SERVICE_STATUS = "svc/{service}/status"
    COMMAND = "svc/{service}/cmd/{name}"
    RESPONSE = "svc/{service}/rsp/{client}"
    SENSOR_STATUS = "sensor/{sensor}/status"
    LIVE = "athlete/{athlete}/live"
    REPETITION = "athlete/{athlete}/rep"
    SET = "athlete/{athlete}/set"
    FAULT = "athlete/{athlete}/fault"
    NOTE = "athlete/{athlete}/note"
    STATE = "athlete/{athlete}/state"
    PRESCRIPTION = "athlete/{athlete}/prescription"
    CALIBRATION = "athlete/{athlete}/calibration"


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the messages of a channel are sent.

    Attributes
    ----------
    qos
        MQTT quality of service the publisher uses; subscribe with the same.
    retain
        Whether the broker keeps the last message for late joiners.
    is_event
        Events go through the outbox: each arrives at least once, whatever stops in between.
    expiry_s
        On MQTT 5 the broker delivers it no later than so long after it came, in s; None: no limit.
    """

    qos: int
    retain: bool
    is_event: bool = False
    expiry_s: int | None = None


DELIVERY: dict[Channel, Delivery] = {
    Channel.SERVICE_STATUS: Delivery(qos=1, retain=True),
    Channel.COMMAND: Delivery(qos=1, retain=False, expiry_s=10),
    Channel.RESPONSE: Delivery(qos=1, retain=False, expiry_s=10),
    Channel.SENSOR_STATUS: Delivery(qos=1, retain=True),
    Channel.LIVE: Delivery(qos=0, retain=False, expiry_s=2),
    Channel.REPETITION: Delivery(qos=1, retain=False, is_event=True),
    Channel.SET: Delivery(qos=1, retain=False, is_event=True),
    Channel.FAULT: Delivery(qos=1, retain=False, is_event=True),
    Channel.NOTE: Delivery(qos=1, retain=False, is_event=True),
    Channel.STATE: Delivery(qos=1, retain=True),
    Channel.PRESCRIPTION: Delivery(qos=1, retain=True),
    Channel.CALIBRATION: Delivery(qos=1, retain=True),
}


def is_valid_id(text: str) -> bool:
    """Whether `text` may stand in a topic: 1 to 63 of a-z, 0-9 and ``-``, not starting with ``-``."""
    return _ID.fullmatch(text) is not None


def checked_id(text: str, *, what: str = "identifier") -> str:
    """Return `text` if it may stand in a topic.

    Raises
    ------
    ValueError
        Naming `what` was wrong and what is allowed.
    """
    if not is_valid_id(text):
        raise ValueError(f"{what} {text!r} may hold only a-z, 0-9 and '-' (1 to 63, not starting with '-')")
    return text


@dataclass(frozen=True, slots=True)
class Address:
    """A topic taken apart: which gym, which channel, and the identifiers in it by their role."""

    gym: str
    channel: Channel
    ids: dict[str, str]


@dataclass(frozen=True, slots=True)
class Topics:
    """The topic names of one gym."""

    gym: str

    def __post_init__(self) -> None:
        checked_id(self.gym, what="gym")

    @property
    def root(self) -> str:
        """The prefix of all topics of this gym, without a trailing slash."""
        return f"{ROOT}/{self.gym}"

    @property
    def everything(self) -> str:
        """The filter that matches all topics of this gym."""
        return f"{self.root}/#"

    def topic(self, channel: Channel, **ids: str) -> str:
        """Build the topic of `channel`.

        Parameters
        ----------
        channel
            What the topic carries.
        **ids
            One identifier for each role in the channel's template: ``athlete="a1"``.

        Raises
        ------
        ValueError
            When an identifier is missing, superfluous or may not stand in a topic.
        """
        roles = _roles(channel)
        if set(ids) != set(roles):
            raise ValueError(f"{channel.name} needs the identifiers {sorted(roles)}, got {sorted(ids)}")
        for role, text in ids.items():
            checked_id(text, what=role)
        return f"{self.root}/{channel.value.format(**ids)}"

    def every(self, channel: Channel) -> str:
        """Build the subscription filter for `channel`, whoever sends it."""
        return f"{self.root}/{channel.value.format(**dict.fromkeys(_roles(channel), '+'))}"

    def service_status(self, service: str) -> str:
        """Build the topic of a service's retained status and last will."""
        return self.topic(Channel.SERVICE_STATUS, service=service)

    def sensor_status(self, sensor: str) -> str:
        """Build the topic of a sensor's retained status."""
        return self.topic(Channel.SENSOR_STATUS, sensor=sensor)

    def command(self, service: str, name: str) -> str:
        """Build the topic on which `service` takes the command `name`."""
        return self.topic(Channel.COMMAND, service=service, name=name)

    def commands(self, service: str) -> str:
        """Build the subscription filter for the commands to `service`."""
        return f"{self.root}/svc/{checked_id(service, what='service')}/cmd/+"

    def response(self, service: str, client: str) -> str:
        """Build the topic on which `service` answers the commands of `client`."""
        return self.topic(Channel.RESPONSE, service=service, client=client)

    def live(self, athlete: str) -> str:
        """Build the topic of an athlete's live angles."""
        return self.topic(Channel.LIVE, athlete=athlete)

    def repetition(self, athlete: str) -> str:
        """Build the topic of an athlete's repetition events."""
        return self.topic(Channel.REPETITION, athlete=athlete)

    def set(self, athlete: str) -> str:
        """Build the topic of an athlete's set events."""
        return self.topic(Channel.SET, athlete=athlete)

    def fault(self, athlete: str) -> str:
        """Build the topic of an athlete's fault events."""
        return self.topic(Channel.FAULT, athlete=athlete)

    def note(self, athlete: str) -> str:
        """Build the topic of the notes on an athlete."""
        return self.topic(Channel.NOTE, athlete=athlete)

    def state(self, athlete: str) -> str:
        """Build the topic of an athlete's retained state."""
        return self.topic(Channel.STATE, athlete=athlete)

    def prescription(self, athlete: str) -> str:
        """Build the topic of an athlete's retained prescription."""
        return self.topic(Channel.PRESCRIPTION, athlete=athlete)

    def calibration(self, athlete: str) -> str:
        """Build the topic of an athlete's retained calibration."""
        return self.topic(Channel.CALIBRATION, athlete=athlete)


def parse(topic: str) -> Address:
    """Take a topic apart.

    Raises
    ------
    UnknownTopic
        When the topic is not one of ours.
    """
    for channel, pattern in _PATTERNS.items():
        found = pattern.fullmatch(topic)
        if found:
            ids = found.groupdict()
            return Address(gym=ids.pop("gym"), channel=channel, ids=ids)
    raise UnknownTopic(f"{topic!r} is not a topic of {ROOT}")


def is_valid_filter(text: str) -> bool:
    """Whether `text` is a well-formed MQTT topic filter (MQTT 3.1.1, section 4.7)."""
    if not text or "\0" in text:
        return False
    levels = text.split("/")
    for position, level in enumerate(levels):
        if "#" in level and (level != "#" or position != len(levels) - 1):
            return False
        if "+" in level and level != "+":
            return False
    return True


def matches(topic: str, topic_filter: str) -> bool:
    """Whether a message on `topic` is delivered to a subscription to `topic_filter`."""
    return "+" not in topic and "#" not in topic and covers(topic_filter, topic)


def covers(granted: str, requested: str) -> bool:
    """Whether every topic that the filter `requested` matches is also matched by the filter `granted`.

    A plain topic is a filter that matches itself. Malformed filters are covered by nothing and cover nothing.
    """
    if not is_valid_filter(granted) or not is_valid_filter(requested):
        return False
    have, want = granted.split("/"), requested.split("/")
    # Topics that begin with $ belong to the broker: a leading wildcard does not reach them (4.7.2).
    if want[0].startswith("$") and have[0] in {"+", "#"}:
        return False
    for position, level in enumerate(have):
        if level == "#":
            return True
        if position >= len(want):
            return False
        wanted = want[position]
        if wanted == "#" or (level not in {"+", wanted}):
            return False
    return len(want) == len(have)


def _roles(channel: Channel) -> list[str]:
    return re.findall(r"{(\w+)}", channel.value)


def _pattern(channel: Channel) -> re.Pattern[str]:
    template = re.sub(r"{(\w+)}", rf"(?P<\1>{ID_PATTERN})", channel.value)
    return re.compile(f"{re.escape(ROOT)}/(?P<gym>{ID_PATTERN})/{template}")


_PATTERNS = {channel: _pattern(channel) for channel in Channel}
