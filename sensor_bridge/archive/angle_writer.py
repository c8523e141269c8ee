"""Keeps the angles of a running session on disk: gathered at once, written in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

from sensor_bridge.archive.angle_files import angles_folder, write_part
from sensor_bridge.archive.angles import AngleGathering
from sensor_bridge.errors import BridgeError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from analytics.pipeline_output import PipelineOutput
    from sensor_bridge.archive.angles import AnglePart
    from sensor_bridge.remeasuring import Remeasured

log = logging.getLogger(__name__)

ANGLES_ALARM = "archive_angles"


class AngleWriter:
    """Writes the angles of a session's athletes; use in ``async with``.

    Parameters
    ----------
    session_folder
        Where the session lies.
    on_alarm
        Called in the event loop with a code and a sentence, or with the code and None when it is over.
    on_lost
        Called in the event loop when a part could not be written.
    """

    def __init__(
        self,
        session_folder: Path,
        on_alarm: Callable[[str, str | None], None],
        on_lost: Callable[[], None],
    ) -> None:
        self._folder = session_folder
        self._gatherings: dict[str, AngleGathering] = {}
        self._on_alarm = on_alarm
        self._on_lost = on_lost
        self._is_alarmed = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="angles")
        self._writing: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        await self.written()
        self._thread.shutdown()

    def follow(self, athlete: str, to_utc_ns: Callable[[int], int]) -> None:
        """Expect an athlete; `to_utc_ns` maps the pipeline's timeline to UTC, both integer ns."""
        self._gatherings[athlete] = AngleGathering(to_utc_ns)

    def take(self, athlete: str, output: PipelineOutput) -> None:
        """Take what an athlete's pipeline said."""
        part = self._gatherings[athlete].take(output)
        if part is not None:
            self._write(athlete, part)

    def take_again(self, athlete: str, remeasured: Remeasured) -> None:
        """Take an athlete's session as it was measured again, the whole of it or as far as it goes yet."""
        analysis = remeasured.analysis
        finished = [event.angles for _, event in sorted(analysis.repetitions.items())]
        part = self._gatherings[athlete].measured_again(
            analysis.live_angles, finished, remeasured.to_utc_ns, is_whole=remeasured.is_whole
        )
        if part is not None:
            self._write(athlete, part, replaces_all=True)

    def finish(self) -> None:
        """Nothing more comes: write what is left."""
        for athlete, gathering in self._gatherings.items():
            part = gathering.finish()
            if part is not None:
                self._write(athlete, part)

    async def written(self) -> None:
        """Wait until everything taken so far is written, or given up."""
        while self._writing:
            await asyncio.wait(self._writing)

    def _write(self, athlete: str, part: AnglePart, *, replaces_all: bool = False) -> None:
        task = asyncio.create_task(
            self._write_in_thread(athlete, part, replaces_all=replaces_all), name="angles"
        )
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _write_in_thread(self, athlete: str, part: AnglePart, *, replaces_all: bool) -> None:
        def write() -> None:
            write_part(angles_folder(self._folder, athlete), part, replaces_all=replaces_all)

        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, write)
        except BridgeError as error:
            log.warning("%s", error)
            self._is_alarmed = True
            self._on_lost()
            self._on_alarm(ANGLES_ALARM, f"{error}; they are made again from the log at a later start")
        else:
            if self._is_alarmed:
                self._is_alarmed = False
                self._on_alarm(ANGLES_ALARM, None)
