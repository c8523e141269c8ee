"""Clauses about stored samples (BULK)."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firmware_protocol import gatt
from firmware_protocol.codec import decode_notified, encode
from firmware_protocol.errors import ProtocolError
from firmware_protocol.packets import (
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
from sensor_bridge.conformance.observation import observed, readable_frames, require_numbering, samples_of
from sensor_bridge.conformance.verdict import NotExaminable, Violation, require

if TYPE_CHECKING:
    from sensor_bridge.ble.bare_link import Heard
    from sensor_bridge.conformance.bench import Bench

_REPLY_S: Final = 2.0
_ERASE_S: Final = 60.0
_FETCH_S: Final = 10.0
_SILENCE_S: Final = 0.5
_LIVE_S: Final = 1.0
_ALL_CREDITS: Final = 255
_PAGES: Final = 16
_MOST_STREAMS: Final = 1000
_PAGES_AT_A_TIME, _INTERVALS = 3, 10

# Written out by hand: a codec would refuse to make them.
_MALFORMED: Final = {
    "Fetch without credits": "18 01 d0 00 0100 00000000 01000000",
    "Fetch of stream 0": "18 01 d1 01 0000 00000000 01000000",
    "Fetch of no sample": "18 01 d2 01 0100 05000000 05000000",
    "Fetch of 65536 samples": "18 01 d3 01 0100 00000000 00000100",
    "Fetch cut short": "18 01 d4 01 0100",
    "Survey with a byte too many": "18 03 d5 0000 00",
    "Erase with an argument": "18 04 d6 01",
}
_UNKNOWN: Final = {"opcode 9": "18 09 e0", "version 2": "28 03 e1 0000"}


@dataclass(frozen=True, slots=True)
class _Fetched:
    """What a Fetch brought."""

    pages: list[BulkPage]
    arrivals_s: list[float]
    reply: BulkReply


async def bulk_survey(bench: Bench) -> None:
    """bulk-survey."""
    await _require_bulk(bench)
    ours = [(await observed(bench)).started.stream_id, await _second_stream(bench)]
    replies = await _surveyed(bench)
    seen = [reply.stream_id for reply in replies]
    require(set(ours) <= set(seen), f"kept are {', '.join(map(str, seen))}; just made were {ours}")
    require(len(set(seen)) == len(seen), f"the streams go round: {', '.join(map(str, seen))}")
    kept = sum(reply.end_sample_index - reply.first_sample_index for reply in replies)
    stored = replies[-1].stored_samples
    require(stored <= kept, f"{stored} samples are stored, the streams have no more than {kept}")


async def bulk_fetch(bench: Bench) -> None:
    """bulk-fetch."""
    request, known = await _observed_range(bench)
    fetched = await _fetch(bench, request)
    require(fetched.reply.result is BulkResult.OK, f"the reply is {fetched.reply.result.name}")
    numbers = [page.page_number for page in fetched.pages]
    require(numbers == list(range(len(numbers))), f"the pages are numbered {numbers}")
    require(
        fetched.reply.pages == len(numbers),
        f"{len(numbers)} pages came, the reply says {fetched.reply.pages}",
    )
    require({page.tag for page in fetched.pages} <= {request.tag}, "a page has another tag")
    found = samples_of(page.frame for page in fetched.pages)
    wanted = range(request.first_sample_index, request.end_sample_index)
    require(sorted(found) == list(wanted), f"{len(found)} samples came, asked for were {len(wanted)}")
    for index in wanted:
        if index in known:
            require(found[index][0] == known[index][0], f"sample {index} has other counts than in its frame")
            step_us = found[index][1] - known[index][1]
            require(
                abs(step_us) <= 1e3, f"sample {index} is stamped {step_us:.0f} µs later than in its frame"
            )


async def bulk_pages(bench: Bench) -> None:
    """bulk-pages."""
    request, _ = await _observed_range(bench)
    fetched = await _fetch(bench, request)
    allowed = samples_per_page((await bench.status()).mtu)
    sizes = [page.frame.n_samples for page in fetched.pages]
    require(bool(sizes), "no page came")
    require(max(sizes) <= allowed, f"a page holds {max(sizes)} samples, the MTU allows {allowed}")
    require_numbering([page.frame for page in fetched.pages])
    for page, later in itertools.pairwise(fetched.pages):
        is_followed = later.frame.first_sample_index == page.frame.first_sample_index + page.frame.n_samples
        require(
            not is_followed or page.frame.n_samples == allowed,
            f"page {page.page_number} holds {page.frame.n_samples} samples where {allowed} would fit",
        )


async def bulk_credits(bench: Bench) -> None:
    """bulk-credits."""
    request, _ = await _observed_range(bench)
    begun = _mark(bench)
    await _write(bench, Fetch(request.tag, 1, *_range(request)))
    await _require_pages(bench, begun, 1)
    await _write(bench, Grant(request.tag ^ 0x80, 1))  # of another Fetch: without effect
    await _require_pages(bench, begun, 1)
    await _write(bench, Grant(request.tag, 1))
    await _require_pages(bench, begun, 2)


async def bulk_replaced(bench: Bench) -> None:
    """bulk-replaced."""
    request, _ = await _observed_range(bench)
    begun = _mark(bench)
    await _write(bench, Fetch(request.tag, 1, *_range(request)))
    second = Fetch(bench.tag(), _ALL_CREDITS, *_range(request))
    fetched = await _fetch(bench, second)
    replies = [each for _, each in _read(_since(bench, begun)) if isinstance(each, BulkReply)]
    require([each.tag for each in replies] == [second.tag], "the Fetch that was replaced has a reply, too")
    require(bool(fetched.pages), "the new Fetch brought nothing")


async def bulk_gone(bench: Bench) -> None:
    """bulk-gone."""
    known = {reply.stream_id for reply in await _surveyed(bench)} | set(bench.streams)
    unknown = next(each for each in range(1, 0xFFFF) if each not in known)
    fetched = await _fetch(bench, Fetch(bench.tag(), _ALL_CREDITS, unknown, 0, 10))
    require(
        fetched.reply.result is BulkResult.RANGE_GONE and not fetched.pages,
        f"a stream that is not kept was answered {fetched.reply.result.name}, {len(fetched.pages)} pages",
    )


async def bulk_beyond(bench: Bench) -> None:
    """bulk-beyond."""
    await _require_bulk(bench)
    _, started = await bench.start()
    reply = await _ask(bench, Fetch(bench.tag(), 1, started.stream_id, 60_000, 65_000))
    require(reply.result is BulkResult.INVALID_ARGUMENT, f"it was answered {reply.result.name}")
    await bench.idle()


async def bulk_live(bench: Bench) -> None:
    """bulk-live."""
    request, _ = await _observed_range(bench)
    await bench.start()
    link, begun = bench.link, bench.replied
    await link.until(lambda: bool(link.heard_since(gatt.DATA_UUID, begun)), _REPLY_S)
    fetched = await _fetch(bench, request)
    begun_s = link.now_s()
    await link.until(lambda: link.now_s() > begun_s + _LIVE_S, _LIVE_S)
    frames = [frame for _, frame in readable_frames(link.heard_since(gatt.DATA_UUID, begun))]
    interval_s = (await bench.status()).connection_interval_ms / 1e3
    await bench.idle()
    require_numbering(frames)
    require(
        not any(frame.gap_before for frame in frames), "samples of the running stream were lost meanwhile"
    )
    n_pages, took_s = len(fetched.pages), fetched.arrivals_s[-1] - fetched.arrivals_s[0]
    shares = (n_pages - 1) // _PAGES_AT_A_TIME
    shortest_s = 0.8 * shares * _INTERVALS * interval_s
    require(took_s >= shortest_s, f"{n_pages} pages came in {took_s:.2f} s, {shortest_s:.2f} s are allowed")


async def bulk_refused(bench: Bench) -> None:
    """bulk-refused."""
    for commands, result in (
        (_MALFORMED, BulkResult.INVALID_ARGUMENT),
        (_UNKNOWN, BulkResult.UNKNOWN_REQUEST),
    ):
        for what, digits in commands.items():
            payload = bytes.fromhex(digits)
            reply = await _ask(bench, payload)
            require(reply.result is result, f"{what} ({digits}) was answered {reply.result.name}")
            found = (reply.opcode, reply.tag)
            require(found == (payload[1], payload[2]), f"opcode and tag of the reply to {digits}: {found}")


async def bulk_ignored(bench: Bench) -> None:
    """bulk-ignored."""
    await _require_bulk(bench)
    begun = _mark(bench)
    for payload in (b"\x18", b"\x18\x03"):
        await bench.link.write(gatt.BULK_UUID, payload, response=False)
    await _write(bench, Grant(bench.tag(), 5))
    await bench.link.until(lambda: bool(_since(bench, begun)), _SILENCE_S)
    require(not _since(bench, begun), "it was answered")


async def bulk_link(bench: Bench) -> None:
    """bulk-link."""
    request, _ = await _observed_range(bench)
    begun = _mark(bench)
    await _write(bench, Fetch(request.tag, 1, *_range(request)))
    await bench.link.until(lambda: bool(_since(bench, begun)), _SILENCE_S)  # it is under way
    await bench.connect()
    await _write(bench, Grant(request.tag, _ALL_CREDITS))
    await bench.link.until(lambda: bool(bench.link.heard(gatt.BULK_UUID)), _SILENCE_S)
    require(not bench.link.heard(gatt.BULK_UUID), "the Fetch of the lost link goes on")


async def bulk_busy(bench: Bench) -> None:
    """bulk-busy."""
    await _require_bulk(bench)
    await bench.start()
    reply = await _ask(bench, Erase(bench.tag()))
    await bench.idle()
    require(reply.result is BulkResult.BUSY, f"it was answered {reply.result.name}")


async def bulk_erase(bench: Bench) -> None:
    """bulk-erase."""
    request, _ = await _observed_range(bench)
    reply = await _ask(bench, Erase(bench.tag()), _ERASE_S)
    bench.observation = None
    require(reply.result is BulkResult.OK, f"it was answered {reply.result.name}")
    require(reply.stored_samples == 0, f"{reply.stored_samples} samples are stored still")
    fetched = await _fetch(bench, Fetch(bench.tag(), _ALL_CREDITS, *_range(request)))
    require(fetched.reply.result is BulkResult.RANGE_GONE, "what was erased can be fetched")


async def _require_bulk(bench: Bench) -> None:
    if all(each.uuid != gatt.BULK_UUID for each in bench.link.characteristics):
        raise NotExaminable("the sensor has no BULK")
    mtu = (await bench.status()).mtu
    if not samples_per_page(mtu):
        raise NotExaminable(f"the MTU is {mtu}, too small for BULK")


async def _observed_range(bench: Bench) -> tuple[Fetch, dict[int, tuple[bytes, float]]]:
    """Make a Fetch of the observed stream, and what is known of its samples; no stream runs then."""
    await _require_bulk(bench)
    seen = await observed(bench)
    known = samples_of(frame for _, frame in seen.frames())
    await bench.idle()
    await _settle(bench)
    first = min(known)
    end = min(max(known) + 1, first + _PAGES * samples_per_page((await bench.status()).mtu))
    return Fetch(bench.tag(), _ALL_CREDITS, seen.started.stream_id, first, end), known


def _range(request: Fetch) -> tuple[int, int, int]:
    return request.stream_id, request.first_sample_index, request.end_sample_index


async def _fetch(bench: Bench, request: Fetch) -> _Fetched:
    begun = _mark(bench)
    await _write(bench, request)

    def came() -> list[tuple[Heard, BulkPage | BulkReply]]:
        return [(heard, each) for heard, each in _read(_since(bench, begun)) if each.tag == request.tag]

    if not await bench.link.until(lambda: any(isinstance(each, BulkReply) for _, each in came()), _FETCH_S):
        raise Violation(f"{len(came())} pages came within {_FETCH_S:g} s, and no reply")
    pages = [(heard.arrival_s, each) for heard, each in came() if isinstance(each, BulkPage)]
    (reply, *others) = [each for _, each in came() if isinstance(each, BulkReply)]
    require(not others, "the Fetch has more than one reply")
    return _Fetched([page for _, page in pages], [arrival_s for arrival_s, _ in pages], reply)


async def _ask(bench: Bench, request: BulkRequest | bytes, timeout_s: float = _REPLY_S) -> BulkReply:
    await _require_bulk(bench)
    begun = _mark(bench)
    await _write(bench, request)

    def replies() -> list[BulkReply]:
        return [each for _, each in _read(_since(bench, begun)) if isinstance(each, BulkReply)]

    require(await bench.link.until(lambda: bool(replies()), timeout_s), "it has no reply")
    return replies()[0]


async def _second_stream(bench: Bench) -> int:
    """Make a few samples more; return the id of their stream."""
    _, started = await bench.start()
    link, begun = bench.link, bench.replied
    await link.until(lambda: bool(link.heard_since(gatt.DATA_UUID, begun)), _REPLY_S)
    await bench.idle()
    return started.stream_id


async def _surveyed(bench: Bench) -> list[BulkReply]:
    """Ask for every stream that is kept, the oldest first."""
    stream_id, replies = 0, list[BulkReply]()
    while len(replies) < _MOST_STREAMS:
        reply = await _ask(bench, Survey(bench.tag(), stream_id))
        require(reply.result is BulkResult.OK, f"Survey of {stream_id} was answered {reply.result.name}")
        require(stream_id in {0, reply.stream_id}, f"Survey of {stream_id} tells of {reply.stream_id}")
        replies.append(reply)
        stream_id = reply.next_stream_id
        if stream_id in {0, *(each.stream_id for each in replies[:-1])}:
            break
    return replies


async def _require_pages(bench: Bench, begun: int, n_pages: int) -> None:
    await bench.link.until(lambda: len(_since(bench, begun)) >= n_pages, _REPLY_S)
    await bench.link.until(lambda: len(_since(bench, begun)) > n_pages, _SILENCE_S)
    came = len(_since(bench, begun))
    require(came == n_pages, f"{came} pages came for {n_pages} credits")


async def _settle(bench: Bench) -> None:
    """Give pages of an earlier Fetch time to come through."""
    await bench.link.until(lambda: False, _SILENCE_S)


async def _write(bench: Bench, request: BulkRequest | bytes) -> None:
    payload = request if isinstance(request, bytes) else encode(request)
    await bench.link.write(gatt.BULK_UUID, payload, response=False)


def _mark(bench: Bench) -> int:
    """Order of the last value of BULK so far."""
    heard = bench.link.heard(gatt.BULK_UUID)
    return heard[-1].order if heard else -1


def _since(bench: Bench, order: int) -> list[Heard]:
    return bench.link.heard_since(gatt.BULK_UUID, order)


def _read(values: list[Heard]) -> list[tuple[Heard, BulkPage | BulkReply]]:
    found = []
    for each in values:
        try:
            found.append((each, decode_notified(each.value)))
        except ProtocolError as error:
            raise Violation(f"BULK: {error}") from error
    return found


CHECKS: Final = {
    "bulk-survey": bulk_survey,
    "bulk-fetch": bulk_fetch,
    "bulk-pages": bulk_pages,
    "bulk-credits": bulk_credits,
    "bulk-replaced": bulk_replaced,
    "bulk-gone": bulk_gone,
    "bulk-beyond": bulk_beyond,
    "bulk-live": bulk_live,
    "bulk-refused": bulk_refused,
    "bulk-ignored": bulk_ignored,
    "bulk-link": bulk_link,
    "bulk-busy": bulk_busy,
    "bulk-erase": bulk_erase,
}
