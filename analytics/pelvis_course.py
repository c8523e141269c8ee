"""How the pelvis went through a repetition: its tipping and turning by phase, and against the thigh."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analytics.exercises import Side
from analytics.repetition_figures import Figure, Kind, Measured, Unmeasured
from analytics.uncertainty import sd_of_farthest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analytics.imu import FloatArray
    from analytics.uncertainty import SensorQuality, UncertaintyModel

# Parts of the way down at which the share of the pelvis is told.
SHARE_POINTS = {"hinge_share_quarter": 0.25, "hinge_share_half": 0.5, "hinge_share_three_quarters": 0.75}
PHASES = ("eccentric", "bottom", "concentric")

# A thigh this near to its lowest until then has not come up.
# Which moment is the bottom is not sure to a few hundredths of a second: sway turns pelvis and thigh against
# each other meanwhile, so that the hip stays as bent. One-sigma, degrees.
_BOTTOM_DEG = 0.22
_THIGH_REST_DEG = 1.0

_UNTIMED = "the phases of the repetition could not be timed"


@dataclass(frozen=True, slots=True, eq=False)
class PelvisCourse:
    """Smoothed angles of one repetition.

    Parameters
    ----------
    tilt_deg, obliquity_deg, rotation_deg
        Of the pelvis from start to end of the repetition, degrees, shape (n,); or why they are not known.
    thigh_deg
        Flexion of the working thigh, the mean where both work, degrees, shape (n,); or why it is not known.
    phases
        Samples of each of `PHASES`; empty where the repetition could not be timed.
    sampling_rate_hz
        Rate of all.
    side
        Working side.
    is_supine
        A bridge.
    pelvis, thigh
        What is known of the sensors, or ``None``.
    model
        How sure an angle is.
    """

    tilt_deg: FloatArray | Unmeasured
    obliquity_deg: FloatArray | Unmeasured
    rotation_deg: FloatArray | Unmeasured
    thigh_deg: FloatArray | Unmeasured
    phases: Mapping[str, slice]
    sampling_rate_hz: float
    side: Side
    is_supine: bool
    pelvis: SensorQuality | None
    thigh: SensorQuality | None
    model: UncertaintyModel

    def figures(self, smallest_bend_deg: float) -> dict[str, Figure]:
        """All of them.

        Parameters
        ----------
        smallest_bend_deg
            Tilt and thigh flexion together below which a share says nothing; and thigh flexion below which
            the pelvis has nothing to be compared with.
        """
        return {
            **self._tipping(),
            **self._turning(),
            **self._free_side(),
            **self._shares(smallest_bend_deg),
            "tilt_reversal_deg": self._reversal(smallest_bend_deg),
        }

    def _tipping(self) -> dict[str, Figure]:
        names = {phase: f"pelvic_obliquity_{phase}_peak_deg" for phase in PHASES}
        figures: dict[str, Figure] = {
            "pelvic_obliquity_peak_deg": self._farthest(slice(None)),
            **{name: self._farthest(self.phases.get(phase)) for phase, name in names.items()},
        }
        return figures

    def _farthest(self, part: slice | None) -> Figure:
        if part is None:
            return Unmeasured(_UNTIMED)
        if isinstance(self.tilt_deg, Unmeasured):
            return self.tilt_deg
        if isinstance(self.obliquity_deg, Unmeasured) or self.pelvis is None:
            return self._unmeasured(self.obliquity_deg)
        obliquity, tilt = self.obliquity_deg[part], self.tilt_deg[part]
        if len(obliquity) == 0:
            return Unmeasured("there was no such phase")
        peak = int(np.argmax(np.abs(obliquity)))
        sd = self.model.obliquity_sd_deg(self.pelvis, float(tilt[peak]))
        return Measured(
            float(obliquity[peak]), sd_of_farthest(float(obliquity.min()), float(obliquity.max()), sd)
        )

    def _turning(self) -> dict[str, Figure]:
        return {
            "pelvic_rotation_range_deg": self._turned(slice(None)),
            **{
                f"pelvic_rotation_{phase}_range_deg": self._turned(self.phases.get(phase)) for phase in PHASES
            },
        }

    def _turned(self, part: slice | None) -> Figure:
        if part is None:
            return Unmeasured(_UNTIMED)
        if isinstance(self.tilt_deg, Unmeasured):
            return self.tilt_deg
        if isinstance(self.rotation_deg, Unmeasured) or self.pelvis is None:
            return self._unmeasured(self.rotation_deg)
        rotation, tilt = self.rotation_deg[part], self.tilt_deg[part]
        if len(rotation) == 0:
            return Unmeasured("there was no such phase")
        sd = self.model.rotation_range_sd_deg(
            self.pelvis, float(np.ptp(tilt)), len(rotation) / self.sampling_rate_hz
        )
        return Measured(float(np.ptp(rotation)), sd)

    def _free_side(self) -> dict[str, Figure]:
        names = ("free_side_drop_peak_deg", "free_side_rise_peak_deg")
        reason: Unmeasured | None = None
        if self.side is Side.BOTH:
            reason = Unmeasured("two-legged work has no free side")
        elif isinstance(self.tilt_deg, Unmeasured):
            reason = self.tilt_deg
        elif isinstance(self.obliquity_deg, Unmeasured) or self.pelvis is None:
            reason = self._unmeasured(self.obliquity_deg)
        if reason is not None:
            return dict.fromkeys(names, reason)
        assert not isinstance(self.tilt_deg, Unmeasured)
        assert not isinstance(self.obliquity_deg, Unmeasured)
        assert self.pelvis is not None
        # Right side up is positive: on the left leg the free right side drops with a negative obliquity.
        drop = -self.obliquity_deg if self.side is Side.LEFT else self.obliquity_deg
        figures: dict[str, Figure] = {}
        for name, course in zip(names, (drop, -drop), strict=True):
            peak = int(np.argmax(course))
            sd = self.model.obliquity_sd_deg(self.pelvis, float(self.tilt_deg[peak]))
            figures[name] = Measured(float(course[peak]), sd)
        return figures

    def _shares(self, smallest_bend_deg: float) -> dict[str, Figure]:
        if self.is_supine:
            return dict.fromkeys(SHARE_POINTS, Unmeasured("a bridge has no hinge share"))
        if isinstance(self.tilt_deg, Unmeasured):
            return dict.fromkeys(SHARE_POINTS, self.tilt_deg)
        if isinstance(self.thigh_deg, Unmeasured) or self.pelvis is None or self.thigh is None:
            return dict.fromkeys(SHARE_POINTS, self._unmeasured(self.thigh_deg))
        down = self.phases.get("eccentric")
        if down is None:
            return dict.fromkeys(SHARE_POINTS, Unmeasured(_UNTIMED))
        tilt, thigh = self.tilt_deg[down], self.thigh_deg[down]
        bend = tilt + thigh - tilt[0] - thigh[0]
        figures: dict[str, Figure] = {}
        for name, part in SHARE_POINTS.items():
            at = int(np.argmax(bend >= part * bend[-1]))
            tilted, flexed = float(tilt[at] - tilt[0]), max(0.0, float(thigh[at] - thigh[0]))
            whole = tilted + flexed
            if tilted <= 0.0 or whole < smallest_bend_deg:
                figures[name] = Unmeasured("the pelvis does not tilt enough for a share")
                continue
            tilt_sd = self.model.inclination_range_sd_deg(self.pelvis, tilted)
            thigh_sd = self.model.inclination_range_sd_deg(self.thigh, flexed)
            figures[name] = Measured(
                tilted / whole, math.hypot(flexed * tilt_sd, tilted * thigh_sd) / whole**2
            )
        return figures

    def _reversal(self, smallest_bend_deg: float) -> Figure:
        """How far the pelvis turns back while the thigh still goes down."""
        if self.is_supine:
            return Unmeasured("a bridge has no lowering into a hinge")
        if isinstance(self.tilt_deg, Unmeasured):
            return self.tilt_deg
        if isinstance(self.thigh_deg, Unmeasured) or self.pelvis is None:
            return self._unmeasured(self.thigh_deg)
        # The hip stops bending where the pelvis turns back: only the thigh tells how long it goes down.
        thigh = self.thigh_deg
        lowest = int(np.argmax(thigh))
        if float(thigh[lowest] - thigh[0]) < smallest_bend_deg:
            return Unmeasured("the thigh hardly goes down: there is nothing to compare the pelvis with")
        tilt = self.tilt_deg[: lowest + 1]
        # Coming up a little in the middle of a repetition takes the thigh along: that is no turning back.
        goes_down = thigh[: lowest + 1] >= np.maximum.accumulate(thigh[: lowest + 1]) - _THIGH_REST_DEG
        reversal = float((np.maximum.accumulate(tilt) - tilt)[goes_down].max())
        sd = self.model.inclination_range_sd_deg(self.pelvis, reversal)
        return Measured(reversal, sd, Kind.PROXY)

    def _unmeasured(self, angle: FloatArray | Unmeasured) -> Unmeasured:
        return angle if isinstance(angle, Unmeasured) else Unmeasured("no sensor is worn there")


def hinge_share(tilt: Figure, thighs: Sequence[Figure], smallest_bend_deg: float) -> Figure:
    """Part of the pelvis in the bend of the hip.

    Parameters
    ----------
    tilt, thighs
        Changes from top to bottom: of the pelvis, and of each working thigh, degrees.
    smallest_bend_deg
        Both together below which a share says nothing.

    Returns
    -------
    Figure
        0 to 1.
    """
    if isinstance(tilt, Unmeasured):
        return tilt
    known = [figure for figure in thighs if isinstance(figure, Measured)]
    if not known:
        return Unmeasured("no sensor on the working thigh")
    # The thigh of an upright shin swings back a little: then the whole bend is the pelvis'.
    flexion = max(sum(figure.value for figure in known) / len(known), 0.0)
    whole = tilt.value + flexion
    if tilt.value <= 0 or whole < smallest_bend_deg:
        return Unmeasured("the pelvis does not tilt enough for a share")
    sd = math.hypot(flexion * tilt.sd / whole, tilt.value * known[0].sd / whole, _BOTTOM_DEG) / whole
    return Measured(tilt.value / whole, sd)
