"""Clauses about commands and replies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware_protocol import gatt
from firmware_protocol.codec import decode_reply, encode
from firmware_protocol.errors import ProtocolError
from firmware_protocol.packets import (
    MAX_SAMPLES,
    AccelRange,
    Command,
    CommandReply,
    CommandResult,
    Configure,
    GyroRange,
    Identify,
    SamplingRate,
    Start,
    Stop,
)
from sensor_bridge.ble.bare_link import AttRefusal
from sensor_bridge.conformance.bench import UNENCRYPTED
from sensor_bridge.conformance.observation import observed
from sensor_bridge.conformance.verdict import NotExaminable, Violation, require

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sensor_bridge.ble.bare_link import Heard
    from sensor_bridge.conformance.bench import Bench

_TOO_SHORT: Final = 0x0D  # Invalid Attribute Value Length
_NOT_SUBSCRIBED: Final = 0xFD  # Client Characteristic Configuration Descriptor Improperly Configured
_REPLY_S: Final = 1.0
_LINK_ALLOWANCE_S: Final = 0.5  # what the link and this host may add to the second the sensor has
_SECOND_REPLY_S: Final = 0.3
_RESULT_AT: Final = 3

# Written out by hand: a codec would refuse to make them. The second byte is the opcode, the third the tag.
_MALFORMED: Final = {
    "Identify without its duration": "14 04 a0",
    "Identify with a byte too many": "14 04 a1 00 00",
    "Stop with a byte too many": "14 02 a2 00",
    "Start cut short": "14 01 a3 00 00 00",
    "Start with a reserved bit": "14 01 a4 02 0000 00000000",
    "Start with an index but without resume": "14 01 a5 00 0000 05000000",
    "Start that resumes stream 0": "14 01 a6 01 0000 00000000",
    "Configure with rate 0": "14 03 a7 00 02 03 01",
    "Configure with rate 16": "14 03 a8 10 02 03 01",
    "Configure with a batch of 0": "14 03 a9 08 02 03 00",
    "Configure with a batch of 20": "14 03 aa 08 02 03 14",
    "Configure with accelerometer range 4": "14 03 ab 08 04 03 01",
    "Configure with gyroscope range 5": "14 03 ac 08 02 05 01",
}
_UNKNOWN: Final = {"opcode 0": "14 00 b0", "opcode 9": "14 09 b1", "opcode 255": "14 ff b2 01 02"}
_OTHER_VERSION: Final = {"version 2": "24 02 c0", "version 15": "f4 04 c1 00", "version 0": "04 04 c2 00"}


async def control_short(bench: Bench) -> None:
    """control-short."""
    for value in (b"\x14", b"\x14\x02"):
        await _refused(bench, value, _TOO_SHORT)


async def control_subscribed(bench: Bench) -> None:
    """control-subscribed."""
    await bench.connect(control=False)
    try:
        await _refused(bench, encode(Stop(bench.tag())), _NOT_SUBSCRIBED)
    finally:
        await bench.disconnect()


async def pairing_commands(bench: Bench) -> None:
    """pairing-commands."""
    if not bench.is_paired:
        raise NotExaminable("this computer is not paired with the sensor")
    link = await bench.connect(encrypted=False)
    try:
        for uuid in (gatt.INFO_UUID, gatt.STATUS_UUID):
            await link.read(uuid)  # stays open
        await _refused(bench, encode(Stop(bench.tag())), *UNENCRYPTED)
    finally:
        await bench.disconnect()


async def reply_layout(bench: Bench) -> None:
    """reply-layout."""
    async for command, _, replies in _exchanges(bench):
        for each in replies:
            try:
                decode_reply(each.value)
            except ProtocolError as error:
                raise Violation(f"the reply to {command.hex(' ')}: {error}") from error


async def reply_one(bench: Bench) -> None:
    """reply-one."""
    async for command, _, replies in _exchanges(bench):
        require(len(replies) == 1, f"{command.hex(' ')} has {len(replies)} replies")


async def reply_echo(bench: Bench) -> None:
    """reply-echo."""
    async for command, _, replies in _exchanges(bench):
        if not replies:
            raise NotExaminable(f"no reply to {command.hex(' ')}")
        found = replies[0].value[1:3]
        require(found == command[1:3], f"opcode and tag of the reply to {command.hex(' ')}: {found.hex(' ')}")


async def reply_time(bench: Bench) -> None:
    """reply-time."""
    async for command, written_s, replies in _exchanges(bench):
        took_s = replies[0].arrival_s - written_s if replies else float("inf")
        require(
            took_s <= _REPLY_S + _LINK_ALLOWANCE_S, f"the reply to {command.hex(' ')} took {took_s:.1f} s"
        )


async def reply_stream(bench: Bench) -> None:
    """reply-stream."""
    await bench.idle()
    reply = await bench.ask(Identify(bench.tag(), 0))
    _require_stream(reply, 0, "no stream runs")
    require(reply.next_sample_index == 0, f"next_sample_index {reply.next_sample_index} while no stream runs")
    _, started = await bench.start()
    for what, command in (
        ("Identify", encode(Identify(bench.tag(), 0))),
        ("an unknown opcode", b"\x14\x09\x07"),
    ):
        _require_stream(await bench.ask(command), started.stream_id, f"{what} while it runs")
    await bench.idle()


async def identify_ok(bench: Bench) -> None:
    """identify-ok."""
    for duration_s in (1, 0):
        await _require_result(bench, Identify(bench.tag(), duration_s), CommandResult.OK)


async def configure_offered(bench: Bench) -> None:
    """configure-offered."""
    await bench.idle()
    usual, info = await bench.usual_settings(), await bench.info()
    wanted = [
        *((rate, usual.accel_range, usual.gyro_range, usual.batch) for rate in info.rates),
        *((usual.sampling_rate, each, usual.gyro_range, usual.batch) for each in info.accel_ranges),
        *((usual.sampling_rate, usual.accel_range, each, usual.batch) for each in info.gyro_ranges),
        *((usual.sampling_rate, usual.accel_range, usual.gyro_range, n) for n in {1, info.max_batch}),
    ]
    for each in wanted:
        await _require_result(bench, Configure(bench.tag(), *each), CommandResult.OK)


async def configure_not_offered(bench: Bench) -> None:
    """configure-not-offered."""
    await bench.idle()
    usual, info = await bench.usual_settings(), await bench.info()
    wanted = [
        *((rate, usual.accel_range, usual.gyro_range, 1) for rate in SamplingRate if rate not in info.rates),
        *(
            (usual.sampling_rate, each, usual.gyro_range, 1)
            for each in AccelRange
            if each not in info.accel_ranges
        ),
        *(
            (usual.sampling_rate, usual.accel_range, each, 1)
            for each in GyroRange
            if each not in info.gyro_ranges
        ),
        *(
            (usual.sampling_rate, usual.accel_range, usual.gyro_range, batch)
            for batch in range(info.max_batch + 1, MAX_SAMPLES + 1)
        ),
    ]
    if not wanted:
        raise NotExaminable("INFO offers everything")
    for each in wanted:
        await _require_result(bench, Configure(bench.tag(), *each), CommandResult.INVALID_ARGUMENT)


async def configure_running(bench: Bench) -> None:
    """configure-running."""
    settings, _ = await bench.start()
    ranges = (settings.sampling_rate, settings.accel_range, settings.gyro_range)
    other = settings.batch - 1 or (await bench.info()).max_batch
    await _require_result(bench, Configure(bench.tag(), *ranges, settings.batch), CommandResult.OK)
    if other != settings.batch:
        await _require_result(bench, Configure(bench.tag(), *ranges, other), CommandResult.BUSY)
    await bench.idle()


async def start_new(bench: Bench) -> None:
    """start-new."""
    await bench.idle()
    if (await bench.status()).mtu < 33:
        raise NotExaminable("the MTU is too small for a stream")
    reply = await bench.ask(Start(bench.tag()))
    require(reply.result is CommandResult.OK, f"Start was answered {reply.result.name}")
    bench.took(reply)
    require(reply.stream_id != 0, "the stream_id in the reply is 0")
    require(reply.next_sample_index == 0, f"next_sample_index in the reply is {reply.next_sample_index}")
    await bench.idle()


async def start_unsubscribed(bench: Bench) -> None:
    """start-unsubscribed."""
    await bench.connect(data=False)
    try:
        await bench.idle()
        await _require_result(bench, Start(bench.tag()), CommandResult.INVALID_ARGUMENT)
    finally:
        await bench.disconnect()


async def start_busy(bench: Bench) -> None:
    """start-busy."""
    _, started = await bench.start()
    other = started.stream_id % 0xFFFF + 1
    for command in (Start(bench.tag()), Start(bench.tag(), other, 0)):
        reply = await _require_result(bench, command, CommandResult.BUSY)
        _require_stream(reply, started.stream_id, "BUSY")
    await bench.idle()


async def stop_running(bench: Bench) -> None:
    """stop-running."""
    seen = await observed(bench)
    require(seen.stopped.result is CommandResult.OK, f"Stop was answered {seen.stopped.result.name}")
    _require_stream(seen.stopped, 0, "Stop")
    require(seen.stopped.next_sample_index == 0, f"next_sample_index is {seen.stopped.next_sample_index}")
    require(not seen.late_data, f"{len(seen.late_data)} frames came after the reply to Stop")


async def stop_idle(bench: Bench) -> None:
    """stop-idle."""
    await bench.idle()
    await _require_result(bench, Stop(bench.tag()), CommandResult.NOT_STREAMING)


async def command_malformed(bench: Bench) -> None:
    """command-malformed."""
    await bench.idle()
    await _require_results(bench, _MALFORMED, CommandResult.INVALID_ARGUMENT)


async def command_unknown(bench: Bench) -> None:
    """command-unknown."""
    await _require_results(bench, _UNKNOWN, CommandResult.UNKNOWN_COMMAND)


async def command_version(bench: Bench) -> None:
    """command-version."""
    await _require_results(bench, _OTHER_VERSION, CommandResult.UNKNOWN_COMMAND)


async def command_refused(bench: Bench) -> None:
    """command-refused."""
    _, started = await bench.start()
    for command in (*_MALFORMED.values(), *_UNKNOWN.values(), *_OTHER_VERSION.values()):
        reply = await bench.ask(bytes.fromhex(command))
        _require_stream(reply, started.stream_id, f"after {command}")
    await bench.idle()
    for command in _MALFORMED.values():
        await bench.ask(bytes.fromhex(command))
    status = await bench.status()
    require(not status.is_streaming, "a stream runs after commands that were refused")
    require(
        status.stream_id == started.stream_id,
        f"stream_id {status.stream_id} after refused commands, before them {started.stream_id}",
    )


async def _exchanges(bench: Bench) -> AsyncIterator[tuple[bytes, float, list[Heard]]]:
    """Write some harmless commands; yield each with when it was written and all that was indicated."""
    heard = bench.link.heard(gatt.CONTROL_UUID)
    for command in (Stop(bench.tag()), Identify(bench.tag(), 0), Identify(bench.tag(), 1), Stop(bench.tag())):
        before = len(heard)
        written_s, _ = await bench.send(encode(command))
        await bench.link.more(gatt.CONTROL_UUID, before + 2, _SECOND_REPLY_S)
        yield encode(command), written_s, heard[before:]


async def _refused(bench: Bench, value: bytes, *codes: int) -> None:
    try:
        await bench.link.write(gatt.CONTROL_UUID, value, response=True)
    except AttRefusal as refusal:
        if refusal.code is None:
            raise NotExaminable(f"this system does not tell the ATT error: {refusal}") from refusal
        require(refusal.code in codes, f"{value.hex(' ')} was refused with 0x{refusal.code:02X}")
        return
    raise Violation(f"{value.hex(' ')} was accepted")


async def _require_result(bench: Bench, command: Command | bytes, result: CommandResult) -> CommandReply:
    reply = await bench.ask(command)
    payload = command if isinstance(command, bytes) else encode(command)
    require(reply.result is result, f"{payload.hex(' ')} was answered {reply.result.name}, not {result.name}")
    return reply


async def _require_results(bench: Bench, commands: dict[str, str], result: CommandResult) -> None:
    for what, digits in commands.items():
        _, replies = await bench.send(bytes.fromhex(digits))
        if not replies or len(replies[0].value) <= _RESULT_AT:
            raise NotExaminable(f"{what} ({digits}) has no reply")
        found = replies[0].value[_RESULT_AT]  # as it stands there: not every result goes with every opcode
        require(found == result, f"{what} ({digits}) was answered with result {found}, not {result.name}")


def _require_stream(reply: CommandReply, stream_id: int, situation: str) -> None:
    require(
        reply.stream_id == stream_id,
        f"stream_id {reply.stream_id} in the reply, not {stream_id}: {situation}",
    )


CHECKS: Final = {
    "control-short": control_short,
    "control-subscribed": control_subscribed,
    "pairing-commands": pairing_commands,
    "reply-layout": reply_layout,
    "reply-one": reply_one,
    "reply-echo": reply_echo,
    "reply-time": reply_time,
    "reply-stream": reply_stream,
    "identify-ok": identify_ok,
    "configure-offered": configure_offered,
    "configure-not-offered": configure_not_offered,
    "configure-running": configure_running,
    "start-new": start_new,
    "start-unsubscribed": start_unsubscribed,
    "start-busy": start_busy,
    "stop-running": stop_running,
    "stop-idle": stop_idle,
    "command-malformed": command_malformed,
    "command-unknown": command_unknown,
    "command-version": command_version,
    "command-refused": command_refused,
}
