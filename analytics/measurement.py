"""One finished repetition measured: phases, ranges, lockout and hinge share, each with its one-sigma."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from analytics.exercises import Side
from analytics.filters import low_pass_zero_phase
from analytics.measurement_quality import MeasurementQuality, Zero
from analytics.missing_data import MissingData, bridged
from analytics.phases import PhaseParameters
from analytics.repetition_figures import (
    Figure,
    Kind,
    Measured,
    Repetition,
    RepetitionStatus,
    Unmeasured,
)
from analytics.repetition_timing import RepetitionTiming
from analytics.repetitions import Candidate, Driver, DrivingAngle
from analytics.uncertainty import SensorQuality, UncertaintyModel

if TYPE_CHECKING:
    from analytics.angles import AngleBlock
    from analytics.imu import FloatArray


_HIDDEN = "data are missing where the angle turns"


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
    longest_bridge_s
        A hole up to this long between its ends leaves a phase timed: both ends were seen.
    smallest_bend_deg
        Tilt and thigh flexion together below which a hinge share says nothing.
    """

    phases: PhaseParameters = field(default_factory=PhaseParameters)
    lockout_s: float = 0.15
    longest_hole_s: float = 0.5
    longest_bridge_s: float = 1.0
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
        self.driver = driver.for_side(side)
        self.quality = quality
        self.p = parameters
        self.rate_hz = window.sampling_rate_hz
        self.model = UncertaintyModel(quality.is_smoothed, quality.uncertainty)
        self.last = len(window) - 1
        self.next_start_ns = next_start_ns
        self.drive = self.driver.angle_deg(window, side)
        self.timing = RepetitionTiming(
            self.drive,
            window.start_time_ns,
            self.rate_hz,
            candidate,
            previous_end_ns=previous_end_ns,
            next_start_ns=next_start_ns,
            longest_bridge_s=parameters.longest_bridge_s,
            parameters=parameters.phases,
        )
        self.phases = self.timing.phases
        self.begin, self.turn, self.end = self.timing.begin, self.timing.turn, self.timing.end

    # --- figures -----------------------------------------------------------------------------

    def repetition(self, set_number: int, repetition_number: int) -> Repetition:
        bends = self._bends()
        figures = {**self.timing.figures(), **self._extremes(), **bends}
        figures["lockout_deficit_deg"] = self._lockout()
        figures["hinge_share"] = self._hinge_share(bends)
        values: dict[str, Any] = {name: f.value for name, f in figures.items() if isinstance(f, Measured)}
        values.update(self.timing.boundaries_ns())
        c = self.candidate
        return Repetition(
            set_number=set_number,
            repetition_number=repetition_number,
            status=self._status(),
            side=self.side,
            is_supine=c.is_supine,
            driving_angle=self.driver.angle,
            start_ns=c.start_ns,
            bottom_ns=c.bottom_ns,
            close_ns=c.close_ns,
            amplitude_deg=c.amplitude_deg,
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

    def _status(self) -> RepetitionStatus:
        if self.timing.cut_reason is not None:
            return RepetitionStatus.UNCONFIRMED
        return RepetitionStatus.PROVISIONAL if self.candidate.is_provisional else RepetitionStatus.CONFIRMED

    def _inside(self, values: FloatArray, absent: str) -> FloatArray | Unmeasured:
        """Smooth an angle and cut it to the repetition."""
        missing = MissingData(values, self.rate_hz, self.p.longest_bridge_s)
        if not np.isfinite(values[self.begin : self.end + 1]).any():
            return Unmeasured(absent)
        if self.timing.cut_reason is not None:
            return Unmeasured(self.timing.cut_reason)
        lost_s = missing.lost_s(self.begin, self.end)
        if lost_s > self.p.longest_hole_s:
            return Unmeasured(f"{lost_s:.1f} s of data are missing in this repetition")
        cutoff_hz = min(self.p.phases.cutoff_hz, 0.4 * self.rate_hz)
        smooth = low_pass_zero_phase(bridged(values), cutoff_hz, self.rate_hz)
        inside = smooth[self.begin : self.end + 1]
        return Unmeasured(_HIDDEN) if self._is_hidden(inside, missing) else inside

    def _is_hidden(self, inside: FloatArray, missing: MissingData) -> bool:
        """Tell whether a hole lies where the angle turns: its extreme may be in there."""
        at_rest = (float(inside[0]), float(inside[-1]))
        smallest_deg = self.p.phases.smallest_run_share * float(np.ptp(inside))
        for index in (int(np.argmax(inside)), int(np.argmin(inside))):
            from_rest_deg = min(abs(float(inside[index]) - rest) for rest in at_rest)
            if from_rest_deg > smallest_deg and missing.is_near(self.begin + index):
                return True
        return False

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

    def _bends(self) -> dict[str, Figure]:
        """How far each segment turns: from start to far end, and the thighs from end to end."""
        w, q = self.window, self.quality
        tilt = self._inside(w.pelvic_tilt_deg, "no pelvis sensor")
        figures: dict[str, Figure] = {
            "pelvic_tilt_change_deg": self._change(tilt, q.pelvis, "no pelvis sensor")
        }
        for name, values, sensor in (
            ("left", w.thigh_flexion_left_deg, q.thigh_left),
            ("right", w.thigh_flexion_right_deg, q.thigh_right),
        ):
            absent = f"no {name} thigh sensor"
            thigh = self._inside(values, absent)
            figures[f"thigh_flexion_{name}_change_deg"] = self._change(thigh, sensor, absent)
            figures[f"thigh_flexion_{name}_range_deg"] = self._range(thigh, sensor)
        return figures

    def _change(self, inside: FloatArray | Unmeasured, sensor: SensorQuality | None, absent: str) -> Figure:
        if isinstance(inside, Unmeasured):
            return inside
        if sensor is None:
            return Unmeasured(absent)
        change = float(inside[min(max(self.turn - self.begin, 0), len(inside) - 1)] - inside[0])
        return Measured(change, self.model.inclination_range_sd_deg(sensor, change))

    def _lockout(self) -> Figure:
        if self.phases is None or not self._is_top_seen():
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
                last = min(last, self.timing.index_of(self.next_start_ns))
        top = self.drive[max(0, first) : min(self.last, max(last, first + 2)) + 1]
        top = top[np.isfinite(top)]
        if len(top) < 3:
            return Unmeasured("there are no data at the top")
        value = float(np.median(top))
        kind = Kind.MEASURED if self.driver.angle is DrivingAngle.HIP_FLEXION else Kind.PROXY
        sd = math.hypot(*(self.model.inclination_sd_deg(sensor, value) for sensor in self._driving_sensors()))
        return Measured(value, sd, kind)

    def _is_top_seen(self) -> bool:
        top = "concentric_end_ns" if not self.candidate.is_supine else "eccentric_start_ns"
        return top in self.timing.boundaries_ns()

    def _driving_sensors(self) -> list[SensorQuality]:
        q = self.quality
        thighs = {Side.LEFT: [q.thigh_left], Side.RIGHT: [q.thigh_right]}.get(
            self.side, [q.thigh_left, q.thigh_right]
        )
        worn_thighs = [thigh for thigh in thighs if thigh is not None]
        # Both thighs are averaged, yet what the skin does is alike on both: one of them speaks for the two.
        return [sensor for sensor in (q.pelvis, *worn_thighs[:1]) if sensor is not None]

    def _hinge_share(self, changes: dict[str, Figure]) -> Figure:
        if self.candidate.is_supine:
            return Unmeasured("a bridge has no hinge share")
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
        missing = self.timing.missing
        lost_s = missing.lost_s(self.begin, self.end)
        warnings = []
        if self.timing.cut_reason is not None:
            warnings.append(f"only a part of this repetition was seen: {self.timing.cut_reason}")
        if lost_s > 0:
            warnings.append(f"{lost_s:.2f} s of data are missing in this repetition")
        is_unsettled = ~self.window.is_measured[inside] & ~missing.is_missing[inside]
        unsettled_s = np.count_nonzero(is_unsettled) / self.rate_hz
        if unsettled_s > 0:
            warnings.append(f"the orientation was still settling for {unsettled_s:.2f} s of this repetition")
        return tuple(warnings)
