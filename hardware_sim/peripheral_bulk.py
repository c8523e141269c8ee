"""The BULK half of a virtual sensor: fetches, credits, and their share of the link. No radio."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firmware_protocol.codec import decode_request, encode, request_start
from firmware_protocol.errors import ProtocolError, UnknownPacket, UnsupportedVersion
from firmware_protocol.packets import (
    NO_STREAM,
    BulkOpcode,
    BulkPage,
    BulkReply,
    BulkRequest,
    BulkResult,
    Erase,
    Fetch,
    Grant,
    Survey,
    samples_per_page,
)

if TYPE_CHECKING:
    from hardware_sim.flash_ring import FlashRing
    from hardware_sim.peripheral_stream import SampleStream

_PAGES_AT_A_TIME: Final = 3  # in so many connection intervals, while a stream is sent besides:
_INTERVALS: Final = 10


@dataclass(slots=True)
class _Fetching:
    """A fetch under way."""

    request: Fetch
    credits: int
    next_index: int
    pages: int = 0
    sent_samples: int = 0


class BulkServer:
    """Answers requests for stored samples.

    Every method takes the time now, so a test needs no clock.

    Parameters
    ----------
    stream
        What is being sampled, and stored.
    flash
        Where it is stored.
    """

    def __init__(self, stream: SampleStream, flash: FlashRing) -> None:
        self._stream = stream
        self._flash = flash
        self._fetching: _Fetching | None = None
        self._sent_at_s: deque[float] = deque(maxlen=_PAGES_AT_A_TIME)

    def request(self, value: bytes, now_s: float, mtu: int) -> bytes | None:
        """Take a value written to BULK; return what is to be notified at once."""
        if len(value) < 3:
            return None
        opcode, tag = value[1], value[2]
        try:
            opcode, tag = request_start(value)
            request = decode_request(value)
        except (UnknownPacket, UnsupportedVersion):
            return self._reply(opcode, tag, BulkResult.UNKNOWN_REQUEST)
        except ProtocolError:
            return self._reply(opcode, tag, BulkResult.INVALID_ARGUMENT)
        self._stream.store(now_s)
        return self._execute(request, now_s, mtu)

    def next_value(self, now_s: float, mtu: int, interval_s: float, *, is_live: bool) -> bytes | None:
        """Return the next page or the last word of the fetch under way; None while that has to wait.

        Parameters
        ----------
        now_s
            The time, s.
        mtu
            ATT MTU in force.
        interval_s
            Connection interval in force, s.
        is_live
            Whether frames of a stream are being sent besides.
        """
        fetching = self._fetching
        if fetching is None:
            return None
        self._stream.store(now_s)
        request = fetching.request
        frame = self._flash.frame_from(
            request.stream_id, fetching.next_index, request.end_sample_index, samples_per_page(mtu)
        )
        if frame is None:
            self._fetching = None
            asked = request.end_sample_index - request.first_sample_index
            result = BulkResult.OK if fetching.sent_samples == asked else BulkResult.RANGE_GONE
            return self._reply(
                BulkOpcode.FETCH, request.tag, result, stream_id=request.stream_id, pages=fetching.pages
            )
        if not fetching.credits or (is_live and now_s < self._free_at_s(interval_s)):
            return None
        page = BulkPage(request.tag, fetching.pages, frame)
        self._sent_at_s.append(now_s)
        fetching.credits -= 1
        fetching.pages += 1
        fetching.sent_samples += frame.n_samples
        fetching.next_index = frame.first_sample_index + frame.n_samples
        return encode(page)

    def due_s(self, interval_s: float) -> float | None:
        """Tell when the next page may be sent beside a stream; None where none waits for that."""
        if self._fetching is None or not self._fetching.credits:
            return None
        return self._free_at_s(interval_s)

    def end_link(self) -> None:
        """Forget the fetch under way."""
        self._fetching = None

    def _free_at_s(self, interval_s: float) -> float:
        if len(self._sent_at_s) < _PAGES_AT_A_TIME:
            return 0.0
        return self._sent_at_s[0] + _INTERVALS * interval_s

    def _execute(self, request: BulkRequest, now_s: float, mtu: int) -> bytes | None:
        match request:
            case Fetch(tag, n_pages, stream_id, first, end):
                if not samples_per_page(mtu) or self._is_to_come(stream_id, end, now_s):
                    return self._reply(
                        BulkOpcode.FETCH, tag, BulkResult.INVALID_ARGUMENT, stream_id=stream_id
                    )
                self._fetching = _Fetching(request, n_pages, first)
                return None
            case Grant(tag, n_pages):
                if self._fetching is not None and self._fetching.request.tag == tag:
                    self._fetching.credits += n_pages
                return None
            case Survey(tag, stream_id):
                ids = self._flash.stream_ids
                asked = stream_id or (ids[0] if ids else NO_STREAM)
                return self._reply(BulkOpcode.SURVEY, tag, BulkResult.OK, stream_id=asked)
            case Erase(tag):
                if self._stream.is_running:
                    return self._reply(BulkOpcode.ERASE, tag, BulkResult.BUSY)
                self._fetching = None
                self._flash.erase()
                return self._reply(BulkOpcode.ERASE, tag, BulkResult.OK)

    def _is_to_come(self, stream_id: int, end: int, now_s: float) -> bool:
        stream = self._stream
        return stream.is_running and stream_id == stream.stream_id and end > stream.made_index(now_s)

    def _reply(
        self, opcode: int, tag: int, result: BulkResult, *, stream_id: int = NO_STREAM, pages: int = 0
    ) -> bytes:
        kept = self._flash.kept(stream_id)
        return encode(
            BulkReply(
                tag=tag,
                opcode=opcode,
                result=result,
                pages=pages,
                stream_id=stream_id,
                first_sample_index=kept.first,
                end_sample_index=kept.end,
                next_stream_id=self._flash.stream_after(stream_id),
                capacity_samples=self._flash.capacity_samples,
                stored_samples=self._flash.stored_samples,
            )
        )
