"""Whole recordings through the same pipeline that runs live."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from analytics.imu import NANOSECONDS_PER_SECOND, ImuBlock
from analytics.pipeline import AthleteSetup, MotionPipeline, PipelineParameters
from analytics.pipeline_output import PipelineOutput

if TYPE_CHECKING:
    from collections.abc import Iterable


def analyse(
    blocks: Iterable[ImuBlock], setup: AthleteSetup, parameters: PipelineParameters | None = None
) -> PipelineOutput:
    """Run a whole recording through a pipeline.

    Parameters
    ----------
    blocks
        All blocks of all sensors, in any order.
    setup, parameters
        As for :class:`MotionPipeline`.

    Returns
    -------
    Everything it said, in one output.
    """
    pipeline = MotionPipeline(setup, parameters)
    outputs = [pipeline.push_together(parts) for parts in side_by_side(blocks)]
    outputs.append(pipeline.flush())
    return PipelineOutput(
        angles=tuple(angles for output in outputs for angles in output.angles),
        events=tuple(event for output in outputs for event in output.events),
        live=outputs[-1].live,
    )


def side_by_side(blocks: Iterable[ImuBlock], length_s: float = 20.0) -> list[list[ImuBlock]]:
    """Cut blocks at common times every ``length_s``; return the parts between two cuts together.

    Stretches of this length stay in the processor's cache while all stages go over them.
    """
    kept = list(blocks)
    if not kept:
        return []
    begin_ns = min(block.start_time_ns for block in kept)
    length_ns = round(length_s * NANOSECONDS_PER_SECOND)
    together: dict[int, list[ImuBlock]] = {}
    for block in sorted(kept, key=lambda block: block.start_time_ns):
        start = 0
        while start < len(block):
            turn = (block.time_ns(start) - begin_ns) // length_ns
            left_ns = begin_ns + (turn + 1) * length_ns - block.time_ns(start)
            n = max(1, math.ceil(left_ns * block.sampling_rate_hz / NANOSECONDS_PER_SECOND))
            end = min(len(block), start + n)
            together.setdefault(turn, []).append(_cut(block, start, end))
            start = end
    return [together[turn] for turn in sorted(together)]


def _cut(block: ImuBlock, start: int, end: int) -> ImuBlock:
    return ImuBlock(
        placement=block.placement,
        start_time_ns=block.time_ns(start),
        sampling_rate_hz=block.sampling_rate_hz,
        acc_m_s2=block.acc_m_s2[start:end],
        gyr_rad_s=block.gyr_rad_s[start:end],
        gap_before_s=block.gap_before_s if start == 0 else 0.0,
        has_gyroscope=block.has_gyroscope,
    )
