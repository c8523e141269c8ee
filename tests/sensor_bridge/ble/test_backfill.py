"""The planner against the virtual sensor's answers, on a wire that loses, doubles, shuffles and damages."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_protocol.codec import decode_notified, encode
from firmware_protocol.errors import ProtocolError
from firmware_protocol.packets import (
    BulkOpcode,
    BulkPage,
    BulkReply,
    BulkResult,
    Erase,
    Fetch,
    Grant,
    Survey,
)
from hardware_sim.flash_ring import PAGE_SAMPLES, FlashRing
from hardware_sim.peripheral_bulk import BulkServer
from hardware_sim.peripheral_stream import PlayedSource, SampleStream
from sensor_bridge.ble.backfill import BackfillPlanner
from tests.hardware_sim.test_peripheral_stream import source

INTERVAL_S = 0.03
N = 3000


@dataclass
class Wire:
    """What becomes of notifications on their way, as shares of them."""

    lost: float = 0.0
    doubled: float = 0.0
    shuffled: float = 0.0
    damaged: float = 0.0
    random: random.Random = field(default_factory=lambda: random.Random(1))

    def carry(self, values):
        carried = []
        for value in values:
            if self.random.random() < self.lost:
                continue
            came = bytearray(value)
            if self.random.random() < self.damaged:
                came[self.random.randrange(len(value))] ^= 1 << self.random.randrange(8)
            carried += [bytes(came)] * (2 if self.random.random() < self.doubled else 1)
        if self.random.random() < self.shuffled:
            self.random.shuffle(carried)
        return carried


class Bench:
    """A sensor whose stream 41 has made `N` samples of 100 Hz, and a planner that got some of them."""

    def __init__(self, pages=20, wire=None):
        self.played = PlayedSource(source(2 * N))
        self.flash = FlashRing(self.played, pages * PAGE_SAMPLES)
        self.stream = SampleStream(
            self.played, ring_capacity=300, queue_frames=8, first_stream_id=41, flash=self.flash
        )
        self.server = BulkServer(self.stream, self.flash)
        self.stream.start(99.0)
        self.played.begin(100.0005)
        self.origin = 0
        self.now_s = 100.0 + N / 100
        self.wire = wire or Wire()
        self.planner = BackfillPlanner()
        self.requests = []
        self.samples = {}
        self.rejected = 0

    def live(self, *ranges):
        """Let samples of the running stream arrive as frames, ten at a time."""
        self.stream.store(self.now_s)
        for first, end in ranges:
            for at in range(first, end, 10):
                n = min(10, end - at)
                frame = self.played.frame(
                    self.stream.stream_id,
                    self.origin,
                    0,
                    self.origin + at,
                    self.origin + at + n,
                    gap_before=False,
                )
                self.planner.note(frame)
                self._keep(frame)

    def heal(self, *, seconds=4000.0):
        """Let both talk until nothing is left to ask for."""
        until_s = self.now_s + seconds
        while not self.planner.is_done and self.now_s < until_s:
            self.step()
        return self.planner.is_done

    def step(self):
        values = []
        while (request := self.planner.next_request(self.now_s)) is not None:
            self.requests.append(request)
            values.append(self.server.request(encode(request), self.now_s, 247))
        values += iter(lambda: self.server.next_value(self.now_s, 247, INTERVAL_S, is_live=False), None)
        for value in self.wire.carry([each for each in values if each is not None]):
            try:
                told = decode_notified(value)
            except ProtocolError:
                self.rejected += 1
                continue
            self.planner.take(told, self.now_s)
            if isinstance(told, BulkPage):
                self._keep(told.frame)
        self.now_s += 0.5

    def _keep(self, frame):
        for place in range(frame.n_samples):
            key = frame.stream_id, frame.first_sample_index + place
            value = frame.samples[12 * place : 12 * place + 12]
            assert self.samples.setdefault(key, value) == value

    def counts(self):
        account = self.planner.account
        return account.received, account.backfilled, account.lost, self.planner.missing, self.planner.gone


def test_a_long_gap_is_fetched_as_a_whole():
    bench = Bench()
    bench.live((0, 500), (2500, 2600))
    assert bench.planner.missing == 2000
    assert bench.planner.next_request(bench.now_s) is None  # no link yet
    bench.planner.link_up(can_fetch=True)
    assert bench.heal()
    assert bench.counts() == (600, 2000, 0, 0, 0)
    assert {index for _, index in bench.samples} == set(range(2600))
    fetches = [each for each in bench.requests if isinstance(each, Fetch)]
    assert [(each.first_sample_index, each.end_sample_index) for each in fetches] == [(500, 2500)]


def test_oldest_first_and_near_holes_together():
    bench = Bench()
    bench.live((0, 100), (110, 130), (150, 500), (900, 1000))
    bench.planner.link_up(can_fetch=True)
    assert bench.heal()
    fetches = [each for each in bench.requests if isinstance(each, Fetch)]
    assert [(each.first_sample_index, each.end_sample_index) for each in fetches] == [(100, 150), (500, 900)]
    assert bench.planner.account.duplicated == 20  # those between the two near holes


def test_credits_never_let_more_than_eight_pages_wait():
    bench = Bench()
    bench.live((0, 10), (2990, 3000))
    bench.planner.link_up(can_fetch=True)
    sent = granted = 0
    while not bench.planner.is_done:
        before = len(bench.requests)
        bench.step()
        granted += sum(each.credits for each in bench.requests[before:])
        sent = len({index // 18 for _, index in bench.samples})
        assert granted - sent <= 9
    assert {type(each) for each in bench.requests} == {Fetch, Grant}


def test_what_the_flash_no_longer_has_is_gone_for_good():
    bench = Bench(pages=3)
    bench.live((0, 500), (2900, 3000))
    bench.planner.link_up(can_fetch=True)
    assert bench.heal()
    gaps = list(bench.planner.account.gaps[41])
    assert gaps[0][0] == 500
    assert gaps[-1][1] <= bench.flash.kept(41).first
    gone = bench.planner.account.gaps[41].size
    assert 1000 < gone < 2400
    assert bench.counts() == (600, 2400 - gone, gone, 0, gone)


def test_holes_the_sensor_never_filled_are_gone_without_asking_twice():
    bench = Bench()
    bench.played = PlayedSource(source(2 * N, hole_after=300, hole_samples=50))
    bench.flash = bench.stream.flash = FlashRing(bench.played, 20 * PAGE_SAMPLES)
    bench.flash.store(41, 0, 0, N)
    bench.server = BulkServer(bench.stream, bench.flash)
    for first, end in ((0, 200), (400, 500)):
        bench.planner.note(bench.flash.frame_from(41, first, end, 18))
    bench.planner.link_up(can_fetch=True)
    assert bench.heal()
    assert bench.planner.gone == 50
    assert list(bench.planner.account.gaps[41]) == [(300, 350)]


def test_lost_link_asks_again_for_what_is_left_only():
    bench = Bench()
    bench.live((0, 100), (1100, 1200))
    bench.planner.link_up(can_fetch=True)
    bench.step()
    left = bench.planner.missing
    assert 0 < left < 1000
    bench.server.end_link()
    bench.planner.link_up(can_fetch=True)
    assert bench.planner.silent_after_s() is None
    bench.step()
    again = next(each for each in reversed(bench.requests) if isinstance(each, Fetch))
    assert again.end_sample_index - again.first_sample_index == left
    assert bench.heal()
    assert bench.counts()[1:] == (1000, 0, 0, 0)


def test_end_of_the_stream_before_a_reboot_is_asked_for_and_fetched():
    bench = Bench()
    bench.live((0, 2000))
    bench.stream.stop(bench.now_s)
    bench.stream.start(bench.now_s)
    bench.origin = N
    bench.now_s += 1.0
    bench.live((0, 90))
    bench.planner.link_up(can_fetch=True)
    assert bench.heal()
    assert [each for each in bench.requests if isinstance(each, Survey)] == [Survey(0, 41)]
    assert bench.counts() == (2090, 1000, 0, 0, 0)
    assert {index for stream_id, index in bench.samples if stream_id == 41} == set(range(N))


def test_a_sensor_without_flash_leaves_nothing_to_ask_for():
    planner = Bench().planner
    bench = Bench()
    bench.planner = planner
    bench.live((0, 100), (200, 300))
    planner.link_up(can_fetch=False)
    bench.live((400, 500))
    assert (planner.is_done, planner.missing, planner.gone) == (True, 0, 200)
    assert planner.account.lost == 200


def answer(request, result, *, pages=0, kept=(0, 0)):
    return BulkReply(
        tag=request.tag,
        opcode=BulkOpcode.FETCH,
        result=result,
        pages=pages,
        stream_id=request.stream_id,
        first_sample_index=kept[0],
        end_sample_index=kept[1],
        next_stream_id=0,
        capacity_samples=0,
        stored_samples=0,
    )


def test_a_sensor_that_refuses_again_and_again_is_left_alone():
    bench = Bench()
    bench.live((0, 100), (200, 300))
    bench.planner.link_up(can_fetch=True)
    for _ in range(5):
        request = bench.planner.next_request(bench.now_s)
        bench.planner.take(answer(request, BulkResult.BUSY), bench.now_s)
    assert (bench.planner.is_done, bench.planner.gone, bench.planner.account.lost) == (True, 100, 100)


def test_a_sensor_that_does_not_know_the_request_is_asked_once():
    bench = Bench()
    bench.live((0, 100), (200, 300))
    bench.planner.link_up(can_fetch=True)
    request = bench.planner.next_request(bench.now_s)
    bench.planner.take(answer(request, BulkResult.UNKNOWN_REQUEST), bench.now_s)
    assert bench.planner.is_done
    assert bench.planner.next_request(bench.now_s) is None


def test_silence_makes_it_ask_again_and_at_last_give_up():
    bench = Bench(wire=Wire(lost=1.0))
    bench.live((0, 100), (200, 300))
    bench.planner.link_up(can_fetch=True)
    began_s = bench.now_s
    assert bench.heal()
    assert len([each for each in bench.requests if isinstance(each, Fetch)]) == 5
    assert bench.now_s - began_s >= 25.0
    assert bench.planner.gone == 100


@pytest.mark.parametrize("is_new_link", [True, False])
def test_what_did_not_come_in_a_jam_is_fetched_after_it(is_new_link):
    bench = Bench(wire=Wire(lost=1.0))
    bench.live((0, 100), (200, 300))
    bench.planner.link_up(can_fetch=True)
    assert bench.heal()
    assert bench.planner.gone == 100
    bench.wire.lost = 0.0
    bench.step()
    assert bench.planner.gone == 100  # not at once
    if is_new_link:
        bench.planner.link_up(can_fetch=True)
    else:
        assert bench.planner.silent_after_s() > bench.now_s + 50.0
        bench.now_s = bench.planner.silent_after_s()
    bench.step()
    assert bench.heal()
    assert bench.counts() == (200, 100, 0, 0, 0)
    assert bench.planner.silent_after_s() is None


def test_the_answer_to_an_earlier_request_decides_nothing():
    bench = Bench()
    bench.live((0, 100), (200, 300))
    bench.planner.link_up(can_fetch=True)
    request = bench.planner.next_request(bench.now_s)
    earlier = Fetch((request.tag - 1) & 0xFF, 1, 41, 100, 200)
    bench.planner.take(answer(earlier, BulkResult.RANGE_GONE), bench.now_s)
    assert bench.planner.missing == 100


SHARES = st.floats(0.0, 0.5)


@given(
    seed=st.integers(0, 2**32),
    bounds=st.lists(st.integers(0, N), min_size=2, max_size=12, unique=True).map(sorted),
    pages=st.integers(2, 12),
    lost=SHARES,
    doubled=SHARES,
    shuffled=SHARES,
    damaged=st.floats(0.0, 0.2),
)
@settings(derandomize=True, max_examples=60, deadline=None, database=None)
def test_every_sample_is_accounted_for(seed, bounds, pages, lost, doubled, shuffled, damaged):
    wire = Wire(lost, doubled, shuffled, damaged, random.Random(seed))
    bench = Bench(pages, wire)
    got = list(zip(bounds[::2], bounds[1::2], strict=False))
    bench.live(*got)
    newest = max(end for _, end in got)
    bench.planner.link_up(can_fetch=True)
    assert bench.heal()
    account = bench.planner.account
    have = {index for _, index in bench.samples}
    assert account.received + account.backfilled == len(have)
    assert account.received + account.backfilled + account.lost == newest
    assert account.lost == bench.planner.gone
    assert {index for a, b in account.gaps.get(41, ()) for index in range(a, b)} == set(range(newest)) - have
    bench.stream.store(bench.now_s)
    kept = bench.flash.kept(41)
    assert not any(kept.first <= index for index in set(range(newest)) - have)  # gone is only what is gone


@given(
    told=st.lists(
        st.one_of(
            st.builds(
                BulkReply,
                tag=st.integers(0, 3),
                opcode=st.sampled_from(BulkOpcode),
                result=st.sampled_from(BulkResult),
                pages=st.just(0),
                stream_id=st.integers(40, 43),
                first_sample_index=st.integers(0, 50),
                end_sample_index=st.integers(51, 4000),
                next_stream_id=st.just(0),
                capacity_samples=st.just(1),
                stored_samples=st.just(1),
            ),
            st.builds(
                lambda tag, number, first, n: (tag, number, first, n),
                st.integers(0, 3),
                st.integers(0, 65535),
                st.integers(0, 2900),
                st.integers(1, 18),
            ),
        ),
        max_size=10,
    )
)
@settings(derandomize=True, max_examples=60, deadline=None, database=None)
def test_whatever_a_sensor_says_the_account_balances(told):
    bench = Bench()
    bench.live((0, 100), (400, 500), (2000, 2100))
    bench.planner.link_up(can_fetch=True)
    for each in told:
        bench.planner.next_request(bench.now_s)
        if isinstance(each, BulkReply):
            bench.planner.take(each, bench.now_s)
        else:
            tag, number, first, n = each
            page = BulkPage(tag, number, bench.flash.frame_from(41, first, first + n, n))
            bench.planner.take(page, bench.now_s)
    account = bench.planner.account
    assert account.received + account.backfilled + account.lost == 2100
    assert 0 <= bench.planner.missing <= account.lost


@pytest.mark.parametrize("request_", [Erase(1), Survey(1, 0)])
def test_nothing_else_is_ever_asked(request_):
    bench = Bench()
    bench.live((0, 100), (200, 300))
    bench.planner.link_up(can_fetch=True)
    bench.heal()
    assert request_ not in bench.requests
