"""Which exercise was it: ordered rules over a finished set, with honest confidence.

The family comes from the sensors, the code inside a family from the prescription. What was declared
wins; where the sensors see something else, that is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from analytics.exercises import Exercise, ExerciseFamily, Side

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.prescription import Prescription
    from analytics.repetition_figures import Repetition


@dataclass(frozen=True, slots=True)
class RecognitionParameters:
    """Limits of the rules.

    Parameters
    ----------
    swing_share
        The free thigh swings back by more than this part of the tilt in single-leg work.
    single_leg_tilt_deg
        Smallest tilt of single-leg work.
    micro_hip_deg, micro_share
        A micro hinge bends the hip less than this and keeps at least this hinge share.
    squat_share
        Below this hinge share it is a squat or a chair.
    side_ratio
        Ratio of the hip ranges from which one side works.
    side_difference_deg
        Least difference of the hip ranges for one side to work.
    bridge_difference_deg, bridge_difference_share
        Difference of the thighs' travel in a single-leg bridge: degrees, and part of the larger.
    deadlift_share
        Below this hinge share a full hinge bends the knees like a deadlift.
    full_hip_deg
        Hip range from which a hinge is a full one.
    hinge_tilt_deg
        Tilt from which a pelvis alone suggests a hinge.
    """

    swing_share: float = 0.35
    single_leg_tilt_deg: float = 20.0
    micro_hip_deg: float = 25.0
    micro_share: float = 0.45
    squat_share: float = 0.5
    side_ratio: float = 1.35
    side_difference_deg: float = 8.0
    bridge_difference_deg: float = 3.0
    bridge_difference_share: float = 0.12
    deadlift_share: float = 0.65
    full_hip_deg: float = 50.0
    hinge_tilt_deg: float = 35.0


@dataclass(frozen=True, slots=True)
class Recognition:
    """The exercise of a set.

    Parameters
    ----------
    exercise
        Declared, or recognised.
    confidence
        0 to 1; at most 0.7 without a thigh sensor.
    side
        Working side.
    seen
        What the sensors alone would say.
    warnings
        Where they contradict what was declared, and why the confidence is low.
    """

    exercise: Exercise
    confidence: float
    side: Side
    seen: Exercise
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Look:
    """Medians over the set; ``None`` where no sensor shows it."""

    is_supine: bool
    tilt_deg: float | None
    left_deg: float | None
    right_deg: float | None
    hip_deg: float | None
    share: float | None

    @property
    def has_thigh(self) -> bool:
        return self.left_deg is not None or self.right_deg is not None


# A pelvis alone cannot tell a hinge from a squat or a chair.
_MOST_WITHOUT_THIGHS = 0.7
_SURE_FAMILY = 0.9
_CODE_INSIDE_FAMILY = 0.6


def recognise(
    repetitions: Sequence[Repetition],
    prescription: Prescription | None = None,
    parameters: RecognitionParameters | None = None,
) -> Recognition:
    """Name the exercise and the side of a set.

    Parameters
    ----------
    repetitions
        Of one set.
    prescription
        What was declared.
    parameters
        Limits of the rules.
    """
    p = parameters if parameters is not None else RecognitionParameters()
    look = _look(repetitions)
    seen, confidence, why = _seen(look, p)
    side = working_side(repetitions, p)
    if seen is Exercise.SINGLE_LEG_DEADLIFT and look.left_deg is not None and look.right_deg is not None:
        side = Side.RIGHT if look.left_deg < look.right_deg else Side.LEFT
    warnings = [why] if why else []
    if prescription is None:
        return Recognition(seen, confidence, side, seen, tuple(warnings))

    declared = prescription.exercise
    if prescription.side is not None:
        if side not in (Side.BOTH, prescription.side):
            warnings.append(f"{prescription.side} was asked, the {side} hip worked more")
        side = prescription.side
    if declared.family is seen.family or _is_alike(declared, seen):
        agreed = _SURE_FAMILY if look.has_thigh else _MOST_WITHOUT_THIGHS
        return Recognition(declared, agreed, side, seen, tuple(warnings))
    if not look.has_thigh and not look.is_supine and declared.family is not ExerciseFamily.BRIDGE:
        # Nothing seen speaks against it, and nothing can.
        return Recognition(declared, 0.6, side, seen, tuple(warnings))
    warnings.append(f"{declared} was declared, the movement looks like {seen}")
    return Recognition(declared, round(1.0 - confidence, 2), side, seen, tuple(warnings))


def working_side(repetitions: Sequence[Repetition], parameters: RecognitionParameters | None = None) -> Side:
    """Return the side whose hip bends more, by the median of the set; ``BOTH`` where they are alike.

    A kickstand and a single-leg bridge look two-sided by it: there the prescription knows.
    """
    p = parameters if parameters is not None else RecognitionParameters()
    pairs = [
        (r.hip_flexion_left_range_deg, r.hip_flexion_right_range_deg)
        for r in repetitions
        if r.hip_flexion_left_range_deg is not None and r.hip_flexion_right_range_deg is not None
    ]
    if not pairs:
        return Side.BOTH
    left = median(pair[0] for pair in pairs)
    right = median(pair[1] for pair in pairs)
    larger, smaller = max(left, right), min(left, right)
    if larger - smaller < p.side_difference_deg or larger <= p.side_ratio * smaller:
        return Side.BOTH
    return Side.LEFT if left > right else Side.RIGHT


def _median(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _look(repetitions: Sequence[Repetition]) -> _Look:
    hips = [
        max(ranges)
        for r in repetitions
        if (
            ranges := [
                value
                for value in (r.hip_flexion_left_range_deg, r.hip_flexion_right_range_deg)
                if value is not None
            ]
        )
    ]
    return _Look(
        is_supine=any(r.is_supine for r in repetitions),
        tilt_deg=_median([r.pelvic_tilt_change_deg for r in repetitions]),
        left_deg=_median([r.thigh_flexion_left_change_deg for r in repetitions]),
        right_deg=_median([r.thigh_flexion_right_change_deg for r in repetitions]),
        hip_deg=median(hips) if hips else None,
        share=_median([r.hinge_share for r in repetitions]),
    )


def _seen(look: _Look, p: RecognitionParameters) -> tuple[Exercise, float, str]:
    """Exercise, confidence and what limits it, by the sensors alone."""
    if look.is_supine:
        return _seen_supine(look, p)
    if look.tilt_deg is None:
        return Exercise.OTHER, 0.5, "a thigh sensor alone does not tell one exercise from another"
    if not look.has_thigh:
        why = "without a thigh sensor a hinge cannot be told from a squat or a chair"
        return (
            (Exercise.HIP_HINGE, 0.6, why) if look.tilt_deg > p.hinge_tilt_deg else (Exercise.OTHER, 0.5, why)
        )
    if look.left_deg is not None and look.right_deg is not None:
        free = min(look.left_deg, look.right_deg)
        if look.tilt_deg > p.single_leg_tilt_deg and free < -p.swing_share * look.tilt_deg:
            return Exercise.SINGLE_LEG_DEADLIFT, _SURE_FAMILY, ""
    if look.share is None or look.hip_deg is None:
        return Exercise.OTHER, 0.5, "the pelvis hardly tilts: no hinge share"
    if look.hip_deg < p.micro_hip_deg and look.share > p.micro_share:
        return Exercise.MICRO_HINGE, _SURE_FAMILY, ""
    if look.share < p.squat_share:
        return Exercise.SQUAT, 0.8, "a squat and rising from a chair look alike to pelvis and thighs"
    why = "which hinge it was, only a prescription knows"
    if look.hip_deg < p.full_hip_deg:
        return Exercise.HIP_HINGE, _CODE_INSIDE_FAMILY, why
    if look.share < p.deadlift_share:
        return Exercise.DEADLIFT, _CODE_INSIDE_FAMILY, why
    return Exercise.ROMANIAN_DEADLIFT, _CODE_INSIDE_FAMILY, why


def _seen_supine(look: _Look, p: RecognitionParameters) -> tuple[Exercise, float, str]:
    if look.left_deg is not None and look.right_deg is not None:
        difference = abs(look.left_deg - look.right_deg)
        larger = max(abs(look.left_deg), abs(look.right_deg))
        if difference > max(p.bridge_difference_deg, p.bridge_difference_share * larger):
            return (
                Exercise.SINGLE_LEG_GLUTE_BRIDGE,
                _CODE_INSIDE_FAMILY,
                "how the free leg is held decides whether a single-leg bridge shows",
            )
        return Exercise.GLUTE_BRIDGE, _SURE_FAMILY, ""
    if look.tilt_deg is not None:
        return Exercise.GLUTE_BRIDGE, 0.7, "without both thighs a single-leg bridge does not show"
    return Exercise.OTHER, 0.5, "a thigh alone does not tell a bridge from other work on the back"


def _is_alike(declared: Exercise, seen: Exercise) -> bool:
    # A deep micro hinge and a shallow hinge are one movement: where one ends is a matter of words.
    return {declared.family, seen.family} == {
        ExerciseFamily.MICRO,
        ExerciseFamily.HINGE,
    } and Exercise.HIP_HINGE in {
        declared,
        seen,
    }
