"""sisfall_waist: belt sensor; one hinge a recording, and what is no repetition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.imu import ImuBlock, Placement
from benchmarks.accuracy.layout import Line, number, share, table
from benchmarks.accuracy.recordings.false_repetitions import Outing
from benchmarks.accuracy.recordings.source import WALKING, block_of, chained, judged, labelled, turned_deg

if TYPE_CHECKING:
    from collections.abc import Iterator

RATE_HZ = 100.0
HINGE = "bend_straight_knees_hinge"
LEAST_TURN_DEG = 25.0


def _blocks() -> Iterator[tuple[str, str, ImuBlock]]:
    for subject, _, exercise, _, samples in labelled("sisfall_waist"):
        block = block_of(samples, "waist", Placement.PELVIS, RATE_HZ)
        if block is not None:
            yield subject, exercise, block


def report() -> tuple[str, list[Line]]:
    """Hinges found once, and how often other daily movements are counted."""
    found: dict[str, list[int]] = {}
    shallow = 0
    for _, exercise, block in _blocks():
        if exercise.startswith(WALKING):
            continue
        if exercise == HINGE and turned_deg(block) < LEAST_TURN_DEG:
            shallow += 1
            continue
        found.setdefault(exercise, []).append(len(judged([block]).repetitions))
    hinges = found.get(HINGE, [])
    text = table(
        f"sisfall_waist, one movement a recording, pelvis only ({shallow} hinges below 25° left out)",
        ("movement", "recordings", "none %", "one %", "two or more"),
        (
            (
                exercise,
                len(counts),
                number(100.0 * counts.count(0) / len(counts), 1),
                number(100.0 * counts.count(1) / len(counts), 1),
                sum(count > 1 for count in counts),
            )
            for exercise, counts in sorted(found.items())
        ),
    )
    once, twice = sum(count >= 1 for count in hinges), sum(count > 1 for count in hinges)
    line = Line(
        "real belt-sensor hinges (pelvis turned >= 25°)",
        ">= 98 % found, never two for one",
        f"{share(once, len(hinges))} found, {twice} twice",
        bool(once >= 0.98 * len(hinges) and not twice),
    )
    return text, [line]


def outings() -> Iterator[Outing]:
    """Yield walking, jogging, stairs and jumping: each alone, and all of a person's behind a hinge."""
    hinge_of: dict[str, ImuBlock] = {}
    moving_of: dict[str, list[ImuBlock]] = {}
    for subject, exercise, block in _blocks():
        if exercise == HINGE and subject not in hinge_of and turned_deg(block) >= LEAST_TURN_DEG:
            hinge_of[subject] = block
        if exercise.startswith(WALKING):
            moving_of.setdefault(subject, []).append(block)
            yield Outing("sisfall_waist", exercise, "pelvis", "alone", (block,))
    for subject, moving in moving_of.items():
        if subject in hinge_of:
            first = hinge_of[subject]
            yield Outing(
                "sisfall_waist",
                "all",
                "pelvis",
                "behind a hinge",
                tuple(chained([first, *moving])),
                len(first) / RATE_HZ,
            )
