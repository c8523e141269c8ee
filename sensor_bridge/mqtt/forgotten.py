"""Retained messages of athletes who are forgotten: found on the broker, and cleared.

Where no broker answers, marks stay in the data folder until the bridge meets it again. They do not hold the
ids of athlete and sensors, only salted digests to know them by.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import re
import time
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from sensor_bridge.errors import BrokerRefused, BrokerUnavailable
from sensor_bridge.mqtt.client import MqttClient
from sensor_bridge.mqtt.command_payloads import Response
from sensor_bridge.mqtt.event_ids import message_id
from sensor_bridge.mqtt.payloads import encode, envelope
from sensor_bridge.mqtt.topics import ID_PATTERN, ROOT, Topics
from sensor_bridge.mqtt.users import SERVICE
from sensor_bridge.private_file import write_private

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

    from sensor_bridge.config import Config
    from sensor_bridge.mqtt.settings import Message, MqttSettings
    from sensor_bridge.mqtt_access import MqttAccess

log = logging.getLogger(__name__)

_FILE_NAME: Final = "forgotten.json"
_QUIET_S: Final = 0.5
_LONGEST_S: Final = 10.0
_TOPIC = re.compile(rf"{re.escape(ROOT)}/({ID_PATTERN})/(athlete|sensor)/({ID_PATTERN})")
_FIELD = re.compile(rf'"athlete":\s*"({ID_PATTERN})"')


class ForgottenMark(msgspec.Struct, frozen=True):
    """An athlete or sensor of a gym, known by a salted digest of its id."""

    gym: str
    salt: str
    digest: str

    @classmethod
    def of(cls, gym: str, kind: Literal["athlete", "sensor"], name: str) -> ForgottenMark:
        """Make the mark of an athlete or a sensor, by its id."""
        salt = os.urandom(16).hex()
        return cls(gym, salt, _digest(salt, kind, name))

    def is_of(self, gym: str, kind: str, name: str) -> bool:
        """Whether this is the mark of that one."""
        return gym == self.gym and _digest(self.salt, kind, name) == self.digest


def read_marks(data_folder: Path) -> list[ForgottenMark]:
    """Read what waits for a broker; a file that is not understood is said and left aside."""
    path = data_folder / _FILE_NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[ForgottenMark])
    except FileNotFoundError:
        return []
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        log.warning("%s: not understood, run hipline forget again: %s", path, error)
        return []


def keep_marks(data_folder: Path, marks: list[ForgottenMark]) -> None:
    """Write what waits for a broker.

    Raises
    ------
    BridgeError
        The disk refuses.
    """
    if marks:
        write_private(data_folder / _FILE_NAME, msgspec.json.encode(marks))
    else:
        (data_folder / _FILE_NAME).unlink(missing_ok=True)


async def clear_retained(
    settings: MqttSettings,
    marks: Iterable[ForgottenMark],
    *,
    discovery_prefix: str,
    timeout_s: float | None = None,
) -> int:
    """Clear every retained message that names one of these; return how many there were.

    Parameters
    ----------
    settings
        How to connect, as one who may read and publish all of the gym.
    marks
        Of whom and what.
    discovery_prefix
        Below it are the announcements to Home Assistant.
    timeout_s
        How long to wait for the broker; None: for ever.

    Raises
    ------
    BrokerUnavailable
        Nobody answers.
    BrokerRefused
        We are not let in, or may not read or publish there.
    """
    marks = list(marks)
    if not marks:
        return 0
    echo = Topics(marks[0].gym).response(SERVICE, "forgetting")
    async with MqttClient(settings) as client:
        await client.connected(timeout_s)
        for gym in {mark.gym for mark in marks}:
            await client.subscribe(f"{ROOT}/{gym}/#", qos=1)
        with contextlib.suppress(BrokerRefused):  # announcements that are not there, or not for us to see
            await client.subscribe(f"{discovery_prefix}/#", qos=1)
        found = {
            message.topic
            async for message in _retained(client, echo)
            if any(mark.is_of(*each) for each in _named(message) for mark in marks)
        }
        for topic in sorted(found):
            await client.publish(topic, b"", qos=1, retain=True)
    return len(found)


async def clear_when_possible(config: Config, access: MqttAccess) -> None:
    """Clear what waits for a broker as soon as there is one; does nothing where nothing waits."""
    data_folder, discovery_prefix = config.data_folder, config.home_assistant.prefix
    marks = read_marks(data_folder)
    if not marks:
        return
    settings = access.bridge_settings(f"{config.gym}-{SERVICE}-forgetting")
    try:
        cleared = await clear_retained(settings, marks, discovery_prefix=discovery_prefix)
    except (BrokerUnavailable, BrokerRefused) as error:
        log.warning("retained messages of forgotten athletes are not cleared yet: %s", error)
        return
    log.info("%d retained messages of forgotten athletes are cleared", cleared)
    keep_marks(data_folder, [each for each in read_marks(data_folder) if each not in marks])


async def _retained(client: MqttClient, echo: str) -> AsyncIterator[Message]:
    """Yield the messages that the broker retains.

    They come before what is published after the subscription; an answer to ourselves, on the topic `echo`,
    says that the broker has come so far.
    """
    now_s = asyncio.get_running_loop().time
    longest_s = now_s() + _LONGEST_S
    await client.publish(echo, _answer_to_ourselves(echo), qos=1)
    has_answered = False
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LONGEST_S) as patience:
            async for message in client.messages():
                has_answered = has_answered or message.topic == echo
                if has_answered and (message.retained or message.topic == echo):
                    patience.reschedule(min(longest_s, now_s() + _QUIET_S))
                if message.retained and message.payload:
                    yield message


def _answer_to_ourselves(topic: str) -> bytes:
    now_ms = time.time() * 1e3
    name = message_id(now_ms, session="", topic=topic, seq=0)
    told = Response(request="forgetting", ok=True)
    return encode(envelope(told, message_id=name, sample_time_ms=now_ms, session="", seq=0))


def _named(message: Message) -> set[tuple[str, str, str]]:
    """Find whom a message names in its topic or payload: gym, athlete or sensor, and the id."""
    body = message.payload.decode(errors="replace")
    named = set(_TOPIC.findall(f"{message.topic} {body}"))
    root, _, rest = message.topic.partition(f"{ROOT}/")
    if not root and rest:
        named |= {(rest.partition("/")[0], "athlete", athlete) for athlete in _FIELD.findall(body)}
    return named


def _digest(salt: str, kind: str, name: str) -> str:
    return hashlib.sha256(f"{salt}:{kind}:{name}".encode()).hexdigest()
