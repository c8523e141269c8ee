"""Repetitions of the sets of a scenario, measured with what came and what would have come undisturbed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from firmware_protocol.codec import encode
from hardware_sim.peripheral_stream import PlayedSource, SampleStream
from sensor_bridge.ble.link import FrameKind, ReceivedFrame
from sensor_bridge.remeasuring import Remeasuring

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benchmarks.chaos.account import Arrival
    from hardware_sim.peripheral_stream import MadeStream
    from hardware_sim.recording_source import SampleSource
    from sensor_bridge.config import AthleteConfig

_AROUND_S: Final = 5.0
_TRANSIT_NS: Final = 20_000_000


@dataclass(frozen=True, slots=True)
class Figures:
    """One repetition: s, and degrees."""

    eccentric_s: float | None
    concentric_s: float | None
    pelvic_tilt_range_deg: float | None

    def resembles(self, other: Figures, *, within_s: float, within_deg: float) -> bool:
        """Tell whether both say the same."""
        return (
            _differ(self.eccentric_s, other.eccentric_s) <= within_s
            and _differ(self.concentric_s, other.concentric_s) <= within_s
            and _differ(self.pelvic_tilt_range_deg, other.pelvic_tilt_range_deg) <= within_deg
        )


@dataclass(frozen=True, slots=True)
class Window:
    """The samples of one set and of a few seconds around it: positions first to before end in a source."""

    first: int
    end: int

    @classmethod
    def around(cls, start_s: float, set_s: float, rate_hz: float) -> Window:
        """Find the window of the set that begins at a time."""
        return cls(
            round(max(start_s - _AROUND_S, 0.0) * rate_hz), round((start_s + set_s + _AROUND_S) * rate_hz)
        )


async def undisturbed(
    athlete: AthleteConfig, sources: Sequence[SampleSource], window: Window, batch: int
) -> list[Figures]:
    """Measure a set of which every frame comes at once and in order."""
    frames = [frame for source in sources for frame in _frames_of(source, window, batch)]
    return await _measure(athlete, sorted(frames, key=lambda frame: frame.arrival_ns))


async def healed(
    athlete: AthleteConfig,
    came: Iterable[Arrival],
    made: Mapping[str, Sequence[MadeStream]],
    window: Window,
) -> list[Figures]:
    """Measure a set with what came of it, live and out of flash."""
    origins = {
        (sensor_id, stream.stream_id): stream.origin for sensor_id, each in made.items() for stream in each
    }
    frames = []
    for each in came:
        origin = origins[each.received.sensor_id, each.frame.stream_id]
        if window.first <= origin + each.frame.first_sample_index < window.end:
            frames.append(each.received)
    return await _measure(athlete, frames)


async def _measure(athlete: AthleteConfig, frames: list[ReceivedFrame]) -> list[Figures]:
    measured = await Remeasuring(athlete, frames, is_whole=True).run_in_slices()
    repetitions = [event.repetition for event in measured.analysis.repetitions.values()]
    return [
        Figures(each.eccentric_s, each.concentric_s, each.pelvic_tilt_range_deg)
        for each in sorted(repetitions, key=lambda each: each.start_ns)
    ]


def _frames_of(source: SampleSource, window: Window, batch: int) -> list[ReceivedFrame]:
    part = slice(window.first, window.end)
    times_s = source.elapsed_s[part]
    played = PlayedSource(
        replace(
            source,
            device_time_us=source.device_time_us[part],
            counts=source.counts[part],
            true_time_s=times_s,
        )
    )
    stream = SampleStream(played, ring_capacity=len(times_s), queue_frames=len(times_s), first_stream_id=1)
    stream.batch = batch
    stream.start(-1.0)
    played.begin(0.0)
    frames, n_samples = [], 0
    while (frame := stream.next_frame(float(times_s[-1]))) is not None:
        n_samples += frame.n_samples
        arrival_ns = round(float(times_s[n_samples - 1]) * 1e9) + _TRANSIT_NS
        frames.append(ReceivedFrame(source.sensor_id, arrival_ns, FrameKind.DATA, encode(frame)))
    return frames


def _differ(one: float | None, other: float | None) -> float:
    if one is None or other is None:
        return 0.0 if one is other else float("inf")
    return abs(one - other)
