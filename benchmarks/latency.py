"""From a sample in the sensor to a subscriber of the broker: how long it takes, and where the time goes.

Run from the root of the repository::

    python -m benchmarks.latency [--duration S] [--scenario NAME] [--seed N]

Three virtual sensors (100 Hz, 10 samples a packet), virtual radio, bridge and embedded broker run in this
process, as in ``hipline demo``; the subscriber is a process of its own and reads over TCP. All times are of
one monotonic clock: a sample exists when the virtual sensor makes it, which the virtual radio knows exactly;
the bridge's own idea of the time (``t_ms``) is compared, not used.

The age of a sample when the subscriber has its live message is split at the packet it came in:

- batching: until the packet's last sample exists
- radio: until the packet has arrived in the bridge
- others: until the packets of the other sensors, for the same moment, have arrived too
- rest: measuring, gathering a message, broker, subscriber

A repetition ends where the final revision of its event says, on the reference sensor's clock.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import multiprocessing
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from analytics.pipeline_output import PipelineOutput, RepetitionEvent
from firmware_protocol.codec import decode_frame
from hardware_sim.radio import VirtualRadio
from sensor_bridge.ble.adapter import Adapter
from sensor_bridge.ble.link import FrameKind
from sensor_bridge.config import Config
from sensor_bridge.live_angles import LiveAngles
from sensor_bridge.mqtt.client import MqttClient
from sensor_bridge.mqtt.payloads import decode
from sensor_bridge.mqtt.topics import DELIVERY, Channel, Topics
from sensor_bridge.recording.frame_log import read_frame_log
from sensor_bridge.service import run_bridge
from sensor_bridge.virtual_radio import rehearse

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from numpy.typing import NDArray

    from hardware_sim.recording_source import SampleSource
    from sensor_bridge.mqtt.settings import MqttSettings
    from sensor_bridge.service import Bridge

GYM = "benchmark"
SAMPLE_TARGET_MS = 200.0
EVENT_TARGET_MS = 400.0
_SETTLE_S = 1.5
_NEIGHBOURS = 2  # samples of another sensor needed beyond a moment to interpolate there


@dataclass(frozen=True)
class Heard:
    """A message as the subscriber got it, ns of the monotonic clock."""

    channel: Channel
    arrival_ns: int
    body: bytes


@dataclass
class Run:
    """What one run left to look at; ns of the monotonic clock where nothing else is said.

    Parameters
    ----------
    sources, began_ns
        What the sensors played, and when the first sample was made.
    outputs
        What the pipeline said, in order, on the clock of the reference sensor.
    heard
        What the subscriber got.
    arrivals
        For each sensor the arrival of each sample's packet and the position of that packet's last sample;
        -1 where it never came, shape (n,) each.
    """

    sources: tuple[SampleSource, ...]
    began_ns: int = 0
    outputs: list[PipelineOutput] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    arrivals: dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]] = field(default_factory=dict)

    @property
    def reference(self) -> SampleSource:
        """The sensor whose clock is the pipeline's."""
        return next(source for source in self.sources if source.placement == "pelvis")

    def made_ns(self, source: SampleSource) -> NDArray[np.int64]:
        """Tell when each sample of a sensor was made, shape (n,)."""
        since_first_us: NDArray[np.int64] = source.device_time_us - source.device_time_us[0]
        return self.began_ns + since_first_us * 1000

    def moment_ns(self, timeline_ns: NDArray[np.int64]) -> NDArray[np.int64]:
        """From the pipeline's timeline to the monotonic clock."""
        return self.began_ns + timeline_ns - int(self.reference.device_time_us[0]) * 1000


@dataclass(frozen=True)
class Ages:
    """Age of samples when the subscriber had them, and its parts, ms, shape (n,) each."""

    total: NDArray[np.float64]
    batching: NDArray[np.float64]
    radio: NDArray[np.float64]
    others: NDArray[np.float64]
    rest: NDArray[np.float64]


def perform(scenario: str, seed: int, duration_s: float | None) -> Run:
    """Let the virtual athlete perform, and gather what every part of the way saw."""
    playback, prescription, _ = rehearse(scenario, seed, duration_s)
    run = Run(playback.sources)
    with tempfile.TemporaryDirectory(prefix="hipline-latency-") as folder:
        config = Config.model_validate(
            {
                "gym": GYM,
                "data_folder": Path(folder),
                "dashboard": {"enabled": False},
                "athletes": [
                    {"id": "virtual", "sensors": playback.worn_sensors, "prescription": prescription}
                ],
            }
        )
        log_path = asyncio.run(_stream(config, run, seed))
        _read_arrivals(log_path, run)
    return run


async def _stream(config: Config, run: Run, seed: int) -> Path:
    log_path = Path()
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()

    async with VirtualRadio(run.sources, seed=seed) as radio:
        reference = run.reference
        # It plays when all sensors stream: not before the subscriber, a process that takes its time, listens.
        radio.set_in_range(reference.sensor_id, in_range=False)

        async def until_played(bridge: Bridge) -> None:
            nonlocal log_path
            log_path = bridge.session.frame_log_path
            subscriber = context.Process(
                target=_subscribe, args=(bridge.broker.reader_settings("latency"), there), daemon=True
            )
            subscriber.start()
            await asyncio.to_thread(here.recv)
            radio.set_in_range(reference.sensor_id, in_range=True)
            await radio.playback_finished.wait()
            await asyncio.sleep(_SETTLE_S)
            here.send(None)
            run.heard = await asyncio.to_thread(here.recv)
            await asyncio.to_thread(subscriber.join)

        def watch(_athlete: str, output: PipelineOutput) -> None:
            run.outputs.append(output)

        await run_bridge(config, Adapter(*radio.bleak_backends()), until_played, watch=watch)
        ends_s = radio.peripherals[reference.sensor_id].ends_at_s
        assert ends_s is not None
        run.began_ns = round(ends_s * 1e9) - int(np.ptp(reference.device_time_us)) * 1000
    return log_path


def _subscribe(settings: MqttSettings, pipe: Connection) -> None:
    """Run in a process of its own: say that it listens, note messages until told to hand them over."""
    heard: list[Heard] = []
    gc.collect()
    gc.freeze()  # the subscriber's own pauses are not the bridge's

    async def listen() -> None:
        async with MqttClient(settings) as client:
            await client.connected(10.0)
            topics = Topics(GYM)
            for channel in (Channel.LIVE, Channel.REPETITION):
                await client.subscribe(topics.every(channel), qos=DELIVERY[channel].qos)
            pipe.send(None)
            told_to_stop = asyncio.create_task(asyncio.to_thread(pipe.recv))
            listening = asyncio.create_task(note(client))
            await asyncio.wait([told_to_stop])
            listening.cancel()

    async def note(client: MqttClient) -> None:
        async for message in client.messages():
            arrival_ns = time.monotonic_ns()
            channel = Channel.LIVE if message.topic.endswith("/live") else Channel.REPETITION
            heard.append(Heard(channel, arrival_ns, message.payload))

    asyncio.run(listen())
    pipe.send(heard)


def _read_arrivals(log_path: Path, run: Run) -> None:
    utc_from_monotonic_ns = time.time_ns() - time.monotonic_ns()
    for source in run.sources:
        n = len(source)
        run.arrivals[source.sensor_id] = np.full(n, -1, dtype=np.int64), np.full(n, -1, dtype=np.int64)
    for frame in read_frame_log(log_path):
        if frame.kind is FrameKind.DATA:
            imu = decode_frame(frame.payload)
            arrival_ns, last = run.arrivals[frame.sensor_id]
            inside = slice(imu.first_sample_index, imu.first_sample_index + imu.n_samples)
            arrival_ns[inside] = frame.arrival_ns - utc_from_monotonic_ns
            last[inside] = inside.stop - 1


def sample_ages(run: Run) -> tuple[Ages, Ages, NDArray[np.float64]]:
    """Measure the live messages.

    Returns
    -------
    tuple
        Ages of all samples; ages of each message's newest sample; error of each message's ``t_ms``, ms.
    """
    live = {}
    for message in run.heard:
        if message.channel is Channel.LIVE:
            envelope = decode(Channel.LIVE, message.body)
            live[envelope.seq] = message.arrival_ns, envelope.data
    thinning = LiveAngles()
    sent = [samples for output in run.outputs for samples in thinning.push(output.angles)]
    utc_from_monotonic_ns = time.time_ns() - time.monotonic_ns()
    parts, newest, errors_ms = [], [], []
    for sequence, (arrival_ns, data) in sorted(live.items())[1:]:  # the first holds all until calibrated
        samples = sent[sequence]
        n = len(samples.angles_deg["pelvic_tilt_deg"])
        if data.pelvic_tilt_deg is None or len(data.pelvic_tilt_deg) != n:
            raise RuntimeError(f"live message {sequence} does not hold what the pipeline said")
        back_ns = np.rint(np.arange(n - 1, -1, -1) * 1e9 / samples.rate_hz).astype(np.int64)
        split = _split(run, samples.last_ns - back_ns, arrival_ns)
        parts.append(split)
        newest.append(split[:, -1:])
        at_ns = int(run.moment_ns(np.array([samples.last_ns]))[0]) + utc_from_monotonic_ns
        errors_ms.append(data.t_ms - at_ns / 1e6)
    return Ages(*np.hstack(parts)), Ages(*np.hstack(newest)), np.array(errors_ms)


def _split(run: Run, timeline_ns: NDArray[np.int64], heard_ns: int) -> NDArray[np.float64]:
    """Split the ages of some samples of one message; rows as the fields of `Ages`."""
    moment_ns = run.moment_ns(timeline_ns)
    made_ns = run.made_ns(run.reference)
    arrival_ns, last = run.arrivals[run.reference.sensor_id]
    position = np.searchsorted(made_ns, moment_ns - 2_000)
    if (last[position] < 0).any():
        raise RuntimeError("the virtual radio lost a packet: nothing can be said of its samples")
    complete_ns = made_ns[last[position]]
    arrived_ns = arrival_ns[position]
    all_ns = arrived_ns
    for source in run.sources:
        if source is not run.reference:
            other_ns, _ = run.arrivals[source.sensor_id]
            needed = np.searchsorted(run.made_ns(source), moment_ns) + _NEIGHBOURS - 1
            all_ns = np.maximum(all_ns, other_ns[np.minimum(needed, len(other_ns) - 1)])
    heard = np.full(len(moment_ns), heard_ns)
    edges = np.stack([moment_ns, complete_ns, arrived_ns, all_ns, heard])
    return np.vstack([(heard - moment_ns)[None], np.diff(edges, axis=0)]) / 1e6


def event_delays_ms(run: Run) -> list[float]:
    """Measure, for each repetition, from its end to the arrival of its first event."""
    ends_ns: dict[tuple[int, int], int] = {}
    for output in run.outputs:
        for event in output.events:
            if isinstance(event, RepetitionEvent) and event.repetition.concentric_end_ns is not None:
                place = event.repetition.set_number, event.repetition.repetition_number
                ends_ns[place] = event.repetition.concentric_end_ns
    told_ns: dict[tuple[int, int], int] = {}
    for message in run.heard:
        if message.channel is Channel.REPETITION:
            data = decode(Channel.REPETITION, message.body).data
            told_ns.setdefault((data.set, data.repetition), message.arrival_ns)
    return [
        float(told_ns[place] - run.moment_ns(np.array([end_ns]))[0]) / 1e6
        for place, end_ns in sorted(ends_ns.items())
        if place in told_ns
    ]


def _row(name: str, values_ms: NDArray[np.float64] | list[float]) -> str:
    p50, p95, largest = np.percentile(values_ms, [50, 95, 100])
    return f"{name:38}{len(values_ms):7d}{p50:9.1f}{p95:9.1f}{largest:9.1f}"


def main(arguments: list[str] | None = None) -> int:
    """Print the table; 0 if both targets are met."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--duration", type=float, help="length in s; default: the whole scenario")
    parser.add_argument("--scenario", default="romanian_deadlift")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    run = perform(options.scenario, options.seed, options.duration)
    ages, newest, errors_ms = sample_ages(run)
    delays_ms = event_delays_ms(run)
    print(f"{'ms':38}{'n':>7}{'p50':>9}{'p95':>9}{'max':>9}")
    print(_row("sample -> subscriber", ages.total))
    for name in ("batching", "radio", "others", "rest"):
        print(_row(f"  of which {name}", getattr(ages, name)))
    print(_row("newest sample of a message", newest.total))
    print(_row("repetition's end -> its event", delays_ms))
    print(_row("error of t_ms (bridge - truth)", errors_ms))
    p95_ms = float(np.percentile(ages.total, 95))
    print(
        f"targets: samples p95 {p95_ms:.0f} < {SAMPLE_TARGET_MS:.0f} ms; "
        f"events max {max(delays_ms):.0f} < {EVENT_TARGET_MS:.0f} ms"
    )
    return 0 if p95_ms < SAMPLE_TARGET_MS and max(delays_ms) < EVENT_TARGET_MS else 1


if __name__ == "__main__":
    sys.exit(main())
