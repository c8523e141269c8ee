"""The body: arrays in SI units in, measurements out. No I/O, no clock."""

from analytics.batch import analyse
from analytics.errors import AnalyticsError, BlockOutOfOrder, MixedSamplingRates
from analytics.imu import ImuBlock, Mount, Placement
from analytics.pipeline import AthleteSetup, MotionPipeline, PipelineParameters
from analytics.pipeline_output import PipelineOutput

__all__ = [
    "AnalyticsError",
    "AthleteSetup",
    "BlockOutOfOrder",
    "ImuBlock",
    "MixedSamplingRates",
    "MotionPipeline",
    "Mount",
    "PipelineOutput",
    "PipelineParameters",
    "Placement",
    "analyse",
]
