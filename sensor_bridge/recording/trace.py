"""trace/1 (FORMATS): one recording as a table, read with every check and written, Parquet or CSV."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from analytics.imu import STANDARD_GRAVITY_M_S2, FloatArray, Mount, Placement
from sensor_bridge.errors import RecordingError
from sensor_bridge.recording import trace_checks as checks
from sensor_bridge.recording.trace_origins import origins_from_metadata, origins_to_metadata

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from sensor_bridge.recording.trace_origins import SensorOrigin

FORMAT = "trace/1"
ACC_UNITS = {"m/s2": 1.0, "g": STANDARD_GRAVITY_M_S2, "mg": STANDARD_GRAVITY_M_S2 / 1000}
GYR_UNITS = {"rad/s": 1.0, "deg/s": np.pi / 180}

METADATA_KEY = b"trace"
_MOST_WARNINGS, _LONGEST_WARNING = 20, 200
_OTHER_PLACEMENTS = ("thorax", "shank_left", "shank_right")  # of trace/1, not analysed yet
_ACC, _GYR = ("ax", "ay", "az"), ("gx", "gy", "gz")
_PARQUET_MAGIC = b"PAR1"

JsonObject: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class SensorTrace:
    """One sensor's part of a trace, NaN where it has no sample.

    Parameters
    ----------
    acc_m_s2
        Specific force, shape (n, 3), m/s², sensor_frame.
    gyr_rad_s
        Angular rate, shape (n, 3), rad/s, sensor_frame; ``None`` where only accelerations were recorded.
    """

    acc_m_s2: FloatArray
    gyr_rad_s: FloatArray | None

    @property
    def has_sample(self) -> NDArray[np.bool_]:
        """Rows that hold a whole sample of this sensor, shape (n,)."""
        whole = self.acc_m_s2 if self.gyr_rad_s is None else np.hstack([self.acc_m_s2, self.gyr_rad_s])
        present: NDArray[np.bool_] = np.all(np.isfinite(whole), axis=1)
        return present


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """A recording.

    Parameters
    ----------
    t_s
        Time, seconds, shape (n,), not decreasing.
    sensors
        What each placement measured.
    mounts
        Where on its segment each sensor sat, as far as known.
    rate_hz
        Rate as the metadata state it, or ``None``.
    started_at
        RFC 3339 time of ``t`` = 0, or ``None``.
    athlete
        Name or id, or ``None``.
    prescription
        What was asked, as in the metadata, or ``None``.
    warnings
        What the reader has to know about the recording, one line each.
    origins
        Which sensor each placement had, as far as known, and whether its calibration has been applied.
    """

    t_s: FloatArray
    sensors: Mapping[Placement, SensorTrace]
    mounts: Mapping[Placement, Mount] = field(default_factory=dict)
    rate_hz: float | None = None
    started_at: str | None = None
    athlete: str | None = None
    prescription: JsonObject | None = None
    warnings: tuple[str, ...] = ()
    origins: Mapping[Placement, SensorOrigin] = field(default_factory=dict)

    @property
    def duration_s(self) -> float:
        """From the first to the last row, s."""
        return float(self.t_s[-1] - self.t_s[0])

    def mount(self, placement: Placement) -> Mount:
        """Where the sensor of a placement sat."""
        return self.mounts.get(placement, Mount.UNKNOWN)


def read_trace(path: Path, *, acc_unit: str = "m/s2", gyr_unit: str = "rad/s") -> Trace:
    """Read and check a recording.

    Parameters
    ----------
    path
        Parquet or CSV, told apart by content.
    acc_unit, gyr_unit
        Units of the file where they are not those of trace/1: keys of ``ACC_UNITS``, ``GYR_UNITS``.

    Raises
    ------
    RecordingError
        The file cannot be read, or its content contradicts trace/1.
    """
    where = str(path)
    table = _load(path)
    metadata, warnings = _metadata(where, table)
    try:
        names = table.column_names
    except UnicodeDecodeError:
        raise RecordingError(
            f"{where}: the name of a column is not UTF-8: name columns as trace/1 does"
        ) from None
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise RecordingError(f"{where}: column {checks.listed(twice)} comes twice: remove one of each")
    if "t" not in names:
        raise RecordingError(f"{where}: column t (seconds) is missing; found {checks.listed(names)}")
    _check_columns(where, names)
    t_s = _column(where, table, "t")
    warnings += _placements_unused(names)
    warnings += checks.check_time(where, t_s)
    sensors: dict[Placement, SensorTrace] = {}
    for placement in (p for p in Placement if f"{p}_ax" in names):
        sensor = _sensor(where, table, placement, ACC_UNITS[acc_unit], GYR_UNITS[gyr_unit])
        if sensor.has_sample.any():
            sensors[placement] = sensor
        else:
            warnings.append(f"{placement} holds no sample at all and was left out")
    if not sensors:
        raise RecordingError(f"{where}: every sensor column is empty (NaN): there is nothing to analyse")
    stated_hz = metadata.get("rate_hz")
    for sensor in sensors.values():  # first, since a wrong unit of time looks like much else
        warnings += checks.check_rate(where, checks.measured_rate_hz(t_s[sensor.has_sample]), stated_hz)
    checks.check_duration(where, t_s)
    for placement, sensor in sensors.items():
        warnings += _check_values(where, placement, t_s, sensor)
    return Trace(
        t_s=t_s,
        sensors=sensors,
        mounts=_mounts(metadata, warnings),
        rate_hz=stated_hz,
        started_at=metadata.get("started_at"),
        athlete=metadata.get("athlete"),
        prescription=metadata.get("prescription"),
        origins=origins_from_metadata(metadata, warnings),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def write_trace(path: Path, trace: Trace) -> None:
    """Write a recording: CSV where the name ends in ``.csv``, else Parquet with its metadata.

    Raises
    ------
    RecordingError
        The place cannot be written to.
    """
    columns: dict[str, FloatArray] = {"t": trace.t_s}
    for placement, sensor in trace.sensors.items():
        for axis, name in enumerate(_ACC):
            columns[f"{placement}_{name}"] = sensor.acc_m_s2[:, axis]
        if sensor.gyr_rad_s is not None:
            for axis, name in enumerate(_GYR):
                columns[f"{placement}_{name}"] = sensor.gyr_rad_s[:, axis]
    metadata: JsonObject = {
        "format": FORMAT,
        "rate_hz": trace.rate_hz,
        "placement": {str(placement): str(mount) for placement, mount in trace.mounts.items()},
        "started_at": trace.started_at,
        "athlete": trace.athlete,
        "prescription": trace.prescription,
        "sensors": origins_to_metadata(trace.origins),
        "warnings": list(trace.warnings),
    }
    metadata = {key: value for key, value in metadata.items() if value not in (None, {}, [])}
    write_table(path, columns, {METADATA_KEY: json.dumps(metadata).encode()})


def write_table(path: Path, columns: Mapping[str, FloatArray], metadata: Mapping[bytes, bytes]) -> None:
    """Write columns of numbers; a reader never sees half a file.

    Raises
    ------
    RecordingError
        The place cannot be written to.
    """
    table = pa.table({name: np.ascontiguousarray(values) for name, values in columns.items()})
    part = path.with_name(path.name + ".part")
    try:
        if path.suffix.lower() == ".csv":
            nan_as_empty = {name: pa.array(values, mask=np.isnan(values)) for name, values in columns.items()}
            pyarrow.csv.write_csv(pa.table(nan_as_empty), part)
        else:
            pyarrow.parquet.write_table(table.replace_schema_metadata(dict(metadata)), part)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise RecordingError(f"{path}: cannot be written: {error.strerror or error}") from error


def _placements_unused(names: list[str]) -> list[str]:
    """Say which placements of trace/1 are in the file and not looked at."""
    unused = [other for other in _OTHER_PLACEMENTS if any(name.startswith(f"{other}_") for name in names)]
    return [f"{checks.listed(unused)}: not analysed yet, left out"] if unused else []


def _load(path: Path) -> Any:
    where = str(path)
    if path.is_dir():
        raise RecordingError(f"{where}: is a folder: name the recording in it")
    try:
        with path.open("rb") as file:
            head = file.read(4)
            size = file.seek(0, os.SEEK_END)
    except FileNotFoundError:
        raise RecordingError(f"{where}: there is no such file") from None
    except OSError as error:
        raise RecordingError(f"{where}: cannot be read: {error.strerror or error}") from error
    if not size:
        raise RecordingError(f"{where}: is empty: there is nothing to analyse")
    if head == _PARQUET_MAGIC:
        try:
            return pyarrow.parquet.read_table(path, memory_map=False)
        except (pa.ArrowException, OSError) as error:
            raise RecordingError(f"{where}: is a damaged Parquet file: {_first_line(error)}") from error
    if path.suffix.lower() in {".parquet", ".pq"}:
        raise RecordingError(f"{where}: is not a Parquet file, whatever its name: trace/1 is Parquet or CSV")
    try:
        convert = pyarrow.csv.ConvertOptions(null_values=["", "NaN", "nan", "NA", "null"])
        return pyarrow.csv.read_csv(path, convert_options=convert)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise RecordingError(f"{where}: is neither Parquet nor readable CSV: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _metadata(where: str, table: Any) -> tuple[JsonObject, list[str]]:
    text = (table.schema.metadata or {}).get(METADATA_KEY)
    if text is None:
        return {}, []
    try:
        metadata = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecordingError(f"{where}: its metadata 'trace' are not JSON: {error}") from error
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        found = metadata.get("format") if isinstance(metadata, dict) else metadata
        raise RecordingError(f"{where}: its metadata say format {found!r}: this version reads {FORMAT!r}")
    warnings = []
    kinds: dict[str, tuple[type, ...]] = {
        "rate_hz": (int, float),
        "placement": (dict,),
        "started_at": (str,),
        "athlete": (str,),
        "prescription": (dict,),
        "sensors": (dict,),
        "warnings": (list,),
    }
    for key, kind in kinds.items():
        value = metadata.get(key)
        if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
            warnings.append(f"the metadata's {key} is {value!r}, which it cannot be: left out")
            del metadata[key]
    warnings += [_first_words(told) for told in metadata.get("warnings", ())[:_MOST_WARNINGS]]
    return metadata, warnings


def _first_words(told: object) -> str:
    """One line of what a file warns of; the file may be anybody's."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in str(told)).split())[
        :_LONGEST_WARNING
    ]


def _mounts(metadata: JsonObject, warnings: list[str]) -> dict[Placement, Mount]:
    mounts = {}
    for name, value in (metadata.get("placement") or {}).items():
        if name not in list(Placement):
            continue
        if value not in list(Mount):
            warnings.append(
                f"the metadata say {name} is worn at {value!r}; known are {checks.listed(list(Mount))}: "
                "taken as unknown"
            )
            value = Mount.UNKNOWN  # noqa: PLW2901
        mounts[Placement(name)] = Mount(value)
    return mounts


def _check_columns(where: str, names: list[str]) -> None:
    found_any = False
    for placement in Placement:
        acc = [f"{placement}_{axis}" for axis in _ACC]
        gyr = [f"{placement}_{axis}" for axis in _GYR]
        present = [name for name in (*acc, *gyr) if name in names]
        if not present:
            continue
        found_any = True
        missing = [name for name in acc if name not in names]
        if any(name in names for name in gyr):
            missing += [name for name in gyr if name not in names]
        if missing:
            raise RecordingError(
                f"{where}: column {checks.listed(missing)} is missing beside {checks.listed(present)}"
            )
    if not found_any:
        raise RecordingError(
            f"{where}: no sensor columns: expected pelvis_ax … pelvis_az and pelvis_gx … pelvis_gz, "
            f"or the same of thigh_left or thigh_right; found {checks.listed(names)}"
        )


def _sensor(where: str, table: Any, placement: Placement, acc_scale: float, gyr_scale: float) -> SensorTrace:
    acc = np.column_stack([_column(where, table, f"{placement}_{axis}") for axis in _ACC])
    gyr = None
    if f"{placement}_gx" in table.column_names:
        gyr = np.column_stack([_column(where, table, f"{placement}_{axis}") for axis in _GYR])
        if np.isnan(gyr).all():
            gyr = None
    return SensorTrace(
        acc_m_s2=acc * acc_scale,
        gyr_rad_s=None if gyr is None else gyr * gyr_scale,
    )


def _column(where: str, table: Any, name: str) -> FloatArray:
    column = table[name]
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
        raise RecordingError(f"{where}: column {name} holds {column.type}, not numbers")
    # Unsafe: an integer beyond 2^53 is rounded, not refused.
    values: FloatArray = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return values


def _check_values(where: str, placement: Placement, t_s: FloatArray, sensor: SensorTrace) -> list[str]:
    present = sensor.has_sample
    t_s, acc = t_s[present], sensor.acc_m_s2[present]
    checks.check_acceleration(where, placement, acc)
    if sensor.gyr_rad_s is None:
        return [f"{placement} has accelerations only: its angles are coarse while it moves fast"]
    return checks.check_rotation(where, placement, t_s, acc, sensor.gyr_rad_s[present])
