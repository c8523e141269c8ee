"""What a sensor answers on BULK, without a radio; `test_peripheral` has a little of it over the air."""

from __future__ import annotations

import numpy as np
import pytest

from firmware_protocol.codec import decode_notified, encode
from firmware_protocol.packets import BulkPage, BulkReply, BulkResult, Erase, Fetch, Grant, Survey
from hardware_sim.flash_ring import PAGE_SAMPLES, FlashRing
from hardware_sim.peripheral_bulk import BulkServer
from hardware_sim.peripheral_stream import PlayedSource, SampleStream
from tests.hardware_sim.test_peripheral_stream import source

MTU, INTERVAL_S = 247, 0.03
OK, UNKNOWN, INVALID, GONE, BUSY = BulkResult


class Bench:
    """A sensor that began stream 41 at 100.0005 s, 100 Hz."""

    def __init__(self, pages=20):
        self.played = PlayedSource(source(5000))
        self.flash = FlashRing(self.played, pages * PAGE_SAMPLES)
        self.stream = SampleStream(
            self.played, ring_capacity=300, queue_frames=8, first_stream_id=41, flash=self.flash
        )
        self.server = BulkServer(self.stream, self.flash)
        self.stream.start(99.0)
        self.played.begin(100.0005)

    def ask(self, request, now_s=120.0, mtu=MTU):
        value = request if isinstance(request, bytes) else encode(request)
        reply = self.server.request(value, now_s, mtu)
        return None if reply is None else decode_notified(reply)

    def drain(self, now_s=120.0, mtu=MTU, *, is_live=False):
        values = []
        while (value := self.server.next_value(now_s, mtu, INTERVAL_S, is_live=is_live)) is not None:
            values.append(decode_notified(value))
        return values


def test_fetch_brings_the_samples_in_order_then_one_reply():
    bench = Bench()
    assert bench.ask(Fetch(7, 255, 41, 100, 900)) is None
    *pages, reply = bench.drain()
    assert [each.page_number for each in pages] == list(range(45))
    assert {each.tag for each in pages} == {7}
    samples = np.frombuffer(b"".join(each.frame.samples for each in pages), dtype="<i2").reshape(-1, 6)
    assert np.array_equal(samples, source(5000).counts[100:900])
    assert isinstance(reply, BulkReply)
    assert (reply.tag, reply.result, reply.pages, reply.stream_id) == (7, OK, 45, 41)
    assert (reply.first_sample_index, reply.end_sample_index) == (0, 2000)
    assert (reply.capacity_samples, reply.stored_samples) == (20 * PAGE_SAMPLES, 2000)
    assert bench.drain() == []


def test_pages_use_up_credits_and_the_reply_none():
    bench = Bench()
    bench.ask(Fetch(7, 2, 41, 0, 90))
    assert len(bench.drain()) == 2
    assert bench.server.due_s(INTERVAL_S) is None
    bench.ask(Grant(8, 9))  # of no fetch that is under way
    assert bench.drain() == []
    bench.ask(Grant(7, 3))
    assert [type(each) for each in bench.drain()] == [BulkPage, BulkPage, BulkPage, BulkReply]


def test_what_was_overwritten_is_said_to_be_gone():
    bench = Bench(pages=2)
    bench.ask(Fetch(7, 255, 41, 0, 1800))
    *pages, reply = bench.drain()
    oldest = reply.first_sample_index
    assert 0 < oldest < 1800
    assert (reply.result, reply.pages, reply.end_sample_index) == (GONE, len(pages), 2000)
    assert (pages[0].frame.first_sample_index, pages[0].frame.gap_before) == (oldest, True)
    assert sum(each.frame.n_samples for each in pages) == 1800 - oldest


def test_what_is_overwritten_while_it_is_fetched_is_left_out():
    bench = Bench(pages=2)
    bench.ask(Fetch(7, 1, 41, 1400, 1900))
    (page,) = bench.drain()
    assert page.frame.first_sample_index == 1400
    bench.ask(Grant(7, 255))
    *pages, reply = bench.drain(121.0)
    assert pages[0].frame.gap_before
    assert pages[0].frame.first_sample_index == reply.first_sample_index > 1418
    assert reply.result is GONE


def test_beside_a_stream_three_pages_in_ten_intervals():
    bench = Bench()
    bench.ask(Fetch(7, 255, 41, 0, 1800))
    sent = []
    for step in range(3000):
        now_s = 120.0 + step * 0.001
        sent += [now_s] * len(bench.drain(now_s, is_live=True))
    assert all(
        later - earlier >= 10 * INTERVAL_S - 1e-9 for earlier, later in zip(sent, sent[3:], strict=False)
    )
    assert len(sent) == pytest.approx(30, abs=3)
    due_s = bench.server.due_s(INTERVAL_S)
    assert due_s == pytest.approx(sent[-3] + 10 * INTERVAL_S)
    assert len(bench.drain(now_s)) > 60  # without a stream on the link, at once


def test_a_new_fetch_takes_the_place_of_the_one_under_way():
    bench = Bench()
    bench.ask(Fetch(7, 1, 41, 0, 900))
    bench.drain()
    bench.ask(Fetch(8, 255, 41, 50, 60))
    page, reply = bench.drain()
    assert (page.tag, page.page_number, page.frame.first_sample_index, page.frame.n_samples) == (8, 0, 50, 10)
    assert (reply.tag, reply.result) == (8, OK)


def test_end_of_the_link_ends_a_fetch():
    bench = Bench()
    bench.ask(Fetch(7, 255, 41, 0, 900))
    bench.server.end_link()
    assert bench.drain() == []
    assert bench.server.due_s(INTERVAL_S) is None


def test_small_mtu_makes_small_pages():
    bench = Bench()
    bench.ask(Fetch(7, 255, 41, 0, 3), mtu=38)
    assert [each.frame.n_samples for each in bench.drain(mtu=38)[:-1]] == [1, 1, 1]
    assert bench.ask(Fetch(7, 255, 41, 0, 3), mtu=37).result is INVALID


@pytest.mark.parametrize(
    ("request_hex", "opcode", "result"),
    [
        ("18 01 07 00 2900 00000000 0a000000", 1, INVALID),  # no credits
        ("18 01 07 01 2900 00000000", 1, INVALID),  # cut short
        ("18 01 07 01 2900 00000000 d1070000", 1, INVALID),  # beyond the next sample
        ("18 09 07", 9, UNKNOWN),
        ("28 04 07", 4, UNKNOWN),
        ("18 04 07", 4, BUSY),
        ("18 04 07 00", 4, INVALID),
        ("18 03 07 2900", 3, OK),
    ],
)
def test_answers_at_once(request_hex, opcode, result):
    reply = Bench().ask(bytes.fromhex(request_hex))
    assert (reply.tag, reply.opcode, reply.result, reply.pages) == (7, opcode, result, 0)


@pytest.mark.parametrize("request_hex", ["", "18", "18 01"])
def test_what_has_no_tag_is_ignored(request_hex):
    assert Bench().ask(bytes.fromhex(request_hex)) is None


def test_survey_walks_through_all_streams_and_erase_forgets_them():
    bench = Bench()
    bench.stream.stop(110.0)
    bench.stream.start(111.0)
    oldest = bench.ask(Survey(1, 0))
    assert (oldest.stream_id, oldest.first_sample_index, oldest.end_sample_index) == (41, 0, 1000)
    newest = bench.ask(Survey(2, oldest.next_stream_id))
    assert (newest.stream_id, newest.end_sample_index, newest.next_stream_id) == (42, 900, 0)
    assert newest.stored_samples == 1900
    bench.stream.stop(120.0)
    erased = bench.ask(Erase(3))
    assert (erased.result, erased.stored_samples, erased.capacity_samples) == (OK, 0, 20 * PAGE_SAMPLES)
    nothing = bench.ask(Survey(4, 0))
    assert (nothing.stream_id, nothing.end_sample_index, nothing.next_stream_id) == (0, 0, 0)
    bench.ask(Fetch(5, 9, 41, 0, 10))
    (reply,) = bench.drain()
    assert (reply.result, reply.pages) == (GONE, 0)
