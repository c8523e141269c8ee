from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

import hardware_sim
from analytics.imu import ImuBlock, Placement
from benchmarks.accuracy import __main__ as bench
from benchmarks.accuracy import fault_grid, virtual_lines, virtual_tables
from benchmarks.accuracy.events import match
from benchmarks.accuracy.grid import LINES, Asked, draw, draw_single_leg_bridge
from benchmarks.accuracy.layout import Line, summary, table
from benchmarks.accuracy.lost_data import Hole, lost_data_rows, with_holes
from benchmarks.accuracy.recordings import source
from benchmarks.accuracy.virtual_set import run_case
from benchmarks.accuracy.walkouts import walkout_lines, walkout_table


def bottom_at(seconds: float) -> SimpleNamespace:
    return SimpleNamespace(repetition=SimpleNamespace(bottom_ns=round(seconds * 1e9)))


def test_a_case_depends_on_seed_and_number_alone():
    assert draw(7, 5) == draw(7, 5)
    assert draw(7, 5) != draw(8, 5)


def test_every_exercise_is_drawn_with_both_qualities():
    cases = [draw(3, number) for number in range(2 * len(LINES))]
    assert {(str(c.scenario.exercise), c.quality) for c in cases} == {
        (str(exercise), quality) for exercise, _ in LINES for quality in ("good", "cheap")
    }


def test_only_squats_and_chairs_are_asked_for_wrongly():
    cases = [draw(4, number) for number in range(120)]
    wrong = {str(case.scenario.exercise) for case in cases if case.asked is Asked.WRONG}
    assert wrong == {"squat", "sit_to_stand"}


def test_matching_tells_missed_double_and_extra_apart():
    events = [bottom_at(1.5), bottom_at(1.7), bottom_at(9.0), bottom_at(5.5)]
    matching = match(events, [(1.0, 2.0), (3.0, 4.0), (5.0, 6.0)])
    assert [index for index, _ in matching.pairs] == [0, 2]
    assert matching.missed == (1,)
    assert (matching.doubles, matching.extra) == (1, 1)


def test_a_repetition_without_phases_still_has_to_be_counted():
    spans, untimed = [(1.0, 2.0)], [(3.0, 4.0), (5.0, 6.0)]
    matching = match([bottom_at(1.5), bottom_at(3.2), bottom_at(3.6)], spans, untimed)
    assert matching.missed == ()
    assert (matching.untimed_missed, matching.doubles, matching.extra) == (1, 1, 0)


def test_a_repetition_slower_than_its_sway_is_done_but_has_no_phases():
    case = draw(52002, 168)
    truth = hardware_sim.simulate(case.scenario, case.seed).truth
    assert case.scenario.repetitions == 6
    assert [r.repetition for r in truth.repetitions] == [1, 2, 3, 4, 6]
    assert [(r.set, r.repetition) for r in truth.untimed] == [(1, 5)]


def test_a_hole_parts_a_block_and_says_how_long_it_was():
    samples = np.tile([0.0, 0.0, 9.81], (300, 1))
    block = ImuBlock(Placement.PELVIS, 0, 100.0, samples, np.zeros((300, 3)))
    first, second = with_holes([block], [Hole(1.0, 0.5, (Placement.PELVIS,))])
    assert (len(first), len(second)) == (100, 150)
    assert second.start_time_ns == 1_500_000_000
    assert second.gap_before_s == pytest.approx(0.5)


def test_a_hole_of_another_sensor_changes_nothing():
    block = ImuBlock(Placement.PELVIS, 0, 100.0, np.ones((50, 3)), np.zeros((50, 3)))
    (same,) = with_holes([block], [Hole(0.1, 0.2, (Placement.THIGH_LEFT,))])
    assert len(same) == 50
    assert same.gap_before_s == 0.0


def test_tables_are_aligned_markdown():
    text = table("Title", ("a", "long name"), [(1, "x")])
    assert text.splitlines() == [
        "### Title",
        "",
        "| a | long name |",
        "|---|-----------|",
        "| 1 | x         |",
    ]


def test_the_summary_says_what_was_not_measured():
    text = summary([Line("w", "t", "f", None), Line("w", "t", "f", False), Line("w", "t", "f", True)])
    assert [line.split("|")[4].strip() for line in text.splitlines()[4:]] == ["not measured", "MISSED", "met"]


def test_a_tiny_grid_goes_from_simulation_to_acceptance_lines():
    case = draw(2, 0)
    performance, row = run_case(case)
    row = json.loads(json.dumps(row))
    assert row["true"] == len(performance.truth.repetitions)
    assert row["counted"] == row["true"] - row["missed"] + row["doubles"] + row["extra"]
    short, long = lost_data_rows(case, performance)
    assert short["touched"] >= 1
    assert long["missed_untouched"] == 0
    assert "Repetitions counted" in virtual_tables.count_tables([row])
    assert "tilt" in virtual_tables.angle_table([row])
    assert "eccentric_s" in virtual_tables.figure_table([row], "Figures")
    assert "with the working thigh's sensor" in virtual_tables.boundary_table([row])
    lines = virtual_lines.lines_of([row])
    assert lines[0].is_met is None
    assert {line.verdict for line in lines} <= {"met", "MISSED", "not measured"}


def test_faults_put_in_are_scored():
    (row,) = fault_grid.rows(1, 0)
    assert row["code"] == "incomplete_lockout"
    assert 0 <= row["found"] <= row["expected"] <= 6
    assert "incomplete_lockout" in fault_grid.fault_table([row], [])


def test_a_stopped_grid_goes_on_where_it_was(tmp_path, monkeypatch, capsys):
    calls = []

    def one_row(kind, seed, number):
        calls.append((kind, number))
        return [{"kind": kind}]

    monkeypatch.setattr(bench, "work", one_row)
    kept = tmp_path / "rows.jsonl"
    assert len(bench.gather(1, 1, kept, minutes=1.0)) == 5
    assert len(bench.gather(1, 2, kept, minutes=1.0)) == 6
    first = [("set", 0), ("fault", 0), ("walk", 0), ("walkout", 0), ("single-leg bridge", 0)]
    assert calls == [*first, ("set", 1)]
    assert len(bench.gather(9, 3, kept, minutes=-1.0)) == 0
    assert "goes on from here" in capsys.readouterr().err


def test_absent_recordings_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(source, "DATA", tmp_path)
    with pytest.raises(source.RecordingsAbsent, match="sisfall_waist"):
        source.folder("sisfall_waist")


def test_single_leg_bridges_and_walkouts_are_done_beside_the_lines():
    pieces = list(bench.virtual_rows(25))
    assert [piece for piece in pieces if piece[0] == "walkout"] == [("walkout", n) for n in range(3)]
    assert ("single-leg bridge", 2) in pieces
    cases = [draw_single_leg_bridge(3, number) for number in range(4)]
    assert {(str(case.scenario.side), case.quality) for case in cases} == {
        (side, quality) for side in ("left", "right") for quality in ("good", "cheap")
    }


def test_a_walkout_is_scored_step_by_step():
    (row,) = bench.work("walkout", 51, 1)
    assert (row["counted"], row["missed"], row["extra"]) == (row["true"], 0, 0)
    assert row["steps"] == row["true_steps"]
    assert row["extra_steps"] == 0
    assert max(abs(error) for error in row["sag_deg"]) < 1.0
    (line,) = walkout_lines([row])
    assert line.is_met
    assert "steps found" in walkout_table([row])


def test_a_far_bent_knee_does_not_pass_for_standing():
    # Its front sensor is as near to the vertical as to the ceiling: the lift has to tell.
    (row,) = bench.work("walkout", 72, 11)
    assert (row["counted"], row["missed"]) == (2, 0)
    assert row["steps"] == row["true_steps"] == 24
