"""What the uncertainty of a measurement rests on: the worn sensors, and what zero means."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from analytics.uncertainty import SensorQuality, UncertaintyParameters


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
