"""What a coach orders while the athlete trains: the end of a set, another prescription, another zero."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from analytics.imu import NANOSECONDS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable

    from analytics.alignment import Stretch
    from analytics.prescription import Prescription

# A repetition that ends as the set is ended is counted, and measured, only then.
_SETTLE_NS: Final = NANOSECONDS_PER_SECOND // 2
_LONGEST_WAIT_NS: Final = 3 * NANOSECONDS_PER_SECOND


@dataclass(frozen=True, slots=True)
class SetEnds:
    """The running set ends; what turns after this moment belongs to the next.

    Parameters
    ----------
    at_ns
        When, integer ns on the timeline of the samples.
    """

    at_ns: int


@dataclass(frozen=True, slots=True)
class Prescribed:
    """Something else is asked, or nothing (``None``).

    Parameters
    ----------
    at_ns
        From when on, integer ns on the timeline of the samples.
    prescription
        What is asked.
    """

    at_ns: int
    prescription: Prescription | None


@dataclass(frozen=True, slots=True)
class ZeroAnew:
    """The running set ends, and how the sensors sit is found out from the beginning.

    Parameters
    ----------
    at_ns
        From when on, integer ns on the timeline of the samples.
    """

    at_ns: int


Order: TypeAlias = SetEnds | Prescribed | ZeroAnew


class OrderQueue:
    """Orders that wait for their samples, the next one first."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, Order]] = []
        self._n_taken = 0

    def __len__(self) -> int:
        """Count those that wait."""
        return len(self._waiting)

    def add(self, order: Order) -> None:
        """Take an order, due at its moment; the end of a set shortly after."""
        self._put(order.at_ns + (_SETTLE_NS if isinstance(order, SetEnds) else 0), order)

    def put_off(self, order: SetEnds, now_ns: int, by_ns: int) -> bool:
        """Wait on for the end of a repetition; False where it has been waited for long enough."""
        if now_ns + by_ns > order.at_ns + _LONGEST_WAIT_NS:
            return False
        self._put(now_ns + by_ns, order)
        return True

    def next_due(self, stretch: Stretch, index_of: Callable[[int], int]) -> tuple[int, Order] | None:
        """Take out the next order that is due in a stretch, with the grid point it is due at."""
        if not self._waiting:
            return None
        index = max(stretch.first_index, index_of(self._waiting[0][0]))
        if index >= stretch.end_index:
            return None
        return index, heapq.heappop(self._waiting)[2]

    def set_ends_before(self, time_ns: int) -> bool:
        """Take out the ends of sets ordered for this moment or before; tell whether there was one."""
        ended = [each for each in self._waiting if isinstance(each[2], SetEnds) and each[2].at_ns <= time_ns]
        self._waiting = [each for each in self._waiting if each not in ended]
        heapq.heapify(self._waiting)
        return bool(ended)

    def rest(self) -> list[Order]:
        """Take out all that are left: no more samples come."""
        rest = [order for *_, order in sorted(self._waiting, key=lambda each: each[:2])]
        self._waiting = []
        return rest

    def _put(self, due_ns: int, order: Order) -> None:
        heapq.heappush(self._waiting, (due_ns, self._n_taken, order))
        self._n_taken += 1


def cut(stretch: Stretch, index: int) -> tuple[Stretch, Stretch]:
    """Cut a stretch before a grid point; one of the parts may be empty, a hole stays before the other."""
    before = replace(stretch, end_index=index)
    gap_before_s = stretch.gap_before_s if index == stretch.first_index else 0.0
    return before, replace(stretch, first_index=index, gap_before_s=gap_before_s)
