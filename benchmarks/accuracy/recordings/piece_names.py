"""What single movements, cut out of their recordings, are called: from angles to a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analytics.exercises import ExerciseFamily, Side
from analytics.recognition import recognise
from analytics.repetition_figures import Repetition, RepetitionStatus
from analytics.repetitions import DrivingAngle

if TYPE_CHECKING:
    from analytics.angles import AngleBlock
    from analytics.imu import FloatArray
    from analytics.recognition import Recognition

HINGES = (ExerciseFamily.HINGE, ExerciseFamily.MICRO, ExerciseFamily.SINGLE_LEG)
_WORKS_MORE = 1.35
_SMALLEST_BEND_DEG = 5.0


def name_of(angles: AngleBlock) -> Recognition | None:
    """Name one movement by pelvis and both thighs; ``None`` where one of them is lost.

    Parameters
    ----------
    angles
        From its start to its end, nothing before or after: such pieces have no still ends to time phases by,
        so far end and ranges are taken over the whole piece.
    """
    columns = (angles.pelvic_tilt_deg, angles.thigh_flexion_left_deg, angles.thigh_flexion_right_deg)
    known = np.logical_and.reduce([np.isfinite(column) for column in columns])
    if not known.any():
        return None
    return recognise([_repetition(*(column[known] for column in columns))])


def _repetition(tilt: FloatArray, left: FloatArray, right: FloatArray) -> Repetition:
    far = int(np.argmax(tilt + 0.5 * (left + right)))
    hips = float(np.ptp(tilt + left)), float(np.ptp(tilt + right))
    change, thighs = float(tilt[far] - tilt[0]), (float(left[far] - left[0]), float(right[far] - right[0]))
    thigh = 0.5 * sum(thighs)
    if max(hips) > _WORKS_MORE * min(hips):
        thigh = thighs[hips.index(max(hips))]
    whole = change + max(0.0, thigh)
    return Repetition(
        set_number=1,
        repetition_number=1,
        status=RepetitionStatus.UNCONFIRMED,
        side=Side.BOTH,
        is_supine=False,
        driving_angle=DrivingAngle.HIP_FLEXION,
        start_ns=0,
        bottom_ns=0,
        close_ns=0,
        amplitude_deg=max(hips),
        pelvic_tilt_range_deg=float(np.ptp(tilt)),
        hip_flexion_left_range_deg=hips[0],
        hip_flexion_right_range_deg=hips[1],
        thigh_flexion_left_range_deg=float(np.ptp(left)),
        thigh_flexion_right_range_deg=float(np.ptp(right)),
        pelvic_tilt_change_deg=change,
        thigh_flexion_left_change_deg=thighs[0],
        thigh_flexion_right_change_deg=thighs[1],
        hinge_share=change / whole if change > 0 and whole >= _SMALLEST_BEND_DEG else None,
    )
