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
    unlogged
        Frames that the disk refused; they are measured all the same.
    """

    def __init__(self, frame_log: FrameLogWriter) -> None:
        self.dropped = 0
        self.unlogged = 0
        self._log = frame_log
        self._queue: deque[ReceivedFrame] = deque()
        self._work = asyncio.Event()

    def take(self, frame: ReceivedFrame) -> None:
        """Take a frame from a link: on the disk first."""
        try:
            self._log.append(frame)
        except BridgeError as error:  # a full disk is no reason to leave the athletes alone
            if not self.unlogged:
                log.error("%s", error)  # noqa: TRY400 - the error says it all
            self.unlogged += 1
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
