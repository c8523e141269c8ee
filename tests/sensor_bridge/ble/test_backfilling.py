"""Supervisors that fetch what is missing, over the real bleak API and the virtual radio, in virtual time."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from firmware_protocol.codec import decode_frame, decode_notified
from firmware_protocol.packets import BulkPage
from hardware_sim.peripheral import SensorModel
from hardware_sim.radio import VirtualRadio
from hardware_sim.virtual_time import run_in_virtual_time
from sensor_bridge.ble.adapter import Adapter
from sensor_bridge.ble.backfill import BackfillPlanner
from sensor_bridge.ble.backoff import Backoff
from sensor_bridge.ble.link import FrameKind
from sensor_bridge.ble.supervisor import SensorSupervisor
from tests.sensor_bridge.ble.radio_bench import QUICK, Listener, source, wish

AIR = replace(QUICK, connection_interval_ms=30.0, supervision_timeout_s=1.0)


@asynccontextmanager
async def fetching(radio, planner=None):
    adapter, listener = Adapter(*radio.bleak_backends()), Listener()
    supervisor = SensorSupervisor(
        wish("pelvis"),
        adapter,
        asyncio.Lock(),
        listener.frames.append,
        listener.states.append,
        backoff=Backoff(first_s=0.1, longest_s=0.5, generator=random.Random(1)),
        planner=planner,
    )
    task = asyncio.create_task(supervisor.run())
    try:
        yield listener
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def healed(listener):
    """Counts by sample index of one stream, live and fetched; a double must be identical."""
    pages = [decode_notified(each.payload) for each in listener.frames if each.kind is FrameKind.BULK]
    frames = [*listener.data(), *(each.frame for each in pages if isinstance(each, BulkPage))]
    samples = {}
    for frame in frames:
        for offset, row in enumerate(np.frombuffer(frame.samples, "<i2").reshape(-1, 6)):
            known = samples.setdefault((frame.stream_id, frame.first_sample_index + offset), row)
            assert np.array_equal(known, row)
    return samples


async def break_link(radio, listener, seconds):
    links = len([each for each in listener.phases() if each == "connected"])
    radio.set_in_range("pelvis", in_range=False)
    await asyncio.sleep(seconds)
    radio.set_in_range("pelvis", in_range=True)
    await listener.is_connected(times=links + 1)


async def is_healed(listener):
    def is_whole(it):
        return bool(it.states and it.states[-1].health.backfilled and not it.states[-1].health.missing)

    await listener.reaches(is_whole, 60.0)


def test_after_a_long_break_live_goes_on_at_once_and_the_rest_is_fetched():
    played = source(n=4000)
    model = SensorModel(ring_capacity_samples=200, flash_capacity_samples=10_000)

    async def scene():
        async with VirtualRadio([played], radio=AIR, model=model) as radio, fetching(radio) as listener:
            await listener.reaches(lambda it: len(it.data()) >= 20)
            before = listener.data()[-1].first_sample_index
            await break_link(radio, listener, 12.0)
            await listener.reaches(lambda it: it.data()[-1].first_sample_index > before + 500)
            await is_healed(listener)
            await radio.playback_finished.wait()
            return listener

    listener = run_in_virtual_time(scene())
    frames = [each for each in listener.frames if each.kind in (FrameKind.DATA, FrameKind.BULK)]
    first_page = next(place for place, each in enumerate(frames) if each.kind is FrameKind.BULK)
    starts = {
        place: decode_frame(each.payload).first_sample_index
        for place, each in enumerate(frames)
        if each.kind is FrameKind.DATA
    }
    jump = next(place for before, place in pairwise(starts) if starts[place] - starts[before] > 500)
    assert jump - first_page < 6  # pages: the newest samples do not wait for the oldest
    samples = healed(listener)
    assert sorted(index for _, index in samples) == list(range(4000))
    assert np.array_equal(np.array([samples[key] for key in sorted(samples)]), played.counts)
    health = listener.states[-1].health
    assert health.received + health.backfilled == 4000
    assert (health.lost, health.missing, health.rejected, health.reconnects) == (0, 0, 0, 1)


def test_pages_leave_the_link_to_the_live_stream():
    played = source(n=3000)
    model = SensorModel(ring_capacity_samples=200, flash_capacity_samples=10_000)

    async def scene():
        loop = asyncio.get_running_loop()
        sent_s = []
        async with VirtualRadio([played], radio=AIR, model=model) as radio, fetching(radio) as listener:
            await listener.reaches(lambda it: len(it.data()) >= 20)
            await break_link(radio, listener, 8.0)
            seen = len(listener.frames)
            while not (listener.states[-1].health.backfilled and not listener.states[-1].health.missing):
                await asyncio.sleep(0.005)
                new, seen = listener.frames[seen:], len(listener.frames)
                sent_s += [loop.time() for each in new if each.kind is FrameKind.BULK]
        return sent_s

    sent_s = run_in_virtual_time(scene())
    assert len(sent_s) > 30
    in_a_second = [sum(at <= other < at + 1.0 for other in sent_s) for at in sent_s]
    assert max(in_a_second) <= 15  # 33 intervals of 30 ms, 3 pages in 10 of them, what was on its way besides


def test_a_short_break_is_caught_up_with_in_order():
    model = SensorModel(flash_capacity_samples=10_000)

    async def scene():
        async with (
            VirtualRadio([source(n=600)], radio=QUICK, model=model) as radio,
            fetching(radio) as listener,
        ):
            await listener.reaches(lambda it: len(it.data()) >= 20)
            radio.drop_link("pelvis")
            await listener.is_connected(times=2)
            await radio.playback_finished.wait()
            return listener

    listener = run_in_virtual_time(scene())
    assert sorted(listener.samples()) == list(range(600))
    assert FrameKind.BULK not in {each.kind for each in listener.frames}


def test_notifications_lost_in_the_host_are_fetched_though_the_link_stays_up():
    air = replace(AIR, host_loss=0.2)
    model = SensorModel(flash_capacity_samples=10_000)

    async def scene():
        async with (
            VirtualRadio([source(n=2000)], radio=air, model=model, seed=3) as radio,
            fetching(radio) as listener,
        ):
            await listener.reaches(lambda it: len(it.data()) >= 100, 60.0)
            radio.set_conditions("pelvis", AIR)
            await radio.playback_finished.wait()
            await is_healed(listener)
            return listener

    listener = run_in_virtual_time(scene())
    health = listener.states[-1].health
    assert health.backfilled > 100
    assert (health.lost, health.missing, health.reconnects) == (0, 0, 0)
    assert sorted(index for _, index in healed(listener)) == list(range(2000))


def test_too_small_a_flash_leaves_a_gap_that_is_said():
    model = SensorModel(ring_capacity_samples=100, flash_capacity_samples=700)

    async def scene():
        async with (
            VirtualRadio([source(n=4000)], radio=AIR, model=model) as radio,
            fetching(radio) as listener,
        ):
            await listener.reaches(lambda it: len(it.data()) >= 20)
            await break_link(radio, listener, 15.0)
            await is_healed(listener)
            await radio.playback_finished.wait()
            return listener

    listener = run_in_virtual_time(scene())
    health = listener.states[-1].health
    assert health.lost > 500
    assert health.missing == 0
    assert health.received + health.backfilled + health.lost == 4000
    assert len(healed(listener)) == 4000 - health.lost


def test_what_a_sensor_stored_before_a_reboot_is_fetched_after_it():
    model = SensorModel(ring_capacity_samples=100, flash_capacity_samples=10_000)

    async def scene():
        async with (
            VirtualRadio([source(n=3000)], radio=AIR, model=model) as radio,
            fetching(radio) as listener,
        ):
            await listener.reaches(lambda it: len(it.data()) >= 20)
            radio.set_in_range("pelvis", in_range=False)
            await asyncio.sleep(10.0)
            await radio.reboot("pelvis")
            await listener.is_connected(times=2)
            await is_healed(listener)
            return listener

    listener = run_in_virtual_time(scene())
    first_stream = listener.data()[0].stream_id
    indices = sorted(index for stream_id, index in healed(listener) if stream_id == first_stream)
    assert indices == list(range(len(indices)))
    assert len(indices) > 600  # what came live was some two hundred


def test_what_an_earlier_process_lacked_is_fetched_by_the_next():
    model = SensorModel(ring_capacity_samples=100, flash_capacity_samples=10_000)

    async def scene():
        async with VirtualRadio([source(n=3000)], radio=AIR, model=model) as radio:
            async with fetching(radio) as earlier:
                await earlier.reaches(lambda it: len(it.data()) >= 20)
            planner = BackfillPlanner()
            for frame in earlier.data():
                planner.note(frame)
            await asyncio.sleep(6.0)
            async with fetching(radio, planner) as later:
                await is_healed(later)
                await radio.playback_finished.wait()
                earlier.frames += later.frames
                return earlier, later.states[-1].health

    listener, health = run_in_virtual_time(scene())
    assert sorted(index for _, index in healed(listener)) == list(range(3000))
    assert health.received + health.backfilled == 3000


@pytest.mark.parametrize("flash", [0, 10_000])
def test_a_recording_that_ended_while_the_link_was_down_is_complete_in_the_end(flash):
    model = SensorModel(ring_capacity_samples=5000, flash_capacity_samples=flash)

    async def scene():
        async with (
            VirtualRadio([source(n=500)], radio=AIR, model=model) as radio,
            fetching(radio) as listener,
        ):
            await listener.reaches(lambda it: len(it.data()) >= 20)
            await break_link(radio, listener, 10.0)
            await listener.reaches(lambda it: len(healed(it)) == 500, 60.0)
            return listener.states[-1].health

    assert run_in_virtual_time(scene()).reconnects == 1


def test_the_last_frame_of_a_stream_is_missed_where_the_host_lost_it():
    model = SensorModel(flash_capacity_samples=10_000)

    async def scene():
        async with (
            VirtualRadio([source(n=395)], radio=AIR, model=model) as radio,
            fetching(radio) as listener,
        ):
            await listener.reaches(lambda it: sum(frame.n_samples for frame in it.data()) == 380)
            radio.set_conditions("pelvis", replace(AIR, host_loss=1.0 - 1e-12))
            await radio.playback_finished.wait()
            await asyncio.sleep(0.1)
            radio.set_conditions("pelvis", AIR)
            await is_healed(listener)
            return listener

    listener = run_in_virtual_time(scene())
    assert sorted(index for _, index in healed(listener)) == list(range(395))
    health = listener.states[-1].health
    assert (health.received, health.backfilled, health.lost) == (380, 15, 0)
