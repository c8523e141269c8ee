"""Inclination of one sensor: streaming VQF (6 axes), and the same over a finished repetition without delay.

References
----------
D. Laidig, T. Seel: VQF: Highly accurate IMU orientation estimation with bias estimation and magnetic
disturbance rejection. Information Fusion 91 (2023) 187-204, doi:10.1016/j.inffus.2022.10.014
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np
from vqf import VQF, offlineVQF

from analytics.errors import BlockOutOfOrder, MixedSamplingRates
from analytics.filters import CausalLowPass, low_pass_zero_phase
from analytics.imu import NANOSECONDS_PER_SECOND, FloatArray, ImuBlock, Placement
from analytics.quaternions import conjugate, multiply

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class OrientationParameters:
    """Settings of the orientation stage.

    Parameters
    ----------
    tau_acc_s
        Time constant of the trust in the accelerometer. Smaller follows gravity sooner and lets more of
        the movement's own acceleration in; 1 s looks good on slow lifts and doubles the error in walking.
    bias_clip_deg_s, rest_threshold_gyr_deg_s, rest_threshold_acc_m_s2, rest_min_s, bias_sigma_rest_deg_s
        Rest detection. The clip may only be wide because the accelerometer threshold is tight: with
        VQF's 0.5 m/s² an evenly turning thigh in a slow lowering counts as rest, its rate becomes "bias",
        and the thigh is wrong by 10°.
    bias_sigma_init_deg_s
        One-sigma of the unknown bias where there was no stillness at the start.
    bias_sigma_standing_deg_s
        One-sigma given to the bias measured while standing. Less trusts a swaying body too much.
    hold_back_s
        Length of the opening window that bias is measured over; no angle leaves before it.
    settle_s
        Time after a restart during which inclination is not called measured.
    gravity_cutoff_hz
        Low-pass that takes gravity out of recordings without a gyroscope.
    """

    tau_acc_s: float = 2.0
    bias_clip_deg_s: float = 5.0
    bias_sigma_init_deg_s: float = 2.0
    bias_sigma_rest_deg_s: float = 0.1
    bias_sigma_standing_deg_s: float = 1.0
    rest_threshold_acc_m_s2: float = 0.1
    rest_threshold_gyr_deg_s: float = 2.0
    rest_min_s: float = 1.5
    hold_back_s: float = 2.0
    settle_s: float = 2.0
    gravity_cutoff_hz: float = 1.5


@dataclass(frozen=True, slots=True, eq=False)
class OrientationBlock:
    """Orientation of one sensor on its block's grid, with the samples it came from.

    Parameters
    ----------
    placement, start_time_ns, sampling_rate_hz, gap_before_s
        As in :class:`analytics.imu.ImuBlock`.
    earth_from_sensor_wxyz
        Shape (n, 4). Heading is arbitrary and drifts; inclination does not. Without a gyroscope only
        the inclination means something.
    acc_m_s2, gyr_rad_s
        The samples themselves, shape (n, 3), sensor_frame. Without a gyroscope ``gyr_rad_s`` is the
        turning rate of the inclination.
    bias_rad_s, bias_sigma_rad_s
        Gyroscope bias at each sample, shape (n, 3), and its one-sigma, shape (n,).
    is_settled
        False within ``settle_s`` of a restart, shape (n,).
    has_gyroscope
        As in :class:`analytics.imu.ImuBlock`.
    """

    placement: Placement
    start_time_ns: int
    sampling_rate_hz: float
    gap_before_s: float
    earth_from_sensor_wxyz: FloatArray
    acc_m_s2: FloatArray
    gyr_rad_s: FloatArray
    bias_rad_s: FloatArray
    bias_sigma_rad_s: FloatArray
    is_settled: NDArray[np.bool_]
    has_gyroscope: bool

    def __len__(self) -> int:
        return len(self.acc_m_s2)


def is_still(acc_m_s2: FloatArray, gyr_rad_s: FloatArray, sampling_rate_hz: float) -> bool:
    """Tell whether a window is quiet standing or lying, not the slow middle of a movement.

    People who stand still sway at 3 °/s and turn by 1-3° between the quarters of two seconds;
    a five-second lowering turns by 15°.
    """
    n = len(acc_m_s2)
    if n < 2 or n < 0.8 * sampling_rate_hz:
        return False
    norm = np.linalg.norm(acc_m_s2, axis=1)
    if float(norm.min()) <= 0.0:
        return False
    directions = acc_m_s2 / norm[:, None]
    quarters = [np.mean(part, axis=0) for part in np.array_split(directions, 4)]
    quarters = [part / np.linalg.norm(part) for part in quarters]
    # Between any two quarters: a slow lowering that ends within the window must not pass as one half of it.
    cosine = min(float(one @ other) for one, other in itertools.combinations(quarters, 2))
    turn_deg = math.degrees(math.acos(max(-1.0, min(1.0, cosine))))
    rate_deg_s = np.degrees(np.linalg.norm(gyr_rad_s - np.mean(gyr_rad_s, axis=0), axis=1))
    # Percentiles, not maxima: setting off a recording by a tap on the sensor is not movement.
    shake_m_s2 = float(np.percentile(np.abs(norm - np.median(norm)), 75))
    return turn_deg < 3.5 and float(np.percentile(rate_deg_s, 75)) < 10.0 and shake_m_s2 < 0.5


def standing_bias_rad_s(acc_m_s2: FloatArray, gyr_rad_s: FloatArray, sampling_rate_hz: float) -> FloatArray:
    """Gyroscope bias over a still window: mean rate minus the tilt rate that the accelerometer saw.

    Parameters
    ----------
    acc_m_s2, gyr_rad_s
        Shape (n, 3), sensor_frame.
    sampling_rate_hz
        Rate of both.

    Returns
    -------
    Shape (3,), rad/s, sensor_frame.
    """
    direction = acc_m_s2 / np.linalg.norm(acc_m_s2, axis=1)[:, None]
    up = np.mean(direction, axis=0)
    up /= np.linalg.norm(up)
    time_s = np.arange(len(acc_m_s2)) / sampling_rate_hz
    time_s = time_s - np.mean(time_s)
    slope = time_s @ direction / float(time_s @ time_s)
    # du/dt = cross(u, omega), so the part of omega across u is -cross(u, du/dt).
    return np.asarray(np.mean(gyr_rad_s, axis=0) + np.cross(up, slope), dtype=np.float64)


class OrientationStage:
    """Streaming orientation of one sensor; any chunking of the same samples gives the same bits.

    Holds back the first ``hold_back_s`` to measure the gyroscope bias, and restarts after each gap with the
    bias it knows. The ``vqf`` object inside cannot be copied or pickled: to resume elsewhere, push again.

    Parameters
    ----------
    placement
        Sensor this stage belongs to.
    parameters
        Settings.
    """

    def __init__(self, placement: Placement, parameters: OrientationParameters | None = None) -> None:
        self._placement = placement
        self._parameters = parameters or OrientationParameters()
        self._rate_hz: float | None = None
        self._end_ns: int | None = None
        self._held: list[ImuBlock] | None = []
        self._filter: _Filter | None = None
        self._samples_since_restart = 0
        self._needs_settling = False

    def push(self, block: ImuBlock) -> list[OrientationBlock]:
        """Take the next samples; return what can be said now.

        Raises
        ------
        MixedSamplingRates
            The rate changed.
        BlockOutOfOrder
            The block begins before the previous one ended.
        """
        if len(block) == 0:
            return []
        if self._rate_hz is None:
            self._rate_hz = block.sampling_rate_hz
        if block.sampling_rate_hz != self._rate_hz:
            raise MixedSamplingRates(self._placement, block.sampling_rate_hz, self._rate_hz)
        if self._end_ns is not None:
            overlap_s = (self._end_ns - block.start_time_ns) / NANOSECONDS_PER_SECOND
            if overlap_s > 0.5 / self._rate_hz:
                raise BlockOutOfOrder(self._placement, overlap_s)
        self._end_ns = block.time_ns(len(block))
        if self._held is not None:
            if block.gap_before_s > 0.0 and self._held:
                return [*self._release(), *self._run(block)]
            self._held.append(block)
            if sum(len(held) for held in self._held) < self._hold_back_samples():
                return []
            return self._release()
        return self._run(block)

    def flush(self) -> list[OrientationBlock]:
        """End of the recording: return what was held back."""
        return self._release() if self._held else []

    def _hold_back_samples(self) -> int:
        assert self._rate_hz is not None
        return round(self._parameters.hold_back_s * self._rate_hz)

    def _release(self) -> list[OrientationBlock]:
        assert self._held is not None
        assert self._rate_hz is not None
        held, self._held = self._held, None
        n = self._hold_back_samples()
        # Only the opening window decides, however much the last push brought beyond it.
        acc = np.concatenate([block.acc_m_s2 for block in held])[:n]
        gyr = np.concatenate([block.gyr_rad_s for block in held])[:n]
        opening = round(0.3 * self._rate_hz)
        bias, sigma = None, self._parameters.bias_sigma_init_deg_s
        still = is_still(acc[opening:], gyr[opening:], self._rate_hz)
        if still and held[0].has_gyroscope:
            bias = standing_bias_rad_s(acc, gyr, self._rate_hz)
            sigma = self._parameters.bias_sigma_standing_deg_s
        self._needs_settling = not still
        self._filter = self._new_filter(held[0], acc, bias, math.radians(sigma))
        return [part for block in held for part in self._run(block)]

    def _new_filter(
        self, block: ImuBlock, opening_acc: FloatArray, bias: FloatArray | None, sigma_rad_s: float
    ) -> _Filter:
        if not block.has_gyroscope:
            start = np.mean(opening_acc[: max(1, round(0.3 * block.sampling_rate_hz))], axis=0)
            return _GravityFilter(self._parameters.gravity_cutoff_hz, block.sampling_rate_hz, start)
        return _VqfFilter(self._parameters, block.sampling_rate_hz, bias, sigma_rad_s)

    def _run(self, block: ImuBlock) -> list[OrientationBlock]:
        assert self._filter is not None
        if block.gap_before_s > 0.0 and self._samples_since_restart > 0:
            self._filter = self._filter.restarted(block.acc_m_s2[0])
            self._samples_since_restart = 0
            self._needs_settling = True
        quat, gyr, bias, sigma = self._filter.push(block)
        if self._needs_settling:
            settled = np.ones(len(block), dtype=np.bool_)
            unsettled = (
                round(self._parameters.settle_s * block.sampling_rate_hz) - self._samples_since_restart
            )
            settled[: max(0, unsettled)] = False
            self._needs_settling = unsettled > len(block)
        else:
            settled = _all_settled(len(block))
        self._samples_since_restart += len(block)
        return [
            OrientationBlock(
                placement=block.placement,
                start_time_ns=block.start_time_ns,
                sampling_rate_hz=block.sampling_rate_hz,
                gap_before_s=block.gap_before_s,
                earth_from_sensor_wxyz=quat,
                acc_m_s2=block.acc_m_s2,
                gyr_rad_s=gyr,
                bias_rad_s=bias,
                bias_sigma_rad_s=sigma,
                is_settled=settled,
                has_gyroscope=block.has_gyroscope,
            )
        ]


@lru_cache(maxsize=64)
def _all_settled(n: int) -> NDArray[np.bool_]:
    """Return True throughout, shape (n,), not to be written to."""
    settled = np.ones(n, dtype=np.bool_)
    settled.setflags(write=False)
    return settled


_Filtered = tuple[FloatArray, FloatArray, FloatArray, FloatArray]


class _VqfFilter:
    """VQF with the bias it starts from, and a heading that goes on where the previous filter stopped."""

    def __init__(
        self,
        parameters: OrientationParameters,
        sampling_rate_hz: float,
        bias_rad_s: FloatArray | None,
        bias_sigma_rad_s: float,
        continue_from_wxyz: FloatArray | None = None,
    ) -> None:
        self._parameters = parameters
        self._rate_hz = sampling_rate_hz
        self._vqf = VQF(1.0 / sampling_rate_hz, **_vqf_settings(parameters, parameters.bias_sigma_init_deg_s))
        if bias_rad_s is not None:
            self._vqf.setBiasEstimate(np.ascontiguousarray(bias_rad_s), bias_sigma_rad_s)
        self._continue_from = continue_from_wxyz
        self._heading: FloatArray | None = None
        self._last_quat: FloatArray | None = None
        self._last_rate: FloatArray | None = None

    def push(self, block: ImuBlock) -> _Filtered:
        turning = _between_samples(block.gyr_rad_s, self._last_rate)
        self._last_rate = block.gyr_rad_s[-1]
        out = self._vqf.updateBatch(turning, block.acc_m_s2)
        quat: FloatArray = out["quat6D"]
        if self._continue_from is not None:
            if self._heading is None:
                self._heading = heading_between(quat[0], self._continue_from)
            quat = multiply(self._heading, quat)
        self._last_quat = quat[-1]
        return quat, block.gyr_rad_s, out["bias"], out["biasSigma"]

    def restarted(self, acc_m_s2: FloatArray) -> _VqfFilter:
        del acc_m_s2  # VQF starts from the first accelerations it sees
        bias, sigma = self._vqf.getBiasEstimate()
        return _VqfFilter(self._parameters, self._rate_hz, bias, sigma, self._last_quat)


class _GravityFilter:
    """Low-passed specific force as gravity, for recordings without a gyroscope."""

    def __init__(self, cutoff_hz: float, sampling_rate_hz: float, start_acc_m_s2: FloatArray) -> None:
        self._cutoff_hz = cutoff_hz
        self._rate_hz = sampling_rate_hz
        self._low_pass = CausalLowPass(cutoff_hz, sampling_rate_hz, start_acc_m_s2)
        self._last_up: FloatArray | None = None

    def push(self, block: ImuBlock) -> _Filtered:
        up = _directions(self._low_pass.push(block.acc_m_s2))
        before = np.concatenate((up[:1] if self._last_up is None else self._last_up[None], up[:-1]))
        self._last_up = up[-1]
        rate = np.cross(up, before) * self._rate_hz
        n = len(block)
        return _inclination_quaternions(up), rate, np.zeros((n, 3)), np.zeros(n)

    def restarted(self, acc_m_s2: FloatArray) -> _GravityFilter:
        return _GravityFilter(self._cutoff_hz, self._rate_hz, acc_m_s2)


_Filter = _VqfFilter | _GravityFilter


def remeasure(
    acc_m_s2: FloatArray,
    gyr_rad_s: FloatArray,
    sampling_rate_hz: float,
    *,
    bias_rad_s: FloatArray,
    bias_sigma_rad_s: float,
    has_gyroscope: bool = True,
    parameters: OrientationParameters | None = None,
) -> FloatArray:
    """Orientation over a finished stretch, looking forward and back: no filter delay.

    Parameters
    ----------
    acc_m_s2, gyr_rad_s
        Shape (n, 3), sensor_frame, contiguous.
    sampling_rate_hz
        Rate of both.
    bias_rad_s, bias_sigma_rad_s
        What the live filter knew of the gyroscope bias at the end of the stretch.
    has_gyroscope
        False: zero-phase low-pass of the accelerations only.
    parameters
        Settings.

    Returns
    -------
    earth_from_sensor as quat_wxyz, shape (n, 4); heading arbitrary.
    """
    chosen = parameters or OrientationParameters()
    if len(acc_m_s2) == 0:
        return np.zeros((0, 4))
    if not has_gyroscope:
        gravity = low_pass_zero_phase(acc_m_s2, chosen.gravity_cutoff_hz, sampling_rate_hz)
        return _inclination_quaternions(_directions(gravity))
    settings = _vqf_settings(chosen, math.degrees(bias_sigma_rad_s))
    gyr = _between_samples(gyr_rad_s - bias_rad_s, None)
    out = offlineVQF(gyr, np.ascontiguousarray(acc_m_s2), None, 1.0 / sampling_rate_hz, settings)
    quat: FloatArray = out["quat6D"]
    return quat


@cache
def _packet_steps() -> ModuleType:
    from analytics import packet_steps  # noqa: PLC0415 - numba takes half a second

    return packet_steps


def _between_samples(gyr_rad_s: FloatArray, before: FloatArray | None) -> FloatArray:
    """Mean rate from each sample's predecessor to it, shape (n, 3).

    VQF turns by the rate of the newer sample alone: half a sample ahead, 1 degree at 100 degrees/s and 50 Hz.
    """
    turning = np.empty(gyr_rad_s.shape)
    _packet_steps().mean_rates(gyr_rad_s, gyr_rad_s[0] if before is None else before, turning)
    return turning


def _vqf_settings(parameters: OrientationParameters, bias_sigma_init_deg_s: float) -> dict[str, float | bool]:
    return {
        "tauAcc": parameters.tau_acc_s,
        "biasClip": parameters.bias_clip_deg_s,
        "biasSigmaInit": bias_sigma_init_deg_s,
        "biasSigmaRest": parameters.bias_sigma_rest_deg_s,
        "restThAcc": parameters.rest_threshold_acc_m_s2,
        "restThGyr": parameters.rest_threshold_gyr_deg_s,
        "restMinT": parameters.rest_min_s,
        "motionBiasEstEnabled": True,
        "restBiasEstEnabled": True,
    }


def _directions(vectors: FloatArray) -> FloatArray:
    x, y, z = vectors[:, 0], vectors[:, 1], vectors[:, 2]
    norm = np.sqrt(x * x + y * y + z * z)
    # Free fall has no direction; it lasts no longer than a jump, and the low-pass keeps it from zero.
    return vectors / np.maximum(norm, 1e-9)[:, None]


def _inclination_quaternions(up: FloatArray) -> FloatArray:
    """Shortest rotation that takes ``up`` (n, 3), sensor_frame, onto the earth's z axis."""
    x, y, z = up[:, 0], up[:, 1], up[:, 2]
    w = 1.0 + z
    upside_down = w < 1e-9
    quat = np.stack((w, y, -x, np.zeros_like(x)), axis=-1)
    quat[upside_down] = (0.0, 1.0, 0.0, 0.0)
    norm = np.sqrt(quat[:, 0] ** 2 + quat[:, 1] ** 2 + quat[:, 2] ** 2)
    return quat / norm[:, None]


def heading_between(first_wxyz: FloatArray, last_wxyz: FloatArray) -> FloatArray:
    """Turn about the vertical that brings ``first`` as near as possible to ``last``."""
    difference = multiply(last_wxyz, conjugate(first_wxyz))
    half = math.atan2(float(difference[3]), float(difference[0]))
    return np.array((math.cos(half), 0.0, 0.0, math.sin(half)))


__all__ = [
    "OrientationBlock",
    "OrientationParameters",
    "OrientationStage",
    "is_still",
    "remeasure",
    "standing_bias_rad_s",
]
