"""Lets the planner of one sensor talk to its flash, as long as a link lasts."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from firmware_protocol.codec import decode_notified, decode_reply, decode_status
from sensor_bridge.ble.link import FrameKind
from sensor_bridge.errors import LinkLost

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sensor_bridge.ble.backfill import BackfillPlanner
    from sensor_bridge.ble.link import ReceivedFrame, SensorLink
    from sensor_bridge.ble.samples import SampleRun


class Backfilling:
    """Feeds a planner with what comes over a link, and writes what it wants to ask.

    Parameters
    ----------
    planner
        What is missing, over all links of the session.
    """

    def __init__(self, planner: BackfillPlanner) -> None:
        self.planner = planner
        self._news = asyncio.Event()

    def take(self, frame: ReceivedFrame, runs: Iterable[SampleRun]) -> bool:
        """Take a frame and the runs it held; tell whether it was the last that was waited for.

        Raises
        ------
        ProtocolError
            What the flash gave is not what it should be; it is asked for again.
        """
        planner = self.planner
        was_done = planner.is_done
        for run in runs:
            planner.note(run)
        if frame.kind is FrameKind.INFO:
            planner.account.link_up()
        elif frame.kind is FrameKind.CONTROL:
            planner.go_on(decode_reply(frame.payload))
        elif frame.kind is FrameKind.STATUS:
            planner.hear(decode_status(frame.payload))
        elif frame.kind is FrameKind.BULK:
            planner.take(decode_notified(frame.payload), asyncio.get_running_loop().time())
            self._news.set()
        if was_done and not planner.is_done:
            self._news.set()
        return planner.is_done and not was_done

    async def run(self, link: SensorLink) -> None:
        """Ask for what is missing until the link is lost."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(LinkLost):  # whoever streams over it will say so
            while True:
                while (request := self.planner.next_request(loop.time())) is not None:
                    await link.ask_flash(request)
                self._news.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(self.planner.silent_after_s()):
                        await self._news.wait()
