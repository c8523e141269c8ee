"""The turning-point machine: one driving angle in, cycles out, sample by sample.

It speaks only of its drive: *out* away from rest and *back* again. What that means (lowering and
rising, or lifting a bridge and sinking) is the counter's business.

Method and constants: turning points with adaptive prominence, the one counter that was exact on
standing people; fixed thresholds, zero crossings and fast baselines were not.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from enum import Enum
from statistics import median

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


class _State(Enum):
    TOP = "top"
    DOWN = "down"
    UP = "up"


class TurningPointMachine:
    """State machine over one driving angle that grows away from rest.

    Parameters
    ----------
    parameters
        See `TurningPointParameters`.
    sampling_rate_hz
        Rate of the samples given to `step`.

    Raises
    ------
    ValueError
        A rate that is not positive.
    """

    def __init__(self, parameters: TurningPointParameters, sampling_rate_hz: float) -> None:
        if not sampling_rate_hz > 0:
            raise ValueError(f"sampling_rate_hz must be positive, not {sampling_rate_hz}")
        self.parameters = parameters
        self._rate_hz = float(sampling_rate_hz)
        self._dt_s = 1.0 / self._rate_hz
        # Slow recordings (10 Hz) cannot hold 5 Hz: stay below their Nyquist frequency.
        cutoff_hz = min(parameters.cutoff_hz, 0.4 * self._rate_hz)
        b, a = butter(2, cutoff_hz, fs=self._rate_hz)
        self._b0, self._b1, self._b2 = (float(value) for value in b)
        self._a1, self._a2 = float(a[1]), float(a[2])
        # Delay of a 2nd-order Butterworth at low frequency: turning points are dated back by it.
        self._delay_ns = round(math.sqrt(2.0) / (2.0 * math.pi * cutoff_hz) * NANOSECONDS_PER_SECOND)
        self._amplitudes: deque[float] = deque(maxlen=5)
        self._typical_deg = 0.0
        self._started = False
        self._base = 0.0
        self._bridged_ns: int | None = None
        self._x = self._z1 = self._z2 = 0.0
        self._last_close_ns: int | None = None
        self.events: list[MachineEvent] = []

    # --- what others may ask -----------------------------------------------------------------

    @property
    def typical_amplitude_deg(self) -> float:
        """Median of the last five accepted amplitudes, degrees; 0 before the first."""
        return self._typical_deg

    @property
    def displacement_deg(self) -> float:
        """Filtered angle above the baseline, degrees."""
        return self._x - self._base if self._started else 0.0

    @property
    def is_resting(self) -> bool:
        """No movement under way."""
        return not self._started or (self._state is _State.TOP and self._onset_ns is None)

    def accept(self, amplitude_deg: float) -> None:
        """Let a cycle count as a measure for those that follow."""
        self._amplitudes.append(amplitude_deg)
        self._typical_deg = median(self._amplitudes)

    def disown(self) -> None:
        """Take back the cycle accepted last: it was no repetition."""
        self._amplitudes.pop()
        self._typical_deg = median(self._amplitudes) if self._amplitudes else 0.0

    def forget_amplitudes(self) -> None:
        """Start a set: nothing is known of its repetitions."""
        self._amplitudes.clear()
        self._typical_deg = 0.0
        self._last_close_ns = None

    def mark_counted(self, close_ns: int) -> None:
        """Remember when the last repetition, or attempt at one, closed: the rest of a set runs from here."""
        self._last_close_ns = close_ns

    def rebase(self, offset_deg: float) -> None:
        """Follow a driver that from the next sample on reads ``offset_deg`` more for the same posture."""
        if not self._started:
            return
        self._z1 += (1.0 - self._b0) * offset_deg
        self._z2 += (self._b2 - self._a2) * offset_deg
        for name in ("_x", "_base", "_low", "_high", "_back_low", "_onset_x", "_anchor_x"):
            setattr(self, name, getattr(self, name) + offset_deg)

    def restart(self, time_ns: int, angle_deg: float, reason: AbortReason) -> None:
        """Begin anew at this angle: in another posture, or after a long hole. Amplitudes stay."""
        if self._started:
            self._break_off(time_ns, reason)
        self._reset(time_ns, angle_deg)

    def resume(self, time_ns: int, angle_deg: float) -> None:
        """Go on after a hole too long to be bridged: what was under way is broken off, the lockout stays.

        Where the angle is away from it by now, a movement is under way of which the beginning was not seen.
        """
        base_deg = self._base if self._started else angle_deg
        is_told = self._started and self._state is not _State.TOP
        self.restart(time_ns, angle_deg, AbortReason.UNMEASURED)
        self._base = base_deg
        if angle_deg - base_deg > self._onset_deg:
            self._enter_down(time_ns, angle_deg, time_ns, 0.0)
            self._high_ns = time_ns
            self._cut_deg, self._cut_is_told = angle_deg - base_deg, is_told

    def note_bridged(self, time_ns: int) -> None:
        """Remember that the angle at this time is a line drawn through a hole."""
        self._bridged_ns = time_ns

    # --- one sample --------------------------------------------------------------------------

    def step(self, time_ns: int, angle_deg: float) -> None:
        """Take one sample; what happened is appended to `events`."""
        if not self._started:
            self._reset(time_ns, angle_deg)
            return
        x = self._b0 * angle_deg + self._z1
        self._z1 = self._b1 * angle_deg - self._a1 * x + self._z2
        self._z2 = self._b2 * angle_deg - self._a2 * x
        speed = (x - self._x) * self._rate_hz
        self._x = x
        if self._state is _State.TOP:
            self._step_top(time_ns, x, speed)
        elif self._state is _State.DOWN:
            self._step_down(time_ns, x, speed)
        else:
            self._step_up(time_ns, x, speed)

    def _reset(self, time_ns: int, angle_deg: float) -> None:
        self._started = True
        self._cut_deg, self._cut_is_told = 0.0, False
        self._z1 = (1.0 - self._b0) * angle_deg
        self._z2 = (self._b2 - self._a2) * angle_deg
        self._x = angle_deg
        self._base = angle_deg
        self._high = self._back_low = self._onset_x = self._anchor_x = angle_deg
        self._high_ns = self._back_low_ns = self._anchor_ns = time_ns
        self._start_ns = self._restarted_ns = self._closed_ns = time_ns
        self._shown = DrivePhase.REST
        self._enter_top(time_ns, angle_deg)

    def _show(self, phase: DrivePhase, time_ns: int, decided_ns: int, *, false_start: bool = False) -> None:
        if phase is not self._shown:
            self._shown = phase
            self.events.append(DriveChange(phase, time_ns, decided_ns, is_false_start=false_start))

    # --- at rest -----------------------------------------------------------------------------

    @property
    def _onset_deg(self) -> float:
        p = self.parameters
        return max(0.6 * p.minimum_amplitude_deg, p.onset_share * self._typical_deg)

    def _enter_top(self, time_ns: int, x: float) -> None:
        self._state = _State.TOP
        self._low = x
        self._onset_ns: int | None = None
        self._near_ns = time_ns
        self._slow_since_ns: int | None = None

    def _step_top(self, time_ns: int, x: float, speed: float) -> None:
        p = self.parameters
        if x < self._base:
            self._base += (x - self._base) * min(1.0, self._dt_s / p.baseline_fall_s)
        elif abs(speed) < p.rest_speed_deg_s:
            self._base += (x - self._base) * (self._dt_s / p.baseline_time_constant_s)
        self._low = min(self._low, x)
        self._track_onset(time_ns, x, speed)

        away = x - self._base
        if away < 0.3 * p.minimum_amplitude_deg:
            self._near_ns = time_ns
        onset_deg = self._onset_deg
        # Above the low of this rest, too: a soft lockout leaves the angle high over the baseline.
        if away > onset_deg and x - self._low > 0.5 * onset_deg and speed > 0:
            start_ns = self._onset_ns if self._onset_ns is not None else self._near_ns
            self._enter_down(time_ns, x, start_ns, speed)
            return
        if (
            self._last_close_ns is not None
            and self._onset_ns is None
            and time_ns - self._last_close_ns >= p.set_rest_s * NANOSECONDS_PER_SECOND
        ):
            self.events.append(Rested(time_ns))
            self.forget_amplitudes()

    def _track_onset(self, time_ns: int, x: float, speed: float) -> None:
        p = self.parameters
        shown_deg = 0.6 * p.minimum_amplitude_deg
        if speed > p.rest_speed_deg_s:
            self._slow_since_ns = None
            if self._onset_ns is None:
                # Dating back must not reach into the cycle before.
                self._onset_ns = max(time_ns - self._delay_ns, self._closed_ns)
                self._onset_x = x
        elif self._onset_ns is not None:
            if self._slow_since_ns is None:
                self._slow_since_ns = time_ns
            rested = time_ns - self._slow_since_ns > 1.5 * NANOSECONDS_PER_SECOND
            if rested or x - self._onset_x < 0.5 * shown_deg:
                self._onset_ns = None
        moved = min(x - self._base, x - self._onset_x + 0.1 * p.minimum_amplitude_deg)
        if self._shown is DrivePhase.REST:
            if self._onset_ns is not None and speed > p.rest_speed_deg_s and moved > shown_deg:
                self._show(DrivePhase.OUT, self._onset_ns, time_ns)
        elif self._shown is DrivePhase.OUT and (self._onset_ns is None or moved < 0.5 * shown_deg):
            self._show(DrivePhase.REST, time_ns, time_ns, false_start=True)

    # --- going out ---------------------------------------------------------------------------

    def _enter_down(self, time_ns: int, x: float, start_ns: int, speed: float) -> None:
        self._state = _State.DOWN
        self._start_ns = start_ns
        self._high, self._high_ns = x, time_ns - self._delay_ns
        self._peak_out = speed
        self._slow_since_ns = None
        self._back_onset_ns: int | None = None
        self._anchor_x, self._anchor_ns = x, time_ns
        self._show(DrivePhase.OUT, start_ns, time_ns)

    def _step_down(self, time_ns: int, x: float, speed: float) -> None:
        p = self.parameters
        if x > self._high:
            self._high, self._high_ns = x, time_ns - self._delay_ns
        self._peak_out = max(self._peak_out, speed)
        if speed < -p.rest_speed_deg_s:
            if self._back_onset_ns is None:
                self._back_onset_ns = time_ns - self._delay_ns
        elif speed > 0:
            self._back_onset_ns = None
        amplitude = self._high - self._base
        if self._high - x > max(0.5 * p.minimum_amplitude_deg, p.reversal_share * amplitude):
            back_ns = self._back_onset_ns if self._back_onset_ns is not None else self._high_ns
            self._state = _State.UP
            self._back_low, self._back_low_ns = x, time_ns - self._delay_ns
            self._peak_back = max(-speed, 0.0)
            self._slow_since_ns = None
            if amplitude >= p.minimum_amplitude_deg:
                self._show(DrivePhase.BACK, back_ns, time_ns)
            return
        if amplitude >= p.minimum_amplitude_deg:
            self._show_hold(time_ns, speed)
        self._check_progress(time_ns, x)

    def _show_hold(self, time_ns: int, speed: float) -> None:
        p = self.parameters
        slow = min(max(p.rest_speed_deg_s, 0.1 * self._peak_out), 0.5 * self._peak_out)
        if abs(speed) < slow:
            if self._slow_since_ns is None:
                self._slow_since_ns = time_ns
            elif time_ns - self._slow_since_ns >= p.hold_s * NANOSECONDS_PER_SECOND:
                self._show(DrivePhase.HOLD, self._slow_since_ns - self._delay_ns, time_ns)
        else:
            self._slow_since_ns = None
            if speed > slow and self._shown is DrivePhase.HOLD:
                # Still lowering: the count goes on from where it began.
                self._show(DrivePhase.OUT, self._start_ns, time_ns)

    # --- coming back -------------------------------------------------------------------------

    def _step_up(self, time_ns: int, x: float, speed: float) -> None:
        p = self.parameters
        if x < self._back_low:
            self._back_low, self._back_low_ns = x, time_ns - self._delay_ns
        self._peak_back = max(self._peak_back, -speed)
        amplitude = self._high - self._base
        if abs(speed) < p.rest_speed_deg_s:
            if self._slow_since_ns is None:
                self._slow_since_ns = time_ns
        else:
            self._slow_since_ns = None

        if x - self._base < p.return_share * amplitude and speed > -max(
            p.rest_speed_deg_s, 0.1 * self._peak_back
        ):
            self._close(time_ns, time_ns, CloseReason.LOCKOUT)
            self._enter_top(time_ns, x)
            too_small = amplitude < p.minimum_amplitude_deg
            self._show(DrivePhase.REST, time_ns, time_ns, false_start=too_small)
            return
        if (
            self._slow_since_ns is not None
            and time_ns - self._slow_since_ns >= p.soft_rest_s * NANOSECONDS_PER_SECOND
            and self._high - x >= p.soft_return_share * amplitude
        ):
            close_ns = self._slow_since_ns
            self._close(close_ns, time_ns, CloseReason.SOFT_LOCKOUT)
            self._enter_top(time_ns, x)
            self._show(DrivePhase.REST, close_ns, time_ns)
            return
        if x - self._back_low > max(0.5 * p.minimum_amplitude_deg, p.redescent_share * amplitude):
            if self._high - self._back_low >= p.soft_return_share * amplitude:
                turn_ns = self._back_low_ns
                self._close(turn_ns, time_ns, CloseReason.TOUCH_AND_GO)
                self._show(DrivePhase.REST, turn_ns, time_ns)
                self._enter_down(time_ns, x, turn_ns, speed)
            else:
                # A double dip: the same repetition goes on.
                self._state = _State.DOWN
                self._slow_since_ns = None
                self._back_onset_ns = None
                if x > self._high:
                    self._high, self._high_ns = x, time_ns - self._delay_ns
                self._show(DrivePhase.HOLD, time_ns, time_ns)
            return
        self._check_progress(time_ns, x)

    # --- ends --------------------------------------------------------------------------------

    def _close(self, close_ns: int, decided_ns: int, reason: CloseReason) -> None:
        p = self.parameters
        self._closed_ns = close_ns
        amplitude = self._high - self._base
        out_s = (self._high_ns - self._start_ns) / NANOSECONDS_PER_SECOND
        back_s = (close_ns - self._high_ns) / NANOSECONDS_PER_SECOND
        if amplitude < p.minimum_amplitude_deg:
            return
        # Where the data resumed in mid-movement, its beginning was not seen.
        resumed_s = (self._start_ns - self._restarted_ns - self._delay_ns) / NANOSECONDS_PER_SECOND
        is_cut = resumed_s < 2.0 * self._dt_s
        if is_cut and (self._cut_deg > p.cut_share * amplitude or out_s < p.minimum_out_s):
            if not self._cut_is_told:
                self._emit_broken_off(close_ns, AbortReason.UNMEASURED)
            return
        is_bridged = self._bridged_ns is not None and self._bridged_ns >= self._start_ns
        accepted = p.acceptance_share if len(self._amplitudes) < 2 else p.settled_acceptance_share
        if is_bridged:
            accepted = p.bridged_acceptance_share
        if amplitude < accepted * self._typical_deg:
            self._emit_broken_off(close_ns, AbortReason.UNMEASURED if is_cut else AbortReason.TOO_SHALLOW)
        elif out_s < p.minimum_out_s or back_s < p.minimum_back_s or out_s + back_s < p.minimum_cycle_s:
            self._emit_broken_off(close_ns, AbortReason.TOO_SHORT)
        else:
            self.events.append(
                Cycle(self._start_ns, self._high_ns, close_ns, decided_ns, amplitude, self._base, reason)
            )

    def _emit_broken_off(self, end_ns: int, reason: AbortReason) -> None:
        depth = self._high - self._base
        self.events.append(BrokenOff(self._start_ns, self._high_ns, end_ns, depth, reason))

    def _break_off(self, time_ns: int, reason: AbortReason) -> None:
        if self._state is not _State.TOP:
            self._emit_broken_off(time_ns, reason)
        self._show(DrivePhase.REST, time_ns, time_ns)

    def _check_progress(self, time_ns: int, x: float) -> None:
        p = self.parameters
        if abs(x - self._anchor_x) > 0.5 * p.minimum_amplitude_deg:
            self._anchor_x, self._anchor_ns = x, time_ns
        elif time_ns - self._anchor_ns >= p.no_progress_s * NANOSECONDS_PER_SECOND:
            self._break_off(time_ns, AbortReason.POSTURE_CHANGED)
            self._base = x
            self._enter_top(time_ns, x)


__all__ = ["AbortReason", "CloseReason", "TurningPointMachine", "TurningPointParameters"]
