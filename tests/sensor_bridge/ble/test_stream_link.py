"""Vendors' sensors on a radio that loses: what can be counted is, what cannot is said."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from firmware_protocol.ranges import SamplingRate
from hardware_sim.radio import VirtualRadio
from hardware_sim.radio_conditions import RadioConditions
from hardware_sim.virtual_time import run_in_virtual_time
from sensor_bridge.ble.adapter import Adapter
from sensor_bridge.ble.decoding import FrameDecoder
from sensor_bridge.ble.link import LinkPhase
from sensor_bridge.ble.linking import connect
from sensor_bridge.ble.supervisor import SensorSupervisor
from sensor_bridge.errors import CommandRefused, WrongFirmware
from sensor_bridge.host_clock import HostClock
from tests.sensor_bridge.ble.radio_bench import QUICK, Listener, source, wish


def virtual_clock():
    loop = asyncio.get_running_loop()
    return HostClock(lambda: 0, lambda: round(loop.time() * 1e9))


async def streamed(kind, rate, n, conditions):
    """Let a sensor play to its end; return what a supervisor told and the runs of its frames."""
    listener = Listener()
    played = source("hip", n, rate=rate)
    async with VirtualRadio([played], radio=conditions, kinds={"hip": kind}, seed=3) as radio:
        supervisor = SensorSupervisor(
            wish("hip"),
            Adapter(*radio.bleak_backends()),
            asyncio.Lock(),
            listener.frames.append,
            listener.states.append,
            clock=virtual_clock(),
        )
        run = asyncio.get_running_loop().create_task(supervisor.run())
        await radio.playback_finished.wait()
        await asyncio.sleep(0.3)
        run.cancel()
        await asyncio.wait([run])
    decoder = FrameDecoder()
    runs = [each for frame in listener.frames for each in decoder.push(frame)]
    return listener.states[-1], runs + decoder.flush()


def test_what_a_dot_lost_is_counted_to_the_sample():
    lossy = RadioConditions(connection_interval_ms=7.5, host_loss=0.1)
    state, runs = run_in_virtual_time(streamed("movella-dot", SamplingRate.HZ60, 400, lossy))
    assert state.phase is LinkPhase.STOPPED
    assert state.health.lost > 10
    last = runs[-1].first_sample_index
    assert state.health.received + state.health.lost == last + 1
    assert state.health.received == sum(run.n_samples for run in runs)
    assert 395 - 20 <= last <= 400


def test_what_a_wit_lost_is_not_made_up():
    lossy = RadioConditions(connection_interval_ms=7.5, host_loss=0.1)
    state, runs = run_in_virtual_time(streamed("witmotion", SamplingRate.HZ100, 400, lossy))
    assert (state.health.lost, state.health.shows_loss, state.health.has_clock) == (0, False, False)
    assert state.health.rejected > 5  # each time a frame was torn
    counts = source("hip", 400, rate=SamplingRate.HZ100).counts
    # Played at ±4 g and ±500 °/s, sent at ±16 g and ±2000 °/s.
    received = np.concatenate([run.values for run in runs])
    distances = np.abs(received[:, None, :] - counts[None, :, :] / 4).max(axis=2)
    assert distances.min(axis=1).max() < 1.0
    assert 200 < len(received) < 390


async def test_the_kind_is_what_the_advertisement_says_unless_told():
    async with VirtualRadio(
        [source("hip", 60, rate=SamplingRate.HZ60)], radio=QUICK, kinds={"hip": "thingy52"}
    ) as radio:
        adapter = Adapter(*radio.bleak_backends())
        found = await adapter.find(wish("hip"), 3)
        assert found.sighting.kind == "thingy52"
        async with connect(adapter, found, wish("hip"), HostClock(), timeout_s=5) as link:
            assert link.info is None
            with pytest.raises(CommandRefused, match="cannot be made to show itself"):
                await link.identify(1)
            assert await link.start((65535, 900)) == 1
        told = wish("hip", kind="movesense")
        with pytest.raises(WrongFirmware, match=r"lacks characteristic .* is it a Movesense"):
            async with connect(adapter, await adapter.find(told, 3), told, HostClock(), timeout_s=5) as link:
                await link.start(None)


async def test_a_sensor_nobody_knows_is_found_only_when_its_kind_is_told():
    async with VirtualRadio([source("hip", 60)], radio=QUICK, kinds={"hip": "generic"}) as radio:
        adapter = Adapter(*radio.bleak_backends())
        assert await adapter.scan(0.3) == []
        found = await adapter.find(wish("hip", kind="generic"), 3)
        assert found.sighting.kind is None
        with pytest.raises(WrongFirmware, match="set its kind in the configuration: hipline, movella-dot"):
            async with connect(adapter, found, wish("hip"), HostClock(), timeout_s=5):
                pass
