"""Repetitions as they happen: from angle blocks to candidates, aborted lowerings and live phases."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from analytics.drive_events import AbortReason, BrokenOff, Cycle, DriveChange, DrivePhase
from analytics.driving import Driver, DrivingAngle
from analytics.gate import GateParameters, Verdict, gate_features, judge
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
)
from analytics.turning_points import TurningPointMachine, TurningPointParameters

if TYPE_CHECKING:
    from analytics.angles import AngleBlock


# A bridge starts with its concentric: the drive goes out when the hips lift.
_STANDING_PHASES = {
    DrivePhase.REST: Phase.TOP,
    DrivePhase.OUT: Phase.ECCENTRIC,
    DrivePhase.HOLD: Phase.BOTTOM,
    DrivePhase.BACK: Phase.CONCENTRIC,
}
_SUPINE_PHASES = {
    DrivePhase.REST: Phase.BOTTOM,
    DrivePhase.OUT: Phase.CONCENTRIC,
    DrivePhase.HOLD: Phase.TOP,
    DrivePhase.BACK: Phase.ECCENTRIC,
}


# A movement that starts this soon after a hole began in it.
_CUT_NS = 100_000_000


@dataclass(frozen=True, slots=True)
class CounterParameters:
    """Constants of the counter.

    Parameters
    ----------
    turning_points
        The machine's; its smallest amplitude is taken from the driver unless `minimum_amplitude_deg` says.
    gate
        Demands on a repetition; ``None`` counts every cycle.
    minimum_amplitude_deg
        Smallest amplitude; ``None``: as the driver allows.
    withdrawal_ratio
        The first repetition is withdrawn when the second is larger by more than this.
    bridge_gap_s
        Holes up to this long are bridged linearly; a longer one ends the repetition unmeasured.
    posture_s
        Another posture must last this long to be believed.
    history_s
        How much of the past is kept for the gate.
    """

    turning_points: TurningPointParameters = field(default_factory=TurningPointParameters)
    gate: GateParameters | None = field(default_factory=GateParameters)
    minimum_amplitude_deg: float | None = None
    withdrawal_ratio: float = 2.0
    bridge_gap_s: float = 1.0
    posture_s: float = 2.0
    history_s: float = 60.0


_Row: TypeAlias = tuple[float, float, float, float, float]  # angle, |a|, rate x y z


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
    """

    def __init__(
        self,
        driver: Driver,
        parameters: CounterParameters | None = None,
        *,
        hinge_axis_is_known: bool = False,
    ) -> None:
        self.parameters = parameters if parameters is not None else CounterParameters()
        self.driver = driver
        self.hinge_axis_is_known = hinge_axis_is_known
        self.phase = Phase.UNKNOWN
        self.eccentric_start_ns: int | None = None
        self._machine: TurningPointMachine | None = None
        self._rate_hz = 0.0
        self._rows: deque[_Row] = deque()
        self._last_ns: int | None = None
        self._resumed_ns: int | None = None
        self._last_row: _Row = (0.0, 0.0, 0.0, 0.0, 0.0)
        self._is_supine: bool | None = None
        self._other_posture_since_ns: int | None = None
        self._first: Candidate | None = None
        self._counted = 0
        self._events: list[CounterEvent] = []

    # --- what others may ask -----------------------------------------------------------------

    @property
    def is_supine(self) -> bool:
        """The latched posture."""
        return bool(self._is_supine)

    @property
    def is_resting(self) -> bool:
        """No movement under way."""
        return self._machine is None or self._machine.is_resting

    @property
    def depth_fraction(self) -> float | None:
        """Depth now as a part of this set's typical amplitude, 0 to 1; ``None`` before the first."""
        if self._machine is None or not self._machine.typical_amplitude_deg > 0:
            return None
        return min(1.0, max(0.0, self._machine.displacement_deg / self._machine.typical_amplitude_deg))

    def rebase(self, offset_deg: float) -> None:
        """Follow a driver that from the next sample on reads ``offset_deg`` more for the same posture.

        For the change from unsigned inclination to signed tilt when a calibration becomes known.
        """
        drive_deg = -offset_deg if self._is_supine else offset_deg
        if self._machine is not None:
            self._machine.rebase(drive_deg)
        self._last_row = (self._last_row[0] + drive_deg, *self._last_row[1:])
        self._rows = deque(
            ((row[0] + drive_deg, *row[1:]) for row in self._rows),
            maxlen=self._rows.maxlen,
        )

    def start_set(self) -> None:
        """Begin another set: nothing is known of its repetitions, and the first is provisional again."""
        if self._machine is not None:
            self._machine.forget_amplitudes()
        self._first = None
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
        if self._machine is None:
            self._rate_hz = block.sampling_rate_hz
            turning_points = replace(
                self.parameters.turning_points,
                minimum_amplitude_deg=self.parameters.minimum_amplitude_deg
                or self.driver.minimum_amplitude_deg,
            )
            self._machine = TurningPointMachine(turning_points, self._rate_hz)
            self._rows = deque(maxlen=round(self.parameters.history_s * self._rate_hz))
        elif block.sampling_rate_hz != self._rate_hz:
            raise ValueError(
                f"the sampling rate changed from {self._rate_hz:g} to {block.sampling_rate_hz:g} Hz"
            )
        angles = self.driver.angle_deg(block)
        columns = zip(
            angles.tolist(),
            block.acc_norm_m_s2.tolist(),
            *block.gyr_segment_rad_s.T.tolist(),
            strict=True,
        )
        supine = block.is_supine.tolist()
        usable = np.isfinite(angles).tolist()
        for index, row in enumerate(columns):
            if usable[index]:
                self._take(block.time_ns(index), row, supine=supine[index])
        events, self._events = self._events, []
        return events

    def _take(self, time_ns: int, row: _Row, *, supine: bool) -> None:
        machine = self._machine
        assert machine is not None
        if self._is_supine is None:
            self._is_supine = supine
        row = (-row[0] if self._is_supine else row[0], *row[1:])
        if self._last_ns is None:
            machine.restart(time_ns, row[0], AbortReason.UNMEASURED)
            self._set_phase(_phases(supine=self._is_supine)[DrivePhase.REST], time_ns, time_ns)
        else:
            missing = round((time_ns - self._last_ns) * self._rate_hz / NANOSECONDS_PER_SECOND) - 1
            if missing > self.parameters.bridge_gap_s * self._rate_hz:
                machine.restart(time_ns, row[0], AbortReason.UNMEASURED)
                self._rows.clear()
                self._resumed_ns = time_ns
                rest_ns = self.parameters.turning_points.set_rest_s * NANOSECONDS_PER_SECOND
                if self._counted and time_ns - self._last_ns < rest_ns:
                    # What was lost in the hole may have been a repetition: it was no rest.
                    machine.mark_counted(time_ns)
            else:
                for step in range(1, missing + 1):
                    share = step / (missing + 1)
                    between_ns = self._last_ns + round(share * (time_ns - self._last_ns))
                    self._step(machine, between_ns, _between(self._last_row, row, share))
        self._step(machine, time_ns, row)
        self._last_ns, self._last_row = time_ns, row
        self._watch_posture(machine, time_ns, row, supine=supine)

    def _step(self, machine: TurningPointMachine, time_ns: int, row: _Row) -> None:
        self._rows.append(row)
        machine.step(time_ns, row[0])
        if machine.events:
            self._translate(machine, time_ns)

    def _watch_posture(self, machine: TurningPointMachine, time_ns: int, row: _Row, *, supine: bool) -> None:
        if supine is self._is_supine:
            self._other_posture_since_ns = None
            return
        if self._other_posture_since_ns is None:
            self._other_posture_since_ns = time_ns
        if time_ns - self._other_posture_since_ns < self.parameters.posture_s * NANOSECONDS_PER_SECOND:
            return
        # Latched: a bend deep enough to look like lying must not turn the drive around.
        machine.restart(time_ns, -row[0], AbortReason.POSTURE_CHANGED)
        self._translate(machine, time_ns)
        self._is_supine = supine
        self._other_posture_since_ns = None
        self._last_row = (-row[0], *row[1:])
        self._rows.clear()
        self.start_set()
        self._events.append(SetBoundary(time_ns, BoundaryReason.POSTURE_CHANGED))
        self._set_phase(_phases(supine=supine)[DrivePhase.REST], time_ns, time_ns)

    # --- from the machine's words to the athlete's -------------------------------------------

    def _translate(self, machine: TurningPointMachine, now_ns: int) -> None:
        events, machine.events = machine.events, []
        for event in events:
            if isinstance(event, Cycle):
                self._count(machine, event, now_ns)
            elif isinstance(event, BrokenOff):
                self._events.append(
                    Aborted(event.start_ns, event.turn_ns, event.end_ns, event.depth_deg, event.reason)
                )
            elif isinstance(event, DriveChange):
                phase = _phases(supine=self.is_supine)[event.phase]
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
            verdict=self._judge(cycle, now_ns),
        )
        if candidate.verdict is not None and not candidate.verdict.is_repetition:
            self._events.append(Rejected(candidate))
            return
        if self._first is not None and self._counted == 1:
            if cycle.amplitude_deg > self.parameters.withdrawal_ratio * self._first.amplitude_deg:
                self._events.append(Withdrawn(self._first))
                self.start_set()
                candidate = replace(candidate, is_provisional=True)
            else:
                self._first = None
        if self._counted == 0:
            self._first = candidate
        self._counted += 1
        machine.accept(cycle.amplitude_deg)
        machine.mark_counted(cycle.close_ns)
        self._events.append(candidate)

    def _judge(self, cycle: Cycle, now_ns: int) -> Verdict | None:
        if self.parameters.gate is None:
            return None
        # One second before the start, for the filters; up to this very sample, never beyond: the verdict
        # must not depend on how the stream was cut.
        last = len(self._rows) - 1
        first = max(0, last - self._samples(now_ns - cycle.start_ns))
        close = max(first, last - self._samples(now_ns - cycle.close_ns))
        margin = max(0, first - round(self._rate_hz))
        rows = np.array([self._rows[index] for index in range(margin, last + 1)], dtype=np.float64)
        features = gate_features(
            rows[:, 0],
            rows[:, 1],
            rows[:, 2:],
            self._rate_hz,
            first=first - margin,
            last=close - margin,
            amplitude_deg=cycle.amplitude_deg,
            axis_is_known=self.hinge_axis_is_known,
        )
        return judge(features, self.parameters.gate)

    def _samples(self, duration_ns: int) -> int:
        return round(duration_ns * self._rate_hz / NANOSECONDS_PER_SECOND)


def _phases(*, supine: bool) -> dict[DrivePhase, Phase]:
    return _SUPINE_PHASES if supine else _STANDING_PHASES


def _between(before: _Row, after: _Row, share: float) -> _Row:
    a0, a1, a2, a3, a4 = (a + share * (b - a) for a, b in zip(before, after, strict=True))
    return (a0, a1, a2, a3, a4)


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
