"""From a second look at the sets that are over to corrections of what was told of them. Pure.

What was told and what was found are matched by time, because what was lost shifts the numbers: the third
repetition told may be the fifth that was done.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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
    before = [each for place, each in told.repetitions.items() if _is_over(place[0], over)]
    later = {place: each for place, each in told.repetitions.items() if not _is_over(place[0], over)}
    exercises = {number: str(each.summary.exercise) for number, each in remeasured.sets.items()}
    found = {
        place: told.repetition(event.repetition, exercises[place[0]], remeasured.to_utc_ns, final=True)
        for place, event in remeasured.repetitions.items()
    }
    added = [each for number, each in told.added if _is_over(number, over)]
    known = _known([*before, *added], list(found.values()))
    kept = {id(each) for each in known if each is not None}
    messages = [
        message for each in before if id(each) not in kept for message in told.withdraw(each, _NONE_AFTER_ALL)
    ]
    told.repetitions = dict(zip(found, map(_continued, known, found.values()), strict=True))
    told.added = [
        *((_nearest_set(each, remeasured), each) for each in added if id(each) not in kept),
        *((number + by, each) for number, each in told.added if not _is_over(number, over)),
    ]
    # The last first: no event is told under a number that another one still has.
    for number in sorted(
        {number for number, _ in found} | {number for number, _ in told.added}, reverse=True
    ):
        if number in remeasured.sets:
            messages += _told_anew(told, reversed(told.shown(number)))
    for (number, repetition), each in later.items():
        if by:
            _renumber(each, number + by)
            messages += told.messages([each])
        told.repetitions[number + by, repetition] = each
    return messages


def _correct_sets(told: ToldEvents, remeasured: Remeasured, over: int | None, by: int) -> list[Outgoing]:
    before = [each for number, each in told.sets.items() if _is_over(number, over)]
    later = {number: each for number, each in told.sets.items() if not _is_over(number, over)}
    found = {
        number: told.set_summary(event.summary, remeasured.to_utc_ns)
        for number, event in remeasured.sets.items()
    }
    known = _known(before, list(found.values()))
    kept = {id(each) for each in known if each is not None}
    messages = [
        message for each in before if id(each) not in kept for message in told.withdraw(each, _NONE_AFTER_ALL)
    ]
    told.sets = dict(zip(found, map(_continued, known, found.values()), strict=True))
    messages += _told_anew(told, [(each, told.shown_set(n)) for n, each in reversed(told.sets.items())])
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
    known = _known(before, found)
    kept = {id(each) for each in known if each is not None}
    messages = [
        message for each in before if id(each) not in kept for message in told.withdraw(each, _NONE_AFTER_ALL)
    ]
    anew = [(_continued(earlier, each), each.data) for earlier, each in zip(known, found, strict=True)]
    messages += _told_anew(told, reversed(anew))
    numbers = [number for number, _ in remeasured.aborted]
    told.aborted = [*zip(numbers, (each for each, _ in anew), strict=True), *later]
    return messages


def _is_over(number: int, over: int | None) -> bool:
    return over is None or number <= over


def _nearest_set(told: Told, remeasured: Remeasured) -> int:
    """Find the set that an added repetition belongs to now."""
    middle_ns = sum(told.span_ms) / 2 * 1e6

    def distance_ns(number: int) -> float:
        summary, to_utc_ns = remeasured.sets[number].summary, remeasured.to_utc_ns
        return max(to_utc_ns(summary.start_ns) - middle_ns, middle_ns - to_utc_ns(summary.end_ns))

    return min(remeasured.sets, key=distance_ns, default=told.data.set)


def _renumber(told: Told, number: int) -> None:
    """Tell an event of a later set under the number which that has now."""
    told.data = msgspec.structs.replace(told.data, set=number, revision=told.data.revision + 1)
    if told.found is not None:
        told.found = replace(told.found, set_number=number)


def _known(before: Sequence[Told], found: Sequence[Told]) -> list[Told | None]:
    """Return for each that was found what was told of it before."""
    pairs = matched([each.span_ms for each in before], [each.span_ms for each in found])
    return [None if place is None else before[place] for place in pairs]


def _continued(known: Told | None, found: Told) -> Told:
    """Give what was found the id it was told by, and what was last said; _told_anew says what differs."""
    if known is None:
        found.data = msgspec.structs.replace(found.data, revision=-1)
        return found
    return replace(found, event_id=known.event_id, is_disputed=known.is_disputed, data=known.data)


def _told_anew(told: ToldEvents, shown: Iterable[tuple[Told, Any]]) -> list[Outgoing]:
    """Say what differs from what was said, under a higher revision."""
    messages: list[Outgoing] = []
    for each, now in shown:
        revision = each.data.revision
        if revision < 0 or msgspec.structs.replace(now, revision=revision) != each.data:
            each.data = msgspec.structs.replace(now, revision=revision + 1)
            messages += told.messages([each])
    return messages


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
