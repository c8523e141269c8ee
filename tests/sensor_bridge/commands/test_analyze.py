from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sensor_bridge.cli import run_command

if TYPE_CHECKING:
    from pathlib import Path

    Captured = pytest.CaptureFixture[str]

SCENARIO = """
exercise = "romanian_deadlift"
repetitions = 3
[tempo]
eccentric_s = 4
bottom_s = 0.5
concentric_s = 1.5
top_s = 1
"""


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated")
    (folder / "short.toml").write_text(SCENARIO, encoding="utf-8")
    code = run_command(
        [
            "simulate",
            str(folder / "short.toml"),
            *("--out", str(folder / "trace.parquet")),
            *("--truth", str(folder / "truth.json")),
            *("--seed", "4"),
        ]
    )
    assert code == 0
    return folder


def changed(simulated: Path, path: Path, change: Any, *, metadata: bool = True) -> Path:
    table = pq.read_table(simulated / "trace.parquet")
    columns = {name: table[name].to_numpy().copy() for name in table.column_names}
    kept = pa.table(change(columns))
    pq.write_table(kept.replace_schema_metadata(table.schema.metadata if metadata else None), path)
    return path


def analyzed(trace: Path, folder: Path, *options: str) -> dict[str, Any]:
    result = folder / "result.json"
    assert run_command(["analyze", str(trace), "--json", str(result), *options]) == 0
    document: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    return document


def test_it_counts_and_times_what_the_athlete_did(simulated: Path, tmp_path: Path, capsys: Captured) -> None:
    angles = tmp_path / "angles.parquet"
    found = analyzed(simulated / "trace.parquet", tmp_path, "--angles", str(angles))
    truth = json.loads((simulated / "truth.json").read_text(encoding="utf-8"))
    assert len(found["repetitions"]) == len(truth["repetitions"]) == 3
    for mine, true in zip(found["repetitions"], truth["repetitions"], strict=True):
        assert mine["eccentric_s"] == pytest.approx(true["eccentric_s"], abs=0.1)
        assert mine["pelvic_tilt_range_deg"] == pytest.approx(true["pelvic_tilt_range_deg"], abs=1.5)
    (summary,) = found["sets"]
    assert (summary["exercise"], summary["repetitions"]) == ("romanian_deadlift", 3)
    assert found["data_quality"] == {"gaps": 0, "lost_s": 0.0, "clipped_samples": 0, "warnings": []}
    out, err = capsys.readouterr()
    assert out.startswith("set 1: 3 repetitions · romanian deadlift")
    assert err == ""
    table = pq.read_table(angles)
    assert table["t"].to_numpy() == pytest.approx(truth["angles"]["t"])
    tilt = table["pelvic_tilt_deg"].to_numpy()
    assert np.sqrt(np.mean((tilt - np.array(truth["angles"]["pelvic_tilt_deg"])) ** 2)) < 1.5


def test_times_are_those_of_the_traces_own_t(simulated: Path, tmp_path: Path) -> None:
    plain = analyzed(simulated / "trace.parquet", tmp_path)
    late = changed(simulated, tmp_path / "late.parquet", lambda c: c | {"t": c["t"] + 1000.0})
    shifted = analyzed(late, tmp_path)
    for one, other in zip(plain["repetitions"], shifted["repetitions"], strict=True):
        assert other["eccentric_start_s"] - one["eccentric_start_s"] == pytest.approx(1000.0, abs=2e-3)
        assert other["eccentric_s"] == pytest.approx(one["eccentric_s"], abs=2e-3)


def test_one_sensor_only_leaves_the_hips_empty_with_the_reason(
    simulated: Path, tmp_path: Path, capsys: Captured
) -> None:
    def pelvis_only(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {name: values for name, values in columns.items() if not name.startswith("thigh")}

    found = analyzed(changed(simulated, tmp_path / "pelvis.parquet", pelvis_only), tmp_path)
    assert len(found["repetitions"]) == 3
    for repetition in found["repetitions"]:
        assert repetition["hip_flexion_left_range_deg"] is None
        assert repetition["reasons"]["hip_flexion_left_range_deg"]
        assert repetition["pelvic_tilt_range_deg"] > 30
    out = capsys.readouterr().out
    for side in ("left", "right"):
        assert f"hip {side}: no {side} thigh sensor" in out


def test_ten_hertz_is_analysed_with_a_warning(simulated: Path, tmp_path: Path, capsys: Captured) -> None:
    slow = changed(
        simulated,
        tmp_path / "slow.parquet",
        lambda c: {name: values[::10] for name, values in c.items()},
        metadata=False,
    )
    found = analyzed(slow, tmp_path)
    warning = "10 Hz is slow: phase boundaries are no finer than 100 ms"
    assert found["data_quality"]["warnings"] == [warning]
    assert capsys.readouterr().err == f"hipline: warning: {warning}\n"
    assert len(found["repetitions"]) == 3


def test_accelerations_only_say_what_they_cannot(simulated: Path, tmp_path: Path) -> None:
    def without_rates(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {name: values for name, values in columns.items() if "_g" not in name}

    found = analyzed(changed(simulated, tmp_path / "acc.parquet", without_rates), tmp_path)
    assert any("accelerations only" in warning for warning in found["data_quality"]["warnings"])
    for repetition in found["repetitions"]:
        for name, value in repetition.items():
            assert value is not None or name in repetition["reasons"]


def test_lost_data_are_counted(simulated: Path, tmp_path: Path, capsys: Captured) -> None:
    def lose(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        keep = np.ones(len(columns["t"]), dtype=np.bool_)
        keep[1500:1520] = False
        return {name: values[keep] for name, values in columns.items()}

    found = analyzed(changed(simulated, tmp_path / "gap.parquet", lose), tmp_path)
    assert found["data_quality"]["gaps"] == 3
    assert found["data_quality"]["lost_s"] == pytest.approx(0.6)
    assert "3 gaps, 0.60 s lost over all sensors" in capsys.readouterr().out


def test_declared_units_give_the_same_result(simulated: Path, tmp_path: Path) -> None:
    def other_units(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {
            name: values / 9.80665 if "_a" in name else values * 180 / np.pi if "_g" in name else values
            for name, values in columns.items()
        }

    plain = analyzed(simulated / "trace.parquet", tmp_path)
    path = changed(simulated, tmp_path / "units.parquet", other_units)
    found = analyzed(path, tmp_path, "--acc-unit", "g", "--gyr-unit", "deg/s")
    for one, other in zip(plain["repetitions"], found["repetitions"], strict=True):
        assert other["eccentric_s"] == pytest.approx(one["eccentric_s"], abs=1e-6)


def test_a_prescription_that_cannot_be_is_a_warning(simulated: Path, tmp_path: Path) -> None:
    path = changed(simulated, tmp_path / "asked.parquet", lambda c: c)
    table = pq.read_table(path)
    metadata = json.loads(table.schema.metadata[b"trace"])
    metadata["prescription"] = {"exercise": "press_up", "load_kg": 40}
    pq.write_table(table.replace_schema_metadata({"trace": json.dumps(metadata)}), path)
    (warning,) = analyzed(path, tmp_path)["data_quality"]["warnings"]
    assert warning.startswith("the metadata's prescription is left out: exercise: ")


def test_shaking_a_sensor_is_no_repetition(tmp_path: Path, capsys: Captured) -> None:
    random = np.random.default_rng(1)
    t = np.arange(1500) / 100
    columns = {"t": t} | {
        f"pelvis_{name}": 8 * np.sin(2 * np.pi * (0.9 + k / 7) * t + k) + random.standard_normal(1500)
        for k, name in enumerate(("ax", "ay", "az", "gx", "gy", "gz"))
    }
    path = tmp_path / "shaken.parquet"
    pq.write_table(pa.table(columns), path)
    assert analyzed(path, tmp_path)["repetitions"] == []
    assert "no repetitions found in 15.0 s" in capsys.readouterr().out


def test_a_place_that_does_not_exist_is_named_before_any_work(
    simulated: Path, tmp_path: Path, capsys: Captured
) -> None:
    target = tmp_path / "nowhere" / "r.json"
    assert run_command(["analyze", str(simulated / "trace.parquet"), "--json", str(target)]) == 2
    assert capsys.readouterr().err == (
        f"hipline: {target}: there is no folder {tmp_path / 'nowhere'} to write it to\n"
    )


def test_output_may_be_cut_off_by_its_reader(simulated: Path) -> None:
    program = "from sensor_bridge.cli import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", program, "analyze", str(simulated / "trace.parquet")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()


def test_no_result_takes_the_place_of_the_recording_or_of_another(
    simulated: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = tmp_path / "trace.parquet"
    trace.write_bytes((simulated / "trace.parquet").read_bytes())
    monkeypatch.chdir(tmp_path)
    lost = f"{trace}: cannot be written: that is trace.parquet itself, which would be lost: name another file"
    for options, complaint in (
        (["--json", str(trace)], lost),
        (
            ["--json", "both", "--angles", "./both"],
            "both: cannot be written: it is named for two results: give each its own file",
        ),
        (["--json", "."], ".: is a folder: name a file in it"),
    ):
        assert run_command(["analyze", "trace.parquet", *options]) == 2
        assert capsys.readouterr().err == f"hipline: {complaint}\n"
    assert trace.read_bytes() == (simulated / "trace.parquet").read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["trace.parquet"]
