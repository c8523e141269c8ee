"""A virtual radio with real links on it, shared by the link tests."""

from __future__ import annotations

import asyncio
import functools
import random
from dataclasses import dataclass, field

import numpy as np

from firmware_protocol.codec import decode_frame
from firmware_protocol.packets import AccelRange, GyroRange, SamplingRate
from hardware_sim.peripheral import address_of
from hardware_sim.radio_conditions import RadioConditions
from hardware_sim.recording_source import SampleSource
from hardware_sim.virtual_time import run_in_virtual_time
from sensor_bridge.ble.link import FrameKind, LinkPhase
from sensor_bridge.host_clock import HostClock

QUICK = RadioConditions(connection_interval_ms=7.5, supervision_timeout_s=0.5)
UTC_NS = 1_700_000_000_000_000_000


def in_virtual_time(scene):
    """Make a test of a coroutine function that is run where time costs nothing and no machine is slow."""

    @functools.wraps(scene)
    def test(**given):
        random.seed(1)  # a link asks for the sensor's time at random moments
        run_in_virtual_time(scene(**given))

    return test


def clock_of_the_loop():
    """Return the host's clock in the time of the running loop."""
    loop = asyncio.get_running_loop()
    return HostClock(utc_ns=lambda: UTC_NS, monotonic_ns=lambda: round(loop.time() * 1e9))


@dataclass(frozen=True)
class Wish:
    sensor_id: str
    address: str | None = None
    name: str | None = None
    kind: str | None = None
    layout: dict | None = None
    sampling_rate_hz: float = 100.0
    accel_range_g: int = 8
    gyro_range_dps: int = 1000
    batch: int = 10


def wish(sensor_id, **changes):
    return Wish(**({"sensor_id": sensor_id, "address": address_of(sensor_id)} | changes))


def source(sensor_id="pelvis", n=200, *, seed=1, rate=SamplingRate.HZ100):
    counts = np.random.default_rng(seed).integers(-30_000, 30_000, (n, 6)).astype(np.int16)
    times = 1_000_000 + np.rint(1e6 / rate.hz * np.arange(n)).astype(np.int64)
    return SampleSource(sensor_id, "pelvis", "sacrum", rate, AccelRange.G4, GyroRange.DPS500, times, counts)


@dataclass
class Listener:
    """What a supervisor tells."""

    frames: list = field(default_factory=list)
    states: list = field(default_factory=list)

    def data(self):
        return [decode_frame(each.payload) for each in self.frames if each.kind is FrameKind.DATA]

    def samples(self, stream_id=None):
        """Counts by sample index, of one stream (the first by default); a double must be identical."""
        frames = self.data()
        stream_id = frames[0].stream_id if stream_id is None else stream_id
        samples = {}
        for frame in frames:
            if frame.stream_id != stream_id:
                continue
            rows = np.frombuffer(frame.samples, "<i2").reshape(-1, 6)
            for offset, row in enumerate(rows):
                known = samples.setdefault(frame.first_sample_index + offset, row)
                assert np.array_equal(known, row)
        return samples

    def phases(self):
        phases = []
        for state in self.states:
            if not phases or phases[-1] is not state.phase:
                phases.append(state.phase)
        return phases

    async def reaches(self, condition, timeout_s=8.0):
        async with asyncio.timeout(timeout_s):
            while not condition(self):  # noqa: ASYNC110 - the condition is over what callbacks collect
                await asyncio.sleep(0.01)

    async def is_connected(self, times=1):
        await self.reaches(
            lambda it: (
                it.phases().count(LinkPhase.CONNECTED) >= times and it.states[-1].phase is LinkPhase.CONNECTED
            )
        )
