"""Eight sensors at 200 Hz into a whole bridge for a minute: what is lost, and what a notification costs.

Run from the root of the repository::

    python -m benchmarks.link [--sensors N] [--rate HZ] [--batch N] [--duration S]

The sensors and the radio live in a process of their own, as with `hipline virtual-sensors`. Told are:

- the whole bridge's processor time over the minute (Bluetooth stack in Python, frame log, measuring,
  publishing, broker): with a real adapter the stack is the system's, and not in it
- the processor time of one notification on the bridge's own way, from bleak's callback to the frame log and
  the account of samples, measured alone over many (target: 100 us)
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from firmware_protocol.codec import encode
from firmware_protocol.gatt import DATA_UUID
from firmware_protocol.packets import AccelRange, GyroRange, ImuFrame, SamplingRate
from hardware_sim.peripheral import address_of
from hardware_sim.radio import VirtualRadio
from hardware_sim.radio_conditions import RadioConditions
from hardware_sim.radio_hci import serve_hci
from hardware_sim.recording_source import SampleSource
from sensor_bridge.ble.adapter import Adapter
from sensor_bridge.ble.link import LinkPhase, LinkState
from sensor_bridge.ble.supervisor import SensorSupervisor
from sensor_bridge.config import Config
from sensor_bridge.recording.frame_log import FrameLogWriter
from sensor_bridge.sensor_report import WornSensor
from sensor_bridge.service import run_bridge
from sensor_bridge.virtual_radio import attached

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from sensor_bridge.assembly import SensorQuality
    from sensor_bridge.service import Bridge

TARGET_US = 100.0
INTERVAL_MS = 30.0  # docs/protocol.md, for up to eight links
_ALONE = 20_000
_SETTLE_S = 1.0
_LONGEST_START_S = 60.0
_PLACEMENTS = ("pelvis", "thigh_left")


def source(sensor_id: str, placement: str, rate_hz: float, duration_s: float) -> SampleSource:
    """Make what one sensor sends: somebody who stands, with noise."""
    n = round(duration_s * rate_hz)
    counts = np.random.default_rng(len(sensor_id)).normal(0.0, 20.0, (n, 6))
    counts[:, 1] += 4096.0  # 1 g at 8 g full scale
    return SampleSource(
        sensor_id,
        placement,
        "unknown",
        SamplingRate.from_hz(rate_hz),
        AccelRange.G8,
        GyroRange.DPS1000,
        1_000_000 + np.rint(np.arange(n) * 1e6 / rate_hz).astype(np.int64),
        counts.astype(np.int16),
    )


def configuration(n_sensors: int, rate_hz: float, batch: int, folder: Path) -> Config:
    """Let athletes wear the sensors, two each."""
    athletes: list[dict[str, Any]] = []
    for k in range(n_sensors):
        if k % len(_PLACEMENTS) == 0:
            athletes.append({"id": f"a{len(athletes)}", "sensors": []})
        sensor_id, placement = f"s{k}", _PLACEMENTS[k % len(_PLACEMENTS)]
        athletes[-1]["sensors"].append(
            {"id": sensor_id, "placement": placement, "address": address_of(sensor_id)}
        )
    return Config.model_validate(
        {
            "gym": "benchmark",
            "data_folder": folder,
            "dashboard": {"enabled": False},
            "streaming": {"sampling_rate_hz": rate_hz, "batch": batch},
            "athletes": athletes,
        }
    )


# A minute of the whole bridge -----------------------------------------------------------------------------


def _play(sources: list[SampleSource], line: Connection) -> None:
    """Be the process of the sensors: tell the port, then that all has been played."""

    async def play() -> None:
        conditions = RadioConditions(connection_interval_ms=INTERVAL_MS)
        async with serve_hci(sources, 0, radio=conditions) as (radio, port):
            line.send(port)
            while not all(each.is_streaming for each in radio.peripherals.values()):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            line.send("begun")
            await radio.playback_finished.wait()
            line.send("finished")
            await asyncio.to_thread(line.recv)

    asyncio.run(play())


async def _told(line: Connection) -> Any:
    """Wait for a word of the other process; a thread in `recv` could not be cancelled, this ends in 1 s."""
    while not await asyncio.to_thread(line.poll, 1.0):
        pass
    return line.recv()


async def _run(config: Config, line: Connection) -> tuple[dict[str, SensorQuality], int, float, float]:
    """Return what became of the samples, reconnects, wall time and processor time of the playback, s."""
    wall_s = cpu_s = 0.0
    states: dict[str, LinkState] = {}

    async def until_played(bridge: Bridge) -> None:
        nonlocal wall_s, cpu_s
        async with asyncio.timeout(_LONGEST_START_S):
            await _told(line)
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        await _told(line)
        wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
        await asyncio.sleep(_SETTLE_S)
        states.update(bridge.links)

    async with attached(await _told(line)) as adapter:
        qualities = await run_bridge(config, adapter, until_played)
    return qualities, sum(state.health.reconnects for state in states.values()), wall_s, cpu_s


def stream(n_sensors: int, rate_hz: float, batch: int, duration_s: float) -> bool:
    """Stream into a whole bridge and print what came; False where something was lost."""
    sources = [
        source(f"s{k}", _PLACEMENTS[k % len(_PLACEMENTS)], rate_hz, duration_s) for k in range(n_sensors)
    ]
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    sensors = context.Process(target=_play, args=(sources, there), daemon=True)
    with tempfile.TemporaryDirectory(prefix="hipline-link-") as folder:
        sensors.start()
        config = configuration(n_sensors, rate_hz, batch, Path(folder))
        qualities, reconnects, wall_s, cpu_s = asyncio.run(_run(config, here))
        here.send(None)
        sensors.join()
    made = sum(len(each) for each in sources)
    received, lost, gaps = (
        sum(getattr(quality, name) for quality in qualities.values()) for name in ("received", "lost", "gaps")
    )
    notifications = made / batch
    print(
        f"{n_sensors} sensors x {rate_hz:g} Hz, {batch} samples a packet, "
        f"interval {INTERVAL_MS:g} ms, {wall_s:.1f} s"
    )
    print(f"samples                          {received} of {made} received, {lost} lost")
    print(f"gaps                             {gaps}")
    print(f"reconnects                       {reconnects}")
    print(f"whole bridge, processor          {100.0 * cpu_s / wall_s:.1f} % of one core")
    print(f"whole bridge, a notification     {1e6 * cpu_s / notifications:.0f} us, radio stack included")
    return received == made and lost == gaps == 0


# One notification's way alone -------------------------------------------------------------------------------


async def cost_us(batch: int, n: int) -> float:
    """Measure the processor time of a notification from callback to log and account, us."""
    callbacks: dict[str, Callable[[Any, bytearray], None]] = {}
    with tempfile.TemporaryDirectory(prefix="hipline-link-") as folder:
        config = configuration(1, 100.0, batch, Path(folder))
        worn = WornSensor(config.athletes[0], config.athletes[0].sensors[0], config.streaming)
        # The second sensor is never started, so that the first sends nothing of its own.
        sources = [source("s0", "pelvis", 100.0, 1.0), source("silent", "sternum", 100.0, 1.0)]
        async with VirtualRadio(sources) as radio:
            client, scanner = radio.bleak_backends()
            start_notify = client.start_notify

            async def tap(self: Any, characteristic: Any, callback: Any, **options: Any) -> None:
                callbacks[characteristic.uuid] = lambda _handle, value: callback(value)
                await start_notify(self, characteristic, callback, **options)

            tapped = type("Tapped", (client,), {"start_notify": tap})
            states: list[LinkState] = []
            taken = 0
            with FrameLogWriter(Path(folder) / "frames", {}) as frame_log:

                def take(frame: Any) -> None:
                    nonlocal taken
                    taken += 1
                    frame_log.append(frame)

                supervisor = SensorSupervisor(
                    worn, Adapter(tapped, scanner), asyncio.Lock(), take, states.append
                )
                task = asyncio.create_task(supervisor.run())
                while not states or states[-1].phase is not LinkPhase.CONNECTED:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
                payloads = [bytearray(encode(_frame(k * batch, batch))) for k in range(n)]
                hear = callbacks[DATA_UUID]
                expected = taken + n
                cpu_s = time.process_time()
                for k, payload in enumerate(payloads):
                    hear(None, payload)
                    if k % 8 == 0:  # as many as come in one connection interval of eight sensors
                        await asyncio.sleep(0)
                while taken < expected:  # noqa: ASYNC110
                    await asyncio.sleep(0)
                cpu_s = time.process_time() - cpu_s
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
    assert supervisor.state.health.received == n * batch
    return 1e6 * cpu_s / n


def _frame(first_index: int, batch: int) -> ImuFrame:
    return ImuFrame(
        stream_id=1,
        first_sample_index=first_index,
        device_time_us=first_index * 5000,
        sampling_rate=SamplingRate.HZ200,
        accel_range=AccelRange.G8,
        gyro_range=GyroRange.DPS1000,
        clipped=False,
        gap_before=False,
        samples=bytes(12 * batch),
    )


def main() -> int:
    """Print both figures; 1 where a target is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sensors", type=int, default=8)
    parser.add_argument("--rate", type=float, default=200.0, metavar="HZ")
    parser.add_argument("--batch", type=int, default=10, metavar="SAMPLES")
    parser.add_argument("--duration", type=float, default=60.0, metavar="S")
    parser.add_argument("--alone", type=int, default=_ALONE, metavar="N", help="notifications measured alone")
    asked = parser.parse_args()
    is_whole = stream(asked.sensors, asked.rate, asked.batch, asked.duration)
    alone_us = asyncio.run(cost_us(asked.batch, asked.alone))
    is_cheap = alone_us < TARGET_US
    print(f"one notification, bridge's own   {alone_us:.0f} us (target {TARGET_US:g}: {_verdict(is_cheap)})")
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"largest memory                   {peak_mb:.0f} MB")
    print(f"targets: nothing lost: {_verdict(is_whole)}, cost of a notification: {_verdict(is_cheap)}")
    return 0 if is_whole and is_cheap else 1


def _verdict(is_met: bool) -> str:
    return "met" if is_met else "missed"


if __name__ == "__main__":
    sys.exit(main())
