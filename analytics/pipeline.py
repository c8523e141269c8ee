"""All stages in one: samples in, angles and events out. Live, replay and batch run exactly this."""

from __future__ import annotations

import sys
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING

from analytics.angle_block import AngleBlock
from analytics.drive_events import DrivePhase
from analytics.driving import DrivingAngle, with_thigh_stood_in
from analytics.exercises import Exercise
from analytics.feed import OrientedFeed
from analytics.hip_rise import may_be_learnt_from
from analytics.history import AlignedHistory
from analytics.imu import NANOSECONDS_PER_SECOND, Placement
from analytics.motion_trigger import MotionTrigger
from analytics.orders import OrderQueue, Prescribed, SetEnds, ZeroAnew, cut
from analytics.pipeline_output import (
    CalibrationEvent,
    LiveState,
    PipelineEvent,
    PipelineOutput,
    RepetitionAborted,
)
from analytics.pipeline_setup import AthleteSetup, PipelineParameters, calibration_session, expected_of
from analytics.posture import Posture, PostureLatch
from analytics.remeasurement import remeasured
from analytics.repetition_events import phases_of
from analytics.repetition_ledger import RepetitionLedger
from analytics.repetition_meter import RepetitionMeter
from analytics.repetitions import (
    Aborted,
    Candidate,
    CounterEvent,
    Driver,
    Phase,
    RepetitionCounter,
    SetBoundary,
    Withdrawn,
)
from analytics.thigh_alone import NOTHING_ASKED
from analytics.turning_points import AbortReason
from analytics.walkout import counting_walkouts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from analytics.alignment import Stretch
    from analytics.angles import Goniometer, RotationReference
    from analytics.calibration import SegmentCalibration
    from analytics.counter_parameters import CounterParameters
    from analytics.imu import ImuBlock
    from analytics.orders import Order
    from analytics.prescription import Prescription
    from analytics.wearing import Wearing


class MotionPipeline:
    """One athlete's sensors, from samples to repetitions.

    Any chunking of the same samples gives the same output, as long as the placements are pushed
    side by side, in packets of up to a quarter of a second; :func:`analytics.batch.analyse` does that
    for whole recordings. It cannot be copied or pickled (``vqf`` cannot): to resume elsewhere, push again.

    Parameters
    ----------
    setup
        Who wears what, and what was asked.
    parameters
        Settings.
    """

    def __init__(self, setup: AthleteSetup, parameters: PipelineParameters | None = None) -> None:
        self._setup = setup
        self._parameters = p = parameters or PipelineParameters()
        mounts = {placement: setup.mounts[placement] for placement in Placement if placement in setup.mounts}
        self._history = AlignedHistory(mounts)
        self._feed = OrientedFeed(mounts, self._history, p)
        self._session = calibration_session(setup, p)
        self._orders = OrderQueue()
        self._early_ends: list[SetEnds] = []
        self._held: list[Stretch] = []
        self._step = 1
        self._ledger = RepetitionLedger(self._new_meter(), setup.prescription, p.sets)
        self._trigger: MotionTrigger | None = None
        self._counter: RepetitionCounter | None = None
        self._latch: PostureLatch | None = None
        self._goniometer: Goniometer | None = None
        self._rotation: RotationReference | None = None
        self._to_learn: Candidate | None = None
        self._angles: list[AngleBlock] = []
        self._live: LiveState | None = None
        self._events: list[PipelineEvent] = []

    @property
    def late_samples(self) -> Mapping[Placement, int]:
        """Samples that came too late to be used, by placement."""
        return self._feed.late_samples

    @property
    def calibrations(self) -> Mapping[Placement, SegmentCalibration]:
        """How the sensors sit, as far as it is known by now."""
        return self._session.calibrations

    @property
    def wearing(self) -> Wearing | None:
        """Calibration for the next recording of the same wearing; None while there is none."""
        return self._session.wearing

    def push(self, block: ImuBlock) -> PipelineOutput:
        """Take the next samples of one sensor.

        Raises
        ------
        ValueError
            The block's placement is not worn.
        MixedSamplingRates, BlockOutOfOrder
            The blocks are not on one grid, or not in order.
        """
        return self.push_together((block,))

    def push_together(self, blocks: Iterable[ImuBlock]) -> PipelineOutput:
        """Take the next samples of several sensors that came in the same time, each sensor's in order.

        Raises
        ------
        ValueError, MixedSamplingRates, BlockOutOfOrder
            As for :meth:`push`.
        """
        heard = [block for block in blocks if len(block)]
        if not heard:
            return PipelineOutput()
        for stretch in self._feed.push(heard):
            self._take(stretch)
        return self._output()

    def order(self, order: Order) -> None:
        """Have something done at its moment; where that has been measured already, with the next sample."""
        self._orders.add(order)

    @property
    def is_waiting(self) -> bool:
        """Whether something was ordered that waits for its samples."""
        return bool(self._orders)

    def obey_now(self) -> PipelineOutput:
        """Do what was ordered without waiting for its moment: no samples come."""
        for order in self._orders.rest():
            self._obey(order, self._history.end_index if self._history else 0, is_patient=False)
        return self._output()

    def flush(self) -> PipelineOutput:
        """End of the recording: say everything that is left to say."""
        for stretch in self._feed.flush():
            self._take(stretch)
        if not self._session.is_started and self._held:
            self._search(is_last=True)
        if self._session.is_started:
            self._events.extend(self._ledger.end_set(self._history.end_index))
        return self._output()

    def _output(self) -> PipelineOutput:
        angles, self._angles = tuple(self._angles), []
        events, self._events = tuple(self._events), []
        if angles or events or not self._session.is_started:
            self._live = self._live_state()
        return PipelineOutput(angles, events, self._live)

    def _live_state(self) -> LiveState | None:
        newest_ns = self._feed.newest_input_ns
        if newest_ns is None:
            return None
        counter = self._counter
        seen = counter or self._trigger
        has_begun = self._session.is_started
        now_ns = self._history.time_ns(self._history.end_index - 1) if has_begun else newest_ns
        onset_ns, depth = (counter.eccentric_start_ns, counter.depth_fraction) if counter else (None, None)
        return LiveState(
            time_ns=now_ns,
            phase=Phase.CALIBRATING if seen is None else seen.phase,
            posture=Posture.UNKNOWN if self._latch is None else self._latch.posture,
            set_number=self._ledger.set_number,
            repetition_count=self._ledger.repetition_count,
            eccentric_start_ns=onset_ns,
            depth_fraction=depth,
            count=self._ledger.live_count(onset_ns, now_ns, depth),
        )

    # --- what is ordered ---------------------------------------------------------------------

    def _take(self, stretch: Stretch) -> None:
        """Work through a stretch; what is ordered is done at the same grid points however it was cut."""
        while (due := self._orders.next_due(stretch, self._history.index_of)) is not None:
            index, order = due
            before, stretch = cut(stretch, index)
            if before.first_index < before.end_index:
                self._take_part(before)
            self._obey(order, index)
        self._take_part(stretch)

    def _obey(self, order: Order, index: int, *, is_patient: bool = True) -> None:
        match order:
            case SetEnds():
                self._end_set(order, index, is_patient=is_patient)
            case Prescribed(prescription=prescription):
                self._ask(prescription, index)
            case ZeroAnew():
                self._events.extend(self._ledger.end_set(index))
                self._session = calibration_session(replace(self._setup, wearing=None), self._parameters)
                self._ledger.measure_with(self._new_meter())
                self._trigger = self._counter = self._latch = None
                self._goniometer = self._rotation = self._to_learn = None
                self._held = []
                self._history.forget_before(index)

    def _end_set(self, order: SetEnds, index: int, *, is_patient: bool) -> None:
        """End the set; one whose last repetition is past its turn may still finish that."""
        if self._counter is not None:
            phases = phases_of(supine=self._counter.is_supine)
            is_past_turn = is_patient and self._counter.phase in {
                phases[DrivePhase.HOLD],
                phases[DrivePhase.BACK],
            }
            step_ns = round(self._parameters.step_s * NANOSECONDS_PER_SECOND)
            if is_past_turn and self._orders.put_off(order, self._history.time_ns(index), step_ns):
                return
            self._counter.start_set()
        else:
            self._early_ends.append(order)  # what is counted in hindsight may lie before it
        self._events.extend(self._ledger.end_set(index))

    def _ask(self, prescription: Prescription | None, index: int) -> None:
        was_walkout = self._is_walkout
        self._setup = replace(self._setup, prescription=prescription)
        self._ledger.ask(prescription)
        lying, one_leg = expected_of(prescription)
        self._session.expect(lying, one_leg_declared=one_leg)
        if was_walkout is not self._is_walkout:
            self._events.extend(self._ledger.end_set(index))
            self._ledger.measure_with(self._new_meter())
            self._counter = self._counter and self._new_counter()
        if self._counter is not None:
            self._counter.is_asked = prescription is not None

    @property
    def _is_walkout(self) -> bool:
        asked = self._setup.prescription
        return asked is not None and asked.exercise is Exercise.GLUTE_BRIDGE_WALKOUT

    # --- before zero is known ----------------------------------------------------------------

    def _take_part(self, stretch: Stretch) -> None:
        if self._session.is_started:
            self._advance(stretch)
            return
        self._held.append(stretch)
        self._search()

    def _search(self, *, is_last: bool = False) -> None:
        history = self._history
        first_index, end_index = self._held[0].first_index, self._held[-1].end_index
        if not self._session.search(history, first_index, end_index, is_last=is_last):
            return
        self._latch = self._new_latch()
        if self._session.wants_movement:
            self._trigger = MotionTrigger(self._session.poses, self._counter_parameters)
        self._goniometer = self._session.goniometer()
        if self._session.is_forward_known:
            self._counter = self._new_counter()
        self._step = max(1, round(self._parameters.step_s * history.sampling_rate_hz))
        held, self._held = self._held, []
        self._tell(history.time_ns(first_index), self._session.calibrations.values())
        for stretch in held:
            self._advance(stretch)

    def _new_latch(self) -> PostureLatch:
        return PostureLatch(
            Posture.SUPINE if self._session.is_supine else Posture.STANDING, self._parameters.posture
        )

    def _new_counter(self) -> RepetitionCounter:
        driver = Driver.worn(self._session.poses, is_walkout=self._is_walkout)
        is_asked = self._setup.prescription is not None
        return RepetitionCounter(
            driver, self._counter_parameters, hinge_axis_is_known=True, is_asked=is_asked
        )

    def _new_meter(self) -> RepetitionMeter:
        p = self._parameters
        return RepetitionMeter(
            self._session, self._history, p.orientation, p.meter, is_walkout=self._is_walkout
        )

    @property
    def _counter_parameters(self) -> CounterParameters:
        counter = self._parameters.counter
        return counting_walkouts(counter) if self._is_walkout else counter

    # --- sample by sample --------------------------------------------------------------------

    def _advance(self, stretch: Stretch) -> None:
        """Work through a stretch; calibrations change at the same grid points however it was cut."""
        if stretch.gap_before_s > 0.0:
            self._events.extend(self._ledger.finish(stretch.first_index))
        at, gap_s = stretch.first_index, stretch.gap_before_s
        while at < stretch.end_index:
            stop = min(stretch.end_index, self._next_join(at))
            if self._to_learn is not None:
                stop = min(stop, self._next_step(at))
            at, gap_s = self._measure(at, stop, gap_s), 0.0
            self._events.extend(self._ledger.finish(at))
            self._history.forget_before(
                at - round(self._parameters.history_s * self._history.sampling_rate_hz)
            )
            if at % self._step == 0:
                self._learn(at)
                self._let_join(at)

    def _next_step(self, index: int) -> int:
        """Grid point after ``index`` at which a new calibration may begin to hold."""
        return (index // self._step + 1) * self._step

    def _measure(self, at: int, stop: int, gap_before_s: float) -> int:
        """Go over samples ``at`` to ``stop``, or to where something is to be learnt; return where that is."""
        stop, found = self._watch_for_movement(at, stop)
        # Only where movement is still wanted is anything learnt, and gone over again from there on.
        latch = copy(self._latch) if self._session.wants_movement else self._latch
        rotation = self._rotation
        angles = self._live_angles(at, stop, gap_before_s)
        if self._counter is not None:
            counted = self._count(self._counter, angles, at, stop)
            if counted < stop:
                stop, self._latch, self._rotation = counted, latch, rotation
                angles, found = self._live_angles(at, stop, gap_before_s), None
        self._angles.append(angles)
        # Of two candidates in one step the trigger's is taken: it does not rest on a forward direction.
        self._to_learn = found or self._to_learn
        return stop

    def _watch_for_movement(self, at: int, stop: int) -> tuple[int, Candidate | None]:
        """Let the trigger look at samples ``at`` to ``stop``, or to the step after what it finds."""
        found: Candidate | None = None
        while self._trigger is not None and at < stop:
            block = self._history.window(at, stop)
            assert block is not None
            candidate, taken = self._trigger.advance(block)
            at += taken
            if candidate is not None:
                found, stop = found or candidate, min(stop, self._next_step(at - 1))
        return stop, found

    def _count(self, counter: RepetitionCounter, angles: AngleBlock, at: int, stop: int) -> int:
        """Count; what becomes due and what happens come in the order of their samples."""
        both_worn = counter.driver.left and counter.driver.right
        block, index = with_thigh_stood_in(angles) if both_worn else angles, at
        while index < stop:
            events, taken = counter.advance(block, index - at, stop - at)
            index = at + taken
            if events:
                self._events.extend(self._ledger.finish(index - 1))
                self._handle(events)
            if self._to_learn is not None:
                stop = min(stop, self._next_step(index - 1))
        return stop

    def _live_angles(self, at: int, stop: int, gap_before_s: float) -> AngleBlock:
        assert self._goniometer is not None
        assert self._latch is not None
        values, flags = self._history.columns(at, stop)
        columns, self._rotation = self._goniometer.read(values, flags, self._rotation)
        rate_hz = self._history.sampling_rate_hz
        supine = self._latch.is_supine(columns, rate_hz)
        return AngleBlock.of_columns(self._history.time_ns(at), rate_hz, gap_before_s, columns, supine)

    def _handle(self, events: Iterable[CounterEvent]) -> None:
        for event in events:
            if isinstance(event, Candidate):
                if self._session.wants_movement:
                    self._to_learn = self._to_learn or event
                if self._orders.set_ends_before(event.bottom_ns):
                    self._events.extend(self._ledger.end_set(self._history.index_of(event.start_ns)))
                self._events.extend(self._ledger.count(event))
                self._tell(event.decided_ns, self._session.note_top(self._history, event.close_ns))
            elif isinstance(event, Withdrawn):
                self._events.extend(self._ledger.withdraw(event))
            elif isinstance(event, Aborted) and event.reason is not AbortReason.TOO_SHORT:
                # Steps and fidgeting come in hundreds; a lowering broken off takes time.
                self._events.append(RepetitionAborted(self._ledger.set_number, event))
            elif isinstance(event, SetBoundary):
                self._events.extend(self._ledger.end_set(self._history.index_of(event.time_ns) + 1))

    # --- learning how the sensors sit --------------------------------------------------------

    def _learn(self, index: int) -> None:
        candidate, self._to_learn = self._to_learn, None
        if candidate is None or not self._session.wants_movement:
            return
        start = self._history.index_of(candidate.start_ns) - round(2.0 * self._history.sampling_rate_hz)
        window = self._history.window(start, index)
        if window is None:
            return
        before = dict(self._session.calibrations)
        window = remeasured(window, self._parameters.orientation)
        if not may_be_learnt_from(candidate, window, self._session.poses, self._counter_parameters.gate):
            return
        changed = self._session.learn(window, candidate.start_ns, candidate.close_ns)
        self._goniometer = self._session.goniometer()
        self._trigger = None
        self._tell(self._history.time_ns(index), changed)
        if self._rotation is not None and (newest := self._history.window(index - 1, index)) is not None:
            pelvis = Placement.PELVIS
            self._rotation = self._rotation.carried_over(
                before.get(pelvis), self._session.calibrations.get(pelvis), newest.segments[pelvis]
            )
        if self._counter is None or self._session.is_turned_round(before.values()):
            self._count_again(index)

    def _count_again(self, index: int) -> None:
        """Go through what is kept with the new calibration: until now forward was not known, or wrong."""
        self._latch, self._counter = self._new_latch(), self._new_counter()
        for order in self._early_ends:
            self._orders.add(order)
        self._early_ends = []
        goniometer = self._goniometer = self._session.goniometer()
        rotation: RotationReference | None = None
        for run in self._history.runs(index):
            columns, rotation = goniometer.read(*run.columns(), rotation)
            supine = self._latch.is_supine(columns, run.sampling_rate_hz)
            angles = AngleBlock.of_columns(
                run.time_ns(run.first_index), run.sampling_rate_hz, run.gap_before_s, columns, supine
            )
            self._handle(self._counter.push(with_thigh_stood_in(angles)))
        self._events.extend(self._ledger.finish(index))

    def _next_join(self, index: int) -> int:
        """Grid point after ``index`` at which sensors that came late are looked at."""
        if len(self._session.poses) == len(self._feed):
            return sys.maxsize
        every = self._step * max(
            1, round(self._parameters.calibration.still.step_s * self._history.sampling_rate_hz / self._step)
        )
        return (index // every + 1) * every

    def _let_join(self, index: int) -> None:
        """Calibrate sensors that were put on, or found, after the others."""
        if self._next_join(index - 1) != index:
            return
        length = round(self._parameters.calibration.still.window_s * self._history.sampling_rate_hz)
        window = self._history.window(index - length, index)
        if window is None or len(window) < length:
            return
        joined = self._session.join(window)
        if joined:
            self._goniometer = self._session.goniometer()
            self._tell(self._history.time_ns(index), joined)
            if self._counter is not None and self._session.is_forward_known:
                self._counter = self._new_counter()
            self._trigger = MotionTrigger(self._session.poses, self._counter_parameters)

    def _tell(self, time_ns: int, calibrations: Iterable[SegmentCalibration]) -> None:
        driver = Driver.worn(self._session.poses)
        counts_nothing = driver.angle is DrivingAngle.THIGH_FLEXION and self._setup.prescription is None
        told = (NOTHING_ASKED,) if counts_nothing and not self._session.is_supine else ()
        self._events.extend(
            CalibrationEvent(time_ns, replace(c, warnings=(*c.warnings, *told))) for c in calibrations
        )


__all__ = ["AthleteSetup", "MotionPipeline", "PipelineParameters"]
