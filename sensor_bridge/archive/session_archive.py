"""Everything a running session leaves behind besides its log: events in the archive, angles in Parquet."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Self

from sensor_bridge.archive.angle_writer import AngleWriter
from sensor_bridge.archive.store import FILE_NAME
from sensor_bridge.archive.writer import ArchiveWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from analytics.pipeline_output import PipelineOutput
    from sensor_bridge.outgoing import Outgoing
    from sensor_bridge.recording.session import Session
    from sensor_bridge.remeasuring import Remeasured


class SessionArchive:
    """Keeps what one session says; nothing here waits for the disk but `end` and leaving ``async with``.

    Parameters
    ----------
    data_folder
        Where the archive lies.
    session
        The session.
    on_alarm
        Called in the event loop with a code and a sentence, or with the code and None when it is over.
    """

    def __init__(
        self,
        data_folder: Path,
        session: Session,
        on_alarm: Callable[[str, str | None], None],
    ) -> None:
        self._session = session
        self._events = ArchiveWriter(data_folder / FILE_NAME, on_alarm)
        self._angles = AngleWriter(
            session.folder, on_alarm, on_lost=lambda: self._events.lost(session.session_id)
        )
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._events)
        await self._stack.enter_async_context(self._angles)
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        await self._stack.aclose()

    def begin(self, names: Mapping[str, str]) -> None:
        """Note the session and who takes part: names by athlete id."""
        self._events.begin(self._session.session_id, self._session.started_ms, dict(names))

    def follow(self, athlete: str, to_utc_ns: Callable[[int], int]) -> None:
        """Expect angles of an athlete; `to_utc_ns` maps the pipeline's timeline to UTC, both integer ns."""
        self._angles.follow(athlete, to_utc_ns)

    def take(self, session: str, message: Outgoing) -> None:
        """Note an event that was told."""
        self._events.take(session, message)

    def take_prescription(self, session: str, message: Outgoing) -> None:
        """Note what an athlete is asked from now on."""
        self._events.take_prescription(session, message)

    def take_angles(self, athlete: str, output: PipelineOutput) -> None:
        """Take what an athlete's pipeline said."""
        self._angles.take(athlete, output)

    def take_again(self, athlete: str, remeasured: Remeasured) -> None:
        """Take an athlete's session as it was measured again."""
        self._angles.take_again(athlete, remeasured)

    async def end(self, ended_ms: float | None) -> None:
        """Write what is left, and that this is all; `ended_ms` is UTC."""
        self._angles.finish()
        await self._angles.written()
        self._events.end(self._session.session_id, ended_ms)
