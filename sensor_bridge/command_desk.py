"""Where commands arrive and answers leave.

A command is checked, written into the frame log, and executed in its turn between the frames of the sensors:
read again after a crash, the log has the same effects, and the answers are known again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec

from sensor_bridge.ble.link import FrameKind, ReceivedFrame
from sensor_bridge.errors import BridgeError, BrokerRefused, BrokerUnavailable
from sensor_bridge.given_command import Answer, GivenCommand
from sensor_bridge.mqtt.command_payloads import ArgumentError, Command, Identify, Response
from sensor_bridge.mqtt.event_ids import message_id
from sensor_bridge.mqtt.payloads import Envelope, PayloadError, decode, encode, envelope
from sensor_bridge.mqtt.topics import Channel, UnknownTopic, is_valid_id, parse

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from sensor_bridge.athlete_session import AthleteSession
    from sensor_bridge.mqtt.client import MqttClient
    from sensor_bridge.mqtt.settings import Message
    from sensor_bridge.mqtt.topics import Topics
    from sensor_bridge.outgoing import Outgoing
    from sensor_bridge.prescribed import PrescriptionStore

log = logging.getLogger(__name__)

_LONGEST_AGE_S: Final = 10.0
_LARGEST_BYTES: Final = 8192
_LONGEST_CORRELATION: Final = 1024
_IDENTIFY_S: Final = 5
_HURRY_S: Final = 0.5
_REMEMBERED: Final = 1000  # answers; older requests are stale long before
_MOST_WAITING: Final = 100  # answers that no broker takes, and commands not yet executed
_COMPLAIN_EVERY: Final = 100


class _Sender(msgspec.Struct):
    """What is left of a command that is not understood: whom to tell."""

    request: str = ""
    reply_to: str = ""


class _Sent(msgspec.Struct):
    data: _Sender


@dataclass(frozen=True, slots=True)
class _WayBack:
    """Where an answer goes, and what it carries back (MQTT 5)."""

    client: str
    correlation_data: bytes | None = None


class CommandDesk:
    """Takes commands from the broker, has them executed, answers.

    Parameters
    ----------
    service
        Name of this service in topics.
    session
        Id of the running session.
    topics, client
        Where commands come from and answers go.
    sessions
        By athlete.
    identify
        Makes a sensor, by its id, show itself for so many seconds.
    put
        Takes a frame as from a link: into the log, then to :meth:`obey`.
    now_ns
        The clock, UTC ns.
    prescriptions
        Keeps what is prescribed for the sessions to come.
    system_s
        The system's clock, UTC s; given by tests.
    """

    def __init__(
        self,
        service: str,
        session: str,
        topics: Topics,
        client: MqttClient,
        sessions: Mapping[str, AthleteSession],
        identify: Callable[[str, int], Awaitable[None]],
        put: Callable[[ReceivedFrame], None],
        now_ns: Callable[[], int],
        prescriptions: PrescriptionStore,
        system_s: Callable[[], float] = time.time,
    ) -> None:
        self._service = service
        self._session = session
        self._topics = topics
        self._client = client
        self._sessions = sessions
        self._identify = identify
        self._put = put
        self._now_ns = now_ns
        self._prescriptions = prescriptions
        self._system_s = system_s
        self._answers: OrderedDict[tuple[str, str], Answer | None] = OrderedDict()
        self._outgoing: asyncio.Queue[tuple[_WayBack, Response]] = asyncio.Queue(_MOST_WAITING)
        self._ways_back: dict[tuple[str, str], _WayBack] = {}
        self._sequence: Counter[str] = Counter()
        self._n_refused = 0

    async def run(self) -> None:
        """Take commands and answer them, for ever."""
        await self._subscribe()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._send(), name="answers to commands")
            tasks.create_task(self._hurry(), name="commands without samples")
            async for message in self._client.messages():
                self._take(message, tasks)

    def obey(self, frame: ReceivedFrame, *, is_live: bool) -> list[Outgoing]:
        """Execute a command from the log, in its turn; return what follows from it."""
        session = next(
            each
            for each in self._sessions.values()
            if any(sensor.id == frame.sensor_id for sensor in each.athlete.sensors)
        )
        if not frame.payload:
            return session.obey_now()
        try:
            given = GivenCommand.from_bytes(frame.payload)
        except ArgumentError as error:
            log.warning("%s", error)
            return []
        before = session.prescription
        messages, answer = session.command(given, frame.arrival_ns)
        if session.prescription is not before:
            self._prescriptions.keep(session.athlete.id, session.prescription)
        self._remember(given.key, answer)
        if is_live:
            self._answer(given.key, answer)
        return messages

    async def _subscribe(self) -> None:
        try:
            await self._client.subscribe(self._topics.commands(self._service), qos=1)
        except BrokerRefused as error:
            log.error("no commands can be taken: %s", error)  # noqa: TRY400 - the broker's answer says it all

    async def _hurry(self) -> None:
        """Where no samples come, have done what waits for them; the log says when."""
        while True:
            await asyncio.sleep(_HURRY_S)
            now_ns = self._now_ns()
            for session in self._sessions.values():
                if session.is_waiting(now_ns):
                    sensor_id = session.athlete.sensors[0].id
                    self._put(ReceivedFrame(sensor_id, now_ns, FrameKind.COMMAND, b""))

    # Taking ----------------------------------------------------------------------------------------------

    def _take(self, message: Message, tasks: asyncio.TaskGroup) -> None:
        """Check a command; execute it, or have it executed in its turn."""
        key = ("", "")
        way_back = None
        try:
            name = parse(message.topic).ids.get("name", "")
            key = _sender(message.payload)
            way_back = _WayBack(key[0], message.correlation_data)
            way_back = self._asked_way_back(message, way_back)
            given, given_s = _read(name, message)
            if given.key not in self._answers:
                self._check(given, given_s)
        except (UnknownTopic, PayloadError, ArgumentError) as error:
            if self._n_refused % _COMPLAIN_EVERY == 0:
                log.warning("a command on %s was refused: %s", message.topic, error)
            self._n_refused += 1
            if is_valid_id(key[0]):
                self._answer(key, Answer(is_done=False, text=str(error)), way_back)
            return
        if given.key in self._answers:
            answer = self._answers[given.key]
            if answer is not None:  # else it is under way, and will be answered
                self._answer(given.key, answer, way_back)
            return
        self._ways_back[given.key] = way_back
        self._remember(given.key, None)
        if isinstance(given.arguments, Identify):
            tasks.create_task(self._show(given, given.arguments.sensor), name=f"identify {given.request}")
        else:
            athlete = self._sessions[given.arguments.athlete].athlete
            self._put(
                ReceivedFrame(athlete.sensors[0].id, self._now_ns(), FrameKind.COMMAND, given.to_bytes())
            )

    def _asked_way_back(self, message: Message, usual: _WayBack) -> _WayBack:
        if len(usual.correlation_data or b"") > _LONGEST_CORRELATION:
            raise ArgumentError(f"correlation data may have {_LONGEST_CORRELATION} bytes")
        # Elsewhere the bridge may publish, but whoever asks may not.
        if message.response_topic is None:
            return usual
        below = f"{self._topics.root}/svc/{self._service}/rsp/"
        client = message.response_topic.removeprefix(below)
        if client == message.response_topic or not is_valid_id(client):
            raise ArgumentError(f"a response topic has to be {below}<client>")
        return replace(usual, client=client)

    def _check(self, given: GivenCommand, given_s: float) -> None:
        """Refuse what is stale, too much, or about nobody here; `given_s` is when it was given, UTC s."""
        # The page goes by the session's clock, programs by the system's, which a person may have set since.
        age_s = min(self._now_ns() / 1e9 - given_s, self._system_s() - given_s, key=abs)
        if age_s > _LONGEST_AGE_S:
            raise ArgumentError(f"this command is {age_s:.0f} s old: give it again, or set the clock there")
        if age_s < -_LONGEST_AGE_S:
            raise ArgumentError(f"this command comes {-age_s:.0f} s out of the future: set the clock there")
        if sum(answer is None for answer in self._answers.values()) >= _MOST_WAITING:
            raise ArgumentError("too many commands at once: wait for the answers")
        if isinstance(given.arguments, Identify):
            worn = {sensor.id for each in self._sessions.values() for sensor in each.athlete.sensors}
            if given.arguments.sensor not in worn:
                raise ArgumentError(f"there is no sensor {given.arguments.sensor} here")
        elif given.arguments.athlete not in self._sessions:
            raise ArgumentError(f"there is no athlete {given.arguments.athlete} here")

    async def _show(self, given: GivenCommand, sensor_id: str) -> None:
        try:
            await self._identify(sensor_id, _IDENTIFY_S)
        except BridgeError as error:
            answer = Answer(is_done=False, text=str(error))
        else:
            answer = Answer(is_done=True, text=f"{sensor_id} shows itself for {_IDENTIFY_S} s")
        self._remember(given.key, answer)
        self._answer(given.key, answer)

    # Answering -------------------------------------------------------------------------------------------

    def _remember(self, key: tuple[str, str], answer: Answer | None) -> None:
        self._answers[key] = answer
        self._answers.move_to_end(key)
        while len(self._answers) > _REMEMBERED:
            forgotten, _ = self._answers.popitem(last=False)
            self._ways_back.pop(forgotten, None)

    def _answer(self, key: tuple[str, str], answer: Answer, way_back: _WayBack | None = None) -> None:
        reply_to, request = key
        response = Response(request=request, ok=answer.is_done, text=answer.text)
        way_back = way_back or self._ways_back.pop(key, None) or _WayBack(reply_to)
        if self._outgoing.full():  # no broker: whoever asks again is answered again
            self._outgoing.get_nowait()
        self._outgoing.put_nowait((way_back, response))

    async def _send(self) -> None:
        while True:
            way_back, response = await self._outgoing.get()
            topic = self._topics.response(self._service, way_back.client)
            now_ms, sequence = self._now_ns() / 1e6, self._sequence[topic]
            if len(self._sequence) > _REMEMBERED:
                self._sequence.clear()
            self._sequence[topic] = sequence + 1
            body = encode(
                envelope(
                    response,
                    message_id=message_id(now_ms, session=self._session, topic=topic, seq=sequence),
                    sample_time_ms=now_ms,
                    session=self._session,
                    seq=sequence,
                )
            )
            try:
                await self._client.publish(topic, body, correlation_data=way_back.correlation_data)
            except (BrokerUnavailable, BrokerRefused) as error:
                log.info("an answer to %s was lost: %s", way_back.client, error)


def _sender(payload: bytes) -> tuple[str, str]:
    """Find out whom to answer, whatever else is wrong with a command."""
    try:
        sender = msgspec.json.decode(payload, type=_Sent).data
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "", ""
    return sender.reply_to, sender.request[:64]


def _read(name: str, message: Message) -> tuple[GivenCommand, float]:
    """Read a command, and when it was given, UTC s."""
    if message.retained:
        raise ArgumentError("a command must not be retained: publish it without")
    if len(message.payload) > _LARGEST_BYTES:
        raise ArgumentError(f"a command may have {_LARGEST_BYTES} bytes, not {len(message.payload)}")
    told: Envelope[Command] = decode(Channel.COMMAND, message.payload)
    return GivenCommand.read(name, told.data), _timestamp_s(told.ts)


def _timestamp_s(text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise ArgumentError("ts is no time there is") from None
