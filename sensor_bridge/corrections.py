"""From a second look at the sets that are over to corrections of what was told of them. Pure.

What was told and what was found are matched by time, because what was lost shifts the numbers: the third
repetition told may be the fifth that was done.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sensor_bridge.outgoing import Outgoing
    from sensor_bridge.remeasuring import Remeasured
    from sensor_bridge.told_events import Told, ToldEvents

_NONE_AFTER_ALL: Final = "with what the sensors had kept it turned out to be none"


def corrections(told: ToldEvents, remeasured: Remeasured, sets: int | None) -> list[Outgoing]:
    """Correct what was told, and return what is to be said.

    Parameters
    ----------
    told
        What was told; brought up to date.
    remeasured
        What was found.
    sets
        So many sets of the pipeline were over when it was looked at again; None where the session was.

    Returns
    -------
    list[Outgoing]
        Nothing where nothing differs, and nothing where the sets of one side are not over on the other: then
        it is too early.
    """
    if remeasured.is_unfinished:
        return []
    over = None if sets is None else sets + told.shift
    shift = told.shift if sets is None else max(remeasured.sets, default=0) - sets
    by, told.shift = shift - told.shift, shift
    return [
        *_correct_repetitions(told, remeasured, over, by),
        *_correct_sets(told, remeasured, over, by),
        *_correct_aborted(told, remeasured, over, by),
    ]


def _correct_repetitions(
    told: ToldEvents, remeasured: Remeasured, over: int | None, by: int
) -> list[Outgoing]:
    before = {place: each for place, each in told.repetitions.items() if _is_over(place[0], over)}
    later = {place: each for place, each in told.repetitions.items() if place not in before}
    exercises = {number: str(each.summary.exercise) for number, each in remeasured.sets.items()}
    found = {
        place: told.repetition(event.repetition, exercises[place[0]], remeasured.to_utc_ns, final=True)
        for place, event in remeasured.repetitions.items()
    }
    told.repetitions = {}
    messages, kept = _compared(told, list(before.values()), list(found.values()))
    told.repetitions = dict(zip(found, kept, strict=True))
    for (number, repetition), each in later.items():
        if by:
            _renumber(each, number + by)
            messages += told.messages([each])
        told.repetitions[number + by, repetition] = each
    return messages


def _correct_sets(told: ToldEvents, remeasured: Remeasured, over: int | None, by: int) -> list[Outgoing]:
    before = {number: each for number, each in told.sets.items() if _is_over(number, over)}
    later = {number: each for number, each in told.sets.items() if number not in before}
    found = {
        number: told.set_summary(event.summary, remeasured.to_utc_ns)
        for number, event in remeasured.sets.items()
    }
    messages, kept = _compared(told, list(before.values()), list(found.values()))
    told.sets = dict(zip(found, kept, strict=True))
    for number, each in later.items():
        if by:
            _renumber(each, number + by)
            messages += told.messages([each])
        told.sets[number + by] = each
    return messages


def _correct_aborted(told: ToldEvents, remeasured: Remeasured, over: int | None, by: int) -> list[Outgoing]:
    before = [each for number, each in told.aborted if _is_over(number, over)]
    later = [(number + by, each) for number, each in told.aborted if not _is_over(number, over)]
    found = [
        told.aborted_movement(aborted, number, remeasured.to_utc_ns) for number, aborted in remeasured.aborted
    ]
    messages, kept = _compared(told, before, found)
    numbers = [number for number, _ in remeasured.aborted]
    told.aborted = [*zip(numbers, kept, strict=True), *later]
    return messages


def _is_over(number: int, over: int | None) -> bool:
    return over is None or number <= over


def _renumber(told: Told, number: int) -> None:
    """Tell an event of a later set under the number which that has now."""
    told.data = msgspec.structs.replace(told.data, set=number, revision=told.data.revision + 1)
    told.first_revision += 1


def _compared(
    told: ToldEvents, before: Sequence[Told], found: Sequence[Told]
) -> tuple[list[Outgoing], list[Told]]:
    """Return what is to be said, and what was found under the ids that it was told by."""
    pairs = matched([each.span_ms for each in before], [each.span_ms for each in found])
    messages = [
        message
        for place, each in enumerate(before)
        if place not in pairs
        for message in told.withdraw(each, _NONE_AFTER_ALL)
    ]
    kept: list[Told] = []
    news: list[Told] = []
    for place, each in zip(pairs, found, strict=True):
        known = None if place is None else before[place]
        if known is None:
            news.append(each)
        else:
            each = _revised(known, each)  # noqa: PLW2901 - the same event, under the id it was told by
            if each.data.revision > known.data.revision:
                news.append(each)
        kept.append(each)
    # The last first: no event is told under a number that another one still has.
    return messages + told.messages(reversed(news)), kept


def _revised(known: Told, found: Told) -> Told:
    """Give what was found the id it was told by; a higher revision only where something differs."""
    data = msgspec.structs.replace(found.data, revision=known.data.revision)
    if data != known.data:
        data = msgspec.structs.replace(data, revision=known.data.revision + 1)
    return replace(found, event_id=known.event_id, first_revision=data.revision + 1, data=data)


def matched(told: Sequence[tuple[float, float]], found: Sequence[tuple[float, float]]) -> list[int | None]:
    """Find for each span found the span told that it shares most time with, each told span for one only.

    Parameters
    ----------
    told, found
        (start, end) of each, in the same unit.

    Returns
    -------
    list[int | None]
        Index into `told` for each of `found`; None where none overlaps it that is not taken.
    """
    shared = sorted(
        (
            (min(a_end, b_end) - max(a_start, b_start), j, i)
            for i, (a_start, a_end) in enumerate(told)
            for j, (b_start, b_end) in enumerate(found)
            if min(a_end, b_end) > max(a_start, b_start)
        ),
        reverse=True,
    )
    pairs: list[int | None] = [None] * len(found)
    taken: set[int] = set()
    for _, j, i in shared:
        if pairs[j] is None and i not in taken:
            pairs[j] = i
            taken.add(i)
    return pairs
