"""Angle blocks for the tests of what comes after the angles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import pytest

from analytics.angles import AngleBlock

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
