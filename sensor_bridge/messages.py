"""What one athlete's measurements say to the world: results of the pipeline in, messages out. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import msgspec
import numpy as np

from analytics.exercises import Exercise, Side
from analytics.pipeline_output import (
    CalibrationEvent,
    RepetitionAborted,
    RepetitionEvent,
    RepetitionWithdrawn,
    SetEvent,
)
from analytics.turning_points import AbortReason
from sensor_bridge.live_angles import LiveAngles
from sensor_bridge.mqtt import payloads
from sensor_bridge.mqtt.event_ids import event_id
from sensor_bridge.mqtt.topics import Channel
from sensor_bridge.result_payloads import (
    brief_payload,
    calibration_payload,
    repetition_payload,
    set_payload,
    target_payload,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from analytics.imu import FloatArray
    from analytics.pipeline_output import LiveState, PipelineEvent, PipelineOutput
    from analytics.prescription import Prescription
    from sensor_bridge.live_angles import LiveSamples

_ABORTED = {
    AbortReason.TOO_SHALLOW: "too shallow",
    AbortReason.TOO_SHORT: "too short",
    AbortReason.POSTURE_CHANGED: "the posture changed",
    AbortReason.UNMEASURED: "data are missing",
}


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message before it is wrapped and sent.

    Parameters
    ----------
    channel, ids
        Where it goes.
    sample_time_ms
        UTC in ms of what it tells.
    data
        The payload; None takes back what is retained there.
    event_id, revision
        Of an event; else None and 0.
    """

    channel: Channel
    ids: Mapping[str, str]
    sample_time_ms: float
    data: msgspec.Struct | None
    event_id: str | None = None
    revision: int = 0


@dataclass(frozen=True, slots=True)
class AthleteCard:
    """Who is measured, and what was asked.

    Parameters
    ----------
    athlete_id, name
        Pseudonym in topics, and the name people read.
    session
        Id of the session.
    sensors
        Ids of the sensors worn.
    prescription
        What was asked; None where nothing was.
    """

    athlete_id: str
    name: str
    session: str
    sensors: tuple[str, ...]
    prescription: Prescription | None = None


@dataclass(slots=True)
class _Told:
    """What was last said of one repetition.

    Parameters
    ----------
    event_id
        Made from the first revision; all others carry it.
    time_ms
        When it closed, UTC ms.
    first_revision
        Revision that the pipeline's revision 0 is told as: a number that was withdrawn is given again, and
        what is told then must outrank what was told before.
    data
        The payload.
    """

    event_id: str
    time_ms: float
    first_revision: int
    data: payloads.Repetition


class AthleteMessages:
    """Turns pipeline output into messages, and keeps the picture a late joiner needs.

    Parameters
    ----------
    card
        Who is measured.
    to_utc_ns
        From the pipeline's timeline to UTC, both integer ns.
    """

    def __init__(self, card: AthleteCard, to_utc_ns: Callable[[int], int]) -> None:
        self._card = card
        self._to_utc_ns = to_utc_ns
        self._ids = {"athlete": card.athlete_id}
        self._told: dict[tuple[int, int], _Told] = {}
        self._set_ids: dict[int, str] = {}
        self._calibrations: dict[str, payloads.SegmentCalibration] = {}
        self._angles = LiveAngles()
        self._live: LiveState | None = None
        asked = card.prescription
        self._exercise = str(asked.exercise if asked else Exercise.OTHER)
        self._side = cast("payloads.Side", str((asked.side if asked else None) or Side.BOTH))
        self._target = target_payload(asked) if asked else None

    def begin(self, now_ms: float) -> list[Outgoing]:
        """Say who is there and what is known; take back what an earlier session left on the broker."""
        messages = [self._state(now_ms)]
        asked = self._target and payloads.Prescription(
            athlete=self._card.athlete_id,
            exercise=self._exercise,
            side=self._side,
            **msgspec.structs.asdict(self._target),
        )
        messages.append(Outgoing(Channel.PRESCRIPTION, self._ids, now_ms, asked))
        if not self._calibrations:
            messages.append(Outgoing(Channel.CALIBRATION, self._ids, now_ms, None))
        return messages

    def tell(self, output: PipelineOutput) -> list[Outgoing]:
        """Turn the answer to one push into messages, in their order."""
        before, self._live = self._live, output.live or self._live
        messages = [message for event in output.events for message in self._event(event)]
        messages += [self._live_message(samples) for samples in self._angles.push(output.angles)]
        if self._live is not None and (output.events or _shown(before) != _shown(self._live)):
            messages.append(self._state(self._ms(self._live.time_ns)))
        return messages

    def _ms(self, time_ns: int) -> float:
        return self._to_utc_ns(time_ns) / 1e6

    def _event(self, event: PipelineEvent) -> list[Outgoing]:
        if isinstance(event, RepetitionEvent):
            return [self._repetition(event)]
        if isinstance(event, RepetitionWithdrawn):
            return self._withdrawn(event)
        if isinstance(event, RepetitionAborted):
            return [self._aborted(event)]
        if isinstance(event, SetEvent):
            return [self._set(event)]
        return [self._calibration(event)]

    def _repetition(self, event: RepetitionEvent) -> Outgoing:
        measured = event.repetition
        place = measured.set_number, measured.repetition_number
        before = self._told.get(place)
        first_revision = before.first_revision if before else 0
        time_ms = self._ms(measured.close_ns)
        data = repetition_payload(
            measured,
            athlete=self._card.athlete_id,
            exercise=self._exercise,
            revision=first_revision + event.revision,
            final=event.final,
            to_ms=self._ms,
        )
        name = before.event_id if before else self._event_id("repetition", time_ms, *place)
        told = self._told[place] = _Told(name, time_ms, first_revision, data)
        return self._repetition_message(told)

    def _withdrawn(self, event: RepetitionWithdrawn) -> list[Outgoing]:
        told = self._told.get((event.set_number, event.repetition_number))
        if told is None or told.data.status == "withdrawn":
            return []
        told.data = msgspec.structs.replace(
            told.data,
            status="withdrawn",
            revision=told.data.revision + 1,
            final=True,
            warnings=[*told.data.warnings, event.reason],
        )
        told.first_revision = told.data.revision + 1
        return [self._repetition_message(told)]

    def _repetition_message(self, told: _Told) -> Outgoing:
        return Outgoing(
            Channel.REPETITION, self._ids, told.time_ms, told.data, told.event_id, told.data.revision
        )

    def _aborted(self, event: RepetitionAborted) -> Outgoing:
        aborted = event.aborted
        time_ms = self._ms(aborted.end_ns)
        depth = f" of {aborted.depth_deg:.0f}°" if np.isfinite(aborted.depth_deg) else ""
        data = payloads.FaultEvent(
            athlete=self._card.athlete_id,
            code="repetition_aborted",
            t_ms=time_ms,
            set=event.set_number,
            repetition=len(self._counted(event.set_number)),
            value=aborted.depth_deg if depth else None,
            kind="measured" if depth else "not_measurable",
            text=f"a movement{depth} was not counted: {_ABORTED[aborted.reason]}",
        )
        name = self._event_id(f"aborted-{aborted.start_ns}", time_ms, event.set_number, None)
        return Outgoing(Channel.FAULT, self._ids, time_ms, data, name)

    def _set(self, event: SetEvent) -> Outgoing:
        data = set_payload(
            event.summary, athlete=self._card.athlete_id, revision=event.revision, to_ms=self._ms
        )
        self._exercise, self._side = data.exercise, data.side
        time_ms = self._ms(event.summary.end_ns)
        name = self._set_ids.setdefault(data.set, self._event_id("set", time_ms, data.set, None))
        return Outgoing(Channel.SET, self._ids, time_ms, data, name, event.revision)

    def _calibration(self, event: CalibrationEvent) -> Outgoing:
        found = calibration_payload(event.calibration)
        self._calibrations[found.placement] = found
        time_ms = self._ms(event.time_ns)
        data = payloads.Calibration(
            athlete=self._card.athlete_id, t_ms=time_ms, calibration=list(self._calibrations.values())
        )
        return Outgoing(Channel.CALIBRATION, self._ids, time_ms, data)

    def _event_id(self, kind: str, time_ms: float, set_number: int, repetition: int | None) -> str:
        return event_id(
            time_ms,
            session=self._card.session,
            athlete=self._card.athlete_id,
            kind=kind,
            set_number=set_number,
            repetition=repetition,
        )

    def _live_message(self, samples: LiveSamples) -> Outgoing:
        live = self._live
        time_ms = self._ms(samples.last_ns)
        onset = live.eccentric_start_ns if live else None
        count = live.count if live else None
        data = payloads.Live(
            t_ms=time_ms,
            rate_hz=samples.rate_hz,
            posture=cast("payloads.Posture", str(live.posture) if live else "unknown"),
            phase=_phase(live),
            set=live.set_number if live else 0,
            repetition=live.repetition_count if live else 0,
            eccentric_start_ms=None if onset is None else self._ms(onset),
            depth=_share(live.depth_fraction if live else None),
            count=count.count if count else None,
            count_of=count.of if count else None,
            early_s=None if count is None or count.early_s is None else round(count.early_s, 2),
            **{name: _rounded(values) for name, values in samples.angles_deg.items()},
        )
        return Outgoing(Channel.LIVE, self._ids, time_ms, data)

    def _counted(self, set_number: int) -> list[payloads.Repetition]:
        """List the repetitions of a set that stand."""
        return [
            told.data
            for (of_set, _), told in sorted(self._told.items())
            if of_set == set_number and told.data.status != "withdrawn"
        ]

    def _last_repetition(self) -> payloads.Repetition | None:
        standing = [place for place, told in self._told.items() if told.data.status != "withdrawn"]
        return self._told[max(standing)].data if standing else None

    def _state(self, time_ms: float) -> Outgoing:
        live = self._live
        current = live.set_number if live else 0
        data = payloads.AthleteState(
            athlete=self._card.athlete_id,
            name=self._card.name,
            session=self._card.session,
            exercise=self._exercise,
            side=self._side,
            set=current,
            repetition=live.repetition_count if live else 0,
            phase=_phase(live),
            target=self._target,
            last_repetition=self._last_repetition(),
            repetitions=[brief_payload(repetition) for repetition in self._counted(current)],
            calibration=list(self._calibrations.values()),
            sensors=list(self._card.sensors),
        )
        return Outgoing(Channel.STATE, self._ids, time_ms, data)


def _shown(live: LiveState | None) -> tuple[object, ...]:
    return () if live is None else (live.phase, live.set_number, live.repetition_count)


def _phase(live: LiveState | None) -> payloads.Phase:
    return cast("payloads.Phase", str(live.phase)) if live else "unknown"


def _share(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else float(min(1.0, max(0.0, value)))


def _rounded(values: FloatArray) -> payloads.Samples | None:
    if not np.isfinite(values).any():
        return None
    return [round(float(value), 2) if np.isfinite(value) else None for value in values]
