"""Clauses about streams, indices and the ring."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from firmware_protocol import gatt
from firmware_protocol.packets import CommandReply, CommandResult, ImuFrame, Start
from sensor_bridge.conformance.observation import (
    FIRST_FRAME_S,
    observed,
    readable_frames,
    require_numbering,
    require_times,
    samples_of,
)
from sensor_bridge.conformance.verdict import NotExaminable, Violation, require

if TYPE_CHECKING:
    from sensor_bridge.conformance.bench import Bench

_SAMPLES: Final = 30
_BACK_TO: Final = 5
_AWAY_S: Final = 1.5
_FAR: Final = 1_000_000
_COLLECT_S: Final = 10.0


async def stream_id(bench: Bench) -> None:
    """stream-id."""
    for _ in range(2):
        await bench.start()
    await bench.idle()
    require(
        len(set(bench.streams)) == len(bench.streams), f"streams were {', '.join(map(str, bench.streams))}"
    )


async def resume_running(bench: Bench) -> None:
    """resume-running."""
    _, reply, again = await _resumed(bench)
    require(reply.next_sample_index == _BACK_TO, f"the reply says {reply.next_sample_index}, not {_BACK_TO}")
    first = again[0]
    require(
        first.first_sample_index == _BACK_TO and not first.gap_before,
        f"asked to go on at {_BACK_TO}, the next frame begins with {first.first_sample_index}"
        + (" and has gap_before" if first.gap_before else ""),
    )
    require_numbering(again)


async def resume_same(bench: Bench) -> None:
    """resume-same."""
    before, _, again = await _resumed(bench)
    known, found = samples_of(before), samples_of(again)
    both = sorted(known.keys() & found.keys())
    if not both:
        raise NotExaminable("no sample was sent again")
    tolerance_us = 0.1e6 / before[0].sampling_rate.hz
    for index in both:
        require(found[index][0] == known[index][0], f"sample {index} was sent again with other counts")
        step_us = found[index][1] - known[index][1]
        require(abs(step_us) <= tolerance_us, f"sample {index} was sent again {step_us:.0f} µs later")


async def resume_beyond(bench: Bench) -> None:
    """resume-beyond."""
    _, started = await bench.start()
    reply = await bench.ask(Start(bench.tag(), started.stream_id, _FAR))
    require(reply.result is CommandResult.INVALID_ARGUMENT, f"it was answered {reply.result.name}")
    require(reply.stream_id == started.stream_id, f"stream_id {reply.stream_id} in the reply")
    await bench.idle()


async def resume_unknown(bench: Bench) -> None:
    """resume-unknown."""
    _, started = await bench.start()
    await bench.idle()
    reply = _require_ok(await bench.ask(Start(bench.tag(), started.stream_id, 0)))
    bench.took(reply)
    require(
        reply.stream_id not in {started.stream_id, 0},
        f"stream {started.stream_id} had ended, and a resume of it is stream {reply.stream_id}",
    )
    require(reply.next_sample_index == 0, f"the new stream begins with {reply.next_sample_index}")
    await bench.idle()


async def resume_link(bench: Bench) -> None:
    """resume-link."""
    info = await bench.info()
    settings, started = await bench.start()
    before = await _collect(bench, _SAMPLES)
    wanted = before[-1].first_sample_index + before[-1].n_samples
    away = round(_AWAY_S * settings.sampling_rate.hz)
    if info.ring_capacity_samples < 3 * away:
        raise NotExaminable(f"the ring holds {info.ring_capacity_samples} samples only")
    await bench.disconnect()
    await asyncio.sleep(_AWAY_S)
    await bench.connect()
    reply = _require_ok(await bench.ask(Start(bench.tag(), started.stream_id, wanted)))
    _require_same_stream(reply, started.stream_id)
    require(
        reply.next_sample_index == wanted, f"asked for {wanted}, the reply says {reply.next_sample_index}"
    )
    after = await _collect(bench, 2 * away)
    require(not after[0].gap_before, "gap_before is set though the ring holds all")
    require_numbering([before[-1], *after])
    require_times([before[-1], *after])
    await bench.idle()


async def resume_fallen(bench: Bench) -> None:
    """resume-fallen."""
    info = await bench.info()
    settings, started = await bench.start()
    away_s = info.ring_capacity_samples / settings.sampling_rate.hz + _AWAY_S
    if away_s > bench.patience_s:
        await bench.idle()
        raise NotExaminable(f"the ring holds more than can be waited for: allow {away_s:.0f} s (--patience)")
    await _collect(bench, 1)
    await bench.disconnect()
    await asyncio.sleep(away_s)
    await bench.connect()
    reply = _require_ok(await bench.ask(Start(bench.tag(), started.stream_id, 0)))
    _require_same_stream(reply, started.stream_id)
    require(reply.next_sample_index > 0, "the reply says 0, and the ring cannot hold that any more")
    first = (await _collect(bench, 1))[0]
    require(
        first.first_sample_index >= reply.next_sample_index and first.gap_before,
        f"the first frame begins with {first.first_sample_index} "
        f"(the reply said {reply.next_sample_index}), gap_before is {'' if first.gap_before else 'not '}set",
    )
    await bench.idle()


async def start_link(bench: Bench) -> None:
    """start-link."""
    _, started = await bench.start()
    await _collect(bench, 1)
    await bench.disconnect()
    await bench.connect()
    reply = _require_ok(await bench.ask(Start(bench.tag())))
    bench.took(reply)
    require(reply.stream_id != started.stream_id, f"the stream is still {started.stream_id}")
    require(reply.next_sample_index == 0, f"the new stream begins with {reply.next_sample_index}")
    await bench.idle()


async def _resumed(bench: Bench) -> tuple[list[ImuFrame], CommandReply, list[ImuFrame]]:
    """Resume a running stream a little way back: frames before, the reply, frames from it on."""
    if (await observed(bench)).capacity_samples < 2 * _SAMPLES:
        raise NotExaminable("the ring is too small to go back")
    _, started = await bench.start()
    before = await _collect(bench, _SAMPLES)
    reply = _require_ok(await bench.ask(Start(bench.tag(), started.stream_id, _BACK_TO)))
    _require_same_stream(reply, started.stream_id)
    again = await _collect(bench, _SAMPLES)
    await bench.idle()
    return before, reply, again


async def _collect(bench: Bench, n_samples: int) -> list[ImuFrame]:
    """Wait for frames with so many samples after the last reply."""
    link, replied = bench.link, bench.replied

    def frames() -> list[ImuFrame]:
        return [frame for _, frame in readable_frames(link.heard_since(gatt.DATA_UUID, replied))]

    def is_enough() -> bool:
        return sum(frame.n_samples for frame in frames()) >= n_samples

    if not await link.until(is_enough, FIRST_FRAME_S if n_samples == 1 else _COLLECT_S):
        raise NotExaminable(f"it needs {n_samples} samples, and they do not come")
    return frames()


def _require_ok(reply: CommandReply) -> CommandReply:
    require(reply.result is CommandResult.OK, f"it was answered {reply.result.name}")
    return reply


def _require_same_stream(reply: CommandReply, stream: int) -> None:
    if reply.stream_id != stream:
        raise Violation(f"stream {stream} was to go on, and {reply.stream_id} runs")


CHECKS: Final = {
    "stream-id": stream_id,
    "resume-running": resume_running,
    "resume-same": resume_same,
    "resume-beyond": resume_beyond,
    "resume-unknown": resume_unknown,
    "resume-link": resume_link,
    "resume-fallen": resume_fallen,
    "start-link": start_link,
}
