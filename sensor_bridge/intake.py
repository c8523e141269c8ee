"""The way of a frame into the bridge: onto the disk, then into the queue of what is to be measured."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Final

from sensor_bridge.errors import BridgeError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sensor_bridge.ble.link import ReceivedFrame
    from sensor_bridge.recording.frame_log import FrameLogWriter

log = logging.getLogger(__name__)

_QUEUE_FRAMES: Final = 20_000  # more than five minutes of ten sensors: then the machine is too slow
_UNLOGGED_FRAMES: Final = 200_000  # some 70 MB: almost two hours of one athlete


class Intake:
    """Frames between the radio's callbacks and the measuring task: logged at once, then queued.

    Parameters
    ----------
    frame_log
        Where they are written first.

    Attributes
    ----------
    dropped
        Frames that were logged but not queued: this machine is too slow.
    never_logged
        Frames that the disk refused and for which there was no room in memory either; they were measured.
    """

    def __init__(self, frame_log: FrameLogWriter) -> None:
        self.dropped = 0
        self.never_logged = 0
        self._log = frame_log
        self._unlogged: deque[ReceivedFrame] = deque(maxlen=_UNLOGGED_FRAMES)
        self._queue: deque[ReceivedFrame] = deque()
        self._work = asyncio.Event()

    @property
    def unlogged(self) -> int:
        """Frames that the disk refuses: they are measured all the same, and wait in memory to be logged."""
        return len(self._unlogged)

    @property
    def is_log_whole(self) -> bool:
        """Whether every frame taken is in the log."""
        return not self._unlogged and not self.never_logged

    def log_unlogged(self) -> None:
        """Write what waits, in its order, as far as the disk takes it now."""
        was_waiting = len(self._unlogged) > 1
        while self._unlogged:
            try:
                self._log.append(self._unlogged[0])
            except BridgeError as error:  # a full disk is no reason to leave the athletes alone
                if not was_waiting:
                    log.error("%s", error)  # noqa: TRY400 - the error says it all
                return
            self._unlogged.popleft()

    def take(self, frame: ReceivedFrame) -> None:
        """Take a frame from a link: on the disk first."""
        if len(self._unlogged) == _UNLOGGED_FRAMES:
            self.never_logged += 1  # the oldest falls out
        self._unlogged.append(frame)
        self.log_unlogged()
        if len(self._queue) >= _QUEUE_FRAMES:
            self.dropped += 1  # it is in the log: analysing that finds it
            return
        self._queue.append(frame)
        self._work.set()

    async def frames(self) -> AsyncIterator[ReceivedFrame]:
        """Yield the frames in their order, for ever."""
        while True:
            await self._work.wait()
            self._work.clear()
            while self._queue:
                yield self._queue.popleft()

    def rest(self) -> list[ReceivedFrame]:
        """Return what waits, at the end."""
        rest = list(self._queue)
        self._queue.clear()
        return rest
