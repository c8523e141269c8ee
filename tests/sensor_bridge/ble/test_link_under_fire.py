"""What goes wrong around a sensor, hours of it in virtual time: what is said, and how it goes on."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager

import numpy as np

from firmware_protocol.codec import decode_time_reply
from hardware_sim.radio import VirtualRadio
from sensor_bridge.ble.adapter import Adapter
from sensor_bridge.ble.backoff import Backoff
from sensor_bridge.ble.hipline_link import HiplineLink
from sensor_bridge.ble.link import FrameKind, LinkPhase
from sensor_bridge.ble.supervisor import SensorSupervisor
from sensor_bridge.errors import WrongFirmware
from tests.sensor_bridge.ble.radio_bench import (
    QUICK,
    Listener,
    clock_of_the_loop,
    in_virtual_time,
    source,
    wish,
)

LONG = 100_000  # samples: more than is played


@asynccontextmanager
async def supervised(radio, *wishes):
    """Run a supervisor a wish, in the time of the running loop."""
    adapter, lock = Adapter(*radio.bleak_backends()), asyncio.Lock()
    clock = clock_of_the_loop()
    told = {each.sensor_id: Listener() for each in wishes}
    tasks = [
        asyncio.create_task(
            SensorSupervisor(
                each,
                adapter,
                lock,
                told[each.sensor_id].frames.append,
                told[each.sensor_id].states.append,
                clock=clock,
                backoff=Backoff(generator=random.Random(k)),
            ).run()
        )
        for k, each in enumerate(wishes)
    ]
    try:
        yield adapter, told
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@in_virtual_time
async def test_an_adapter_at_its_limit_says_so_and_takes_the_next_when_a_link_is_free():
    sources = [source("pelvis", LONG), source("left", LONG)]
    async with VirtualRadio(sources, radio=QUICK, max_connections=1) as radio:
        radio.set_in_range("left", in_range=False)
        async with supervised(radio, wish("pelvis"), wish("left")) as (_, told):
            await told["pelvis"].is_connected()
            radio.set_in_range("left", in_range=True)
            await told["left"].reaches(lambda it: "holds no more links" in it.states[-1].reason, 60.0)
            assert told["pelvis"].states[-1].phase is LinkPhase.CONNECTED
            radio.set_in_range("pelvis", in_range=False)
            await told["left"].reaches(lambda it: it.states[-1].phase is LinkPhase.CONNECTED, 60.0)
            assert told["left"].states[-1].reason == ""


@in_virtual_time
async def test_another_sensor_of_the_same_name_is_not_taken_for_the_one_that_went():
    sources = [source("pelvis", LONG), source("left", LONG)]
    names = {"pelvis": "clip", "left": "clip"}
    async with VirtualRadio(sources, radio=QUICK, names=names) as radio:
        radio.set_in_range("left", in_range=False)
        async with supervised(radio, wish("pelvis", address=None, name="clip")) as (_, told):
            await told["pelvis"].is_connected()
            radio.set_in_range("pelvis", in_range=False)
            radio.set_in_range("left", in_range=True)
            await told["pelvis"].reaches(lambda it: "has serial left" in it.states[-1].reason, 120.0)
            await asyncio.sleep(30.0)
            assert not radio.peripherals["left"].is_streaming
            radio.set_in_range("pelvis", in_range=True)
            await told["pelvis"].reaches(lambda it: it.states[-1].phase is LinkPhase.CONNECTED, 120.0)
            assert radio.peripherals["pelvis"].is_connected


@in_virtual_time
async def test_an_empty_battery_is_said_before_and_after():
    async with (
        VirtualRadio([source("pelvis", LONG)], radio=QUICK) as radio,
        supervised(radio, wish("pelvis")) as (_, told),
    ):
        listener = told["pelvis"]
        await listener.is_connected()
        radio.peripherals["pelvis"]._battery_percent = 4
        await listener.reaches(lambda it: it.states[-1].battery_percent == 4)
        radio.set_in_range("pelvis", in_range=False)
        await listener.reaches(lambda it: it.phases().count(LinkPhase.LOST) > 3, 120.0)
        reasons = {each.reason for each in listener.states if each.phase is LinkPhase.LOST}
        assert all(
            reason.endswith("(its battery was at 4 % when last heard: charge it)") for reason in reasons
        )
        assert any("was not heard for 15 s" in reason for reason in reasons)


@in_virtual_time
async def test_while_sensors_stream_a_missing_one_is_looked_for_with_care():
    sources = [source("pelvis", LONG), source("left", LONG)]
    async with VirtualRadio(sources, radio=QUICK) as radio:
        radio.set_in_range("left", in_range=False)
        async with supervised(radio, wish("pelvis"), wish("left")) as (adapter, told):
            await told["pelvis"].is_connected()

            async def share_scanned(duration_s):
                scanned = []
                for _ in range(round(duration_s / 0.25)):
                    await asyncio.sleep(0.25)
                    scanned.append(adapter.is_scanning)
                return np.mean(scanned)

            assert await share_scanned(10.0) > 0.9  # it may just be switched on
            await asyncio.sleep(60.0)
            assert 0.05 < await share_scanned(200.0) < 0.3
            radio.set_in_range("left", in_range=True)
            await told["left"].is_connected()  # within 8 s of listening or resting at most 7.5


@in_virtual_time
async def test_half_open_again_and_again_costs_only_what_the_ring_could_not_hold():
    played = source("pelvis", 6_000)
    async with (
        VirtualRadio([played], radio=QUICK) as radio,
        supervised(radio, wish("pelvis")) as (_, told),
    ):
        listener = told["pelvis"]
        await listener.is_connected()
        for _ in range(3):
            await asyncio.sleep(12.0)
            radio.peripherals["pelvis"].freeze(1.4)
        await asyncio.wait_for(radio.playback_finished.wait(), 120.0)
        await asyncio.sleep(0.5)
        health = listener.states[-1].health
        assert (health.received, health.lost, health.reconnects) == (6_000, 0, 3)
        assert (
            sum("no samples for" in each.reason for each in listener.states if each.phase is LinkPhase.LOST)
            == 3
        )


@in_virtual_time
async def test_sensors_lost_together_all_come_back():
    names = [f"s{k}" for k in range(4)]
    async with (
        VirtualRadio([source(name, LONG) for name in names], radio=QUICK) as radio,
        supervised(radio, *(wish(name) for name in names)) as (_, told),
    ):
        for name in names:
            await told[name].is_connected()
        for name in names:
            radio.drop_link(name)
        for name in names:
            await told[name].is_connected(times=2)
        assert {told[name].states[-1].health.reconnects for name in names} == {1}


@in_virtual_time
async def test_the_clock_is_asked_for_out_of_step_with_the_connection_events():
    async with (
        VirtualRadio([source("pelvis", LONG)], radio=QUICK) as radio,
        supervised(radio, wish("pelvis")) as (_, told),
    ):
        await told["pelvis"].is_connected()
        await asyncio.sleep(90.0)
        times = [each for each in told["pelvis"].frames if each.kind is FrameKind.TIME]
        asked_s = np.array([decode_time_reply(each.payload).host_send_us for each in times]) / 1e6
        trips_ms = np.array([each.arrival_ns for each in times]) / 1e6 - asked_s * 1e3
        assert asked_s[9] - asked_s[0] < 1.5
        pauses_s = np.diff(asked_s[10:])
        assert len(pauses_s) > 15
        assert pauses_s.min() > 2.0
        assert pauses_s.max() < 4.2
        assert np.ptp(trips_ms[10:]) > 3.0  # of 7.5: in step they would all be the same


@in_virtual_time
async def test_what_fails_beside_the_stream_ends_the_link_and_not_the_bridge(monkeypatch):
    async def fail(link):
        await asyncio.sleep(0.5)
        raise WrongFirmware(f"{link.sensor.sensor_id}: it lacks characteristic TIME")

    monkeypatch.setattr(HiplineLink, "keep_time", fail)

    async with (
        VirtualRadio([source("pelvis", LONG)], radio=QUICK) as radio,
        supervised(radio, wish("pelvis")) as (_, told),
    ):
        await told["pelvis"].is_connected(times=2)
        lost = next(each for each in told["pelvis"].states if each.phase is LinkPhase.LOST)
        assert lost.reason == "pelvis: it lacks characteristic TIME"
