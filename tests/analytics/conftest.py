"""Angle blocks and repetitions for the tests of what comes after the angles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from vqf import VQF

from analytics.angles import AngleBlock
from analytics.exercises import Side
from analytics.repetition_figures import NEXT_NOT_BEGUN, Kind, Repetition, RepetitionStatus
from analytics.repetitions import DrivingAngle

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class MakeAngles(Protocol):
    def __call__(self, **columns: ArrayLike | float | bool) -> AngleBlock: ...


@pytest.fixture
def make_angles() -> MakeAngles:
    """Build a block from the columns that matter; hips are tilt + thigh, what is not given is NaN."""

    def make(
        *,
        tilt: ArrayLike | None = None,
        left: ArrayLike | None = None,
        right: ArrayLike | None = None,
        obliquity: ArrayLike | None = None,
        rotation: ArrayLike | None = None,
        acc_norm: ArrayLike | float = 9.81,
        gyr: ArrayLike = 0.0,
        rate_hz: float = 100.0,
        start_ns: int = 0,
        supine: ArrayLike | bool = False,
        measured: ArrayLike | bool = True,
    ) -> AngleBlock:
        n = max(len(np.atleast_1d(column)) for column in (tilt, left, right) if column is not None)

        def full(column: ArrayLike | None) -> np.ndarray:
            return np.array(np.broadcast_to(np.nan if column is None else column, n), dtype=np.float64)

        return AngleBlock(
            start_time_ns=start_ns,
            sampling_rate_hz=rate_hz,
            gap_before_s=0.0,
            pelvic_tilt_deg=full(tilt),
            pelvic_obliquity_deg=full(obliquity),
            pelvic_rotation_deg=full(rotation),
            thigh_flexion_left_deg=full(left),
            thigh_flexion_right_deg=full(right),
            hip_flexion_left_deg=full(tilt) + full(left),
            hip_flexion_right_deg=full(tilt) + full(right),
            acc_norm_m_s2=full(acc_norm),
            gyr_segment_rad_s=np.array(np.broadcast_to(gyr, (n, 3)), dtype=np.float64),
            is_supine=np.array(np.broadcast_to(supine, n), dtype=np.bool_),
            is_measured=np.array(np.broadcast_to(measured, n), dtype=np.bool_),
        )

    return make


class Incline(Protocol):
    def __call__(self, acc_m_s2: np.ndarray, gyr_rad_s: np.ndarray, rate_hz: float) -> AngleBlock: ...


@pytest.fixture
def inclined_from_standing(make_angles: MakeAngles) -> Incline:
    """Take a sensor of unknown mount: inclination from its first second and a bit, unsigned, as tilt."""

    def incline(acc_m_s2: np.ndarray, gyr_rad_s: np.ndarray, rate_hz: float) -> AngleBlock:
        acc = np.ascontiguousarray(acc_m_s2, dtype=np.float64)
        gyr = np.ascontiguousarray(gyr_rad_s, dtype=np.float64)
        vqf = VQF(1.0 / rate_hz, tauAcc=2.0, biasClip=5.0, biasSigmaInit=2.0, restThAcc=0.1)
        quat = vqf.updateBatch(gyr, acc)["quat6D"]
        up = Rotation.from_quat(quat, scalar_first=True).inv().apply((0.0, 0.0, 1.0))
        still = slice(round(0.3 * rate_hz), round(1.3 * rate_hz))
        standing = up[still].mean(axis=0)
        standing /= np.linalg.norm(standing)
        level = Rotation.align_vectors([[0.0, 0.0, 1.0]], [standing])[0]
        return make_angles(
            tilt=np.degrees(np.arccos(np.clip(up @ standing, -1.0, 1.0))),
            acc_norm=np.linalg.norm(acc, axis=1),
            gyr=level.apply(gyr),
            rate_hz=rate_hz,
        )

    return incline


class MakeRepetition(Protocol):
    def __call__(self, number: int = 1, **figures: object) -> Repetition: ...


@pytest.fixture
def make_repetition() -> MakeRepetition:
    """Build a repetition of 5 s down, 1 s pause, 2 s up, ten seconds after the one before."""

    def make(number: int = 1, *, sd: float = 0.1, **figures: object) -> Repetition:
        start_ns = number * 10_000_000_000
        values: dict[str, object] = {
            "eccentric_s": 5.0,
            "bottom_pause_s": 1.0,
            "concentric_s": 2.0,
            "tut_s": 8.0,
            "eccentric_movement_s": 5.3,
            "concentric_movement_s": 2.2,
            "pelvic_tilt_range_deg": 70.0,
            "hip_flexion_left_range_deg": 90.0,
            "hip_flexion_right_range_deg": 90.0,
            "thigh_flexion_left_range_deg": 20.0,
            "thigh_flexion_right_range_deg": 20.0,
            "pelvic_obliquity_peak_deg": 1.0,
            "pelvic_rotation_range_deg": 2.0,
            "lockout_deficit_deg": 1.0,
            "hinge_share": 0.78,
            "pelvic_tilt_change_deg": 70.0,
            "thigh_flexion_left_change_deg": 20.0,
            "thigh_flexion_right_change_deg": 20.0,
            "free_side_drop_peak_deg": None,
            "free_side_rise_peak_deg": None,
            "tilt_reversal_deg": 0.5,
            "balance_burst_deg_s": 2.0,
            "concentric_mean_deg_s": 45.0,
            "pelvic_obliquity_eccentric_peak_deg": 0.8,
            "pelvic_obliquity_bottom_peak_deg": 1.0,
            "pelvic_obliquity_concentric_peak_deg": 0.9,
        }
        fixed: dict[str, object] = {
            "set_number": 1,
            "status": RepetitionStatus.PROVISIONAL if number == 1 else RepetitionStatus.CONFIRMED,
            "side": Side.BOTH,
            "is_supine": False,
            "driving_angle": DrivingAngle.HIP_FLEXION,
            "start_ns": start_ns,
            "bottom_ns": start_ns + 5_500_000_000,
            "close_ns": start_ns + 8_000_000_000,
            "amplitude_deg": 90.0,
            "eccentric_start_ns": start_ns,
            "eccentric_end_ns": start_ns + 5_000_000_000,
            "concentric_start_ns": start_ns + 6_000_000_000,
            "concentric_end_ns": start_ns + 8_000_000_000,
            "reasons": {"top_pause_s": NEXT_NOT_BEGUN},
        }
        for name, value in figures.items():
            (values if name in values else fixed)[name] = value
        known = [name for name, value in values.items() if value is not None]
        return Repetition(
            repetition_number=number,
            sd=dict.fromkeys(known, sd),
            kind=dict.fromkeys(known, Kind.MEASURED),
            **fixed,
            **values,
        )

    return make
