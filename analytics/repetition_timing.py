"""When a repetition's phases begin and end, and which of these moments the data really show."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from analytics.imu import NANOSECONDS_PER_SECOND
from analytics.missing_data import MissingData, bridged
from analytics.phases import DrivePhases, PhaseParameters, PhaseSpan, find_phases
from analytics.repetition_figures import NEXT_NOT_BEGUN, Figure, Measured, Unmeasured

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.imu import FloatArray
    from analytics.repetitions import Candidate
    from analytics.uncertainty import UncertaintyModel


_HOLE_AT_BOUNDARY = "data are missing where the phase begins or ends"
_HOLE_INSIDE = "data are missing in the middle of the phase"
_BEGUN_BEFORE = "the data begin in the middle of the movement"
_SWAYING = "sway hides where the phase begins or ends"
_GOES_ON = "the data end in the middle of the movement"


class RepetitionTiming:
    """Phases of one repetition in its window.

    Parameters
    ----------
    drive_deg
        Driving angle, degrees, shape (n,); NaN in holes.
    start_time_ns, sampling_rate_hz
        Grid of the window.
    candidate
        From the counter.
    previous_end_ns, next_start_ns
        End of the repetition before and start of the one after, where known, integer ns.
    longest_bridge_s
        A hole up to this long between its ends leaves a phase timed: both ends were seen.
    uncertainty
        How sure a speed is.
    parameters
        Constants of the phases.

    Attributes
    ----------
    phases
        ``None`` where the driving angle does not move steadily enough.
    begin, turn, end
        First sample, far end and last sample of the repetition in the window.
    """

    def __init__(
        self,
        drive_deg: FloatArray,
        start_time_ns: int,
        sampling_rate_hz: float,
        candidate: Candidate,
        *,
        previous_end_ns: int | None,
        next_start_ns: int | None,
        longest_bridge_s: float,
        uncertainty: UncertaintyModel,
        parameters: PhaseParameters,
    ) -> None:
        self._start_time_ns = start_time_ns
        self._rate_hz = sampling_rate_hz
        self._candidate = candidate
        self._uncertainty = uncertainty
        self._parameters = parameters
        self._last = len(drive_deg) - 1
        self._previous_end = None if previous_end_ns is None else self.index_of(previous_end_ns)
        start, close = self.index_of(candidate.start_ns), self.index_of(candidate.close_ns)
        if start >= self._last or close <= 0:
            raise ValueError("the candidate does not lie in the window")
        self._start, self._close = max(start, 0), min(close, self._last)
        # A bridge lifts first: seen from rest it goes out like a hinge.
        self._drive_deg = -drive_deg if candidate.is_supine else drive_deg
        self.missing = MissingData(drive_deg, sampling_rate_hz, longest_bridge_s)
        self.phases = self._find_phases(next_start_ns)
        if self.phases is None:
            self.begin, self.end = self._start, self._close
            self.turn = min(max(self.index_of(candidate.bottom_ns), self._start), self._close)
        else:
            self.begin = max(0, round(self.phases.out.start_s * sampling_rate_hz))
            self.end = min(self._last, round(self.phases.back.end_s * sampling_rate_hz))
            self.turn = self.phases.turn_index
        self._unseen = self._unseen_boundaries()

    def index_of(self, time_ns: int) -> int:
        """Sample nearest to a time; may lie outside of the window."""
        return round((time_ns - self._start_time_ns) * self._rate_hz / NANOSECONDS_PER_SECOND)

    def _find_phases(self, next_start_ns: int | None) -> DrivePhases | None:
        if self.missing.is_everything:
            return None
        lead, trail = (round(s * self._rate_hz) for s in (self._parameters.lead_s, self._parameters.trail_s))
        first, last = self._start - lead, self._close + trail
        # Half of a pause belongs to each of its neighbours.
        if self._previous_end is not None:
            first = max(first, min(self._start, (self._previous_end + self._start) // 2))
        if next_start_ns is not None:
            last = min(last, max(self._close, (self.index_of(next_start_ns) + self._close) // 2))
        return find_phases(
            bridged(self._drive_deg),
            self._rate_hz,
            first=max(first, 0),
            turn_from=self._start,
            turn_to=self._close,
            last=min(last, self._last),
            speed_sd_deg_s=self._uncertainty.speed_sd_deg_s(self._parameters.speed_deg_s),
            parameters=self._parameters,
        )

    # --- what was seen -----------------------------------------------------------------------

    def _unseen_boundaries(self) -> dict[float, str]:
        """Boundaries that the data do not show, s from the window's start, with the reason."""
        if self.phases is None:
            return {}
        out, back = self.phases.out, self.phases.back
        unseen = {
            time_s: _HOLE_AT_BOUNDARY
            for time_s in (out.start_s, out.end_s, back.start_s, back.end_s)
            if self.missing.is_near(time_s * self._rate_hz)
        }
        if self._was_begun_before(out.start_s * self._rate_hz):
            unseen[out.start_s] = _BEGUN_BEFORE
        if back.end_s * self._rate_hz > self._last - 1:
            unseen[back.end_s] = _GOES_ON
        return unseen

    def _was_begun_before(self, index: float) -> bool:
        # A moment's rest after the resumption does not end a phase: what lies before it may belong to it.
        resumed = self.missing.resumed_before(index, self._parameters.rest_s)
        if resumed is None or (self._previous_end is not None and resumed < self._previous_end):
            return False
        lowest, farthest = float(np.nanmin(self._drive_deg)), float(np.nanmax(self._drive_deg))
        way_deg = float(self._drive_deg[resumed]) - lowest
        return way_deg > self._parameters.smallest_run_share * (farthest - lowest) or index < resumed + 1

    @property
    def cut_reason(self) -> str | None:
        """Why a part of the repetition is missing; None where it was seen from start to end."""
        if self.phases is None:
            return None
        for time_s in (self.phases.out.start_s, self.phases.back.end_s):
            if self._unseen.get(time_s) in {_BEGUN_BEFORE, _GOES_ON}:
                return self._unseen[time_s]
        return _HOLE_INSIDE if self.missing.breaks(self.begin, self.end) else None

    def warnings(self, is_measured: NDArray[np.bool_]) -> tuple[str, ...]:
        """Tell what limits the figures of this repetition.

        Parameters
        ----------
        is_measured
            False where the orientation was still settling, shape of the window.
        """
        inside = slice(self.begin, self.end + 1)
        lost_s = self.missing.lost_s(self.begin, self.end)
        warnings = []
        if self.cut_reason is not None:
            warnings.append(f"only a part of this repetition was seen: {self.cut_reason}")
        if lost_s > 0:
            warnings.append(f"{lost_s:.2f} s of data are missing in this repetition")
        is_unsettled = ~is_measured[inside] & ~self.missing.is_missing[inside]
        unsettled_s = np.count_nonzero(is_unsettled) / self._rate_hz
        if unsettled_s > 0:
            warnings.append(f"the orientation was still settling for {unsettled_s:.2f} s of this repetition")
        return tuple(warnings)

    # --- figures -----------------------------------------------------------------------------

    def _spans(self, phases: DrivePhases) -> tuple[PhaseSpan, PhaseSpan]:
        """Eccentric and concentric."""
        return (phases.back, phases.out) if self._candidate.is_supine else (phases.out, phases.back)

    def boundaries_ns(self) -> dict[str, int]:
        """Boundaries of the phases that were seen, by field of a repetition, integer ns."""
        if self.phases is None:
            return {}
        eccentric, concentric = self._spans(self.phases)
        times_s = {
            "eccentric_start_ns": eccentric.start_s,
            "eccentric_end_ns": eccentric.end_s,
            "concentric_start_ns": concentric.start_s,
            "concentric_end_ns": concentric.end_s,
        }
        return {
            name: self._start_time_ns + round(time_s * NANOSECONDS_PER_SECOND)
            for name, time_s in times_s.items()
            if time_s not in self._unseen
        }

    def figures(self) -> dict[str, Figure]:
        """Durations, s, and the largest speed of the concentric, degrees/s."""
        names = ("eccentric_s", "concentric_s", "tut_s", "eccentric_movement_s", "concentric_movement_s")
        pauses = ["bottom_pause_s", "top_pause_s"]
        if self._candidate.is_supine:
            pauses.reverse()
        if self.phases is None:
            reason = Unmeasured("the driving angle does not move steadily enough to be timed")
            speeds = ("concentric_peak_deg_s", "concentric_mean_deg_s")
            return dict.fromkeys((*names, *pauses, *speeds), reason)
        eccentric, concentric = self._spans(self.phases)
        out, back = self.phases.out, self.phases.back
        figures: dict[str, Figure] = {
            "eccentric_s": self._duration(
                eccentric.start_s, eccentric.end_s, eccentric.start_sd_s, eccentric.end_sd_s
            ),
            "concentric_s": self._duration(
                concentric.start_s, concentric.end_s, concentric.start_sd_s, concentric.end_sd_s
            ),
            "tut_s": self._duration(out.start_s, back.end_s, out.start_sd_s, back.end_sd_s),
            pauses[0]: self._duration(out.end_s, back.start_s, out.end_sd_s, back.start_sd_s),
            pauses[1]: Unmeasured(NEXT_NOT_BEGUN),
            "concentric_peak_deg_s": self._speed(concentric, concentric.peak_deg_s),
            "concentric_mean_deg_s": self._speed(
                concentric, concentric.travel_deg / max(concentric.duration_s, 1e-3)
            ),
        }
        for name, span in (("eccentric_movement_s", eccentric), ("concentric_movement_s", concentric)):
            plain = figures[name.replace("_movement", "")]
            figures[name] = (
                Measured(span.movement_s, 1.8 * plain.sd) if isinstance(plain, Measured) else plain
            )
        return figures

    def _duration(self, start_s: float, end_s: float, start_sd_s: float, end_sd_s: float) -> Figure:
        for time_s in (start_s, end_s):
            if time_s in self._unseen:
                return Unmeasured(self._unseen[time_s])
        if self.missing.breaks(start_s * self._rate_hz, end_s * self._rate_hz):
            return Unmeasured(_HOLE_INSIDE)
        sd_s = math.hypot(start_sd_s, end_sd_s)
        if sd_s > self._parameters.largest_sd_s:
            return Unmeasured(_SWAYING)
        return Measured(end_s - start_s, sd_s)

    def _speed(self, concentric: PhaseSpan, speed_deg_s: float) -> Figure:
        if self.missing.is_near(concentric.start_s * self._rate_hz, concentric.end_s * self._rate_hz):
            return Unmeasured(_HOLE_INSIDE)
        for time_s in (concentric.start_s, concentric.end_s):
            if time_s in self._unseen:
                return Unmeasured(self._unseen[time_s])
        return Measured(speed_deg_s, self._uncertainty.speed_sd_deg_s(speed_deg_s))
