"""Clauses about the sensor's clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware_protocol import gatt
from firmware_protocol.codec import decode_time_reply, encode
from firmware_protocol.errors import ProtocolError
from firmware_protocol.packets import MIN_STREAMING_MTU, TimeRequest
from sensor_bridge.conformance.observation import TIME_REPLY_S, observed
from sensor_bridge.conformance.verdict import NotExaminable, Violation, require

if TYPE_CHECKING:
    from sensor_bridge.ble.bare_link import Heard
    from sensor_bridge.conformance.bench import Bench

_REQUESTS: Final = (
    TimeRequest(0, 0),
    TimeRequest(0xFFFF, 2**64 - 1),
    TimeRequest(0x1234, 0x1122334455667788),
)
_SECOND_REPLY_S: Final = 0.3
_FUTURE_S: Final = 0.02  # beyond what the round trip leaves open
_LONG_AGO_S: Final = 1.0
_RATE_TOLERANCE: Final = 0.05  # a crystal is a thousand times better; three seconds cannot tell


async def time_echo(bench: Bench) -> None:
    """time-echo."""
    for request in _REQUESTS:
        replies = await _request(bench, encode(request))
        require(bool(replies), f"no reply to TimeRequest {request.sequence} within {TIME_REPLY_S:g} s")
        try:
            reply = decode_time_reply(replies[0].value)
        except ProtocolError as error:
            raise Violation(f"TIME: {error}") from error
        require(
            reply.sequence == request.sequence, f"sequence {request.sequence} came back as {reply.sequence}"
        )
        require(
            reply.host_send_us == request.host_send_us,
            f"host_send_us {request.host_send_us} came back as {reply.host_send_us}",
        )


async def time_one(bench: Bench) -> None:
    """time-one."""
    for request in _REQUESTS:
        replies = await _request(bench, encode(request))
        require(len(replies) == 1, f"{len(replies)} replies to one TimeRequest")


async def time_forward(bench: Bench) -> None:
    """time-forward."""
    exchanges = (await observed(bench)).exchanges
    if len(exchanges) < 2:
        raise NotExaminable("it needs two replies of TIME")
    first, last = exchanges[0], exchanges[-1]
    host_s = last.sent_s - first.sent_s
    device_s = (last.reply.device_receive_us - first.reply.device_receive_us) / 1e6
    allowed_s = _RATE_TOLERANCE * host_s + first.round_trip_s + last.round_trip_s
    require(
        abs(device_s - host_s) <= allowed_s,
        f"the sensor's clock went on by {device_s:.3f} s in {host_s:.3f} s",
    )


async def time_stamps(bench: Bench) -> None:
    """time-stamps."""
    seen = await observed(bench)
    if not seen.exchanges:
        raise NotExaminable("it needs a reply of TIME")
    clock = min(seen.exchanges, key=lambda each: each.round_trip_s)
    for arrival_s, frame in seen.frames():
        last_us = frame.device_time_us + (frame.n_samples - 1) * 1e6 / frame.sampling_rate.hz
        age_s = (clock.device_us(arrival_s) - last_us) / 1e6
        require(
            age_s >= -_FUTURE_S - clock.round_trip_s - _RATE_TOLERANCE * abs(arrival_s - clock.sent_s),
            f"by TIME the last sample of a frame was made {-age_s:.3f} s after the frame came",
        )
        require(age_s <= _LONG_AGO_S, f"by TIME a frame came {age_s:.3f} s after its last sample")


async def time_malformed(bench: Bench) -> None:
    """time-malformed."""
    good = encode(_REQUESTS[2])
    for value in (good[:-1], good + b"\x00", b"\x17" + good[1:], b"\x26" + good[1:]):
        replies = await _request(bench, value, _SECOND_REPLY_S)
        require(not replies, f"{value.hex(' ')} was answered")


async def _request(bench: Bench, value: bytes, timeout_s: float = TIME_REPLY_S) -> list[Heard]:
    """Write to TIME; return all that it notifies then."""
    if (await bench.status()).mtu < MIN_STREAMING_MTU:
        raise NotExaminable("the MTU is too small for TIME")
    link = bench.link
    heard = link.heard(gatt.TIME_UUID)
    before = len(heard)
    await link.write(gatt.TIME_UUID, value, response=False)
    await link.more(gatt.TIME_UUID, before + 1, timeout_s)
    await link.more(gatt.TIME_UUID, before + 2, _SECOND_REPLY_S)
    return heard[before:]


CHECKS: Final = {
    "time-echo": time_echo,
    "time-one": time_one,
    "time-forward": time_forward,
    "time-stamps": time_stamps,
    "time-malformed": time_malformed,
}
