"""What the sensors show of a set as a whole: medians over its repetitions."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean, median
from typing import TYPE_CHECKING

from analytics.driving import DrivingAngle

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analytics.repetition_figures import Repetition

# Two legs that do the same differ by less: 3 degrees (root mean square) on people rising from a chair.
UNEVEN_DEG = 15.0
# Below this a share of two ranges is noise.
_SMALLEST_RANGE_DEG = 5.0
# Nobody stands with hips more bent than this and lowers from there.
_LARGEST_SOFT_LOCKOUT_DEG = 40.0


@dataclass(frozen=True, slots=True)
class SetLook:
    """Medians over a set; ``None`` where no sensor shows it.

    Parameters
    ----------
    is_supine
        Done lying on the back.
    tilt_deg
        Pelvic tilt at the far end, degrees: from standing where the repetition before did not end there.
    left_deg, right_deg
        Thigh flexion at the far end, left and right, degrees; likewise.
    hip_deg
        Range of hip flexion of the hip that bends more, degrees.
    share
        Hinge share, 0 to 1.
    togetherness
        Range of hip flexion / (range of tilt + range of thigh flexion), 0 to 1: 1 where pelvis and thigh
        are farthest at the same time, less where the pelvis is upright again when the thigh is (a chair).
    has_pelvis
        A pelvis sensor counted it, measured or not.
    """

    is_supine: bool
    tilt_deg: float | None
    left_deg: float | None
    right_deg: float | None
    hip_deg: float | None
    share: float | None
    togetherness: float | None = None
    has_pelvis: bool = False

    @property
    def has_thigh(self) -> bool:
        """Whether a thigh sensor showed anything."""
        return self.left_deg is not None or self.right_deg is not None

    @property
    def has_one_thigh(self) -> bool:
        """Whether one thigh sensor showed something, and the other nothing."""
        return (self.left_deg is None) != (self.right_deg is None)

    @property
    def thigh_difference_deg(self) -> float:
        """Difference of the two thighs, degrees; 0 where only one is worn."""
        if self.left_deg is None or self.right_deg is None:
            return 0.0
        return abs(self.left_deg - self.right_deg)

    @property
    def thigh_deg(self) -> float | None:
        """Thigh flexion, degrees: the mean of alike thighs, else of the one that flexes more."""
        if self.thigh_difference_deg > UNEVEN_DEG:
            return max(thigh for thigh in (self.left_deg, self.right_deg) if thigh is not None)
        return _mean((self.left_deg, self.right_deg))


def look_at(repetitions: Sequence[Repetition]) -> SetLook:
    """Take the medians of a set.

    Parameters
    ----------
    repetitions
        Of one set.
    """
    depths = _depths_from_standing(repetitions)
    return SetLook(
        is_supine=any(r.is_supine for r in repetitions),
        tilt_deg=_median(_scaled(r.pelvic_tilt_change_deg, f) for r, f in depths),
        left_deg=_median(_scaled(r.thigh_flexion_left_change_deg, f) for r, f in depths),
        right_deg=_median(_scaled(r.thigh_flexion_right_change_deg, f) for r, f in depths),
        hip_deg=_median(_larger_hip_deg(r) for r in repetitions),
        share=_median(r.hinge_share for r in repetitions),
        togetherness=_median(_togetherness(r) for r in repetitions),
        has_pelvis=any(r.driving_angle is not DrivingAngle.THIGH_FLEXION for r in repetitions),
    )


def _depths_from_standing(repetitions: Sequence[Repetition]) -> list[tuple[Repetition, float]]:
    """Each repetition, and by how much more its segments turned from standing than from its start.

    Who does not straighten at the top begins the next repetition bent: it is as deep as the first, but its
    changes are smaller. What was left of the hip is shared out as the movement shares it.
    """
    depths = []
    left_over = 0.0
    for r in repetitions:
        hip = None
        thigh = _mean((r.thigh_flexion_left_change_deg, r.thigh_flexion_right_change_deg))
        if r.pelvic_tilt_change_deg is not None and thigh is not None:
            hip = r.pelvic_tilt_change_deg + thigh
        depths.append((r, 1.0 if hip is None or hip < left_over else 1.0 + left_over / hip))
        deficit = r.lockout_deficit_deg or 0.0
        left_over = min(max(0.0, deficit), _LARGEST_SOFT_LOCKOUT_DEG) if not r.is_supine else 0.0
    return depths


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else factor * value


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
