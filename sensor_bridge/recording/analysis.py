"""What a pipeline said of one recording, gathered: the last word on each repetition, set and sensor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analytics.imu import NANOSECONDS_PER_SECOND, FloatArray
from analytics.pipeline_output import (
    CalibrationEvent,
    PipelineEvent,
    PipelineOutput,
    RepetitionAborted,
    RepetitionEvent,
    RepetitionWithdrawn,
    SetEvent,
)

if TYPE_CHECKING:
    from analytics.angles import AngleBlock
    from analytics.calibration import SegmentCalibration
    from analytics.imu import Placement
    from analytics.repetitions import Aborted

ANGLE_COLUMNS = (
    "pelvic_tilt_deg",
    "pelvic_obliquity_deg",
    "pelvic_rotation_deg",
    "thigh_flexion_left_deg",
    "thigh_flexion_right_deg",
    "hip_flexion_left_deg",
    "hip_flexion_right_deg",
)


class Analysis:
    """Takes a pipeline's outputs in order, keeps what holds in the end.

    Attributes
    ----------
    calibrations
        The last of each sensor.
    repetitions
        Highest revision by (set, repetition); withdrawn ones are gone.
    sets
        Highest revision by set.
    aborted
        Movements broken off, with the set they fell in.
    """

    def __init__(self) -> None:
        self.calibrations: dict[Placement, SegmentCalibration] = {}
        self.repetitions: dict[tuple[int, int], RepetitionEvent] = {}
        self.sets: dict[int, SetEvent] = {}
        self.aborted: list[tuple[int, Aborted]] = []
        self._angles: list[AngleBlock] = []

    @property
    def live_angles(self) -> list[AngleBlock]:
        """All angles as they were first said, in order."""
        return self._angles

    def add(self, output: PipelineOutput) -> None:
        """Take the answer to one push or to the flush."""
        self._angles += output.angles
        for event in output.events:
            self._note(event)

    def _note(self, event: PipelineEvent) -> None:
        match event:
            case CalibrationEvent(calibration=calibration):
                self.calibrations[calibration.placement] = calibration
            case RepetitionEvent(repetition=repetition, revision=revision):
                key = (repetition.set_number, repetition.repetition_number)
                known = self.repetitions.get(key)
                if known is None or revision >= known.revision:
                    self.repetitions[key] = event
            case RepetitionWithdrawn(set_number=set_number, repetition_number=number):
                self.repetitions.pop((set_number, number), None)
            case SetEvent(summary=summary, revision=revision):
                before = self.sets.get(summary.set_number)
                if before is None or revision >= before.revision:
                    self.sets[summary.set_number] = event
            case RepetitionAborted(set_number=set_number, aborted=aborted):
                self.aborted.append((set_number, aborted))

    def angle_columns(self, start_ns: int, end_ns: int, sampling_rate_hz: float) -> dict[str, FloatArray]:
        """Best estimate of all angles on one grid: the columns of the angle file.

        Parameters
        ----------
        start_ns, end_ns
            First and last time wanted, integer ns; the start lies on the grid.
        sampling_rate_hz
            Rate of the grid.

        Returns
        -------
        dict[str, FloatArray]
            ``t`` in s and the columns of FORMATS in degrees, each shape (n,): measured again inside finished
            repetitions, live elsewhere, NaN where nothing was measured.
        """
        n = round((end_ns - start_ns) * sampling_rate_hz / NANOSECONDS_PER_SECOND) + 1
        columns = {name: np.full(n, np.nan) for name in ANGLE_COLUMNS}
        finished = [event.angles for _, event in sorted(self.repetitions.items())]
        for block in [*self._angles, *finished]:
            offset = round((block.start_time_ns - start_ns) * sampling_rate_hz / NANOSECONDS_PER_SECOND)
            first, last = max(0, -offset), min(len(block), n - offset)
            if last <= first:
                continue
            measured = block.is_measured[first:last]
            for name, column in columns.items():
                values = getattr(block, name)[first:last]
                column[offset + first : offset + last] = np.where(measured, values, np.nan)
        times_ns = start_ns + np.rint(np.arange(n) * NANOSECONDS_PER_SECOND / sampling_rate_hz)
        return {"t": times_ns / NANOSECONDS_PER_SECOND, **columns}
