"""Notifications a second from virtual sensors through bumble and bleak, and the processor time they cost.

python -m benchmarks.virtual_radio [SENSORS] [RATE_HZ] [BATCH] [SECONDS]
"""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass

import numpy as np

from firmware_protocol.packets import AccelRange, GyroRange, SamplingRate
from hardware_sim.peripheral import address_of
from hardware_sim.radio import VirtualRadio
from hardware_sim.radio_conditions import RadioConditions
from hardware_sim.recording_source import SampleSource
from sensor_bridge.ble.adapter import Adapter
from sensor_bridge.ble.link import FrameKind, LinkState, ReceivedFrame
from sensor_bridge.ble.supervisor import SensorSupervisor


@dataclass(frozen=True)
class Sensor:
    """What a supervisor has to know."""

    sensor_id: str
    batch: int
    sampling_rate_hz: float
    name: str | None = None
    accel_range_g: int = 8
    gyro_range_dps: int = 1000

    @property
    def address(self) -> str:
        """Where the virtual sensor of this id is."""
        return address_of(self.sensor_id)


async def measure(n_sensors: int, rate_hz: float, batch: int, duration_s: float) -> None:
    """Stream for a while and print what came."""
    rate = SamplingRate.from_hz(rate_hz)
    n = round((duration_s + 2) * rate_hz)
    times = np.rint(np.arange(n) * 1e6 / rate_hz).astype(np.int64)
    sources = [
        SampleSource(
            f"s{k}",
            "pelvis",
            "sacrum",
            rate,
            AccelRange.G8,
            GyroRange.DPS1000,
            times,
            np.zeros((n, 6), np.int16),
        )
        for k in range(n_sensors)
    ]
    arrivals: list[int] = []
    states: dict[str, LinkState] = {}

    def take(frame: ReceivedFrame) -> None:
        if frame.kind is FrameKind.DATA:
            arrivals.append(frame.arrival_ns)

    def note(state: LinkState) -> None:
        states[state.sensor_id] = state

    conditions = RadioConditions(connection_interval_ms=15.0 if n_sensors <= 3 else 30.0)
    async with VirtualRadio(sources, radio=conditions) as radio, asyncio.TaskGroup() as tasks:
        adapter, lock = Adapter(*radio.bleak_backends()), asyncio.Lock()
        began_s = time.perf_counter()
        streaming = [
            tasks.create_task(
                SensorSupervisor(Sensor(each.sensor_id, batch, rate_hz), adapter, lock, take, note).run()
            )
            for each in sources
        ]
        while not all(each.is_streaming for each in radio.peripherals.values()):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        connected_s = time.perf_counter() - began_s
        await asyncio.sleep(1.0)
        arrivals.clear()
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        await asyncio.sleep(duration_s)
        wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
        frames = len(arrivals)
        await radio.playback_finished.wait()
        await asyncio.sleep(0.1)
        for task in streaming:
            task.cancel()
    lost = sum(state.health.lost for state in states.values())
    received = sum(state.health.received for state in states.values())
    print(
        f"{n_sensors} sensors x {rate_hz:g} Hz, batch {batch}: {frames / wall_s:.1f} frames/s "
        f"({n_sensors * rate_hz / batch:.1f} made), CPU {100 * cpu_s / wall_s:.0f} %, "
        f"{1e6 * cpu_s / max(frames, 1):.0f} us a frame, sensors and bridge together; "
        f"received {received} of {n_sensors * n}, lost {lost}; connected in {connected_s:.1f} s"
    )


if __name__ == "__main__":
    given = [float(each) for each in sys.argv[1:]]
    n_sensors, rate_hz, batch, duration_s = given + [8, 200, 10, 10][len(given) :]
    asyncio.run(measure(int(n_sensors), rate_hz, int(batch), duration_s))
