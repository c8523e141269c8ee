"""The flash of a virtual sensor: a ring of pages that keeps the samples of all its streams. No radio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from firmware_protocol.packets import ImuFrame
    from hardware_sim.peripheral_stream import PlayedSource

PAGE_SAMPLES: Final = 341  # a flash page of 4096 bytes, 12 a sample


@dataclass(slots=True)
class _Stretch:
    """Samples of one stream that are kept, as positions in what is played: ``first`` to before ``end``.

    ``origin`` is the position of the stream's sample 0 and ``boot_us`` the played time at which its clock
    began.
    """

    stream_id: int
    origin: int
    boot_us: int
    first: int
    end: int

    @property
    def n_pages(self) -> int:
        return -(-(self.end - self.first) // PAGE_SAMPLES)


@dataclass(frozen=True, slots=True)
class KeptRange:
    """Sample indices that are kept of a stream: ``first`` to before ``end``; both 0 where none is."""

    first: int
    end: int


class FlashRing:
    """What was stored and not overwritten yet.

    Flash is written and erased in whole pages: a stream begins on a new page, and when the ring is full the
    oldest page goes as a whole. The page under way is in RAM, where it can be read as well.

    Parameters
    ----------
    played
        Where the samples come from.
    capacity_samples
        Room for so many samples; used in whole pages, two at least.
    """

    def __init__(self, played: PlayedSource, capacity_samples: int) -> None:
        self._played = played
        self._n_pages = max(capacity_samples // PAGE_SAMPLES, 2)
        self._stretches: list[_Stretch] = []

    @property
    def capacity_samples(self) -> int:
        """Samples that it holds when every page is full."""
        return self._n_pages * PAGE_SAMPLES

    @property
    def stored_samples(self) -> int:
        """Samples that it holds now."""
        return sum(each.end - each.first for each in self._stretches)

    @property
    def stream_ids(self) -> list[int]:
        """Streams of which something is kept, the oldest first."""
        return [each.stream_id for each in self._stretches]

    def store(self, stream_id: int, origin: int, boot_us: int, end: int) -> None:
        """Store the samples of a stream up to before a position."""
        last = self._stretches[-1] if self._stretches else None
        if last is None or last.stream_id != stream_id:
            if end <= origin:
                return
            self._stretches = [each for each in self._stretches if each.stream_id != stream_id]
            self._stretches.append(_Stretch(stream_id, origin, boot_us, origin, end))
        else:
            last.end = max(last.end, end)
        self._overwrite()

    def forget_unwritten(self) -> None:
        """Lose the page that was in RAM only (a reboot)."""
        if self._stretches:
            last = self._stretches[-1]
            last.end -= (last.end - last.first) % PAGE_SAMPLES
            self._drop_empty()

    def erase(self) -> None:
        """Forget everything."""
        self._stretches = []

    def kept(self, stream_id: int) -> KeptRange:
        """Tell what is kept of a stream."""
        stretch = self._of(stream_id)
        if stretch is None:
            return KeptRange(0, 0)
        return KeptRange(
            self._index(stretch, stretch.first),
            self._index(stretch, stretch.end - 1) + 1,
        )

    def stream_after(self, stream_id: int) -> int:
        """Name the stream kept after one; 0 where there is none, or where that one is not kept."""
        ids = self.stream_ids
        if stream_id not in ids:
            return 0
        place = ids.index(stream_id) + 1
        return ids[place] if place < len(ids) else 0

    def frame_from(self, stream_id: int, index: int, end: int, largest: int) -> ImuFrame | None:
        """Cut the first samples kept of a stream from an index on: consecutive, all before ``end``.

        None where none is kept in that range.
        """
        stretch = self._of(stream_id)
        if stretch is None:
            return None
        first, stop = self._position(stretch, index), self._position(stretch, end)
        if stop <= first:
            return None
        stop = min(first + largest, stop, self._played.run_end(first))
        is_oldest = first == stretch.first and first > stretch.origin
        return self._played.frame(
            stretch.stream_id,
            stretch.origin,
            stretch.boot_us,
            first,
            stop,
            gap_before=is_oldest or self._played.is_behind_hole(first, stretch.origin),
        )

    def _of(self, stream_id: int) -> _Stretch | None:
        return next((each for each in self._stretches if each.stream_id == stream_id), None)

    def _index(self, stretch: _Stretch, position: int) -> int:
        return self._played.index_at(position) - self._played.index_at(stretch.origin)

    def _position(self, stretch: _Stretch, index: int) -> int:
        """Position of the first sample kept with this index or a later one; ``end`` where there is none."""
        wanted = self._played.position_of(self._played.index_at(stretch.origin) + index)
        return min(max(wanted, stretch.first), stretch.end)

    def _overwrite(self) -> None:
        too_many = sum(each.n_pages for each in self._stretches) - self._n_pages
        while too_many > 0:
            oldest = self._stretches[0]
            pages = min(too_many, oldest.n_pages)
            oldest.first = min(oldest.first + pages * PAGE_SAMPLES, oldest.end)
            too_many -= pages
            self._drop_empty()

    def _drop_empty(self) -> None:
        self._stretches = [each for each in self._stretches if each.end > each.first]
