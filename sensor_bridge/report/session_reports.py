"""Takes sessions from the archive and makes reports and pictures of them. Blocking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensor_bridge.archive.angle_files import read_angles
from sensor_bridge.recording.session import session_folder
from sensor_bridge.report.page import report_page
from sensor_bridge.report.plots import AngleStretch
from sensor_bridge.report.set_pictures import SetPicture, set_pictures

if TYPE_CHECKING:
    from pathlib import Path

    from sensor_bridge.archive.reading import ArchiveReader


class SessionReports:
    """Makes what is read after training.

    Parameters
    ----------
    reader
        Of the archive.
    data_folder
        Where the archive and the sessions' angles lie.

    Raises
    ------
    BridgeError
        From each method: the archive or the angles cannot be read.
    """

    def __init__(self, reader: ArchiveReader, data_folder: Path) -> None:
        self._reader = reader
        self._data_folder = data_folder

    def page(self, session: str, athlete: str, *, now_ms: float) -> str | None:
        """Write the report of one athlete's part of a session; None where there is no such part.

        Parameters
        ----------
        session, athlete
            Ids.
        now_ms
            When it is made, UTC, ms since 1970.
        """
        detail = self._reader.session(session, athlete)
        return None if detail is None else report_page(detail, self._angles(session, athlete), now_ms=now_ms)

    def pictures(self, session: str, athlete: str) -> list[SetPicture] | None:
        """Draw the sets of one athlete's part of a session; None where there is no such part."""
        detail = self._reader.session(session, athlete)
        return None if detail is None else set_pictures(detail, self._angles(session, athlete))

    def _angles(self, session: str, athlete: str) -> AngleStretch | None:
        part = read_angles(session_folder(self._data_folder, session), athlete)
        return None if part is None else AngleStretch(part.time_ms, part.angles)
