"""The posture latch from sample to sample, compiled: see `analytics.posture`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analytics.compiled import Record, compiled, read, written

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.imu import FloatArray

UNKNOWN, STANDING, SUPINE = 0, 1, 2
LATCH = np.dtype([("posture", np.int64), ("resting_samples", np.int64)])
LIMITS = np.dtype(
    [
        (name, np.float64)
        for name in (
            "rest_rad_s_squared",
            "rest_samples",
            "standing_deg",
            *("supine_tilt_from_deg", "supine_tilt_to_deg", "supine_thigh_from_deg", "supine_thigh_to_deg"),
        )
    ]
)


@compiled(
    written(LATCH),
    read(LIMITS),
    *(read(np.float64) for _ in range(3)),
    read(np.float64, 2),
    written(np.int8),
)
def decide(
    latch: Record,
    limits: Record,
    tilt_deg: FloatArray,
    thigh_flexion_left_deg: FloatArray,
    thigh_flexion_right_deg: FloatArray,
    rate_rad_s: FloatArray,
    posture: NDArray[np.int8],
) -> None:
    """Take the next samples; fill in the posture at each.

    Parameters
    ----------
    latch, limits
        What is latched, and the settings.
    tilt_deg, thigh_flexion_left_deg, thigh_flexion_right_deg
        Degrees, NaN where not worn, shape (n,).
    rate_rad_s
        Bias-free angular rate of the driving sensor, rad/s, shape (3, n).
    posture
        Filled in, shape (n,).
    """
    now, p = latch[0], limits[0]
    for index in range(len(tilt_deg)):
        x, y, z = rate_rad_s[0, index], rate_rad_s[1, index], rate_rad_s[2, index]
        is_resting = x * x + y * y + z * z < p.rest_rad_s_squared
        now.resting_samples = now.resting_samples + 1 if is_resting else 0
        if now.resting_samples >= p.rest_samples:
            tilt, left, right = tilt_deg[index], thigh_flexion_left_deg[index], thigh_flexion_right_deg[index]
            # The mean of the thighs, or the one there is.
            if np.isnan(left):
                left = right
            elif np.isnan(right):
                right = left
            thigh = 0.5 * (left + right)
            if np.isfinite(tilt):
                is_supine = p.supine_tilt_from_deg < tilt < p.supine_tilt_to_deg
                is_upright = abs(tilt) < p.standing_deg and not abs(thigh) >= p.standing_deg
            else:
                is_supine = p.supine_thigh_from_deg < thigh < p.supine_thigh_to_deg
                is_upright = abs(thigh) < p.standing_deg
            if is_supine:
                now.posture = SUPINE
            elif is_upright:
                # A held bottom is rest as well: leaving standing takes lying, not leaning.
                now.posture = STANDING
        posture[index] = now.posture
