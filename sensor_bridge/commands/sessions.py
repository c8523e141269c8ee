"""``hipline sessions``: the sessions that lie on this disk, and one athlete's part of one as a recording."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TimeRemainingColumn
from rich.table import Table

from analytics.imu import Mount, Placement
from sensor_bridge.archive.catching_up import archive_again, missing_sessions
from sensor_bridge.archive.reading import ArchiveReader
from sensor_bridge.commands.output_files import check_outputs
from sensor_bridge.config_file import load_config
from sensor_bridge.errors import BridgeError, RecordingError
from sensor_bridge.recording.export import export_trace
from sensor_bridge.recording.sensor_calibrations import from_metadata
from sensor_bridge.recording.session import list_sessions
from sensor_bridge.recording.trace import write_trace
from sensor_bridge.report.wording import counted

if TYPE_CHECKING:
    from pathlib import Path

    from sensor_bridge.recording.session import Session

_BYTES_PER_MB = 1e6


def show(config_path: Path | None) -> None:
    """Print a line a session, the newest first.

    Raises
    ------
    RecordingError
        Nothing was recorded yet.
    """
    reader = ArchiveReader(load_config(config_path).data_folder)
    repetitions = Counter[str]()
    for entry in reader.sessions():
        repetitions[entry.session] += entry.repetitions
    table = Table("session", "started, UTC", "athletes", "repetitions", "MB", "state")
    for session in _sessions(config_path):
        athletes = ", ".join(str(athlete.get("id", "?")) for athlete in _athletes(session))
        size = session.frame_log_path.stat().st_size / _BYTES_PER_MB
        started = session.started_at[:19].replace("T", " ")
        table.add_row(
            session.session_id,
            started,
            athletes,
            str(repetitions[session.session_id]) if session.session_id in repetitions else "",
            f"{size:.1f}",
            "ended" if session.is_closed else "open",
        )
    Console(highlight=False).print(table)


def export(name: str, *, out: Path, athlete_id: str | None, config_path: Path | None) -> None:
    """Write what one athlete's sensors sent as a recording (trace/1).

    Parameters
    ----------
    name
        The session's id, the beginning of one, or ``last``.
    out
        Where the recording goes.
    athlete_id
        Whose; None where only one took part.
    config_path
        The bridge's configuration, which names the data folder; None: the user's own.

    Raises
    ------
    RecordingError
        No such session or athlete, nothing recorded, or ``out`` cannot be written.
    """
    session = _named(name, _sessions(config_path))
    check_outputs([out], source=session.frame_log_path)
    athlete = _chosen(session, athlete_id)
    worn = athlete.get("sensors", [])
    placements = {str(sensor["id"]): Placement(sensor["placement"]) for sensor in worn}
    mounts = {Placement(sensor["placement"]): Mount(sensor["mount"]) for sensor in worn}
    trace = export_trace(
        session.frame_log_path,
        placements,
        mounts=mounts,
        athlete=str(athlete["id"]),
        calibrations=from_metadata(session.metadata.get("calibrations")),
    )
    write_trace(out, trace)
    Console(highlight=False, soft_wrap=True).print(
        f"{out}: {trace.t_s[-1]:.0f} s of {athlete['id']}, {', '.join(sorted(trace.sensors))}"
    )


def archive(config_path: Path | None) -> None:
    """Archive the sessions that are missing in the archive, and say how many there were.

    Raises
    ------
    BridgeError
        The archive cannot be used, or a session could not be archived: the others are.
    """
    data_folder = load_config(config_path).data_folder
    failed: list[str] = []
    sessions = missing_sessions(data_folder) if data_folder.exists() else []
    columns = ("{task.description}", BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        for number, session in enumerate(sessions, start=1):
            task = progress.add_task(
                f"session {number} of {len(sessions)}", total=session.frame_log_path.stat().st_size
            )
            try:
                asyncio.run(archive_again(data_folder, session, on_bytes=partial(progress.advance, task)))
            except RecordingError as error:
                failed.append(str(error))
            progress.remove_task(task)
    Console(highlight=False, soft_wrap=True, markup=False).print(
        f"{counted(len(sessions) - len(failed), 'session')} archived"
        if sessions
        else "nothing is missing in the archive"
    )
    if failed:
        raise BridgeError("; ".join(failed))


def _sessions(config_path: Path | None) -> list[Session]:
    config = load_config(config_path)
    sessions = list_sessions(config.data_folder)
    if not sessions:
        raise RecordingError(f"{config.data_folder}: no session lies here yet: hipline run records them")
    return sessions


def _named(name: str, sessions: list[Session]) -> Session:
    if name == "last":
        return sessions[0]
    found = [session for session in sessions if session.session_id.startswith(name)]
    if len(found) != 1:
        how = "no session begins" if not found else f"{len(found)} sessions begin"
        raise RecordingError(f"{how} with {name}: hipline sessions list shows them all")
    return found[0]


def _athletes(session: Session) -> list[dict[str, Any]]:
    athletes = session.metadata.get("athletes", [])
    return [athlete for athlete in athletes if isinstance(athlete, dict)]


def _chosen(session: Session, athlete_id: str | None) -> dict[str, Any]:
    athletes = {str(athlete.get("id")): athlete for athlete in _athletes(session)}
    names = ", ".join(athletes) or "nobody"
    if athlete_id is None:
        if len(athletes) != 1:
            raise RecordingError(f"in this session took part: {names}: choose one with --athlete")
        return next(iter(athletes.values()))
    if athlete_id not in athletes:
        raise RecordingError(f"{athlete_id} took no part in this session: {names} did")
    return athletes[athlete_id]
