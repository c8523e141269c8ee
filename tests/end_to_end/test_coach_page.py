"""The coach's page while a set is done and after it, on data that came through the virtual radio."""

from __future__ import annotations

import re

import pytest

from tests.end_to_end.watched_coach import WatchedCoach, watch_the_coach

pytestmark = [pytest.mark.browser, pytest.mark.realtime]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> WatchedCoach:
    return watch_the_coach(tmp_path_factory.mktemp("coach"))


def test_each_repetition_is_told_as_it_was_done(watched: WatchedCoach) -> None:
    assert watched.complaints == []
    for row, true in zip(watched.rows, watched.repetitions, strict=True):
        lowering_s, bottom_s, up_s, _ = (
            float(part) for part in row.tempo.removeprefix("tempo ").replace("\N{EN DASH}", "nan").split("-")
        )
        # The page tells the whole movement, which is 0.2 to 0.3 s longer than the phase, to 0.1 s.
        assert lowering_s == pytest.approx(true.eccentric_s + 0.25, abs=0.3)
        assert up_s == pytest.approx(true.concentric_end_s - true.concentric_start_s + 0.25, abs=0.3)
        assert bottom_s < 1.0
        depth_deg = float(row.depth.split("°")[0])
        assert depth_deg > true.pelvic_tilt_range_deg - 3.0
        for reading in (row.depth, row.level, row.lockout):
            assert re.match(r"[+\N{MINUS SIGN}]?\d+° ±\d+\.\d", reading)
        assert row.words


def test_who_joins_late_sees_the_same(watched: WatchedCoach) -> None:
    assert watched.rows_of_late_joiner == watched.rows
    assert "hinge share" in watched.measured
    assert "whole lowering" in watched.measured


def test_the_set_is_reviewed_and_the_calibration_told(watched: WatchedCoach) -> None:
    assert "Form " in watched.review
    assert re.search(r"±\d+\.\d°", watched.calibration)
    assert watched.calibration.count("connected") == 3


def test_a_dispute_takes_a_repetition_out_on_every_page_and_an_undo_brings_it_back(
    watched: WatchedCoach,
) -> None:
    outcome, said = watched.outcomes["not-a-repetition"]
    assert outcome == "done", said
    assert "does not count" in said
    assert len(watched.left_after_dispute) == 2
    outcome, said = watched.outcomes["undo"]
    assert outcome == "done", said
    assert "counts again" in said
    assert watched.left_after_undo == [1, 2, 3]


def test_notes_and_prescriptions_reach_every_page(watched: WatchedCoach) -> None:
    assert watched.outcomes["note"][0] == "done"
    assert any("left knee <b>hurts</b>" in note for note in watched.notes)
    outcome, said = watched.outcomes["prescribe"]
    assert outcome == "done", said
    assert watched.prescribed == "asked: 2 \N{MULTIPLICATION SIGN} 6 · 4-0-X-0 · 60 kg"


def test_every_command_gets_the_words_of_the_bridge(watched: WatchedCoach) -> None:
    for name in ("identify", "start-set"):
        outcome, said = watched.outcomes[name]
        assert outcome in {"done", "refused"}
        assert len(said) > len("refused: ")
