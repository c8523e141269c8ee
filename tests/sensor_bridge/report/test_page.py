from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from sensor_bridge.archive.answers import (
    ArchivedNote,
    ArchivedPrescription,
    ArchivedRepetition,
    ArchivedSet,
    SessionDetail,
)
from sensor_bridge.mqtt.measures import PartAdherence, SetAdherence
from sensor_bridge.mqtt.payloads import Prescription
from sensor_bridge.report.page import report_page, report_policy
from sensor_bridge.report.plots import AngleStretch
from tests.sensor_bridge.archive.told import START_MS, event_id, repetition, session_id, set_summary

if TYPE_CHECKING:
    from sensor_bridge.mqtt.payloads import Repetition, SetSummary

NOW_MS = START_MS + 7_200_000.0
HOSTILE = (
    "</title></style><script>alert(1)</script><img src=x onerror=alert(2)> \"'&"
    "{{7*7}}{% raw %} \N{RIGHT-TO-LEFT OVERRIDE}evil"
)


def detail(
    repetitions: list[Repetition],
    sets: list[SetSummary],
    notes: list[dict[str, Any]] | None = None,
    **changes: Any,
) -> SessionDetail:
    fields: dict[str, Any] = {
        "session": session_id(0),
        "athlete": "anna",
        "name": "Anna Berg",
        "started_ms": START_MS,
        "ended_ms": START_MS + 3_723_000.0,
        "exercises": ["romanian_deadlift"],
        "fault_counts": {},
        "repetitions": [
            ArchivedRepetition(id=event_id(n), **msgspec.structs.asdict(one))
            for n, one in enumerate(repetitions)
        ],
        "sets": [
            ArchivedSet(id=event_id(100 + n), **msgspec.structs.asdict(one)) for n, one in enumerate(sets)
        ],
        "faults": [],
        "prescriptions": [],
        "notes": [
            ArchivedNote(id=event_id(200 + n), athlete="anna", revision=0, **one)
            for n, one in enumerate(notes or [])
        ],
    }
    return SessionDetail(**{**fields, **changes})


def angles(length_s: float = 120.0) -> AngleStretch:
    t_s = np.arange(0.0, length_s, 0.02)
    hip = 40.0 - 40.0 * np.cos(2.0 * np.pi * t_s / 8.0)
    return AngleStretch(
        START_MS + 60_000.0 + t_s * 1000.0, {"hip_flexion_left_deg": hip, "pelvic_tilt_deg": hip / 2}
    )


class Document(HTMLParser):
    """What a browser would find: elements with their attributes, and the text of each."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += f"{data} "

    @property
    def words(self) -> str:
        return " ".join(self.text.split())


def told(*changes: Any, **of_detail: Any) -> Document:
    repetitions = [
        repetition(n, hip_flexion_left_range_deg=80.0 + n, lockout_deficit_deg=1.0) for n in (1, 2, 3)
    ]
    return Document(
        report_page(detail(repetitions, [set_summary()], *changes, **of_detail), angles(), now_ms=NOW_MS)
    )


def test_every_repetition_stands_there_with_its_figures_and_their_doubt() -> None:
    words = told().words
    assert "Set 1: Romanian deadlift 3 repetitions" in words
    assert "3 5.0 ±0.1 0.2 ±0.1 1.2 ±0.1 83 ±0.1 55 ±0.1 +1.0 ±0.1 ✓ good" in words
    assert "median 5.0" in words
    assert "session lasted 62:03 min" in words
    assert "right hip, level, rotation, hinge share: not worn." in words
    assert "± in the line of medians: how much the 3 repetitions differ" in words


def test_the_curve_of_a_set_shows_its_repetitions() -> None:
    page = told()
    paths = [attributes for tag, attributes in page.elements if tag == "path"]
    assert {path["class"] for path in paths} == {"curve hip_flexion_left_deg", "curve pelvic_tilt_deg"}
    assert all(re.fullmatch(r"([ML]\d+\.\d \d+\.\d)+", path["d"] or "") for path in paths)
    assert len([1 for tag, attributes in page.elements if attributes.get("class") == "lowering"]) == 3
    without = Document(report_page(detail([repetition()], [set_summary()]), None, now_ms=NOW_MS)).words
    assert "No picture: the angles of this set were not kept." in without


def test_repetitions_taken_back_are_not_counted_and_disputes_are_told() -> None:
    disputed = repetition(2, status="withdrawn")
    note = {"kind": "not_a_repetition", "at_ms": START_MS, "event": event_id(1), "text": "bent for the bar"}
    gone = {"kind": "note", "at_ms": START_MS, "text": "taken back", "withdrawn": True}
    page = Document(
        report_page(
            detail(
                [repetition(1), disputed, repetition(3)], [set_summary()], [{**note, "by": "coach"}, gone]
            ),
            None,
            now_ms=NOW_MS,
        )
    )
    assert "Set 1: Romanian deadlift 2 repetitions" in page.words
    assert "not a repetition , set 1, repetition 2 by coach bent for the bar" in page.words
    assert "taken back" not in page.words


def test_a_set_is_held_against_its_prescription() -> None:
    asked = SetAdherence(repetitions_asked=8, parts_kept=5, parts_judged=6)
    summary = msgspec.structs.replace(set_summary(), adherence=asked, form_broke_at=2)
    words = Document(report_page(detail([repetition()], [summary]), None, now_ms=NOW_MS)).words
    assert "Against what was asked: 1 of 8 repetitions asked, 5 of 6 parts of tempo and range kept." in words
    assert "Form broke at repetition 2." in words
    prescription = Prescription(
        athlete="anna",
        exercise="romanian_deadlift",
        side="both",
        repetitions=8,
        sets=3,
        eccentric_s=5.0,
        bottom_s=0.5,
        top_s=0.0,
        load_kg=60.0,
        is_supported=True,
    )
    later = Prescription(athlete="anna", exercise="deadlift", side="both", load_kg=99.0)
    known = [
        ArchivedPrescription(since_ms=START_MS, asked=prescription),
        ArchivedPrescription(since_ms=NOW_MS, asked=later),
    ]
    told = Document(
        report_page(detail([repetition()], [summary], prescriptions=known), None, now_ms=NOW_MS)
    ).words
    assert "asked 3 sets of 8, 5-0.5-X-0, 60 kg, with support" in told
    assert "99 kg" not in told


def test_what_needs_a_look_stands_at_the_top_with_its_place() -> None:
    found = [
        repetition(1),
        repetition(2, pelvic_obliquity_peak_deg=8.0),
        repetition(3, lockout_deficit_deg=14.0),
    ]
    words = Document(report_page(detail(found, [set_summary()]), None, now_ms=NOW_MS)).words
    assert (
        "Romanian deadlift. To look at: pelvis tipped (set 1, repetition 2), "
        "stopped short of standing (set 1, repetition 3)." in words
    )
    assert "△ watch pelvis tipped 8° (limit 5°)" in words
    assert "✕ not good stopped 14° short of standing (limit 5°)" in words
    short = PartAdherence(part="eccentric", asked=5.0, done=4.1, sd=0.1, keeping="short")
    missed = msgspec.structs.replace(repetition(1), adherence=[short])
    words = Document(report_page(detail([missed], [set_summary()]), None, now_ms=NOW_MS)).words
    assert "could be sure of, but these want a look: set 1, repetition 1." in words
    assert "△ watch whole lowering 4.1 s instead of 5 s" in words


def test_a_bridge_is_held_at_the_top() -> None:
    bridge = repetition(1, exercise="glute_bridge", concentric_s=1.4, top_pause_s=2.5, eccentric_s=1.9)
    summary = set_summary(exercise="glute_bridge")
    words = Document(report_page(detail([bridge], [summary]), None, now_ms=NOW_MS)).words
    assert "rise s hold s lowering s" in words
    assert "1 1.4 ±0.1 2.5 ±0.1 1.9 ±0.1 55" in words


def test_sides_are_compared_with_what_it_takes_to_differ() -> None:
    names = ("hip_flexion_left_range_deg", "hip_flexion_right_range_deg")
    alike = [repetition(n, **dict(zip(names, (80.0 + n, 80.1 + n), strict=True))) for n in (1, 2, 3)]
    words = Document(report_page(detail(alike, [set_summary()]), None, now_ms=NOW_MS)).words
    assert (
        "Romanian deadlift hip range 82.0° ±0.7 n 3 82.1° ±0.7 n 3 0.3° no difference that can be told"
        in words
    )
    apart = [repetition(n, **dict(zip(names, (86.0 + n, 80.0 + n), strict=True))) for n in (1, 2, 3)]
    words = Document(report_page(detail(apart, [set_summary()]), None, now_ms=NOW_MS)).words
    assert "0.3° left more by 6.0°" in words


def test_doubts_about_the_data_are_told_with_their_place() -> None:
    unclear = repetition(2, status="unconfirmed")
    live = msgspec.structs.replace(repetition(3), final=False, warnings=["the left thigh sensor slipped"])
    words = Document(
        report_page(detail([repetition(1), unclear, live], [set_summary()]), None, now_ms=NOW_MS)
    ).words
    assert "1 repetition counted that may be none: set 1, repetition 2." in words
    assert "not measured anew when finished: set 1, repetition 3." in words
    assert "The left thigh sensor slipped (set 1, repetition 3)." in words
    assert "The angles of this session were not kept: there are no pictures." in words


def test_time_without_angles_is_said() -> None:
    there = angles()
    hip = there.angles_deg["hip_flexion_left_deg"].copy()
    hip[1000:1150] = np.nan
    holed = AngleStretch(there.t_ms, {"hip_flexion_left_deg": hip})
    summary = msgspec.structs.replace(set_summary(), start_ms=START_MS + 65_000.0, end_ms=START_MS + 95_000.0)
    words = Document(report_page(detail([repetition()], [summary]), holed, now_ms=NOW_MS)).words
    assert "Set 1: no hip angle and no tilt for 3.0 s of it." in words


def test_an_empty_session_says_so() -> None:
    words = Document(report_page(detail([], []), None, now_ms=NOW_MS)).words
    assert "No repetition stands in this session." in words


def test_what_people_wrote_stays_text() -> None:
    hostile_set = msgspec.structs.replace(set_summary(), exercise="romanian_deadlift")
    hostile = msgspec.structs.replace(
        repetition(), warnings=[HOSTILE], reasons={**repetition().reasons, "lockout_deficit_deg": HOSTILE}
    )
    notes = [{"kind": "note", "at_ms": START_MS, "text": HOSTILE, "by": HOSTILE}]
    html = report_page(detail([hostile], [hostile_set], notes, name=HOSTILE), angles(), now_ms=NOW_MS)
    harmless = Document(report_page(detail([repetition()], [set_summary()], notes), angles(), now_ms=NOW_MS))
    page = Document(html)
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "img", "iframe", "object", "embed", "link", "a", "form", "base"}
    assert tags == {tag for tag, _ in harmless.elements} | {"li"}
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert page.text.count("<script>alert(1)</script>") == 6
    assert "{{7*7}}" in page.text


def test_the_page_needs_nothing_else_and_lets_nothing_run() -> None:
    html = report_page(detail([repetition()], [set_summary()]), angles(), now_ms=NOW_MS)
    assert not re.search(r"https?://|url\(|@import|src=|href=", html)
    [style] = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert report_policy().startswith(f"default-src 'none'; style-src 'sha256-{digest}'")
    assert "style=" not in html  # the policy would refuse it
    [policy] = [a["content"] for tag, a in Document(html).elements if a.get("http-equiv")]
    assert policy == report_policy()
