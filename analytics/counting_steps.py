"""The repetition counter's way through samples that follow one another, compiled.

It stops where something happens, and before a sample that is unlike those before: after a hole, or in another
posture. What is to be done there is the counter's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import types

from analytics.compiled import Record, compiled, read, written
from analytics.turning_point_steps import MACHINE, NS, step

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.imu import FloatArray

# Where the counter is: time of the last sample taken, integer ns; rows written for the gate.
PLACE = np.dtype([("last_ns", np.int64), ("rows", np.int64)])


@compiled(
    *MACHINE,
    written(PLACE),
    written(np.float64, 2),
    types.int64,
    types.float64,
    types.float64,
    *(read(np.float64) for _ in range(2)),
    read(np.float64, 2),
    *(read(np.bool_) for _ in range(2)),
    types.int64,
    types.int64,
    types.boolean,
)
def advance(
    state: Record,
    constants: Record,
    events: Record,
    place: Record,
    rows: FloatArray,
    start_ns: int,
    rate_hz: float,
    hole_from_ns: float,
    angle_deg: FloatArray,
    acc_norm_m_s2: FloatArray,
    gyr_segment_rad_s: FloatArray,
    is_supine: NDArray[np.bool_],
    is_measured: NDArray[np.bool_],
    first: int,
    end: int,
    supine: bool,
) -> int:
    """Take samples, those without an angle left out; return the one to go on with.

    Parameters
    ----------
    state, constants, events
        Of the turning-point machine.
    place
        Where the counter is.
    rows
        Past of the gate, shape (more than enough, 5).
    start_ns, rate_hz
        Grid of the arrays.
    hole_from_ns
        Samples further apart than this have a hole between them.
    angle_deg, acc_norm_m_s2, gyr_segment_rad_s, is_supine, is_measured
        Driving angle and the rest of an angle block, shapes (n,) and (n, 3).
    first, end
        First sample to take, and the one after the last that may be taken.
    supine
        The posture that the counter believes.
    """
    s, p, at = state[0], constants[0], place[0]
    sign = -1.0 if supine else 1.0
    for index in range(first, end):
        angle = angle_deg[index]
        if not np.isfinite(angle):
            continue
        time_ns = start_ns + int(np.rint(index * NS / rate_hz))
        if not is_measured[index]:
            s.bridged_ns = time_ns
        if is_supine[index] != supine or time_ns - at.last_ns >= hole_from_ns:
            return index
        row = rows[at.rows]
        row[0], row[1] = sign * angle, acc_norm_m_s2[index]
        for axis in range(3):
            row[2 + axis] = gyr_segment_rad_s[index, axis]
        at.rows += 1
        at.last_ns = time_ns
        step(s, p, events, time_ns, sign * angle)
        if s.event_count > 0:
            return index + 1
    return end
