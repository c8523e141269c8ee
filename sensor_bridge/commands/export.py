"""``hipline export``: one athlete's part of a session in the format of another tool."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from sensor_bridge.archive.exports import ExportFormat, export_session, file_name
from sensor_bridge.archive.reading import ArchiveReader
from sensor_bridge.commands.output_files import check_outputs, write_output
from sensor_bridge.config_file import load_config
from sensor_bridge.errors import RecordingError

if TYPE_CHECKING:
    from sensor_bridge.archive.answers import SessionDetail


def run(
    session: str, *, athlete: str | None, wanted: ExportFormat, out: Path | None, config_path: Path | None
) -> None:
    """Write a session from the archive.

    Parameters
    ----------
    session
        Its id, the beginning of one, or ``last``.
    athlete
        Whose part; None where only one took part.
    wanted
        The format.
    out
        Where it goes; None: into this folder, named by athlete and session.
    config_path
        The bridge's configuration, which names the data folder; None: the user's own.

    Raises
    ------
    RecordingError
        No such session or athlete, nothing that could be written, or `out` cannot be.
    """
    reader = ArchiveReader(load_config(config_path).data_folder)
    with Console(stderr=True).status("Writing the session"):
        detail = archived_session(reader, session, athlete)
        path = out if out is not None else Path(file_name(wanted, detail))
        check_outputs([path], source=reader.folder_of(detail.session))
        content = export_session(wanted, detail, reader.folder_of(detail.session))
        write_output(path, content)
    n = sum(each.status != "withdrawn" for each in detail.repetitions)
    Console(highlight=False, soft_wrap=True).print(
        f"{path}: {n} repetitions of {detail.athlete}, {len(content) / 1e3:.1f} kB"
    )


def archived_session(reader: ArchiveReader, name: str, athlete: str | None) -> SessionDetail:
    """Find one athlete's part of a session in the archive.

    Parameters
    ----------
    reader
        Of the archive.
    name
        The session's id, the beginning of one, or ``last``.
    athlete
        Whose part; None where only one took part.

    Raises
    ------
    RecordingError
        There is none, or more than one.
    """
    known = reader.sessions()
    if not known:
        raise RecordingError("the archive is empty: hipline run fills it")
    found = [each for each in known if name == "last" or each.session.startswith(name)]
    if athlete is not None:
        found = [each for each in found if each.athlete == athlete]
    sessions = list(dict.fromkeys(each.session for each in found))
    if name == "last":
        sessions = sessions[:1]
    if len(sessions) != 1:
        of = f" of {athlete}" if athlete else ""
        how = f"{len(sessions)} sessions{of} begin" if sessions else f"no session{of} begins"
        raise RecordingError(f"in the archive {how} with {name}: hipline sessions list shows them")
    athletes = [each.athlete for each in found if each.session == sessions[0]]
    if len(athletes) != 1:
        raise RecordingError(f"in this session took part: {', '.join(athletes)}: choose one with --athlete")
    detail = reader.session(sessions[0], athletes[0])
    if detail is None:
        raise RecordingError(f"session {sessions[0]} has just been deleted")
    return detail
