"""Finding the moment that calls zero: two seconds of stillness, or the most upright quiet samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analytics.calibration import (
    StillPose,
    inclination_from_vertical_deg,
    lies_on_back,
    nominal_lean_deg,
)
from analytics.imu import FloatArray, Mount, Placement
from analytics.orientation import is_still
from analytics.quaternions import up_in_sensor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analytics.alignment import AlignedBlock, SegmentSamples


_SAME = float(np.cos(np.radians(4.0)))


@dataclass(frozen=True, slots=True)
class StillParameters:
    """Settings of the search.

    Parameters
    ----------
    window_s
        Length of the stillness looked for at the start; its first ``skipped_s`` are not used.
    later_window_s
        Length asked for after that: a held bottom must not pass for standing.
    skipped_s
        Part at the window's start that is left out: the touch that started the recording.
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
    """

    window_s: float = 2.0
    later_window_s: float = 3.0
    skipped_s: float = 0.3
    step_s: float = 0.5
    patience_s: float = 10.0
    quiet_deg_s: float = 15.0
    beginning_s: float = 0.3
    most_inclined_deg: float = 40.0


def find_still_poses(
    block: AlignedBlock,
    mounts: Mapping[Placement, Mount],
    *,
    lying_expected: bool | None,
    parameters: StillParameters,
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

    Returns
    -------
    None where some sensor moved, or its declared mount is inclined too far for standing.
    """
    skipped = round(parameters.skipped_s * block.sampling_rate_hz)
    ups: dict[Placement, FloatArray] = {}
    for placement, samples in block.segments.items():
        if not bool(samples.is_received.all()):
            continue
        used = samples.cut(skipped, len(samples))
        if not is_still(used.acc_m_s2, used.gyr_rad_s, block.sampling_rate_hz):
            return None
        ups[placement] = _mean_direction(up_in_sensor(used.earth_from_sensor_wxyz))
    if not ups:
        return None
    is_supine = _is_supine(ups, mounts, lying_expected)
    for placement, up in ups.items():
        inclined = inclination_from_vertical_deg(placement, mounts[placement], up[None])[0]
        if (
            not is_supine
            and _faces_fore_or_aft(mounts[placement])
            and inclined > parameters.most_inclined_deg
        ):
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
) -> dict[Placement, StillPose]:
    """Poses where nothing was still: mean of the quiet samples that are most upright.

    With a declared mount upright is known; without one the attitude that quiet samples share most is taken.
    Arguments as in :func:`find_still_poses`; ``block`` is everything received so far.
    """
    present = {
        placement: samples for placement, samples in block.segments.items() if bool(samples.is_received.any())
    }
    if not present:
        return {}
    leading = min(
        present, key=lambda placement: (mounts[placement] is Mount.UNKNOWN, list(Placement).index(placement))
    )
    chosen = _upright_and_quiet(
        leading, mounts[leading], present[leading], block.sampling_rate_hz, parameters
    )
    ups = {}
    for placement, samples in present.items():
        usable = chosen & samples.is_received
        if not bool(usable.any()):
            usable = samples.is_received
        ups[placement] = _mean_direction(up_in_sensor(samples.earth_from_sensor_wxyz[usable]))
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
    placement: Placement,
    mount: Mount,
    samples: SegmentSamples,
    sampling_rate_hz: float,
    parameters: StillParameters,
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    up = up_in_sensor(samples.earth_from_sensor_wxyz)
    rate = np.degrees(np.linalg.norm(samples.gyr_rad_s - samples.bias_rad_s, axis=1))
    with np.errstate(invalid="ignore"):
        quiet = samples.is_received & (rate < parameters.quiet_deg_s)
    if not bool(quiet.any()):
        quiet = samples.is_received
    where = np.flatnonzero(quiet)
    if mount is Mount.UNKNOWN:
        beginning = up[: max(1, round(parameters.beginning_s * sampling_rate_hz))]
        if (
            bool(quiet[: len(beginning)].all())
            and float(np.min(beginning @ _mean_direction(beginning))) > _SAME
        ):
            # People start recordings upright more often than bent.
            mask = np.zeros(len(samples), dtype=np.bool_)
            mask[: len(beginning)] = True
            return mask
        sparse = up[where[:: max(1, len(where) // 200)]]
        near = up[where] @ sparse.T > _SAME
        chosen = where[near[:, int(np.argmax(near.sum(axis=0)))]]
    else:
        lean = nominal_lean_deg(placement, mount, up[where])
        chosen = where[np.abs(lean - np.percentile(lean, 5)) < 3.0]
    mask = np.zeros(len(samples), dtype=np.bool_)
    mask[chosen] = True
    return mask


def _is_supine(
    ups: Mapping[Placement, FloatArray], mounts: Mapping[Placement, Mount], lying_expected: bool | None
) -> bool:
    for placement, up in ups.items():  # pelvis first: it tells best
        if not _faces_fore_or_aft(mounts[placement]) and lying_expected is not None:
            # A sensor at the side that is turned by 90 degrees about the skin normal looks like lying.
            continue
        lies = lies_on_back(placement, mounts[placement], up)
        if lies is not None:
            return lies
    return bool(lying_expected)


def _faces_fore_or_aft(mount: Mount) -> bool:
    return mount in {Mount.SACRUM, Mount.BELLY, Mount.THIGH_ANTERIOR}


def _mean_direction(up: FloatArray) -> FloatArray:
    mean = np.mean(up, axis=0)
    return np.asarray(mean / np.linalg.norm(mean), dtype=np.float64)
