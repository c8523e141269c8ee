"""utd_mhad_thigh: thigh sensor alone; walking and jogging on the spot; lunge, squat and chair."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.exercises import Exercise, ExerciseFamily
from analytics.imu import ImuBlock, Placement
from analytics.prescription import Prescription
from benchmarks.accuracy.layout import Line, table
from benchmarks.accuracy.recordings.false_repetitions import Outing
from benchmarks.accuracy.recordings.source import block_of, chained, judged, labelled

if TYPE_CHECKING:
    from collections.abc import Iterator

RATE_HZ = 50.0
HINGES = (ExerciseFamily.HINGE, ExerciseFamily.MICRO, ExerciseFamily.SINGLE_LEG)

ASKED = {
    "forward_lunge": Exercise.LUNGE,
    "squat": Exercise.SQUAT,
    "sit_to_stand": Exercise.SIT_TO_STAND,
    "stand_to_sit": Exercise.SIT_TO_STAND,
}


def outings() -> Iterator[Outing]:
    """Clips of 2-5 s; those of a person are chained, or none would be long enough to calibrate on."""
    clips: dict[tuple[str, str], list[ImuBlock]] = {}
    for subject, _, exercise, _, samples in labelled("utd_mhad_thigh"):
        block = block_of(samples, "thigh", Placement.THIGH_RIGHT, RATE_HZ)
        if block is not None and exercise in ("jog_in_place", "walk_in_place"):
            clips.setdefault((subject, exercise), []).append(block)
    for (_, exercise), blocks in clips.items():
        yield Outing("utd_mhad_thigh", exercise, "thigh", "alone", tuple(chained(blocks, 0.02)))


def report() -> tuple[str, list[Line]]:
    """Tell what lunge, squat and chair are called, and how often they count where asked for."""
    said: dict[str, list[tuple[int, int, int, int]]] = {}
    for _, _, exercise, _, samples in labelled("utd_mhad_thigh"):
        block = block_of(samples, "thigh", Placement.THIGH_RIGHT, RATE_HZ)
        if block is None or exercise.endswith("in_place"):
            continue
        asked = judged([block], Prescription(ASKED[exercise]))
        unasked = judged([block])
        sets = [*asked.sets, *unasked.sets]
        hinges = sum(summary.exercise.family in HINGES for summary in sets)
        counts = len(asked.repetitions), len(unasked.repetitions)
        said.setdefault(exercise, []).append((*counts, len(sets), hinges))
    wrong = sum(hinges for entries in said.values() for *_, hinges in entries)
    named = sum(sets for entries in said.values() for _, _, sets, _ in entries)
    text = table(
        "utd_mhad_thigh, thigh only",
        (
            "movement",
            "clips",
            "counted once, asked for",
            "more often",
            "counted, nothing asked",
            "called a hinge",
        ),
        (
            (
                exercise,
                len(entries),
                sum(count == 1 for count, *_ in entries),
                sum(count > 1 for count, *_ in entries),
                sum(count > 0 for _, count, _, _ in entries),
                sum(hinges for *_, hinges in entries),
            )
            for exercise, entries in sorted(said.items())
        ),
    )
    line = Line(
        "lunge, squat, chair on people never named a hinge (thigh only)",
        "0",
        f"{wrong} of {named} sets that were named",
        wrong == 0 if named else None,
    )
    return text, [line]
