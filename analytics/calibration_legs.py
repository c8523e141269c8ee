"""Which thigh goes back with the pelvis, and which of them is the free leg of single-leg work."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from analytics.imu import Placement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analytics.calibration_yaw import Excursion, YawParameters

THIGHS = (Placement.THIGH_LEFT, Placement.THIGH_RIGHT)


def legs_going_back(
    excursions: Mapping[Placement, Excursion | None], differences_rad: Mapping[Placement, float]
) -> dict[Placement, bool]:
    """Whether each thigh goes back where the pelvis leans forward, for the thighs that can be compared.

    Parameters
    ----------
    excursions
        Main movement of each sensor.
    differences_rad
        Yaw of the pelvis minus yaw of a thigh, as their hip joint's acceleration tells.
    """
    pelvis = excursions.get(Placement.PELVIS)
    if pelvis is None:
        return {}
    result = {}
    for thigh, difference in differences_rad.items():
        excursion = excursions.get(thigh)
        if excursion is None:
            continue
        # Leaning forward moves "up" backwards in the pelvis; a thigh that bends moves it forwards.
        forward_rad = math.pi - pelvis.heading_rad - difference
        result[thigh] = math.cos(forward_rad + excursion.heading_rad) < 0.0
    return result


def free_leg(
    excursions: Mapping[Placement, Excursion | None],
    goes_back: Mapping[Placement, bool],
    parameters: YawParameters,
) -> Placement | None:
    """Thigh that swings back in single-leg work; None where both legs work or it is not seen.

    Parameters
    ----------
    excursions
        Main movement of each sensor.
    goes_back
        From :func:`legs_going_back`.
    parameters
        Settings.
    """
    amplitudes = {
        thigh: excursion.amplitude_rad if (excursion := excursions[thigh]) is not None else 0.0
        for thigh in THIGHS
        if thigh in excursions
    }
    if not amplitudes:
        return None
    larger = max(amplitudes, key=lambda thigh: amplitudes[thigh])
    pelvis = excursions.get(Placement.PELVIS)
    swings = amplitudes[larger] > math.radians(parameters.single_leg_thigh_deg)
    if pelvis is not None:
        least, most = parameters.single_leg_pelvis_ratio
        swings = swings and least < amplitudes[larger] / pelvis.amplitude_rad < most
    if larger in goes_back:
        return larger if swings and goes_back[larger] else None
    if len(amplitudes) < 2:
        return None
    return (
        larger
        if swings and amplitudes[larger] > parameters.single_leg_ratio * min(amplitudes.values())
        else None
    )
