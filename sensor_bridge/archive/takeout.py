"""Everything that is kept of an athlete in one zip file, in open formats."""

from __future__ import annotations

import contextlib
import csv
import json
import tempfile
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from analytics.imu import Mount, Placement
from sensor_bridge.archive.angle_files import read_angles
from sensor_bridge.archive.exports import ExportFormat, export_session
from sensor_bridge.archive.reading import ArchiveReader
from sensor_bridge.archive.repetition_table import csv_table, parquet_table
from sensor_bridge.errors import RecordingError
from sensor_bridge.recording.export import export_trace
from sensor_bridge.recording.frame_log import read_frame_log
from sensor_bridge.recording.sensor_calibrations import from_metadata
from sensor_bridge.recording.session import list_sessions
from sensor_bridge.recording.trace import write_table, write_trace
from sensor_bridge.report.session_reports import session_page

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sensor_bridge.archive.answers import SessionDetail
    from sensor_bridge.recording.session import Session

README: Final = """All that Hipline keeps of {name} (id {athlete}), written {written_at}.

repetitions.csv, repetitions.parquet
    One row a repetition of every session. The unit is in the name: _s seconds, _deg degrees, _deg_s degrees
    a second, _ms moments in UTC (milliseconds since 1970). sd_of_x is the one-sigma uncertainty of x. What
    could not be measured is empty.
progress.json
    The course of each quantity over the sessions, by exercise.
sessions/<start, UTC>_<session>/
    report.html    the session as one page to read
    session.json   sets, repetitions with the reasons of what is missing, faults, notes, what was asked
    angles.parquet angles in degrees: t in seconds, time_ms in UTC
    sensors.parquet what the sensors measured: _ax.. m/s², _gx.. rad/s; metadata in the key "trace"
    frames.csv     every message of the sensors as it came: UTC ns, sensor, kind, bytes in hexadecimal
    recorded.json  who wore what, and what was asked at the start
    session.fit    the sets, for Garmin and others
    motion.mot     the angles, for OpenSim
configuration.json
    What the bridge's configuration says now.

A file is missing where there is nothing to put into it{missing}
"""


@dataclass(slots=True)
class TakenOut:
    """What went into the file."""

    sessions: int = 0
    repetitions: int = 0
    frames: int = 0
    missing: list[str] = field(default_factory=list)


def take_out(
    data_folder: Path,
    athlete: str,
    out: Path,
    *,
    configuration: dict[str, Any] | None,
    now_ms: float,
    on_step: Callable[[str], None] = lambda _: None,
) -> TakenOut:
    """Write everything of an athlete into a zip file; a reader never sees half of it.

    Parameters
    ----------
    data_folder
        Where all is kept.
    athlete
        Whose.
    out
        The zip file.
    configuration
        What the configuration says of the athlete.
    now_ms
        When it is written, UTC, ms since 1970.
    on_step
        Told what is being done.

    Raises
    ------
    RecordingError
        Nothing is kept of the athlete, or `out` cannot be written.
    BridgeError
        The archive cannot be read.
    """
    reader = ArchiveReader(data_folder)
    details = [
        detail
        for entry in reversed(reader.sessions(athlete))
        if (detail := reader.session(entry.session, athlete)) is not None
    ]
    recorded = [
        (session, worn)
        for session in list_sessions(data_folder)
        if (worn := _worn(session, athlete)) is not None
    ]
    if not details and not recorded:
        raise RecordingError(f"nothing of {athlete} is kept in {data_folder}")
    taken = TakenOut(sessions=len({each.session for each in details} | {s.session_id for s, _ in recorded}))
    part = out.with_name(out.name + ".part")
    try:
        with tempfile.TemporaryDirectory(prefix="hipline-takeout-") as name:
            folder = Path(name)
            on_step("tables")
            _write_tables(folder, reader, athlete, details)
            for number, detail in enumerate(details, start=1):
                on_step(f"session {number} of {len(details)}")
                own = _session_folder(folder, detail.session, detail.started_ms)
                _write_archived(own, detail, reader.folder_of(detail.session), taken, now_ms)
            for number, (session, worn) in enumerate(recorded, start=1):
                on_step(f"recording {number} of {len(recorded)}")
                _write_recorded(
                    _session_folder(folder, session.session_id, session.started_ms), session, worn, taken
                )
            if configuration is not None:
                _write_json(folder / "configuration.json", configuration)
            _write_readme(folder / "README.txt", athlete, details, taken, now_ms)
            on_step("packing")
            _pack(folder, part)
        part.replace(out)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise RecordingError(f"{out}: cannot be written: {error.strerror or error}") from error
    return taken


def _write_tables(
    folder: Path, reader: ArchiveReader, athlete: str, details: Sequence[SessionDetail]
) -> None:
    (folder / "repetitions.csv").write_bytes(csv_table(details))
    (folder / "repetitions.parquet").write_bytes(parquet_table(details))
    exercises = reader.progress(athlete).exercises
    progress = {exercise: reader.progress(athlete, exercise) for exercise in exercises}
    (folder / "progress.json").write_bytes(msgspec.json.format(msgspec.json.encode(progress), indent=1))


def _write_archived(own: Path, detail: SessionDetail, kept_in: Path, taken: TakenOut, now_ms: float) -> None:
    taken.repetitions += len(detail.repetitions)
    (own / "session.json").write_bytes(export_session(ExportFormat.JSON, detail, kept_in))
    (own / "session.fit").write_bytes(export_session(ExportFormat.FIT, detail, kept_in))
    try:
        (own / "report.html").write_text(session_page(detail, kept_in, now_ms=now_ms), encoding="utf-8")
        angles = read_angles(kept_in, detail.athlete)
    except RecordingError as error:
        taken.missing.append(f"session {detail.session}, report.html, angles.parquet and motion.mot: {error}")
        return
    if angles is not None:
        columns = {name: values.astype(np.float64) for name, values in angles.angles.items()}
        times = {"t": angles.t_s, "time_ms": angles.time_ms}
        write_table(own / "angles.parquet", times | columns, {})
        with contextlib.suppress(RecordingError):  # without the pelvis there is no motion
            (own / "motion.mot").write_bytes(export_session(ExportFormat.MOT, detail, kept_in))


def _write_recorded(own: Path, session: Session, worn: dict[str, Any], taken: TakenOut) -> None:
    sensors = [sensor for sensor in worn.get("sensors", []) if isinstance(sensor, dict)]
    placements = {str(sensor["id"]): Placement(sensor["placement"]) for sensor in sensors}
    recorded: dict[str, Any] = {
        "session": session.session_id,
        "started_at": session.started_at,
        "athlete": worn,
    }
    prescribed = session.metadata.get("prescribed")
    if isinstance(prescribed, dict):
        recorded["prescribed"] = prescribed.get(worn["id"])
    _write_json(own / "recorded.json", recorded)
    with (own / "frames.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["arrival_utc_ns", "sensor", "kind", "payload_hex"])
        for frame in read_frame_log(session.frame_log_path):
            if frame.sensor_id in placements:
                rows.writerow(
                    [frame.arrival_ns, frame.sensor_id, frame.kind.name, bytes(frame.payload).hex()]
                )
                taken.frames += 1
    try:
        trace = export_trace(
            session.frame_log_path,
            placements,
            mounts={Placement(sensor["placement"]): Mount(sensor["mount"]) for sensor in sensors},
            athlete=str(worn["id"]),
            calibrations=from_metadata(session.metadata.get("calibrations")),
        )
    except RecordingError as error:
        taken.missing.append(f"session {session.session_id}, sensors.parquet: {error}")
    else:
        write_trace(own / "sensors.parquet", trace)


def _write_readme(
    path: Path, athlete: str, details: Sequence[SessionDetail], taken: TakenOut, now_ms: float
) -> None:
    names = [each.name for each in details if each.name] or [athlete]
    missing = "".join(f"\n- {each}" for each in taken.missing)
    text = README.format(
        name=names[-1],
        athlete=athlete,
        written_at=f"{datetime.fromtimestamp(now_ms / 1000.0, tz=UTC):%Y-%m-%d %H:%M} UTC",
        missing=f". Missing although recorded:{missing}" if missing else ".",
    )
    path.write_text(text, encoding="utf-8")


def _session_folder(folder: Path, session: str, started_ms: float) -> Path:
    started = datetime.fromtimestamp(started_ms / 1000.0, tz=UTC)
    own = folder / "sessions" / f"{started:%Y-%m-%d_%H-%M-%S}_{session}"
    own.mkdir(parents=True, exist_ok=True)
    return own


def _worn(session: Session, athlete: str) -> dict[str, Any] | None:
    """Find who wore what in a session's header; None where the athlete took no part."""
    athletes = session.metadata.get("athletes", [])
    return next((each for each in athletes if isinstance(each, dict) and each.get("id") == athlete), None)


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _pack(folder: Path, out: Path) -> None:
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                packed.write(path, path.relative_to(folder))
