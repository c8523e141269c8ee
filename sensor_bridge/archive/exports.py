"""One athlete's part of a session in the formats of other tools."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from sensor_bridge.archive.angle_files import read_angles
from sensor_bridge.archive.fit_activity import fit_activity
from sensor_bridge.archive.mot_file import mot_file
from sensor_bridge.archive.performed_sets import performed_sets
from sensor_bridge.archive.repetition_table import csv_table, parquet_table
from sensor_bridge.errors import RecordingError

if TYPE_CHECKING:
    from pathlib import Path

    from sensor_bridge.archive.answers import SessionDetail

JSON_FORMAT: Final = "hipline-session/1"


class ExportFormat(StrEnum):
    """What a session can be written as."""

    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"
    FIT = "fit"
    MOT = "mot"


CONTENT_TYPES: Final = {
    ExportFormat.CSV: "text/csv",
    ExportFormat.PARQUET: "application/vnd.apache.parquet",
    ExportFormat.JSON: "application/json",
    ExportFormat.FIT: "application/vnd.ant.fit",
    ExportFormat.MOT: "text/plain",
}


def export_session(wanted: ExportFormat, detail: SessionDetail, session_folder: Path) -> bytes:
    """Write one athlete's part of a session.

    Parameters
    ----------
    wanted
        The format.
    detail
        What the archive holds of it.
    session_folder
        Where the angles of the session lie.

    Raises
    ------
    RecordingError
        There are no angles to write a motion from, or their file is damaged.
    """
    match wanted:
        case ExportFormat.CSV:
            return csv_table([detail])
        case ExportFormat.PARQUET:
            return parquet_table([detail])
        case ExportFormat.JSON:
            whole = {"format": JSON_FORMAT, **msgspec.to_builtins(detail)}
            return msgspec.json.format(msgspec.json.encode(whole), indent=1) + b"\n"
        case ExportFormat.FIT:
            sets = performed_sets(detail)
            last_ms = max([detail.started_ms, *(each.end_ms for each in sets)])
            return fit_activity(detail.session, sets, detail.started_ms, detail.ended_ms or last_ms)
        case ExportFormat.MOT:
            angles = read_angles(session_folder, detail.athlete)
            if angles is None or not np.isfinite(angles.angles["pelvic_tilt_deg"]).any():
                raise RecordingError(
                    f"session {detail.session}: no angles of {detail.athlete}'s pelvis are kept: "
                    "a motion cannot be written"
                )
            return mot_file(f"hipline_{detail.session}", angles.t_s, angles.angles)


def file_name(wanted: ExportFormat, detail: SessionDetail) -> str:
    """Name the file of an export: athlete and session."""
    return f"{detail.athlete}-{detail.session}.{wanted}"
