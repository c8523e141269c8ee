"""A session on disk: a folder named by its UUIDv7, the frame log in it, and a mark when it has ended.

A session without the mark was cut off (a crash, a power cut): the bridge finds it at its next start, reads
its log and goes on in it, under the same session id.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from uuid_utils import uuid7

from sensor_bridge.errors import BridgeError, RecordingError
from sensor_bridge.recording.frame_log import (
    FrameLogWriter,
    is_in_use,
    read_session_metadata,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_log = logging.getLogger(__name__)

FRAME_LOG_NAME = "frames.log"
_CLOSED_NAME = "closed"
_SESSIONS_NAME = "sessions"
_LONGEST_BREAK_S = 2 * 3600.0


@dataclass(frozen=True, slots=True)
class Session:
    """A session's folder.

    Parameters
    ----------
    session_id
        UUIDv7, also the folder's name: folders sort by their start.
    started_at
        RFC 3339 UTC with ms.
    folder
        Where it lies.
    metadata
        The header of its frame log.
    """

    session_id: str
    started_at: str
    folder: Path
    metadata: Mapping[str, Any]

    @property
    def frame_log_path(self) -> Path:
        """The log of every byte received."""
        return self.folder / FRAME_LOG_NAME

    @property
    def started_ms(self) -> float:
        """When it began, UTC, ms since 1970: as its header says, else as its UUIDv7 does."""
        try:
            return datetime.fromisoformat(self.started_at).timestamp() * 1e3
        except ValueError:
            return float(UUID(self.session_id).int >> 80)

    @property
    def is_closed(self) -> bool:
        """Whether the session ended in order."""
        return (self.folder / _CLOSED_NAME).exists()

    @property
    def ended_ms(self) -> float | None:
        """When it ended in order, UTC, ms since 1970; None where it did not, or nobody knows."""
        try:
            mark = (self.folder / _CLOSED_NAME).read_text(encoding="utf-8")
            return datetime.fromisoformat(mark.strip()).timestamp() * 1e3
        except (OSError, ValueError):
            return None

    def open_log(self) -> FrameLogWriter:
        """Open the frame log for writing, behind what it holds."""
        return FrameLogWriter(self.frame_log_path, self.metadata)

    def close(self, ended_at: datetime) -> None:
        """Mark the session as ended.

        Raises
        ------
        BridgeError
            The disk refuses: the session stays open, and the next start goes on in it.
        """
        mark = self.folder / _CLOSED_NAME
        try:
            mark.write_text(_rfc3339(ended_at) + "\n", encoding="utf-8")
        except OSError as error:
            raise BridgeError(
                f"{mark}: the end of the session cannot be written: {error.strerror}: free some space"
            ) from error


def create_session(
    data_folder: Path, metadata: Mapping[str, Any] | None = None, *, now: datetime | None = None
) -> Session:
    """Begin a session: folder and frame log with its header.

    Parameters
    ----------
    data_folder
        Sessions lie in its folder ``sessions``.
    metadata
        What belongs to the session (gym, athletes, placement of each sensor): the header of the log.
    now
        Start of the session; default: the system's time.

    Raises
    ------
    BridgeError
        The folder cannot be made.
    """
    session_id = str(uuid7())
    started_at = _rfc3339(now or datetime.now(UTC))
    header = {**(metadata or {}), "session": session_id, "started_at": started_at}
    folder = session_folder(data_folder, session_id)
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise BridgeError(f"{folder}: the session's folder cannot be made: {error.strerror}") from error
    session = Session(session_id, started_at, folder, header)
    session.open_log().close()
    return session


def find_unfinished_session(
    data_folder: Path, *, longest_break_s: float = _LONGEST_BREAK_S, now: datetime | None = None
) -> Session | None:
    """Find the newest session that was cut off and may go on; None where there is none.

    Parameters
    ----------
    data_folder
        As in :func:`create_session`.
    longest_break_s
        A session whose log was last written longer ago than this is over, s.
    now
        Default: the system's time.
    """
    at = (now or datetime.now(UTC)).timestamp()
    for folder in session_folders(data_folder):
        log = folder / FRAME_LOG_NAME
        try:
            if not log.is_file() or at - log.stat().st_mtime > longest_break_s or is_in_use(log):
                continue
            session = open_session(folder)
        except RecordingError:  # died before the header was whole: nothing was recorded
            continue
        except OSError as error:  # written by somebody else, under sudo perhaps
            _log.warning("%s: left alone: %s", log, error.strerror)
            continue
        return None if session.is_closed else session  # what lies behind a later session is over
    return None


def session_to_go_on_with(data_folder: Path, metadata: Mapping[str, Any]) -> Session | None:
    """Find the session that was cut off; one in which somebody wore or was asked something else is over."""
    unfinished = find_unfinished_session(data_folder)
    if unfinished is None:
        return None
    is_same = all(unfinished.metadata.get(key) == value for key, value in metadata.items())
    return unfinished if is_same else None


def session_folders(data_folder: Path) -> list[Path]:
    """List the folders that sessions lie in, the newest first, whether they can be read or not."""
    return sorted((data_folder / _SESSIONS_NAME).glob("*"), reverse=True)


def list_sessions(data_folder: Path) -> list[Session]:
    """Find all sessions on disk, the newest first; folders that hold none are passed over with a warning."""
    sessions = []
    for folder in session_folders(data_folder):
        try:
            sessions.append(open_session(folder))
        except (RecordingError, OSError) as error:
            _log.warning("%s: passed over: %s", folder, error)
    return sessions


def session_folder(data_folder: Path, session_id: str) -> Path:
    """Tell where a session lies, or would."""
    return data_folder / _SESSIONS_NAME / session_id


def open_session(folder: Path) -> Session:
    """Read what a session's folder holds.

    Raises
    ------
    RecordingError
        It is no session's folder.
    """
    metadata = read_session_metadata(folder / FRAME_LOG_NAME)
    try:
        session_id = str(UUID(metadata["session"]))
        started_at = str(metadata["started_at"])
    except (KeyError, ValueError, TypeError, AttributeError):
        raise RecordingError(f"{folder}: its frame log does not name a session") from None
    return Session(session_id, started_at, folder, metadata)


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
