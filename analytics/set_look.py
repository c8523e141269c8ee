"""What the sensors show of a set as a whole: medians over its repetitions."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean, median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analytics.repetition_figures import Repetition

# Below this a share of two ranges is noise.
_SMALLEST_RANGE_DEG = 5.0


@dataclass(frozen=True, slots=True)
class SetLook:
    """Medians over a set; ``None`` where no sensor shows it.

    Parameters
    ----------
    is_supine
        Done lying on the back.
    tilt_deg
        Change of pelvic tilt from start to far end, degrees.
    left_deg, right_deg
        Change of thigh flexion, left and right, degrees.
    hip_deg
        Range of hip flexion of the hip that bends more, degrees.
    share
        Hinge share, 0 to 1.
    togetherness
        Range of hip flexion / (range of tilt + range of thigh flexion), 0 to 1: 1 where pelvis and thigh
        are farthest at the same time, less where the pelvis is upright again when the thigh is (a chair).
    """

    is_supine: bool
    tilt_deg: float | None
    left_deg: float | None
    right_deg: float | None
    hip_deg: float | None
    share: float | None
    togetherness: float | None = None

    @property
    def has_thigh(self) -> bool:
        """Whether a thigh sensor showed anything."""
        return self.left_deg is not None or self.right_deg is not None

    @property
    def thigh_deg(self) -> float | None:
        """Change of thigh flexion, mean of the thighs worn, degrees."""
        return _mean((self.left_deg, self.right_deg))


def look_at(repetitions: Sequence[Repetition]) -> SetLook:
    """Take the medians of a set.

    Parameters
    ----------
    repetitions
        Of one set.
    """
    return SetLook(
        is_supine=any(r.is_supine for r in repetitions),
        tilt_deg=_median(r.pelvic_tilt_change_deg for r in repetitions),
        left_deg=_median(r.thigh_flexion_left_change_deg for r in repetitions),
        right_deg=_median(r.thigh_flexion_right_change_deg for r in repetitions),
        hip_deg=_median(_larger_hip_deg(r) for r in repetitions),
        share=_median(r.hinge_share for r in repetitions),
        togetherness=_median(_togetherness(r) for r in repetitions),
    )


def togetherness(hip_range_deg: float, tilt_range_deg: float, thigh_range_deg: float) -> float | None:
    """Share of the hip's range in the sum of the two it is made of; ``None`` where they hardly move."""
    whole = tilt_range_deg + thigh_range_deg
    return hip_range_deg / whole if whole >= _SMALLEST_RANGE_DEG else None


def _togetherness(r: Repetition) -> float | None:
    hip = _mean((r.hip_flexion_left_range_deg, r.hip_flexion_right_range_deg))
    thigh = _mean((r.thigh_flexion_left_range_deg, r.thigh_flexion_right_range_deg))
    if hip is None or thigh is None or r.pelvic_tilt_range_deg is None:
        return None
    return togetherness(hip, r.pelvic_tilt_range_deg, thigh)


def _larger_hip_deg(r: Repetition) -> float | None:
    ranges = [
        value for value in (r.hip_flexion_left_range_deg, r.hip_flexion_right_range_deg) if value is not None
    ]
    return max(ranges, default=None)


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
