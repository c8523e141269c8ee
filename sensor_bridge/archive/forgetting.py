"""Deletes all that is kept of an athlete in a data folder.

Order matters: who stops half way finds by the same command what is left, because the logs name their
athletes until they are rewritten, and the archive does until the end.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sensor_bridge.access.tokens import read_tokens, remove_token
from sensor_bridge.archive.angle_files import angles_folder
from sensor_bridge.archive.reading import ArchiveReader
from sensor_bridge.archive.store import FILE_NAME as ARCHIVE_NAME
from sensor_bridge.archive.store import ArchiveStore
from sensor_bridge.errors import BridgeError, UserInputError
from sensor_bridge.home_assistant.announcement import forget_announcements
from sensor_bridge.home_assistant.gym import MEMORY_NAME
from sensor_bridge.mqtt.outbox_forgetting import forget_in_outbox
from sensor_bridge.mqtt.users import athlete_user
from sensor_bridge.prescribed import forget_prescription
from sensor_bridge.recording.frame_log import is_in_use
from sensor_bridge.recording.frame_log_rewriting import rewrite_without
from sensor_bridge.recording.session import list_sessions, session_folders

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from sensor_bridge.recording.session import Session

OUTBOX_NAME = "outbox.sqlite"


class SessionRuns(UserInputError):  # noqa: N818 - named for what was met, like the rest of the error tree
    """The athlete takes part in the session that runs."""


@dataclass(slots=True)
class Kept:
    """What is kept of an athlete.

    Parameters
    ----------
    names
        That the athlete went by.
    sensors
        Ids of the sensors worn.
    alone, shared
        Sessions of the athlete alone, and with others.
    archived
        Sessions in the archive.
    has_token
        Whether there is a token of the athlete's own.
    unreadable
        Folders of sessions that cannot be read, so that nobody can tell whose they are.
    """

    names: tuple[str, ...]
    sensors: set[str] = field(default_factory=set)
    alone: list[Session] = field(default_factory=list)
    shared: list[Session] = field(default_factory=list)
    archived: int = 0
    has_token: bool = False
    unreadable: list[Path] = field(default_factory=list)

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing at all."""
        return not (self.alone or self.shared or self.archived or self.has_token)


@dataclass(slots=True)
class Forgotten:
    """What was deleted: sessions as a whole, sessions rewritten, frames left out of them, archive rows."""

    sessions_deleted: int = 0
    sessions_rewritten: int = 0
    frames_left_out: int = 0
    archive_rows: int = 0
    outbox_rows: int = 0
    token: bool = False
    prescription: bool = False


def kept_of(data_folder: Path, athlete: str) -> Kept:
    """Look what is kept of an athlete.

    Raises
    ------
    SessionRuns
        The athlete takes part in the session that runs.
    BridgeError
        The archive or the tokens cannot be read.
    """
    reader = ArchiveReader(data_folder)
    archived = reader.sessions(athlete)
    kept = Kept(tuple(dict.fromkeys(each.name for each in archived)), archived=len(archived))
    sessions = list_sessions(data_folder)
    readable = {session.folder for session in sessions}
    kept.unreadable = [each for each in session_folders(data_folder) if each not in readable]
    for session in sessions:
        athletes = _athletes(session)
        mine = [each for each in athletes if each.get("id") == athlete]
        if not mine:
            continue
        if is_in_use(session.frame_log_path):
            raise SessionRuns(f"{athlete} takes part in the session that runs: stop hipline run first")
        kept.sensors |= _sensors(mine)
        kept.names += tuple(str(each["name"]) for each in mine if each.get("name"))
        (kept.shared if len(athletes) > len(mine) else kept.alone).append(session)
    kept.names = tuple(dict.fromkeys(name for name in kept.names if name))
    kept.has_token = athlete_user(athlete) in read_tokens(data_folder)
    return kept


def forget(
    data_folder: Path, athlete: str, kept: Kept, on_step: Callable[[str], None] = lambda _: None
) -> Forgotten:
    """Delete it; `on_step` is told what is being done.

    Raises
    ------
    BridgeError
        The disk refuses, or somebody else uses a file: run the command again.
    """
    done = Forgotten()
    for number, session in enumerate([*kept.alone, *kept.shared], start=1):
        on_step(f"session {number} of {len(kept.alone) + len(kept.shared)}")
        if session in kept.alone:
            _delete_folder(session.folder)
            done.sessions_deleted += 1
        else:
            done.frames_left_out += _forget_in(session, athlete)
            done.sessions_rewritten += 1
    on_step("what waits for the broker")
    done.outbox_rows = forget_in_outbox(data_folder / OUTBOX_NAME, athlete)
    done.prescription = forget_prescription(data_folder, athlete)
    devices = {f"athlete-{athlete}", *(f"sensor-{sensor}" for sensor in kept.sensors)}
    forget_announcements(data_folder / MEMORY_NAME, devices)
    if kept.has_token:
        remove_token(data_folder, athlete_user(athlete))
        done.token = True
    on_step("the archive")
    if (data_folder / ARCHIVE_NAME).exists():
        with ArchiveStore(data_folder / ARCHIVE_NAME) as store:
            done.archive_rows = sum(store.delete_athlete(athlete).values())
    return done


def _forget_in(session: Session, athlete: str) -> int:
    """Leave an athlete out of a session of several; return the frames left out."""
    mine = [each for each in _athletes(session) if each.get("id") == athlete]
    folder = angles_folder(session.folder, athlete)
    if folder.exists():
        _delete_folder(folder)
    return rewrite_without(session.frame_log_path, _sensors(mine), _without(session.metadata, athlete))


def _without(metadata: Mapping[str, Any], athlete: str) -> dict[str, Any]:
    """Take an athlete out of the header of a log: out of its lists, and out of what is told by athlete."""
    left: dict[str, Any] = {}
    for key, value in metadata.items():
        if key == "athletes":
            left[key] = [each for each in value if not isinstance(each, dict) or each.get("id") != athlete]
        elif isinstance(value, dict):
            left[key] = {name: each for name, each in value.items() if name != athlete}
        else:
            left[key] = value
    return left


def _sensors(athletes: list[dict[str, Any]]) -> set[str]:
    worn = [sensor for each in athletes for sensor in each.get("sensors", []) if isinstance(sensor, dict)]
    return {str(sensor.get("id")) for sensor in worn}


def _athletes(session: Session) -> list[dict[str, Any]]:
    return [each for each in session.metadata.get("athletes", []) if isinstance(each, dict)]


def _delete_folder(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise BridgeError(f"{folder}: cannot be deleted: {error.strerror}: run the command again") from error
