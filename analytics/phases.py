"""The phases of one finished repetition, by the definition in METRICS.

First and last crossing of a speed threshold over a whole repetition fails, because standing people
sway faster than 3 °/s; so runs of movement are collected around the one that travels most.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from analytics.filters import low_pass_zero_phase
from analytics.true_stretches import true_stretches

if TYPE_CHECKING:
    from analytics.imu import FloatArray


# Between two samples the crossing is drawn as a straight line; at the far end, where it comes to rest and
# turns, the speed is less of one than where the movement begins. In samples, one-sigma.
_BETWEEN_SAMPLES_AT_REST, _BETWEEN_SAMPLES_AT_TURN = 0.16, 0.28
_TRIED_SIGMAS = (1.0, 2.0, 3.0)


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
    neighbour_share, rest_share
        A rise beyond the first part of the repetition's angle, and a return to within the second, is a
        movement of its own: one broken off, or a repetition that was not counted.
    largest_sd_s
        A duration less sure than this is not given: sway hides where it begins or ends.
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
    neighbour_share: float = 0.18
    rest_share: float = 0.1
    largest_sd_s: float = 0.3
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
        One-sigma of the crossings: how far they move with the speed's own error. Sway is no error; where it
        hides the end of a phase, a small error of the speed already moves the crossing far.
    peak_deg_s
        Largest speed in the phase's direction.
    travel_deg
        Angle from start to end.
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
    travel_deg: float
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
    speed_sd_deg_s: float = 0.2,
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
    speed_sd_deg_s
        One-sigma of the smoothed driving angle's speed, degrees/s.
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
    first += _begin_after_neighbour(smooth[first : turn + 1], p)
    # The way back is the way out seen from its end.
    last -= _begin_after_neighbour(smooth[turn : last + 1][::-1], p)
    span = _SpanSearch(sampling_rate_hz, speed_sd_deg_s, p)
    out = span.find(smooth[first : turn + 1], speed[first : turn + 1])
    back = span.find(smooth[turn : last + 1][::-1], -speed[turn : last + 1][::-1])
    if out is None or back is None:
        return None
    return DrivePhases(
        out=_shifted(out, first / sampling_rate_hz),
        back=_mirrored(back, last / sampling_rate_hz),
        turn_index=turn,
    )


def _begin_after_neighbour(angle: FloatArray, p: PhaseParameters) -> int:
    """First sample that is the repetition's own: the middle of its rest after another movement."""
    lowest = float(angle.min())
    whole = float(angle[-1]) - lowest
    resting = np.flatnonzero(angle <= lowest + p.rest_share * whole)
    last_rest = int(resting[-1])
    others = np.flatnonzero(angle[:last_rest] > lowest + p.neighbour_share * whole)
    if len(others) == 0:
        return 0
    first_rest = int(resting[resting > others[-1]][0])
    return (first_rest + last_rest) // 2


@dataclass(frozen=True, slots=True)
class _Run:
    first: int
    last: int  # inclusive
    travel_deg: float


@dataclass(frozen=True, slots=True)
class _Ends:
    """Crossings of one phase in samples, and its outermost runs."""

    start: float
    stop: float
    first: _Run
    last: _Run
    kept: int
    dropped: int


@dataclass(frozen=True, slots=True)
class _SpanSearch:
    """Finds one phase in an angle that grows to its end, and how far its ends may be off."""

    rate_hz: float
    speed_sd_deg_s: float
    p: PhaseParameters

    def find(self, angle: FloatArray, speed: FloatArray) -> PhaseSpan | None:
        peak = float(speed.max())
        if not peak > 0:
            return None
        p, rate_hz = self.p, self.rate_hz
        threshold = min(max(p.speed_deg_s, p.speed_share * peak), p.speed_cap_share * peak)
        ends = self._ends(angle, speed, threshold, 0.0)
        start_sd_s, end_sd_s = self._spread_s(angle, speed, threshold, ends)
        longest_ramp = p.longest_ramp_s * rate_hz
        start_ramp = _ramp(speed, ends.start, ends.first, 1, threshold, longest_ramp)
        stop_ramp = _ramp(speed, ends.stop, ends.last, -1, threshold, longest_ramp)
        return PhaseSpan(
            start_s=ends.start / rate_hz,
            end_s=ends.stop / rate_hz,
            movement_start_s=max(0.0, ends.start - start_ramp) / rate_hz,
            movement_end_s=min(float(len(speed) - 1), ends.stop + stop_ramp) / rate_hz,
            start_sd_s=start_sd_s,
            end_sd_s=end_sd_s,
            peak_deg_s=peak,
            travel_deg=float(angle[ends.last.last] - angle[ends.first.first]),
            runs_kept=ends.kept,
            runs_dropped=ends.dropped,
        )

    def _spread_s(
        self, angle: FloatArray, speed: FloatArray, threshold: float, ends: _Ends
    ) -> tuple[float, float]:
        """One-sigma of both ends: the definition applied with the speed off either way.

        Slow lowerings pause; whether a pause belongs to the phase can hang by a hair. So errors of up to
        three sigma are tried, and the one that moves an end furthest, for its size, counts.
        """
        spreads = [
            self._moved_s(angle, speed, threshold, ends, n_sigma) / n_sigma for n_sigma in _TRIED_SIGMAS
        ]
        start, stop = np.max(spreads, axis=0)
        return (
            math.hypot(_BETWEEN_SAMPLES_AT_REST / self.rate_hz, start),
            math.hypot(_BETWEEN_SAMPLES_AT_TURN / self.rate_hz, stop),
        )

    def _moved_s(
        self, angle: FloatArray, speed: FloatArray, threshold: float, ends: _Ends, n_sigma: float
    ) -> FloatArray:
        """How far start and stop move, in the mean of both ways, with the speed off by so many sigma."""
        error = min(n_sigma * self.speed_sd_deg_s, 0.5 * threshold)
        # A run's travel is off by what the speed's error adds up to over a second and a half.
        travel_deg = 1.5 * n_sigma * self.speed_sd_deg_s
        moved = [
            self._ends(angle, speed, threshold + sign * error, sign * travel_deg) for sign in (1.0, -1.0)
        ]
        away = [(abs(other.start - ends.start), abs(other.stop - ends.stop)) for other in moved]
        return np.asarray(np.mean(away, axis=0) / self.rate_hz, dtype=np.float64)

    def _ends(self, angle: FloatArray, speed: FloatArray, threshold: float, more_deg: float) -> _Ends:
        p = self.p
        runs = _runs(angle, speed > threshold, max_gap=round(p.join_s * self.rate_hz))
        smallest_deg = p.smallest_run_share * float(angle[-1] - angle.min()) + more_deg
        largest = max(range(len(runs)), key=lambda index: runs[index].travel_deg)
        kept = [run for index, run in enumerate(runs) if index == largest or run.travel_deg >= smallest_deg]
        begin = end = kept.index(runs[largest])
        longest_rest = p.rest_s * self.rate_hz
        while begin > 0 and kept[begin].first - kept[begin - 1].last <= longest_rest:
            begin -= 1
        while end + 1 < len(kept) and kept[end + 1].first - kept[end].last <= longest_rest:
            end += 1
        first, last = kept[begin], kept[end]
        return _Ends(
            start=_crossing(speed, first.first, -1, threshold),
            stop=_crossing(speed, last.last, 1, threshold),
            first=first,
            last=last,
            kept=end - begin + 1,
            dropped=len(runs) - (end - begin + 1),
        )


def _runs(angle: FloatArray, moving: np.ndarray[tuple[int], np.dtype[np.bool_]], max_gap: int) -> list[_Run]:
    joined: list[tuple[int, int]] = []
    for begin, after in true_stretches(moving):
        if joined and begin - joined[-1][1] - 1 <= max_gap:
            joined[-1] = (joined[-1][0], after - 1)
        else:
            joined.append((begin, after - 1))
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


def _shifted(span: PhaseSpan, offset_s: float) -> PhaseSpan:
    return replace(
        span,
        start_s=offset_s + span.start_s,
        end_s=offset_s + span.end_s,
        movement_start_s=offset_s + span.movement_start_s,
        movement_end_s=offset_s + span.movement_end_s,
    )


def _mirrored(span: PhaseSpan, end_s: float) -> PhaseSpan:
    return replace(
        span,
        start_s=end_s - span.end_s,
        end_s=end_s - span.start_s,
        movement_start_s=end_s - span.movement_end_s,
        movement_end_s=end_s - span.movement_start_s,
        start_sd_s=span.end_sd_s,
        end_sd_s=span.start_sd_s,
    )
