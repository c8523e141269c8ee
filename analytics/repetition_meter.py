"""One repetition measured over the buffer: orientation without delay, angles, figures."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from analytics.accelerometer_bias import with_true_zero
from analytics.angles import AngleBlock, angles_of
from analytics.exercises import Side
from analytics.imu import Placement
from analytics.measurement import MeasurementParameters, measure_repetition
from analytics.measurement_quality import MeasurementQuality, Zero
from analytics.quaternions import up_in_sensor
from analytics.remeasurement import remeasured
from analytics.repetitions import Driver
from analytics.sensor_errors import (
    ErrorEvidence,
    SensorErrorParameters,
    SensorErrors,
    estimate_errors,
    gather_error_evidence,
)
from analytics.uncertainty import SensorQuality, UncertaintyParameters
from analytics.walkout import measure_walkout

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from analytics.alignment import AlignedBlock
    from analytics.calibration_session import CalibrationSession
    from analytics.history import AlignedHistory
    from analytics.orientation import OrientationParameters
    from analytics.repetition_figures import Repetition
    from analytics.repetitions import Candidate


@dataclass(frozen=True, slots=True)
class MeterParameters:
    """Settings of the meter.

    Parameters
    ----------
    lead_s, trail_s
        Time before and after a repetition that it is measured with. Half as much costs 0.05 degrees.
    measurement
        Constants of the figures.
    sensor_errors
        Settings of the sensors' errors; ``None``: they are not looked for.
    uncertainty
        Constants of the one-sigma figures.
    """

    lead_s: float = 3.0
    trail_s: float = 1.0
    measurement: MeasurementParameters | None = None
    sensor_errors: SensorErrorParameters | None = field(default_factory=SensorErrorParameters)
    uncertainty: UncertaintyParameters = field(default_factory=UncertaintyParameters)


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredRepetition:
    """Figures, and the angles they were taken from, cut to the repetition."""

    repetition: Repetition
    angles: AngleBlock


class RepetitionMeter:
    """Measures repetitions over what is kept of the past.

    Parameters
    ----------
    session
        Calibrations: those that hold when a repetition is measured are used.
    history
        The recent past.
    orientation
        Settings of the orientation filter.
    parameters
        Settings.
    is_walkout
        Bridge walkouts are asked: the pelvis is timed, the steps are looked for.
    """

    def __init__(
        self,
        session: CalibrationSession,
        history: AlignedHistory,
        orientation: OrientationParameters,
        parameters: MeterParameters | None = None,
        *,
        is_walkout: bool = False,
    ) -> None:
        self._session = session
        self._history = history
        self._orientation = orientation
        self._parameters = parameters or MeterParameters()
        self._is_walkout = is_walkout
        self._evidence: dict[Placement, ErrorEvidence] = {}
        self._evidence_until = 0

    def due_index(self, candidate: Candidate) -> int:
        """Grid point at which everything is there that the repetition will be measured with."""
        trail = round(self._parameters.trail_s * self._history.sampling_rate_hz)
        return self._history.index_of(candidate.close_ns) + trail

    def decided_index(self, candidate: Candidate) -> int:
        """Grid point after the sample at which the repetition was counted."""
        return self._history.index_of(candidate.decided_ns) + 1

    def is_kept(self, candidate: Candidate) -> bool:
        """Whether the history still holds a movement, without a hole."""
        first, last = self._history.index_of(candidate.start_ns), self._history.index_of(candidate.close_ns)
        window = self._history.window(first, last)
        return window is not None and (window.first_index, len(window)) == (first, last - first)

    def is_unbroken(self, start_ns: int, end_ns: int) -> bool:
        """Tell whether the count could go on between two moments: no hole too long to be bridged."""
        first, last = self._history.index_of(start_ns), self._history.index_of(end_ns)
        if last <= first:
            return True
        window = self._history.window(first, last)
        if window is None or window.first_index > first:
            return False
        thighs = [p for p in self._session.poses if p is not Placement.PELVIS]
        is_lost = np.zeros(len(window), dtype=np.bool_)
        if thighs:
            is_lost = np.logical_and.reduce([~window.segments[p].is_present for p in thighs])
        if Placement.PELVIS in self._session.poses:
            is_lost = is_lost | ~window.segments[Placement.PELVIS].is_present
        return not bool(is_lost.any())

    def measure(
        self,
        candidate: Candidate,
        until_index: int,
        *,
        choose_side: Callable[[Repetition], Side],
        set_number: int,
        repetition_number: int,
        previous_end_ns: int | None,
        next_start_ns: int | None,
        is_final: bool,
    ) -> MeasuredRepetition:
        """Measure a repetition with the samples before ``until_index``.

        Parameters
        ----------
        candidate
            From the counter.
        until_index
            Grid point after the last sample that may be used.
        choose_side
            Tells the working side from the repetition measured on both.
        set_number, repetition_number, previous_end_ns, next_start_ns
            As for :func:`analytics.measurement.measure_repetition`.
        is_final
            Everything is there; what the repetition says of the sensors is kept for those to come.
        """
        lead = round(self._parameters.lead_s * self._history.sampling_rate_hz)
        window = self._history.window(self._history.index_of(candidate.start_ns) - lead, until_index)
        assert window is not None
        smooth = remeasured(window, self._orientation)
        errors = self._errors(smooth, keep=is_final)
        calibrations = dict(self._session.calibrations)
        if errors:
            smooth = remeasured(_without(window, errors), self._orientation)
            for placement, found in errors.items():
                pose = self._session.poses[placement]
                calibrations[placement] = with_true_zero(
                    calibrations[placement], pose, found.at_rest_m_s2(pose.up_sensor)
                )
        supine = np.full(len(window), candidate.is_supine, dtype=np.bool_)
        angles, _ = angles_of(smooth, calibrations, is_supine=supine)
        worn = [p for p in self._session.poses if float(np.mean(window.segments[p].is_received)) > 0.5]

        quality = self._quality(worn, smooth, errors)

        def figures(side: Side) -> Repetition:
            return measure_repetition(
                angles,
                candidate,
                side,
                driver=Driver.worn(worn, is_walkout=self._is_walkout),
                quality=quality,
                set_number=set_number,
                repetition_number=repetition_number,
                previous_end_ns=previous_end_ns,
                next_start_ns=next_start_ns,
                parameters=self._parameters.measurement,
            )

        repetition = figures(Side.BOTH)
        side = choose_side(repetition)
        if side is not Side.BOTH:
            repetition = figures(side)
        if self._is_walkout:
            repetition = replace(repetition, walkout=measure_walkout(smooth, angles, repetition))
        return MeasuredRepetition(repetition, _cut_to(angles, repetition))

    def _errors(self, smooth: AlignedBlock, *, keep: bool) -> dict[Placement, SensorErrors]:
        """Judge each sensor by all repetitions until now and this one."""
        parameters = self._parameters.sensor_errors
        # Lying, a declared mount is the zero; the still pose is not.
        if parameters is None or self._session.is_supine:
            return {}
        # Windows overlap: what was used once counts no second time.
        first = max(smooth.first_index, min(self._evidence_until, smooth.end_index))
        share = (smooth.end_index - first) / len(smooth)
        evidence = {
            placement: self._evidence.get(placement, ErrorEvidence.nothing())
            + gather_error_evidence(smooth.segments[placement], smooth.sampling_rate_hz, parameters).weighed(
                share
            )
            for placement in self._session.poses
        }
        if keep:
            self._evidence = evidence
            self._evidence_until = smooth.end_index
        return {placement: estimate_errors(known, parameters) for placement, known in evidence.items()}

    def _quality(
        self, worn: Sequence[Placement], smooth: AlignedBlock, errors: Mapping[Placement, SensorErrors]
    ) -> MeasurementQuality:
        sensors = {}
        for placement in worn:
            calibration = self._session.calibrations[placement]
            quality = SensorQuality(
                yaw_sd_deg=calibration.quality_deg, is_forward_known=calibration.is_forward_sure
            )
            if placement in errors:
                ups = up_in_sensor(smooth.segments[placement].earth_from_sensor_wxyz)
                sd_deg = errors[placement].bias_sd_deg(self._session.poses[placement].up_sensor, ups)
                quality = replace(quality, acc_bias_sd_deg=sd_deg)
            sensors[placement] = quality
        zero = Zero.STANDING
        if self._session.is_supine:
            zero = Zero.SUPINE
        elif not all(pose.was_still for pose in self._session.poses.values()):
            zero = Zero.UPRIGHT_GUESS
        return MeasurementQuality(
            pelvis=sensors.get(Placement.PELVIS),
            thigh_left=sensors.get(Placement.THIGH_LEFT),
            thigh_right=sensors.get(Placement.THIGH_RIGHT),
            zero=zero,
            is_smoothed=True,
            uncertainty=self._parameters.uncertainty,
        )


def _without(window: AlignedBlock, errors: Mapping[Placement, SensorErrors]) -> AlignedBlock:
    return replace(
        window,
        segments={
            placement: errors[placement].taken_off(samples) if placement in errors else samples
            for placement, samples in window.segments.items()
        },
    )


def _cut_to(angles: AngleBlock, repetition: Repetition) -> AngleBlock:
    """Angles from start to end of a repetition, rotation relative to its start."""
    first = max(0, angles.index_of(repetition.moving_start_ns))
    last = min(len(angles), angles.index_of(repetition.moving_end_ns) + 1)
    cut = angles.cut(first, last)
    known = cut.pelvic_rotation_deg[np.isfinite(cut.pelvic_rotation_deg)]
    if len(known) == 0:
        return cut
    return replace(cut, pelvic_rotation_deg=cut.pelvic_rotation_deg - known[0])
