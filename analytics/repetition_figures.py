"""What is known of one repetition: figures, each with its one-sigma and kind, or the reason why not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

from analytics.imu import NANOSECONDS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analytics.adherence import PartAdherence
    from analytics.exercises import Side
    from analytics.form import Fault
    from analytics.repetitions import DrivingAngle
    from analytics.steadiness import FallDirection
    from analytics.walkout import Walkout


class Kind(StrEnum):
    """How a figure came about."""

    MEASURED = "measured"
    PROXY = "proxy"
    NOT_MEASURABLE = "not_measurable"


class RepetitionStatus(StrEnum):
    """How sure the count is."""

    CONFIRMED = "confirmed"
    PROVISIONAL = "provisional"
    UNCONFIRMED = "unconfirmed"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure with its one-sigma."""

    value: float
    sd: float
    kind: Kind = Kind.MEASURED


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """No figure, and why."""

    reason: str


Figure: TypeAlias = Measured | Unmeasured


@dataclass(frozen=True, slots=True)
class Repetition:
    """One repetition. A figure that cannot be measured is ``None``, with its reason.

    Parameters
    ----------
    set_number, repetition_number
        From 1; the repetition's within its set.
    status
        How sure the count is.
    side
        Working side it was measured on.
    is_supine
        A bridge: the concentric comes first.
    driving_angle
        Which angle its phases were found in.
    start_ns, bottom_ns, close_ns
        The counter's rough times, integer ns.
    amplitude_deg
        The counter's amplitude.
    eccentric_start_ns, eccentric_end_ns, concentric_start_ns, concentric_end_ns
        Phase boundaries (METRICS), integer ns.
    eccentric_s, bottom_pause_s, concentric_s, top_pause_s, tut_s
        Durations (METRICS), s. The pause after a repetition is known when the next one begins.
    eccentric_movement_s, concentric_movement_s
        For compliance with a tempo, s; never to be mixed with the durations above.
    pelvic_tilt_range_deg, hip_flexion_left_range_deg, hip_flexion_right_range_deg
        Largest minus smallest, degrees.
    thigh_flexion_left_range_deg, thigh_flexion_right_range_deg
        Largest minus smallest, degrees.
    pelvic_obliquity_peak_deg
        The obliquity farthest from standing, with its sign (+ right side up), degrees.
    pelvic_rotation_range_deg
        Largest minus smallest, degrees.
    pelvic_obliquity_eccentric_peak_deg, pelvic_obliquity_bottom_peak_deg, \
pelvic_obliquity_concentric_peak_deg, pelvic_rotation_eccentric_range_deg, \
pelvic_rotation_bottom_range_deg, pelvic_rotation_concentric_range_deg
        The same by phase, degrees.
    free_side_drop_peak_deg, free_side_rise_peak_deg
        How far the pelvis' free side came below, and above, the stance side in one-legged work, degrees.
    tilt_reversal_deg
        How far the pelvis turned back while the thigh still went down, degrees.
    sway_deg_s, tremor_deg_s
        Turning of the pelvis aside from the movement, and its shaking: root mean square, degrees/s.
    balance_burst_deg_s
        Quickest correction sideways, degrees/s.
    smoothness
        SPARC of the concentric's speed: 0 is the smoothest.
    lockout_deficit_deg
        Driving angle at the top - standing, degrees.
    hinge_share
        Tilt / (tilt + thigh flexion) of the working leg from top to bottom, 0 to 1.
    hinge_share_quarter, hinge_share_half, hinge_share_three_quarters
        The same from the top to those parts of the way down.
    pelvic_tilt_change_deg, thigh_flexion_left_change_deg, thigh_flexion_right_change_deg
        Far end - start, signed, degrees.
    concentric_peak_deg_s, concentric_mean_deg_s
        Largest and mean speed of the concentric, °/s.
    velocity_loss_percent
        How far its mean speed lies below that of the fastest until then in its set.
    balance_burst_direction
        Where to the pelvis tipped in it.
    sd, kind, reasons
        One-sigma and kind of each figure that is there, reason of each that is not, by field name.
    walkout
        Steps of a bridge walkout, where one was asked.
    adherence
        Each part that was asked against what was done; empty without a prescription.
    faults, warnings
        What was wrong with the form, and with the measuring.
    """

    set_number: int
    repetition_number: int
    status: RepetitionStatus
    side: Side
    is_supine: bool
    driving_angle: DrivingAngle
    start_ns: int
    bottom_ns: int
    close_ns: int
    amplitude_deg: float
    eccentric_start_ns: int | None = None
    eccentric_end_ns: int | None = None
    concentric_start_ns: int | None = None
    concentric_end_ns: int | None = None
    eccentric_s: float | None = None
    bottom_pause_s: float | None = None
    concentric_s: float | None = None
    top_pause_s: float | None = None
    tut_s: float | None = None
    eccentric_movement_s: float | None = None
    concentric_movement_s: float | None = None
    pelvic_tilt_range_deg: float | None = None
    hip_flexion_left_range_deg: float | None = None
    hip_flexion_right_range_deg: float | None = None
    thigh_flexion_left_range_deg: float | None = None
    thigh_flexion_right_range_deg: float | None = None
    pelvic_obliquity_peak_deg: float | None = None
    pelvic_rotation_range_deg: float | None = None
    lockout_deficit_deg: float | None = None
    hinge_share: float | None = None
    pelvic_tilt_change_deg: float | None = None
    thigh_flexion_left_change_deg: float | None = None
    thigh_flexion_right_change_deg: float | None = None
    concentric_peak_deg_s: float | None = None
    concentric_mean_deg_s: float | None = None
    velocity_loss_percent: float | None = None
    pelvic_obliquity_eccentric_peak_deg: float | None = None
    pelvic_obliquity_bottom_peak_deg: float | None = None
    pelvic_obliquity_concentric_peak_deg: float | None = None
    pelvic_rotation_eccentric_range_deg: float | None = None
    pelvic_rotation_bottom_range_deg: float | None = None
    pelvic_rotation_concentric_range_deg: float | None = None
    free_side_drop_peak_deg: float | None = None
    free_side_rise_peak_deg: float | None = None
    tilt_reversal_deg: float | None = None
    hinge_share_quarter: float | None = None
    hinge_share_half: float | None = None
    hinge_share_three_quarters: float | None = None
    sway_deg_s: float | None = None
    tremor_deg_s: float | None = None
    smoothness: float | None = None
    balance_burst_deg_s: float | None = None
    balance_burst_direction: FallDirection | None = None
    sd: Mapping[str, float] = field(default_factory=dict)
    kind: Mapping[str, Kind] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    walkout: Walkout | None = None
    adherence: tuple[PartAdherence, ...] = ()
    faults: tuple[Fault, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def moving_start_ns(self) -> int:
        """Start of the first phase; the counter's where it could not be timed."""
        start = self.concentric_start_ns if self.is_supine else self.eccentric_start_ns
        return self.start_ns if start is None else start

    @property
    def moving_end_ns(self) -> int:
        """End of the last phase; the counter's where it could not be timed."""
        end = self.eccentric_end_ns if self.is_supine else self.concentric_end_ns
        return self.close_ns if end is None else end

    @property
    def seen_start_ns(self) -> int | None:
        """Start of the first phase, where the data show it."""
        return self.concentric_start_ns if self.is_supine else self.eccentric_start_ns


_UNKNOWN_TIMING_SD_S = 0.1
NEXT_NOT_BEGUN = "the next repetition has not begun"
LAST_OF_SET = "the last repetition of its set has no pause after it"


def with_figure(repetition: Repetition, name: str, figure: Figure) -> Repetition:
    """Complete a repetition by a figure that was not known when it was measured.

    Parameters
    ----------
    repetition
        As measured.
    name
        Field of the figure.
    figure
        Its value, or why there is none.
    """
    kind = figure.kind if isinstance(figure, Measured) else Kind.NOT_MEASURABLE
    sd = {key: value for key, value in repetition.sd.items() if key != name}
    reasons = {key: value for key, value in repetition.reasons.items() if key != name}
    if isinstance(figure, Measured):
        sd[name] = figure.sd
    else:
        reasons[name] = figure.reason
    known: dict[str, Any] = {name: figure.value if isinstance(figure, Measured) else None}
    return replace(
        repetition,
        **known,
        sd=MappingProxyType(sd),
        kind=MappingProxyType({**repetition.kind, name: kind}),
        reasons=MappingProxyType(reasons),
    )


def with_pause_after(
    repetition: Repetition, next_start_ns: int | None, *, is_unbroken: bool = True
) -> Repetition:
    """Complete the pause after a repetition, now that the next one has begun.

    Parameters
    ----------
    repetition
        The earlier one.
    next_start_ns
        Start of the next repetition's first phase; ``None`` where the data do not show it.
    is_unbroken
        Whether there are data in between: in a hole there may have been another repetition.
    """
    name = "bottom_pause_s" if repetition.is_supine else "top_pause_s"
    end = repetition.eccentric_end_ns if repetition.is_supine else repetition.concentric_end_ns
    if end is None or next_start_ns is None or not is_unbroken:
        reason = (
            "data are missing in the pause" if not is_unbroken else "data are missing where it begins or ends"
        )
        return replace(repetition, reasons=MappingProxyType({**repetition.reasons, name: reason}))
    pause_s = max(0.0, (next_start_ns - end) / NANOSECONDS_PER_SECOND)
    # A pause between repetitions lies between the same kind of ends as a whole repetition; where a hole took
    # one of those, the phases still tell how sharply this movement begins and ends.
    others = [repetition.sd[key] for key in ("eccentric_s", "concentric_s") if key in repetition.sd]
    timing_sd = repetition.sd.get("tut_s", max(others, default=_UNKNOWN_TIMING_SD_S))
    known: dict[str, Any] = {name: pause_s}
    return replace(
        repetition,
        **known,
        sd=MappingProxyType({**repetition.sd, name: timing_sd}),
        kind=MappingProxyType({**repetition.kind, name: Kind.MEASURED}),
        reasons=MappingProxyType({key: why for key, why in repetition.reasons.items() if key != name}),
    )


def without_pause_after(repetition: Repetition) -> Repetition:
    """Say that no pause followed: the set is over."""
    name = "bottom_pause_s" if repetition.is_supine else "top_pause_s"
    if repetition.reasons.get(name) != NEXT_NOT_BEGUN:
        return repetition
    return replace(repetition, reasons=MappingProxyType({**repetition.reasons, name: LAST_OF_SET}))
