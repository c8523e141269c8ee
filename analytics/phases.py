"""The phases of one finished repetition, by the definition in METRICS.

First and last crossing of a speed threshold over a whole repetition fails, because standing people
sway faster than 3 °/s; so runs of movement are collected around the one that travels most.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analytics.filters import low_pass_zero_phase

if TYPE_CHECKING:
    from analytics.imu import FloatArray


# Quiet standing before a bend has a median 95th percentile of 3.5 °/s: nobody rests with less than this.
_LEAST_REST_NOISE_DEG_S = 1.0


@dataclass(frozen=True, slots=True)
class PhaseParameters:
    """Constants of the definition.

    Parameters
    ----------
    cutoff_hz
        Low-pass without delay.
    speed_deg_s, speed_share, speed_cap_share
        Threshold: min(max(``speed_deg_s``, ``speed_share`` of the phase's peak speed), ``speed_cap_share``
        of it). The cap: a micro hinge of the thigh can stay below 3 °/s altogether.
    join_s
        Runs this close are one.
    smallest_run_share
        Runs that carry less of the phase's angle are dropped.
    rest_s
        Longest rest between runs of one phase.
    least_return_share
        A way back shorter than this part of the way out (or the reverse) is no phase.
    longest_ramp_s
        Most by which ``movement_s`` extends an end.
    lead_s, trail_s
        How far the search reaches before and after the repetition where no neighbour bounds it.
    """

    cutoff_hz: float = 5.0
    speed_deg_s: float = 3.0
    speed_share: float = 0.1
    speed_cap_share: float = 0.5
    join_s: float = 0.1
    smallest_run_share: float = 0.08
    rest_s: float = 1.5
    least_return_share: float = 0.25
    longest_ramp_s: float = 1.0
    lead_s: float = 3.0
    trail_s: float = 2.0


@dataclass(frozen=True, slots=True)
class PhaseSpan:
    """One moving phase; times in seconds from the buffer's first sample.

    Parameters
    ----------
    start_s, end_s
        First and last crossing of the threshold, between samples by straight line.
    movement_start_s, movement_end_s
        Each end extended by the time between once and twice the threshold: nearer to the true movement.
    start_sd_s, end_sd_s
        One-sigma of the crossings: speed noise at rest over the steepness of the ramp.
    peak_deg_s
        Largest speed in the phase's direction.
    runs_kept, runs_dropped
        How many runs of movement made it, and how many did not.
    """

    start_s: float
    end_s: float
    movement_start_s: float
    movement_end_s: float
    start_sd_s: float
    end_sd_s: float
    peak_deg_s: float
    runs_kept: int
    runs_dropped: int

    @property
    def duration_s(self) -> float:
        """By the definition, s."""
        return self.end_s - self.start_s

    @property
    def movement_s(self) -> float:
        """For compliance with a tempo, s."""
        return self.movement_end_s - self.movement_start_s


@dataclass(frozen=True, slots=True)
class DrivePhases:
    """Both moving phases of a repetition: away from rest, and back.

    A hinge goes out in its eccentric, a bridge in its concentric.
    """

    out: PhaseSpan
    back: PhaseSpan
    turn_index: int


def find_phases(
    drive_deg: FloatArray,
    sampling_rate_hz: float,
    *,
    first: int,
    turn_from: int,
    turn_to: int,
    last: int,
    parameters: PhaseParameters | None = None,
) -> DrivePhases | None:
    """Find both phases of the one repetition in a buffer.

    Parameters
    ----------
    drive_deg
        Driving angle, growing away from rest (bridges: negated), degrees, shape (n,), finite.
    sampling_rate_hz
        Rate of the buffer.
    first, last
        Samples that bound the search: the middles of the neighbouring pauses (inclusive).
    turn_from, turn_to
        Samples between which the far end lies: start and close of the candidate (inclusive).
    parameters
        Constants of the definition.

    Returns
    -------
    DrivePhases or None
        ``None`` where one of the phases does not move.

    Raises
    ------
    ValueError
        Indices out of order or outside the buffer.
    """
    if not 0 <= first <= turn_from <= turn_to <= last < len(drive_deg):
        raise ValueError(
            f"indices out of order: 0 <= {first} <= {turn_from} <= {turn_to} <= {last} < {len(drive_deg)}"
        )
    if last - first < 2:
        return None
    p = parameters if parameters is not None else PhaseParameters()
    smooth = low_pass_zero_phase(drive_deg, min(p.cutoff_hz, 0.4 * sampling_rate_hz), sampling_rate_hz)
    speed = np.gradient(smooth) * sampling_rate_hz
    turn = turn_from + int(np.argmax(smooth[turn_from : turn_to + 1]))
    if turn - first < 1 or last - turn < 1:
        return None
    ways = sorted(float(smooth[turn] - part.min()) for part in (smooth[first:turn], smooth[turn : last + 1]))
    if ways[0] <= p.least_return_share * ways[1]:
        return None
    out = _find_span(smooth[first : turn + 1], speed[first : turn + 1], sampling_rate_hz, p)
    # The way back is the way out seen from its end.
    back = _find_span(smooth[turn : last + 1][::-1], -speed[turn : last + 1][::-1], sampling_rate_hz, p)
    if out is None or back is None:
        return None
    return DrivePhases(
        out=_shifted(out, first / sampling_rate_hz),
        back=_mirrored(back, last / sampling_rate_hz),
        turn_index=turn,
    )


@dataclass(frozen=True, slots=True)
class _Run:
    first: int
    last: int  # inclusive
    travel_deg: float


def _find_span(
    angle: FloatArray, speed: FloatArray, sampling_rate_hz: float, p: PhaseParameters
) -> PhaseSpan | None:
    peak = float(speed.max())
    if not peak > 0:
        return None
    threshold = min(max(p.speed_deg_s, p.speed_share * peak), p.speed_cap_share * peak)
    runs = _runs(angle, speed > threshold, max_gap=round(p.join_s * sampling_rate_hz))
    whole = float(angle[-1] - angle.min())
    largest = max(range(len(runs)), key=lambda index: runs[index].travel_deg)
    kept = [
        run
        for index, run in enumerate(runs)
        if index == largest or run.travel_deg >= p.smallest_run_share * whole
    ]
    begin = end = kept.index(runs[largest])
    longest_rest = p.rest_s * sampling_rate_hz
    while begin > 0 and kept[begin].first - kept[begin - 1].last <= longest_rest:
        begin -= 1
    while end + 1 < len(kept) and kept[end + 1].first - kept[end].last <= longest_rest:
        end += 1
    first, last = kept[begin], kept[end]

    start = _crossing(speed, first.first, -1, threshold)
    stop = _crossing(speed, last.last, 1, threshold)
    longest_ramp = p.longest_ramp_s * sampling_rate_hz
    start_ramp = _ramp(speed, start, first, 1, threshold, longest_ramp)
    stop_ramp = _ramp(speed, stop, last, -1, threshold, longest_ramp)
    noise = _rest_noise(speed, first.first, last.last)
    return PhaseSpan(
        start_s=start / sampling_rate_hz,
        end_s=stop / sampling_rate_hz,
        movement_start_s=max(0.0, start - start_ramp) / sampling_rate_hz,
        movement_end_s=min(float(len(speed) - 1), stop + stop_ramp) / sampling_rate_hz,
        start_sd_s=_crossing_sd_s(noise, threshold, start_ramp, sampling_rate_hz),
        end_sd_s=_crossing_sd_s(noise, threshold, stop_ramp, sampling_rate_hz),
        peak_deg_s=peak,
        runs_kept=end - begin + 1,
        runs_dropped=len(runs) - (end - begin + 1),
    )


def _runs(angle: FloatArray, moving: np.ndarray[tuple[int], np.dtype[np.bool_]], max_gap: int) -> list[_Run]:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], moving.astype(np.int8), [0]))))
    joined: list[tuple[int, int]] = []
    for begin, end in zip(edges[::2].tolist(), (edges[1::2] - 1).tolist(), strict=True):
        if joined and begin - joined[-1][1] - 1 <= max_gap:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((begin, end))
    return [_Run(begin, end, float(angle[end] - angle[begin])) for begin, end in joined]


def _crossing(speed: FloatArray, inside: int, step: int, threshold: float) -> float:
    """Sample position, between ``inside`` and its slower neighbour, where the speed meets the threshold."""
    outside = inside + step
    if not 0 <= outside < len(speed):
        return float(inside)
    fast, slow = float(speed[inside]), float(speed[outside])
    return inside + step * (fast - threshold) / (fast - slow)


def _ramp(
    speed: FloatArray, crossing: float, run: _Run, step: int, threshold: float, longest: float
) -> float:
    """Count the samples between once and twice the threshold, going into the run from one of its ends."""
    begin, stop = (run.first, run.last) if step > 0 else (run.last, run.first)
    for index in range(begin, stop + step, step):
        if speed[index] >= 2.0 * threshold:
            twice = _crossing(speed, index, -step, 2.0 * threshold) if index != begin else float(index)
            return min(abs(twice - crossing), longest)
    return 0.0


def _rest_noise(speed: FloatArray, first: int, last: int) -> float:
    """Spread of the speed outside the phase, robust against what little movement is left there, °/s."""
    rest = np.concatenate((speed[:first], speed[last + 1 :]))
    if len(rest) < 3:
        return _LEAST_REST_NOISE_DEG_S
    spread = float(1.4826 * np.median(np.abs(rest - np.median(rest))))
    return max(spread, _LEAST_REST_NOISE_DEG_S)


def _crossing_sd_s(noise: float, threshold: float, ramp: float, sampling_rate_hz: float) -> float:
    steepness_time = noise * (ramp / sampling_rate_hz) / threshold
    # Half a sample of the device's clock and of the filter's own blur remain even without noise.
    return float(np.hypot(steepness_time, 0.5 / sampling_rate_hz))


def _shifted(span: PhaseSpan, offset_s: float) -> PhaseSpan:
    return PhaseSpan(
        start_s=offset_s + span.start_s,
        end_s=offset_s + span.end_s,
        movement_start_s=offset_s + span.movement_start_s,
        movement_end_s=offset_s + span.movement_end_s,
        start_sd_s=span.start_sd_s,
        end_sd_s=span.end_sd_s,
        peak_deg_s=span.peak_deg_s,
        runs_kept=span.runs_kept,
        runs_dropped=span.runs_dropped,
    )


def _mirrored(span: PhaseSpan, end_s: float) -> PhaseSpan:
    return PhaseSpan(
        start_s=end_s - span.end_s,
        end_s=end_s - span.start_s,
        movement_start_s=end_s - span.movement_end_s,
        movement_end_s=end_s - span.movement_start_s,
        start_sd_s=span.end_sd_s,
        end_sd_s=span.start_sd_s,
        peak_deg_s=span.peak_deg_s,
        runs_kept=span.runs_kept,
        runs_dropped=span.runs_dropped,
    )
