"""What a sensor has stored in its flash: asked for, fetched as a whole, erased (BULK of docs/protocol.md)."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firmware_protocol.codec import decode_notified
from firmware_protocol.errors import ProtocolError
from firmware_protocol.packets import BulkOpcode, BulkPage, BulkReply, BulkResult, Erase, Survey
from sensor_bridge.ble.backfill import BackfillPlanner
from sensor_bridge.ble.backfilling import Backfilling
from sensor_bridge.ble.link import FrameKind
from sensor_bridge.errors import CommandRefused, LinkLost, WrongFirmware

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware_protocol.packets import BulkRequest, ImuFrame
    from sensor_bridge.ble.hipline_link import HiplineLink

_REPLY_S: Final = 6.0
_TRIES: Final = 3
_ERASE_S: Final = 60.0
_SILENT_S: Final = 20.0  # the planner has asked several times by then
_MOST_STREAMS: Final = 1000  # a sensor that names more goes in circles


@dataclass(frozen=True, slots=True)
class StoredStream:
    """Samples of one stream in flash.

    Parameters
    ----------
    stream_id
        Which.
    first_sample_index, end_sample_index
        The oldest that is kept, and the one after the newest.
    """

    stream_id: int
    first_sample_index: int
    end_sample_index: int

    @property
    def n_samples(self) -> int:
        """From the oldest to the newest."""
        return self.end_sample_index - self.first_sample_index


@dataclass(frozen=True, slots=True)
class FlashState:
    """What a flash holds.

    Parameters
    ----------
    streams
        The oldest first.
    stored_samples, capacity_samples
        How many it holds, and how many it can.
    """

    streams: tuple[StoredStream, ...]
    stored_samples: int
    capacity_samples: int


async def survey(link: HiplineLink) -> FlashState:
    """Ask what is stored.

    Raises
    ------
    WrongFirmware
        The sensor has no flash.
    LinkLost, CommandRefused
        It does not answer, or refuses.
    """
    if not link.has_flash:
        raise WrongFirmware(f"{link.sensor.sensor_id}: the sensor has no flash to store samples in")
    streams: dict[int, StoredStream] = {}
    wanted = 0
    while True:
        told = await _ask(link, Survey(0, wanted), BulkOpcode.SURVEY, _REPLY_S)
        if told.end_sample_index > told.first_sample_index:
            streams[told.stream_id] = StoredStream(
                told.stream_id, told.first_sample_index, told.end_sample_index
            )
        wanted = told.next_stream_id
        if not wanted or wanted in streams or len(streams) >= _MOST_STREAMS:
            return FlashState(tuple(streams.values()), told.stored_samples, told.capacity_samples)


async def fetch(link: HiplineLink, stream: StoredStream, tell: Callable[[int], None]) -> list[ImuFrame]:
    """Fetch all stored samples of a stream.

    Parameters
    ----------
    link
        Live; the sensor need not stream.
    stream
        As `survey` told.
    tell
        Told how many samples are here.

    Returns
    -------
    list[ImuFrame]
        In the order of their samples, none twice; what the sensor no longer has is missing.

    Raises
    ------
    LinkLost
        The link ended before everything was here.
    """
    planner = BackfillPlanner()
    planner.link_up(can_fetch=True)
    planner.want(stream.stream_id, stream.first_sample_index, stream.end_sample_index)
    filling, frames, n_samples = Backfilling(planner), dict[int, "ImuFrame"](), 0
    asking = asyncio.create_task(filling.run(link), name=f"flash of {link.sensor.sensor_id}")
    try:
        async with asyncio.timeout(_SILENT_S) as silence:
            async for frame in link.frames():
                if frame.kind is not FrameKind.BULK:
                    continue
                silence.reschedule(asyncio.get_running_loop().time() + _SILENT_S)
                with contextlib.suppress(ProtocolError):  # damaged: the planner asks for it again
                    told = decode_notified(frame.payload)
                    if isinstance(told, BulkPage) and told.frame.first_sample_index not in frames:
                        frames[told.frame.first_sample_index] = told.frame
                        n_samples += told.frame.n_samples
                        tell(n_samples)
                    if filling.take(frame, ()) or planner.is_done:
                        return _in_order(frames)
    except TimeoutError:
        if asking.done() and (failure := asking.exception()) is not None:
            raise failure from None
        raise LinkLost(
            f"{link.sensor.sensor_id}: its flash fell silent after {n_samples} samples; ask again"
        ) from None
    finally:
        asking.cancel()
        await asyncio.wait([asking])
    raise LinkLost(f"{link.sensor.sensor_id}: the link was lost after {n_samples} samples")


async def erase(link: HiplineLink) -> None:
    """Have everything that is stored forgotten.

    Raises
    ------
    CommandRefused
        Not while the sensor streams.
    LinkLost
        It does not answer.
    """
    await _ask(link, Erase(0), BulkOpcode.ERASE, _ERASE_S)


async def _ask(link: HiplineLink, request: BulkRequest, opcode: BulkOpcode, reply_s: float) -> BulkReply:
    for _ in range(_TRIES):
        await link.ask_flash(request)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(reply_s):
                async for frame in link.frames():
                    if frame.kind is not FrameKind.BULK:
                        continue
                    with contextlib.suppress(ProtocolError):
                        told = decode_notified(frame.payload)
                        if isinstance(told, BulkReply) and told.opcode == opcode:
                            return _accepted(link, told)
    raise LinkLost(f"{link.sensor.sensor_id}: its flash does not answer")


def _accepted(link: HiplineLink, told: BulkReply) -> BulkReply:
    if told.result is BulkResult.BUSY:
        name = link.sensor.sensor_id
        raise CommandRefused(
            f"{name}: not while it streams; end the stream first: hipline sensors configure {name} --stop"
        )
    if told.result is not BulkResult.OK:
        raise CommandRefused(f"{link.sensor.sensor_id}: its flash refuses: {told.result.name}")
    return told


def _in_order(frames: dict[int, ImuFrame]) -> list[ImuFrame]:
    """Sort; leave out what lies within what is there already, as after a fetch that was asked again."""
    kept: list[ImuFrame] = []
    end = -1
    for first in sorted(frames):
        if first >= end:
            kept.append(frames[first])
            end = first + frames[first].n_samples
    return kept
