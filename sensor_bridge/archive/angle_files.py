"""The angles of a session on disk: ``sessions/<session>/angles/<athlete>/``, a Parquet file a part."""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sensor_bridge.archive.angles import AnglePart
from sensor_bridge.errors import BridgeError, RecordingError
from sensor_bridge.recording.analysis import ANGLE_COLUMNS

if TYPE_CHECKING:
    from pathlib import Path

FOLDER_NAME = "angles"
_METADATA_KEY = b"angles"


def angles_folder(session_folder: Path, athlete: str) -> Path:
    """Tell where the angles of an athlete in a session lie."""
    return session_folder / FOLDER_NAME / athlete


def write_part(folder: Path, part: AnglePart, *, replaces_all: bool = False) -> None:
    """Write a part in the place of an earlier one of its number; a reader never sees half of it.

    Parameters
    ----------
    folder
        Of the athlete's angles; made when absent.
    part
        What to write.
    replaces_all
        It stands for all parts written before.

    Raises
    ------
    BridgeError
        The disk refuses.
    """
    path = folder / f"{part.number:05d}.parquet"
    fresh = folder / f"{part.number:05d}.part"
    metadata = {"format": "angles/1", "rate_hz": part.rate_hz}
    table = pa.table({"t": part.t_s, "time_ms": part.time_ms, **part.angles})
    table = table.replace_schema_metadata({_METADATA_KEY: json.dumps(metadata).encode()})
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            pq.write_table(
                table,
                file,
                compression="zstd",
                use_dictionary=False,
                use_byte_stream_split=[*table.column_names],
            )
        if replaces_all:
            for other in folder.glob("*.parquet"):
                other.unlink()
        fresh.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise BridgeError(f"{path}: the angles cannot be written: {error.strerror or error}") from error


def read_angles(session_folder: Path, athlete: str) -> AnglePart | None:
    """Read all angles of an athlete in a session as one part; None where there are none.

    Raises
    ------
    RecordingError
        A file is not one of these.
    """
    paths = sorted(angles_folder(session_folder, athlete).glob("*.parquet"))
    tables = []
    rate_hz = 0.0
    for path in paths:
        try:
            table = pq.ParquetFile(path).read()
            rate_hz = float(json.loads((table.schema.metadata or {})[_METADATA_KEY])["rate_hz"])
            tables.append(table.select(["t", "time_ms", *ANGLE_COLUMNS]).replace_schema_metadata(None))
        except (OSError, pa.ArrowException, KeyError, ValueError, TypeError) as error:
            raise RecordingError(f"{path}: holds no angles: {error}") from error
    if not tables:
        return None
    whole = pa.concat_tables(tables)
    return AnglePart(
        number=1,
        rate_hz=rate_hz,
        t_s=np.asarray(whole["t"], dtype=np.float64),
        time_ms=np.asarray(whole["time_ms"], dtype=np.float64),
        angles={name: np.asarray(whole[name], dtype=np.float32) for name in ANGLE_COLUMNS},
    )
