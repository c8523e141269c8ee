"""The turning-point machine: one driving angle in, cycles out, sample by sample.

It speaks only of its drive: *out* away from rest and *back* again. What that means (lowering and
rising, or lifting a bridge and sinking) is the counter's business.

Method and constants: turning points with adaptive prominence, the one counter that was exact on
standing people; fixed thresholds, zero crossings and fast baselines were not.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import asdict, dataclass
from functools import lru_cache
from statistics import median

import numpy as np
from scipy.signal import butter

from analytics.drive_events import (
    AbortReason,
    BrokenOff,
    CloseReason,
    Cycle,
    DriveChange,
    DrivePhase,
    MachineEvent,
    Rested,
)
from analytics.imu import NANOSECONDS_PER_SECOND


@dataclass(frozen=True, slots=True)
class TurningPointParameters:
    """Constants of the machine; amplitudes as parts of the repetition's own or of its predecessors'.

    Parameters
    ----------
    minimum_amplitude_deg
        Smallest cycle that can count: 5° of hip flexion or pelvic tilt, 2.5° where only a thigh drives.
    cutoff_hz
        Causal 2nd-order Butterworth; lower adds delay, higher lets tremor through.
    rest_speed_deg_s
        Slower than this is rest.
    baseline_time_constant_s
        The lockout level follows rest this slowly. Small values swallow slow and soft-locked repetitions.
    baseline_fall_s
        It follows an angle below it this fast.
    onset_share, reversal_share, redescent_share, return_share
        Leaving rest; turning back; turning out again; near rest: parts of the amplitude.
    acceptance_share, settled_acceptance_share
        Counted from this part of the median of the last five amplitudes, while there is one and when there
        are more.
    cut_share
        A movement under way when the data resume is not counted where more than this of it was not seen.
    soft_return_share
        Returned at least this part of the way: counted when it rests or turns out again there.
    soft_rest_s
        How long it rests there before it is counted.
    minimum_out_s, minimum_back_s, minimum_cycle_s
        Shorter is a step or a jolt, no repetition.
    no_progress_s
        Resting so long away from the baseline is another posture, no repetition.
    hold_s
        Rest at the far end that is shown as a pause.
    set_rest_s
        Rest that ends a set.
    """

    minimum_amplitude_deg: float = 5.0
    cutoff_hz: float = 5.0
    rest_speed_deg_s: float = 3.0
    baseline_time_constant_s: float = 5.0
    baseline_fall_s: float = 0.15
    onset_share: float = 0.15
    reversal_share: float = 0.25
    redescent_share: float = 0.15
    return_share: float = 0.25
    acceptance_share: float = 0.55
    settled_acceptance_share: float = 0.6
    bridged_acceptance_share: float = 0.35
    cut_share: float = 0.5
    soft_return_share: float = 0.6
    soft_rest_s: float = 0.5
    minimum_out_s: float = 0.25
    minimum_back_s: float = 0.25
    minimum_cycle_s: float = 0.6
    no_progress_s: float = 12.0
    hold_s: float = 0.15
    set_rest_s: float = 8.0


# By their numbers in the compiled steps.
_PHASES = (DrivePhase.REST, DrivePhase.OUT, DrivePhase.HOLD, DrivePhase.BACK)
_CLOSED = (CloseReason.LOCKOUT, CloseReason.SOFT_LOCKOUT, CloseReason.TOUCH_AND_GO)
_BROKEN_OFF = (
    AbortReason.TOO_SHALLOW,
    AbortReason.TOO_SHORT,
    AbortReason.POSTURE_CHANGED,
    AbortReason.UNMEASURED,
)


@lru_cache(maxsize=16)
def _low_pass(cutoff_hz: float, rate_hz: float) -> tuple[float, ...]:
    b, a = butter(2, cutoff_hz, fs=rate_hz)
    return tuple(float(value) for value in (*b, *a[1:]))


class TurningPointMachine:
    """State machine over one driving angle that grows away from rest.

    Parameters
    ----------
    parameters
        See `TurningPointParameters`.
    sampling_rate_hz
        Rate of the samples.

    Raises
    ------
    ValueError
        A rate that is not positive.

    Attributes
    ----------
    records
        State, constants and room for what happens, as the compiled steps take them.
    events
        What happened, until somebody takes it out.
    """

    def __init__(self, parameters: TurningPointParameters, sampling_rate_hz: float) -> None:
        from analytics import turning_point_steps  # noqa: PLC0415 - numba takes half a second

        if not sampling_rate_hz > 0:
            raise ValueError(f"sampling_rate_hz must be positive, not {sampling_rate_hz}")
        self._steps = turning_point_steps
        rate_hz = float(sampling_rate_hz)
        # Slow recordings (10 Hz) cannot hold 5 Hz: stay below their Nyquist frequency.
        cutoff_hz = min(parameters.cutoff_hz, 0.4 * rate_hz)
        self._constants = np.zeros(1, dtype=self._steps.CONSTANTS)
        for name, value in asdict(parameters).items():
            self._constants[name] = value
        for name, value in zip(("b0", "b1", "b2", "a1", "a2"), _low_pass(cutoff_hz, rate_hz), strict=True):
            self._constants[name] = value
        self._constants["rate_hz"], self._constants["dt_s"] = rate_hz, 1.0 / rate_hz
        # Delay of a 2nd-order Butterworth at low frequency: turning points are dated back by it.
        delay_s = math.sqrt(2.0) / (2.0 * math.pi * cutoff_hz)
        self._constants["delay_ns"] = round(delay_s * NANOSECONDS_PER_SECOND)
        self._state = np.zeros(1, dtype=self._steps.STATE)
        self._state["last_close_ns"] = self._state["bridged_ns"] = self._steps.NEVER
        # Looked at with every packet: views, for a record is slow to read.
        self._typical_deg, self._event_count = self._state["typical_deg"], self._state["event_count"]
        self._x, self._base = self._state["x"], self._state["base"]
        self._happened = np.zeros(self._steps.MOST_EVENTS, dtype=self._steps.EVENT)
        self.records = (self._state, self._constants, self._happened)
        self._amplitudes: deque[float] = deque(maxlen=5)
        self.events: list[MachineEvent] = []

    # --- what others may ask -----------------------------------------------------------------

    @property
    def typical_amplitude_deg(self) -> float:
        """Median of the last five accepted amplitudes, degrees; 0 before the first."""
        return float(self._typical_deg.item())

    @property
    def displacement_deg(self) -> float:
        """Filtered angle above the baseline, degrees."""
        return float(self._x.item() - self._base.item())

    def accept(self, amplitude_deg: float) -> None:
        """Let a cycle count as a measure for those that follow."""
        self._amplitudes.append(amplitude_deg)
        self._measure_amplitudes()

    def disown(self) -> None:
        """Take back the cycle accepted last: it was no repetition."""
        self._amplitudes.pop()
        self._measure_amplitudes()

    def _measure_amplitudes(self) -> None:
        self._state["amplitude_count"] = len(self._amplitudes)
        self._state["typical_deg"] = median(self._amplitudes) if self._amplitudes else 0.0

    def forget_amplitudes(self) -> None:
        """Start a set: nothing is known of its repetitions."""
        self._amplitudes.clear()
        self._measure_amplitudes()
        self._state["last_close_ns"] = self._steps.NEVER

    def mark_counted(self, close_ns: int) -> None:
        """Remember when the last repetition, or attempt at one, closed: the rest of a set runs from here."""
        self._state["last_close_ns"] = close_ns

    def restart(self, time_ns: int, angle_deg: float, reason: AbortReason) -> None:
        """Begin anew at this angle: in another posture, or after a long hole. Amplitudes stay."""
        code = _BROKEN_OFF.index(reason)
        self._steps.restart(*self.records, time_ns, angle_deg, code)
        self.read_events()

    def resume(self, time_ns: int, angle_deg: float) -> None:
        """Go on after a hole too long to be bridged: what was under way is broken off, the lockout stays.

        Where the angle is away from it by now, a movement is under way of which the beginning was not seen.
        """
        self._steps.resume(*self.records, time_ns, angle_deg)
        self.read_events()

    def note_bridged(self, time_ns: int) -> None:
        """Remember that the angle at this time is a line drawn through a hole."""
        self._state["bridged_ns"] = time_ns

    def step(self, time_ns: int, angle_deg: float) -> None:
        """Take one sample; what happened is appended to `events`."""
        self._steps.take(*self.records, time_ns, angle_deg)
        self.read_events()

    def read_events(self) -> None:
        """Append what the compiled steps have noted to `events`."""
        n = self._event_count.item()
        if n:
            self.events.extend(self._event(self._happened[at]) for at in range(n))
            self._event_count[0] = 0

    def _event(self, happened: np.void) -> MachineEvent:
        steps = self._steps
        kind, code = int(happened["kind"]), int(happened["code"])
        start_ns, turn_ns, end_ns, decided_ns = (
            int(happened[name]) for name in ("start_ns", "turn_ns", "end_ns", "decided_ns")
        )
        depth_deg = float(happened["depth_deg"])
        if kind == steps.CYCLE:
            base_deg = float(happened["base_deg"])
            return Cycle(start_ns, turn_ns, end_ns, decided_ns, depth_deg, base_deg, _CLOSED[code])
        if kind == steps.BROKEN_OFF:
            return BrokenOff(start_ns, turn_ns, end_ns, depth_deg, _BROKEN_OFF[code])
        if kind == steps.DRIVE_CHANGE:
            return DriveChange(_PHASES[code], start_ns, decided_ns, bool(happened["is_false_start"]))
        self._amplitudes.clear()
        return Rested(start_ns)


__all__ = ["AbortReason", "CloseReason", "TurningPointMachine", "TurningPointParameters"]
