"""Which angle counts the repetitions, with the sensors that are worn."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from analytics.exercises import Side
from analytics.imu import FloatArray, Placement

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analytics.angles import AngleBlock

# More than anyone over-extends standing on the leg, less than a free leg swings back.
_SWINGS_BACK_DEG = 8.0


class DrivingAngle(StrEnum):
    """Which angle counts the repetitions."""

    HIP_FLEXION = "hip_flexion"
    PELVIC_TILT = "pelvic_tilt"
    THIGH_FLEXION = "thigh_flexion"


@dataclass(frozen=True, slots=True)
class Driver:
    """The driving angle that the worn sensors allow.

    Parameters
    ----------
    pelvis, left, right
        Which of the three sensors are worn.

    Raises
    ------
    ValueError
        No sensor at all.
    """

    pelvis: bool
    left: bool
    right: bool

    def __post_init__(self) -> None:
        if not (self.pelvis or self.left or self.right):
            raise ValueError("no sensor is worn on pelvis or thigh: nothing can drive the count")

    @classmethod
    def worn(cls, placements: Iterable[Placement], *, is_walkout: bool = False) -> Driver:
        """Driver for the placements worn; feet that walk bend the hips, so in a walkout the pelvis alone."""
        worn = set(placements)
        if is_walkout and Placement.PELVIS in worn:
            worn = {Placement.PELVIS}
        return cls(Placement.PELVIS in worn, Placement.THIGH_LEFT in worn, Placement.THIGH_RIGHT in worn)

    @property
    def angle(self) -> DrivingAngle:
        """Which angle drives."""
        if not self.pelvis:
            return DrivingAngle.THIGH_FLEXION
        return DrivingAngle.HIP_FLEXION if self.left or self.right else DrivingAngle.PELVIC_TILT

    def for_side(self, side: Side) -> Driver:
        """Driver for one leg's work: the free leg's hip says nothing of it, the pelvis does."""
        if not self.pelvis or side is Side.BOTH:
            return self
        is_worn = self.left if side is Side.LEFT else self.right
        return self if is_worn else Driver(pelvis=True, left=False, right=False)

    @property
    def minimum_amplitude_deg(self) -> float:
        """Smallest movement that can be a repetition, degrees."""
        return 5.0 if self.pelvis else 2.5

    def angle_deg(self, block: AngleBlock, side: Side = Side.BOTH) -> FloatArray:
        """Pick the driving angle of a block.

        Parameters
        ----------
        block
            Angles, relative to standing.
        side
            Working side where it is known: its hip (or thigh) alone. ``BOTH``: the mean of both, which
            single-leg work still moves by half.

        Returns
        -------
        FloatArray
            Degrees, shape (n,), + flexion; NaN where a sensor it needs has no sample.
        """
        if self.angle is DrivingAngle.PELVIC_TILT:
            return block.pelvic_tilt_deg
        if self.pelvis:
            left, right = block.hip_flexion_left_deg, block.hip_flexion_right_deg
        else:
            left, right = block.thigh_flexion_left_deg, block.thigh_flexion_right_deg
        if self.left and self.right:
            if side is Side.BOTH:
                return 0.5 * (left + right)
            return left if side is Side.LEFT else right
        if not self.pelvis:
            return left if self.left else right
        thigh = block.thigh_flexion_left_deg if self.left else block.thigh_flexion_right_deg
        # Worn on the leg that swings back it would cancel the tilt: from there on the tilt drives alone.
        return block.pelvic_tilt_deg + np.maximum(thigh, -_SWINGS_BACK_DEG)


def with_thigh_stood_in(block: AngleBlock) -> AngleBlock:
    """Let the other thigh stand in where one is lost: the count shall go on."""
    left, right = block.thigh_flexion_left_deg, block.thigh_flexion_right_deg
    if math.isfinite(np.vdot(left, right)):
        return block
    left_is_lost, right_is_lost = np.isnan(left), np.isnan(right)
    if not (left_is_lost != right_is_lost).any():
        return block
    hip_left, hip_right = block.hip_flexion_left_deg, block.hip_flexion_right_deg
    return replace(
        block,
        thigh_flexion_left_deg=np.where(left_is_lost, right, left),
        thigh_flexion_right_deg=np.where(right_is_lost, left, right),
        hip_flexion_left_deg=np.where(left_is_lost, hip_right, hip_left),
        hip_flexion_right_deg=np.where(right_is_lost, hip_left, hip_right),
    )
