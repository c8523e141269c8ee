"""What to ask a sensor's flash for: which samples are missing, what came, what is gone for good. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from firmware_protocol.packets import (
    MAX_PAGE_SAMPLES,
    BulkOpcode,
    BulkPage,
    BulkReply,
    BulkRequest,
    BulkResult,
    Fetch,
    Grant,
    Survey,
)
from sensor_bridge.ble.accounting import Arrival, SampleAccount
from sensor_bridge.ble.index_ranges import IndexRanges

if TYPE_CHECKING:
    from firmware_protocol.packets import CommandReply, ImuFrame, StreamStatus
    from sensor_bridge.ble.samples import SampleRun

_CREDITS: Final = 8  # pages that may be on their way
_LONGEST_FETCH: Final = 8192  # samples
_NEAR: Final = 2 * MAX_PAGE_SAMPLES  # two holes as near as this cost less in one fetch than in two
_SILENCE_S: Final = 5.0  # without page or reply; then it is asked again (docs/protocol.md)
_MOST_TRIES: Final = 5  # that brought nothing; then it is set aside
_SET_ASIDE_S: Final = 60.0  # a link that live samples fill to the brim has no room for pages
_MOST_RANGES: Final = 20_000


@dataclass(slots=True)
class _Asked:
    """The request under way."""

    request: Fetch | Survey
    heard_s: float
    granted: int = 0
    pages: set[int] = field(default_factory=set)
    n_new: int = 0

    @property
    def n_sent(self) -> int:
        """Pages that the sensor must have sent, whether or not they arrived."""
        return max(self.pages, default=-1) + 1


class BackfillPlanner:
    """Follows one sensor's samples over all links of a session and asks for those that are missing.

    Oldest first, one request at a time. A sample is named by (stream id, index): pages may come twice, out of
    order, damaged or not at all, and what came is never asked for again.

    Attributes
    ----------
    account
        What became of each sample.
    """

    def __init__(self) -> None:
        self.account = SampleAccount()
        self._can_fetch: bool | None = None
        self._wanted: dict[int, IndexRanges] = {}
        self._unsurveyed: list[int] = []
        self._asked: _Asked | None = None
        self._n_fruitless = 0
        self._set_aside: list[Fetch | Survey] = []
        self._again_s = 0.0
        self._tag = 0

    @property
    def missing(self) -> int:
        """Samples that are not here and that may still come."""
        return sum(ranges.size for ranges in self._wanted.values())

    @property
    def gone(self) -> int:
        """Samples given up: the sensor no longer has them, or did not deliver them."""
        return self.account.lost - self.missing

    @property
    def is_done(self) -> bool:
        """True where nothing is left to ask for."""
        return not self._wanted and not self._unsurveyed

    @property
    def n_unanswered(self) -> int:
        """Requests that may still bring what nobody counts as missing now: surveys, and those set aside."""
        return len(self._unsurveyed) + len(self._set_aside)

    # What happens ----------------------------------------------------------------------------------------

    def link_up(self, *, can_fetch: bool) -> None:
        """Take note of a new link: what was under way is asked again; without flash, nothing ever is."""
        self._can_fetch = can_fetch
        self._asked = None
        self._n_fruitless = 0
        if can_fetch:
            self._take_up_again()
        else:
            self._give_up_everything()

    def go_on(self, reply: CommandReply) -> None:
        """Take the reply to Start, which says where the stream goes on."""
        next_index = self.account.next_index
        self.account.go_on(reply)
        self._want_skipped(next_index)

    def hear(self, status: StreamStatus) -> None:
        """Take a STATUS, which says whether more of the stream is to come."""
        next_index = self.account.next_index
        self.account.hear(status)
        self._want_skipped(next_index)

    def note(self, run: ImuFrame | SampleRun) -> None:
        """Take live samples, in the order in which they came."""
        stream_id, next_index = self.account.stream_id, self.account.next_index
        is_new_stream = run.stream_id != stream_id
        arrival = self.account.add(run)
        if self._can_fetch is False:
            return
        if is_new_stream and stream_id is not None:
            self._unsurveyed.append(stream_id)
        if arrival is Arrival.AFTER_LOSS:
            self.want(run.stream_id, 0 if is_new_stream else next_index, run.first_sample_index)

    def take(self, told: BulkPage | BulkReply, now_s: float) -> int:
        """Take what the sensor notified on BULK at a time, s; return how many samples are new."""
        if isinstance(told, BulkPage):
            return self._take_page(told, now_s)
        self._note_kept(told)
        asked = self._asked
        if asked is None or (told.opcode, told.tag) != (_opcode(asked.request), asked.request.tag):
            return 0
        self._asked = None
        if told.result is BulkResult.UNKNOWN_REQUEST:
            self._can_fetch = False
            self._give_up_everything()
        elif isinstance(asked.request, Survey):
            self._unsurveyed.remove(asked.request.stream_id)
        else:
            self._finish_fetch(asked, asked.request, told, now_s)
        return 0

    def next_request(self, now_s: float) -> BulkRequest | None:
        """Return what is to be written now; ask again after writing it, until there is nothing."""
        if not self._can_fetch:
            return None
        asked = self._asked
        if asked is not None and now_s >= asked.heard_s + _SILENCE_S:
            self._note_fruitless(asked.request, now_s)
            asked = self._asked = None
        if asked is None:
            if self._set_aside and now_s >= self._again_s:
                self._take_up_again()
            return self._begin(now_s)
        left = asked.granted - asked.n_sent
        if isinstance(asked.request, Fetch) and left <= _CREDITS // 2:
            asked.granted += _CREDITS - left
            return Grant(asked.request.tag, _CREDITS - left)
        return None

    def silent_after_s(self) -> float | None:
        """Tell when to look again even if nothing comes; None where there is nothing to look for."""
        if self._asked is not None:
            return self._asked.heard_s + _SILENCE_S
        return self._again_s if self._set_aside and self._can_fetch else None

    # -----------------------------------------------------------------------------------------------------

    def _note_kept(self, told: BulkReply) -> None:
        """Want what a stream that has ended had made beyond what came of it."""
        end = self.account.end_of(told.stream_id)
        self.account.add_stored(told)
        if told.opcode != BulkOpcode.SURVEY or told.result is not BulkResult.OK or end is None:
            return
        if told.stream_id != self.account.stream_id:
            self.want(told.stream_id, end, told.end_sample_index)

    def _take_page(self, page: BulkPage, now_s: float) -> int:
        frame = page.frame
        first, end = frame.first_sample_index, frame.first_sample_index + frame.n_samples
        new = self.account.add_stored(page)
        wanted = self._forget(frame.stream_id, first, end)
        asked = self._asked
        if asked is not None and isinstance(asked.request, Fetch) and asked.request.tag == page.tag:
            asked.heard_s = now_s
            if page.page_number < asked.granted:  # else it was never allowed: do not count with it
                asked.pages.add(page.page_number)
            asked.n_new += max(new, wanted)
        return new

    def _begin(self, now_s: float) -> Fetch | Survey | None:
        request = self._next_fetch() or self._next_survey()
        if request is not None:
            self._tag = (self._tag + 1) & 0xFF
            self._asked = _Asked(request, now_s, request.credits if isinstance(request, Fetch) else 0)
        return request

    def _next_fetch(self) -> Fetch | None:
        for stream_id, wanted in self._wanted.items():
            ranges = iter(wanted)
            first, end = next(ranges)
            for later, later_end in ranges:
                if later - end > _NEAR or end - first >= _LONGEST_FETCH:
                    break
                end = later_end
            return Fetch(self._tag, _CREDITS, stream_id, first, min(end, first + _LONGEST_FETCH))
        return None

    def _next_survey(self) -> Survey | None:
        return Survey(self._tag, self._unsurveyed[0]) if self._unsurveyed else None

    def _finish_fetch(self, asked: _Asked, request: Fetch, told: BulkReply, now_s: float) -> None:
        first, end = request.first_sample_index, request.end_sample_index
        if told.result not in (BulkResult.OK, BulkResult.RANGE_GONE):
            self._note_fruitless(request, now_s)
            return
        if told.pages == len(asked.pages) or told.end_sample_index == 0:
            self._forget(request.stream_id, first, end)
        else:
            lost = self._forget(request.stream_id, first, min(end, told.first_sample_index))
            if not asked.n_new and not lost:
                self._note_fruitless(request, now_s)
                return
        self._n_fruitless = 0

    def _note_fruitless(self, request: Fetch | Survey, now_s: float) -> None:
        """Set aside for a while what was asked for too often in vain: the sensor has it all the same."""
        self._n_fruitless += 1
        if self._n_fruitless < _MOST_TRIES:
            return
        self._n_fruitless = 0
        self._set_aside.append(request)
        self._again_s = now_s + _SET_ASIDE_S
        if isinstance(request, Survey):
            self._unsurveyed.remove(request.stream_id)
        else:
            self._forget(request.stream_id, request.first_sample_index, request.end_sample_index)

    def _want_skipped(self, next_index: int) -> None:
        """Want what the account no longer expects to come live."""
        stream_id = self.account.stream_id
        if self._can_fetch is not False and stream_id is not None:
            self.want(stream_id, next_index, self.account.next_index)

    def want(self, stream_id: int, first: int, end: int) -> None:
        """Ask for samples first to end (exclusive) of a stream, in their turn."""
        if end <= first:
            return
        wanted = self._wanted.setdefault(stream_id, IndexRanges())
        wanted.add(first, end)
        if len(wanted) > _MOST_RANGES:
            oldest = next(iter(wanted))
            self._forget(stream_id, *oldest)

    def _take_up_again(self) -> None:
        """Ask anew for what was set aside, as far as it has not come since."""
        set_aside, self._set_aside = self._set_aside, []
        for request in set_aside:
            if isinstance(request, Survey):
                self._unsurveyed.append(request.stream_id)
            elif gaps := self.account.gaps.get(request.stream_id):
                for first, end in gaps.within(request.first_sample_index, request.end_sample_index):
                    self.want(request.stream_id, first, end)

    def _give_up_everything(self) -> None:
        self._set_aside.clear()
        self._wanted.clear()
        self._unsurveyed.clear()

    def _forget(self, stream_id: int, first: int, end: int) -> int:
        """Want samples no longer, because they came or cannot come; return how many were wanted."""
        wanted = self._wanted.get(stream_id)
        if wanted is None:
            return 0
        removed = wanted.discard(first, end)
        if not wanted.size:
            del self._wanted[stream_id]
        return removed


def _opcode(request: Fetch | Survey) -> BulkOpcode:
    return BulkOpcode.FETCH if isinstance(request, Fetch) else BulkOpcode.SURVEY
