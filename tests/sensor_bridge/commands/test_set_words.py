from __future__ import annotations

from typing import Any

from sensor_bridge.commands.set_words import set_words

ADHERENCE = {
    "repetitions_done": 7,
    "repetitions_asked": 8,
    "set_number": 1,
    "sets_asked": 1,
    "is_side_kept": False,
    "parts_kept": 20,
    "parts_judged": 27,
}
STEPS = [
    {"side": "left", "start_s": 5.8, "sag_deg": -0.4, "dip_deg": 1.7, "is_alternation_error": False},
    {"side": "left", "start_s": 6.9, "sag_deg": 0.2, "dip_deg": -2.4, "is_alternation_error": True},
]


def summary(**changes: Any) -> dict[str, Any]:
    return {
        "adherence": None,
        "form_broke_at": None,
        "hip_range_difference_deg": None,
        "hip_range_detectable_deg": None,
        **changes,
    }


def test_what_was_asked_is_held_against_what_was_done() -> None:
    asked, broke = set_words(summary(adherence=ADHERENCE, form_broke_at=6), [])
    kept = "7 of 8 repetitions, 20 of 27 tempo counts kept, the other side was asked for"
    assert asked == f"against what was asked: {kept}"
    assert broke == "form broke at repetition 6"
    free = {**ADHERENCE, "repetitions_asked": None, "parts_judged": 0, "is_side_kept": None}
    assert set_words(summary(adherence=free), []) == ["against what was asked: 7 done"]


def test_a_difference_of_sides_says_whether_it_can_be_told() -> None:
    small = summary(hip_range_difference_deg=-1.5, hip_range_detectable_deg=3.0)
    large = summary(hip_range_difference_deg=-4.5, hip_range_detectable_deg=3.0)
    assert set_words(small, []) == [
        "hip range, left minus right: -1.5°, no difference that can be told (from 3.0° on it can)"
    ]
    assert set_words(large, []) == [
        "hip range, left minus right: -4.5°, a real difference (from 3.0° on it can)"
    ]


def test_walkouts_tell_their_steps() -> None:
    walkout = {"hold_s": 12.06, "alternation_errors": 1, "sd_deg": 0.5, "steps": STEPS}
    told = set_words(summary(), [{"repetition": 1, "walkout": None}, {"repetition": 2, "walkout": walkout}])
    sags = "sag up to 0.4°, dip up to 2.4° (± 0.5°)"
    assert told == [f"walkout 2: 2 steps, held 12.1 s, alternation errors: 1, {sags}; proxies"]


def test_nothing_is_said_of_what_was_not_measured() -> None:
    empty = {"hold_s": 3.0, "alternation_errors": 0, "sd_deg": 0.5, "steps": []}
    assert set_words(summary(), [{"repetition": 1, "walkout": empty}]) == [
        "walkout 1: 0 steps, held 3.0 s, alternation errors: 0; proxies"
    ]
