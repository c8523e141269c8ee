"""From joint angles to where pelvis and thighs are: rigid segments on fixed feet or fixed shoulders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from hardware_sim.exercises import Side, Stance
from hardware_sim.motion import STANDING_SHANK_RAD, STANDING_THIGH_RAD, GaitMotion, JointMotion
from hardware_sim.mounts import Placement
from hardware_sim.rotation import about_axis, apply

if TYPE_CHECKING:
    from hardware_sim.spectral import FloatArray

_LYING_HIP_ABOVE_SHOULDER_M = 0.03  # the buttocks carry the hip joints a little higher than the shoulders lie
_HELD_UP_HIP_RAD = np.radians(52.0)  # the free thigh of a single-leg bridge, beside the working one at rest
_KNEE_NEVER_STRAIGHTER_RAD = np.radians(3.0)
_REACH_SOFTNESS_M = 0.001


@dataclass(frozen=True, slots=True)
class Skeleton:
    """Lengths of the segments, m (Winter 2009: fractions of stature)."""

    thigh_m: float
    shank_m: float
    half_hip_width_m: float
    trunk_m: float
    ankle_height_m: float

    @classmethod
    def of_stature(cls, stature_m: float) -> Skeleton:
        """Segment lengths of someone of this height, m."""
        return cls(
            0.245 * stature_m, 0.246 * stature_m, 0.049 * stature_m, 0.288 * stature_m, 0.039 * stature_m
        )


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """Where one segment is.

    Parameters
    ----------
    earth_from_segment
        Rotations, shape (n, 3, 3).
    origin_m
        Middle of the hips (pelvis) or hip joint (thigh) in earth_frame, shape (n, 3), m.
    """

    earth_from_segment: FloatArray
    origin_m: FloatArray


Poses: TypeAlias = dict[Placement, Pose]


def pelvis_rotation(
    rotation: FloatArray, obliquity: FloatArray, tilt: FloatArray, opening: FloatArray | float = 0.0
) -> FloatArray:
    """``earth_from_pelvis`` in the order rotation, obliquity, tilt, then the turn about the long axis.

    Right side up is a negative turn about x (forward); anterior tilt a positive turn about y (left).
    """
    turned = about_axis(2, rotation) @ about_axis(0, -obliquity) @ about_axis(1, tilt)
    return np.asarray(turned @ about_axis(2, opening), dtype=np.float64)


def knee_bend_thigh(
    hip_m: FloatArray, ankle_m: FloatArray, knee_direction: FloatArray, skeleton: Skeleton
) -> FloatArray:
    """Orientation of a thigh whose hip and ankle are given and whose knee points in a given direction.

    Parameters
    ----------
    hip_m, ankle_m
        Joint centres in earth_frame, shape (n, 3), m.
    knee_direction
        Unit vector, shape (3,): the side to which the knee bends.
    skeleton
        Segment lengths. Beyond the leg's reach the heel comes up: the knee never straightens fully.

    Returns
    -------
    FloatArray
        ``earth_from_thigh``, shape (n, 3, 3): z from knee to hip, x to the knee's side.
    """
    thigh, shank = skeleton.thigh_m, skeleton.shank_m
    to_hip = hip_m - ankle_m
    distance = np.linalg.norm(to_hip, axis=1)
    reach = np.sqrt(thigh**2 + shank**2 + 2.0 * thigh * shank * np.cos(_KNEE_NEVER_STRAIGHTER_RAD))
    distance_reached = reach - _REACH_SOFTNESS_M * np.logaddexp(0.0, (reach - distance) / _REACH_SOFTNESS_M)
    cosine = (thigh**2 + distance_reached**2 - shank**2) / (2.0 * thigh * distance_reached)
    at_hip = np.arccos(np.clip(cosine, -1.0, 1.0))
    along = to_hip / distance[:, None]
    across = knee_direction - along * (along @ knee_direction)[:, None]
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    z = along * np.cos(at_hip)[:, None] - across * np.sin(at_hip)[:, None]
    y = np.cross(z, np.broadcast_to(knee_direction, z.shape))
    y /= np.linalg.norm(y, axis=1, keepdims=True)
    return np.stack([np.cross(y, z), y, z], axis=2)


def standing_poses(
    motion: JointMotion, skeleton: Skeleton, stance: Stance, side: Side, toe_out_rad: float
) -> Poses:
    """Poses of pelvis and thighs with one or both feet fixed on the ground.

    The hips follow shank and thigh of the carrying leg; the pelvis turns about them; each standing leg is
    then bent so that it reaches its own hip. A free leg hangs from the pelvis.

    Returns
    -------
    Poses
        Pelvis and both thighs.
    """
    n = len(motion.tilt)
    width, half_stance = skeleton.half_hip_width_m, 1.1 * skeleton.half_hip_width_m
    pelvis = pelvis_rotation(motion.rotation, motion.obliquity, motion.tilt, motion.opening)
    leg = np.column_stack(
        [
            skeleton.shank_m * np.sin(motion.shank) - skeleton.thigh_m * np.sin(motion.thigh),
            np.zeros(n),
            skeleton.shank_m * np.cos(motion.shank) + skeleton.thigh_m * np.cos(motion.thigh),
        ]
    )
    sideways_rad = motion.sideways_m / (skeleton.shank_m + skeleton.thigh_m)
    above_ankle = apply(about_axis(0, -sideways_rad), leg)
    sign = {Side.LEFT: 1.0, Side.RIGHT: -1.0, Side.BOTH: 0.0}[side]
    ankle_of_leg = np.array([0.0, sign * half_stance, skeleton.ankle_height_m])
    carried = ankle_of_leg + above_ankle
    centre = carried - apply(pelvis, np.array([0.0, sign * width, 0.0]))
    poses = {Placement.PELVIS: Pose(pelvis, centre)}
    for placement, leg_side, y in (
        (Placement.THIGH_LEFT, Side.LEFT, 1.0),
        (Placement.THIGH_RIGHT, Side.RIGHT, -1.0),
    ):
        hip = centre + apply(pelvis, np.array([0.0, y * width, 0.0]))
        if stance is Stance.ONE_FOOT and leg_side is not side:
            # Flexion of the free hip turns about -y of the pelvis, spreading about its x.
            thigh = pelvis @ about_axis(1, -motion.free_hip) @ about_axis(0, y * motion.free_spread)
        else:
            ankle = np.array([0.0, y * half_stance, skeleton.ankle_height_m])
            if stance is Stance.SPLIT and leg_side is not side:
                # Kickstand: rear toe level with the front heel, rear heel lifted.
                ankle += np.array([-0.20, 0.0, 0.07])
            toes = np.array([np.cos(toe_out_rad), y * np.sin(toe_out_rad), 0.0])
            thigh = knee_bend_thigh(hip, np.broadcast_to(ankle, hip.shape), toes, skeleton)
        poses[placement] = Pose(thigh, hip)
    return poses


def lying_poses(motion: JointMotion, skeleton: Skeleton, toe_out_rad: float, side: Side = Side.BOTH) -> Poses:
    """Poses with shoulders and feet fixed on the ground, knees bent: bridges.

    ``motion.tilt`` is the change from lying flat: the trunk turns about the shoulders by its negative. Where
    one side works, the free leg is held up from the pelvis.

    Returns
    -------
    Poses
        Pelvis and both thighs; lying flat is a pelvic tilt of about -90°.
    """
    lift = np.arcsin(_LYING_HIP_ABOVE_SHOULDER_M / skeleton.trunk_m) - motion.tilt
    pelvis = pelvis_rotation(motion.rotation, motion.obliquity, -0.5 * np.pi - lift, motion.opening)
    centre = skeleton.trunk_m * np.column_stack([np.cos(lift), np.zeros_like(lift), np.sin(lift)])
    centre[:, 1] += motion.sideways_m
    centre[:, 2] += _LYING_HIP_ABOVE_SHOULDER_M
    width = skeleton.half_hip_width_m
    poses = {Placement.PELVIS: Pose(pelvis, centre)}
    for placement, y in ((Placement.THIGH_LEFT, 1.0), (Placement.THIGH_RIGHT, -1.0)):
        hip = centre + apply(pelvis, np.array([0.0, y * width, 0.0]))
        leg_side = Side.LEFT if y > 0.0 else Side.RIGHT
        if side not in (Side.BOTH, leg_side):
            free = about_axis(1, -(_HELD_UP_HIP_RAD + motion.free_hip)) @ about_axis(
                0, y * motion.free_spread
            )
            poses[placement] = Pose(np.asarray(pelvis @ free, dtype=np.float64), hip)
            continue
        ankle = np.broadcast_to(
            [skeleton.trunk_m + 0.93 * skeleton.thigh_m, y * 1.4 * width, skeleton.ankle_height_m], hip.shape
        ).copy()
        if motion.steps is not None:
            ankle[:, 0] += motion.steps.forward_m[leg_side]
            ankle[:, 2] += motion.steps.up_m[leg_side]
        up = np.array([0.0, y * 0.5 * np.sin(toe_out_rad), 1.0])
        thigh = knee_bend_thigh(hip, ankle, up / np.linalg.norm(up), skeleton)
        poses[placement] = Pose(thigh, hip)
    return poses


def walking_poses(motion: GaitMotion, skeleton: Skeleton, toe_out_rad: float) -> Poses:
    """Poses while walking: the thighs swing from the hips; no foot is held to the ground.

    Returns
    -------
    Poses
        Pelvis and both thighs.
    """
    pelvis = pelvis_rotation(motion.rotation, motion.obliquity, motion.tilt)
    centre = np.column_stack([motion.forward_m, motion.sideways_m, motion.upward_m])
    poses = {Placement.PELVIS: Pose(pelvis, centre)}
    for placement, y, flexion in (
        (Placement.THIGH_LEFT, 1.0, motion.thigh_left),
        (Placement.THIGH_RIGHT, -1.0, motion.thigh_right),
    ):
        hip = centre + apply(pelvis, np.array([0.0, y * skeleton.half_hip_width_m, 0.0]))
        heading = about_axis(2, 0.3 * motion.rotation + y * toe_out_rad)
        spread = about_axis(0, 0.5 * motion.obliquity)
        poses[placement] = Pose(np.asarray(heading @ spread @ about_axis(1, -flexion), dtype=np.float64), hip)
    return poses


def nominal_standing(skeleton: Skeleton, toe_out_rad: float) -> Poses:
    """Poses of quiet standing without sway, one sample: the zero of a recording that begins lying."""
    zero = np.zeros(1)
    motion = JointMotion(
        tilt=zero,
        obliquity=zero,
        rotation=zero,
        opening=zero,
        shank=zero + STANDING_SHANK_RAD,
        thigh=zero + STANDING_THIGH_RAD,
        sideways_m=zero,
        free_hip=zero,
        free_spread=zero,
    )
    return standing_poses(motion, skeleton, Stance.BOTH_FEET, Side.BOTH, toe_out_rad)
