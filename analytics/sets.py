"""Sets: which repetitions belong together, and their sum."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from analytics.adherence import set_adherence
from analytics.form import Fault, FormParameters, tempo_faults
from analytics.imu import NANOSECONDS_PER_SECOND
from analytics.recognition import recognise, working_side
from analytics.recognition_rules import RecognitionParameters
from analytics.repetition_figures import (
    Repetition,
    RepetitionStatus,
    with_pause_after,
    without_pause_after,
)
from analytics.set_figures import SetFigures, set_figures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.adherence import SetAdherence
    from analytics.exercises import Exercise, Side
    from analytics.prescription import Prescription


@dataclass(frozen=True, slots=True)
class SetParameters:
    """Constants of a set.

    Parameters
    ----------
    rest_s
        Rest without a repetition that ends a set.
    form, recognition
        Limits of faults and of the rules that name the exercise.
    """

    rest_s: float = 8.0
    form: FormParameters = field(default_factory=FormParameters)
    recognition: RecognitionParameters = field(default_factory=RecognitionParameters)


@dataclass(frozen=True, slots=True)
class SetSummary:
    """One set.

    Parameters
    ----------
    set_number
        From 1.
    start_ns, end_ns
        Start of the first repetition, end of the last, integer ns.
    exercise, exercise_confidence, side
        See `recognition.Recognition`.
    repetitions
        How many.
    tut_s, eccentric_tut_s, mean_eccentric_s
        Sums and mean over the repetitions that could be timed, s; ``None`` where none could.
    figures
        Sums by phase, trends, sides, and where form broke.
    adherence
        The set against its prescription; ``None`` without one.
    faults
        Of all repetitions, and of the set as a whole.
    warnings
        What limits these figures.
    is_final
        Nothing can change any more.
    prescription
        What it was judged by.
    """

    set_number: int
    start_ns: int
    end_ns: int
    exercise: Exercise
    exercise_confidence: float
    side: Side
    repetitions: int
    tut_s: float | None
    eccentric_tut_s: float | None
    mean_eccentric_s: float | None
    figures: SetFigures | None = None
    adherence: SetAdherence | None = None
    faults: tuple[Fault, ...] = ()
    warnings: tuple[str, ...] = ()
    is_final: bool = False
    prescription: Prescription | None = None


@dataclass(frozen=True, slots=True)
class FinishedSet:
    """A set that ended: its summary, and the repetitions that its end revised."""

    summary: SetSummary
    revised: tuple[Repetition, ...]


class SetBuilder:
    """Gather repetitions into sets; tell what each new one changes in those before it.

    Parameters
    ----------
    prescription
        What was asked.
    parameters
        Constants.
    """

    def __init__(
        self, prescription: Prescription | None = None, parameters: SetParameters | None = None
    ) -> None:
        self.prescription = prescription
        self.parameters = parameters if parameters is not None else SetParameters()
        self.set_number = 1
        self._repetitions: list[Repetition] = []

    @property
    def repetitions(self) -> tuple[Repetition, ...]:
        """Those of the running set."""
        return tuple(self._repetitions)

    @property
    def next_repetition_number(self) -> int:
        """Number of the repetition that comes next, from 1."""
        return len(self._repetitions) + 1

    @property
    def side(self) -> Side:
        """Working side so far: as asked, else as the hips show."""
        if self.prescription is not None and self.prescription.side is not None:
            return self.prescription.side
        return working_side(self._repetitions, self.parameters.recognition)

    def side_with(self, repetition: Repetition) -> Side:
        """Working side if this repetition, measured on both, belonged to the set."""
        if self.prescription is not None and self.prescription.side is not None:
            return self.prescription.side
        return working_side([*self._repetitions, repetition], self.parameters.recognition)

    def add(self, repetition: Repetition) -> tuple[Repetition, ...]:
        """Take the next repetition.

        Parameters
        ----------
        repetition
            Numbered with `set_number` and `next_repetition_number`.

        Returns
        -------
        tuple of Repetition
            The previous one where this one revised it: confirmed, and its pause known.

        Raises
        ------
        ValueError
            It carries another number.
        """
        expected = (self.set_number, self.next_repetition_number)
        if (repetition.set_number, repetition.repetition_number) != expected:
            raise ValueError(
                f"repetition {repetition.set_number}/{repetition.repetition_number} where "
                f"{expected[0]}/{expected[1]} comes next"
            )
        revised: tuple[Repetition, ...] = ()
        if self._repetitions:
            before = self._repetitions[-1]
            after = with_pause_after(_confirmed(before), repetition.seen_start_ns)
            self._repetitions[-1] = after
            revised = (after,)
        self._repetitions.append(repetition)
        return revised

    def replace(self, repetition: Repetition) -> None:
        """Put a better measured repetition in the place of the one with its number.

        Raises
        ------
        ValueError
            The running set has no such repetition.
        """
        index = repetition.repetition_number - 1
        if repetition.set_number != self.set_number or not 0 <= index < len(self._repetitions):
            raise ValueError(
                f"set {self.set_number} has no repetition "
                f"{repetition.set_number}/{repetition.repetition_number}"
            )
        self._repetitions[index] = repetition

    def withdraw(self, repetition_number: int) -> Repetition:
        """Take back a repetition; those after it, if any, keep their numbers' order.

        Returns
        -------
        Repetition
            The one taken back, marked withdrawn.

        Raises
        ------
        ValueError
            It is not the last one: only what nothing followed can be taken back.
        """
        if repetition_number != len(self._repetitions):
            raise ValueError(f"repetition {repetition_number} is not the last of set {self.set_number}")
        return replace(self._repetitions.pop(), status=RepetitionStatus.WITHDRAWN)

    def is_over(self, now_ns: int, *, is_resting: bool) -> bool:
        """Tell whether the running set has rested long enough to be over."""
        if not self._repetitions or not is_resting:
            return False
        rested_ns = now_ns - self._repetitions[-1].close_ns
        return rested_ns >= self.parameters.rest_s * NANOSECONDS_PER_SECOND

    def summary(self) -> SetSummary | None:
        """Sum up the running set as it stands; ``None`` without a repetition."""
        if not self._repetitions:
            return None
        return self._summed(is_final=False)

    def end(self) -> FinishedSet | None:
        """End the running set (rest, another posture, or the end of the data) and begin the next.

        Returns
        -------
        FinishedSet or None
            ``None`` where it holds no repetition; its number is used again.
        """
        if not self._repetitions:
            return None
        last = self._repetitions[-1]
        ended = without_pause_after(last)
        if len(self._repetitions) == 1:
            ended = replace(ended, status=RepetitionStatus.UNCONFIRMED)
        self._repetitions[-1] = ended
        summary = self._summed(is_final=True)
        self._repetitions = []
        self.set_number += 1
        return FinishedSet(summary, (ended,) if ended != last else ())

    def _summed(self, *, is_final: bool) -> SetSummary:
        return summed(
            self._repetitions, self.set_number, self.prescription, self.parameters, is_final=is_final
        )


def summed(
    repetitions: Sequence[Repetition],
    set_number: int,
    prescription: Prescription | None,
    parameters: SetParameters,
    *,
    is_final: bool,
) -> SetSummary:
    """Sum up a set.

    Parameters
    ----------
    repetitions
        At least one, in their order, numbered from 1.
    set_number
        From 1.
    prescription
        What was asked.
    parameters
        Constants.
    is_final
        The set is over.
    """
    recognition = recognise(repetitions, prescription, parameters.recognition, is_over=is_final)
    figures = set_figures(repetitions, recognition.side)
    timed = sum(r.tut_s is not None for r in repetitions)
    faults = [fault for r in repetitions for fault in r.faults]
    if is_final:
        faults.extend(tempo_faults(repetitions, parameters.form))
    return SetSummary(
        set_number=set_number,
        start_ns=repetitions[0].moving_start_ns,
        end_ns=repetitions[-1].moving_end_ns,
        exercise=recognition.exercise,
        exercise_confidence=recognition.confidence,
        side=recognition.side,
        repetitions=len(repetitions),
        tut_s=figures.value("tut_s"),
        eccentric_tut_s=figures.value("eccentric_tut_s"),
        mean_eccentric_s=figures.value("mean_eccentric_s"),
        figures=figures,
        adherence=None
        if prescription is None
        else set_adherence(repetitions, prescription, set_number, recognition.side),
        faults=tuple(faults),
        warnings=(*recognition.warnings, *_gaps(repetitions, timed)),
        is_final=is_final,
        prescription=prescription,
    )


def _confirmed(repetition: Repetition) -> Repetition:
    if repetition.status is RepetitionStatus.PROVISIONAL:
        return replace(repetition, status=RepetitionStatus.CONFIRMED)
    return repetition


def _gaps(repetitions: Sequence[Repetition], timed: int) -> tuple[str, ...]:
    untimed = len(repetitions) - timed
    if not untimed:
        return ()
    return (f"{untimed} of {len(repetitions)} repetitions could not be timed: the sums leave them out",)
