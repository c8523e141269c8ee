"""What the pipeline knows of the athlete, and how it goes over samples that lie side by side."""

from __future__ import annotations

import sys
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING

from analytics.angle_block import AngleBlock
from analytics.drive_events import DrivePhase
from analytics.driving import DrivingAngle, with_thigh_stood_in
from analytics.exercises import Exercise
from analytics.hip_rise import may_be_learnt_from
from analytics.imu import NANOSECONDS_PER_SECOND, Placement
from analytics.motion_trigger import MotionTrigger
from analytics.orders import OrderQueue, Prescribed, SetEnds, ZeroAnew
from analytics.pipeline_output import (
    CalibrationEvent,
    LiveState,
    PipelineEvent,
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
from analytics.uncounted import UncountedMovements
from analytics.walkout import counting_walkouts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analytics.alignment import Stretch
    from analytics.angles import Goniometer, RotationReference
    from analytics.calibration import SegmentCalibration
    from analytics.counter_parameters import CounterParameters
    from analytics.history import AlignedHistory
    from analytics.orders import Order
    from analytics.prescription import Prescription
    from analytics.repetition_figures import Repetition


class Measuring:
    """Goes over the history: zero first, then angles, repetitions and sets.

    Parameters
    ----------
    setup
        Who wears what, and what was asked.
    parameters
        Settings.
    history
        The recent past of all sensors.
    orders
        What was ordered and waits.

    Attributes
    ----------
    session
        How the sensors sit, as far as it is known by now.
    """

    def __init__(
        self,
        setup: AthleteSetup,
        parameters: PipelineParameters,
        history: AlignedHistory,
        orders: OrderQueue,
    ) -> None:
        self._setup = setup
        self._parameters = parameters
        self._history = history
        self._orders = orders
        self.session = calibration_session(setup, parameters)
        self._early_ends: list[SetEnds] = []
        self._held: list[Stretch] = []
        self._step = 1
        self._ledger = RepetitionLedger(self._new_meter(), setup.prescription, parameters.sets)
        self._trigger: MotionTrigger | None = None
        self._counter: RepetitionCounter | None = None
        self._latch: PostureLatch | None = None
        self._goniometer: Goniometer | None = None
        self._rotation: RotationReference | None = None
        self._to_learn: Candidate | None = None
        self._uncounted = UncountedMovements()
        self._angles: list[AngleBlock] = []
        self._events: list[PipelineEvent] = []

    def finish(self) -> None:
        """End of the recording: measure what is left, and end the set."""
        if not self.session.is_started and self._held:
            self._search(is_last=True)
        if self.session.is_started:
            self._events.extend(self._ledger.end_set(self._history.end_index))

    def measure_missed(self, at_ns: int) -> Repetition | None:
        """Measure the movement about this moment that was not counted; None: there is none, or it is gone."""
        candidate = self._uncounted.near(at_ns)
        return None if candidate is None else self._ledger.measure_apart(candidate, self._history.end_index)

    def gathered(self) -> tuple[tuple[AngleBlock, ...], tuple[PipelineEvent, ...]]:
        """Return the angles and events since the last time."""
        angles, self._angles = tuple(self._angles), []
        events, self._events = tuple(self._events), []
        return angles, events

    def live_state(self, newest_ns: int) -> LiveState:
        """Tell what to show now; `newest_ns` is the end of the newest samples that came."""
        counter = self._counter
        seen = counter or self._trigger
        if self.session.is_started:
            newest_ns = self._history.time_ns(self._history.end_index - 1)
        onset_ns, depth = (counter.eccentric_start_ns, counter.depth_fraction) if counter else (None, None)
        return LiveState(
            time_ns=newest_ns,
            phase=Phase.CALIBRATING if seen is None else seen.phase,
            posture=Posture.UNKNOWN if self._latch is None else self._latch.posture,
            set_number=self._ledger.set_number,
            repetition_count=self._ledger.repetition_count,
            eccentric_start_ns=onset_ns,
            depth_fraction=depth,
            count=self._ledger.live_count(onset_ns, newest_ns, depth),
        )

    # --- what is ordered ---------------------------------------------------------------------

    def obey(self, order: Order, index: int, *, is_patient: bool = True) -> None:
        """Do what was ordered, before the sample at a grid point; unless patient whatever is under way."""
        match order:
            case SetEnds():
                self._end_set(order, index, is_patient=is_patient)
            case Prescribed(prescription=prescription):
                self._ask(prescription, index)
            case ZeroAnew():
                self._events.extend(self._ledger.end_set(index))
                self.session = calibration_session(replace(self._setup, wearing=None), self._parameters)
                self._ledger.measure_with(self._new_meter())
                self._trigger = self._counter = self._latch = None
                self._goniometer = self._rotation = self._to_learn = None
                self._held = []
                self._history.forget_before(index)

    def _end_set(self, order: SetEnds, index: int, *, is_patient: bool) -> None:
        """End the set; one whose last repetition is past its turn may still finish that."""
        if self._counter is not None:
            phases = phases_of(supine=self._counter.is_supine)
            returning = {phases[DrivePhase.HOLD], phases[DrivePhase.BACK]}
            is_past_turn = is_patient and self._counter.phase in returning
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
        self.session.expect(lying, one_leg_declared=one_leg)
        if was_walkout is not self._is_walkout:
            self._events.extend(self._ledger.end_set(index))
            self._ledger.measure_with(self._new_meter())
            self._counter = self._counter and self._new_counter()
        if self._counter is not None:
            self._counter.is_asked = self._asked is not None

    @property
    def _is_walkout(self) -> bool:
        return self._asked is Exercise.GLUTE_BRIDGE_WALKOUT

    @property
    def _asked(self) -> Exercise | None:
        return None if self._setup.prescription is None else self._setup.prescription.exercise

    # --- before zero is known ----------------------------------------------------------------

    def take(self, stretch: Stretch) -> None:
        """Measure grid points that became complete."""
        if self.session.is_started:
            self._advance(stretch)
            return
        self._held.append(stretch)
        self._search()

    def _search(self, *, is_last: bool = False) -> None:
        history = self._history
        first_index, end_index = self._held[0].first_index, self._held[-1].end_index
        if not self.session.search(history, first_index, end_index, is_last=is_last):
            return
        self._latch = self._new_latch()
        if self.session.wants_movement:
            self._trigger = MotionTrigger(self.session.poses, self._counter_parameters)
        self._goniometer = self.session.goniometer()
        if self.session.is_forward_known:
            self._counter = self._new_counter()
        self._step = max(1, round(self._parameters.step_s * history.sampling_rate_hz))
        held, self._held = self._held, []
        self._tell(history.time_ns(first_index), self.session.calibrations.values())
        for stretch in held:
            self._advance(stretch)

    def _new_latch(self) -> PostureLatch:
        return PostureLatch(
            Posture.SUPINE if self.session.is_supine else Posture.STANDING, self._parameters.posture
        )

    def _new_counter(self) -> RepetitionCounter:
        driver = Driver.worn(self.session.poses, is_walkout=self._is_walkout)
        return RepetitionCounter(
            driver, self._counter_parameters, hinge_axis_is_known=True, is_asked=self._asked is not None
        )

    def _new_meter(self) -> RepetitionMeter:
        p = self._parameters
        return RepetitionMeter(
            self.session, self._history, p.orientation, p.meter, is_walkout=self._is_walkout
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
        found: Candidate | None = None
        if self._trigger is not None:
            stop, found = self._trigger.watch(self._history, at, stop, self._next_step)
        # Only where movement is still wanted is anything learnt, and gone over again from there on.
        latch = copy(self._latch) if self.session.wants_movement else self._latch
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
            self._uncounted.note(event, is_supine=self._counter is not None and self._counter.is_supine)
            if isinstance(event, Candidate):
                if self.session.wants_movement:
                    self._to_learn = self._to_learn or event
                if self._orders.set_ends_before(event.bottom_ns):
                    self._events.extend(self._ledger.end_set(self._history.index_of(event.start_ns)))
                self._events.extend(self._ledger.count(event))
                self._tell(event.decided_ns, self.session.note_top(self._history, event.close_ns))
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
        if candidate is None or not self.session.wants_movement:
            return
        start = self._history.index_of(candidate.start_ns) - round(2.0 * self._history.sampling_rate_hz)
        window = self._history.window(start, index)
        if window is None:
            return
        before = dict(self.session.calibrations)
        window = remeasured(window, self._parameters.orientation)
        if not may_be_learnt_from(candidate, window, self.session.poses, self._counter_parameters.gate):
            return
        changed = self.session.learn(window, candidate.start_ns, candidate.close_ns)
        self._goniometer = self.session.goniometer()
        self._trigger = None
        self._tell(self._history.time_ns(index), changed)
        if self._rotation is not None and (newest := self._history.window(index - 1, index)) is not None:
            pelvis = Placement.PELVIS
            self._rotation = self._rotation.carried_over(
                before.get(pelvis), self.session.calibrations.get(pelvis), newest.segments[pelvis]
            )
        if self._counter is None or self.session.is_turned_round(before.values()):
            self._count_again(index)

    def _count_again(self, index: int) -> None:
        """Go through what is kept with the new calibration: until now forward was not known, or wrong."""
        self._latch, self._counter = self._new_latch(), self._new_counter()
        for order in self._early_ends:
            self._orders.add(order)
        self._early_ends = []
        goniometer = self._goniometer = self.session.goniometer()
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
        if len(self.session.poses) == len(self._setup.mounts):
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
        joined = self.session.join(window)
        if joined:
            self._goniometer = self.session.goniometer()
            self._tell(self._history.time_ns(index), joined)
            if self._counter is not None and self.session.is_forward_known:
                self._counter = self._new_counter()
            self._trigger = MotionTrigger(self.session.poses, self._counter_parameters)

    def _tell(self, time_ns: int, calibrations: Iterable[SegmentCalibration]) -> None:
        is_thigh_alone = Driver.worn(self.session.poses).angle is DrivingAngle.THIGH_FLEXION
        counts_little = is_thigh_alone and self._asked is None and not self.session.is_supine
        told = (NOTHING_ASKED,) if counts_little else ()
        self._events.extend(
            CalibrationEvent(time_ns, replace(c, warnings=(*c.warnings, *told))) for c in calibrations
        )
