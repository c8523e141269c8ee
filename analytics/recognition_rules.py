"""Rules that name the family of a set: posture, angles, and the two thighs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analytics.exercises import Exercise, Side
from analytics.set_look import UNEVEN_DEG

if TYPE_CHECKING:
    from analytics.set_look import SetLook


@dataclass(frozen=True, slots=True)
class RecognitionParameters:
    """Limits of the rules.

    Parameters
    ----------
    swing_share
        The free thigh swings back by more than this part of the tilt in single-leg work.
    swing_share_alone
        The same where no other thigh is there to compare with.
    single_leg_tilt_deg
        Smallest tilt of single-leg work.
    micro_hip_deg, micro_share
        A micro hinge bends the hip less than this and keeps at least this hinge share.
    squat_share
        Below this hinge share it is a squat or a chair.
    lunge_difference_deg
        And a lunge where one thigh flexes so much more than the other.
    chair_thigh_deg, chair_togetherness
        A thigh that flexes by the first while the pelvis does not tilt belongs to somebody who sits down; so
        does one whose pelvis and thigh move together less than the second.
    side_ratio
        Ratio of the hip ranges from which one side works.
    side_difference_deg
        Least difference of the hip ranges for one side to work.
    bridge_difference_deg, bridge_difference_share
        Difference of the thighs' travel in a single-leg bridge: degrees, and part of the larger.
    deadlift_share
        Below this hinge share a full hinge bends the knees like a deadlift.
    full_hip_deg
        Hip range from which a hinge is as deep as a Romanian deadlift.
    hinge_tilt_deg
        Tilt from which a pelvis alone suggests a hinge.
    least_agreement
        Part of the repetitions (of three or more) that must look like the set as a whole.
    """

    swing_share: float = 0.35
    swing_share_alone: float = 0.45
    single_leg_tilt_deg: float = 20.0
    micro_hip_deg: float = 25.0
    micro_share: float = 0.42
    squat_share: float = 0.5
    lunge_difference_deg: float = 35.0
    chair_thigh_deg: float = 25.0
    chair_togetherness: float = 0.85
    side_ratio: float = 1.35
    side_difference_deg: float = 8.0
    bridge_difference_deg: float = 3.0
    bridge_difference_share: float = 0.12
    deadlift_share: float = 0.65
    full_hip_deg: float = 64.0
    hinge_tilt_deg: float = 35.0
    least_agreement: float = 0.6


@dataclass(frozen=True, slots=True)
class Seen:
    """What the sensors alone say of a set.

    Parameters
    ----------
    exercise
        The most likely one.
    confidence, family_confidence
        That it is this one, and that it is one of its family, 0 to 1.
    why
        What limits the confidence, or nothing.
    side
        Working side where the movement of a free leg shows it.
    """

    exercise: Exercise
    confidence: float
    family_confidence: float
    why: str = ""
    side: Side = Side.BOTH


SURE = 0.9
CODE_INSIDE_FAMILY = 0.6
WHICH_HINGE = "which hinge it was, only a prescription knows"
NO_ONE_EXERCISE = "the repetitions of this set differ: no one exercise fits them"
_A_CHAIR_LOOKS_ALIKE = "a squat and rising from a chair look alike to pelvis and thighs"


def seen_by_rules(look: SetLook, p: RecognitionParameters) -> Seen:
    """Name a set by rules alone.

    Parameters
    ----------
    look
        Medians of the set.
    p
        Limits.
    """
    if look.is_supine:
        return _seen_supine(look, p)
    if look.tilt_deg is None:
        return _other("a thigh sensor alone does not tell one exercise from another")
    if not look.has_thigh:
        why = "without a thigh sensor a hinge cannot be told from a squat or a chair"
        return Seen(Exercise.HIP_HINGE, 0.6, 0.6, why) if look.tilt_deg > p.hinge_tilt_deg else _other(why)
    standing_leg = _standing_leg(look, p)
    if standing_leg is not None:
        return Seen(Exercise.SINGLE_LEG_DEADLIFT, SURE, SURE, side=standing_leg)
    if look.share is None or look.hip_deg is None:
        if look.thigh_deg is not None and look.thigh_deg > p.chair_thigh_deg:
            return Seen(Exercise.SIT_TO_STAND, 0.8, SURE, _A_CHAIR_LOOKS_ALIKE)
        return _other("the pelvis hardly tilts: no hinge share")
    if look.hip_deg < p.micro_hip_deg and look.share > p.micro_share:
        return Seen(Exercise.MICRO_HINGE, SURE, SURE)
    if look.share < p.squat_share or _is_lunge(look, p):
        return _seen_squatting(look, p)
    if look.thigh_difference_deg > UNEVEN_DEG:
        return _other("the two thighs flex too differently for a hinge")
    if look.share < p.deadlift_share:
        return Seen(Exercise.DEADLIFT, CODE_INSIDE_FAMILY, SURE, WHICH_HINGE)
    if look.hip_deg < p.full_hip_deg:
        return Seen(Exercise.HIP_HINGE, CODE_INSIDE_FAMILY, SURE, WHICH_HINGE)
    return Seen(Exercise.ROMANIAN_DEADLIFT, CODE_INSIDE_FAMILY, SURE, WHICH_HINGE)


def _other(why: str) -> Seen:
    return Seen(Exercise.OTHER, 0.5, 0.5, why)


def _standing_leg(look: SetLook, p: RecognitionParameters) -> Side | None:
    """Leg that stands while the other swings back with the pelvis; ``None`` where none does."""
    tilt = look.tilt_deg
    if tilt is None or tilt <= p.single_leg_tilt_deg:
        return None
    left, right = look.left_deg, look.right_deg
    if left is not None and right is not None:
        if min(left, right) >= -p.swing_share * tilt:
            return None
        return Side.RIGHT if left < right else Side.LEFT
    if left is not None and left < -p.swing_share_alone * tilt:
        return Side.RIGHT
    if right is not None and right < -p.swing_share_alone * tilt:
        return Side.LEFT
    return None


def _is_lunge(look: SetLook, p: RecognitionParameters) -> bool:
    if look.left_deg is None or look.right_deg is None or look.tilt_deg is None:
        return False
    front, rear = max(look.left_deg, look.right_deg), min(look.left_deg, look.right_deg)
    return front - rear > p.lunge_difference_deg and look.tilt_deg < p.squat_share * (look.tilt_deg + front)


def _seen_squatting(look: SetLook, p: RecognitionParameters) -> Seen:
    if _is_lunge(look, p):
        return Seen(Exercise.LUNGE, 0.7, 0.7, "a lunge and a split squat look alike to pelvis and thighs")
    sits = look.togetherness is not None and look.togetherness < p.chair_togetherness
    return Seen(Exercise.SIT_TO_STAND if sits else Exercise.SQUAT, 0.8, SURE, _A_CHAIR_LOOKS_ALIKE)


def _seen_supine(look: SetLook, p: RecognitionParameters) -> Seen:
    if look.left_deg is not None and look.right_deg is not None:
        difference = abs(look.left_deg - look.right_deg)
        larger = max(abs(look.left_deg), abs(look.right_deg))
        if difference > max(p.bridge_difference_deg, p.bridge_difference_share * larger):
            return Seen(
                Exercise.SINGLE_LEG_GLUTE_BRIDGE,
                CODE_INSIDE_FAMILY,
                SURE,
                "how the free leg is held decides whether a single-leg bridge shows",
            )
        return Seen(Exercise.GLUTE_BRIDGE, SURE, SURE)
    if look.tilt_deg is not None:
        why = "without both thighs a single-leg bridge does not show"
        return Seen(Exercise.GLUTE_BRIDGE, 0.7, 0.7, why)
    if look.has_pelvis:
        why = "nothing of it could be measured but that the hips were lifted lying"
        return Seen(Exercise.GLUTE_BRIDGE, CODE_INSIDE_FAMILY, CODE_INSIDE_FAMILY, why)
    return _other("a thigh alone does not tell a bridge from other work on the back")
