"""The measured quantities inside payloads: of a repetition, of a set, and of keeping to a prescription."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from sensor_bridge.mqtt.field_types import Code, Count, Duration, Ordinal, Spread

Keeping = Literal["kept", "short", "long", "doubtful", "unmeasured"]


class RepetitionMeasures(Struct, frozen=True, kw_only=True):
    """The quantities of one repetition as METRICS.md has them; null with a reason where not measurable."""

    eccentric_start_ms: float | None = None
    eccentric_end_ms: float | None = None
    concentric_start_ms: float | None = None
    concentric_end_ms: float | None = None
    eccentric_s: Duration | None = None
    bottom_pause_s: Duration | None = None
    concentric_s: Duration | None = None
    top_pause_s: Duration | None = None
    tut_s: Duration | None = None
    eccentric_movement_s: Duration | None = None
    concentric_movement_s: Duration | None = None
    pelvic_tilt_range_deg: float | None = None
    hip_flexion_left_range_deg: float | None = None
    hip_flexion_right_range_deg: float | None = None
    pelvic_obliquity_peak_deg: float | None = None
    pelvic_rotation_range_deg: float | None = None
    lockout_deficit_deg: float | None = None
    hinge_share: float | None = None


class FurtherMeasures(RepetitionMeasures, frozen=True, kw_only=True):
    """More of a repetition; what is null has its reason here too, in repetitions told since these exist."""

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


class SetMeasures(Struct, frozen=True, kw_only=True):
    """What a set shows beyond its sums; what is null has its reason."""

    bottom_tut_s: Duration | None = None
    concentric_tut_s: Duration | None = None
    eccentric_trend_s: float | None = None
    concentric_speed_trend_deg_s: float | None = None
    range_trend_deg: float | None = None
    lockout_trend_deg: float | None = None
    velocity_loss_percent: float | None = None
    hip_range_difference_deg: float | None = None
    hip_range_detectable_deg: float | None = None
    hip_range_symmetry_percent: float | None = None
    form_broke_at: Ordinal | None = None
    fastest_repetition: Ordinal | None = None
    slowest_repetition: Ordinal | None = None


class PartAdherence(Struct, frozen=True, kw_only=True):
    """One part of what was asked against what was done: a part of the tempo in s, or the range in degrees."""

    part: Code
    asked: float
    done: float | None = None
    sd: Spread | None = None
    keeping: Keeping


class SetAdherence(Struct, frozen=True, kw_only=True):
    """A set against its prescription; parts whose keeping is doubtful or unmeasured are not judged."""

    repetitions_asked: Ordinal | None = None
    sets_asked: Ordinal | None = None
    is_side_kept: bool | None = None
    parts_kept: Count
    parts_judged: Count


class SampleCounts(Struct, frozen=True, kw_only=True):
    """What became of a sensor's samples: every one that it made was received, backfilled or lost."""

    received: Count = 0
    backfilled: Count = 0
    lost: Count = 0
    missing: Count = 0
    duplicated: Count = 0
    rejected: Count = 0
    dropped: Count = 0
    gaps: Count = 0
    lost_s: Duration = 0.0
