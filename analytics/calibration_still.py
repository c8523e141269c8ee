"""Finding the moment that calls zero: two seconds of stillness, or the most upright quiet samples."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from analytics.calibration import (
    StillPose,
    inclination_from_vertical_deg,
    nominal_lean_deg,
)
from analytics.calibration_lying import lies_on_back
from analytics.imu import FloatArray, Mount, Placement
from analytics.orientation import OrientationParameters, is_still
from analytics.quaternions import up_in_sensor
from analytics.remeasurement import remeasured

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from analytics.alignment import AlignedBlock, SegmentSamples

    _Mask = NDArray[np.bool_]


_SAME = float(np.cos(np.radians(4.0)))


@dataclass(frozen=True, slots=True)
class StillParameters:
    """Settings of the search.

    Parameters
    ----------
    window_s
        Length of the stillness looked for at the start; its first ``skipped_s`` may be restless.
    later_window_s
        Length asked for after that: a held bottom must not pass for standing.
    skipped_s
        Part at the window's start that need not be still: the touch that started the recording.
    step_s
        Distance between the windows looked at.
    patience_s
        Without any stillness in this time the most upright quiet samples have to do.
    quiet_deg_s
        What counts as quiet then.
    beginning_s
        An unknown mount that is quiet for this long at the start is taken to stand there.
    most_inclined_deg
        A declared mount that reads more than this is neither standing nor taken for it.
    same_pose_deg
        Stillness that comes later is standing only so near to the most upright attitude seen until then.
    moved_deg, same_pose_after_movement_deg
        ... and where some sensor was inclined from it by more than the first before, only within the second:
        it may be a soft lockout, or sway about the top of a small movement.
    near_deg
        Quiet samples so near to where the recording begins upright are taken for the same standing.
    """

    window_s: float = 2.0
    later_window_s: float = 3.0
    skipped_s: float = 0.3
    step_s: float = 0.5
    patience_s: float = 10.0
    quiet_deg_s: float = 15.0
    beginning_s: float = 0.3
    most_inclined_deg: float = 40.0
    same_pose_deg: float = 10.0
    moved_deg: float = 8.0
    same_pose_after_movement_deg: float = 4.0
    near_deg: float = 2.5


def find_still_poses(
    block: AlignedBlock,
    mounts: Mapping[Placement, Mount],
    *,
    lying_expected: bool | None,
    parameters: StillParameters,
    orientation: OrientationParameters,
) -> dict[Placement, StillPose] | None:
    """Poses of all sensors present, if the athlete was still in this window.

    Parameters
    ----------
    block
        One window of ``window_s``.
    mounts
        Declared mounts.
    lying_expected
        What the prescription says of the posture; ``None``: nothing.
    parameters
        Settings.
    orientation
        Settings of the orientation filter, which runs over the window forward and back.

    Returns
    -------
    None where some sensor moved, or its declared mount is inclined too far for standing.
    """
    skipped = round(parameters.skipped_s * block.sampling_rate_hz)
    present = [placement for placement, samples in block.segments.items() if bool(samples.is_received.all())]
    for placement in present:
        used = block.segments[placement].cut(skipped, len(block))
        if not is_still(used.acc_m_s2, used.gyr_rad_s, block.sampling_rate_hz):
            return None
    if not present:
        return None
    # Everyone sways: the live filter is two seconds behind it, and its start is that of the first sample.
    smooth = remeasured(block, orientation)
    ups = {
        placement: _mean_direction(up_in_sensor(smooth.segments[placement].earth_from_sensor_wxyz))
        for placement in present
    }
    is_supine = _is_supine(ups, mounts, lying_expected)
    for placement, up in ups.items():
        inclined = inclination_from_vertical_deg(placement, mounts[placement], up[None])[0]
        if not is_supine and faces_fore_or_aft(mounts[placement]) and inclined > parameters.most_inclined_deg:
            return None
    return {
        placement: StillPose(
            placement,
            mounts[placement],
            up,
            is_supine,
            was_still=True,
            has_gyroscope=bool(block.segments[placement].has_gyroscope.any()),
        )
        for placement, up in ups.items()
    }


def most_upright_poses(
    block: AlignedBlock,
    mounts: Mapping[Placement, Mount],
    *,
    lying_expected: bool | None,
    parameters: StillParameters,
    orientation: OrientationParameters,
) -> dict[Placement, StillPose]:
    """Poses where nothing was still: mean of the quiet samples that are most upright.

    With a declared mount upright is known; without one the attitude that quiet samples share most is taken.
    Arguments as in :func:`find_still_poses`; ``block`` is everything received so far.
    """
    # Without stillness the live filter knows neither its bias nor its start.
    smooth = remeasured(block, orientation)
    present = {
        placement: samples
        for placement, samples in smooth.segments.items()
        if bool(np.isfinite(up_in_sensor(samples.earth_from_sensor_wxyz)).any())
    }
    if not present:
        return {}
    at_first = {
        placement: up[np.isfinite(up).all(axis=1)][0]
        for placement, samples in present.items()
        for up in (up_in_sensor(samples.earth_from_sensor_wxyz),)
    }
    chosen = _upright_and_quiet(
        present,
        mounts,
        block.sampling_rate_hz,
        parameters,
        begins_lying=_is_supine(at_first, mounts, lying_expected),
    )
    ups = {}
    for placement, samples in present.items():
        up = up_in_sensor(samples.earth_from_sensor_wxyz)
        known = np.isfinite(up).all(axis=1)
        ups[placement] = _mean_direction(up[chosen & known] if bool((chosen & known).any()) else up[known])
    is_supine = _is_supine(ups, mounts, lying_expected)
    return {
        placement: StillPose(
            placement,
            mounts[placement],
            up,
            is_supine,
            was_still=False,
            has_gyroscope=bool(present[placement].has_gyroscope.any()),
        )
        for placement, up in ups.items()
    }


def _upright_and_quiet(
    present: Mapping[Placement, SegmentSamples],
    mounts: Mapping[Placement, Mount],
    sampling_rate_hz: float,
    parameters: StillParameters,
    *,
    begins_lying: bool,
) -> _Mask:
    ups = {placement: up_in_sensor(samples.earth_from_sensor_wxyz) for placement, samples in present.items()}
    quiet_each = [
        _is_quiet(samples, parameters) & np.isfinite(ups[placement]).all(axis=1)
        for placement, samples in present.items()
    ]
    quiet = np.logical_and.reduce(quiet_each)
    if not bool(quiet.any()):
        quiet = (
            quiet_each[0] if bool(quiet_each[0].any()) else np.isfinite(next(iter(ups.values()))).all(axis=1)
        )
    where = np.flatnonzero(quiet)
    declared = [placement for placement in present if mounts[placement] is not Mount.UNKNOWN]
    mask = np.zeros(len(quiet), dtype=np.bool_)
    up = next(iter(ups.values()))
    beginning = up[: max(1, round(parameters.beginning_s * sampling_rate_hz))]
    # People start recordings upright more often than bent, and lying more often than lifted.
    mask[: len(beginning)] = bool(quiet[: len(beginning)].all()) and (
        float(np.min(beginning @ _mean_direction(beginning))) > _SAME
    )
    # Lying, the quiet top of a lift is further from standing than rest, and nearer to it in the thigh.
    if declared and not begins_lying:
        lean = _hip_lean_deg({placement: ups[placement][where] for placement in declared}, mounts)
        least = float(np.percentile(lean, 5))
        if not bool(mask.any()) or float(np.mean(lean[mask[where]])) > least + parameters.near_deg:
            mask[:] = False
            mask[where[np.abs(lean - least) < 3.0]] = True
            return mask
    if bool(mask.any()):
        return mask if begins_lying else _with_the_like(mask, quiet, ups, parameters.near_deg)
    sparse = up[where[:: max(1, len(where) // 200)]]
    near = up[where] @ sparse.T > _SAME
    mask[where[near[:, int(np.argmax(near.sum(axis=0)))]]] = True
    return mask


def _with_the_like(mask: _Mask, quiet: _Mask, ups: Mapping[Placement, FloatArray], near_deg: float) -> _Mask:
    """Add the quiet samples in which every sensor is as in those of ``mask``: everyone sways."""
    for _ in range(2):
        alike = [up @ _mean_direction(up[mask]) > math.cos(math.radians(near_deg)) for up in ups.values()]
        mask = mask | (quiet & np.logical_and.reduce(alike))
    return mask


def _hip_lean_deg(ups: Mapping[Placement, FloatArray], mounts: Mapping[Placement, Mount]) -> FloatArray:
    """How far declared mounts read from standing, degrees: bent hips, whichever of pelvis and thigh bends."""
    leans = {placement: nominal_lean_deg(placement, mounts[placement], up) for placement, up in ups.items()}
    thighs = [lean for placement, lean in leans.items() if placement is not Placement.PELVIS]
    # A leg that swings back with the pelvis would make up for its lean.
    flexed = np.maximum.reduce([*thighs, np.zeros(len(next(iter(ups.values()))))])
    return np.asarray(leans.get(Placement.PELVIS, 0.0) + flexed, dtype=np.float64)


def _is_quiet(samples: SegmentSamples, parameters: StillParameters) -> _Mask:
    rate = np.degrees(np.linalg.norm(samples.gyr_rad_s - samples.bias_rad_s, axis=1))
    with np.errstate(invalid="ignore"):
        return np.asarray(samples.is_received & (rate < parameters.quiet_deg_s), dtype=np.bool_)


def _is_supine(
    ups: Mapping[Placement, FloatArray], mounts: Mapping[Placement, Mount], lying_expected: bool | None
) -> bool:
    for placement, up in ups.items():  # pelvis first: it tells best
        if not faces_fore_or_aft(mounts[placement]) and lying_expected is not None:
            # A sensor at the side that is turned by 90 degrees about the skin normal looks like lying.
            continue
        lies = lies_on_back(placement, mounts[placement], up)
        if lies is not None:
            return lies
    return bool(lying_expected)


def faces_fore_or_aft(mount: Mount) -> bool:
    """Tell whether gravity alone tells lying from standing at this mount."""
    return mount in {Mount.SACRUM, Mount.BELLY, Mount.THIGH_ANTERIOR}


def _mean_direction(up: FloatArray) -> FloatArray:
    mean = np.mean(up, axis=0)
    return np.asarray(mean / np.linalg.norm(mean), dtype=np.float64)


def standing_at_last(
    poses: Mapping[Placement, StillPose],
    upright: Mapping[Placement, StillPose],
    before: AlignedBlock,
    parameters: StillParameters,
) -> dict[Placement, StillPose] | None:
    """Tell whether a stillness that did not come at once is standing, and how it then stood.

    Parameters
    ----------
    poses
        Poses while it was still.
    upright
        The most upright ones until then: a held bottom is as still as standing, they tell it apart.
    before
        Everything until then.
    parameters
        Settings.

    Returns
    -------
    The poses of standing; None where it is something else.
    """
    if not _has_moved(poses, before, parameters.moved_deg):
        return dict(poses) if _are_alike(poses, upright, parameters.same_pose_deg) else None
    if not _are_alike(poses, upright, parameters.same_pose_after_movement_deg):
        return None
    # Between repetitions nobody is quite at rest: all that was upright says more than one pause.
    return {
        placement: replace(pose, up_sensor=upright[placement].up_sensor) if placement in upright else pose
        for placement, pose in poses.items()
    }


def _has_moved(poses: Mapping[Placement, StillPose], before: AlignedBlock, moved_deg: float) -> bool:
    furthest = math.cos(math.radians(moved_deg))
    return any(
        float(np.nanmin(up_in_sensor(before.segments[placement].earth_from_sensor_wxyz) @ pose.up_sensor))
        < furthest
        for placement, pose in poses.items()
    )


def _are_alike(
    some: Mapping[Placement, StillPose], others: Mapping[Placement, StillPose], within_deg: float
) -> bool:
    """Tell whether all sensors that both know show the same pose."""
    smallest = math.cos(math.radians(within_deg))
    return all(
        float(pose.up_sensor @ others[placement].up_sensor) > smallest
        for placement, pose in some.items()
        if placement in others
    )
