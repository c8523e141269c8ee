"""Whole recordings through the same pipeline that runs live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.imu import ImuBlock, Placement
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
    outputs = [pipeline.push(part) for part in side_by_side(blocks)]
    outputs.append(pipeline.flush())
    return PipelineOutput(
        angles=tuple(angles for output in outputs for angles in output.angles),
        events=tuple(event for output in outputs for event in output.events),
        live=outputs[-1].live,
    )


def side_by_side(blocks: Iterable[ImuBlock], longest_s: float = 0.2) -> list[ImuBlock]:
    """Cut blocks to at most ``longest_s`` and sort them by time, so that all placements advance together."""
    parts: list[ImuBlock] = []
    for block in blocks:
        n = max(1, round(longest_s * block.sampling_rate_hz))
        parts.extend(
            ImuBlock(
                placement=block.placement,
                start_time_ns=block.time_ns(start),
                sampling_rate_hz=block.sampling_rate_hz,
                acc_m_s2=block.acc_m_s2[start : start + n],
                gyr_rad_s=block.gyr_rad_s[start : start + n],
                gap_before_s=block.gap_before_s if start == 0 else 0.0,
                has_gyroscope=block.has_gyroscope,
            )
            for start in range(0, len(block), n)
        )
    return sorted(parts, key=lambda part: (part.time_ns(len(part)), list(Placement).index(part.placement)))
