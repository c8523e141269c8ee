"""qmt_fullbody: pelvis and both thighs, sitting, standing and walking; nothing in it is a repetition."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analytics.imu import ImuBlock, Placement
from benchmarks.accuracy.recordings.false_repetitions import Outing
from benchmarks.accuracy.recordings.source import block_of, folder

if TYPE_CHECKING:
    from collections.abc import Iterator

RATE_HZ = 100.0
# Seated until then; rising from the chair is part of what follows.
STANDS_UP_S = 35.0


def outings() -> Iterator[Outing]:
    """Rising from a chair, standing and walking."""
    samples = pd.read_parquet(folder("qmt_fullbody") / "fullbody_example.parquet")
    samples = samples[samples["t"] >= STANDS_UP_S]
    names = (
        ("pelvis", Placement.PELVIS),
        ("thigh_l", Placement.THIGH_LEFT),
        ("thigh_r", Placement.THIGH_RIGHT),
    )
    blocks = [block_of(samples, prefix, placement, RATE_HZ) for prefix, placement in names]
    worn: tuple[ImuBlock, ...] = tuple(block for block in blocks if block is not None)
    yield Outing("qmt_fullbody", "rise, stand, walk", "pelvis", "alone", worn[:1])
    yield Outing("qmt_fullbody", "rise, stand, walk", "pelvis + thigh", "alone", worn)
