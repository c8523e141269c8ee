"""Repetitions as they happen: from angle blocks to candidates, aborted lowerings and live phases."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from analytics.candidate_gate import CandidateGate, between
from analytics.counter_parameters import CounterParameters
from analytics.drive_events import AbortReason, BrokenOff, Cycle, DriveChange, DrivePhase
from analytics.driving import Driver, DrivingAngle
from analytics.imu import NANOSECONDS_PER_SECOND
from analytics.repetition_events import (
    Aborted,
    BoundaryReason,
    Candidate,
    CounterEvent,
    LivePhaseChange,
    Phase,
    Rejected,
    SetBoundary,
    Withdrawn,
    phases_of,
)
from analytics.thigh_alone import judged_alone
from analytics.turning_points import TurningPointMachine

if TYPE_CHECKING:
    from analytics.angles import AngleBlock
    from analytics.candidate_gate import Row
    from analytics.gate import Verdict
    from analytics.imu import FloatArray


# A movement that starts this soon after a hole began in it.
_CUT_NS = 100_000_000
# So many repetitions at the start of a set may still turn out to be lowerings broken off.
_LEADING = 2


class RepetitionCounter:
    """Count repetitions in a stream of angle blocks. Any chunking gives the same events.

    Parameters
    ----------
    driver
        The driving angle that the worn sensors allow.
    parameters
        See `CounterParameters`.
    hinge_axis_is_known
        Whether the segment frame's turn about the vertical is calibrated (or declared). May be set
        later; until then the gate takes the candidate's own main axis.
    is_asked
        Whether an exercise was asked for: without one a thigh alone counts nothing standing, see
        `analytics.thigh_alone`.
    """

    def __init__(
        self,
        driver: Driver,
        parameters: CounterParameters | None = None,
        *,
        hinge_axis_is_known: bool = False,
        is_asked: bool = True,
    ) -> None:
        from analytics import counting_steps  # noqa: PLC0415 - numba takes half a second

        self._steps = counting_steps
        self._place = np.zeros(1, dtype=counting_steps.PLACE)
        self._last_ns, self._filled = self._place["last_ns"], self._place["rows"]
        self.parameters = parameters if parameters is not None else CounterParameters()
        self.driver = driver
        self.hinge_axis_is_known = hinge_axis_is_known
        self.is_asked = is_asked
        self.phase = Phase.UNKNOWN
        self.eccentric_start_ns: int | None = None
        self._machine: TurningPointMachine | None = None
        self._rate_hz = 0.0
        self._hole_from_ns = 0.0
        self._gate: CandidateGate | None = None
        self._resumed_ns: int | None = None
        self._last_row: Row = (0.0, 0.0, 0.0, 0.0, 0.0)
        self._is_supine: bool | None = None
        self._other_posture_since_ns: int | None = None
        self._leading: list[Candidate] = []
        self._counted = 0
        self._events: list[CounterEvent] = []

    @property
    def is_supine(self) -> bool:
        """The latched posture."""
        return bool(self._is_supine)

    @property
    def depth_fraction(self) -> float | None:
        """Depth now as a part of this set's typical amplitude, 0 to 1; ``None`` before the first."""
        if self._machine is None or not self._machine.typical_amplitude_deg > 0:
            return None
        return min(1.0, max(0.0, self._machine.displacement_deg / self._machine.typical_amplitude_deg))

    def start_set(self) -> None:
        """Begin another set: nothing is known of its repetitions, and the first is provisional again."""
        if self._machine is not None:
            self._machine.forget_amplitudes()
        self._leading = []
        self._counted = 0

    # --- streaming ---------------------------------------------------------------------------

    def push(self, block: AngleBlock) -> list[CounterEvent]:
        """Take the next block; return what happened in it, in the order of decision.

        Parameters
        ----------
        block
            Angles that follow the previous block; holes are seen from the times, NaN is a hole.

        Raises
        ------
        ValueError
            The sampling rate changed.
        """
        done, events = 0, []
        while done < len(block):
            said, done = self.advance(block, done, len(block))
            events += said
        return events

    def advance(self, block: AngleBlock, first: int, end: int) -> tuple[list[CounterEvent], int]:
        """Take samples of a block up to the first that tells more than a live phase.

        Parameters
        ----------
        block
            As for :meth:`push`.
        first, end
            First sample to take, and the one after the last that may be taken.

        Returns
        -------
        What happened, and the sample to go on with.

        Raises
        ------
        ValueError
            The sampling rate changed.
        """
        machine, gate = self._begin(block.sampling_rate_hz)
        angles = self.driver.angle_deg(block)
        at = first
        while at < end:
            at = self._take_alike(machine, gate, block, angles, at, end)
            if machine.events:
                self._translate(machine, self._last_ns.item())
            elif at < end:
                self._take(machine, gate, block, angles, at)
                at += 1
            if self._events and not all(isinstance(event, LivePhaseChange) for event in self._events):
                break
        events, self._events = self._events, []
        return events, at

    def _take_alike(
        self,
        machine: TurningPointMachine,
        gate: CandidateGate,
        block: AngleBlock,
        angles: FloatArray,
        first: int,
        end: int,
    ) -> int:
        """Take samples that follow one another in one posture; return the one to go on with."""
        if self._is_supine is None:
            return first
        rows = gate.room_for(end - first)
        before = self._filled[0] = gate.filled
        taken = self._steps.advance(
            *machine.records,
            self._place,
            rows,
            block.start_time_ns,
            self._rate_hz,
            self._hole_from_ns,
            angles,
            block.acc_norm_m_s2,
            block.gyr_segment_rad_s,
            block.is_supine,
            block.is_measured,
            first,
            end,
            self._is_supine,
        )
        gate.filled = self._filled.item()
        if gate.filled > before:
            self._last_row = gate.newest
            self._other_posture_since_ns = None
            machine.read_events()
        return taken

    def _begin(self, sampling_rate_hz: float) -> tuple[TurningPointMachine, CandidateGate]:
        if self._machine is None or self._gate is None:
            self._rate_hz = sampling_rate_hz
            self._hole_from_ns = 1.5 * NANOSECONDS_PER_SECOND / sampling_rate_hz
            turning_points = replace(
                self.parameters.turning_points,
                minimum_amplitude_deg=self.parameters.minimum_amplitude_deg
                or self.driver.minimum_amplitude_deg,
            )
            self._machine = TurningPointMachine(turning_points, self._rate_hz)
            self._gate = CandidateGate(
                self.parameters.gate, self.parameters.lying_gate, self._rate_hz, self.parameters.history_s
            )
        elif sampling_rate_hz != self._rate_hz:
            raise ValueError(f"the sampling rate changed from {self._rate_hz:g} to {sampling_rate_hz:g} Hz")
        return self._machine, self._gate

    def _take(
        self,
        machine: TurningPointMachine,
        gate: CandidateGate,
        block: AngleBlock,
        angles: FloatArray,
        index: int,
    ) -> None:
        """Take one sample, whatever lies before it."""
        if not np.isfinite(angles[index]):
            return
        time_ns, supine = block.time_ns(index), bool(block.is_supine[index])
        if not block.is_measured[index]:
            machine.note_bridged(time_ns)
        x, y, z = block.gyr_segment_rad_s[index].tolist()
        row: Row = (float(angles[index]), float(block.acc_norm_m_s2[index]), x, y, z)
        is_first, last_ns = self._is_supine is None, self._last_ns.item()
        if is_first:
            self._is_supine = supine
        if self._is_supine:
            row = (-row[0], *row[1:])
        if is_first:
            machine.restart(time_ns, row[0], AbortReason.UNMEASURED)
            self._set_phase(phases_of(supine=self.is_supine)[DrivePhase.REST], time_ns, time_ns)
        elif time_ns - last_ns >= self._hole_from_ns:
            self._cross_hole(machine, gate, last_ns, time_ns, row)
        self._step(machine, gate, time_ns, row)
        self._last_ns[0], self._last_row = time_ns, row
        if supine is self._is_supine:
            self._other_posture_since_ns = None
        else:
            self._watch_posture(machine, time_ns, row, supine=supine)

    def _cross_hole(
        self, machine: TurningPointMachine, gate: CandidateGate, last_ns: int, time_ns: int, row: Row
    ) -> None:
        missing = round((time_ns - last_ns) * self._rate_hz / NANOSECONDS_PER_SECOND) - 1
        if missing > self.parameters.bridge_gap_s * self._rate_hz:
            gate.clear()
            self._resumed_ns = time_ns
            rest_ns = self.parameters.turning_points.set_rest_s * NANOSECONDS_PER_SECOND
            if time_ns - last_ns >= rest_ns:
                machine.restart(time_ns, row[0], AbortReason.UNMEASURED)
                return
            machine.resume(time_ns, row[0])
            if self._counted:
                # What was lost in the hole may have been a repetition: it was no rest.
                machine.mark_counted(time_ns)
            return
        for step in range(1, missing + 1):
            share = step / (missing + 1)
            between_ns = last_ns + round(share * (time_ns - last_ns))
            machine.note_bridged(between_ns)
            self._step(machine, gate, between_ns, between(self._last_row, row, share))

    def _step(self, machine: TurningPointMachine, gate: CandidateGate, time_ns: int, row: Row) -> None:
        gate.append(row)
        machine.step(time_ns, row[0])
        if machine.events:
            self._translate(machine, time_ns)

    def _watch_posture(self, machine: TurningPointMachine, time_ns: int, row: Row, *, supine: bool) -> None:
        if self._other_posture_since_ns is None:
            self._other_posture_since_ns = time_ns
        if time_ns - self._other_posture_since_ns < self.parameters.posture_s * NANOSECONDS_PER_SECOND:
            return
        # Latched: a deep bend that looks like lying must not turn the drive around.
        machine.restart(time_ns, -row[0], AbortReason.POSTURE_CHANGED)
        self._translate(machine, time_ns)
        self._is_supine = supine
        self._other_posture_since_ns = None
        self._last_row = (-row[0], *row[1:])
        if self._gate is not None:
            self._gate.clear()
        self.start_set()
        self._events.append(SetBoundary(time_ns, BoundaryReason.POSTURE_CHANGED))
        self._set_phase(phases_of(supine=supine)[DrivePhase.REST], time_ns, time_ns)

    # --- from the machine's words to the athlete's -------------------------------------------

    def _translate(self, machine: TurningPointMachine, now_ns: int) -> None:
        events, machine.events = machine.events, []
        for event in events:
            if isinstance(event, Cycle):
                self._count(machine, event, now_ns)
            elif isinstance(event, BrokenOff):
                self._break_off(machine, event, now_ns)
            elif isinstance(event, DriveChange):
                phase = phases_of(supine=self.is_supine)[event.phase]
                self._set_phase(phase, event.time_ns, event.decided_ns, false_start=event.is_false_start)
            else:
                self.start_set()
                self._events.append(SetBoundary(event.time_ns, BoundaryReason.RESTED))
                self._set_phase(Phase.REST, event.time_ns, event.time_ns)

    def _set_phase(self, phase: Phase, time_ns: int, decided_ns: int, *, false_start: bool = False) -> None:
        self.phase = phase
        is_start_seen = self._resumed_ns is None or time_ns - self._resumed_ns > _CUT_NS
        self.eccentric_start_ns = time_ns if phase is Phase.ECCENTRIC and is_start_seen else None
        self._events.append(LivePhaseChange(phase, time_ns, decided_ns, false_start))

    def _count(self, machine: TurningPointMachine, cycle: Cycle, now_ns: int) -> None:
        candidate = Candidate(
            start_ns=cycle.start_ns,
            bottom_ns=cycle.turn_ns,
            close_ns=cycle.close_ns,
            decided_ns=cycle.decided_ns,
            amplitude_deg=cycle.amplitude_deg,
            lockout_deg=-cycle.baseline_deg if self._is_supine else cycle.baseline_deg,
            closed_by=cycle.reason,
            is_provisional=self._counted == 0,
            is_supine=self.is_supine,
            verdict=self._judge(cycle.start_ns, cycle.close_ns, now_ns, cycle.amplitude_deg),
        )
        if candidate.verdict is not None and not candidate.verdict.is_repetition:
            self._events.append(Rejected(candidate))
            return
        if self._counted == len(self._leading):
            self._withdraw_smaller(machine, candidate)
        candidate = replace(candidate, is_provisional=self._counted == 0)
        if self._counted < _LEADING:
            self._leading.append(candidate)
        self._counted += 1
        machine.accept(cycle.amplitude_deg)
        machine.mark_counted(cycle.close_ns)
        self._events.append(candidate)

    def _withdraw_smaller(self, machine: TurningPointMachine, candidate: Candidate) -> None:
        """Take back the small ones a set began with: lowerings broken off, seen to be it only now."""
        while (
            self._leading
            and candidate.amplitude_deg > self.parameters.withdrawal_ratio * self._leading[-1].amplitude_deg
        ):
            self._events.append(Withdrawn(self._leading.pop()))
            self._counted -= 1
            machine.disown()

    def _judge(self, start_ns: int, close_ns: int, now_ns: int, amplitude_deg: float) -> Verdict | None:
        if self._gate is None:
            return None
        verdict = self._gate.judge(
            start_ns,
            close_ns,
            now_ns,
            amplitude_deg,
            axis_is_known=self.hinge_axis_is_known,
            is_supine=self.is_supine,
        )
        if verdict is None or self.driver.angle is not DrivingAngle.THIGH_FLEXION:
            return verdict
        return judged_alone(
            verdict, self.parameters.thigh_alone_from_s, is_asked=self.is_asked, is_supine=self.is_supine
        )

    def _break_off(self, machine: TurningPointMachine, movement: BrokenOff, now_ns: int) -> None:
        if movement.reason is AbortReason.TOO_SHALLOW:
            verdict = self._judge(movement.start_ns, movement.end_ns, now_ns, movement.depth_deg)
            if verdict is not None and not verdict.is_repetition:
                return  # a step or fidgeting, no lowering
            is_deep = movement.depth_deg >= self.parameters.attempt_share * machine.typical_amplitude_deg
            if self._counted and is_deep:
                machine.mark_counted(movement.end_ns)
        self._events.append(
            Aborted(movement.start_ns, movement.turn_ns, movement.end_ns, movement.depth_deg, movement.reason)
        )


__all__ = [
    "Aborted",
    "BoundaryReason",
    "Candidate",
    "CounterEvent",
    "CounterParameters",
    "Driver",
    "DrivingAngle",
    "LivePhaseChange",
    "Phase",
    "Rejected",
    "RepetitionCounter",
    "SetBoundary",
    "Withdrawn",
]
