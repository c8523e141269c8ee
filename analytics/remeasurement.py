"""A finished stretch measured again, looking forward and back: as good as smoothing the whole recording."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from analytics.orientation import OrientationParameters, heading_between, remeasure
from analytics.quaternions import turned_about_z
from analytics.true_stretches import true_stretches

if TYPE_CHECKING:
    from analytics.alignment import AlignedBlock, SegmentSamples

# A shorter stretch between two holes says less than the live filter that has seen what came before.
_SHORTEST_RUN_S = 0.5


def remeasured(block: AlignedBlock, parameters: OrientationParameters) -> AlignedBlock:
    """Replace the live orientations of a window by what the whole window says.

    Parameters
    ----------
    block
        Finished window: the repetition with its margins.
    parameters
        Settings of the orientation filter.
    """
    return replace(
        block,
        segments={
            placement: _remeasured_segment(samples, block.sampling_rate_hz, parameters)
            for placement, samples in block.segments.items()
        },
    )


def _remeasured_segment(
    samples: SegmentSamples, sampling_rate_hz: float, parameters: OrientationParameters
) -> SegmentSamples:
    quat = samples.earth_from_sensor_wxyz.copy()
    # A straight line through a hole serves the live count; a measurement shall see the hole.
    quat[~samples.is_received] = np.nan
    measured = samples.is_measured.copy()
    for start, end in true_stretches(samples.is_received):
        if end - start < _SHORTEST_RUN_S * sampling_rate_hz:
            continue
        run = remeasure(
            samples.acc_m_s2[start:end],
            samples.gyr_rad_s[start:end],
            sampling_rate_hz,
            bias_rad_s=samples.bias_rad_s[end - 1],
            bias_sigma_rad_s=float(samples.bias_sigma_rad_s[end - 1]),
            has_gyroscope=bool(samples.has_gyroscope[start:end].all()),
            parameters=parameters,
        )
        quat[start:end] = turned_about_z(run, heading_between(run[0], samples.earth_from_sensor_wxyz[start]))
        measured[start:end] = True
    return replace(samples, earth_from_sensor_wxyz=quat, is_measured=measured)
