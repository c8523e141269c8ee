"""bmhad_hip: bends to the floor, chairs and jumps, an accelerometer at one hip, no gyroscope, 30 Hz."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from analytics.imu import Placement
from benchmarks.accuracy.layout import number, table
from benchmarks.accuracy.recordings.false_repetitions import Outing
from benchmarks.accuracy.recordings.source import block_of, chained, judged, labelled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.imu import ImuBlock
    from benchmarks.accuracy.layout import Line

RATE_HZ = 30.0
GRAVITY_M_S2 = 9.80665
JUMPS = ("jump_in_place", "jumping_jacks")
SHOWN = ("bend_hands_up_all_way_down", "sit_down_then_stand_up")


def outings() -> Iterator[Outing]:
    """Jumps of six seconds; those of a person are chained, or none would be long enough to calibrate on."""
    clips: dict[tuple[str, str], list[ImuBlock]] = {}
    for subject, _, exercise, _, samples in labelled("bmhad_hip"):
        block = block_of(samples, "hip_right", Placement.PELVIS, RATE_HZ)
        if block is not None and exercise in JUMPS:
            clips.setdefault((subject, exercise), []).append(_to_scale(block))
    for (_, exercise), blocks in clips.items():
        yield Outing("bmhad_hip", exercise, "pelvis", "alone", tuple(chained(blocks, 0.04)))


def report() -> tuple[str, list[Line]]:
    """Count movements of five repetitions each."""
    counts: dict[tuple[str, str], list[tuple[int, float]]] = {}
    for _, _, exercise, repetitions, samples in labelled("bmhad_hip"):
        if exercise not in SHOWN or repetitions is None:
            continue
        for side in ("hip_left", "hip_right"):
            block = block_of(samples, side, Placement.PELVIS, RATE_HZ)
            if block is not None:
                counted = len(judged([_to_scale(block)]).repetitions)
                counts.setdefault((exercise, side), []).append((counted, repetitions))
    rows = [
        (
            exercise,
            side.replace("_", " "),
            len(entries),
            number(100.0 * np.mean([counted == true for counted, true in entries]), 0),
            number(100.0 * np.mean([abs(counted - true) <= 1 for counted, true in entries]), 0),
        )
        for (exercise, side), entries in sorted(counts.items())
    ]
    text = table(
        "bmhad_hip, five repetitions a recording, one accelerometer at the hip alone, nothing asked",
        ("movement", "worn", "recordings", "exactly five %", "four to six %"),
        rows,
    )
    return text, []


def _to_scale(block: ImuBlock) -> ImuBlock:
    """Undo the scale of these uncalibrated sensors: at rest they read 7 to 8 m/s²."""
    at_rest = float(np.median(np.linalg.norm(block.acc_m_s2[: round(RATE_HZ / 2)], axis=1)))
    return replace(block, acc_m_s2=block.acc_m_s2 * (GRAVITY_M_S2 / at_rest))
