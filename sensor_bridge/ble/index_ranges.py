"""A set of sample indices, kept as disjoint ranges. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class IndexRanges:
    """Indices as ranges [first, end) that neither overlap nor touch, ascending.

    Parameters
    ----------
    ranges
        What it holds at first, in any order; they may overlap.
    """

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._firsts: list[int] = []
        self._ends: list[int] = []
        self._size = 0
        for first, end in ranges:
            self.add(first, end)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self._firsts, self._ends, strict=True)

    def __len__(self) -> int:
        """Count the ranges."""
        return len(self._firsts)

    @property
    def size(self) -> int:
        """Count the indices."""
        return self._size

    def count(self, first: int, end: int) -> int:
        """Count those of its indices that lie in [first, end)."""
        return sum(b - a for a, b in self.within(first, end))

    def within(self, first: int, end: int) -> list[tuple[int, int]]:
        """Return the parts of its ranges that lie in [first, end)."""
        low = bisect_right(self._ends, first)
        high = bisect_left(self._firsts, end)
        return [(max(first, self._firsts[place]), min(end, self._ends[place])) for place in range(low, high)]

    def add(self, first: int, end: int) -> int:
        """Add [first, end); return how many indices are new."""
        if end <= first:
            return 0
        new = end - first - self.count(first, end)
        low = bisect_left(self._ends, first)  # also a range that only touches
        high = bisect_right(self._firsts, end)
        if low < high:
            first, end = min(first, self._firsts[low]), max(end, self._ends[high - 1])
        self._firsts[low:high], self._ends[low:high] = [first], [end]
        self._size += new
        return new

    def discard(self, first: int, end: int) -> int:
        """Remove [first, end); return how many indices went."""
        parts = self.within(first, end) if first < end else []
        if not parts:
            return 0
        low = bisect_right(self._ends, first)
        high = bisect_left(self._firsts, end)
        left = [(self._firsts[low], first)] if self._firsts[low] < first else []
        right = [(end, self._ends[high - 1])] if self._ends[high - 1] > end else []
        kept = left + right
        self._firsts[low:high] = [a for a, _ in kept]
        self._ends[low:high] = [b for _, b in kept]
        removed = sum(b - a for a, b in parts)
        self._size -= removed
        return removed
