"""What a pipeline said in the end, and which of it belongs to which true repetition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analytics.pipeline_output import (
    PipelineOutput,
    RepetitionAborted,
    RepetitionEvent,
    RepetitionWithdrawn,
    SetEvent,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.sets import SetSummary


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The last word on everything.

    Parameters
    ----------
    repetitions
        Newest revision of each repetition that was not withdrawn, in order of time.
    sets
        Newest summary of each set.
    published
        Repetitions ever published, those withdrawn later among them.
    aborted
        Movements said to be broken off.
    """

    repetitions: tuple[RepetitionEvent, ...]
    sets: tuple[SetSummary, ...]
    published: int
    aborted: tuple[RepetitionAborted, ...]


def verdicts(output: PipelineOutput) -> Verdicts:
    """Follow revisions and withdrawals to their end."""
    standing: dict[tuple[int, int], RepetitionEvent] = {}
    sets: dict[int, SetSummary] = {}
    published = 0
    for event in output.events:
        if isinstance(event, RepetitionEvent):
            published += event.revision == 0
            standing[event.repetition.set_number, event.repetition.repetition_number] = event
        elif isinstance(event, RepetitionWithdrawn):
            standing.pop((event.set_number, event.repetition_number), None)
        elif isinstance(event, SetEvent):
            sets[event.summary.set_number] = event.summary
    return Verdicts(
        repetitions=tuple(sorted(standing.values(), key=lambda event: event.repetition.bottom_ns)),
        sets=tuple(sets[number] for number in sorted(sets)),
        published=published,
        aborted=tuple(event for event in output.events if isinstance(event, RepetitionAborted)),
    )


@dataclass(frozen=True, slots=True)
class Matching:
    """Which counted repetition belongs to which true one.

    Parameters
    ----------
    pairs
        Index of the true repetition, and the event.
    missed
        Indices of true repetitions that nobody counted.
    doubles
        Counted inside a true repetition that another was matched to.
    extra
        Counted outside any true repetition.
    untimed_missed
        True repetitions without phases that nobody counted.
    """

    pairs: tuple[tuple[int, RepetitionEvent], ...]
    missed: tuple[int, ...]
    doubles: int
    extra: int
    untimed_missed: int = 0


def match(
    events: Sequence[RepetitionEvent],
    spans_s: Sequence[tuple[float, float]],
    untimed_s: Sequence[tuple[float, float]] = (),
) -> Matching:
    """Match by the time of the far end: it must lie inside the true repetition.

    Parameters
    ----------
    events
        Counted repetitions, in order of time.
    spans_s
        Start and end of the true ones, s.
    untimed_s
        The same of those that were done but have no phases: they count, and nothing of them is compared.
    """
    pairs: list[tuple[int, RepetitionEvent]] = []
    taken: set[int] = set()
    untimed: set[int] = set()
    doubles = extra = 0
    for event in events:
        at_s = event.repetition.bottom_ns * 1e-9
        inside = [k for k, (start_s, end_s) in enumerate(spans_s) if start_s <= at_s <= end_s]
        slow = [k for k, (start_s, end_s) in enumerate(untimed_s) if start_s <= at_s <= end_s]
        if slow and slow[0] not in untimed:
            untimed.add(slow[0])
        elif slow:
            doubles += 1
        elif not inside:
            extra += 1
        elif inside[0] in taken:
            doubles += 1
        else:
            taken.add(inside[0])
            pairs.append((inside[0], event))
    missed = tuple(k for k in range(len(spans_s)) if k not in taken)
    return Matching(tuple(pairs), missed, doubles, extra, len(untimed_s) - len(untimed))
