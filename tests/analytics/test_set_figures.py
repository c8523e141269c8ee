from __future__ import annotations

import pytest

from analytics.exercises import Side
from analytics.form import repetition_faults
from analytics.repetition_figures import Measured, Repetition, Unmeasured
from analytics.set_figures import set_figures, with_velocity_loss


@pytest.fixture
def make_set(make_repetition):
    def make(**columns: list[object]) -> list[Repetition]:
        length = len(next(iter(columns.values())))
        return [
            make_repetition(number + 1, **{name: values[number] for name, values in columns.items()})
            for number in range(length)
        ]

    return make


def measured(figure) -> Measured:
    assert isinstance(figure, Measured)
    return figure


def test_time_under_tension_is_summed_by_phase(make_set) -> None:
    told = set_figures(make_set(eccentric_s=[5.0, 4.0, None], concentric_s=[2.0, 2.0, 3.0]), Side.BOTH)
    assert told.value("eccentric_tut_s") == pytest.approx(9.0)
    assert told.value("mean_eccentric_s") == pytest.approx(4.5)
    assert told.value("concentric_tut_s") == pytest.approx(7.0)
    assert told.value("bottom_tut_s") == pytest.approx(3.0)
    # Three times 0.1 s, independent of each other.
    assert measured(told.figures["concentric_tut_s"]).sd == pytest.approx(0.173, abs=0.001)


def test_a_trend_is_the_change_from_one_repetition_to_the_next(make_set) -> None:
    tempi = [5.0, 4.6, 4.1, 3.4, 3.0]
    told = set_figures(make_set(eccentric_s=tempi), Side.BOTH)
    # Least squares over 1 ... 5: (-2 x 5.0 - 4.6 + 3.4 + 2 x 3.0) / 10.
    assert told.value("eccentric_trend_s") == pytest.approx(-0.52)
    # Each is sure to 0.1 s, which is more than they scatter about the line: 0.1 / sqrt(10).
    assert measured(told.figures["eccentric_trend_s"]).sd == pytest.approx(0.0316, abs=0.001)
    short = set_figures(make_set(eccentric_s=tempi[:3]), Side.BOTH)
    assert short.figures["eccentric_trend_s"] == Unmeasured("a trend needs 4 repetitions or more")


def test_the_first_fault_of_form_is_where_form_broke(make_repetition) -> None:
    repetitions = [make_repetition(n, lockout_deficit_deg=15.0 if n >= 3 else 1.0) for n in range(1, 5)]
    judged = [make_repetition(r.repetition_number, faults=repetition_faults(r)) for r in repetitions]
    assert set_figures(judged, Side.BOTH).form_broke_at == 3
    assert set_figures(judged[:2], Side.BOTH).form_broke_at is None


def test_fastest_and_slowest_are_named_where_they_can_be_told_apart(make_set) -> None:
    told = set_figures(make_set(concentric_mean_deg_s=[40.0, 50.0, 30.0]), Side.BOTH)
    assert (told.fastest_repetition, told.slowest_repetition) == (2, 3)
    alike = set_figures(make_set(concentric_mean_deg_s=[40.0, 40.05]), Side.BOTH)
    assert (alike.fastest_repetition, alike.slowest_repetition) == (None, None)
    # 30 of 50.
    assert told.value("velocity_loss_percent") == pytest.approx(40.0)


def test_speed_is_lost_against_the_fastest_until_then(make_set) -> None:
    first, second, third = make_set(concentric_mean_deg_s=[40.0, 50.0, 45.0])
    assert with_velocity_loss(first, []).velocity_loss_percent == 0.0
    assert with_velocity_loss(second, [first]).velocity_loss_percent == 0.0
    lost = with_velocity_loss(third, [first, second])
    assert lost.velocity_loss_percent == pytest.approx(10.0)
    # hypot(0.1, 0.1) of 50.
    assert lost.sd["velocity_loss_percent"] == pytest.approx(0.283, abs=0.001)


def test_a_speed_that_is_not_known_loses_nothing(make_repetition) -> None:
    unknown = with_velocity_loss(make_repetition(1, concentric_mean_deg_s=None), [])
    assert unknown.velocity_loss_percent is None
    assert unknown.reasons["velocity_loss_percent"] == "the speed of the concentric is not known"


def test_sides_differ_by_more_than_can_be_detected_or_not(make_set) -> None:
    told = set_figures(
        make_set(
            hip_flexion_left_range_deg=[92.0, 93.0, 91.0], hip_flexion_right_range_deg=[90.0, 90.0, 90.0]
        ),
        Side.BOTH,
    )
    assert told.value("hip_range_difference_deg") == pytest.approx(2.0)
    # hypot(0.1, 0.1) that does not average out, and a scatter of 1 over the root of 3: 0.594, times 1.96.
    assert told.value("hip_range_detectable_deg") == pytest.approx(1.165, abs=0.005)
    assert told.value("hip_range_symmetry_percent") == pytest.approx(2.198, abs=0.005)


def test_one_sided_work_has_no_other_side_in_its_set(make_repetition) -> None:
    told = set_figures([make_repetition(1)], Side.LEFT)
    assert isinstance(told.figures["hip_range_difference_deg"], Unmeasured)
