from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics.imu import Mount, Placement
from sensor_bridge.errors import RecordingError
from sensor_bridge.recording.trace import SensorTrace, Trace, read_trace, write_trace
from sensor_bridge.recording.trace_stream import TraceStream

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Columns = dict[str, np.ndarray]


def nodding(
    placement: str = "pelvis", *, rate_hz: float = 100.0, duration_s: float = 12.0, gyro: bool = True
) -> Columns:
    """A sensor that leans forward and back by 60° about its x axis every 4 s; y is up."""
    t = np.arange(round(duration_s * rate_hz)) / rate_hz
    lean = np.radians(30) * (1 - np.cos(2 * np.pi * t / 4))
    rate = np.radians(30) * 2 * np.pi / 4 * np.sin(2 * np.pi * t / 4)
    zero = np.zeros_like(t)
    columns = {"t": t}
    acc, gyr = (zero, 9.81 * np.cos(lean), -9.81 * np.sin(lean)), (rate, zero, zero)
    for letter, axes in (("a", acc), ("g", gyr)) if gyro else (("a", acc),):
        columns |= {
            f"{placement}_{letter}{name}": values.copy() for name, values in zip("xyz", axes, strict=True)
        }
    return columns


def save(path: Path, columns: Mapping[str, Any], metadata: Any = None) -> Path:
    table = pa.table(dict(columns))
    if metadata is not None:
        text = metadata if isinstance(metadata, str) else json.dumps(metadata)
        table = table.replace_schema_metadata({"trace": text})
    pq.write_table(table, path)
    return path


def refusal(path: Path, **options: str) -> str:
    with pytest.raises(RecordingError) as caught:
        read_trace(path, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "trace.parquet"


def test_a_parquet_file_comes_back_as_it_was(path: Path) -> None:
    columns = nodding() | nodding("thigh_left")
    columns["thigh_left_ax"][3:9] = np.nan
    trace = Trace(
        t_s=columns["t"],
        sensors={
            placement: SensorTrace(
                np.column_stack([columns[f"{placement}_a{axis}"] for axis in "xyz"]),
                np.column_stack([columns[f"{placement}_g{axis}"] for axis in "xyz"]),
            )
            for placement in (Placement.PELVIS, Placement.THIGH_LEFT)
        },
        mounts={Placement.PELVIS: Mount.SACRUM, Placement.THIGH_LEFT: Mount.THIGH_LATERAL},
        rate_hz=100,
        started_at="2026-05-04T12:00:00Z",
        athlete="mia",
        prescription={"exercise": "romanian_deadlift", "repetitions": 8},
    )
    write_trace(path, trace)
    again = read_trace(path)
    assert again.t_s.tobytes() == trace.t_s.tobytes()
    for placement, sensor in trace.sensors.items():
        assert np.array_equal(again.sensors[placement].acc_m_s2, sensor.acc_m_s2, equal_nan=True)
        assert np.array_equal(again.sensors[placement].gyr_rad_s, sensor.gyr_rad_s, equal_nan=True)
    assert (again.mounts, again.rate_hz, again.started_at) == (trace.mounts, 100, "2026-05-04T12:00:00Z")
    assert (again.athlete, again.prescription) == ("mia", {"exercise": "romanian_deadlift", "repetitions": 8})
    assert again.warnings == ()
    assert again.duration_s == pytest.approx(11.99)
    metadata = json.loads(pq.read_schema(path).metadata[b"trace"])
    assert metadata["format"] == "trace/1"
    assert metadata["placement"] == {"pelvis": "sacrum", "thigh_left": "thigh_lateral"}


def test_csv_says_the_same_but_not_where_sensors_sit(tmp_path: Path) -> None:
    columns = nodding("thigh_right")
    columns["thigh_right_gy"][5] = np.nan
    acc = np.column_stack([columns[f"thigh_right_a{axis}"] for axis in "xyz"])
    gyr = np.column_stack([columns[f"thigh_right_g{axis}"] for axis in "xyz"])
    path = tmp_path / "trace.csv"
    write_trace(
        path,
        Trace(
            columns["t"],
            {Placement.THIGH_RIGHT: SensorTrace(acc, gyr)},
            {Placement.THIGH_RIGHT: Mount.UNKNOWN},
        ),
    )
    assert path.read_text(encoding="utf-8").splitlines()[0].replace('"', "") == (
        "t,thigh_right_ax,thigh_right_ay,thigh_right_az,thigh_right_gx,thigh_right_gy,thigh_right_gz"
    )
    again = read_trace(path)
    assert np.array_equal(again.sensors[Placement.THIGH_RIGHT].acc_m_s2, acc)
    assert np.isnan(again.sensors[Placement.THIGH_RIGHT].gyr_rad_s[5, 1])
    assert again.mount(Placement.THIGH_RIGHT) is Mount.UNKNOWN


def test_a_csv_with_integers_empty_fields_and_nan_is_read(tmp_path: Path) -> None:
    rows = ["t,pelvis_ax,pelvis_ay,pelvis_az"] + [f"{k / 50:.2f},0,9.81,0" for k in range(500)]
    rows[7] = "0.12,,9.81,0"
    rows[8] = "0.14,NaN,9.81,0"
    path = tmp_path / "trace.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    trace = read_trace(path)
    assert trace.sensors[Placement.PELVIS].has_sample.sum() == 498
    assert "pelvis has accelerations only" in trace.warnings[0]


# --- refusals: one line that says how to mend it


def test_missing_empty_and_foreign_files(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.parquet") == "there is no such file"
    assert refusal(tmp_path) == "is a folder: name the recording in it"
    empty = tmp_path / "empty.parquet"
    empty.write_bytes(b"")
    assert refusal(empty) == "is empty: there is nothing to analyse"
    foreign = tmp_path / "foreign.parquet"
    foreign.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    assert refusal(foreign).startswith("is not a Parquet file")
    torn = save(tmp_path / "torn.parquet", nodding())
    torn.write_bytes(torn.read_bytes()[:-200])
    assert refusal(torn).startswith("is a damaged Parquet file: ")
    binary = tmp_path / "trace.csv"
    binary.write_bytes(bytes(range(256)) * 40)
    assert refusal(binary)
    binary.write_text("\n\n", encoding="utf-8")
    assert refusal(binary).startswith("is neither Parquet nor readable CSV: ")
    header = tmp_path / "header.csv"
    header.write_text("t,pelvis_ax,pelvis_ay,pelvis_az\n", encoding="utf-8")
    assert refusal(header) == "has 0 rows of data: there is nothing to analyse"


def test_a_column_that_comes_twice_is_named(tmp_path: Path) -> None:
    table = tmp_path / "twice.csv"
    table.write_text("t,t,pelvis_ax,pelvis_ay,pelvis_az\n0,0,0,9.8,0\n", encoding="utf-8")
    assert refusal(table) == "column t comes twice: remove one of each"


def test_wrong_columns_are_named(path: Path) -> None:
    columns = nodding()
    assert refusal(save(path, {"time": columns["t"], "ax": columns["t"]})) == (
        "column t (seconds) is missing; found time, ax"
    )
    assert refusal(save(path, {"t": columns["t"], "torso_ax": columns["t"]})).endswith("found t, torso_ax")
    del columns["pelvis_gy"], columns["pelvis_az"]
    assert refusal(save(path, columns)) == (
        "column pelvis_az, pelvis_gy is missing beside pelvis_ax, pelvis_ay, pelvis_gx, pelvis_gz"
    )
    many = {"t": nodding()["t"]} | {f"emg_{k}": nodding()["t"] for k in range(30)}
    assert refusal(save(path, many)).endswith("emg_10 and 19 more")


def test_text_in_a_column_is_named(path: Path) -> None:
    columns: dict[str, Any] = nodding()
    columns["pelvis_ay"] = ["up"] * len(columns["t"])
    assert refusal(save(path, columns)) == "column pelvis_ay holds string, not numbers"


def test_time_must_run_forwards(path: Path) -> None:
    columns = nodding()
    columns["t"][500] = 4.5
    assert refusal(save(path, columns)) == (
        "time runs backwards in row 501 (4.990 s → 4.500 s): sort the rows by t, or split the recording there"
    )
    columns["t"][500] = np.nan
    assert refusal(save(path, columns)).startswith("t is not a number in row 501")
    columns["t"][:] = 7.0
    assert refusal(save(path, columns)).startswith("t stands still at 7 s")


def test_two_recordings_in_one_file_are_to_be_split(path: Path) -> None:
    columns = nodding()
    columns["t"][500:] += 3000.0
    assert read_trace(save(path, columns)).duration_s == pytest.approx(3011.99)
    columns["t"][500:] += 3000.0
    assert refusal(save(path, columns)) == (
        "t jumps by 6000.01 s in row 501: these are two recordings, split them there"
    )


def test_time_in_another_unit_is_named(path: Path) -> None:
    columns = nodding()
    for factor, unit in ((1e3, "ms"), (1e6, "µs"), (1e9, "ns")):
        scaled = columns | {"t": columns["t"] * factor}
        assert refusal(save(path, scaled)) == (
            f"t steps by {factor / 100:g}: that looks like {unit}; divide t by {factor:.0f}"
        )


def test_repeated_times_are_left_out_with_a_warning(path: Path) -> None:
    columns = nodding()
    columns["t"][[200, 300]] = columns["t"][[199, 299]]
    trace = read_trace(save(path, columns))
    assert trace.warnings == ("2 rows repeat the time of the row before and were left out",)
    assert sum(map(len, TraceStream(trace).blocks())) == 1198


def test_all_nan_is_refused_one_empty_sensor_is_left_out(path: Path) -> None:
    columns = nodding()
    empty = {name: np.full_like(values, np.nan) for name, values in nodding("thigh_left").items()}
    del empty["t"]
    trace = read_trace(save(path, columns | empty))
    assert list(trace.sensors) == [Placement.PELVIS]
    assert "thigh_left holds no sample at all and was left out" in trace.warnings
    assert refusal(save(path, empty | {"t": columns["t"]})) == (
        "every sensor column is empty (NaN): there is nothing to analyse"
    )
    nulls = pa.table({"t": columns["t"]} | {f"pelvis_a{axis}": pa.nulls(len(columns["t"])) for axis in "xyz"})
    pq.write_table(nulls, path)
    assert refusal(path).startswith("every sensor column is empty")


@pytest.mark.parametrize(
    ("factor", "start"),
    [
        (1 / 9.80665, "norm of 1 at rest instead of 9.81 m/s²: that looks like g; multiply them by 9.80665"),
        (1000 / 9.80665, "norm of 1e+03 at rest instead of 9.81 m/s²: that looks like mg"),
        (0.01, "norm of 0.0981 at rest instead of 9.81 m/s²: gravity seems to have been removed"),
        (3.28, "norm of 32.2 at rest instead of 9.81 m/s²: the unit is unknown; convert them to m/s²"),
    ],
)
def test_accelerations_in_another_unit_are_refused(path: Path, factor: float, start: str) -> None:
    columns = nodding()
    for axis in "xyz":
        columns[f"pelvis_a{axis}"] = columns[f"pelvis_a{axis}"] * factor
    assert refusal(save(path, columns)).startswith(f"pelvis_ax pelvis_ay pelvis_az have a {start}")


def test_units_may_be_declared(path: Path) -> None:
    columns = nodding()
    for axis in "xyz":
        columns[f"pelvis_a{axis}"] = columns[f"pelvis_a{axis}"] / 9.80665
        columns[f"pelvis_g{axis}"] = columns[f"pelvis_g{axis}"] * 180 / np.pi
    trace = read_trace(save(path, columns), acc_unit="g", gyr_unit="deg/s")
    plain = nodding()
    assert trace.sensors[Placement.PELVIS].acc_m_s2[:, 2] == pytest.approx(plain["pelvis_az"])
    assert trace.sensors[Placement.PELVIS].gyr_rad_s[:, 0] == pytest.approx(plain["pelvis_gx"])
    assert trace.warnings == ()


def test_degrees_a_second_are_refused_where_gravity_proves_them(path: Path) -> None:
    columns = nodding()
    columns["pelvis_gx"] = columns["pelvis_gx"] * 180 / np.pi
    assert refusal(save(path, columns)) == (
        "pelvis_gx pelvis_gy pelvis_gz are 57 times as fast as gravity turns: that looks like °/s; "
        "multiply them by π/180 or say --gyr-unit deg/s"
    )


def test_very_fast_rates_are_only_doubted(path: Path) -> None:
    columns = nodding()
    columns["pelvis_gy"] = columns["pelvis_gy"] + 14.0  # turning about the vertical: gravity says nothing
    columns["pelvis_ay"] = np.full_like(columns["t"], 9.81)
    columns["pelvis_az"] = np.zeros_like(columns["t"])
    (warning,) = read_trace(save(path, columns)).warnings
    assert warning.startswith("pelvis_gx pelvis_gy pelvis_gz reach 14 rad/s (80")


def test_slow_recordings_are_analysed_with_a_warning_very_slow_ones_refused(path: Path) -> None:
    (warning,) = read_trace(save(path, nodding(rate_hz=10.0))).warnings
    assert warning == "10 Hz is slow: phase boundaries are no finer than 100 ms"
    assert refusal(save(path, nodding(rate_hz=7.0))) == (
        "7 Hz is too slow for repetitions: record at 8 Hz or more"
    )


def test_too_short_and_endless(path: Path) -> None:
    assert refusal(save(path, nodding(duration_s=1.5))) == (
        "lasts 1.49 s, too short: movement needs 2 s of standing first"
    )
    columns = nodding()
    columns["t"] = columns["t"] + 2e10
    assert refusal(save(path, columns)).endswith("it counts seconds from the start")


def test_metadata_are_checked(path: Path) -> None:
    columns = nodding()
    assert refusal(save(path, columns, {"format": "trace/2"})) == (
        "its metadata say format 'trace/2': this version reads 'trace/1'"
    )
    assert refusal(save(path, columns, [1])).startswith("its metadata say format [1]")
    assert refusal(save(path, columns, "{")).startswith("its metadata 'trace' are not JSON: ")
    trace = read_trace(
        save(
            path,
            columns,
            {
                "format": "trace/1",
                "rate_hz": 50,
                "placement": {"pelvis": "sakrum", "wrist": "left"},
                "athlete": 7,
                "prescription": None,
            },
        )
    )
    assert trace.mount(Placement.PELVIS) is Mount.UNKNOWN
    assert trace.athlete is None
    assert trace.warnings == (
        "the metadata's athlete is 7, which it cannot be: left out",
        "the metadata say 50 Hz, but t says 100 Hz: t was believed",
        (
            "the metadata say pelvis is worn at 'sakrum'; known are sacrum, hip_left, hip_right, belly, "
            "thigh_lateral, thigh_anterior, unknown: taken as unknown"
        ),
    )


def test_placements_of_trace_1_that_are_not_analysed_are_said(path: Path) -> None:
    columns = nodding() | nodding("thorax") | nodding("shank_left")
    trace = read_trace(save(path, columns))
    assert list(trace.sensors) == [Placement.PELVIS]
    assert trace.warnings == ("thorax, shank_left: not analysed yet, left out",)


def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path, path: Path) -> None:
    trace = read_trace(save(path, nodding()))
    nowhere = tmp_path / "nowhere" / "trace.parquet"
    with pytest.raises(RecordingError, match="cannot be written"):
        write_trace(nowhere, trace)
    assert list(tmp_path.iterdir()) == [path]


# --- TraceStream


def trace_of(columns: Columns, *placements: Placement) -> Trace:
    sensors = {
        placement: SensorTrace(
            np.column_stack([columns[f"{placement}_a{axis}"] for axis in "xyz"]),
            np.column_stack([columns[f"{placement}_g{axis}"] for axis in "xyz"]),
        )
        for placement in placements or (Placement.PELVIS,)
    }
    return Trace(columns["t"], sensors)


def test_samples_pass_unchanged_on_the_traces_own_time() -> None:
    columns = nodding()
    columns["t"] = columns["t"] + 3.21
    trace = trace_of(columns)
    stream = TraceStream(trace)
    blocks = list(stream.blocks())
    assert stream.sampling_rate_hz == 100.0
    assert blocks[0].start_time_ns == 3_210_000_000
    acc = np.vstack([block.acc_m_s2 for block in blocks])
    assert acc.tobytes() == trace.sensors[Placement.PELVIS].acc_m_s2.tobytes()
    assert stream.quality().gaps == 0


def test_the_grid_reaches_back_to_the_first_row() -> None:
    columns = nodding()
    for name in columns:
        if name != "t":
            columns[name][:150] = np.nan
    columns["t"] = columns["t"] + 3.0
    stream = TraceStream(trace_of(columns))
    assert next(stream.blocks()).start_time_ns == 4_500_000_000
    assert (stream.start_ns, stream.end_ns) == (3_000_000_000, 14_990_000_000)


def test_sensors_advance_side_by_side_on_one_grid() -> None:
    columns = nodding() | nodding("thigh_left")
    for name in columns:
        if name.startswith("thigh"):
            columns[name][1::2] = np.nan  # every other sample: 50 Hz
    blocks = list(TraceStream(trace_of(columns, Placement.PELVIS, Placement.THIGH_LEFT)).blocks())
    ends = {Placement.PELVIS: 0, Placement.THIGH_LEFT: 0}
    for block in blocks:
        ends[block.placement] = block.time_ns(len(block))
        assert abs(ends[Placement.PELVIS] - ends[Placement.THIGH_LEFT]) < 1_000_000_000
    assert {block.sampling_rate_hz for block in blocks} == {100.0}
    assert sum(len(b) for b in blocks if b.placement is Placement.THIGH_LEFT) == 1199
    assert not any(block.gap_before_s for block in blocks)


def test_holes_and_clipping_are_counted() -> None:
    columns = nodding()
    for name in columns:
        if name != "t":
            columns[name][300:330] = np.nan
    columns["pelvis_az"] = columns["pelvis_az"] * 3
    columns["pelvis_az"][columns["pelvis_az"] < -19.6133] = -19.6133  # a ±2 g sensor
    stream = TraceStream(trace_of(columns))
    blocks = list(stream.blocks())
    quality = stream.quality()
    assert (quality.gaps, quality.lost_s) == (1, pytest.approx(0.3))
    assert quality.clipped_samples == np.count_nonzero(columns["pelvis_az"] == -19.6133)
    assert quality.clipped_samples > 100
    assert [round(b.gap_before_s, 6) for b in blocks if b.gap_before_s] == [0.3]


def test_a_rate_near_a_nominal_one_gets_its_grid_another_keeps_its_own() -> None:
    near = nodding()
    near["t"] = near["t"] * 100 / 97.3
    assert TraceStream(trace_of(near)).sampling_rate_hz == 100.0
    odd = nodding(rate_hz=30.0)
    assert TraceStream(trace_of(odd)).sampling_rate_hz == pytest.approx(30.0)


def test_accelerations_alone_are_marked() -> None:
    trace = trace_of(nodding())
    sensor = replace(trace.sensors[Placement.PELVIS], gyr_rad_s=None)
    blocks = list(TraceStream(replace(trace, sensors={Placement.PELVIS: sensor})).blocks())
    assert not any(block.has_gyroscope for block in blocks)
    assert not any(block.gyr_rad_s.any() for block in blocks)
