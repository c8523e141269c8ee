"""Where sensors are worn, how they sit there, and how a body's soft parts move them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from hardware_sim.rotation import about_axis, from_rotation_vector, random_rotation

if TYPE_CHECKING:
    from hardware_sim.spectral import FloatArray


class Placement(StrEnum):
    """The body segment a virtual sensor is worn on."""

    PELVIS = "pelvis"
    THIGH_LEFT = "thigh_left"
    THIGH_RIGHT = "thigh_right"


class Mount(StrEnum):
    """Where on its segment a virtual sensor is clipped."""

    SACRUM = "sacrum"
    HIP_LEFT = "hip_left"
    HIP_RIGHT = "hip_right"
    BELLY = "belly"
    THIGH_LATERAL = "thigh_lateral"
    THIGH_ANTERIOR = "thigh_anterior"
    UNKNOWN = "unknown"


PELVIS_MOUNTS: Final = (Mount.SACRUM, Mount.HIP_LEFT, Mount.HIP_RIGHT, Mount.BELLY, Mount.UNKNOWN)
THIGH_MOUNTS: Final = (Mount.THIGH_LATERAL, Mount.THIGH_ANTERIOR, Mount.UNKNOWN)

# Direction "out of the skin" in segment_frame (x forward, y left, z up) and the place of the sensor, m, from
# the middle of the hips (pelvis) or from the hip joint (thigh) of someone 1.75 m tall.
_FORWARD, _BACKWARD, _LEFT, _RIGHT = (1.0, 0.0, 0.0), (-1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, -1.0, 0.0)
_PELVIS_SEATS: Final = {
    Mount.SACRUM: (_BACKWARD, (-0.10, 0.0, 0.09)),
    Mount.HIP_LEFT: (_LEFT, (0.02, 0.15, 0.08)),
    Mount.HIP_RIGHT: (_RIGHT, (0.02, -0.15, 0.08)),
    Mount.BELLY: (_FORWARD, (0.12, 0.0, 0.10)),
}
_THIGH_SEATS: Final = {
    Placement.THIGH_LEFT: {
        Mount.THIGH_LATERAL: (_LEFT, (0.0, 0.085, -0.22)),
        Mount.THIGH_ANTERIOR: (_FORWARD, (0.085, 0.0, -0.22)),
    },
    Placement.THIGH_RIGHT: {
        Mount.THIGH_LATERAL: (_RIGHT, (0.0, -0.085, -0.22)),
        Mount.THIGH_ANTERIOR: (_FORWARD, (0.085, 0.0, -0.22)),
    },
}


@dataclass(frozen=True, slots=True, eq=False)
class Seat:
    """How one sensor really sits on its segment.

    Parameters
    ----------
    segment_from_sensor
        Rotation, shape (3, 3); columns are the sensor's axes in segment_frame.
    position_m
        Place of the sensor in segment_frame, shape (3,), m.
    outward
        Unit vector out of the skin in segment_frame, shape (3,).
    """

    segment_from_sensor: FloatArray
    position_m: FloatArray
    outward: FloatArray


def mounts_of(placement: Placement) -> tuple[Mount, ...]:
    """Mounts that exist on the segment of ``placement``."""
    return PELVIS_MOUNTS if placement is Placement.PELVIS else THIGH_MOUNTS


def nominal_rotation(outward: FloatArray) -> FloatArray:
    """Rotation ``segment_from_sensor`` of a sensor sitting exactly right, shape (3, 3).

    z out of the skin, y up, x to the right of someone who faces the sensor.
    """
    up = np.array([0.0, 0.0, 1.0])
    return np.column_stack([np.cross(up, outward), up, outward])


def seat(
    placement: Placement,
    mount: Mount,
    generator: np.random.Generator,
    *,
    tilt_sd_deg: float = 0.0,
    upside_down: bool = False,
    stature_m: float = 1.75,
) -> Seat:
    """Put a sensor on a segment, a little crooked as people do.

    Parameters
    ----------
    placement, mount
        Segment and the place on it; ``unknown`` is any place and any rotation.
    generator
        Where the randomness comes from.
    tilt_sd_deg
        Standard deviation of the crookedness about each of the three axes, degrees.
    upside_down
        Turn the sensor by 180° about the skin's normal.
    stature_m
        Height of the athlete; the places scale with it.

    Returns
    -------
    Seat
        Rotation and place of the sensor.
    """
    seats = _PELVIS_SEATS if placement is Placement.PELVIS else _THIGH_SEATS[placement]
    tilt = from_rotation_vector(np.radians(tilt_sd_deg) * generator.standard_normal(3))
    if mount is Mount.UNKNOWN:
        direction, place = list(seats.values())[int(generator.integers(len(seats)))]
        rotation = random_rotation(generator)
    else:
        direction, place = seats[mount]
        rotation = tilt @ nominal_rotation(np.array(direction))
    if upside_down:
        rotation = rotation @ about_axis(2, np.pi)
    return Seat(rotation, np.array(place) * (stature_m / 1.75), np.array(direction))
