from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest

from sensor_bridge.archive.progress import MetricProgress, metrics_progress, sides_progress
from sensor_bridge.mqtt.payloads import MEASURES, Repetition

_WEEK_MS = 7 * 86_400_000.0


def repetition(
    number: int, *, side: str = "both", status: str = "confirmed", **measured: float
) -> Repetition:
    reasons = {name: "not looked at" for name in MEASURES if name not in measured}
    fields: dict[str, Any] = {**measured, "sd": dict.fromkeys(measured, 1.0), "reasons": reasons}
    return Repetition(
        athlete="anna",
        set=1,
        repetition=number,
        revision=1,
        final=True,
        status=status,  # type: ignore[arg-type]
        exercise="romanian_deadlift",
        side=side,  # type: ignore[arg-type]
        **fields,
    )


def weeks(*levels: float, **others: Any) -> dict[tuple[str, float], list[Repetition]]:
    return {
        (f"session-{week}", week * _WEEK_MS): [
            repetition(number, hip_flexion_left_range_deg=level + shift, **others)
            for number, shift in enumerate((-1.0, 0.0, 1.0), start=1)
        ]
        for week, level in enumerate(levels, start=1)
    }


def test_a_course_says_what_it_takes_to_be_a_change_and_where_that_comes_from() -> None:
    told = metrics_progress(weeks(80.0, 80.0, 80.0, 90.0))
    assert list(told) == ["hip_flexion_left_range_deg"]
    course = told["hip_flexion_left_range_deg"]
    sem = math.hypot(math.sqrt(math.pi / 2) / math.sqrt(3.0), 1.0)
    assert course.minimal_detectable_change == pytest.approx(1.96 * math.sqrt(2.0) * sem)
    assert course.how.startswith(f"1.96 · √2 · {sem:.1f}° standard error of measurement, from how much repe")
    assert (course.unit, course.digits, course.side) == ("°", 0, "both")
    assert [one.median for one in course.sessions] == [80.0, 80.0, 80.0, 90.0]
    assert course.change is not None
    assert (course.change.difference, course.change.is_change) == (10.0, True)


def test_three_sessions_say_that_they_are_too_few() -> None:
    course = metrics_progress(weeks(80.0, 85.0, 90.0))["hip_flexion_left_range_deg"]
    assert (course.minimal_detectable_change, course.change) == (None, None)
    assert course.how == "a change can be told from 4 sessions of 3 repetitions on: there are 3"


def test_what_was_taken_back_or_has_no_known_uncertainty_is_passed_over() -> None:
    good = [repetition(n, lockout_deficit_deg=float(n)) for n in (1, 2, 3)]
    taken_back = repetition(4, lockout_deficit_deg=50.0, status="withdrawn")
    unsure = msgspec.structs.replace(repetition(5, lockout_deficit_deg=70.0), sd={})
    told = metrics_progress({("session-1", 0.0): [*good, taken_back, unsure]})
    assert [(one.n, one.median) for one in told["lockout_deficit_deg"].sessions] == [(3, 2.0)]


def test_level_is_followed_by_how_far_the_pelvis_was_from_it() -> None:
    tipped = [
        repetition(n, pelvic_obliquity_peak_deg=degrees) for n, degrees in enumerate([-4.0, 4.0, 5.0], 1)
    ]
    told = metrics_progress({("session-1", 0.0): tipped})
    assert told["pelvic_obliquity_peak_deg"].sessions[0].median == 4.0


def test_each_working_side_has_a_course_of_its_own_and_the_free_leg_none() -> None:
    key = ("session-1", 0.0)
    left = [
        repetition(n, side="left", hip_flexion_left_range_deg=70.0 + n, hip_flexion_right_range_deg=8.0)
        for n in (1, 2, 3)
    ]
    right = [
        repetition(n, side="right", hip_flexion_right_range_deg=90.0 + n, eccentric_s=3.0) for n in (1, 2, 3)
    ]
    told = metrics_progress({key: [*left, *right]})
    assert set(told) == {
        "hip_flexion_left_range_deg.left",
        "hip_flexion_right_range_deg.right",
        "eccentric_s.right",
    }
    compared = sides_progress({key: [*left, *right]})
    assert list(compared) == ["hip_flexion_range_deg"]
    [sides] = compared["hip_flexion_range_deg"].sessions
    assert (sides.left.median, sides.right.median, sides.difference) == (72.0, 92.0, -20.0)
    assert sides.is_difference
    assert sides.symmetry_percent == pytest.approx(-100.0 * 20.0 / 82.0)


def test_hips_that_work_together_are_compared_where_both_were_measured() -> None:
    both = [
        repetition(n, hip_flexion_left_range_deg=80.0 + 10 * n, hip_flexion_right_range_deg=79.0 + 10 * n)
        for n in (1, 2, 3)
    ]
    one_only = repetition(4, hip_flexion_left_range_deg=200.0)
    [sides] = sides_progress({("session-1", 0.0): [*both, one_only]})["hip_flexion_range_deg"].sessions
    assert (sides.left.n, sides.difference) == (3, 1.0)
    assert sides.detectable == pytest.approx(1.96 * math.sqrt(2.0))
    assert not sides.is_difference
    assert sides_progress(weeks(80.0)) == {}


def test_the_answer_is_plain_json() -> None:
    told = metrics_progress(weeks(80.0, 81.0, 82.0, 83.0))
    again = msgspec.json.decode(msgspec.json.encode(told), type=dict[str, MetricProgress])
    assert again == told
