"""``hipline report``: one athlete's part of a session as a page to read and print."""

from __future__ import annotations

import time
from pathlib import Path

from rich.console import Console

from sensor_bridge.archive.reading import ArchiveReader
from sensor_bridge.commands.export import archived_session
from sensor_bridge.commands.output_files import check_outputs, write_output
from sensor_bridge.config_file import load_config
from sensor_bridge.report.session_reports import session_page
from sensor_bridge.report.wording import counted


def run(session: str, *, athlete: str | None, out: Path | None, config_path: Path | None) -> None:
    """Write the report of a session from the archive.

    Parameters
    ----------
    session
        Its id, the beginning of one, or ``last``.
    athlete
        Whose part; None where only one took part.
    out
        Where it goes; None: into this folder, named by athlete and session.
    config_path
        The bridge's configuration, which names the data folder; None: the user's own.

    Raises
    ------
    RecordingError
        No such session or athlete, its angles are damaged, or `out` cannot be written.
    """
    reader = ArchiveReader(load_config(config_path).data_folder)
    with Console(stderr=True).status("Writing the report"):
        detail = archived_session(reader, session, athlete)
        path = out if out is not None else Path(f"{detail.athlete}-{detail.session}.html")
        folder = reader.folder_of(detail.session)
        check_outputs([path], source=folder)
        page = session_page(detail, folder, now_ms=time.time() * 1000.0).encode()
        write_output(path, page)
    sets = sum(not each.withdrawn for each in detail.sets)
    size = f"{len(page) / 1e3:.0f} kB"
    Console(highlight=False, soft_wrap=True).print(
        f"{path}: {counted(sets, 'set')} of {detail.athlete}, {size}; open it in any browser"
    )
