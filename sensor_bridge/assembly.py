"""From a sensor's frames to blocks on the pipeline's timeline.

The timeline is the clock of the reference sensor (the pelvis, else the first heard): its samples keep their
own device times, exactly, so that a live session and a file of the same samples give the same numbers. Every
other clock, also the reference sensor's own after a reboot, is mapped onto it through the host's.

No clock is read and no file touched: the same frames give the same blocks, live or from a log.
"""

from __future__ import annotations

import contextlib
from collections import deque
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from analytics.clock_model import ClockModel
from analytics.imu import NANOSECONDS_PER_SECOND, FloatArray, ImuBlock, Placement
from analytics.timebase import GridResampler
from firmware_protocol.codec import decode_info, decode_notified, decode_reply, decode_time_reply
from firmware_protocol.errors import ProtocolError
from sensor_bridge.ble.accounting import SampleAccount
from sensor_bridge.ble.decoding import FrameDecoder
from sensor_bridge.ble.link import FrameKind, ReceivedFrame
from sensor_bridge.ble.samples import COMPLETE, ArrivedRun, SampleRun, StreamTraits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analytics.inertial_calibration import InertialCalibration
    from analytics.timebase import IntArray
    from firmware_protocol.packets import TimeReply
    from sensor_bridge.recording.sensor_calibrations import SensorCalibration

_NS_PER_US = 1_000
_LARGEST_RATE_ERROR = 0.12  # MEMS sample clocks are off by 1 to 5 % (data sheets), odd recordings by 10 %
_UNEVEN = 0.02
# How early and late a new stream can seem on a clock that ran on: fit and drift; one slow frame.
_MOST_EARLY_NS, _MOST_LATE_NS = NANOSECONDS_PER_SECOND // 10, 5 * NANOSECONDS_PER_SECOND // 2
_WAIT_FOR_REFERENCE_S = 5.0
_MOST_EARLY_EXCHANGES = 32
_LONGEST_EXCHANGE_NS = 2 * NANOSECONDS_PER_SECOND


@dataclass(frozen=True, slots=True)
class SensorQuality:
    """What became of one sensor's samples on their way into blocks.

    Parameters
    ----------
    received, backfilled, lost, duplicated
        Samples, by stream and index: that came live, that were fetched later, that are not here, that came
        again.
    rejected
        Payloads that could not be decoded, and samples whose time ran backwards.
    clipped
        Samples with a count at the end of its range.
    gaps, lost_s
        Holes on the timeline and the time missing in them, s.
    clock_residual_ms, clock_uncertainty_ms
        Jitter of the arrivals over the clock fit and bound on its error; ``None`` before any frame.
    traits
        What its stream lacks: where it does not show loss, ``lost`` says nothing.
    clock_drift_ppm
        How much faster the sensor's clock runs than the host's; ``None`` in the first minute.
    """

    received: int
    backfilled: int
    lost: int
    duplicated: int
    rejected: int
    clipped: int
    gaps: int
    lost_s: float
    clock_residual_ms: float | None
    clock_uncertainty_ms: float | None
    clock_drift_ppm: float | None = None
    traits: StreamTraits = COMPLETE


class BlockAssembly:
    """Frames of one athlete's sensors in, blocks on one timeline and one grid out.

    Parameters
    ----------
    placements
        Where each sensor, by its id, is worn. Frames of other sensors are not for this assembly.
    calibrations
        Of sensors by their serial number: taken off what the sensor that says this number of itself measures.

    Raises
    ------
    ValueError
        No sensor, or two at one placement.
    """

    def __init__(
        self,
        placements: Mapping[str, Placement],
        calibrations: Mapping[str, SensorCalibration] | None = None,
    ) -> None:
        if not placements or len(set(placements.values())) != len(placements):
            raise ValueError(f"an assembly needs one sensor a placement, not {dict(placements)}")
        self._sensors = {sensor_id: _Sensor(placement) for sensor_id, placement in placements.items()}
        self._calibrations = calibrations or {}
        self._reference_id = next(
            (sensor_id for sensor_id, placement in placements.items() if placement is Placement.PELVIS),
            next(iter(placements)),
        )
        self._timeline: ClockModel | None = None
        self._grid: _Grid | None = None
        self._waiting: list[ArrivedRun] = []

    def push(self, received: ReceivedFrame) -> list[ImuBlock]:
        """Take one frame as it came (or as it was logged), return the blocks that are complete.

        Raises
        ------
        KeyError
            The sensor is not one of this assembly.
        """
        return [block for run in self.decode(received) for block in self.place(run)]

    def decode(self, received: ReceivedFrame) -> list[ArrivedRun]:
        """Take one frame, return its runs of samples, to be placed; the first half of :meth:`push`.

        Raises
        ------
        KeyError
            The sensor is not one of this assembly.
        """
        sensor = self._sensors[received.sensor_id]
        if received.kind is FrameKind.INFO:
            with contextlib.suppress(ProtocolError):  # its link had refused it
                sensor.know(decode_info(received.payload).serial, self._calibrations)
        try:
            if received.kind is FrameKind.TIME:
                sensor.learn_exchange(decode_time_reply(received.payload), received.arrival_ns)
                return []
            if received.kind is FrameKind.CONTROL:
                sensor.arrived.go_on(decode_reply(received.payload))
            elif received.kind is FrameKind.BULK:
                sensor.arrived.add_stored(decode_notified(received.payload))
            runs = sensor.decoder.push(received)
        except ProtocolError:
            sensor.n_rejected += 1
            return []
        sensor.last_arrival_ns = received.arrival_ns
        for run in runs:
            sensor.arrived.add(run)
        return [ArrivedRun(received.sensor_id, received.arrival_ns, run) for run in runs]

    def last_runs(self) -> list[ArrivedRun]:
        """Return the runs that decoders still hold back, to be placed; no frame comes after this."""
        runs = []
        for sensor_id, sensor in self._sensors.items():
            for run in sensor.decoder.flush():
                sensor.arrived.add(run)
                runs.append(ArrivedRun(sensor_id, sensor.last_arrival_ns, run))
        return runs

    def place(self, arrived: ArrivedRun) -> list[ImuBlock]:
        """Take one run, return the blocks that are complete; the second half of :meth:`push`."""
        if self._grid is not None:
            return self._place(arrived)
        self._waiting.append(arrived)
        return self._begin()

    def flush(self) -> list[ImuBlock]:
        """Return what was waiting; no frame comes after this."""
        blocks = [block for run in self.last_runs() for block in self.place(run)]
        if self._waiting:
            blocks += self._begin(now=True)
        for sensor in self._sensors.values():
            if sensor.resampler is not None:
                blocks += sensor.resampler.flush()
        return blocks

    def to_utc_ns(self, timeline_ns: int) -> int:
        """UTC of a moment on the timeline, ns.

        Raises
        ------
        ValueError
            Before the first block.
        """
        if self._timeline is None:
            raise ValueError("the timeline begins with the first block")
        return int(self._timeline.host_from_device_ns(np.array([timeline_ns], dtype=np.int64))[0])

    def from_utc_ns(self, utc_ns: int) -> int | None:
        """Moment on the timeline of a UTC time, ns; None before the first block."""
        if self._timeline is None:
            return None
        return int(self._timeline.device_from_host_ns(np.array([utc_ns], dtype=np.int64))[0])

    def resume_point(self, sensor_id: str) -> tuple[int, int] | None:
        """Stream and index of the next sample wanted from a sensor; ``None`` before its first frame."""
        return self._sensors[sensor_id].arrived.resume_point()

    def identity(self, sensor_id: str) -> tuple[str | None, SensorCalibration | None]:
        """Return the serial number a sensor said, and the calibration in force, where there are any."""
        sensor = self._sensors[sensor_id]
        return sensor.serial, sensor.calibration

    def quality(self, sensor_id: str) -> SensorQuality:
        """Tell what became of a sensor's samples so far."""
        return self._sensors[sensor_id].quality()

    def _begin(self, *, now: bool = False) -> list[ImuBlock]:
        """Choose the reference sensor and let in what has waited for it."""
        first, last = self._waiting[0], self._waiting[-1]
        reference_id = self._reference_id
        if last.sensor_id != reference_id:
            waited_ns = last.arrival_ns - first.arrival_ns
            if not now and waited_ns < _WAIT_FOR_REFERENCE_S * NANOSECONDS_PER_SECOND:
                return []
            reference_id = first.sensor_id
        waiting, self._waiting = self._waiting, []
        run = next(arrived.run for arrived in waiting if arrived.sensor_id == reference_id)
        self._timeline = self._sensors[reference_id].clock
        self._grid = _Grid(run.sampling_rate_hz, run.device_time_us * _NS_PER_US)
        blocks = []
        for is_reference in (True, False):  # the reference first: the others are mapped onto its clock
            for arrived in waiting:
                if (arrived.sensor_id == reference_id) is is_reference:
                    blocks += self._place(arrived)
        return blocks

    def _place(self, arrived: ArrivedRun) -> list[ImuBlock]:
        assert self._grid is not None
        assert self._timeline is not None
        sensor, run = self._sensors[arrived.sensor_id], arrived.run
        device_ns, acc, gyr = sensor.take(run, arrived.arrival_ns)
        if not len(device_ns):
            return []
        if sensor.clock is self._timeline:
            times = device_ns
        else:
            times = self._timeline.device_from_host_ns(sensor.clock.host_from_device_ns(device_ns))
        return sensor.resample(self._grid, run, times, acc, gyr)


@dataclass(frozen=True, slots=True)
class _Grid:
    rate_hz: float
    origin_ns: int


class _Sensor:
    """One sensor: what was received, its clock, its resampler."""

    def __init__(self, placement: Placement) -> None:
        self.placement = placement
        self.clock = ClockModel()
        self.arrived = SampleAccount()
        self.placed = SampleAccount()  # later: what waits for other sensors has arrived already
        self.decoder = FrameDecoder()
        self.serial: str | None = None
        self.calibration: SensorCalibration | None = None
        self._correction: InertialCalibration | None = None
        self.last_arrival_ns = 0
        self.resampler: GridResampler | None = None
        self.n_rejected = 0
        self._n_clipped = 0
        self._pace = _Pace()
        self._early_exchanges: deque[tuple[TimeReply, int]] = deque(maxlen=_MOST_EARLY_EXCHANGES)
        self._source_rate_hz = 0.0

    def know(self, serial: str, calibrations: Mapping[str, SensorCalibration]) -> None:
        """Take note of which sensor this is; another one may have been clipped on in its place."""
        self.serial = serial
        self.calibration = calibrations.get(serial)
        self._correction = None if self.calibration is None else self.calibration.correction()

    def learn_exchange(self, reply: TimeReply, arrival_ns: int) -> None:
        """Take a clock exchange; one that comes before the stream of a new clock waits for it."""
        if not 0 <= arrival_ns - reply.host_send_us * _NS_PER_US <= _LONGEST_EXCHANGE_NS:
            return
        if self.clock.is_ready and not self._fits_clock(reply.device_send_us * _NS_PER_US, arrival_ns):
            self._early_exchanges.append((reply, arrival_ns))
        else:
            self.clock.push_exchange(
                reply.host_send_us * _NS_PER_US, reply.device_receive_us, reply.device_send_us, arrival_ns
            )

    def take(self, run: SampleRun, arrival_ns: int) -> tuple[IntArray, FloatArray, FloatArray]:
        """Count a run and return its new samples: device times in ns, m/s², rad/s."""
        is_new_stream = run.stream_id != self.placed.stream_id
        skip = 0 if is_new_stream else max(0, self.placed.next_index - run.first_sample_index)
        self.placed.add(run)
        if is_new_stream:
            self._pace = _Pace()
        first_ns = run.device_time_us * _NS_PER_US
        period_ns = self._pace.period_ns(run.first_sample_index, first_ns, run.sampling_rate_hz)
        device_ns: IntArray = first_ns + np.rint(np.arange(run.n_samples) * period_ns).astype(np.int64)
        last_ns = int(device_ns[-1])
        if is_new_stream:
            self._renew_clock(last_ns, arrival_ns)
        self.clock.push(last_ns // _NS_PER_US, arrival_ns)
        self._n_clipped += int(np.count_nonzero(run.is_clipped[skip:]))
        acc, gyr = run.acc_m_s2[skip:], run.gyr_rad_s[skip:]
        if self._correction is not None:
            acc, gyr = self._correction.correct_acc(acc), self._correction.correct_gyr(gyr)
        return device_ns[skip:], acc, gyr

    def resample(
        self, grid: _Grid, run: SampleRun, times_ns: IntArray, acc: FloatArray, gyr: FloatArray
    ) -> list[ImuBlock]:
        blocks = []
        source_rate_hz = run.sampling_rate_hz
        if self.resampler is None:
            self.resampler = GridResampler(
                self.placement,
                grid.rate_hz,
                source_rate_hz=source_rate_hz,
                origin_ns=grid.origin_ns,
                has_gyroscope=run.traits.has_gyroscope,
            )
        elif source_rate_hz != self._source_rate_hz:
            blocks = self.resampler.change_source_rate(source_rate_hz)
        self._source_rate_hz = source_rate_hz
        return blocks + self.resampler.push(times_ns, acc, gyr)

    def quality(self) -> SensorQuality:
        resampler = self.resampler
        return SensorQuality(
            received=self.arrived.received,
            backfilled=self.arrived.backfilled,
            lost=self.arrived.lost,
            duplicated=self.arrived.duplicated,
            rejected=self.n_rejected
            + self.decoder.n_rejected
            + (resampler.n_reversed + resampler.n_duplicated if resampler else 0),
            clipped=self._n_clipped,
            gaps=resampler.n_gaps if resampler else 0,
            lost_s=resampler.lost_s if resampler else 0.0,
            clock_residual_ms=self.clock.residual_ms if self.clock.is_ready else None,
            clock_uncertainty_ms=self.clock.uncertainty_ms if self.clock.is_ready else None,
            traits=self.decoder.traits,
            clock_drift_ppm=self.clock.drift_ppm,
        )

    def _fits_clock(self, device_ns: int, arrival_ns: int) -> bool:
        delay_ns = arrival_ns - self.clock.to_host_ns(device_ns // _NS_PER_US)
        return -_MOST_EARLY_NS < delay_ns < _MOST_LATE_NS

    def _renew_clock(self, device_ns: int, arrival_ns: int) -> None:
        """Keep the clock over a new stream where it ran on; a reboot has begun a new one."""
        if not self.clock.is_ready or self._fits_clock(device_ns, arrival_ns):
            return
        self.clock = ClockModel()
        self.clock.push(device_ns // _NS_PER_US, arrival_ns)
        early, self._early_exchanges = self._early_exchanges, deque(maxlen=_MOST_EARLY_EXCHANGES)
        for reply, reply_arrival_ns in early:
            if self._fits_clock(reply.device_send_us * _NS_PER_US, reply_arrival_ns):
                self.learn_exchange(reply, reply_arrival_ns)


class _Pace:
    """True sample period of one stream, from (index, device time) pairs of the last seconds."""

    def __init__(self) -> None:
        self._last: tuple[int, int] | None = None
        self._steps: deque[tuple[int, int]] = deque(maxlen=128)  # samples, ns

    def period_ns(self, index: int, time_ns: int, nominal_hz: float) -> float:
        """Take a frame's first index and time, return the period to space its samples with, ns."""
        if self._last is None or index > self._last[0]:
            if self._last is not None:
                self._steps.append((index - self._last[0], time_ns - self._last[1]))
            self._last = (index, time_ns)
        nominal_ns = NANOSECONDS_PER_SECOND / nominal_hz
        if not self._steps:
            return nominal_ns
        # Where the sensor made no samples for a while, the step says nothing of its rate.
        usual = median(ns / n for n, ns in self._steps)
        even = [(n, ns) for n, ns in self._steps if abs(ns / n - usual) <= _UNEVEN * usual]
        n_all, ns_all = sum(n for n, _ in even), sum(ns for _, ns in even)
        # Times come in whole µs: a difference that rounding explains is none.
        if abs(ns_all - n_all * nominal_ns) < 2 * _NS_PER_US:
            return nominal_ns
        return ns_all / n_all if abs(usual - nominal_ns) <= _LARGEST_RATE_ERROR * nominal_ns else nominal_ns
