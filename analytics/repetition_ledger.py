"""The book of repetitions: numbers them, measures them again when more is known, closes their sets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from analytics.adherence import live_count, repetition_adherence
from analytics.form import repetition_faults
from analytics.pipeline_output import PipelineEvent, RepetitionEvent, RepetitionWithdrawn, SetEvent
from analytics.repetition_figures import RepetitionStatus, with_pause_after
from analytics.set_figures import with_velocity_loss
from analytics.sets import SetBuilder, SetParameters
from analytics.walkout import walkout_faults

if TYPE_CHECKING:
    from analytics.adherence import LiveCount
    from analytics.prescription import Prescription
    from analytics.repetition_figures import Repetition
    from analytics.repetition_meter import MeasuredRepetition, RepetitionMeter
    from analytics.repetitions import Candidate, Withdrawn


@dataclass(slots=True)
class _Entry:
    """One repetition of the running set."""

    candidate: Candidate
    due_index: int
    number: int
    revision: int
    is_finished: bool
    measured: MeasuredRepetition


class RepetitionLedger:
    """Repetitions of one athlete, set by set.

    A repetition is published when it closes (revision 0), again when a second more of samples is there
    (final), and once more when the next one tells how long the pause after it was, or the set is over.

    Parameters
    ----------
    meter
        Measures repetitions.
    prescription
        What was asked.
    parameters
        Settings of sets and faults.
    """

    def __init__(
        self,
        meter: RepetitionMeter,
        prescription: Prescription | None = None,
        parameters: SetParameters | None = None,
    ) -> None:
        self._meter = meter
        self._prescription = prescription
        self._builder = SetBuilder(prescription, parameters)
        self._entries: list[_Entry] = []
        self._set_revision = 0
        self._last_close_ns: int | None = None

    def ask(self, prescription: Prescription | None) -> None:
        """Judge by another prescription from now on, the running set as a whole too."""
        self._prescription = self._builder.prescription = prescription

    def measure_with(self, meter: RepetitionMeter) -> None:
        """Measure what comes with another meter; no set is running."""
        self._meter = meter

    @property
    def set_number(self) -> int:
        """Number of the running set, from 1."""
        return self._builder.set_number

    @property
    def repetition_count(self) -> int:
        """Repetitions in the running set so far."""
        return len(self._entries)

    def live_count(
        self, eccentric_start_ns: int | None, time_ns: int, depth_fraction: float | None
    ) -> LiveCount | None:
        """Count along with the lowering under way, as for :func:`analytics.adherence.live_count`."""
        return live_count(self._prescription, eccentric_start_ns, time_ns, depth_fraction)

    def count(self, candidate: Candidate) -> list[PipelineEvent]:
        """Enter a repetition; one that turns inside an earlier one was counted before and is left out."""
        if self._last_close_ns is not None and candidate.bottom_ns < self._last_close_ns:
            return []
        self._last_close_ns = candidate.close_ns
        number = self._builder.next_repetition_number
        measured = self._measured(candidate, number, self._meter.decided_index(candidate), is_final=False)
        self._builder.add(measured.repetition)
        due_index = self._meter.due_index(candidate)
        self._entries.append(_Entry(candidate, due_index, number, 0, is_finished=False, measured=measured))
        return [RepetitionEvent(measured.repetition, 0, final=False, angles=measured.angles)]

    def finish(self, index: int, *, is_last: bool = False) -> list[PipelineEvent]:
        """Measure for good what can be by ``index``; ``is_last``: no more samples will come."""
        events: list[PipelineEvent] = []
        for entry in self._entries:
            if not entry.is_finished and (entry.due_index <= index or is_last):
                events.extend(self._finish(entry, min(entry.due_index, index)))
        return events

    def _finish(self, entry: _Entry, until_index: int) -> list[PipelineEvent]:
        until_index = max(until_index, self._meter.decided_index(entry.candidate))
        entry.measured = self._measured(entry.candidate, entry.number, until_index, is_final=True)
        entry.is_finished = True
        events: list[PipelineEvent] = []
        before = self._entries[entry.number - 2] if entry.number > 1 else None
        if before is not None:
            # Only now is it certain when this repetition began.
            events.append(self._revise(before, self._with_pause(before, entry)))
        after = self._entries[entry.number] if entry.number < len(self._entries) else None
        repetition = entry.measured.repetition
        events.append(self._revise(entry, repetition if after is None else self._with_pause(entry, after)))
        summary = self._builder.summary()
        assert summary is not None
        events.append(SetEvent(summary, self._set_revision))
        self._set_revision += 1
        return events

    def withdraw(self, withdrawn: Withdrawn) -> list[PipelineEvent]:
        """Take back the last repetition of the running set."""
        if not self._entries or self._entries[-1].candidate.start_ns != withdrawn.candidate.start_ns:
            return []
        entry = self._entries.pop()
        self._builder.withdraw(entry.number)
        return [
            RepetitionWithdrawn(
                self.set_number, entry.number, "the repetition that followed is nearly twice as large or more"
            )
        ]

    def end_set(self, index: int) -> list[PipelineEvent]:
        """End the running set with the samples before ``index``."""
        events = self.finish(index, is_last=True)
        entries, self._entries = self._entries, []
        finished = self._builder.end()
        if finished is None:
            return events
        for repetition in finished.revised:
            entry = entries[repetition.repetition_number - 1]
            events.append(self._revise(entry, repetition, is_in_set=False))
        events.append(SetEvent(finished.summary, self._set_revision))
        self._set_revision = 0
        return events

    def _with_pause(self, entry: _Entry, following: _Entry) -> Repetition:
        running = self._builder.repetitions[entry.number - 1]
        own, after = entry.measured.repetition, following.measured.repetition
        if own.status is RepetitionStatus.PROVISIONAL:
            own = replace(own, status=running.status)
        return with_pause_after(
            own,
            after.seen_start_ns,
            is_unbroken=self._meter.is_unbroken(own.moving_end_ns, after.moving_start_ns),
        )

    def _revise(self, entry: _Entry, repetition: Repetition, *, is_in_set: bool = True) -> RepetitionEvent:
        if is_in_set:
            self._builder.replace(repetition)
        entry.revision += 1
        return RepetitionEvent(
            repetition, entry.revision, final=entry.is_finished, angles=entry.measured.angles
        )

    def _measured(
        self, candidate: Candidate, number: int, until_index: int, *, is_final: bool
    ) -> MeasuredRepetition:
        before = self._entries[number - 2] if number > 1 else None
        after = self._entries[number] if number < len(self._entries) else None
        measured = self._meter.measure(
            candidate,
            until_index,
            choose_side=self._builder.side_with,
            set_number=self._builder.set_number,
            repetition_number=number,
            previous_end_ns=None if before is None else before.measured.repetition.moving_end_ns,
            next_start_ns=None if after is None else after.candidate.start_ns,
            is_final=is_final,
        )
        earlier = [entry.measured.repetition for entry in self._entries[: number - 1]]
        return replace(measured, repetition=self._judged(with_velocity_loss(measured.repetition, earlier)))

    def measure_apart(self, candidate: Candidate, end_index: int) -> Repetition | None:
        """Measure a movement that was not counted, with samples before a grid point; it is not entered.

        Returns
        -------
        Repetition or None
            The only one of its set; ``None`` where not all of it is kept any more.
        """
        if not self._meter.is_kept(candidate):
            return None
        measured = self._meter.measure(
            replace(candidate, is_provisional=False),
            max(
                self._meter.decided_index(candidate),
                min(self._meter.due_index(candidate), end_index),
            ),
            choose_side=self._builder.side_with,
            set_number=self._builder.set_number,
            repetition_number=1,
            previous_end_ns=None,
            next_start_ns=None,
            is_final=False,
        )
        return self._judged(with_velocity_loss(measured.repetition, ()))

    def _judged(self, repetition: Repetition) -> Repetition:
        faults = (*repetition_faults(repetition, self._prescription), *walkout_faults(repetition))
        adherence = () if self._prescription is None else repetition_adherence(repetition, self._prescription)
        return replace(repetition, faults=faults, adherence=adherence)
