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
from analytics.pelvis_course import PelvisCourse, hinge_share
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
from analytics.steadiness import smoothness, steadiness_figures
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
            uncertainty=self.model,
            parameters=parameters.phases,
        )
        self.phases = self.timing.phases
        self.begin, self.turn, self.end = self.timing.begin, self.timing.turn, self.timing.end

    # --- figures -----------------------------------------------------------------------------

    def repetition(self, set_number: int, repetition_number: int) -> Repetition:
        tilt = self._inside(self.window.pelvic_tilt_deg, "no pelvis sensor")
        bends = self._bends(tilt)
        figures = {**self.timing.figures(), **self._extremes(tilt), **bends}
        figures["lockout_deficit_deg"] = self._lockout()
        figures["hinge_share"] = self._hinge_share(bends)
        figures["smoothness"] = self._smoothness()
        steady, burst = steadiness_figures(
            np.degrees(self.window.gyr_segment_rad_s),
            self.rate_hz,
            slice(self.begin, self.end + 1),
            self.quality.pelvis,
            self.timing.cut_reason,
        )
        figures.update(steady, balance_burst_deg_s=burst.rate)
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
            balance_burst_direction=burst.direction,
            warnings=self.timing.warnings(self.window.is_measured),
        )

    def _status(self) -> RepetitionStatus:
        if self.timing.cut_reason is not None:
            return RepetitionStatus.UNCONFIRMED
        return RepetitionStatus.PROVISIONAL if self.candidate.is_provisional else RepetitionStatus.CONFIRMED

    def _inside(self, values: FloatArray, absent: str) -> FloatArray | Unmeasured:
        """Smooth an angle and cut it to the repetition."""
        missing = MissingData(values, self.rate_hz, self.p.longest_bridge_s)
        if missing.is_missing[self.begin : self.end + 1].all():
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
        if missing.is_nowhere:
            return False
        at_rest = (float(inside[0]), float(inside[-1]))
        smallest_deg = self.p.phases.smallest_run_share * float(np.ptp(inside))
        for index in (int(np.argmax(inside)), int(np.argmin(inside))):
            from_rest_deg = min(abs(float(inside[index]) - rest) for rest in at_rest)
            if from_rest_deg > smallest_deg and missing.is_near(self.begin + index):
                return True
        return False

    def _extremes(self, tilt: FloatArray | Unmeasured) -> dict[str, Figure]:
        figures: dict[str, Figure] = {
            "pelvic_tilt_range_deg": self._range(tilt, self.quality.pelvis),
            "hip_flexion_left_range_deg": self._hip_range(Side.LEFT),
            "hip_flexion_right_range_deg": self._hip_range(Side.RIGHT),
        }
        return {**figures, **self._course(tilt).figures(self.p.smallest_bend_deg)}

    def _course(self, tilt: FloatArray | Unmeasured) -> PelvisCourse:
        w, q = self.window, self.quality
        unknown = (
            "no pelvis sensor"
            if q.pelvis is None
            else "the pelvis sensor's forward direction is not known yet"
        )
        no_thigh = "no sensor on the working thigh"
        thighs = {
            Side.LEFT: [(q.thigh_left, w.thigh_flexion_left_deg)],
            Side.RIGHT: [(q.thigh_right, w.thigh_flexion_right_deg)],
        }.get(
            self.side, [(q.thigh_left, w.thigh_flexion_left_deg), (q.thigh_right, w.thigh_flexion_right_deg)]
        )
        worn = [(sensor, angle) for sensor, angle in thighs if sensor is not None]
        return PelvisCourse(
            tilt_deg=tilt,
            obliquity_deg=self._inside(w.pelvic_obliquity_deg, unknown),
            rotation_deg=self._inside(w.pelvic_rotation_deg, unknown),
            thigh_deg=self._inside(np.mean([angle for _, angle in worn], axis=0), no_thigh)
            if worn
            else Unmeasured(no_thigh),
            phases=self._phase_slices(),
            sampling_rate_hz=self.rate_hz,
            side=self.side,
            is_supine=self.candidate.is_supine,
            pelvis=q.pelvis,
            thigh=worn[0][0] if worn else None,
            model=self.model,
        )

    def _phase_slices(self) -> dict[str, slice]:
        """Cut the repetition into phases, in samples from its start; a bridge into none."""
        if self.phases is None or self.candidate.is_supine:
            return {}
        out, back = self.phases.out, self.phases.back
        edges = [
            round(at_s * self.rate_hz) - self.begin
            for at_s in (out.start_s, out.end_s, back.start_s, back.end_s)
        ]
        names = ("eccentric", "bottom", "concentric")
        return {
            name: slice(max(0, first), last + 1)
            for name, first, last in zip(names, edges[:-1], edges[1:], strict=True)
        }

    def _smoothness(self) -> Figure:
        if self.phases is None:
            return Unmeasured("the end of the repetition could not be timed")
        if self.timing.missing.lost_s(self.begin, self.end) > 0.0:
            return Unmeasured("data are missing in this repetition")
        span = self.phases.out if self.candidate.is_supine else self.phases.back
        first, last = (round(at_s * self.rate_hz) for at_s in (span.movement_start_s, span.movement_end_s))
        speed = np.abs(np.gradient(bridged(self.drive)) * self.rate_hz)
        return smoothness(speed[max(0, first) : last + 1], self.rate_hz)

    def _range(self, values: FloatArray | Unmeasured, sensor: SensorQuality | None) -> Figure:
        if isinstance(values, Unmeasured):
            return values
        if sensor is None:
            return Unmeasured("no sensor is worn there")
        span = float(np.ptp(values))
        return Measured(span, self.model.inclination_range_sd_deg(sensor, span))

    def _hip_range(self, side: Side) -> Figure:
        w, q = self.window, self.quality
        is_left = side is Side.LEFT
        thigh = q.thigh_left if is_left else q.thigh_right
        if q.pelvis is None or thigh is None:
            absent = "pelvis" if q.pelvis is None else f"{side} thigh"
            return Unmeasured(f"no {absent} sensor")
        if self.side not in (Side.BOTH, side) and not thigh.is_forward_known:
            return Unmeasured(f"whether the free {side} thigh swings forward or back is not known yet")
        hip = self._inside(
            w.hip_flexion_left_deg if is_left else w.hip_flexion_right_deg, f"no data of the {side} hip"
        )
        if isinstance(hip, Unmeasured):
            return hip
        parts = (
            (q.pelvis, w.pelvic_tilt_deg),
            (thigh, w.thigh_flexion_left_deg if is_left else w.thigh_flexion_right_deg),
        )
        sds = (
            self.model.inclination_range_sd_deg(sensor, float(np.nanmax(inside) - np.nanmin(inside)))
            for sensor, inside in ((sensor, angle[self.begin : self.end + 1]) for sensor, angle in parts)
        )
        return Measured(float(np.ptp(hip)), math.hypot(*sds))

    def _bends(self, tilt: FloatArray | Unmeasured) -> dict[str, Figure]:
        """How far each segment turns: from start to far end, and the thighs from end to end."""
        w, q = self.window, self.quality
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
        turned_deg = float(np.nanmax(self.drive) - np.nanmin(self.drive))
        sensors = self._driving_sensors()
        sd = math.hypot(
            *(self.model.inclination_sd_deg(one, value, turned_deg / len(sensors)) for one in sensors)
        )
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
        left, right = changes["thigh_flexion_left_change_deg"], changes["thigh_flexion_right_change_deg"]
        wanted = {Side.LEFT: [left], Side.RIGHT: [right]}.get(self.side, [left, right])
        return hinge_share(changes["pelvic_tilt_change_deg"], wanted, self.p.smallest_bend_deg)
