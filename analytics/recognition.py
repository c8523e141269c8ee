"""Which exercise was it: rules for the family, a trained model for the exercise in it, honest confidence.

Rules on posture, angles and the two thighs name the family; inside it a model trained on the virtual athlete
weighs what is left. What was declared wins; where the sensors see something else, that is said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from statistics import median
from typing import TYPE_CHECKING

from analytics.errors import ModelUnusable
from analytics.exercise_model import ExerciseModel, exercise_model, features_of
from analytics.exercises import Exercise, ExerciseFamily, Side
from analytics.recognition_rules import NO_ONE_EXERCISE, SURE, RecognitionParameters, Seen, seen_by_rules
from analytics.set_look import look_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.prescription import Prescription
    from analytics.repetition_figures import Repetition
    from analytics.set_look import SetLook


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


# A pelvis alone cannot tell a hinge from a squat or a chair.
_MOST_WITHOUT_THIGHS = 0.7
_SHOWN_AS_SURE = 0.7
_FEWEST_TO_DIFFER = 3
_MODELLED = {ExerciseFamily.HINGE, ExerciseFamily.MICRO, ExerciseFamily.SQUAT}
# People rise from a chair with pelvis and thigh together as often as not: a squat may be that.
_MOST_OF_A_SQUAT = 0.6
# One thigh may be the leg that stands while the other, unseen, swings back.
_MOST_OF_A_HINGE_BY_ONE_THIGH = 0.7
_ONE_THIGH = "with one thigh sensor a hinge on both legs cannot be told from one on a single leg"
# Where rules and model differ so much, neither is believed.
_LEAST_OF_FAMILY = 0.1
# A few degrees of the rear thigh, no more than two healthy legs differ by: the model knows how often it is
# mistaken for a hinge on both legs, but never answers it.
_NEVER_ANSWERED = {Exercise.KICKSTAND_DEADLIFT}


def recognise(
    repetitions: Sequence[Repetition],
    prescription: Prescription | None = None,
    parameters: RecognitionParameters | None = None,
    *,
    is_over: bool = True,
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
    is_over
        The set has ended: whether its repetitions are alike is looked at only then.
    """
    p = parameters if parameters is not None else RecognitionParameters()
    look = look_at(repetitions)
    seen, why = _seen(repetitions if is_over else (), look, p)
    side = working_side(repetitions, p) if seen.side is Side.BOTH else seen.side
    warnings = list(why)
    if prescription is not None and prescription.side is not None:
        if side not in (Side.BOTH, prescription.side):
            warnings.append(f"{prescription.side} was asked, the {side} hip worked more")
        side = prescription.side
    declared = None if prescription is None else prescription.exercise
    if declared is None:
        return Recognition(seen.exercise, round(seen.confidence, 2), side, seen.exercise, tuple(warnings))

    if declared.family is seen.exercise.family or _is_alike(declared, seen.exercise):
        agreed = SURE if look.has_thigh else _MOST_WITHOUT_THIGHS
        return Recognition(declared, agreed, side, seen.exercise, tuple(warnings))
    if not look.has_thigh and not look.is_supine and declared.family is not ExerciseFamily.BRIDGE:
        # Nothing seen speaks against it, and nothing can.
        return Recognition(declared, 0.6, side, seen.exercise, tuple(warnings))
    warnings.append(f"{declared} was declared, the movement looks like {seen.exercise}")
    doubt = round(1.0 - seen.family_confidence, 2)
    return Recognition(declared, doubt, side, seen.exercise, tuple(warnings))


def prepare_recognition() -> None:
    """Load the model now: its libraries take a second that no live set should have to wait for."""
    _model()


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
        # How far a thigh turns needs no sign: that of a leg held up in a bridge may not be known.
        pairs = [
            (r.thigh_flexion_left_range_deg, r.thigh_flexion_right_range_deg)
            for r in repetitions
            if r.is_supine
            and r.thigh_flexion_left_range_deg is not None
            and r.thigh_flexion_right_range_deg is not None
        ]
    if not pairs:
        return Side.BOTH
    left = median(pair[0] for pair in pairs)
    right = median(pair[1] for pair in pairs)
    larger, smaller = max(left, right), min(left, right)
    if larger - smaller < p.side_difference_deg or larger <= p.side_ratio * smaller:
        return Side.BOTH
    return Side.LEFT if left > right else Side.RIGHT


def _seen(
    repetitions: Sequence[Repetition], look: SetLook, p: RecognitionParameters
) -> tuple[Seen, tuple[str, ...]]:
    """Tell what the sensors alone say, and what is to be said about it."""
    seen = seen_by_rules(look, p)
    if look.has_thigh and _differ(repetitions, seen.exercise.family, p):
        seen = Seen(Exercise.OTHER, 0.5, 0.5, NO_ONE_EXERCISE)
    troubles: tuple[str, ...] = ()
    if seen.exercise.family in _MODELLED and features_of(look) is not None:
        model, trouble = _model()
        if model is None:
            troubles = (trouble,)
        else:
            seen = _weighed(seen, look, model)
    return seen, (*((seen.why,) if seen.why else ()), *troubles)


def _differ(repetitions: Sequence[Repetition], family: ExerciseFamily, p: RecognitionParameters) -> bool:
    """Tell whether too few repetitions, looked at one by one, are of the family of the whole."""
    measured = [r for r in repetitions if r.pelvic_tilt_change_deg is not None]
    if len(measured) < _FEWEST_TO_DIFFER:
        return False
    alike = sum(seen_by_rules(look_at([r]), p).exercise.family is family for r in measured)
    return alike < p.least_agreement * len(measured)


def _weighed(seen: Seen, look: SetLook, model: ExerciseModel) -> Seen:
    """Let the model choose inside the family that the rules found, and say how sure it is."""
    features = features_of(look)
    assert features is not None
    is_hinge = seen.exercise.family is not ExerciseFamily.SQUAT
    # People squat deeper than the virtual athlete can: only what would be called a hinge must look like one.
    if is_hinge and model.is_strange(features):
        return _resembling(seen.exercise)
    probabilities = model.probabilities(features)
    family = {code: share for code, share in probabilities.items() if code.family is seen.exercise.family}
    of_family = sum(family.values())
    if of_family < _LEAST_OF_FAMILY:
        return _resembling(seen.exercise)
    best = max(family.keys() - _NEVER_ANSWERED, key=lambda code: family[code])
    confidence = family[best]
    if best is Exercise.SQUAT:
        confidence = min(confidence, _MOST_OF_A_SQUAT)
    most, why = SURE, seen.why if confidence < _SHOWN_AS_SURE else ""
    if look.has_one_thigh and best.family is ExerciseFamily.HINGE:
        most, why = _MOST_OF_A_HINGE_BY_ONE_THIGH, _ONE_THIGH
        confidence = min(confidence, most)
    return replace(
        seen, exercise=best, confidence=confidence, family_confidence=min(most, of_family), why=why
    )


def _resembling(exercise: Exercise) -> Seen:
    return Seen(Exercise.OTHER, 0.5, 0.5, f"it looks a little like {exercise}, but not enough")


@cache
def _model() -> tuple[ExerciseModel | None, str]:
    """Load the model, or tell why it cannot be used: rules answer then."""
    try:
        return exercise_model(), ""
    except ModelUnusable as trouble:
        return None, f"{trouble}; rules decide until then"


def _is_alike(declared: Exercise, seen: Exercise) -> bool:
    # A deep micro hinge and a shallow hinge are one movement: where one ends is a matter of words.
    return {declared.family, seen.family} == {
        ExerciseFamily.MICRO,
        ExerciseFamily.HINGE,
    } and Exercise.HIP_HINGE in {
        declared,
        seen,
    }
