"""Is it a repetition? A verdict with reasons, from the candidate's own samples.

Walking, stairs and jumping also make an angle go out and back. Told apart by the share of rotation
about the hinge axis, the shaking of the acceleration and the way travelled; the demands grow as the
amplitude shrinks, because small movements are easily imitated and large ones wobble.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analytics.filters import low_pass_zero_phase

if TYPE_CHECKING:
    from analytics.imu import FloatArray

# Footfalls shake the body in this band: walking and stairs at their second harmonic, running at its first.
_STEPS_HZ = (2.0, 5.0)


@dataclass(frozen=True, slots=True)
class GateTier:
    """Demands on candidates of at least this amplitude.

    Parameters
    ----------
    amplitude_from_deg
        Smallest amplitude of the tier, degrees.
    axis_share_from
        Least share of rotation energy about the hinge axis below 1 Hz.
    shake_to_m_s2
        Largest shaking of the acceleration's norm, m/s²; see `GateFeatures`.
    """

    amplitude_from_deg: float
    axis_share_from: float
    shake_to_m_s2: float


@dataclass(frozen=True, slots=True)
class GateParameters:
    """The tiered gate; a flat one throws away wobbling single-leg repetitions.

    Parameters
    ----------
    tiers
        From the largest amplitude down.
    path_to, path_per_s, path_most
        Largest way travelled as a part of out and back; what sway may add to it for each second beyond
        `slow_from_s`, and up to what.
    duration_from_s
        Shortest repetition, s.
    amplitude_to_deg
        Largest amplitude: no hip bends further, the angle has turned over.
    slow_from_s, still_to_m_s2, still_axis_share_from
        Of a repetition this long whose body shakes no more than this, sway may take up a larger part of the
        rotation: nobody walks so quietly.
    pure_from_deg, pure_axis_share_from, pure_shake_to_m_s2
        A movement so large and so purely about the hinge axis may shake this much: dropping into a fast squat
        and out of it does, and no step is so pure.
    any_axis_from_deg, any_axis_share_from
        From this amplitude a movement about one steady horizontal axis that holds this share is let through
        even where it is not the calibrated hinge axis: then the calibration is wrong, not the repetition.
    """

    tiers: tuple[GateTier, ...] = (
        GateTier(50.0, 0.5, 1.8),
        GateTier(30.0, 0.5, 0.8),
        GateTier(12.0, 0.75, 0.3),
        GateTier(0.0, 0.7, 0.12),
    )
    path_to: float = 1.3
    path_per_s: float = 0.05
    path_most: float = 1.6
    duration_from_s: float = 1.0
    amplitude_to_deg: float = 170.0
    slow_from_s: float = 4.0
    still_to_m_s2: float = 0.06
    still_axis_share_from: float = 0.5
    pure_from_deg: float = 18.0
    pure_axis_share_from: float = 0.95
    pure_shake_to_m_s2: float = 1.0
    any_axis_from_deg: float = 30.0
    any_axis_share_from: float = 0.8


# On the back nobody walks, and a quick bridge throws the hips up: what shakes, or rolls a little, counts.
LYING_GATE = GateParameters(tiers=(GateTier(12.0, 0.5, 2.5), GateTier(0.0, 0.6, 1.0)))


@dataclass(frozen=True, slots=True)
class GateFeatures:
    """What the verdict rests on; ``None`` where the recording cannot say.

    Parameters
    ----------
    amplitude_deg
        Amplitude of the driving angle.
    duration_s
        Start to close.
    path
        Travelled way / twice the amplitude.
    axis_share
        Share of rotation energy about the hinge axis, rates low-passed at 1 Hz.
    shake_m_s2
        75th percentile of |band-pass(|a|), 2-5 Hz|: footfalls lie in the band, a repetition below it
        however fast it is, tremor above. The percentile, because plates that touch the floor would spoil a
        peak or a variance.
    main_axis_share
        As `axis_share`, about the horizontal axis with the most rotation.
    """

    amplitude_deg: float
    duration_s: float
    path: float
    axis_share: float | None
    shake_m_s2: float | None
    main_axis_share: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Accepted, or why not.

    Parameters
    ----------
    is_repetition
        The verdict.
    reasons
        One sentence for each demand that failed.
    features
        What was looked at.
    """

    is_repetition: bool
    reasons: tuple[str, ...]
    features: GateFeatures


def axis_share(gyr_segment_rad_s: FloatArray, *, axis_is_known: bool) -> float | None:
    """Share of rotation energy about the hinge axis.

    Parameters
    ----------
    gyr_segment_rad_s
        Angular rate, low-passed, shape (n, 3), rad/s, segment_frame.
    axis_is_known
        True: the hinge axis is y. False (the turn about the vertical is not calibrated yet): the
        horizontal direction with the most rotation.

    Returns
    -------
    float or None
        0 to 1; ``None`` where nothing turned.
    """
    energy = np.sum(np.square(gyr_segment_rad_s), axis=0)
    total = float(energy.sum())
    if not total > 0.0:
        return None
    if axis_is_known:
        return float(energy[1]) / total
    horizontal = gyr_segment_rad_s[:, :2]
    largest = float(np.linalg.eigvalsh(horizontal.T @ horizontal)[-1])
    return largest / total


def path_share(angle_deg: FloatArray, *, dead_band_deg: float) -> float:
    """Way travelled / twice the range, turning points closer than the dead band left out.

    Without the dead band the sway of a slow repetition would add up to the way of a walk.
    """
    values = angle_deg.tolist()
    turns = [values[0]]
    extreme, direction = values[0], 0.0
    for value in values:
        if not direction:
            if abs(value - turns[0]) > dead_band_deg:
                direction, extreme = (1.0 if value > turns[0] else -1.0), value
        elif direction * (value - extreme) > 0:
            extreme = value
        elif direction * (extreme - value) > dead_band_deg:
            turns.append(extreme)
            direction, extreme = -direction, value
    turns.append(extreme)
    span = max(values) - min(values)
    way = sum(abs(b - a) for a, b in itertools.pairwise(turns))
    return way / (2.0 * span) if span > 0 else 0.0


def gate_features(
    angle_deg: FloatArray,
    acc_norm_m_s2: FloatArray,
    gyr_segment_rad_s: FloatArray,
    sampling_rate_hz: float,
    *,
    first: int,
    last: int,
    amplitude_deg: float,
    axis_is_known: bool,
) -> GateFeatures:
    """Features of a candidate, filtered without delay over its buffer.

    Parameters
    ----------
    angle_deg
        Driving angle over the buffer, degrees, shape (n,), finite.
    acc_norm_m_s2
        Norm of the specific force, m/s², shape (n,); NaN where unknown.
    gyr_segment_rad_s
        Angular rate, rad/s, segment_frame, shape (n, 3); NaN where unknown, all zero without a gyroscope.
    sampling_rate_hz
        Rate of all three.
    first, last
        The candidate within the buffer: first and last sample (inclusive).
    amplitude_deg
        Amplitude found by the counter.
    axis_is_known
        See `axis_share`.
    """
    inside = slice(first, last + 1)
    angle = _low_passed(angle_deg, 5.0, sampling_rate_hz)[inside]
    share: float | None = None
    main_share: float | None = None
    if np.isfinite(gyr_segment_rad_s).all():
        slow = _low_passed(gyr_segment_rad_s, 1.0, sampling_rate_hz)[inside]
        main_share = axis_share(slow, axis_is_known=False)
        share = axis_share(slow, axis_is_known=True) if axis_is_known else main_share
    shake: float | None = None
    if np.isfinite(acc_norm_m_s2).all():
        shaking = _low_passed(acc_norm_m_s2, _STEPS_HZ[1], sampling_rate_hz)
        shaking -= _low_passed(acc_norm_m_s2, _STEPS_HZ[0], sampling_rate_hz)
        shake = float(np.percentile(np.abs(shaking[inside]), 75.0))
    return GateFeatures(
        amplitude_deg=amplitude_deg,
        duration_s=(last - first) / sampling_rate_hz,
        path=path_share(angle, dead_band_deg=max(1.0, 0.1 * amplitude_deg)),
        axis_share=share,
        shake_m_s2=shake,
        main_axis_share=main_share,
    )


def _low_passed(values: FloatArray, cutoff_hz: float, sampling_rate_hz: float) -> FloatArray:
    return low_pass_zero_phase(values, min(cutoff_hz, 0.4 * sampling_rate_hz), sampling_rate_hz)


def judge(features: GateFeatures, parameters: GateParameters | None = None) -> Verdict:
    """Judge a candidate.

    Parameters
    ----------
    features
        See `gate_features`. What is ``None`` is not demanded.
    parameters
        The demands.
    """
    demands = parameters if parameters is not None else GateParameters()
    tier = next(tier for tier in demands.tiers if features.amplitude_deg >= tier.amplitude_from_deg)
    reasons: list[str] = []
    if features.duration_s < demands.duration_from_s:
        reasons.append(f"it lasted {features.duration_s:.2f} s, less than {demands.duration_from_s:g} s")
    if features.amplitude_deg > demands.amplitude_to_deg:
        reasons.append(f"it turned by {features.amplitude_deg:.0f}°, further than a hip bends")
    path_to = _path_to(features, demands)
    if features.path > path_to:
        reasons.append(f"it went back and forth: {features.path:.2f} times the way, more than {path_to:.3g}")
    share, share_from = features.axis_share, _axis_share_from(features, tier, demands)
    if share is not None and share < share_from and not _is_about_another_axis(features, demands):
        reasons.append(
            f"only {share:.2f} of the rotation was about the hinge axis, "
            f"{share_from:g} is needed at {features.amplitude_deg:.0f}°"
        )
    shake, shake_to = features.shake_m_s2, _shake_to(features, tier, demands)
    if shake is not None and shake > shake_to:
        reasons.append(
            f"the body shook with {shake:.2f} m/s², more than {shake_to:g} "
            f"allowed at {features.amplitude_deg:.0f}°"
        )
    return Verdict(not reasons, tuple(reasons), features)


def _path_to(features: GateFeatures, demands: GateParameters) -> float:
    beyond_s = max(0.0, features.duration_s - demands.slow_from_s)
    return min(demands.path_most, demands.path_to + demands.path_per_s * beyond_s)


def _axis_share_from(features: GateFeatures, tier: GateTier, demands: GateParameters) -> float:
    shake = features.shake_m_s2
    is_still = shake is not None and shake <= demands.still_to_m_s2
    if is_still and features.duration_s >= demands.slow_from_s:
        return min(tier.axis_share_from, demands.still_axis_share_from)
    return tier.axis_share_from


def _shake_to(features: GateFeatures, tier: GateTier, demands: GateParameters) -> float:
    share = features.axis_share
    is_pure = share is not None and share >= demands.pure_axis_share_from
    if is_pure and features.amplitude_deg >= demands.pure_from_deg:
        return max(tier.shake_to_m_s2, demands.pure_shake_to_m_s2)
    return tier.shake_to_m_s2


def _is_about_another_axis(features: GateFeatures, demands: GateParameters) -> bool:
    return (
        features.main_axis_share is not None
        and features.amplitude_deg >= demands.any_axis_from_deg
        and features.main_axis_share >= demands.any_axis_share_from
    )
