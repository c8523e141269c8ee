from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import hardware_sim
from analytics.imu import Mount, Placement
from sensor_bridge.cli import run_command
from sensor_bridge.cli_sensors import MountName, PlacementName
from sensor_bridge.errors import BridgeError

if TYPE_CHECKING:
    from collections.abc import Callable

    Captured = pytest.CaptureFixture[str]


def hinging(rate_hz: float = 100.0, duration_s: float = 20.0) -> dict[str, np.ndarray]:
    """A belt sensor (x right, y up, z out of the back): 3 s still, then bows of 60° every 5 s."""
    t = np.arange(round(duration_s * rate_hz)) / rate_hz
    moving = np.maximum(0.0, t - 3.0)
    lean = np.radians(30) * (1 - np.cos(2 * np.pi * moving / 5))
    rate = np.radians(30) * 2 * np.pi / 5 * np.sin(2 * np.pi * moving / 5)
    zero = np.zeros_like(t)
    axes = (zero, 9.81 * np.cos(lean), 9.81 * np.sin(lean), -rate, zero, zero)
    names = ("ax", "ay", "az", "gx", "gy", "gz")
    return {"t": t} | {f"pelvis_{name}": values.copy() for name, values in zip(names, axes, strict=True)}


def scaled(columns: dict[str, np.ndarray], letter: str, factor: float) -> dict[str, np.ndarray]:
    return {
        name: values * factor if name.startswith(f"pelvis_{letter}") else values
        for name, values in columns.items()
    }


def backwards() -> dict[str, np.ndarray]:
    columns = hinging()
    columns["t"][700:] -= 2.0
    return columns


def renamed() -> dict[str, np.ndarray]:
    return {name.replace("pelvis", "torso"): values for name, values in hinging().items()}


def without(*names: str) -> dict[str, np.ndarray]:
    return {name: values for name, values in hinging().items() if name not in names}


def save(path: Path, columns: dict[str, np.ndarray]) -> None:
    pq.write_table(pa.table(columns), path)


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing file": (lambda path: None, "there is no such file"),
    "folder": (lambda path: path.mkdir(), "is a folder"),
    "empty file": (lambda path: path.touch(), "is empty"),
    "not parquet": (lambda path: path.write_bytes(b"hello world" * 50), "is not a Parquet file"),
    "no rows": (lambda path: save(path, hinging(duration_s=0)), "has 0 rows"),
    "wrong columns": (lambda path: save(path, renamed()), "no sensor columns"),
    "no time": (lambda path: save(path, without("t")), "column t (seconds) is missing"),
    "a missing axis": (lambda path: save(path, without("pelvis_ay")), "column pelvis_ay is missing"),
    "time running backwards": (lambda path: save(path, backwards()), "time runs backwards in row 701"),
    "all NaN": (
        lambda path: save(path, scaled(scaled(hinging(), "a", np.nan), "g", np.nan)),
        "every sensor column is empty",
    ),
    "g instead of m/s²": (
        lambda path: save(path, scaled(hinging(), "a", 1 / 9.81)),
        "looks like g; multiply them by 9.80665 or say --acc-unit g",
    ),
    "°/s instead of rad/s": (
        lambda path: save(path, scaled(hinging(), "g", 57.2958)),
        "looks like °/s; multiply them by π/180 or say --gyr-unit deg/s",
    ),
    "ms instead of s": (
        lambda path: save(path, hinging() | {"t": hinging()["t"] * 1000}),
        "looks like ms; divide t by 1000",
    ),
    "5 Hz": (lambda path: save(path, hinging(rate_hz=5.0)), "5 Hz is too slow"),
    "too short": (lambda path: save(path, hinging(duration_s=1.0)), "lasts 0.99 s, too short"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_one_clear_line(case: str, tmp_path: Path, capsys: Captured) -> None:
    make, message = REFUSED[case]
    path = tmp_path / "trace.parquet"
    make(path)
    code = run_command(["analyze", str(path), "--json", str(tmp_path / "result.json")])
    out, err = capsys.readouterr()
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith(f"hipline: {path}: ")
    assert message in err
    assert not (tmp_path / "result.json").exists()


@pytest.mark.parametrize("case", ["missing file", "g instead of m/s²"])
def test_the_installed_command_says_the_same(case: str, tmp_path: Path) -> None:
    make, message = REFUSED[case]
    path = tmp_path / "trace.parquet"
    make(path)
    program = "from sensor_bridge.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "analyze", str(path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert message in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["analyze"], "Missing argument"),
        (["analyse", "x"], "No such command 'analyse'"),
        (["analyze", "x", "--colour"], "No such option"),
        (["analyze", "x", "--acc-unit", "stone"], "'stone' is not one of 'm/s2', 'g', 'mg'"),
        (["simulate", "romanian_deadlift"], "Missing option '--out'"),
        (["config", "--config", "nowhere.toml"], "nowhere.toml: cannot be read: No such file"),
    ],
)
def test_wrong_arguments_are_one_clear_line(arguments: list[str], message: str, capsys: Captured) -> None:
    assert run_command(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert message in err


def test_every_command_explains_itself(capsys: Captured) -> None:
    assert run_command([]) == 0
    overview = capsys.readouterr().out
    for command in ("analyze", "simulate", "config"):
        assert command in overview
        assert run_command([command, "--help"]) == 0
        assert "Usage: hipline" in capsys.readouterr().out


def test_help_names_every_scenario_and_flows(capsys: Captured) -> None:
    assert run_command(["simulate", "--help"]) == 0
    help_text = " ".join(capsys.readouterr().out.replace("│", "").split())
    scenarios = sorted(path.stem for path in Path(hardware_sim.__file__).parent.glob("scenarios/*.toml"))
    assert len(scenarios) >= 8
    assert [name for name in scenarios if f"{name}," not in help_text] == []
    assert run_command(["analyze", "--help"]) == 0
    assert "in m/s² (and pelvis_gx" in " ".join(capsys.readouterr().out.split())


def test_a_group_without_its_command_shows_its_help(capsys: Captured) -> None:
    assert run_command(["sensors"]) == 2
    out, err = capsys.readouterr()
    assert "identify" in out
    assert err == ""


def test_a_message_that_quotes_a_file_does_not_control_the_terminal(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("\x1b[31mt,b\n0,1\n", encoding="utf-8")
    assert run_command(["analyze", str(path)]) == 2
    assert capsys.readouterr().err.endswith("column t (seconds) is missing; found ?[31mt, b\n")


def test_help_does_not_wait_for_the_scientific_libraries() -> None:
    program = (
        "import sys\nfrom sensor_bridge.cli import run_command\nrun_command(['--help'])\n"
        "print([m for m in ('numpy', 'scipy', 'bleak', 'bumble', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_version_is_printed(capsys: Captured) -> None:
    assert run_command(["--version"]) == 0
    assert capsys.readouterr().out.startswith("0.")


def test_failures_and_interruptions_have_their_exit_codes(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise BridgeError("the broker\nhas gone")

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sensor_bridge.commands.simulate.run", fail)
    assert run_command(["simulate", "x", "--out", "a", "--truth", "b"]) == 1
    assert capsys.readouterr().err == "hipline: the broker has gone\n"
    monkeypatch.setattr("sensor_bridge.commands.simulate.run", interrupt)
    assert run_command(["simulate", "x", "--out", "a", "--truth", "b"]) == 130
    assert capsys.readouterr().err.strip() == "hipline: interrupted"


def test_config_is_checked_and_shown(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "hipline.toml"
    path.write_text('gym = "north"', encoding="utf-8")
    assert run_command(["config", "--config", str(path)]) == 0
    assert capsys.readouterr().out == f"{path} is in order\n"
    assert run_command(["config", "--config", str(path), "--show"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["gym"], shown["mqtt"]["broker"], shown["streaming"]["batch"]) == ("north", "embedded", 10)
    path.write_text('gim = "north"', encoding="utf-8")
    assert run_command(["config", "--config", str(path)]) == 2
    assert capsys.readouterr().err == f"hipline: {path}: unknown key gim: did you mean gym?\n"


def test_the_command_line_knows_every_placement_and_mount() -> None:
    assert tuple(PlacementName) == tuple(Placement)
    assert tuple(MountName) == tuple(Mount)
