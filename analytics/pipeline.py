"""All stages in one: samples in, angles and events out. Live, replay and batch run exactly this."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from analytics.alignment import AlignedBlock, AlignmentParameters, PlacementAlignment
from analytics.angles import AngleBlock, RotationReference, angles_of, heading_rad
from analytics.calibration_session import CalibrationParameters, CalibrationSession
from analytics.exercises import Exercise, ExerciseFamily
from analytics.history import AlignedHistory
from analytics.imu import ImuBlock, Mount, Placement
from analytics.motion_trigger import MotionTrigger
from analytics.orientation import OrientationParameters, OrientationStage
from analytics.pipeline_output import (
    CalibrationEvent,
    LiveState,
    PipelineEvent,
    PipelineOutput,
    RepetitionAborted,
)
from analytics.posture import Posture, PostureLatch, PostureParameters
from analytics.remeasurement import remeasured
from analytics.repetition_ledger import RepetitionLedger
from analytics.repetition_meter import MeterParameters, RepetitionMeter
from analytics.repetitions import (
    Aborted,
    Candidate,
    CounterEvent,
    CounterParameters,
    Driver,
    Phase,
    RepetitionCounter,
    SetBoundary,
    Withdrawn,
)
from analytics.sets import SetParameters
from analytics.turning_points import AbortReason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from analytics.calibration import SegmentCalibration
    from analytics.prescription import Prescription


# Longer than any search for stillness takes; a push may bring a whole recording at once.
_HELD_S = 86_400.0


@dataclass(frozen=True, slots=True)
class AthleteSetup:
    """Who wears what, and what was asked.

    Parameters
    ----------
    mounts
        Mount of each worn sensor; placements that are not named are not worn.
    prescription
        What was asked, if anything.

    Raises
    ------
    ValueError
        No sensor at all.
    """

    mounts: Mapping[Placement, Mount]
    prescription: Prescription | None = None

    def __post_init__(self) -> None:
        if not self.mounts:
            raise ValueError("no sensor is worn: name at least one placement")


@dataclass(frozen=True, slots=True)
class PipelineParameters:
    """Settings of all stages.

    Parameters
    ----------
    orientation, alignment, calibration, posture, counter, meter, sets
        Settings of the stages.
    history_s
        Samples kept for measuring again; a repetition cannot be longer.
    step_s
        Distance of the moments at which a new calibration may begin to hold.
    """

    orientation: OrientationParameters = field(default_factory=OrientationParameters)
    alignment: AlignmentParameters = field(default_factory=AlignmentParameters)
    calibration: CalibrationParameters = field(default_factory=CalibrationParameters)
    posture: PostureParameters = field(default_factory=PostureParameters)
    counter: CounterParameters = field(default_factory=CounterParameters)
    meter: MeterParameters = field(default_factory=MeterParameters)
    sets: SetParameters = field(default_factory=SetParameters)
    history_s: float = 90.0
    step_s: float = 0.1


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
        self._parameters = parameters or PipelineParameters()
        p = self._parameters
        mounts = {placement: setup.mounts[placement] for placement in Placement if placement in setup.mounts}
        asked = setup.prescription.exercise if setup.prescription is not None else None
        self._orientation = {placement: OrientationStage(placement, p.orientation) for placement in mounts}
        self._alignment = PlacementAlignment(mounts, p.alignment)
        self._session = CalibrationSession(
            mounts,
            lying_expected=None if asked is None else asked.family is ExerciseFamily.BRIDGE,
            one_leg_declared=asked is Exercise.SINGLE_LEG_DEADLIFT,
            parameters=p.calibration,
            orientation=p.orientation,
        )
        self._held = AlignedHistory(_HELD_S)
        self._held_from: int | None = None
        self._history = AlignedHistory(p.history_s)
        meter = RepetitionMeter(self._session, self._history, p.orientation, p.meter)
        self._ledger = RepetitionLedger(meter, setup.prescription, p.sets)
        self._trigger: MotionTrigger | None = None
        self._counter: RepetitionCounter | None = None
        self._latch = PostureLatch(Posture.UNKNOWN, p.posture)
        self._rotation: RotationReference | None = None
        self._to_learn: Candidate | None = None
        self._angles: list[AngleBlock] = []
        self._events: list[PipelineEvent] = []

    @property
    def late_samples(self) -> Mapping[Placement, int]:
        """Samples that came too late to be used, by placement."""
        return self._alignment.late_samples

    @property
    def calibrations(self) -> Mapping[Placement, SegmentCalibration]:
        """How the sensors sit, as far as it is known by now."""
        return self._session.calibrations

    def push(self, block: ImuBlock) -> PipelineOutput:
        """Take the next samples of one sensor.

        Raises
        ------
        ValueError
            The block's placement is not worn.
        MixedSamplingRates, BlockOutOfOrder
            The blocks are not on one grid, or not in order.
        """
        if block.placement not in self._orientation:
            raise ValueError(f"{block.placement} is not worn by this athlete: name it in the setup")
        if len(block) == 0:
            return PipelineOutput()
        self._alignment.note_input(block.placement, block.start_time_ns, block.time_ns(len(block)))
        for oriented in self._orientation[block.placement].push(block):
            self._alignment.push(oriented)
        for aligned in self._alignment.pop():
            self._take(aligned)
        return self._output()

    def flush(self) -> PipelineOutput:
        """End of the recording: say everything that is left to say."""
        for stage in self._orientation.values():
            for oriented in stage.flush():
                self._alignment.push(oriented)
        for aligned in self._alignment.flush():
            self._take(aligned)
        if not self._session.is_started and self._held:
            self._search(is_last=True)
        if self._history:
            self._events.extend(self._ledger.end_set(self._history.end_index))
        return self._output()

    def _output(self) -> PipelineOutput:
        angles, self._angles = tuple(self._angles), []
        events, self._events = tuple(self._events), []
        return PipelineOutput(angles, events, self._live())

    def _live(self) -> LiveState | None:
        newest_ns = self._alignment.newest_input_ns
        if newest_ns is None:
            return None
        counter = self._counter
        phase = Phase.CALIBRATING
        if counter is not None:
            phase = counter.phase
        elif self._trigger is not None:
            phase = self._trigger.phase
        return LiveState(
            time_ns=self._history.time_ns(self._history.end_index - 1) if self._history else newest_ns,
            phase=phase,
            posture=self._latch.posture,
            set_number=self._ledger.set_number,
            repetition_count=self._ledger.repetition_count,
            eccentric_start_ns=counter.eccentric_start_ns if counter is not None else None,
            depth_fraction=counter.depth_fraction if counter is not None else None,
        )

    # --- before zero is known ----------------------------------------------------------------

    def _take(self, block: AlignedBlock) -> None:
        if self._session.is_started:
            self._advance(block)
            return
        if self._held_from is None:
            self._held_from = block.first_index
        self._held.append(block)
        self._search()

    def _search(self, *, is_last: bool = False) -> None:
        assert self._held_from is not None
        if not self._session.search(self._held, self._held_from, self._held.end_index, is_last=is_last):
            return
        self._latch = self._new_latch()
        self._trigger = MotionTrigger(self._session.poses, self._parameters.counter)
        if self._session.is_forward_known:
            self._counter = self._new_counter()
        held, self._held = self._held, AlignedHistory(0.0)
        runs = list(held.runs())
        self._tell(runs[0].time_ns(runs[0].first_index), self._session.calibrations.values())
        for run in runs:
            self._advance(run)

    def _new_latch(self) -> PostureLatch:
        return PostureLatch(
            Posture.SUPINE if self._session.is_supine else Posture.STANDING, self._parameters.posture
        )

    def _new_counter(self) -> RepetitionCounter:
        driver = Driver.worn(self._session.poses)
        return RepetitionCounter(driver, self._parameters.counter, hinge_axis_is_known=True)

    # --- sample by sample --------------------------------------------------------------------

    def _advance(self, block: AlignedBlock) -> None:
        """Work through a block in steps that end at the same grid points however it was cut."""
        at = block.first_index
        step = max(1, round(self._parameters.step_s * block.sampling_rate_hz))
        while at < block.end_index:
            stop = min(block.end_index, (at // step + 1) * step)
            due = self._ledger.next_due_index
            if due is not None and at < due < stop:
                stop = due
            self._measure(block.cut(at, stop))
            at = stop
            self._events.extend(self._ledger.finish(at))
            if at % step == 0:
                self._learn(at)
                self._let_join(at, step)

    def _measure(self, piece: AlignedBlock) -> None:
        self._history.append(piece)
        angles = self._live_angles(piece)
        self._angles.append(angles)
        if self._trigger is not None:
            for candidate in self._trigger.push(piece):
                self._to_learn = self._to_learn or candidate
        if self._counter is not None:
            self._handle(self._counter.push(_for_counting(angles)))

    def _live_angles(self, piece: AlignedBlock) -> AngleBlock:
        if self._rotation is None:
            self._rotation = self._rotation_reference(piece)
        nobody = np.zeros(len(piece), dtype=np.bool_)
        angles, self._rotation = angles_of(
            piece, self._session.calibrations, is_supine=nobody, rotation=self._rotation
        )
        return _with_posture(angles, self._latch)

    def _rotation_reference(self, piece: AlignedBlock) -> RotationReference | None:
        calibration = self._session.calibrations.get(Placement.PELVIS)
        if calibration is None or not calibration.is_yaw_known:
            return None
        headings = heading_rad(piece.segments[Placement.PELVIS], calibration)
        known = headings[np.isfinite(headings)]
        return RotationReference(float(known[0]), float(known[0])) if len(known) else None

    def _handle(self, events: Iterable[CounterEvent]) -> None:
        for event in events:
            if isinstance(event, Candidate):
                if self._session.wants_movement:
                    self._to_learn = self._to_learn or event
                self._events.extend(self._ledger.count(event))
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
        changed = self._session.learn(window, candidate.start_ns, candidate.close_ns)
        self._trigger = None
        self._tell(self._history.time_ns(index), changed)
        self._turn_rotation(before)
        if self._counter is None or self._session.is_turned_round(before.values()):
            self._count_again(index)

    def _turn_rotation(self, before: Mapping[Placement, SegmentCalibration]) -> None:
        """Keep rotation continuous where the calibration of the pelvis has changed."""
        old, new = before.get(Placement.PELVIS), self._session.calibrations.get(Placement.PELVIS)
        if self._rotation is None or old is None or new is None or old == new:
            return
        last = self._history.newest(Placement.PELVIS)
        shift = float(heading_rad(last, new)[0] - heading_rad(last, old)[0])
        if np.isfinite(shift):
            self._rotation = self._rotation.moved_to(self._rotation.zero_rad + shift)

    def _count_again(self, index: int) -> None:
        """Go through what is kept with the new calibration: until now forward was not known, or wrong."""
        self._latch = self._new_latch()
        self._counter = self._new_counter()
        rotation: RotationReference | None = None
        for run in self._history.runs():
            nobody = np.zeros(len(run), dtype=np.bool_)
            angles, rotation = angles_of(run, self._session.calibrations, is_supine=nobody, rotation=rotation)
            self._handle(self._counter.push(_for_counting(_with_posture(angles, self._latch))))
        self._events.extend(self._ledger.finish(index))

    def _let_join(self, index: int, step: int) -> None:
        """Calibrate sensors that were put on, or found, after the others."""
        if len(self._session.poses) == len(self._orientation):
            return
        still = self._parameters.calibration.still
        rate = self._history.sampling_rate_hz
        if index % (step * max(1, round(still.step_s * rate / step))) != 0:
            return
        length = round(still.window_s * rate)
        window = self._history.window(index - length, index)
        if window is None or len(window) < length:
            return
        joined = self._session.join(window)
        if joined:
            self._tell(self._history.time_ns(index), joined)
            if self._counter is not None and self._session.is_forward_known:
                self._counter = self._new_counter()
            self._trigger = MotionTrigger(self._session.poses, self._parameters.counter)

    def _tell(self, time_ns: int, calibrations: Iterable[SegmentCalibration]) -> None:
        self._events.extend(CalibrationEvent(time_ns, calibration) for calibration in calibrations)


def _with_posture(angles: AngleBlock, latch: PostureLatch) -> AngleBlock:
    left, right = angles.thigh_flexion_left_deg, angles.thigh_flexion_right_deg
    thigh = np.where(np.isnan(left), right, np.where(np.isnan(right), left, 0.5 * (left + right)))
    postures = latch.push(angles.pelvic_tilt_deg, thigh, angles.gyr_segment_rad_s, angles.sampling_rate_hz)
    supine = np.array([posture is Posture.SUPINE for posture in postures], dtype=np.bool_)
    return replace(angles, is_supine=supine)


def _for_counting(angles: AngleBlock) -> AngleBlock:
    """Let the other thigh stand in for one that is lost: the count shall go on."""
    left_is_lost = bool(np.isnan(angles.thigh_flexion_left_deg).all())
    right_is_lost = bool(np.isnan(angles.thigh_flexion_right_deg).all())
    if left_is_lost == right_is_lost:
        return angles
    if left_is_lost:
        return replace(
            angles,
            thigh_flexion_left_deg=angles.thigh_flexion_right_deg,
            hip_flexion_left_deg=angles.hip_flexion_right_deg,
        )
    return replace(
        angles,
        thigh_flexion_right_deg=angles.thigh_flexion_left_deg,
        hip_flexion_right_deg=angles.hip_flexion_left_deg,
    )
