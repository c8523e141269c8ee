from __future__ import annotations

import numpy as np
import pytest

from analytics.exercises import Side
from analytics.measurement import measure_repetition
from analytics.measurement_quality import MeasurementQuality, Zero
from analytics.repetition_figures import (
    LAST_OF_SET,
    NEXT_NOT_BEGUN,
    Kind,
    Repetition,
    RepetitionStatus,
    with_pause_after,
    without_pause_after,
)
from analytics.repetitions import Candidate, Driver, DrivingAngle
from analytics.turning_points import CloseReason
from analytics.uncertainty import (
    SensorQuality,
    UncertaintyModel,
    UncertaintyParameters,
    sd_of_farthest,
)

RATE_HZ = 100.0
FULL = Driver(pelvis=True, left=True, right=True)
GOOD = SensorQuality(yaw_sd_deg=1.3, acc_bias_sd_deg=0.25)
ALL_GOOD = MeasurementQuality(GOOD, GOOD, GOOD, is_smoothed=True)


def share_of_way() -> np.ndarray:
    """0 at the top, 1 at the bottom: down 2-7 s, bottom 7-9 s, up 9-14 s, standing till 16 s.

    Speeds are trapezoids with ramps of 2 s, peak 1/3 a second: a tenth of it is met 0.2 s into a ramp.
    """
    fine = np.arange(0.0, 16.0, 0.001)
    knots = ((0, 0), (2, 0), (4, 1), (5, 1), (7, 0), (9, 0), (11, -1), (12, -1), (14, 0), (16, 0))
    speed = np.interp(fine, [time for time, _ in knots], [value / 3.0 for _, value in knots])
    way = np.concatenate(([0.0], np.cumsum(0.5 * (speed[1:] + speed[:-1]) * 0.001)))
    return way[::10]


def candidate(*, supine: bool = False, provisional: bool = False) -> Candidate:
    return Candidate(
        start_ns=2_300_000_000,
        bottom_ns=8_000_000_000,
        close_ns=13_700_000_000,
        decided_ns=13_700_000_000,
        amplitude_deg=90.0,
        lockout_deg=0.0,
        closed_by=CloseReason.LOCKOUT,
        is_provisional=provisional,
        is_supine=supine,
    )


def measure(window, found: Candidate | None = None, side: Side = Side.BOTH, **settings) -> Repetition:
    settings = {"driver": FULL, "quality": ALL_GOOD, "set_number": 1, "repetition_number": 1, **settings}
    return measure_repetition(window, found if found is not None else candidate(), side, **settings)


@pytest.fixture
def hinge(make_angles):
    """Pelvis 72°, thighs 18° and 24°, obliquity -4° and rotation 6° at the bottom, 2° of soft lockout."""
    way = share_of_way()
    soft = 2.0 * np.clip((np.arange(1600) / RATE_HZ - 12.0) / 1.0, 0.0, 1.0)
    return make_angles(
        tilt=72.0 * way + soft,
        left=18.0 * way,
        right=24.0 * way,
        obliquity=-4.0 * way,
        rotation=3.0 + 6.0 * way,
    )


def test_a_repetition_is_timed_and_measured(hinge) -> None:
    repetition = measure(hinge)
    # The mean hip bends 93° at up to 31 °/s: a tenth of that is met 0.2 s into each ramp.
    assert repetition.eccentric_start_ns == pytest.approx(2_200_000_000, abs=3_000_000)
    assert repetition.eccentric_end_ns == pytest.approx(6_800_000_000, abs=3_000_000)
    assert repetition.concentric_start_ns == pytest.approx(9_200_000_000, abs=3_000_000)
    assert repetition.eccentric_s == pytest.approx(4.6, abs=0.005)
    assert repetition.bottom_pause_s == pytest.approx(2.4, abs=0.005)
    assert repetition.eccentric_movement_s == pytest.approx(5.0, abs=0.01)
    assert repetition.concentric_s == pytest.approx(4.6, abs=0.03)
    assert repetition.tut_s == pytest.approx(11.6, abs=0.03)
    assert repetition.pelvic_tilt_range_deg == pytest.approx(72.0, abs=0.5)
    assert repetition.hip_flexion_left_range_deg == pytest.approx(90.0, abs=0.5)
    assert repetition.hip_flexion_right_range_deg == pytest.approx(96.0, abs=0.5)
    assert repetition.pelvic_obliquity_peak_deg == pytest.approx(-4.0, abs=0.01)
    assert repetition.pelvic_rotation_range_deg == pytest.approx(6.0, abs=0.1)
    assert repetition.lockout_deficit_deg == pytest.approx(2.0, abs=0.4)
    # 72 of 72 + 21 degrees.
    assert repetition.hinge_share == pytest.approx(0.774, abs=0.002)
    assert repetition.pelvic_tilt_change_deg == pytest.approx(72.0, abs=0.5)
    assert repetition.thigh_flexion_right_change_deg == pytest.approx(24.0, abs=0.3)
    assert repetition.thigh_flexion_left_range_deg == pytest.approx(18.0, abs=0.3)
    assert repetition.driving_angle is DrivingAngle.HIP_FLEXION
    assert repetition.status is RepetitionStatus.CONFIRMED
    assert repetition.warnings == ()


def test_every_figure_has_a_sd_and_a_kind_or_a_reason(hinge) -> None:
    repetition = measure(hinge)
    for name, kind in repetition.kind.items():
        value = getattr(repetition, name)
        if kind is Kind.NOT_MEASURABLE:
            assert value is None
            assert repetition.reasons[name]
        else:
            assert value is not None
            assert repetition.sd[name] > 0.0
    assert set(repetition.sd) | set(repetition.reasons) == set(repetition.kind)
    assert set(repetition.reasons) == {"top_pause_s", "free_side_drop_peak_deg", "free_side_rise_peak_deg"}


def test_the_pause_after_is_known_when_the_next_one_begins(hinge) -> None:
    repetition = measure(hinge)
    assert repetition.top_pause_s is None
    assert repetition.reasons["top_pause_s"] == NEXT_NOT_BEGUN
    completed = with_pause_after(repetition, 15_300_000_000)
    assert completed.top_pause_s == pytest.approx(1.5, abs=0.03)
    assert completed.kind["top_pause_s"] is Kind.MEASURED
    assert "top_pause_s" not in completed.reasons
    assert completed.eccentric_s == repetition.eccentric_s
    ended = without_pause_after(repetition)
    assert ended.reasons["top_pause_s"] == LAST_OF_SET
    assert without_pause_after(completed) == completed


def test_one_side_is_measured_on_its_own_hip(hinge) -> None:
    right = measure(hinge, side=Side.RIGHT)
    # 72 of 72 + 24 degrees.
    assert right.hinge_share == pytest.approx(0.75, abs=0.002)
    assert right.side is Side.RIGHT


def test_pelvis_alone_says_what_it_cannot(make_angles) -> None:
    way = share_of_way()
    repetition = measure(
        make_angles(tilt=72.0 * way),
        driver=Driver(pelvis=True, left=False, right=False),
        quality=MeasurementQuality(pelvis=SensorQuality(yaw_sd_deg=180.0, is_forward_known=False)),
    )
    # 72° at 24 °/s: 3 °/s is met 0.25 s into a ramp of 12 °/s².
    assert repetition.eccentric_s == pytest.approx(4.5, abs=0.005)
    assert repetition.pelvic_tilt_range_deg == pytest.approx(71.6, abs=0.1)
    assert repetition.kind["lockout_deficit_deg"] is Kind.PROXY
    assert dict(repetition.reasons) == {
        "top_pause_s": "the next repetition has not begun",
        "hip_flexion_left_range_deg": "no left thigh sensor",
        "hip_flexion_right_range_deg": "no right thigh sensor",
        "pelvic_obliquity_peak_deg": "the pelvis sensor's forward direction is not known yet",
        "pelvic_rotation_range_deg": "the pelvis sensor's forward direction is not known yet",
        "thigh_flexion_left_range_deg": "no left thigh sensor",
        "thigh_flexion_right_range_deg": "no right thigh sensor",
        "thigh_flexion_left_change_deg": "no left thigh sensor",
        "thigh_flexion_right_change_deg": "no right thigh sensor",
        **dict.fromkeys(
            ("hinge_share", "hinge_share_quarter", "hinge_share_half", "hinge_share_three_quarters"),
            "no sensor on the working thigh",
        ),
        "tilt_reversal_deg": "no sensor on the working thigh",
        **dict.fromkeys(
            (
                *(f"pelvic_obliquity_{phase}_peak_deg" for phase in ("eccentric", "bottom", "concentric")),
                *(f"pelvic_rotation_{phase}_range_deg" for phase in ("eccentric", "bottom", "concentric")),
                *("sway_deg_s", "tremor_deg_s", "balance_burst_deg_s"),
            ),
            "the pelvis sensor's forward direction is not known yet",
        ),
        "free_side_drop_peak_deg": "two-legged work has no free side",
        "free_side_rise_peak_deg": "two-legged work has no free side",
    }


def test_a_thigh_alone_says_what_it_cannot(make_angles) -> None:
    way = share_of_way()
    repetition = measure(
        make_angles(left=24.0 * way),
        driver=Driver(pelvis=False, left=True, right=False),
        quality=MeasurementQuality(thigh_left=GOOD),
    )
    # 24° at 8 °/s: 3 °/s is met 0.75 s into a ramp of 4 °/s², after the first 1.1°.
    assert repetition.thigh_flexion_left_change_deg == pytest.approx(22.9, abs=0.1)
    for name in ("pelvic_tilt_range_deg", "hip_flexion_left_range_deg", "pelvic_obliquity_peak_deg"):
        assert getattr(repetition, name) is None
        assert repetition.reasons[name] == "no pelvis sensor"


def test_a_bridge_lifts_first(make_angles) -> None:
    way = share_of_way()
    window = make_angles(
        tilt=-90.0 - 30.0 * way, left=135.0 - 15.0 * way, right=135.0 - 15.0 * way, supine=True
    )
    repetition = measure(
        window, candidate(supine=True), quality=MeasurementQuality(GOOD, GOOD, GOOD, zero=Zero.SUPINE)
    )
    # 45° of the hip at 15 °/s: 3 °/s is met 0.4 s into a ramp.
    assert repetition.concentric_start_ns == pytest.approx(2_400_000_000, abs=3_000_000)
    assert repetition.concentric_end_ns == pytest.approx(6_600_000_000, abs=3_000_000)
    assert repetition.eccentric_start_ns == pytest.approx(9_400_000_000, abs=3_000_000)
    assert repetition.eccentric_end_ns == pytest.approx(13_600_000_000, abs=3_000_000)
    assert repetition.top_pause_s == pytest.approx(2.8, abs=0.005)
    assert repetition.bottom_pause_s is None
    assert repetition.reasons["bottom_pause_s"] == NEXT_NOT_BEGUN
    assert repetition.tut_s == pytest.approx(11.2, abs=0.005)
    assert repetition.hip_flexion_left_range_deg == pytest.approx(45.0, abs=0.9)
    assert repetition.reasons["lockout_deficit_deg"] == (
        "there was no standing to compare with: full extension is not known"
    )
    assert repetition.reasons["hinge_share"] == "a bridge has no hinge share"
    assert with_pause_after(repetition, 14_600_000_000).bottom_pause_s == pytest.approx(1.0, abs=0.005)


def test_the_top_of_a_bridge_is_its_hold(make_angles) -> None:
    way = share_of_way()
    window = make_angles(
        tilt=-90.0 - 30.0 * way, left=135.0 - 12.0 * way, right=135.0 - 12.0 * way, supine=True
    )
    repetition = measure(window, candidate(supine=True))
    # Hips at 45° lying, 3° short of full extension when lifted by 42°.
    assert repetition.lockout_deficit_deg == pytest.approx(3.0, abs=0.5)


def test_without_a_still_start_a_soft_lockout_is_not_claimed(hinge) -> None:
    repetition = measure(hinge, quality=MeasurementQuality(GOOD, GOOD, GOOD, zero=Zero.UPRIGHT_GUESS))
    assert repetition.lockout_deficit_deg is None
    assert "steady soft lockout" in repetition.reasons["lockout_deficit_deg"]


def test_a_hole_at_a_boundary_leaves_it_untimed(make_angles) -> None:
    way = share_of_way()
    tilt = 72.0 * way
    tilt[200:240] = np.nan
    repetition = measure(make_angles(tilt=tilt, left=18.0 * way, right=24.0 * way))
    assert repetition.eccentric_start_ns is None
    assert repetition.eccentric_s is None
    assert repetition.reasons["eccentric_s"] == "data are missing where the phase begins or ends"
    assert repetition.tut_s is None
    assert repetition.concentric_s == pytest.approx(4.6, abs=0.01)
    assert repetition.pelvic_tilt_range_deg == pytest.approx(72.0, abs=0.5)
    assert len(repetition.warnings) == 1
    assert repetition.warnings[0].endswith("s of data are missing in this repetition")


def test_a_long_hole_leaves_the_ranges_unmeasured(make_angles) -> None:
    way = share_of_way()
    tilt = 72.0 * way
    tilt[740:840] = np.nan
    repetition = measure(make_angles(tilt=tilt, left=18.0 * way, right=24.0 * way))
    assert repetition.pelvic_tilt_range_deg is None
    assert repetition.reasons["pelvic_tilt_range_deg"] == "1.0 s of data are missing in this repetition"
    assert repetition.thigh_flexion_left_change_deg == pytest.approx(18.0, abs=0.3)
    assert repetition.eccentric_s == pytest.approx(4.6, abs=0.01)


def test_an_unsettled_filter_is_said(make_angles) -> None:
    way = share_of_way()
    measured = np.ones(len(way), dtype=bool)
    measured[300:400] = False
    repetition = measure(make_angles(tilt=72.0 * way, left=18.0 * way, right=24.0 * way, measured=measured))
    assert repetition.warnings == ("the orientation was still settling for 1.00 s of this repetition",)


def test_neighbours_bound_the_search(make_angles) -> None:
    way = share_of_way()
    # The hips settle 25° lower one second before the repetition.
    step = 25.0 * np.clip((np.arange(1600) / RATE_HZ - 0.8) / 0.4, 0.0, 1.0)
    window = make_angles(tilt=72.0 * way + step, left=18.0 * way, right=24.0 * way)
    assert measure(window).eccentric_start_ns == pytest.approx(800_000_000, abs=80_000_000)
    bounded = measure(window, previous_end_ns=1_300_000_000)
    assert bounded.eccentric_start_ns == pytest.approx(2_200_000_000, abs=20_000_000)


def test_a_small_bend_has_no_share(make_angles) -> None:
    way = share_of_way()
    repetition = measure(make_angles(tilt=3.0 * way, left=1.5 * way, right=1.5 * way))
    assert repetition.reasons["hinge_share"] == "the pelvis does not tilt enough for a share"


def test_a_thigh_that_swings_back_leaves_the_whole_bend_to_the_pelvis(make_angles) -> None:
    way = share_of_way()
    repetition = measure(make_angles(tilt=70.0 * way, left=-5.0 * way, right=-5.0 * way))
    assert repetition.hinge_share == pytest.approx(1.0)


def test_the_first_of_a_set_is_provisional(hinge) -> None:
    assert measure(hinge, candidate(provisional=True)).status is RepetitionStatus.PROVISIONAL


def test_a_candidate_outside_the_window_is_refused(make_angles) -> None:
    with pytest.raises(ValueError, match="does not lie in the window"):
        measure(make_angles(tilt=np.zeros(100), left=np.zeros(100), right=np.zeros(100)))


# --- uncertainty -------------------------------------------------------------------------------------


RIGID = UncertaintyParameters(soft_tissue_share=0.0)


def test_uncertainty_grows_with_inclination() -> None:
    rigid = UncertaintyModel(is_smoothed=True, parameters=RIGID)
    # At standing: hypot(0.18, 0.07). At 60°: 2 sin 30° = 1 times the bias of 0.25° is added.
    assert rigid.inclination_sd_deg(GOOD, 0.0) == pytest.approx(0.157, abs=0.001)
    assert rigid.inclination_sd_deg(GOOD, 60.0) == pytest.approx(0.295, abs=0.001)
    # 0.6 % of a turn of 60° is 0.36°, of which something is left at the top.
    assert rigid.inclination_sd_deg(GOOD, 0.0, turned_deg=60.0) == pytest.approx(0.287, abs=0.001)
    cheap = SensorQuality(yaw_sd_deg=4.0, acc_bias_sd_deg=2.0)
    assert rigid.inclination_sd_deg(cheap, 60.0) == pytest.approx(2.006, abs=0.001)


def test_a_yaw_error_turns_tilt_into_obliquity() -> None:
    rigid = UncertaintyModel(is_smoothed=True, parameters=RIGID)
    uncalibrated = SensorQuality(yaw_sd_deg=10.0, acc_bias_sd_deg=0.25)
    assert rigid.obliquity_sd_deg(uncalibrated, 90.0) == pytest.approx(10.0, abs=0.01)
    assert rigid.obliquity_sd_deg(uncalibrated, 0.0) == pytest.approx(0.157, abs=0.001)
    # 0.3, 0.15 x 5 s, and 10° x (1 - cos 60°).
    assert rigid.rotation_range_sd_deg(uncalibrated, 60.0, 5.0) == pytest.approx(5.065, abs=0.001)


def test_which_of_two_like_extremes_is_the_farther_one_is_uncertain() -> None:
    # 1.0 up and 1.0 down: by chance the figure is one or the other, 2.0 apart.
    assert sd_of_farthest(-1.0, 1.0, 0.2) == pytest.approx(1.428, abs=0.001)
    assert sd_of_farthest(-1.0, 3.0, 0.2) == pytest.approx(0.2, abs=0.001)
    assert sd_of_farthest(0.5, 0.6, 0.2) == pytest.approx(0.2, abs=0.001)


def test_live_angles_are_less_certain_and_skin_moves() -> None:
    live = UncertaintyModel(is_smoothed=False)
    finished = UncertaintyModel(is_smoothed=True)
    # hypot(0.18, 0.35) and hypot(0.18, 0.07).
    assert live.inclination_sd_deg(GOOD, 0.0) == pytest.approx(0.377, abs=0.001)
    assert finished.inclination_sd_deg(GOOD, 0.0) == pytest.approx(0.157, abs=0.001)
    # The zero cancels in a range, the filter counts twice: 0.1, 0.25, 0.18; 2 % of 60° of skin are 1.2°.
    assert finished.inclination_range_sd_deg(GOOD, 60.0) == pytest.approx(1.243, abs=0.001)


def test_the_hip_is_less_certain_than_the_pelvis(hinge) -> None:
    repetition = measure(hinge)
    # 2 % of 71.7° of skin, 0.3 % of scale, 2 sin 35.8° of 0.25° bias; the thigh adds its 18°.
    assert repetition.sd["pelvic_tilt_range_deg"] == pytest.approx(1.484, abs=0.01)
    assert repetition.sd["hip_flexion_left_range_deg"] == pytest.approx(1.541, abs=0.01)


def test_the_free_side_is_told_from_the_side_that_stands(make_angles) -> None:
    way = share_of_way()
    # Standing on the left leg, the right side sinks by 12° at the bottom.
    dropping = make_angles(tilt=60.0 * way, left=20.0 * way, right=-50.0 * way, obliquity=-12.0 * way)
    repetition = measure(dropping, side=Side.LEFT)
    assert repetition.free_side_drop_peak_deg == pytest.approx(12.0, abs=0.05)
    assert repetition.free_side_rise_peak_deg == pytest.approx(0.0, abs=0.2)
    assert repetition.pelvic_obliquity_bottom_peak_deg == pytest.approx(-12.0, abs=0.05)
    # Halfway through the way up it is still half as far.
    assert repetition.pelvic_obliquity_concentric_peak_deg == pytest.approx(-12.0, abs=0.2)
    # 12° ± what 1.3° of yaw make of 60° of tilt, and 2 % of skin.
    assert repetition.sd["free_side_drop_peak_deg"] == pytest.approx(1.67, abs=0.03)


def test_the_share_of_the_pelvis_is_told_along_the_way(make_angles) -> None:
    way = share_of_way()
    # First the pelvis alone to 30°, then the thigh alone to 30°.
    early, late = np.minimum(2.0 * way, 1.0), np.maximum(2.0 * way - 1.0, 0.0)
    repetition = measure(make_angles(tilt=30.0 * early, left=30.0 * late, right=30.0 * late))
    assert repetition.hinge_share_quarter == pytest.approx(1.0, abs=0.01)
    assert repetition.hinge_share_half == pytest.approx(1.0, abs=0.01)
    assert repetition.hinge_share_three_quarters == pytest.approx(0.667, abs=0.01)
    assert repetition.hinge_share == pytest.approx(0.5, abs=0.01)


def test_a_pelvis_that_turns_back_on_the_way_down_is_measured(make_angles) -> None:
    way = share_of_way()
    # The pelvis comes back by 9° over the last fifth of the way, the thigh goes on down.
    back = 9.0 * np.clip((way - 0.8) / 0.2, 0.0, 1.0)
    steady = measure(make_angles(tilt=60.0 * way, left=25.0 * way, right=25.0 * way))
    rounding = measure(
        make_angles(tilt=60.0 * np.minimum(way, 0.8) / 0.8 - back, left=25.0 * way, right=25.0 * way)
    )
    assert steady.tilt_reversal_deg == pytest.approx(0.0, abs=0.01)
    assert rounding.tilt_reversal_deg == pytest.approx(8.6, abs=0.4)
    assert rounding.kind["tilt_reversal_deg"] is Kind.PROXY


def test_whether_an_unknown_free_thigh_swings_forward_or_back_is_not_guessed(make_angles) -> None:
    way = share_of_way()
    lost = SensorQuality(yaw_sd_deg=180.0, is_forward_known=False)
    quality = MeasurementQuality(GOOD, GOOD, lost, is_smoothed=True)
    repetition = measure(
        make_angles(tilt=60.0 * way, left=20.0 * way, right=50.0 * way), side=Side.LEFT, quality=quality
    )
    assert repetition.hip_flexion_left_range_deg == pytest.approx(80.0, abs=0.5)
    assert repetition.hip_flexion_right_range_deg is None
    assert "free right thigh" in repetition.reasons["hip_flexion_right_range_deg"]


def test_a_duration_that_sway_hides_is_not_given(make_angles) -> None:
    at_s = np.arange(1600) / RATE_HZ
    # At the bottom the pelvis creeps on with 3.1 °/s for 1.9 s, a hair above the threshold: 5.9°.
    way = 60.0 * share_of_way() + np.interp(at_s, [0.0, 7.0, 8.9, 9.0, 14.0], [0.0, 0.0, 5.9, 5.9, 0.0])
    repetition = measure(make_angles(tilt=way, left=0.0 * way, right=0.0 * way))
    assert repetition.eccentric_s is None
    assert repetition.reasons["eccentric_s"] == "sway hides where the phase begins or ends"
    assert repetition.concentric_s == pytest.approx(4.6, abs=0.1)


def test_the_free_leg_does_not_time_the_work_of_the_other(make_angles) -> None:
    way = share_of_way()
    # The free left thigh swings back with the pelvis: its hip hardly bends, and late.
    angles = make_angles(tilt=70.0 * way, left=-66.0 * np.roll(way, 40), right=20.0 * way)
    left_only = MeasurementQuality(GOOD, GOOD, None, is_smoothed=True)
    repetition = measure(
        angles,
        side=Side.RIGHT,
        driver=Driver(pelvis=True, left=True, right=False),
        quality=left_only,
    )
    assert repetition.driving_angle is DrivingAngle.PELVIC_TILT
    # The tilt reaches 23 °/s: 3 °/s are met 0.26 s into its ramp of 2 s.
    assert repetition.eccentric_start_ns == pytest.approx(2_257_000_000, abs=8_000_000)
    assert repetition.kind["lockout_deficit_deg"] is Kind.PROXY
