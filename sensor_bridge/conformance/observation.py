"""One undisturbed stream, watched for a few seconds: what several clauses are examined by."""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firmware_protocol import gatt
from firmware_protocol.codec import decode_frame, decode_status, decode_time_reply, encode
from firmware_protocol.errors import ProtocolError
from firmware_protocol.packets import (
    SAMPLE_SIZE,
    CommandReply,
    Configure,
    ImuFrame,
    Stop,
    StreamStatus,
    TimeReply,
    TimeRequest,
)
from sensor_bridge.ble.bare_link import AttRefusal
from sensor_bridge.conformance.verdict import NotExaminable, require

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sensor_bridge.ble.bare_link import BareLink, Heard
    from sensor_bridge.conformance.bench import Bench

WATCHED_S: Final = 3.0
FIRST_FRAME_S: Final = 3.0
AFTER_STOP_S: Final = 0.5
TIME_REPLY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class TimeExchange:
    """One exchange of clocks.

    Parameters
    ----------
    sent_s, arrived_s
        Event loop's clock.
    reply
        What the sensor said.
    """

    sent_s: float
    arrived_s: float
    reply: TimeReply

    @property
    def round_trip_s(self) -> float:
        """How long it took."""
        return self.arrived_s - self.sent_s

    def device_us(self, host_s: float) -> float:
        """Tell the sensor's clock at an instant of the host, by this exchange alone, µs."""
        middle_s = (self.sent_s + self.arrived_s) / 2
        middle_us = (self.reply.device_receive_us + self.reply.device_send_us) / 2
        return middle_us + (host_s - middle_s) * 1e6


@dataclass(frozen=True, slots=True)
class Observation:
    """What a sensor sent between Start and a little after Stop.

    Parameters
    ----------
    settings
        What was configured.
    started, stopped
        Replies to Start and Stop.
    capacity_samples
        Of the ring, by INFO.
    data, late_data
        Values of DATA before and after the reply to Stop.
    status_values
        Values of STATUS notified meanwhile.
    status_read, status_after
        STATUS read just before, and after Stop.
    info_values
        INFO as read before, while the stream ran, and after it.
    exchanges
        Clocks, at the beginning and at the end; fewer where the sensor did not answer.
    begun_s, ended_s
        Reply to Start, reply to Stop, on the event loop's clock.
    """

    settings: Configure
    started: CommandReply
    stopped: CommandReply
    capacity_samples: int
    data: tuple[Heard, ...]
    late_data: tuple[Heard, ...]
    status_values: tuple[Heard, ...]
    status_read: StreamStatus
    status_after: StreamStatus
    info_values: tuple[bytes, ...]
    exchanges: tuple[TimeExchange, ...]
    begun_s: float
    ended_s: float

    def frames(self) -> list[tuple[float, ImuFrame]]:
        """List the frames that can be read, with their arrival.

        Raises
        ------
        NotExaminable
            There is none.
        """
        found = [(each.arrival_s, frame) for each, frame in readable_frames(self.data)]
        if not found:
            raise NotExaminable("it needs frames, and none came that can be read")
        return found

    def statuses(self) -> list[StreamStatus]:
        """List the notified STATUS values that can be read."""
        found = []
        for each in self.status_values:
            try:
                found.append(decode_status(each.value))
            except ProtocolError:
                continue
        return found


async def observed(bench: Bench) -> Observation:
    """Watch a stream, once an examination."""
    if bench.observation is None:
        bench.observation = await _observe(bench)
    return bench.observation


async def _observe(bench: Bench) -> Observation:
    link = bench.link
    info = await bench.info()
    infos = [await link.read(gatt.INFO_UUID)]
    settings, started = await bench.start()
    begun, begun_s = bench.replied, link.now_s()
    await link.until(lambda: bool(link.heard_since(gatt.DATA_UUID, begun)), FIRST_FRAME_S)
    first_s = link.now_s()
    exchanges = [await exchange(link, 1, link.now_s())]
    await link.until(lambda: link.now_s() > begun_s + WATCHED_S, WATCHED_S)
    exchanges.append(await exchange(link, 2, link.now_s()))
    infos.append(await link.read(gatt.INFO_UUID))
    status_read = await bench.status()
    stopped = await bench.ask(Stop(bench.tag()))
    ended, ended_s = bench.replied, link.now_s()
    await link.until(lambda: bool(link.heard_since(gatt.DATA_UUID, ended)), AFTER_STOP_S)
    infos.append(await link.read(gatt.INFO_UUID))
    return Observation(
        settings=settings,
        started=started,
        stopped=stopped,
        capacity_samples=info.ring_capacity_samples,
        data=tuple(each for each in link.heard_since(gatt.DATA_UUID, begun) if each.order < ended),
        late_data=tuple(link.heard_since(gatt.DATA_UUID, ended)),
        status_values=tuple(
            each
            for each in link.heard_since(gatt.STATUS_UUID, begun)
            if each.order < ended and each.arrival_s > first_s
        ),
        status_read=status_read,
        status_after=await bench.status(),
        info_values=tuple(infos),
        exchanges=tuple(each for each in exchanges if each is not None),
        begun_s=begun_s,
        ended_s=ended_s,
    )


async def exchange(link: BareLink, sequence: int, host_s: float) -> TimeExchange | None:
    """Ask for the sensor's clock; None where no reply came that can be read."""
    heard = link.heard(gatt.TIME_UUID)
    before = len(heard)
    request = TimeRequest(sequence, int(host_s * 1e6))
    try:
        await link.write(gatt.TIME_UUID, encode(request), response=False)
    except AttRefusal as error:
        raise NotExaminable(f"a request to TIME was refused: {error}") from error
    if not await link.more(gatt.TIME_UUID, before + 1, TIME_REPLY_S):
        return None
    try:
        return TimeExchange(host_s, heard[before].arrival_s, decode_time_reply(heard[before].value))
    except ProtocolError:
        return None


def readable_frames(data: Iterable[Heard]) -> Iterator[tuple[Heard, ImuFrame]]:
    """Yield what can be read as a frame."""
    for each in data:
        try:
            yield each, decode_frame(each.value)
        except ProtocolError:
            continue


def require_numbering(frames: Sequence[ImuFrame]) -> None:
    """Require that each frame goes on where the last one ended, or says that it does not."""
    for last, frame in itertools.pairwise(frames):
        expected = last.first_sample_index + last.n_samples
        found = frame.first_sample_index
        require(found >= expected, f"a frame begins with {found} after samples up to {expected - 1}")
        require(
            found == expected or frame.gap_before,
            f"a frame begins with {found} where {expected} belongs, and gap_before is not set",
        )


def require_times(frames: Sequence[ImuFrame]) -> None:
    """Require that times go up with the indices: 10 % and half a sample from frame to frame, 5 % in all."""
    period_us = 1e6 / frames[0].sampling_rate.hz
    for last, frame in itertools.pairwise(frames):
        expected_us = (frame.first_sample_index - last.first_sample_index) * period_us
        found_us = frame.device_time_us - last.device_time_us
        require(
            abs(found_us - expected_us) <= 0.1 * abs(expected_us) + 0.5 * period_us,
            f"{frame.first_sample_index - last.first_sample_index} samples on, device_time_us goes on by "
            f"{found_us} µs where {expected_us:.0f} µs belong",
        )
    expected_us = (frames[-1].first_sample_index - frames[0].first_sample_index) * period_us
    found_us = frames[-1].device_time_us - frames[0].device_time_us
    require(
        abs(found_us - expected_us) <= 0.05 * abs(expected_us) + 0.5 * period_us,
        f"in {found_us / 1e6:.3f} s of the sensor's clock there are samples for {expected_us / 1e6:.3f} s",
    )


def samples_of(frames: Iterable[ImuFrame]) -> dict[int, tuple[bytes, float]]:
    """Sort samples by index: the bytes of each and its time, µs."""
    found = {}
    for frame in frames:
        period_us = 1e6 / frame.sampling_rate.hz
        for offset, (sample,) in enumerate(struct.iter_unpack(f"{SAMPLE_SIZE}s", frame.samples)):
            found[frame.first_sample_index + offset] = (sample, frame.device_time_us + offset * period_us)
    return found
