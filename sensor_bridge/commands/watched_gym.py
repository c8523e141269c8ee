"""What ``hipline watch`` knows: messages in, the picture of all athletes and a line an event out. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sensor_bridge.commands.watch_words import (
    exercise_words,
    fault_words,
    is_in_trouble,
    of_target,
    placement_words,
    printable,
    range_words,
    sensor_words,
    tempo_words,
    verdict,
)
from sensor_bridge.mqtt import payloads
from sensor_bridge.mqtt.payloads import PayloadError, decode
from sensor_bridge.mqtt.topics import Channel, UnknownTopic, parse

if TYPE_CHECKING:
    from sensor_bridge.mqtt.payloads import Envelope
    from sensor_bridge.mqtt.settings import Message

WATCHED = (
    Channel.STATE,
    Channel.LIVE,
    Channel.REPETITION,
    Channel.SET,
    Channel.FAULT,
    Channel.SENSOR_STATUS,
    Channel.SERVICE_STATUS,
)
"""The channels to subscribe to."""


@dataclass(slots=True)
class WatchedAthlete:
    """One athlete as last heard of.

    Parameters
    ----------
    athlete_id
        Pseudonym.
    session, newest_ms
        The session, and the newest sample time heard of in it, UTC ms.
    state, live
        The last of each.
    state_ms
        Sample time of the state, UTC ms.
    live_arrived_s
        When the last live message came, on the watcher's clock.
    last_repetition
        The highest one that stands.
    known
        Repetitions heard of, by event id, each in its highest revision.
    """

    athlete_id: str
    session: str = ""
    newest_ms: float = 0.0
    state: payloads.AthleteState | None = None
    state_ms: float = 0.0
    live: payloads.Live | None = None
    live_arrived_s: float | None = None
    last_repetition: payloads.Repetition | None = None
    known: dict[str, payloads.Repetition] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """As people say it, safe to print."""
        return printable(self.state.name if self.state and self.state.name else self.athlete_id)

    @property
    def target(self) -> payloads.Target:
        """What was asked; all open where nothing was."""
        return (self.state and self.state.target) or payloads.Target()

    @property
    def progress(self) -> tuple[payloads.Phase, int, int]:
        """Phase, set and repetitions, from whichever message spoke last."""
        if self.live is not None and (self.state is None or self.live.t_ms >= self.state_ms):
            return self.live.phase, self.live.set, self.live.repetition
        if self.state is not None:
            return self.state.phase, self.state.set, self.state.repetition
        return "unknown", 0, 0

    @property
    def lowering_s(self) -> float | None:
        """How long the lowering under way has lasted at the newest sample, s; None while there is none."""
        live = self.live
        if live is None or live.eccentric_start_ms is None or self.progress[0] != "eccentric":
            return None
        return max(0.0, (live.t_ms - live.eccentric_start_ms) / 1000.0)


class WatchedGym:
    """Everything heard so far."""

    def __init__(self) -> None:
        self.athletes: dict[str, WatchedAthlete] = {}
        self.sensors: dict[str, payloads.SensorStatus] = {}
        self.services: dict[str, payloads.ServiceStatus] = {}
        self.unreadable = 0

    def take(self, message: Message, now_s: float) -> list[str]:
        """Take in a message; return a line for people where it tells an event.

        Parameters
        ----------
        message
            As received.
        now_s
            The watcher's clock, s.
        """
        try:
            address = parse(message.topic)
            channel = address.channel
            (subject,) = address.ids.values()
            if not message.payload:
                self._remove(channel, subject)
                return []
            envelope = decode(channel, message.payload)
        except (UnknownTopic, PayloadError):
            self.unreadable += 1
            return []
        data = envelope.data
        if isinstance(data, payloads.SensorStatus):
            return self._sensor(envelope.ts, data)
        if isinstance(data, payloads.ServiceStatus):
            return self._service(envelope.ts, subject, data)
        return self._athlete(subject, envelope, now_s)

    def sensors_of(self, athlete_id: str) -> list[payloads.SensorStatus]:
        """List an athlete's sensors by placement."""
        worn = [sensor for sensor in self.sensors.values() if sensor.athlete == athlete_id]
        return sorted(worn, key=lambda sensor: (sensor.placement, sensor.sensor))

    def alarms(self) -> list[str]:
        """List what is wrong with the services."""
        lines = []
        for name, status in sorted(self.services.items()):
            if status.state == "offline":
                lines.append(f"{name} is offline")
            lines += [f"{name}: {printable(alarm)}" for alarm in status.alarms]
        return lines

    def _remove(self, channel: Channel, subject: str) -> None:
        if channel is Channel.STATE:
            self.athletes.pop(subject, None)
        elif channel is Channel.SENSOR_STATUS:
            self.sensors.pop(subject, None)
        elif channel is Channel.SERVICE_STATUS:
            self.services.pop(subject, None)

    def _sensor(self, ts: str, data: payloads.SensorStatus) -> list[str]:
        before, self.sensors[data.sensor] = self.sensors.get(data.sensor), data
        if before and _is_as_before(before, data):
            return []
        athlete = self.athletes.get(data.athlete)
        owner = athlete.name if athlete else data.athlete
        return [f"{ts} {owner}: sensor on the {placement_words(data.placement)}: {sensor_words(data)}"]

    def _service(self, ts: str, name: str, data: payloads.ServiceStatus) -> list[str]:
        before, self.services[name] = self.services.get(name), data
        lines = [] if before and before.state == data.state else [f"{ts} {name} is {data.state}"]
        old = before.alarms if before else []
        return lines + [f"{ts} {name}: {printable(alarm)}" for alarm in data.alarms if alarm not in old]

    def _athlete(self, athlete_id: str, envelope: Envelope[Any], now_s: float) -> list[str]:
        athlete = self.athletes.get(athlete_id) or WatchedAthlete(athlete_id)
        time_ms = datetime.fromisoformat(envelope.ts).timestamp() * 1000.0
        if envelope.session != athlete.session:
            # An event of the former session that was kept for later must not wipe the present one.
            if athlete.session and time_ms < athlete.newest_ms:
                return []
            athlete = WatchedAthlete(athlete_id, session=envelope.session)
        self.athletes[athlete_id] = athlete
        athlete.newest_ms = max(athlete.newest_ms, time_ms)
        data = envelope.data
        if isinstance(data, payloads.Live):
            athlete.live, athlete.live_arrived_s = data, now_s
            return []
        if isinstance(data, payloads.AthleteState):
            return self._state(athlete, envelope.ts, time_ms, data)
        if isinstance(data, payloads.Repetition):
            return self._repetition(athlete, envelope, data)
        if isinstance(data, payloads.SetSummary | payloads.FaultEvent) and data.withdrawn:
            what = f"set {data.set}" if isinstance(data, payloads.SetSummary) else "a movement not counted"
            return [f"{envelope.ts} {athlete.name}: {what}: taken back"]
        if isinstance(data, payloads.SetSummary):
            return [f"{envelope.ts} {athlete.name}: {_set_words(data)}"] if data.final else []
        if isinstance(data, payloads.FaultEvent):
            said = printable(data.text) or fault_words(data.code, data.value)
            after = f"after repetition {data.repetition}, " if data.repetition else ""
            return [f"{envelope.ts} {athlete.name}: {after}{said}"]
        return []

    def _state(
        self, athlete: WatchedAthlete, ts: str, time_ms: float, data: payloads.AthleteState
    ) -> list[str]:
        is_first = athlete.state is None
        if is_first or time_ms >= athlete.state_ms:
            athlete.state, athlete.state_ms = data, time_ms
            athlete.last_repetition = data.last_repetition
        if not is_first:
            return []
        target = athlete.target
        parts = [exercise_words(data.exercise, data.side)]
        if data.set:
            parts.append(f"set {of_target(data.set, target.sets)}")
            parts.append(f"repetition {of_target(data.repetition, target.repetitions)}")
        return [f"{ts} {athlete.name}: {', '.join(parts)}"]

    def _repetition(
        self, athlete: WatchedAthlete, envelope: Envelope[Any], data: payloads.Repetition
    ) -> list[str]:
        before = athlete.known.get(envelope.id)
        if before is not None and before.revision >= data.revision:
            return []
        athlete.known[envelope.id] = data
        last = athlete.last_repetition
        if last is None or (data.set, data.repetition) >= (last.set, last.repetition):
            # Which one is the last after a withdrawal is said by the state, which follows.
            athlete.last_repetition = None if data.status == "withdrawn" else data
        words = _repetition_words(data, athlete.target)
        if before is None or data.status == "withdrawn":
            return [f"{envelope.ts} {athlete.name}: {words}"]
        if words == _repetition_words(before, athlete.target):
            return []
        return [f"{envelope.ts} {athlete.name}: {words} (measured again)"]


def _is_as_before(before: payloads.SensorStatus, now: payloads.SensorStatus) -> bool:
    return (before.link, before.reason, is_in_trouble(before)) == (now.link, now.reason, is_in_trouble(now))


def _repetition_words(data: payloads.Repetition, target: payloads.Target) -> str:
    place = f"set {data.set}, repetition {of_target(data.repetition, target.repetitions)}"
    if data.status == "withdrawn":
        return f"{place}: {verdict(data).sentence}"
    measured = [words for words in (tempo_words(data), range_words(data)) if words]
    return f"{place}: {', '.join(measured)}: {verdict(data).sentence}"


def _set_words(data: payloads.SetSummary) -> str:
    count = f"{data.repetitions} repetition{'' if data.repetitions == 1 else 's'}"
    parts = [f"set {data.set} is over: {count} of {exercise_words(data.exercise, data.side)}"]
    if data.mean_eccentric_s is not None:
        parts.append(f"{data.mean_eccentric_s:.1f} s down on average")
    if data.tut_s is not None:
        parts.append(f"{data.tut_s:.0f} s under tension")
    return ", ".join(parts)
