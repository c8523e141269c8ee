from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from sensor_bridge.cli import run_command

if TYPE_CHECKING:
    from pathlib import Path

    Captured = pytest.CaptureFixture[str]


def simulate(folder: Path, scenario: str, *, truth: str = "truth.json", seed: int = 1) -> int:
    out = ["--out", str(folder / "trace.parquet"), "--truth", str(folder / truth)]
    return run_command(["simulate", scenario, *out, "--seed", str(seed)])


def test_it_writes_a_trace_and_the_truth(tmp_path: Path, capsys: Captured) -> None:
    assert simulate(tmp_path, "standing") == 0
    table = pq.read_table(tmp_path / "trace.parquet")
    assert table.column_names[:7] == [
        "t",
        *(f"pelvis_{name}" for name in ("ax", "ay", "az", "gx", "gy", "gz")),
    ]
    metadata = json.loads(table.schema.metadata[b"trace"])
    assert (metadata["format"], metadata["placement"]["pelvis"]) == ("trace/1", "sacrum")
    truth = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))
    assert truth["format"] == "truth/1"
    assert truth["repetitions"] == []
    assert len(truth["angles"]["pelvic_tilt_deg"]) == len(truth["angles"]["t"]) == table.num_rows
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("0 repetitions in ")


def test_the_same_seed_gives_the_same_files_another_seed_others(tmp_path: Path) -> None:
    files = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        folder = tmp_path / name
        folder.mkdir()
        assert simulate(folder, "standing", seed=seed) == 0
        files.append(((folder / "trace.parquet").read_bytes(), (folder / "truth.json").read_bytes()))
    assert files[0] == files[1]
    assert files[0][0] != files[2][0]


def test_the_truth_may_be_an_angle_file(tmp_path: Path) -> None:
    assert simulate(tmp_path, "standing", truth="truth.parquet") == 0
    table = pq.read_table(tmp_path / "truth.parquet")
    assert table.column_names == [
        "t",
        "pelvic_tilt_deg",
        "pelvic_obliquity_deg",
        "pelvic_rotation_deg",
        "thigh_flexion_left_deg",
        "thigh_flexion_right_deg",
        "hip_flexion_left_deg",
        "hip_flexion_right_deg",
    ]
    assert json.loads(table.schema.metadata[b"truth"])["scenario"] == "standing"


@pytest.mark.parametrize(
    ("scenario", "message"),
    [
        ("romanian", "no scenario named 'romanian' (did you mean 'romanian_deadlift'?)"),
        ("nowhere.toml", "cannot read scenario nowhere.toml: No such file or directory"),
    ],
)
def test_an_unknown_scenario_is_one_clear_line(
    scenario: str, message: str, tmp_path: Path, capsys: Captured
) -> None:
    assert simulate(tmp_path, scenario) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert message in err
    assert list(tmp_path.iterdir()) == []


def test_a_scenario_that_cannot_be_is_one_clear_line(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "odd.toml").write_text('exercise = "standing"\nrate_hz = 99', encoding="utf-8")
    assert simulate(tmp_path, str(tmp_path / "odd.toml")) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_place_that_does_not_exist_is_named(tmp_path: Path, capsys: Captured) -> None:
    assert simulate(tmp_path / "nowhere", "standing") == 2
    assert "there is no folder" in capsys.readouterr().err


def test_recording_and_truth_need_a_file_each(tmp_path: Path, capsys: Captured) -> None:
    both = str(tmp_path / "both.parquet")
    assert run_command(["simulate", "standing", "--out", both, "--truth", both]) == 2
    assert "it is named for two results" in capsys.readouterr().err
