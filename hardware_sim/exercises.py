"""What a virtual athlete can do: how far each joint goes in each exercise."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Exercise(StrEnum):
    """Exercise codes of METRICS that the virtual athlete can do, and plain standing."""

    ROMANIAN_DEADLIFT = "romanian_deadlift"
    DEADLIFT = "deadlift"
    HIP_HINGE = "hip_hinge"
    MICRO_HINGE = "micro_hinge"
    SINGLE_LEG_DEADLIFT = "single_leg_deadlift"
    KICKSTAND_DEADLIFT = "kickstand_deadlift"
    GLUTE_BRIDGE = "glute_bridge"
    SINGLE_LEG_GLUTE_BRIDGE = "single_leg_glute_bridge"
    GLUTE_BRIDGE_WALKOUT = "glute_bridge_walkout"
    SQUAT = "squat"
    SIT_TO_STAND = "sit_to_stand"
    WALK = "walk"
    STANDING = "standing"


class Side(StrEnum):
    """Working side."""

    BOTH = "both"
    LEFT = "left"
    RIGHT = "right"


class Stance(StrEnum):
    """What carries the athlete."""

    BOTH_FEET = "both_feet"
    ONE_FOOT = "one_foot"
    SPLIT = "split"
    SHOULDERS = "shoulders"
    GAIT = "gait"


@dataclass(frozen=True, slots=True)
class Movement:
    """Change of the segments from the start to full depth (bridges: from lying to the top).

    Parameters
    ----------
    stance
        What carries the athlete.
    tilt_deg
        Pelvic tilt at depth.
    thigh_deg
        Thigh flexion of the working leg at depth.
    shank_deg
        Forward lean of the shank at depth; negative where the hips travel back.
    tilt_bump_deg
        Additional tilt half-way: the pelvis tilts on while the knees bend.
    free_hip_deg
        Change of the free hip's flexion at depth (single-leg work).
    sway
        Sway relative to quiet standing on two feet.
    """

    stance: Stance
    tilt_deg: float = 0.0
    thigh_deg: float = 0.0
    shank_deg: float = 0.0
    tilt_bump_deg: float = 0.0
    free_hip_deg: float = 0.0
    sway: float = 1.0


MOVEMENTS: Final = {
    Exercise.ROMANIAN_DEADLIFT: Movement(Stance.BOTH_FEET, tilt_deg=56.0, thigh_deg=21.0, shank_deg=-4.0),
    Exercise.DEADLIFT: Movement(
        Stance.BOTH_FEET, tilt_deg=48.0, thigh_deg=46.0, shank_deg=10.0, tilt_bump_deg=7.0
    ),
    Exercise.HIP_HINGE: Movement(Stance.BOTH_FEET, tilt_deg=44.0, thigh_deg=14.0, shank_deg=-5.0),
    Exercise.MICRO_HINGE: Movement(Stance.BOTH_FEET, tilt_deg=9.0, thigh_deg=5.0, shank_deg=-3.0),
    Exercise.SINGLE_LEG_DEADLIFT: Movement(
        Stance.ONE_FOOT, tilt_deg=60.0, thigh_deg=20.0, shank_deg=-2.0, free_hip_deg=9.0, sway=1.7
    ),
    Exercise.KICKSTAND_DEADLIFT: Movement(
        Stance.SPLIT, tilt_deg=50.0, thigh_deg=20.0, shank_deg=-3.0, sway=1.2
    ),
    Exercise.GLUTE_BRIDGE: Movement(Stance.SHOULDERS, tilt_deg=-23.5, sway=0.5),
    Exercise.SINGLE_LEG_GLUTE_BRIDGE: Movement(Stance.SHOULDERS, tilt_deg=-20.0, free_hip_deg=-8.0, sway=0.8),
    Exercise.GLUTE_BRIDGE_WALKOUT: Movement(Stance.SHOULDERS, tilt_deg=-22.0, sway=0.6),
    Exercise.SQUAT: Movement(
        Stance.BOTH_FEET, tilt_deg=26.0, thigh_deg=72.0, shank_deg=24.0, tilt_bump_deg=6.0
    ),
    Exercise.SIT_TO_STAND: Movement(
        Stance.BOTH_FEET, tilt_deg=-4.0, thigh_deg=74.0, shank_deg=8.0, tilt_bump_deg=28.0
    ),
    Exercise.WALK: Movement(Stance.GAIT),
    Exercise.STANDING: Movement(Stance.BOTH_FEET),
}

ONE_SIDED: Final = frozenset(
    exercise
    for exercise, movement in MOVEMENTS.items()
    if movement.stance in (Stance.ONE_FOOT, Stance.SPLIT) or exercise is Exercise.SINGLE_LEG_GLUTE_BRIDGE
)
