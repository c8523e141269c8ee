"""Brings into the archive what is missing there: sessions are measured again from their logs."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final

from sensor_bridge.archive.session_archive import SessionArchive
from sensor_bridge.archive.store import FILE_NAME, ArchiveStore
from sensor_bridge.errors import BridgeError
from sensor_bridge.mqtt.topics import DELIVERY, Channel
from sensor_bridge.recording.frame_log import held, is_in_use
from sensor_bridge.recording.session import find_unfinished_session, list_sessions, open_session
from sensor_bridge.session_replay import SessionReplay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from sensor_bridge.outgoing import Outgoing
    from sensor_bridge.recording.session import Session

log = logging.getLogger(__name__)

_SLICE_S: Final = 0.005
_PAUSE_S: Final = 0.02  # beside a running session: a fifth of the processor


def missing_sessions(data_folder: Path) -> list[Session]:
    """List the sessions that are over and of which something may be missing in the archive, oldest first.

    Raises
    ------
    BridgeError
        The archive cannot be used.
    """
    going_on = find_unfinished_session(data_folder)
    sessions = {
        session.session_id: session
        for session in reversed(list_sessions(data_folder))
        if not is_in_use(session.frame_log_path)
        and (going_on is None or session.session_id != going_on.session_id)
    }
    with ArchiveStore(data_folder / FILE_NAME) as store:
        return [sessions[name] for name in store.unfinished(list(sessions))]


async def archive_again(
    data_folder: Path,
    session: Session,
    *,
    pause_s: float = 0.0,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> None:
    """Measure a session again from its log, and archive what it says.

    Parameters
    ----------
    data_folder
        Where the archive lies.
    session
        The session; nobody writes to it any more.
    pause_s
        Rest between slices of work of 5 ms, s.
    on_bytes
        Told how many bytes of the log have been read since the last time.

    Raises
    ------
    RecordingError
        The log cannot be read.
    FrameLogInUse
        Somebody writes to it after all.
    """

    def note_alarm(code: str, text: str | None) -> None:
        if text is not None:
            log.warning("session %s, %s: %s", session.session_id, code, text)

    with held(session.frame_log_path):  # nobody who takes part is forgotten meanwhile
        session = open_session(session.folder)  # or has been since it was listed
        archive = SessionArchive(data_folder, session, note_alarm)
        replay = SessionReplay(session, archive.take_angles, archive.take_again)
        for athlete, measured in replay.athletes.items():
            archive.follow(athlete, measured.to_utc_ns)
        async with archive:
            archive.begin(replay.names)
            until_s = time.perf_counter() + _SLICE_S
            async for frame, messages in replay.messages():
                _keep(archive, session.session_id, messages)
                if time.perf_counter() >= until_s:
                    await asyncio.sleep(pause_s)
                    until_s = time.perf_counter() + _SLICE_S
                if frame is not None:
                    on_bytes(len(frame.payload))
            await archive.end(session.ended_ms)


def _keep(archive: SessionArchive, session_id: str, messages: Iterable[Outgoing]) -> None:
    for message in messages:
        if DELIVERY[message.channel].is_event:
            archive.take(session_id, message)
        elif message.channel is Channel.PRESCRIPTION:
            archive.take_prescription(session_id, message)


async def catch_up(data_folder: Path) -> None:
    """Archive all that is missing, slowly, beside a running session; what fails is said and left."""
    try:
        sessions = await asyncio.to_thread(missing_sessions, data_folder)
    except BridgeError as error:
        log.warning("nothing can be made up for in the archive: %s", error)
        return
    for session in sessions:
        try:
            await archive_again(data_folder, session, pause_s=_PAUSE_S)
        except FileNotFoundError:
            log.info("session %s was deleted before it was archived", session.session_id)
        except BridgeError as error:
            log.warning("session %s is not archived: %s", session.session_id, error)
        except Exception:  # an old session must not end the running one
            log.exception("session %s is not archived", session.session_id)
        else:
            log.info("session %s is archived now", session.session_id)
