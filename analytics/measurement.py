"""One finished repetition measured: phases, ranges, lockout and hinge share, each with its one-sigma."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from analytics.exercises import Side
from analytics.filters import low_pass_zero_phase
from analytics.imu import NANOSECONDS_PER_SECOND
from analytics.phases import DrivePhases, PhaseParameters, PhaseSpan, find_phases
from analytics.repetition_figures import (
    NEXT_NOT_BEGUN,
    Figure,
    Kind,
    Measured,
    Repetition,
    RepetitionStatus,
    Unmeasured,
)
from analytics.repetitions import Candidate, Driver, DrivingAngle
from analytics.uncertainty import SensorQuality, UncertaintyModel, UncertaintyParameters

if TYPE_CHECKING:
    from analytics.angles import AngleBlock
    from analytics.imu import FloatArray


class Zero(StrEnum):
    """What the angles are relative to."""

    STANDING = "standing"
    SUPINE = "supine"
    UPRIGHT_GUESS = "upright_guess"


@dataclass(frozen=True, slots=True)
class MeasurementQuality:
    """What the figures' uncertainty rests on.

    Parameters
    ----------
    pelvis, thigh_left, thigh_right
        The worn sensors; ``None`` where none is worn.
    zero
        What the angles are relative to.
    is_smoothed
        The window was re-measured over the finished repetition.
    uncertainty
        Constants of the model.
    """

    pelvis: SensorQuality | None = None
    thigh_left: SensorQuality | None = None
    thigh_right: SensorQuality | None = None
    zero: Zero = Zero.STANDING
    is_smoothed: bool = False
    uncertainty: UncertaintyParameters = field(default_factory=UncertaintyParameters)


@dataclass(frozen=True, slots=True)
class MeasurementParameters:
    """Constants of the measurement.

    Parameters
    ----------
    phases
        Of the phase definition; its low-pass also smooths the angles whose extremes are taken.
    lockout_s
        The lockout angle is the median over so much time at the top.
    longest_hole_s
        Missing data inside the repetition up to which its ranges are still given.
    smallest_bend_deg
        Tilt and thigh flexion together below which a hinge share says nothing.
    """

    phases: PhaseParameters = field(default_factory=PhaseParameters)
    lockout_s: float = 0.15
    longest_hole_s: float = 0.5
    smallest_bend_deg: float = 5.0


def measure_repetition(
    window: AngleBlock,
    candidate: Candidate,
    side: Side,
    *,
    driver: Driver,
    quality: MeasurementQuality,
    set_number: int,
    repetition_number: int,
    previous_end_ns: int | None = None,
    next_start_ns: int | None = None,
    parameters: MeasurementParameters | None = None,
) -> Repetition:
    """Measure a counted repetition over its own buffer.

    Parameters
    ----------
    window
        Angles from up to 3 s before the candidate's start to up to 2 s after its close; NaN in holes.
    candidate
        From the counter.
    side
        Working side; ``BOTH`` where two legs work or it is not known.
    driver
        The driving angle that the worn sensors allow.
    quality
        For the uncertainties.
    set_number, repetition_number
        From 1.
    previous_end_ns
        End of the previous repetition of the set, if there is one.
    next_start_ns
        Start of the following one, if known.
    parameters
        Constants.

    Returns
    -------
    Repetition
        Every figure, or its reason.

    Raises
    ------
    ValueError
        The candidate does not lie in the window.
    """
    p = parameters if parameters is not None else MeasurementParameters()
    return _Measuring(window, candidate, side, driver, quality, p, previous_end_ns, next_start_ns).repetition(
        set_number, repetition_number
    )


class _Measuring:
    """One measurement under way: the window prepared once, asked for each figure."""

    def __init__(
        self,
        window: AngleBlock,
        candidate: Candidate,
        side: Side,
        driver: Driver,
        quality: MeasurementQuality,
        parameters: MeasurementParameters,
        previous_end_ns: int | None,
        next_start_ns: int | None,
    ) -> None:
        self.window = window
        self.candidate = candidate
        self.side = side
        self.driver = driver
        self.quality = quality
        self.p = parameters
        self.rate_hz = window.sampling_rate_hz
        self.model = UncertaintyModel(quality.is_smoothed, quality.uncertainty)
        self.last = len(window) - 1
        start, close = self._index(candidate.start_ns), self._index(candidate.close_ns)
        if start >= self.last or close <= 0:
            raise ValueError("the candidate does not lie in the window")
        self.start, self.close = max(start, 0), min(close, self.last)
        self.next_start_ns = next_start_ns
        self.drive = driver.angle_deg(window, side)
        self.missing = ~np.isfinite(self.drive)
        self.phases = self._find_phases(previous_end_ns)
        if self.phases is not None:
            self.begin = max(0, round(self.phases.out.start_s * self.rate_hz))
            self.end = min(self.last, round(self.phases.back.end_s * self.rate_hz))
            self.turn = self.phases.turn_index
        else:
            self.begin, self.end = self.start, self.close
            self.turn = min(max(self._index(candidate.bottom_ns), self.start), self.close)

    # --- preparing ---------------------------------------------------------------------------

    def _index(self, time_ns: int) -> int:
        return round((time_ns - self.window.start_time_ns) * self.rate_hz / NANOSECONDS_PER_SECOND)

    def _find_phases(self, previous_end_ns: int | None) -> DrivePhases | None:
        if self.missing.all():
            return None
        drive = _bridged(-self.drive if self.candidate.is_supine else self.drive)
        lead, trail = (round(s * self.rate_hz) for s in (self.p.phases.lead_s, self.p.phases.trail_s))
        first, last = self.start - lead, self.close + trail
        # Half of a pause belongs to each of its neighbours.
        if previous_end_ns is not None:
            first = max(first, min(self.start, (self._index(previous_end_ns) + self.start) // 2))
        if self.next_start_ns is not None:
            last = min(last, max(self.close, (self._index(self.next_start_ns) + self.close) // 2))
        return find_phases(
            drive,
            self.rate_hz,
            first=max(first, 0),
            turn_from=self.start,
            turn_to=self.close,
            last=min(last, self.last),
            parameters=self.p.phases,
        )

    def _hole_at(self, time_s: float) -> bool:
        """Tell whether a boundary lies in bridged data, where it is only drawn by a straight line."""
        middle = time_s * self.rate_hz
        near = self.missing[max(0, math.floor(middle)) : math.ceil(middle) + 1]
        return bool(near.any())

    # --- figures -----------------------------------------------------------------------------

    def repetition(self, set_number: int, repetition_number: int) -> Repetition:
        figures = {**self._timing(), **self._extremes(), **self._changes()}
        figures["lockout_deficit_deg"] = self._lockout()
        figures["hinge_share"] = self._hinge_share()
        values: dict[str, Any] = {name: f.value for name, f in figures.items() if isinstance(f, Measured)}
        c = self.candidate
        return Repetition(
            set_number=set_number,
            repetition_number=repetition_number,
            status=RepetitionStatus.PROVISIONAL if c.is_provisional else RepetitionStatus.CONFIRMED,
            side=self.side,
            is_supine=c.is_supine,
            driving_angle=self.driver.angle,
            start_ns=c.start_ns,
            bottom_ns=c.bottom_ns,
            close_ns=c.close_ns,
            amplitude_deg=c.amplitude_deg,
            **self._boundaries(),
            **values,
            sd=MappingProxyType({n: f.sd for n, f in figures.items() if isinstance(f, Measured)}),
            kind=MappingProxyType(
                {
                    name: f.kind if isinstance(f, Measured) else Kind.NOT_MEASURABLE
                    for name, f in figures.items()
                }
            ),
            reasons=MappingProxyType({n: f.reason for n, f in figures.items() if isinstance(f, Unmeasured)}),
            warnings=self._warnings(),
        )

    def _spans(self) -> tuple[PhaseSpan, PhaseSpan] | None:
        """Eccentric and concentric."""
        if self.phases is None:
            return None
        if self.candidate.is_supine:
            return self.phases.back, self.phases.out
        return self.phases.out, self.phases.back

    def _boundaries(self) -> dict[str, Any]:
        spans = self._spans()
        if spans is None:
            return {}
        times_s = {
            "eccentric_start_ns": spans[0].start_s,
            "eccentric_end_ns": spans[0].end_s,
            "concentric_start_ns": spans[1].start_s,
            "concentric_end_ns": spans[1].end_s,
        }
        return {
            name: self.window.start_time_ns + round(time_s * NANOSECONDS_PER_SECOND)
            for name, time_s in times_s.items()
            if not self._hole_at(time_s)
        }

    def _timing(self) -> dict[str, Figure]:
        spans = self._spans()
        names = ("eccentric_s", "concentric_s", "tut_s", "eccentric_movement_s", "concentric_movement_s")
        pauses = (
            ("top_pause_s", "bottom_pause_s")
            if self.candidate.is_supine
            else ("bottom_pause_s", "top_pause_s")
        )
        if spans is None or self.phases is None:
            reason = Unmeasured("the driving angle does not move steadily enough to be timed")
            return dict.fromkeys((*names, *pauses, "concentric_peak_deg_s"), reason)
        eccentric, concentric = spans
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
            "concentric_peak_deg_s": Measured(concentric.peak_deg_s, 0.02 * concentric.peak_deg_s + 1.0),
        }
        for name, span in (("eccentric_movement_s", eccentric), ("concentric_movement_s", concentric)):
            plain = figures[name.replace("_movement", "")]
            figures[name] = (
                Measured(span.movement_s, 2.0 * plain.sd) if isinstance(plain, Measured) else plain
            )
        return figures

    def _duration(self, start_s: float, end_s: float, start_sd_s: float, end_sd_s: float) -> Figure:
        if self._hole_at(start_s) or self._hole_at(end_s):
            return Unmeasured("data are missing where the phase begins or ends")
        return Measured(end_s - start_s, math.hypot(start_sd_s, end_sd_s))

    def _inside(self, values: FloatArray, absent: str) -> FloatArray | Unmeasured:
        """Smooth an angle and cut it to the repetition."""
        known = np.isfinite(values)
        if not known[self.begin : self.end + 1].any():
            return Unmeasured(absent)
        lost_s = float(np.count_nonzero(~known[self.begin : self.end + 1])) / self.rate_hz
        if lost_s > self.p.longest_hole_s:
            return Unmeasured(f"{lost_s:.1f} s of data are missing in this repetition")
        cutoff_hz = min(self.p.phases.cutoff_hz, 0.4 * self.rate_hz)
        smooth = low_pass_zero_phase(_bridged(values), cutoff_hz, self.rate_hz)
        return smooth[self.begin : self.end + 1]

    def _extremes(self) -> dict[str, Figure]:
        w, q = self.window, self.quality
        no_pelvis = "no pelvis sensor"
        tilt = self._inside(w.pelvic_tilt_deg, no_pelvis)
        figures: dict[str, Figure] = {
            "pelvic_tilt_range_deg": self._range(tilt, q.pelvis),
            "hip_flexion_left_range_deg": self._hip_range(w.hip_flexion_left_deg, q.thigh_left, "left"),
            "hip_flexion_right_range_deg": self._hip_range(w.hip_flexion_right_deg, q.thigh_right, "right"),
        }
        unknown_yaw = (
            no_pelvis if q.pelvis is None else "the pelvis sensor's forward direction is not known yet"
        )
        obliquity = self._inside(w.pelvic_obliquity_deg, unknown_yaw)
        rotation = self._inside(w.pelvic_rotation_deg, unknown_yaw)
        if isinstance(tilt, Unmeasured) or q.pelvis is None:
            missing = tilt if isinstance(tilt, Unmeasured) else Unmeasured(no_pelvis)
            figures["pelvic_obliquity_peak_deg"] = figures["pelvic_rotation_range_deg"] = missing
            return figures
        if isinstance(obliquity, Unmeasured):
            figures["pelvic_obliquity_peak_deg"] = obliquity
        else:
            peak = int(np.argmax(np.abs(obliquity)))
            figures["pelvic_obliquity_peak_deg"] = Measured(
                float(obliquity[peak]), self.model.obliquity_sd_deg(q.pelvis, float(tilt[peak]))
            )
        if isinstance(rotation, Unmeasured):
            figures["pelvic_rotation_range_deg"] = rotation
        else:
            duration_s = (self.end - self.begin) / self.rate_hz
            sd = self.model.rotation_range_sd_deg(q.pelvis, float(np.ptp(tilt)), duration_s)
            figures["pelvic_rotation_range_deg"] = Measured(float(np.ptp(rotation)), sd)
        return figures

    def _range(self, values: FloatArray | Unmeasured, sensor: SensorQuality | None) -> Figure:
        if isinstance(values, Unmeasured):
            return values
        if sensor is None:
            return Unmeasured("no sensor is worn there")
        span = float(np.ptp(values))
        return Measured(span, self.model.inclination_range_sd_deg(sensor, span))

    def _hip_range(self, values: FloatArray, thigh: SensorQuality | None, name: str) -> Figure:
        if self.quality.pelvis is None or thigh is None:
            absent = "pelvis" if self.quality.pelvis is None else f"{name} thigh"
            return Unmeasured(f"no {absent} sensor")
        hip = self._inside(values, f"no data of the {name} hip")
        if isinstance(hip, Unmeasured):
            return hip
        span = float(np.ptp(hip))
        sd = math.hypot(
            self.model.inclination_range_sd_deg(self.quality.pelvis, span),
            self.model.inclination_range_sd_deg(thigh, span),
        )
        return Measured(span, sd)

    def _changes(self) -> dict[str, Figure]:
        w, q = self.window, self.quality
        return {
            name: self._change(values, sensor, absent)
            for name, values, sensor, absent in (
                ("pelvic_tilt_change_deg", w.pelvic_tilt_deg, q.pelvis, "no pelvis sensor"),
                (
                    "thigh_flexion_left_change_deg",
                    w.thigh_flexion_left_deg,
                    q.thigh_left,
                    "no left thigh sensor",
                ),
                (
                    "thigh_flexion_right_change_deg",
                    w.thigh_flexion_right_deg,
                    q.thigh_right,
                    "no right thigh sensor",
                ),
            )
        }

    def _change(self, values: FloatArray, sensor: SensorQuality | None, absent: str) -> Figure:
        inside = self._inside(values, absent)
        if isinstance(inside, Unmeasured):
            return inside
        if sensor is None:
            return Unmeasured(absent)
        change = float(inside[min(max(self.turn - self.begin, 0), len(inside) - 1)] - inside[0])
        return Measured(change, self.model.inclination_range_sd_deg(sensor, change))

    def _lockout(self) -> Figure:
        if self.phases is None:
            return Unmeasured("the end of the repetition could not be timed")
        if self.quality.zero is Zero.SUPINE:
            return Unmeasured("there was no standing to compare with: full extension is not known")
        if self.quality.zero is Zero.UPRIGHT_GUESS:
            return Unmeasured(
                "there was no still standing to compare with: a steady soft lockout cannot be seen"
            )
        hold = round(self.p.lockout_s * self.rate_hz)
        if self.candidate.is_supine:
            # The top of a bridge is its hold; what counts is where it ends up.
            last = round(self.phases.back.start_s * self.rate_hz)
            first = max(round(self.phases.out.end_s * self.rate_hz), last - hold)
        else:
            first = math.ceil(self.phases.back.end_s * self.rate_hz)
            last = first + hold
            if self.next_start_ns is not None:
                last = min(last, self._index(self.next_start_ns))
        top = self.drive[max(0, first) : min(self.last, max(last, first + 2)) + 1]
        top = top[np.isfinite(top)]
        if len(top) < 3:
            return Unmeasured("there are no data at the top")
        value = float(np.median(top))
        kind = Kind.MEASURED if self.driver.angle is DrivingAngle.HIP_FLEXION else Kind.PROXY
        sd = math.hypot(*(self.model.inclination_sd_deg(sensor, value) for sensor in self._driving_sensors()))
        return Measured(value, sd, kind)

    def _driving_sensors(self) -> list[SensorQuality]:
        q = self.quality
        thighs = {Side.LEFT: [q.thigh_left], Side.RIGHT: [q.thigh_right]}.get(
            self.side, [q.thigh_left, q.thigh_right]
        )
        worn_thighs = [thigh for thigh in thighs if thigh is not None]
        # Both thighs are averaged, yet what the skin does is alike on both: one of them speaks for the two.
        return [sensor for sensor in (q.pelvis, *worn_thighs[:1]) if sensor is not None]

    def _hinge_share(self) -> Figure:
        if self.candidate.is_supine:
            return Unmeasured("a bridge has no hinge share")
        changes = self._changes()
        tilt = changes["pelvic_tilt_change_deg"]
        if isinstance(tilt, Unmeasured):
            return tilt
        left, right = changes["thigh_flexion_left_change_deg"], changes["thigh_flexion_right_change_deg"]
        wanted = {Side.LEFT: [left], Side.RIGHT: [right]}.get(self.side, [left, right])
        thighs = [figure for figure in wanted if isinstance(figure, Measured)]
        if not thighs:
            return Unmeasured("no sensor on the working thigh")
        thigh = sum(figure.value for figure in thighs) / len(thighs)
        # The thigh of an upright shin swings back a little: then the whole bend is the pelvis'.
        flexion = max(thigh, 0.0)
        whole = tilt.value + flexion
        if tilt.value <= 0 or whole < self.p.smallest_bend_deg:
            return Unmeasured("the pelvis does not tilt enough for a share")
        sd = math.hypot(flexion * tilt.sd, tilt.value * thighs[0].sd) / whole**2
        return Measured(tilt.value / whole, sd)

    def _warnings(self) -> tuple[str, ...]:
        inside = slice(self.begin, self.end + 1)
        lost_s = float(np.count_nonzero(self.missing[inside])) / self.rate_hz
        warnings = []
        if lost_s > 0:
            warnings.append(f"{lost_s:.2f} s of data are missing in this repetition")
        unsettled = np.count_nonzero(~self.window.is_measured[inside] & ~self.missing[inside]) / self.rate_hz
        if unsettled > 0:
            warnings.append(f"the orientation was still settling for {unsettled:.2f} s of this repetition")
        return tuple(warnings)


def _bridged(values: FloatArray) -> FloatArray:
    known = np.isfinite(values)
    if known.all():
        return values
    positions = np.arange(len(values))
    return np.interp(positions, positions[known], values[known])
