"""Makes reports and pictures of sessions that the archive holds. Blocking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensor_bridge.archive.angle_files import read_angles
from sensor_bridge.report.page import report_page
from sensor_bridge.report.plots import AngleStretch
from sensor_bridge.report.set_pictures import SetPicture, set_pictures

if TYPE_CHECKING:
    from pathlib import Path

    from sensor_bridge.archive.answers import SessionDetail


def session_page(detail: SessionDetail, session_folder: Path, *, now_ms: float) -> str:
    """Write the report of one athlete's part of a session.

    Parameters
    ----------
    detail
        What the archive holds of it.
    session_folder
        Where the angles of the session lie.
    now_ms
        When it is made, UTC, ms since 1970.

    Raises
    ------
    RecordingError
        The angles are damaged.
    """
    return report_page(detail, _angles(detail, session_folder), now_ms=now_ms)


def session_pictures(detail: SessionDetail, session_folder: Path) -> list[SetPicture]:
    """Draw the sets of one athlete's part of a session; parameters and errors as of `session_page`."""
    return set_pictures(detail, _angles(detail, session_folder))


def _angles(detail: SessionDetail, session_folder: Path) -> AngleStretch | None:
    part = read_angles(session_folder, detail.athlete)
    return None if part is None else AngleStretch(part.time_ms, part.angles)
