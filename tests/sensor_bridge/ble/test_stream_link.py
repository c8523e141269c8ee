"""Vendors' sensors on a radio that loses: what can be counted is, what cannot is said."""

from __future__ import annotations

import asyncio
import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_protocol.ranges import SamplingRate
from hardware_sim.radio import VirtualRadio
from hardware_sim.radio_conditions import RadioConditions
from hardware_sim.virtual_time import run_in_virtual_time
from sensor_bridge.ble.adapter import Adapter
from sensor_bridge.ble.decoding import FrameDecoder
from sensor_bridge.ble.drivers import STREAMING_DRIVERS
from sensor_bridge.ble.drivers.polar import CONTROL_POINT
from sensor_bridge.ble.link import LinkPhase
from sensor_bridge.ble.linking import connect
from sensor_bridge.ble.stream_link import StreamLink
from sensor_bridge.ble.supervisor import SensorSupervisor
from sensor_bridge.errors import BridgeError, CommandRefused, WrongFirmware
from sensor_bridge.host_clock import HostClock
from tests.fuzzing import FACTOR
from tests.sensor_bridge.ble.drivers.test_generic import SKETCH
from tests.sensor_bridge.ble.drivers.wire import ToldSensor
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


def link_to(sensor, kind, **wishes):
    """Make a link whose other end is a sensor that answers as the test says."""
    link = StreamLink(STREAMING_DRIVERS[kind], wish("hip", kind=kind, **wishes), HostClock())
    link._connection = sensor
    return link


@pytest.mark.parametrize("reply", ["f0 01 02 00 00 07 01 00", "f0 01 02"])
async def test_an_answer_that_is_not_understood_is_one_clear_line(reply):
    def answer(_uuid, value):
        operation, kind = value
        understood = bytes([0xF0, operation, kind, 0, 0])
        return [(CONTROL_POINT, bytes.fromhex(reply) if operation == 1 else understood)]

    with pytest.raises(WrongFirmware, match=r"^hip: its answer is not understood: .* is it a Polar ") as told:
        await link_to(ToldSensor(answer), "polar").start(None)
    assert "\n" not in str(told.value)


# What the answer to a write begins with, where somebody waits for it.
ANSWER_HEADS = {
    "polar": lambda value: b"\xf0" + value[:2],
    "movesense": lambda value: b"\x01" + value[1:2],
    "witmotion": lambda value: b"\x55\x71" + value[3:4] + b"\x00",
}


class AnsweringSensor(ToldSensor):
    """Answers reads and writes with what it was given, one after the other."""

    def __init__(self, answers, head):
        super().__init__()
        self._answers = iter(answers)
        self._head = head

    async def read(self, uuid):
        del uuid
        return next(self._answers, (b"", True))[0]

    async def write(self, uuid, value, *, response):
        await super().write(uuid, value, response=response)
        payload, has_head = next(self._answers, (b"\x00\x00", True))
        for hear in self._listeners.values():
            hear(self._head(value) + payload if has_head else payload)


@pytest.mark.parametrize("kind", STREAMING_DRIVERS)
@settings(max_examples=40 * FACTOR, deadline=None)
@given(answers=st.lists(st.tuples(st.binary(max_size=40), st.sampled_from([True] * 9 + [False])), max_size=8))
def test_fuzz_of_the_answers_a_start_gets(kind, answers):
    async def begin():
        sensor = AnsweringSensor(answers, ANSWER_HEADS.get(kind, lambda _value: b""))
        with contextlib.suppress(BridgeError):
            await link_to(sensor, kind, layout=SKETCH).start(None)

    run_in_virtual_time(begin())
