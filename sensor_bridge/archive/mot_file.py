"""Angles as a motion of OpenSim's models: their coordinates, their signs, their order of rotations. Pure.

Here the pelvis turns by rotation, then obliquity, then tilt (Baker 2001). The ground-to-pelvis joint of
OpenSim's gait models turns by ``pelvis_tilt`` about z, then ``pelvis_list`` about x, then ``pelvis_rotation``
about y (x forward, y up, z to the right; right-handed). Bent over, the same posture has other angles in the
other order: the orientation is put together from ours and taken apart into theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from analytics.imu import FloatArray

PELVIS: Final = ("pelvis_tilt", "pelvis_list", "pelvis_rotation")
_PELVIC: Final = ("pelvic_tilt_deg", "pelvic_obliquity_deg", "pelvic_rotation_deg")
_HIPS: Final = {"hip_flexion_r": "hip_flexion_right_deg", "hip_flexion_l": "hip_flexion_left_deg"}


def opensim_pelvis(
    tilt_deg: FloatArray, obliquity_deg: FloatArray, rotation_deg: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Turn the pelvis' angles into OpenSim's.

    Parameters
    ----------
    tilt_deg, obliquity_deg, rotation_deg
        + anterior, + right side up, + turning left; degrees, shape (n,).

    Returns
    -------
    tuple
        ``pelvis_tilt`` (+ posterior), ``pelvis_list`` (+ right side down), ``pelvis_rotation`` (+ turning
        left), degrees, shape (n,).

    References
    ----------
    Baker R. Pelvic angles: a mathematically rigorous definition which is consistent with a conventional
    clinical understanding of the terms. Gait & Posture 13(1), 2001.
    """
    # Right-handed about z, x and y: tilting forward and the right side up are turns the other way.
    about_z, about_x, about_y = (np.deg2rad(each) for each in (-tilt_deg, -obliquity_deg, rotation_deg))
    sz, cz, sx, cx = np.sin(about_z), np.cos(about_z), np.sin(about_x), np.cos(about_x)
    sy, cy = np.sin(about_y), np.cos(about_y)
    # Elements of R = Ry Rx Rz that R = Rz Rx Ry is taken apart by.
    r01 = -cy * sz + sy * sx * cz
    r11 = cx * cz
    r20 = -sy * cz + cy * sx * sz
    r21 = sy * sz + cy * sx * cz
    r22 = cy * cx
    return (
        np.rad2deg(np.arctan2(-r01, r11)),
        np.rad2deg(np.arcsin(np.clip(r21, -1.0, 1.0))),
        np.rad2deg(np.arctan2(-r20, r22)),
    )


def mot_file(name: str, t_s: FloatArray, angles: Mapping[str, NDArray[np.floating]]) -> bytes:
    """Write a motion file.

    Parameters
    ----------
    name
        First line of the header: what the motion is called.
    t_s
        Times, s, increasing, shape (n,).
    angles
        The columns of the angle file, degrees, shape (n,); NaN where nothing is known.

    Notes
    -----
    A coordinate that was never measured has no column: OpenSim leaves it at its default; a heading that was
    never measured is 0. A row in which one of the others is not known is left out, since OpenSim's tools
    cannot use NaN; times then leap. Nothing is interpolated.
    """
    tilt, obliquity, rotation = (np.asarray(angles[column], dtype=np.float64) for column in _PELVIC)
    if not np.isfinite(rotation).any():
        rotation = np.zeros_like(rotation)
    columns = dict(zip(PELVIS, opensim_pelvis(tilt, obliquity, rotation), strict=True))
    columns |= {name: np.asarray(angles[column], dtype=np.float64) for name, column in _HIPS.items()}
    columns = {name: values for name, values in columns.items() if np.isfinite(values).any()}
    is_known = np.logical_and.reduce([np.isfinite(values) for values in columns.values()])
    table = np.column_stack([t_s, *columns.values()])[is_known if columns else []]
    header = (
        f"{name}\nversion=1\nnRows={len(table)}\nnColumns={table.shape[1]}\ninDegrees=yes\n\n"
        "Units are S.I. units (second, meters, Newtons, ...)\n"
        "Angles are in degrees.\n\nendheader\n"
    )
    rows = "".join("\t".join(f"{value:.6f}" for value in row) + "\n" for row in table)
    return (header + "\t".join(["time", *columns]) + "\n" + rows).encode()
