from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from sensor_bridge.mqtt.measures import PartAdherence, SetAdherence
from sensor_bridge.mqtt.payloads import FoundFault, Repetition
from sensor_bridge.report import judgement
from sensor_bridge.report.judgement import judge
from sensor_bridge.report.wording import (
    adherence_words,
    doubt,
    number,
    part_words,
    repetition_words,
    with_unit,
)
from tests.sensor_bridge.archive.told import repetition

_PAGE = Path(__file__).parents[3] / "sensor_bridge/dashboard/web/src/judgement.ts"


def measured(**changes: Any) -> Repetition:
    told = repetition(**{name: value for name, value in changes.items() if isinstance(value, float)})
    others = {name: value for name, value in changes.items() if not isinstance(value, float)}
    fields = {name: getattr(told, name) for name in told.__struct_fields__}
    return Repetition(**{**fields, **others})


def test_numbers_have_a_real_minus_sign_and_no_minus_zero() -> None:
    assert number(-2.34, 1) == "\N{MINUS SIGN}2.3"
    assert number(-0.04, 1) == "0.0"
    assert number(2.0, 0, is_signed=True) == "+2"
    assert with_unit(81.6, 0, "°") == "82°"
    assert with_unit(4.96, 1, "s") == "5.0 s"


def test_a_small_doubt_keeps_a_digit_that_says_something() -> None:
    assert doubt(1.26, 0) == "±1.3"
    assert doubt(0.03, 1) == "±0.03"
    assert doubt(0.0001, 1) == "±0.01"
    assert doubt(None, 1) == ""


def test_what_was_missed_of_the_prescription_is_said_against_it() -> None:
    short = PartAdherence(part="eccentric", asked=5.0, done=4.1, sd=0.1, keeping="short")
    assert part_words(short) == "whole lowering 4.1 s instead of 5 s"
    too_fast = FoundFault(code="fast_eccentric", value=4.1, threshold=4.5, sd=0.1)
    told = measured(adherence=[short], faults=[too_fast])
    assert repetition_words(told, judge(told).found) == ["whole lowering 4.1 s instead of 5 s"]
    deep = PartAdherence(part="range", asked=60.0, done=51.4, sd=1.0, keeping="short")
    assert part_words(deep) == "hip range 51° instead of 60°"


def test_a_set_says_how_it_kept_to_its_prescription() -> None:
    asked = SetAdherence(repetitions_asked=8, is_side_kept=False, parts_kept=14, parts_judged=16)
    assert adherence_words(asked, 7) == (
        "7 of 8 repetitions asked, 14 of 16 parts of tempo and range kept, the other side was asked for"
    )
    free = SetAdherence(parts_kept=0, parts_judged=0)
    assert adherence_words(free, 1) == "1 repetition, tempo and range could not be judged"


@pytest.mark.parametrize(
    ("level", "mark", "words"),
    [
        (5.05, "good", []),  # within its own doubt of 0.1
        (-6.0, "watch", ["pelvis tipped 6° (limit 5°)"]),
        (10.2, "bad", ["pelvis tipped 10° (limit 5°)"]),
    ],
)
def test_a_tipped_pelvis_is_judged_as_on_the_page(level: float, mark: str, words: list[str]) -> None:
    told = measured(pelvic_obliquity_peak_deg=level)
    assert judge(told).mark == mark
    assert repetition_words(told, judge(told).found) == words


@pytest.mark.parametrize(
    ("deficit", "mark", "code"),
    [
        (4.9, "good", None),
        (8.0, "watch", "incomplete_lockout"),
        (12.0, "bad", "incomplete_lockout"),
        (-9.9, "good", None),
        (-11.0, "watch", "over_extension"),
    ],
)
def test_the_lock_out_is_judged_as_on_the_page(deficit: float, mark: str, code: str | None) -> None:
    told = judge(measured(lockout_deficit_deg=deficit))
    assert (told.mark, told.found[0].code if told.found else None) == (mark, code)


def test_a_fault_of_the_bridge_stands_before_the_pages_own_limits() -> None:
    found = FoundFault(code="pelvic_drop", value=12.0, threshold=10.0, sd=0.5)
    told = judge(measured(faults=[found], pelvic_obliquity_peak_deg=12.0))
    assert (told.mark, told.found) == ("watch", (found,))


def test_report_and_page_hold_repetitions_to_the_same_limits() -> None:
    on_the_page = dict(re.findall(r"const ([A-Z_]+_DEG) = (-?\d+);", _PAGE.read_text()))
    assert {name: float(value) for name, value in on_the_page.items()} == {
        name: getattr(judgement, name) for name in on_the_page
    }
    assert len(on_the_page) == 5
