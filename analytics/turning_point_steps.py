"""The turning-point machine's steps from sample to sample, compiled: see `analytics.turning_points`.

State, constants and what happened are records: numba has no classes that could be kept compiled.
"""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from numba import types

from analytics.compiled import Record, compiled, read, written
from analytics.imu import NANOSECONDS_PER_SECOND
from analytics.turning_points import TurningPointParameters

# Times in integer ns; `NEVER` where there is none.
NEVER = -(2**63)
NS = NANOSECONDS_PER_SECOND

TOP, DOWN, UP = 0, 1, 2
REST, OUT, HOLD, BACK = 0, 1, 2, 3
CYCLE, BROKEN_OFF, DRIVE_CHANGE, RESTED = 0, 1, 2, 3
LOCKOUT, SOFT_LOCKOUT, TOUCH_AND_GO = 0, 1, 2
TOO_SHALLOW, TOO_SHORT, POSTURE_CHANGED, UNMEASURED = 0, 1, 2, 3

STATE = np.dtype(
    [
        *((name, np.int64) for name in ("is_started", "state", "shown", "cut_is_told")),
        *((name, np.int64) for name in ("amplitude_count", "event_count")),
        # Filter, lockout level and extremes, degrees; speeds, degrees/s.
        *((name, np.float64) for name in ("x", "z1", "z2", "base", "low", "high", "back_low")),
        *((name, np.float64) for name in ("onset_x", "anchor_x", "peak_out", "peak_back", "cut_deg")),
        ("typical_deg", np.float64),
        *((name, np.int64) for name in ("high_ns", "back_low_ns", "anchor_ns", "start_ns", "near_ns")),
        *((name, np.int64) for name in ("restarted_ns", "closed_ns", "onset_ns", "slow_since_ns")),
        *((name, np.int64) for name in ("back_onset_ns", "last_close_ns", "bridged_ns")),
    ]
)
EVENT = np.dtype(
    [
        *((name, np.int64) for name in ("kind", "code", "start_ns", "turn_ns", "end_ns", "decided_ns")),
        ("is_false_start", np.int64),
        ("depth_deg", np.float64),
        ("base_deg", np.float64),
    ]
)
CONSTANTS = np.dtype(
    [
        *((field.name, np.float64) for field in fields(TurningPointParameters)),
        *((name, np.float64) for name in ("rate_hz", "dt_s", "b0", "b1", "b2", "a1", "a2")),
        ("delay_ns", np.int64),
    ]
)
# More than one sample, or one restart, can bring about.
MOST_EVENTS = 8

MACHINE = (written(STATE), read(CONSTANTS), written(EVENT))


@compiled()
def _reset(s: Record, p: Record, time_ns: int, angle_deg: float) -> None:
    s.is_started = 1
    s.cut_deg, s.cut_is_told = 0.0, 0
    s.z1 = (1.0 - p.b0) * angle_deg
    s.z2 = (p.b2 - p.a2) * angle_deg
    s.x = s.base = s.high = s.back_low = s.onset_x = s.anchor_x = angle_deg
    s.high_ns = s.back_low_ns = s.anchor_ns = time_ns
    s.start_ns = s.restarted_ns = s.closed_ns = time_ns
    s.shown = REST
    _enter_top(s, time_ns, angle_deg)


@compiled()
def _emit(s: Record, events: Record, kind: int, code: int, start_ns: int, decided_ns: int) -> int:
    """Note what happened; return its place, a record that is returned would be a copy."""
    at: int = s.event_count
    s.event_count = at + 1
    event = events[at]
    event.kind, event.code, event.start_ns, event.decided_ns = kind, code, start_ns, decided_ns
    return at


@compiled()
def _show(s: Record, events: Record, phase: int, time_ns: int, decided_ns: int, is_false_start: int) -> None:
    if phase != s.shown:
        s.shown = phase
        at = _emit(s, events, DRIVE_CHANGE, phase, time_ns, decided_ns)
        events[at].is_false_start = is_false_start


# --- at rest ---------------------------------------------------------------------------------


@compiled()
def _onset_deg(s: Record, p: Record) -> float:
    return float(max(0.6 * p.minimum_amplitude_deg, p.onset_share * s.typical_deg))


@compiled()
def _enter_top(s: Record, time_ns: int, x: float) -> None:
    s.state = TOP
    s.low = x
    s.onset_ns = s.slow_since_ns = NEVER
    s.near_ns = time_ns


@compiled()
def _step_top(s: Record, p: Record, events: Record, time_ns: int, x: float, speed: float) -> None:
    if x < s.base:
        s.base += (x - s.base) * min(1.0, p.dt_s / p.baseline_fall_s)
    elif abs(speed) < p.rest_speed_deg_s:
        s.base += (x - s.base) * (p.dt_s / p.baseline_time_constant_s)
    s.low = min(s.low, x)
    _track_onset(s, p, events, time_ns, x, speed)
    away = x - s.base
    if away < 0.3 * p.minimum_amplitude_deg:
        s.near_ns = time_ns
    onset_deg = _onset_deg(s, p)
    # Above the low of this rest, too: a soft lockout leaves the angle high over the baseline.
    if away > onset_deg and x - s.low > 0.5 * onset_deg and speed > 0.0:
        start_ns = s.onset_ns if s.onset_ns != NEVER else s.near_ns
        _enter_down(s, p, events, time_ns, x, start_ns, speed)
    elif s.last_close_ns != NEVER and s.onset_ns == NEVER and time_ns - s.last_close_ns >= p.set_rest_s * NS:
        _emit(s, events, RESTED, 0, time_ns, time_ns)
        s.amplitude_count, s.typical_deg, s.last_close_ns = 0, 0.0, NEVER


@compiled()
def _track_onset(s: Record, p: Record, events: Record, time_ns: int, x: float, speed: float) -> None:
    shown_deg = 0.6 * p.minimum_amplitude_deg
    if speed > p.rest_speed_deg_s:
        s.slow_since_ns = NEVER
        if s.onset_ns == NEVER:
            # Dating back must not reach into the cycle before.
            s.onset_ns = max(time_ns - p.delay_ns, s.closed_ns)
            s.onset_x = x
    elif s.onset_ns != NEVER:
        if s.slow_since_ns == NEVER:
            s.slow_since_ns = time_ns
        if time_ns - s.slow_since_ns > 1.5 * NS or x - s.onset_x < 0.5 * shown_deg:
            s.onset_ns = NEVER
    moved = min(x - s.base, x - s.onset_x + 0.1 * p.minimum_amplitude_deg)
    if s.shown == REST:
        if s.onset_ns != NEVER and speed > p.rest_speed_deg_s and moved > shown_deg:
            _show(s, events, OUT, s.onset_ns, time_ns, 0)
    elif s.shown == OUT and (s.onset_ns == NEVER or moved < 0.5 * shown_deg):
        _show(s, events, REST, time_ns, time_ns, 1)


# --- going out -------------------------------------------------------------------------------


@compiled()
def _enter_down(
    s: Record, p: Record, events: Record, time_ns: int, x: float, start_ns: int, speed: float
) -> None:
    s.state = DOWN
    s.start_ns = start_ns
    s.high, s.high_ns = x, time_ns - p.delay_ns
    s.peak_out = speed
    s.slow_since_ns = s.back_onset_ns = NEVER
    s.anchor_x, s.anchor_ns = x, time_ns
    _show(s, events, OUT, start_ns, time_ns, 0)


@compiled()
def _step_down(s: Record, p: Record, events: Record, time_ns: int, x: float, speed: float) -> None:
    if x > s.high:
        s.high, s.high_ns = x, time_ns - p.delay_ns
    s.peak_out = max(s.peak_out, speed)
    if speed < -p.rest_speed_deg_s:
        if s.back_onset_ns == NEVER:
            s.back_onset_ns = time_ns - p.delay_ns
    elif speed > 0.0:
        s.back_onset_ns = NEVER
    amplitude = s.high - s.base
    if s.high - x > max(0.5 * p.minimum_amplitude_deg, p.reversal_share * amplitude):
        back_ns = s.back_onset_ns if s.back_onset_ns != NEVER else s.high_ns
        s.state = UP
        s.back_low, s.back_low_ns = x, time_ns - p.delay_ns
        s.peak_back = max(-speed, 0.0)
        s.slow_since_ns = NEVER
        if amplitude >= p.minimum_amplitude_deg:
            _show(s, events, BACK, back_ns, time_ns, 0)
        return
    if amplitude >= p.minimum_amplitude_deg:
        _show_hold(s, p, events, time_ns, speed)
    _check_progress(s, p, events, time_ns, x)


@compiled()
def _show_hold(s: Record, p: Record, events: Record, time_ns: int, speed: float) -> None:
    slow = min(max(p.rest_speed_deg_s, 0.1 * s.peak_out), 0.5 * s.peak_out)
    if abs(speed) < slow:
        if s.slow_since_ns == NEVER:
            s.slow_since_ns = time_ns
        elif time_ns - s.slow_since_ns >= p.hold_s * NS:
            _show(s, events, HOLD, s.slow_since_ns - p.delay_ns, time_ns, 0)
    else:
        s.slow_since_ns = NEVER
        if speed > slow and s.shown == HOLD:
            # Still lowering: the count goes on from where it began.
            _show(s, events, OUT, s.start_ns, time_ns, 0)


# --- coming back -----------------------------------------------------------------------------


@compiled()
def _step_up(s: Record, p: Record, events: Record, time_ns: int, x: float, speed: float) -> None:
    if x < s.back_low:
        s.back_low, s.back_low_ns = x, time_ns - p.delay_ns
    s.peak_back = max(s.peak_back, -speed)
    amplitude = s.high - s.base
    if abs(speed) >= p.rest_speed_deg_s:
        s.slow_since_ns = NEVER
    elif s.slow_since_ns == NEVER:
        s.slow_since_ns = time_ns
    almost_still = max(p.rest_speed_deg_s, 0.1 * s.peak_back)
    if x - s.base < p.return_share * amplitude and speed > -almost_still:
        _close(s, p, events, time_ns, time_ns, LOCKOUT)
        _enter_top(s, time_ns, x)
        _show(s, events, REST, time_ns, time_ns, 1 if amplitude < p.minimum_amplitude_deg else 0)
    elif (
        s.slow_since_ns != NEVER
        and time_ns - s.slow_since_ns >= p.soft_rest_s * NS
        and s.high - x >= p.soft_return_share * amplitude
    ):
        close_ns = s.slow_since_ns
        _close(s, p, events, close_ns, time_ns, SOFT_LOCKOUT)
        _enter_top(s, time_ns, x)
        _show(s, events, REST, close_ns, time_ns, 0)
    elif x - s.back_low > max(0.5 * p.minimum_amplitude_deg, p.redescent_share * amplitude):
        if s.high - s.back_low >= p.soft_return_share * amplitude:
            turn_ns = s.back_low_ns
            _close(s, p, events, turn_ns, time_ns, TOUCH_AND_GO)
            _show(s, events, REST, turn_ns, time_ns, 0)
            _enter_down(s, p, events, time_ns, x, turn_ns, speed)
        else:
            # A double dip: the same repetition goes on.
            s.state = DOWN
            s.slow_since_ns = s.back_onset_ns = NEVER
            if x > s.high:
                s.high, s.high_ns = x, time_ns - p.delay_ns
            _show(s, events, HOLD, time_ns, time_ns, 0)
    else:
        _check_progress(s, p, events, time_ns, x)


# --- ends ------------------------------------------------------------------------------------


@compiled()
def _close(s: Record, p: Record, events: Record, close_ns: int, decided_ns: int, reason: int) -> None:
    s.closed_ns = close_ns
    amplitude = s.high - s.base
    out_s = (s.high_ns - s.start_ns) / NS
    back_s = (close_ns - s.high_ns) / NS
    if amplitude < p.minimum_amplitude_deg:
        return
    # Where the data resumed in mid-movement, its beginning was not seen.
    is_cut = (s.start_ns - s.restarted_ns - p.delay_ns) / NS < 2.0 * p.dt_s
    if is_cut and (s.cut_deg > p.cut_share * amplitude or out_s < p.minimum_out_s):
        if not s.cut_is_told:
            _emit_broken_off(s, events, close_ns, UNMEASURED)
        return
    accepted = p.acceptance_share if s.amplitude_count < 2 else p.settled_acceptance_share
    if s.bridged_ns >= s.start_ns:
        accepted = p.bridged_acceptance_share
    if amplitude < accepted * s.typical_deg:
        _emit_broken_off(s, events, close_ns, UNMEASURED if is_cut else TOO_SHALLOW)
    elif out_s < p.minimum_out_s or back_s < p.minimum_back_s or out_s + back_s < p.minimum_cycle_s:
        _emit_broken_off(s, events, close_ns, TOO_SHORT)
    else:
        event = events[_emit(s, events, CYCLE, reason, s.start_ns, decided_ns)]
        event.turn_ns, event.end_ns = s.high_ns, close_ns
        event.depth_deg, event.base_deg = amplitude, s.base


@compiled()
def _emit_broken_off(s: Record, events: Record, end_ns: int, reason: int) -> None:
    event = events[_emit(s, events, BROKEN_OFF, reason, s.start_ns, end_ns)]
    event.turn_ns, event.end_ns = s.high_ns, end_ns
    event.depth_deg = s.high - s.base


@compiled()
def _break_off(s: Record, events: Record, time_ns: int, reason: int) -> None:
    if s.state != TOP:
        _emit_broken_off(s, events, time_ns, reason)
    _show(s, events, REST, time_ns, time_ns, 0)


@compiled()
def _check_progress(s: Record, p: Record, events: Record, time_ns: int, x: float) -> None:
    if abs(x - s.anchor_x) > 0.5 * p.minimum_amplitude_deg:
        s.anchor_x, s.anchor_ns = x, time_ns
    elif time_ns - s.anchor_ns >= p.no_progress_s * NS:
        _break_off(s, events, time_ns, POSTURE_CHANGED)
        s.base = x
        _enter_top(s, time_ns, x)


# --- from outside: last, for they are compiled as soon as they are read -----------------------


@compiled()
def step(s: Record, p: Record, events: Record, time_ns: int, angle_deg: float) -> None:
    """Take one sample, for other compiled steps."""
    if not s.is_started:
        _reset(s, p, time_ns, angle_deg)
        return
    x = p.b0 * angle_deg + s.z1
    s.z1 = p.b1 * angle_deg - p.a1 * x + s.z2
    s.z2 = p.b2 * angle_deg - p.a2 * x
    speed = (x - s.x) * p.rate_hz
    s.x = x
    if s.state == TOP:
        _step_top(s, p, events, time_ns, x, speed)
    elif s.state == DOWN:
        _step_down(s, p, events, time_ns, x, speed)
    else:
        _step_up(s, p, events, time_ns, x, speed)


@compiled(*MACHINE, types.int64, types.float64, types.int64)
def restart(
    state: Record, constants: Record, events: Record, time_ns: int, angle_deg: float, reason: int
) -> None:
    """Break off what is under way; begin anew at this angle."""
    s, p = state[0], constants[0]
    if s.is_started:
        _break_off(s, events, time_ns, reason)
    _reset(s, p, time_ns, angle_deg)


@compiled(*MACHINE, types.int64, types.float64)
def resume(state: Record, constants: Record, events: Record, time_ns: int, angle_deg: float) -> None:
    """Break off what is under way; go on at this angle with the lockout level as it was."""
    s, p = state[0], constants[0]
    base_deg = s.base if s.is_started else angle_deg
    is_told = 1 if s.is_started and s.state != TOP else 0
    if s.is_started:
        _break_off(s, events, time_ns, UNMEASURED)
    _reset(s, p, time_ns, angle_deg)
    s.base = base_deg
    if angle_deg - base_deg > _onset_deg(s, p):
        _enter_down(s, p, events, time_ns, angle_deg, time_ns, 0.0)
        s.high_ns = time_ns
        s.cut_deg, s.cut_is_told = angle_deg - base_deg, is_told


@compiled(*MACHINE, types.int64, types.float64)
def take(state: Record, constants: Record, events: Record, time_ns: int, angle_deg: float) -> None:
    """Take one sample."""
    step(state[0], constants[0], events, time_ns, angle_deg)
