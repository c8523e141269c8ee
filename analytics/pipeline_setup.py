"""What a pipeline is told before it starts: who wears what, what was asked, settings of all stages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analytics.alignment import AlignmentParameters
from analytics.calibration_session import CalibrationParameters, CalibrationSession
from analytics.exercises import Exercise, ExerciseFamily
from analytics.imu import Placement
from analytics.orientation import OrientationParameters
from analytics.posture import PostureParameters
from analytics.repetition_meter import MeterParameters
from analytics.repetitions import CounterParameters
from analytics.sets import SetParameters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analytics.imu import Mount
    from analytics.prescription import Prescription
    from analytics.wearing import Wearing


@dataclass(frozen=True, slots=True)
class AthleteSetup:
    """Who wears what, and what was asked.

    Parameters
    ----------
    mounts
        Mount of each worn sensor; placements that are not named are not worn.
    prescription
        What was asked, if anything.
    wearing
        Calibration kept from an earlier recording, if the sensors have not been taken off since.

    Raises
    ------
    ValueError
        No sensor at all.
    """

    mounts: Mapping[Placement, Mount]
    prescription: Prescription | None = None
    wearing: Wearing | None = None

    def __post_init__(self) -> None:
        if not self.mounts:
            raise ValueError("no sensor is worn: name at least one placement")


@dataclass(frozen=True, slots=True)
class PipelineParameters:
    """Settings of all stages.

    Parameters
    ----------
    orientation, alignment, calibration, posture, counter, meter, sets
        Settings of the stages.
    history_s
        Samples kept for measuring again; a repetition cannot be longer.
    step_s
        Distance of the moments at which a new calibration may begin to hold.
    """

    orientation: OrientationParameters = field(default_factory=OrientationParameters)
    alignment: AlignmentParameters = field(default_factory=AlignmentParameters)
    calibration: CalibrationParameters = field(default_factory=CalibrationParameters)
    posture: PostureParameters = field(default_factory=PostureParameters)
    counter: CounterParameters = field(default_factory=CounterParameters)
    meter: MeterParameters = field(default_factory=MeterParameters)
    sets: SetParameters = field(default_factory=SetParameters)
    history_s: float = 90.0
    step_s: float = 0.1


def prepare_pipeline() -> None:
    """Load what goes over single samples, or compile it: the first set shall not have to wait for it."""
    import analytics.angle_reading  # noqa: PLC0415 - numba takes half a second
    import analytics.counting_steps  # noqa: PLC0415
    import analytics.dead_reckoning_steps  # noqa: PLC0415
    import analytics.filter_steps  # noqa: PLC0415
    import analytics.packet_steps  # noqa: PLC0415
    import analytics.posture_steps  # noqa: F401, PLC0415


def calibration_session(setup: AthleteSetup, parameters: PipelineParameters) -> CalibrationSession:
    """Begin a calibration with what is known before the first sample."""
    mounts = {placement: setup.mounts[placement] for placement in Placement if placement in setup.mounts}
    lying, one_leg = expected_of(setup.prescription)
    return CalibrationSession(
        mounts,
        lying_expected=lying,
        one_leg_declared=one_leg,
        wearing=setup.wearing,
        parameters=parameters.calibration,
        orientation=parameters.orientation,
    )


def expected_of(prescription: Prescription | None) -> tuple[bool | None, bool]:
    """Return whether the athlete will start lying (None: nobody knows), and whether one leg works."""
    exercise = None if prescription is None else prescription.exercise
    if exercise is None:
        return None, False
    return (
        exercise.family is ExerciseFamily.BRIDGE,
        exercise in {Exercise.SINGLE_LEG_DEADLIFT, Exercise.SINGLE_LEG_GLUTE_BRIDGE},
    )
