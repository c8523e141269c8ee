"""What an athlete's consumers were told of repetitions, sets and movements broken off. Pure.

All revisions of one event carry one id, made from what it was when it was first told.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import msgspec
import numpy as np

from analytics.pipeline_output import (
    RepetitionAborted,
    RepetitionEvent,
    RepetitionWithdrawn,
    SetEvent,
)
from analytics.set_figures import with_velocity_loss
from analytics.sets import SetParameters, summed
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
    data
        The payload.
    found
        What was measured of it, numbered as it was counted; None for what is no repetition or set.
    to_utc_ns
        From the timeline it was measured on to UTC, both integer ns.
    is_final
        Nothing more is expected to be measured of it.
    is_disputed
        A person said that this repetition was none: it stays withdrawn, whatever is measured of it.
    """

    channel: Channel
    event_id: str
    time_ms: float
    span_ms: tuple[float, float]
    data: Any
    found: Repetition | SetSummary | None
    to_utc_ns: Callable[[int], int]
    is_final: bool = True
    is_disputed: bool = False

    @property
    def is_withdrawn(self) -> bool:
        """Whether the last that was said of it is that it is none."""
        if isinstance(self.data, payloads.Repetition):
            return self.data.status == "withdrawn"
        return bool(self.data.withdrawn)


class ToldEvents:
    """The book of what was told.

    Parameters
    ----------
    athlete_id, session
        In every message.
    to_utc_ns
        From the pipeline's timeline to UTC, both integer ns.

    Attributes
    ----------
    repetitions, sets, aborted
        By set and number as they were counted, by set, and with the set they fell in.
    added
        Repetitions that nobody counted and a person missed, with the set each belongs to.
    shift
        Sets that consumers know beyond those that the pipeline counted.
    """

    def __init__(self, athlete_id: str, session: str, to_utc_ns: Callable[[int], int]) -> None:
        self.repetitions: dict[tuple[int, int], Told] = {}
        self.sets: dict[int, Told] = {}
        self.aborted: list[tuple[int, Told]] = []
        self.added: list[tuple[int, Told]] = []
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
                return self._tell_repetition(place, told, revision)
            case RepetitionWithdrawn(set_number=number, repetition_number=repetition, reason=reason):
                before = self.repetitions.get((number + self.shift, repetition))
                if before is None:
                    return []
                before.is_disputed = False  # the number will be given to another one
                return self.withdraw(before, reason)
            case RepetitionAborted(set_number=number, aborted=aborted):
                told = self.aborted_movement(aborted, number + self.shift, self._to_utc_ns)
                self.aborted.append((number + self.shift, told))
                return self.messages([told])
            case SetEvent(summary=summary, revision=revision):
                number = summary.set_number + self.shift
                told = self.set_summary(replace(summary, set_number=number), self._to_utc_ns)
                before = self.sets.get(number)
                self.sets[number] = told if before is None else replace(told, event_id=before.event_id)
                told = self.sets[number]
                shown = self.shown_set(number) if self.is_corrected(number) else told.data
                told.data = msgspec.structs.replace(shown, revision=_following(before, revision))
                return self.messages([told])

    def _tell_repetition(self, place: tuple[int, int], told: Told, revision: int) -> list[Outgoing]:
        before = self.repetitions.get(place)
        if before is not None:
            told = replace(told, event_id=before.event_id, is_disputed=before.is_disputed)
        self.repetitions[place] = told
        if before is not None and told.is_disputed:
            told.data = msgspec.structs.replace(before.data, exercise=told.data.exercise)
            return []
        shown = told.data
        if self.is_corrected(place[0]):
            shown = next(data for each, data in self.shown(place[0]) if each is told)
        told.data = msgspec.structs.replace(shown, revision=_following(before, revision))
        return self.messages([told])

    def counted(self, set_number: int) -> list[payloads.Repetition]:
        """List the repetitions of a set that stand."""
        return [told.data for told in self.standing(set_number)]

    def last_repetition(self) -> payloads.Repetition | None:
        """Return the last repetition that stands."""
        for number in reversed(self.numbers()):
            if standing := self.standing(number):
                return cast("payloads.Repetition", standing[-1].data)
        return None

    def numbers(self) -> list[int]:
        """List the sets that have repetitions, in order."""
        return sorted({n for n, _ in self.repetitions} | {n for n, _ in self.added})

    def find(self, identifier: str) -> Told | None:
        """Return what was told under an event id."""
        told = [
            *self.repetitions.values(),
            *self.sets.values(),
            *(each for _, each in self.aborted),
            *(each for _, each in self.added),
        ]
        return next((each for each in told if each.event_id == identifier), None)

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
        return self.messages([told])

    # What is shown of a set ------------------------------------------------------------------------------

    def standing(self, set_number: int) -> list[Told]:
        """List the repetitions of a set that stand, in the order they were done."""
        own = [told for (number, _), told in self.repetitions.items() if number == set_number]
        own += [told for number, told in self.added if number == set_number]
        return sorted(
            (told for told in own if not told.is_disputed and not told.is_withdrawn),
            key=lambda told: told.span_ms,
        )

    def is_corrected(self, set_number: int) -> bool:
        """Whether a person took a repetition out of a set, or added one."""
        disputed = any(told.is_disputed for (n, _), told in self.repetitions.items() if n == set_number)
        return disputed or any(number == set_number for number, _ in self.added)

    def corrected_by(self, set_number: int) -> int:
        """How many more repetitions a set has than were counted."""
        added = sum(number == set_number and not told.is_disputed for number, told in self.added)
        return added - sum(told.is_disputed for (n, _), told in self.repetitions.items() if n == set_number)

    def shown(self, set_number: int) -> list[tuple[Told, payloads.Repetition]]:
        """Return what is to be told of each repetition of a set that stands; revisions as they were."""
        return [
            (
                told,
                repetition_payload(
                    measured,
                    athlete=self._athlete_id,
                    exercise=told.data.exercise,
                    revision=told.data.revision,
                    final=told.is_final,
                    to_ms=_milliseconds(told.to_utc_ns),
                ),
            )
            for told, measured in self._as_corrected(set_number)
        ]

    def shown_set(self, set_number: int) -> payloads.SetSummary:
        """Return what is to be told of a set; the revision as it was."""
        told = self.sets[set_number]
        summary, to_utc_ns = cast("SetSummary", told.found), told.to_utc_ns
        if self.is_corrected(set_number):
            corrected = self._as_corrected(set_number)
            if not corrected:
                data: payloads.SetSummary = told.data
                return msgspec.structs.replace(data, withdrawn=True, final=True)
            to_utc_ns = corrected[0][0].to_utc_ns
            summary = summed(
                [measured for _, measured in corrected],
                set_number,
                summary.prescription,
                SetParameters(),
                is_final=summary.is_final,
            )
        return set_payload(
            summary, athlete=self._athlete_id, revision=told.data.revision, to_ms=_milliseconds(to_utc_ns)
        )

    def _as_corrected(self, set_number: int) -> list[tuple[Told, Repetition]]:
        """Repetitions of a set that stand, numbered anew where a person corrected it."""
        standing = self.standing(set_number)
        if not self.is_corrected(set_number):
            return [(told, cast("Repetition", told.found)) for told in standing]
        before: list[Repetition] = []
        for number, told in enumerate(standing, 1):
            measured = cast("Repetition", told.found)
            faults = tuple(replace(fault, repetition_number=number) for fault in measured.faults)
            measured = replace(measured, set_number=set_number, repetition_number=number, faults=faults)
            before.append(with_velocity_loss(measured, before))
        return list(zip(standing, before, strict=True))

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
        return Told(Channel.REPETITION, name, time_ms, span_ms, data, measured, to_utc_ns, is_final=final)

    def set_summary(self, summary: SetSummary, to_utc_ns: Callable[[int], int]) -> Told:
        """Make a set's event: a first telling."""
        to_ms = _milliseconds(to_utc_ns)
        time_ms = to_ms(summary.end_ns)
        data = set_payload(summary, athlete=self._athlete_id, revision=0, to_ms=to_ms)
        name = self._event_id("set", time_ms, summary.set_number, None)
        return Told(Channel.SET, name, time_ms, (to_ms(summary.start_ns), time_ms), data, summary, to_utc_ns)

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
        return Told(Channel.FAULT, name, time_ms, (to_ms(aborted.start_ns), time_ms), data, None, to_utc_ns)

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


def _following(before: Told | None, revision: int) -> int:
    """Return the revision that outranks all that was told: the pipeline's own where it does."""
    return revision if before is None else max(revision, before.data.revision + 1)


def _milliseconds(to_utc_ns: Callable[[int], int]) -> Callable[[int], float]:
    def to_ms(time_ns: int) -> float:
        return to_utc_ns(time_ns) / 1e6

    return to_ms
