"""umafall_waist_pocket: belt sensor over a real radio, and a telephone in the pocket (no gyroscope)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.imu import Placement
from benchmarks.accuracy.recordings.false_repetitions import Outing
from benchmarks.accuracy.recordings.source import WALKING, block_of, labelled

if TYPE_CHECKING:
    from collections.abc import Iterator

RATE_HZ = 50.0


def outings() -> Iterator[Outing]:
    """Yield walking, jogging, stairs and hopping; gestures apart."""
    for _, _, exercise, _, samples in labelled("umafall_waist_pocket"):
        is_gesture = exercise in ("clap", "hands_up", "open_door", "phone_call")
        if not exercise.startswith(WALKING) and not is_gesture:
            continue
        what = "arm gestures, door, phone" if is_gesture else exercise
        waist = block_of(samples, "waist", Placement.PELVIS, RATE_HZ)
        pocket = block_of(samples, "thigh_pocket", Placement.THIGH_RIGHT, RATE_HZ)
        if waist is not None:
            yield Outing("umafall_waist_pocket", what, "pelvis", "alone", (waist,))
        if waist is not None and pocket is not None:
            yield Outing("umafall_waist_pocket", what, "pelvis + thigh", "alone", (waist, pocket))
