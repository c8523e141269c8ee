"""What people say against the count: a repetition that was none, one that was missed. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

import msgspec

from analytics.repetition_figures import RepetitionStatus
from analytics.sets import SetParameters

if TYPE_CHECKING:
    from collections.abc import Callable

    from analytics.repetition_figures import Repetition
    from sensor_bridge.mqtt import payloads
    from sensor_bridge.outgoing import Outgoing
    from sensor_bridge.told_events import Told, ToldEvents

_SEEN_BY_A_PERSON: Final = "a person saw it: the sensors alone would not have counted it"


class Disputes:
    """Corrects the book of what was told by what people saw.

    Parameters
    ----------
    book
        What was told.
    """

    def __init__(self, book: ToldEvents) -> None:
        self._book = book

    def dispute(self, told: Told, reason: str) -> list[Outgoing]:
        """Withdraw a repetition for good; those after it move up, and their set is summed up anew."""
        told.is_disputed = True
        messages = self._book.withdraw(told, reason)
        return messages + self._retell(told.data.set, is_growing=False)

    def restore(self, told: Told) -> list[Outgoing]:
        """Let a disputed repetition stand again."""
        told.is_disputed = False
        status = cast("payloads.RepetitionStatus", str(cast("Repetition", told.found).status))
        told.data = msgspec.structs.replace(told.data, status=status)
        return self._retell(told.data.set, is_growing=True)

    def add(
        self, measured: Repetition, exercise: str, to_utc_ns: Callable[[int], int]
    ) -> tuple[Told | None, list[Outgoing]]:
        """Add a repetition that nobody counted to the set it was done in.

        Parameters
        ----------
        measured
            The repetition, on the pipeline's timeline.
        exercise
            Code of the running set.
        to_utc_ns
            From that timeline to UTC, both integer ns.

        Returns
        -------
        What was told of it, and the messages; None where it is counted already, or no set is near.
        """
        book = self._book
        seen = replace(
            measured,
            status=RepetitionStatus.CONFIRMED,
            warnings=(*measured.warnings, _SEEN_BY_A_PERSON),
        )
        told = book.repetition(seen, exercise, to_utc_ns, final=True)
        set_number = self._set_of(told)
        if set_number is None:
            return None, []
        told.found = replace(seen, set_number=set_number)
        told.data = msgspec.structs.replace(told.data, set=set_number)
        book.added.append((set_number, told))
        return told, self._retell(set_number, is_growing=True, news=told)

    def take_away(self, told: Told, reason: str) -> list[Outgoing]:
        """Take an added repetition away again."""
        self._book.added = [(number, each) for number, each in self._book.added if each is not told]
        messages = self._book.withdraw(told, reason)
        return messages + self._retell(told.data.set, is_growing=False)

    def _set_of(self, told: Told) -> int | None:
        """Find the set that a repetition belongs to: no longer from it than a set rests."""
        start_ms, end_ms = told.span_ms
        distances: dict[int, float] = {}
        for number in self._book.numbers():
            spans = [each.span_ms for each in self._book.standing(number)]
            if any(start < end_ms and start_ms < end for start, end in spans):
                return None
            if spans:
                distances[number] = max(spans[0][0] - end_ms, start_ms - spans[-1][1])
        nearest = min(distances, key=lambda number: distances[number], default=None)
        rest_ms = SetParameters().rest_s * 1e3
        return nearest if nearest is not None and distances[nearest] <= rest_ms else None

    def _retell(self, set_number: int, *, is_growing: bool, news: Told | None = None) -> list[Outgoing]:
        """Say what has changed in a set.

        Parameters
        ----------
        set_number
            As it was told.
        is_growing
            There is one repetition more: then the last goes first, for no two may have one number.
        news
            Not yet told.
        """
        book = self._book
        changed = []
        for told, data in book.shown(set_number):
            if told is news or data != told.data:
                revision = told.data.revision + (told is not news)
                told.data = msgspec.structs.replace(data, revision=revision)
                changed.append(told)
        messages = book.messages(reversed(changed) if is_growing else changed)
        told_set = book.sets.get(set_number)
        if told_set is not None and (summary := book.shown_set(set_number)) != told_set.data:
            told_set.data = msgspec.structs.replace(summary, revision=told_set.data.revision + 1)
            messages += book.messages([told_set])
        return messages
