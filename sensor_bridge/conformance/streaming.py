"""Clauses about DATA and STATUS, most of them by one observed stream."""

from __future__ import annotations

import itertools
import statistics
import struct
from typing import TYPE_CHECKING, Final

from firmware_protocol import gatt
from firmware_protocol.codec import decode_frame, decode_status
from firmware_protocol.errors import ProtocolError
from firmware_protocol.packets import MIN_STREAMING_MTU, CommandResult, Start, samples_per_frame
from sensor_bridge.ble.bare_link import AttRefusal
from sensor_bridge.conformance.observation import (
    FIRST_FRAME_S,
    exchange,
    observed,
    require_numbering,
    require_times,
)
from sensor_bridge.conformance.verdict import NotExaminable, Violation, require

if TYPE_CHECKING:
    from sensor_bridge.ble.bare_link import Heard
    from sensor_bridge.conformance.bench import Bench

_LIMITS: Final = (-32768, 32767)
_STATUS_VALUES: Final = 4
_STATUS_WAIT_S: Final = 8.0
_STATUS_PERIOD_S: Final = (0.5, 1.5)  # 1 s, with what a link and a busy host may shift it by
_SILENCE_S: Final = 2.5


async def frame_layout(bench: Bench) -> None:
    """frame-layout."""
    data = (await observed(bench)).data
    require(bool(data), f"no notification of DATA within {FIRST_FRAME_S:g} s after Start")
    for each in data:
        try:
            decode_frame(each.value)
        except ProtocolError as error:
            raise Violation(f"DATA: {error}") from error


async def frame_stream(bench: Bench) -> None:
    """frame-stream."""
    seen = await observed(bench)
    for _, frame in seen.frames():
        require(
            frame.stream_id == seen.started.stream_id,
            f"a frame of stream {frame.stream_id} in stream {seen.started.stream_id}",
        )


async def frame_first(bench: Bench) -> None:
    """frame-first."""
    seen = await observed(bench)
    first = seen.frames()[0][1].first_sample_index
    require(
        first == seen.started.next_sample_index,
        f"the first frame begins with {first}, the reply to Start said {seen.started.next_sample_index}",
    )


async def frame_numbering(bench: Bench) -> None:
    """frame-numbering."""
    require_numbering([frame for _, frame in (await observed(bench)).frames()])


async def frame_time(bench: Bench) -> None:
    """frame-time."""
    require_times([frame for _, frame in (await observed(bench)).frames()])


async def frame_settings(bench: Bench) -> None:
    """frame-settings."""
    seen = await observed(bench)
    wanted = (seen.settings.sampling_rate, seen.settings.accel_range, seen.settings.gyro_range)
    for _, frame in seen.frames():
        found = (frame.sampling_rate, frame.accel_range, frame.gyro_range)
        require(
            found == wanted,
            f"a frame says {', '.join(each.name for each in found)}, "
            f"configured were {', '.join(each.name for each in wanted)}",
        )


async def frame_clipped(bench: Bench) -> None:
    """frame-clipped."""
    for _, frame in (await observed(bench)).frames():
        counts = struct.unpack(f"<{len(frame.samples) // 2}h", frame.samples)
        require(
            not frame.clipped or any(count in _LIMITS for count in counts),
            f"the frame from sample {frame.first_sample_index} on is clipped, and no count is at its limit",
        )


async def frame_batch(bench: Bench) -> None:
    """frame-batch."""
    seen = await observed(bench)
    allowed = samples_per_frame(seen.settings.batch, seen.status_read.mtu)
    most = max(frame.n_samples for _, frame in seen.frames())
    require(
        most == allowed,
        f"frames hold up to {most} samples; a batch of {seen.settings.batch} at MTU {seen.status_read.mtu} "
        f"is {allowed}",
    )


async def status_layout(bench: Bench) -> None:
    """status-layout."""
    link = bench.link
    try:
        values = [await link.read(gatt.STATUS_UUID)]
    except AttRefusal as error:
        raise Violation(f"STATUS cannot be read: {error}") from error
    heard = link.heard(gatt.STATUS_UUID)
    await link.more(gatt.STATUS_UUID, 1, _SILENCE_S)
    for value in (*values, *(each.value for each in heard)):
        try:
            decode_status(value)
        except ProtocolError as error:
            raise Violation(f"STATUS: {error}") from error


async def status_period(bench: Bench) -> None:
    """status-period."""
    if (await bench.status()).mtu < MIN_STREAMING_MTU:
        raise NotExaminable("the MTU is too small for STATUS to be notified")
    await bench.idle()
    heard = bench.link.heard(gatt.STATUS_UUID)
    before = len(heard)
    await bench.link.more(gatt.STATUS_UUID, before + _STATUS_VALUES, _STATUS_WAIT_S)
    _require_period(heard[before:], "while no stream runs")
    _require_period((await observed(bench)).status_values, "while a stream runs")


async def status_stream(bench: Bench) -> None:
    """status-stream."""
    seen = await observed(bench)
    stream_id = seen.started.stream_id
    for status in (*seen.statuses(), seen.status_read):
        require(status.is_streaming, "is_streaming is not set while frames come")
        require(status.stream_id == stream_id, f"stream_id {status.stream_id} while {stream_id} runs")
    after = seen.status_after
    require(not after.is_streaming, "is_streaming is set after Stop")
    require(
        after.stream_id == stream_id, f"after Stop stream_id is {after.stream_id}, the last was {stream_id}"
    )


async def status_ring(bench: Bench) -> None:
    """status-ring."""
    seen = await observed(bench)
    status, last = seen.status_read, seen.frames()[-1][1]
    kept = status.newest_sample_index - status.oldest_sample_index + 1
    require(
        kept <= max(seen.capacity_samples, 1),
        f"the ring holds {kept} samples by STATUS, {seen.capacity_samples} by INFO",
    )
    sent_before = max(
        (frame.first_sample_index for arrival_s, frame in seen.frames() if arrival_s < seen.ended_s - 1.0),
        default=0,
    )
    require(
        seen.capacity_samples == 0 or status.newest_sample_index >= sent_before,
        f"the newest sample is {status.newest_sample_index} by STATUS, {sent_before} had been sent before",
    )
    ahead_s = (status.newest_sample_index - last.first_sample_index) / last.sampling_rate.hz
    require(ahead_s <= 1.0, f"the newest sample by STATUS is {ahead_s:.1f} s ahead of the last frame")


async def status_mtu(bench: Bench) -> None:
    """status-mtu."""
    told, ours = (await bench.status()).mtu, bench.link.mtu(gatt.TIME_UUID)
    if ours == 23 and told != ours:
        raise NotExaminable("this system does not tell the MTU")
    require(told == ours, f"STATUS says {told}, in force is {ours}")


async def mtu_small(bench: Bench) -> None:
    """mtu-small."""
    mtu = (await bench.status()).mtu
    if mtu >= MIN_STREAMING_MTU:
        raise NotExaminable(f"the MTU is {mtu}, and this host cannot make it smaller")
    link = bench.link
    reply = await bench.ask(Start(bench.tag()))
    require(reply.result is CommandResult.INVALID_ARGUMENT, f"Start was answered {reply.result.name}")
    heard = [link.heard(uuid) for uuid in (gatt.STATUS_UUID, gatt.TIME_UUID)]
    before = sum(map(len, heard))
    require(await exchange(link, 1, link.now_s()) is None, "TIME was notified")
    await link.until(lambda: sum(map(len, heard)) > before, _SILENCE_S)
    require(sum(map(len, heard)) == before, "STATUS was notified")


def _require_period(values: list[Heard] | tuple[Heard, ...], situation: str) -> None:
    steps = [later.arrival_s - each.arrival_s for each, later in itertools.pairwise(values)]
    require(bool(steps), f"{len(values)} notifications of STATUS {situation}")
    middle_s = statistics.median(steps)
    shortest_s, longest_s = _STATUS_PERIOD_S
    require(shortest_s <= middle_s <= longest_s, f"STATUS comes every {middle_s:.1f} s {situation}")


CHECKS: Final = {
    "frame-layout": frame_layout,
    "frame-stream": frame_stream,
    "frame-first": frame_first,
    "frame-numbering": frame_numbering,
    "frame-time": frame_time,
    "frame-settings": frame_settings,
    "frame-clipped": frame_clipped,
    "frame-batch": frame_batch,
    "status-layout": status_layout,
    "status-period": status_period,
    "status-stream": status_stream,
    "status-ring": status_ring,
    "status-mtu": status_mtu,
    "mtu-small": mtu_small,
}
