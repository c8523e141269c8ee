"""What an athlete's consumers were told of repetitions, sets and movements broken off. Pure.

All revisions of one event carry one id, made from what it was when it was first told.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from analytics.pipeline_output import (
    RepetitionAborted,
    RepetitionEvent,
    RepetitionWithdrawn,
    SetEvent,
)
from analytics.turning_points import AbortReason
from sensor_bridge.mqtt import payloads
from sensor_bridge.mqtt.event_ids import event_id
from sensor_bridge.mqtt.topics import Channel
from sensor_bridge.outgoing import Outgoing
from sensor_bridge.result_payloads import repetition_payload, set_payload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from analytics.repetition_figures import Repetition
    from analytics.repetitions import Aborted
    from analytics.sets import SetSummary

_ABORTED = {
    AbortReason.TOO_SHALLOW: "too shallow",
    AbortReason.TOO_SHORT: "too short",
    AbortReason.POSTURE_CHANGED: "the posture changed",
    AbortReason.UNMEASURED: "data are missing",
}


@dataclass(slots=True)
class Told:
    """What was last said of one event.

    Parameters
    ----------
    channel
        Where it was said.
    event_id
        Made when it was first told; all revisions carry it.
    time_ms
        When it happened, UTC ms.
    span_ms
        From when to when, UTC ms.
    first_revision
        Revision that the pipeline's revision 0 is told as: a number that was withdrawn is given again, and
        what is told then must outrank what was told before.
    data
        The payload.
    """

    channel: Channel
    event_id: str
    time_ms: float
    span_ms: tuple[float, float]
    first_revision: int
    data: Any

    @property
    def is_withdrawn(self) -> bool:
        """Whether the last that was said of it is that it is none."""
        if isinstance(self.data, payloads.Repetition):
            return self.data.status == "withdrawn"
        return bool(self.data.withdrawn)


class ToldEvents:
    """The book of what was told, by set and repetition as consumers know them.

    Parameters
    ----------
    athlete_id, session
        In every message.
    to_utc_ns
        From the pipeline's timeline to UTC, both integer ns.

    Attributes
    ----------
    repetitions, sets, aborted
        By set and number, by set, and with the set they fell in.
    shift
        Sets that consumers know beyond those that the pipeline counted.
    """

    def __init__(self, athlete_id: str, session: str, to_utc_ns: Callable[[int], int]) -> None:
        self.repetitions: dict[tuple[int, int], Told] = {}
        self.sets: dict[int, Told] = {}
        self.aborted: list[tuple[int, Told]] = []
        self.shift = 0
        self._athlete_id = athlete_id
        self._session = session
        self._to_utc_ns = to_utc_ns

    def tell(
        self, event: RepetitionEvent | RepetitionWithdrawn | RepetitionAborted | SetEvent, exercise: str
    ) -> list[Outgoing]:
        """Say what the pipeline found; `exercise` is the code of the running set."""
        match event:
            case RepetitionEvent(repetition=measured, revision=revision, final=final):
                measured = replace(measured, set_number=measured.set_number + self.shift)
                place = measured.set_number, measured.repetition_number
                told = self.repetition(measured, exercise, self._to_utc_ns, final=final)
                self.repetitions[place] = _continued(self.repetitions.get(place), told, revision)
                return self.messages([self.repetitions[place]])
            case RepetitionWithdrawn(set_number=number, repetition_number=repetition, reason=reason):
                before = self.repetitions.get((number + self.shift, repetition))
                return [] if before is None else self.withdraw(before, reason)
            case RepetitionAborted(set_number=number, aborted=aborted):
                told = self.aborted_movement(aborted, number + self.shift, self._to_utc_ns)
                self.aborted.append((number + self.shift, told))
                return self.messages([told])
            case SetEvent(summary=summary, revision=revision):
                number = summary.set_number + self.shift
                told = self.set_summary(replace(summary, set_number=number), self._to_utc_ns)
                self.sets[number] = _continued(self.sets.get(number), told, revision)
                return self.messages([self.sets[number]])

    def counted(self, set_number: int) -> list[payloads.Repetition]:
        """List the repetitions of a set that stand."""
        return [
            told.data
            for (of_set, _), told in sorted(self.repetitions.items())
            if of_set == set_number and not told.is_withdrawn
        ]

    def last_repetition(self) -> payloads.Repetition | None:
        """Return the last repetition that stands."""
        standing = [place for place, told in self.repetitions.items() if not told.is_withdrawn]
        return self.repetitions[max(standing)].data if standing else None

    def withdraw(self, told: Told, reason: str) -> list[Outgoing]:
        """Say that an event was none; nothing where that was said before."""
        if told.is_withdrawn:
            return []
        changes: dict[str, Any] = {"revision": told.data.revision + 1}
        if isinstance(told.data, payloads.Repetition):
            warnings = [*told.data.warnings, reason]
            changes |= {"status": "withdrawn", "final": True, "warnings": warnings}
        elif isinstance(told.data, payloads.SetSummary):
            changes |= {"withdrawn": True, "final": True}
        else:
            changes |= {"withdrawn": True, "text": reason}
        told.data = msgspec.structs.replace(told.data, **changes)
        told.first_revision = told.data.revision + 1
        return self.messages([told])

    # Events that nobody was told of yet ------------------------------------------------------------------

    def repetition(
        self, measured: Repetition, exercise: str, to_utc_ns: Callable[[int], int], *, final: bool
    ) -> Told:
        """Make a repetition's event: a first telling."""
        to_ms = _milliseconds(to_utc_ns)
        time_ms = to_ms(measured.close_ns)
        data = repetition_payload(
            measured, athlete=self._athlete_id, exercise=exercise, revision=0, final=final, to_ms=to_ms
        )
        name = self._event_id("repetition", time_ms, measured.set_number, measured.repetition_number)
        span_ms = to_ms(measured.start_ns), time_ms
        return Told(Channel.REPETITION, name, time_ms, span_ms, 0, data)

    def set_summary(self, summary: SetSummary, to_utc_ns: Callable[[int], int]) -> Told:
        """Make a set's event: a first telling."""
        to_ms = _milliseconds(to_utc_ns)
        time_ms = to_ms(summary.end_ns)
        data = set_payload(summary, athlete=self._athlete_id, revision=0, to_ms=to_ms)
        name = self._event_id("set", time_ms, summary.set_number, None)
        return Told(Channel.SET, name, time_ms, (to_ms(summary.start_ns), time_ms), 0, data)

    def aborted_movement(self, aborted: Aborted, set_number: int, to_utc_ns: Callable[[int], int]) -> Told:
        """Make the event of a movement broken off."""
        to_ms = _milliseconds(to_utc_ns)
        time_ms = to_ms(aborted.end_ns)
        depth = f" of {aborted.depth_deg:.0f}°" if np.isfinite(aborted.depth_deg) else ""
        data = payloads.FaultEvent(
            athlete=self._athlete_id,
            code="repetition_aborted",
            t_ms=time_ms,
            set=set_number,
            repetition=len(self.counted(set_number)),
            value=aborted.depth_deg if depth else None,
            kind="measured" if depth else "not_measurable",
            text=f"a movement{depth} was not counted: {_ABORTED[aborted.reason]}",
        )
        name = self._event_id(f"aborted-{aborted.start_ns}", time_ms, set_number, None)
        return Told(Channel.FAULT, name, time_ms, (to_ms(aborted.start_ns), time_ms), 0, data)

    def messages(self, told: Iterable[Told]) -> list[Outgoing]:
        """Turn what is to be told into messages."""
        ids = {"athlete": self._athlete_id}
        return [
            Outgoing(each.channel, ids, each.time_ms, each.data, each.event_id, each.data.revision)
            for each in told
        ]

    def _event_id(self, kind: str, time_ms: float, set_number: int, repetition: int | None) -> str:
        return event_id(
            time_ms,
            session=self._session,
            athlete=self._athlete_id,
            kind=kind,
            set_number=set_number,
            repetition=repetition,
        )


def _continued(before: Told | None, told: Told, revision: int) -> Told:
    """Tell an event as the pipeline's revision of one that was told before, where it was."""
    if before is not None:
        told = replace(told, event_id=before.event_id, first_revision=before.first_revision)
    data = msgspec.structs.replace(told.data, revision=told.first_revision + revision)
    return replace(told, data=data)


def _milliseconds(to_utc_ns: Callable[[int], int]) -> Callable[[int], float]:
    def to_ms(time_ns: int) -> float:
        return to_utc_ns(time_ns) / 1e6

    return to_ms
