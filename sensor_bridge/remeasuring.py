"""One athlete's session measured again, with what was fetched from the sensors' flash since.

A second pipeline goes over the log from its beginning: what it says of the sets that are over is what would
have been said, had nothing been lost. It works in small steps, so that live goes on between them.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sensor_bridge.athlete_session import assembly_of, pipeline_of
from sensor_bridge.ble.link import FrameKind
from sensor_bridge.command_orders import CommandOrders
from sensor_bridge.given_command import GivenCommand
from sensor_bridge.mqtt.command_payloads import ArgumentError
from sensor_bridge.recording.analysis import Analysis
from sensor_bridge.recording.sample_order import SampleOrder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from analytics.imu import ImuBlock
    from analytics.pipeline_output import RepetitionEvent, SetEvent
    from analytics.repetitions import Aborted
    from sensor_bridge.assembly import SensorQuality
    from sensor_bridge.ble.link import ReceivedFrame
    from sensor_bridge.config import AthleteConfig
    from sensor_bridge.recording.sensor_calibrations import SensorCalibration

_SLICE_S: Final = 0.005  # an angle shown live may wait so long
_TOGETHER_NS: Final = 500_000_000  # of samples at a time: a few large steps cost less than many small ones


@dataclass(frozen=True, slots=True)
class Remeasured:
    """What a second look at a session found.

    Parameters
    ----------
    analysis
        The last word on each repetition and set.
    to_utc_ns
        From its timeline to UTC, both integer ns.
    quality
        What became of each sensor's samples, by its id.
    is_whole
        Whether the session had ended.
    """

    analysis: Analysis
    to_utc_ns: Callable[[int], int]
    quality: Mapping[str, SensorQuality]
    is_whole: bool = False

    @property
    def sets(self) -> dict[int, SetEvent]:
        """The sets that are over, by number."""
        return {n: each for n, each in sorted(self.analysis.sets.items()) if each.summary.is_final}

    @property
    def is_unfinished(self) -> bool:
        """Whether a set is under way that has repetitions already."""
        return len(self.repetitions) < len(self.analysis.repetitions)

    @property
    def repetitions(self) -> dict[tuple[int, int], RepetitionEvent]:
        """Their repetitions, by set and number."""
        sets = self.sets
        return {place: each for place, each in sorted(self.analysis.repetitions.items()) if place[0] in sets}

    @property
    def aborted(self) -> list[tuple[int, Aborted]]:
        """Movements broken off in them, each with its set."""
        sets = self.sets
        return [(number, aborted) for number, aborted in self.analysis.aborted if number in sets]


class Remeasuring:
    """Measures one athlete's session again.

    Parameters
    ----------
    athlete
        Who, with which sensors.
    frames
        All frames of the session so far, of any sensors, as they came.
    is_whole
        Whether the session has ended.
    calibrations
        Of sensors, by serial number.
    now_s
        The clock that slices are measured with, s; given by tests.
    """

    def __init__(
        self,
        athlete: AthleteConfig,
        frames: Iterable[ReceivedFrame],
        *,
        is_whole: bool,
        calibrations: Mapping[str, SensorCalibration] | None = None,
        now_s: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._athlete = athlete
        self._frames = frames
        self._is_whole = is_whole
        self._now_s = now_s
        self._assembly = assembly_of(athlete, calibrations)
        self._pipeline = pipeline_of(athlete)
        self._orders = CommandOrders(athlete.prescription)
        self._analysis = Analysis()

    async def run_in_slices(self) -> Remeasured:
        """Measure a little at a time; everything else of the event loop goes on in between.

        While the session goes on it takes half of the processor at most.
        """
        pause_s = 0.0 if self._is_whole else _SLICE_S
        until_s = self._now_s() + _SLICE_S
        for _ in self._steps():
            if self._now_s() >= until_s:
                await asyncio.sleep(pause_s)
                until_s = self._now_s() + _SLICE_S
        quality = {sensor.id: self._assembly.quality(sensor.id) for sensor in self._athlete.sensors}
        return Remeasured(self._analysis, self._assembly.to_utc_ns, quality, self._is_whole)

    def _steps(self) -> Iterator[None]:
        worn = {sensor.id for sensor in self._athlete.sensors}
        order = SampleOrder()
        for frame in self._frames:
            if frame.sensor_id in worn:
                order.push(frame)
            yield
        together: list[ImuBlock] = []
        until_ns = 0
        for frame in order.ordered():
            is_enough = frame.kind is FrameKind.COMMAND and not frame.payload
            self._obey(frame)
            if is_enough or frame.arrival_ns >= until_ns:
                self._analysis.add(self._pipeline.push_together(together))
                together, until_ns = [], frame.arrival_ns + _TOGETHER_NS
            if is_enough:
                self._analysis.add(self._pipeline.obey_now())
            together += self._assembly.push(frame)
            yield
        if self._is_whole:
            together += self._assembly.flush()
        self._analysis.add(self._pipeline.push_together(together))
        yield
        if self._is_whole:
            self._analysis.add(self._pipeline.flush())

    def _obey(self, frame: ReceivedFrame) -> None:
        """Order of the pipeline what was ordered live."""
        if frame.kind is not FrameKind.COMMAND:
            return
        at_ns = self._assembly.from_utc_ns(frame.arrival_ns)
        with contextlib.suppress(ArgumentError):  # it had no effect live either
            order = self._orders.order(GivenCommand.from_bytes(frame.payload), at_ns or 0)
            if order is not None:
                self._pipeline.order(order)
