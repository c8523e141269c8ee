"""The words for what is trained and on which side (METRICS: exercises)."""

from __future__ import annotations

from enum import StrEnum


class Side(StrEnum):
    """The working side of a repetition or set."""

    BOTH = "both"
    LEFT = "left"
    RIGHT = "right"

    @property
    def opposite(self) -> Side:
        """The free side of single-leg work; ``BOTH`` has no opposite but itself."""
        return {Side.LEFT: Side.RIGHT, Side.RIGHT: Side.LEFT}.get(self, Side.BOTH)


class ExerciseFamily(StrEnum):
    """What sensors can tell apart; the code inside a family comes from the prescription."""

    HINGE = "hinge"
    MICRO = "micro"
    SINGLE_LEG = "single_leg"
    BRIDGE = "bridge"
    SQUAT = "squat"
    OTHER = "other"


class Exercise(StrEnum):
    """Exercise codes, and what must not be taken for them."""

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
    LUNGE = "lunge"
    SIT_TO_STAND = "sit_to_stand"
    WALK = "walk"
    STAIRS = "stairs"
    JUMP = "jump"
    OTHER = "other"

    @property
    def family(self) -> ExerciseFamily:
        """The family sensors can confirm or contradict."""
        return _FAMILIES.get(self, ExerciseFamily.OTHER)


_FAMILIES = {
    Exercise.ROMANIAN_DEADLIFT: ExerciseFamily.HINGE,
    Exercise.DEADLIFT: ExerciseFamily.HINGE,
    Exercise.HIP_HINGE: ExerciseFamily.HINGE,
    # A few degrees of the rear thigh are all that tells a kickstand from a hinge: too little to contradict.
    Exercise.KICKSTAND_DEADLIFT: ExerciseFamily.HINGE,
    Exercise.MICRO_HINGE: ExerciseFamily.MICRO,
    Exercise.SINGLE_LEG_DEADLIFT: ExerciseFamily.SINGLE_LEG,
    Exercise.GLUTE_BRIDGE: ExerciseFamily.BRIDGE,
    Exercise.SINGLE_LEG_GLUTE_BRIDGE: ExerciseFamily.BRIDGE,
    Exercise.GLUTE_BRIDGE_WALKOUT: ExerciseFamily.BRIDGE,
    Exercise.SQUAT: ExerciseFamily.SQUAT,
    Exercise.SIT_TO_STAND: ExerciseFamily.SQUAT,
}
