"""Sensors that each break the protocol in one way, and the clauses that have to say so."""

from __future__ import annotations

import asyncio
import struct
import zlib
from dataclasses import replace

import hardware_sim.peripheral_stream
from firmware_protocol import gatt
from firmware_protocol.gatt import (
    BATTERY_LEVEL_UUID,
    BULK_UUID,
    CONTROL_UUID,
    DATA_UUID,
    FIRMWARE_REVISION_UUID,
    INFO_UUID,
    MODEL_NUMBER_UUID,
    SERIAL_NUMBER_UUID,
    STATUS_UUID,
    TIME_UUID,
)
from hardware_sim.peripheral_gatt import GattServer
from tests.sensor_bridge.conformance.examined_sensor import Tampering

START, STOP, CONFIGURE, IDENTIFY = 1, 2, 3, 4
FETCH = 1
OK, UNKNOWN, INVALID, BUSY, NOT_STREAMING = range(5)
RANGE_GONE = 3


def put(offset, code, change):
    """Change the field at an offset: ``code`` is that of struct."""

    def changed(value):
        size = struct.calcsize(f"<{code}")
        if len(value) < offset + size:
            return value
        (field,) = struct.unpack_from(f"<{code}", value, offset)
        new = change(field) % (1 << 8 * size)
        return value[:offset] + struct.pack(f"<{code}", new) + value[offset + size :]

    return changed


def each(change):
    """Send every value changed."""
    return lambda _server, value: [change(value)]


def only_where(holds, change):
    """Change only values for which something holds."""
    return lambda value: change(value) if holds(value) else value


def result(opcode, found, instead):
    """Reply with another result to commands with this opcode (None: any)."""
    return each(
        only_where(
            lambda value: (opcode is None or value[1] == opcode) and value[3] == found,
            put(3, "B", lambda _: instead),
        )
    )


def every(n):
    """Send only every n-th value."""
    count = iter(range(1_000_000))
    return lambda _server, value: [value] if next(count) % n == n - 1 else []


def all_but_every(n):
    count = iter(range(1_000_000))
    return lambda _server, value: [] if next(count) % n == n - 1 else [value]


def counting(change):
    """Change a value the more the more there were."""
    count = iter(range(1_000_000))
    return lambda value: change(value, next(count))


def without(uuid):
    return lambda table: tuple(each for each in table if each.uuid != uuid)


def with_properties(uuid, *properties):
    return lambda table: tuple(
        replace(each, properties=properties) if each.uuid == uuid else each for each in table
    )


def resigned(change):
    """Change a page, and its checksum so that it fits."""

    def changed(value):
        if value[0] != 0x19:
            return value
        value = change(value)
        return value[:1] + zlib.crc32(value[5:]).to_bytes(4, "little") + value[5:]

    return each(changed)


def halves(_server, value):
    """Send a frame as two."""
    n, first_size = value[14], value[14] // 2
    if n < 2:
        return [value]
    time_us = int.from_bytes(value[8:14], "little") + first_size * 10_000
    index = int.from_bytes(value[4:8], "little") + first_size
    second = value[:4] + index.to_bytes(4, "little") + time_us.to_bytes(6, "little")
    return [
        value[:14] + bytes([first_size]) + value[15 : 16 + 12 * first_size],
        second + bytes([n - first_size]) + value[15:16] + value[16 + 12 * first_size :],
    ]


def shifted_after_resume():
    """Stamp samples that are sent again with another time."""
    resumed = []

    def note(value):
        if len(value) == 10 and value[3] == 1:
            resumed.append(True)
        return value

    def stamp(_server, value):
        return [put(8, "I", lambda time_us: time_us + 50_000)(value) if resumed else value]

    return Tampering(sent={DATA_UUID: stamp}, written={CONTROL_UUID: note})


def frame_after_stop():
    last = []

    def keep(_server, value):
        last.append(value)
        return [value]

    def reply(server, value):
        if value[1] == STOP and last:
            asyncio.get_running_loop().call_later(0.05, GattServer.notify, server, DATA_UUID, last[-1])
        return [value]

    return Tampering(sent={DATA_UUID: keep, CONTROL_UUID: reply})


def same_stream_id(monkeypatch):
    start = hardware_sim.peripheral_stream.SampleStream.start

    def start_again(self, now_s):
        number = self._next_stream_id
        start(self, now_s)
        self._next_stream_id = number

    monkeypatch.setattr(hardware_sim.peripheral_stream.SampleStream, "start", start_again)


def forgets_with_the_link(monkeypatch):
    """End the stream with the link."""
    ended = hardware_sim.peripheral.VirtualPeripheral._on_disconnected

    def end(self):
        self.stream.is_running = False
        ended(self)

    monkeypatch.setattr(hardware_sim.peripheral.VirtualPeripheral, "_on_disconnected", end)


def fetch_outlives_the_link(monkeypatch):
    monkeypatch.setattr(hardware_sim.peripheral_bulk.BulkServer, "end_link", lambda _self: None)


def always_subscribed(monkeypatch):
    monkeypatch.setattr(GattServer, "is_notified", lambda _self, _uuid: True)
    monkeypatch.setattr(GattServer, "is_indicated", lambda _self, _uuid: True)


def open_door(monkeypatch):
    monkeypatch.setattr(GattServer, "_require_encryption", lambda _self, _connection: None)


def pages_without_pause(monkeypatch):
    monkeypatch.setattr(hardware_sim.peripheral_bulk, "_INTERVALS", 0)


WRONG = {
    "no TIME": ({"gatt-characteristics"}, Tampering(characteristics=without(TIME_UUID))),
    "DATA can be read": (
        {"gatt-properties"},
        Tampering(characteristics=with_properties(DATA_UUID, gatt.Property.READ, gatt.Property.NOTIFY)),
    ),
    "no Device Information": (
        {"gatt-services", "device-texts"},
        Tampering(
            characteristics=lambda table: tuple(
                each for each in table if each.service_uuid != gatt.DEVICE_INFORMATION_SERVICE_UUID
            ),
            services=lambda table: tuple(each for each in table if each.name != "Device Information"),
        ),
    ),
    "a nameless model": ({"device-texts"}, Tampering(read={MODEL_NUMBER_UUID: lambda _: b" "})),
    "two serials": ({"device-serial"}, Tampering(read={SERIAL_NUMBER_UUID: lambda value: value + b"-2"})),
    "two versions": ({"device-firmware"}, Tampering(read={FIRMWARE_REVISION_UUID: lambda _: b"v1"})),
    "battery of 140 %": ({"battery-level"}, Tampering(read={BATTERY_LEVEL_UUID: lambda _: b"\x8c"})),
    "rate bit 0": ({"info-layout"}, Tampering(read={INFO_UUID: put(6, "I", lambda rates: rates | 1)})),
    "another revision at every reading": (
        {"info-constant"},
        Tampering(read={INFO_UUID: counting(lambda value, n: put(2, "B", lambda _: n)(value))}),
    ),
    "short commands are completed": (
        {"control-short"},
        Tampering(written={CONTROL_UUID: lambda value: value.ljust(3, b"\x02")}),
    ),
    "asks for no subscription": (
        {"control-subscribed", "start-unsubscribed"},
        Tampering(patch=always_subscribed),
    ),
    "an open door": ({"pairing-commands"}, Tampering(patch=open_door, requires_pairing=True)),
    "replies of version 2": (
        {"reply-layout"},
        Tampering(sent={CONTROL_UUID: each(put(0, "B", lambda head: head + 0x10))}),
    ),
    "replies twice": ({"reply-one"}, Tampering(sent={CONTROL_UUID: lambda _server, value: [value, value]})),
    "no tag in replies": ({"reply-echo"}, Tampering(sent={CONTROL_UUID: each(put(2, "B", lambda _: 0))})),
    "slow replies": ({"reply-time"}, Tampering(delay_s=1.8)),
    "refusals forget the stream": (
        {"reply-stream"},
        Tampering(sent={CONTROL_UUID: each(only_where(lambda v: v[3] == UNKNOWN, put(4, "H", lambda _: 0)))}),
    ),
    "does not blink": ({"identify-ok"}, Tampering(sent={CONTROL_UUID: result(IDENTIFY, OK, INVALID)})),
    "takes no settings": (
        {"configure-offered"},
        Tampering(sent={CONTROL_UUID: result(CONFIGURE, OK, INVALID)}),
    ),
    "takes all settings": (
        {"configure-not-offered"},
        Tampering(sent={CONTROL_UUID: result(CONFIGURE, INVALID, OK)}),
    ),
    "takes other settings while it streams": (
        {"configure-running"},
        Tampering(sent={CONTROL_UUID: result(CONFIGURE, BUSY, OK)}),
    ),
    "begins with 1": (
        {"start-new"},
        Tampering(
            sent={CONTROL_UUID: each(only_where(lambda v: v[1] == START, put(6, "I", lambda n: n + 1)))}
        ),
    ),
    "never busy": ({"start-busy"}, Tampering(sent={CONTROL_UUID: result(START, BUSY, OK)})),
    "a frame after Stop": ({"stop-running"}, frame_after_stop()),
    "Stop is always well": ({"stop-idle"}, Tampering(sent={CONTROL_UUID: result(STOP, NOT_STREAMING, OK)})),
    "takes malformed commands": (
        {"command-malformed"},
        Tampering(sent={CONTROL_UUID: result(None, INVALID, OK)}),
    ),
    "knows no unknown commands": (
        {"command-unknown", "command-version"},
        Tampering(sent={CONTROL_UUID: result(None, UNKNOWN, INVALID)}),
    ),
    "stops at what it does not know": (
        {"command-refused"},
        Tampering(written={CONTROL_UUID: only_where(lambda v: v[1] == 9, lambda v: b"\x14\x02" + v[2:3])}),
    ),
    "frames with a reserved bit": (
        {"frame-layout"},
        Tampering(sent={DATA_UUID: each(put(1, "B", lambda flags: flags | 0x80))}),
    ),
    "frames of another stream": (
        {"frame-stream"},
        Tampering(sent={DATA_UUID: each(put(2, "H", lambda stream: stream % 0xFFFF + 1))}),
    ),
    "frames begin late": (
        {"frame-first"},
        Tampering(sent={DATA_UUID: each(put(4, "I", lambda index: index + 7))}),
    ),
    "counts frames": (
        {"frame-numbering"},
        Tampering(sent={DATA_UUID: each(put(4, "I", lambda index: index // 10))}),
    ),
    "loses frames": ({"frame-numbering"}, Tampering(sent={DATA_UUID: all_but_every(5)})),
    "milliseconds": (
        {"frame-time"},
        Tampering(sent={DATA_UUID: each(put(8, "I", lambda time: time // 1000))}),
    ),
    "another range": (
        {"frame-settings"},
        Tampering(sent={DATA_UUID: each(put(1, "B", lambda flags: flags ^ 0x04))}),
    ),
    "everything is clipped": (
        {"frame-clipped"},
        Tampering(sent={DATA_UUID: each(put(1, "B", lambda flags: flags | 0x01))}),
    ),
    "half frames": ({"frame-batch"}, Tampering(sent={DATA_UUID: halves})),
    "STATUS with a reserved bit": (
        {"status-layout"},
        Tampering(sent={STATUS_UUID: each(put(1, "B", lambda flags: flags | 0x40))}),
    ),
    "STATUS every three seconds": ({"status-period"}, Tampering(sent={STATUS_UUID: every(3)})),
    "STATUS sees no stream": (
        {"status-stream"},
        Tampering(sent={STATUS_UUID: each(put(1, "B", lambda _: 0))}),
    ),
    "a ring larger than itself": (
        {"status-ring"},
        Tampering(read={STATUS_UUID: put(8, "I", lambda newest: newest + 10_000)}),
    ),
    "another MTU": ({"status-mtu"}, Tampering(read={STATUS_UUID: put(26, "H", lambda _: 185)})),
    "TIME answers with the next number": (
        {"time-echo"},
        Tampering(sent={TIME_UUID: each(put(1, "H", lambda number: number + 1))}),
    ),
    "TIME answers twice": ({"time-one"}, Tampering(sent={TIME_UUID: lambda _server, value: [value, value]})),
    "a clock of milliseconds": (
        {"time-forward"},
        Tampering(
            sent={
                TIME_UUID: each(
                    lambda v: put(11, "I", lambda t: t // 1000)(put(17, "I", lambda t: t // 1000)(v))
                )
            }
        ),
    ),
    "two clocks": (
        {"time-stamps"},
        Tampering(sent={DATA_UUID: each(put(8, "I", lambda time_us: time_us + 5_000_000))}),
    ),
    "TIME takes anything": (
        {"time-malformed"},
        Tampering(written={TIME_UUID: lambda value: b"\x16" + value[1:11].ljust(10, b"\x00")}),
    ),
    "one stream_id for all": ({"stream-id"}, Tampering(patch=same_stream_id)),
    "resumes one too far": (
        {"resume-running"},
        Tampering(
            written={
                CONTROL_UUID: only_where(lambda v: v[1] == START and v[3] == 1, put(6, "I", lambda n: n + 1))
            }
        ),
    ),
    "new times for old samples": ({"resume-same"}, shifted_after_resume()),
    "resumes anywhere": ({"resume-beyond"}, Tampering(sent={CONTROL_UUID: result(START, INVALID, OK)})),
    "cannot resume what has ended": (
        {"resume-unknown"},
        Tampering(
            written={
                CONTROL_UUID: only_where(
                    lambda v: v[1] == START and v[3] == 1, lambda v: v[:3] + b"\x02" + v[4:]
                )
            }
        ),
    ),
    "forgets with the link": ({"resume-link"}, Tampering(patch=forgets_with_the_link)),
    "hides gaps": (
        {"resume-fallen"},
        Tampering(sent={DATA_UUID: each(put(1, "B", lambda flags: flags & ~0x02))}),
    ),
    "the stream outlives a new Start": (
        {"start-link"},
        Tampering(patch=same_stream_id),
    ),
    "only part of the streams": (
        {"bulk-survey"},
        Tampering(sent={BULK_UUID: each(only_where(lambda v: v[0] == 0x1A, put(16, "H", lambda _: 0)))}),
    ),
    "other counts in pages": (
        {"bulk-fetch"},
        Tampering(sent={BULK_UUID: resigned(put(23, "h", lambda count: count // 2))}),
    ),
    "wrong checksums": (
        {"bulk-pages", "bulk-fetch"},
        Tampering(
            sent={BULK_UUID: each(only_where(lambda v: v[0] == 0x19, put(1, "I", lambda crc: crc ^ 1)))}
        ),
    ),
    "takes no heed of credits": (
        {"bulk-credits"},
        Tampering(written={BULK_UUID: only_where(lambda v: v[1] == FETCH, put(3, "B", lambda _: 200))}),
    ),
    "replies to what was replaced": (
        {"bulk-replaced"},
        Tampering(
            sent={
                BULK_UUID: lambda _server, v: (
                    [put(2, "B", lambda tag: tag - 1)(v), v] if v[0] == 0x1A else [v]
                )
            }
        ),
    ),
    "nothing is ever gone": (
        {"bulk-gone"},
        Tampering(
            sent={
                BULK_UUID: each(only_where(lambda v: v[0] == 0x1A and v[3] == 3, put(3, "B", lambda _: OK)))
            }
        ),
    ),
    "promises the future": (
        {"bulk-beyond", "bulk-refused"},
        Tampering(
            sent={
                BULK_UUID: each(only_where(lambda v: v[0] == 0x1A and v[3] == 2, put(3, "B", lambda _: OK)))
            }
        ),
    ),
    "pages before frames": ({"bulk-live"}, Tampering(patch=pages_without_pause)),
    "answers anything": (
        {"bulk-ignored"},
        Tampering(
            written={BULK_UUID: only_where(lambda v: len(v) < 3, lambda _: bytes.fromhex("1803000000"))}
        ),
    ),
    "a Fetch outlives its link": ({"bulk-link"}, Tampering(patch=fetch_outlives_the_link)),
    "erases while it streams": (
        {"bulk-busy"},
        Tampering(
            sent={
                BULK_UUID: each(only_where(lambda v: v[0] == 0x1A and v[3] == 4, put(3, "B", lambda _: OK)))
            }
        ),
    ),
    "streams at any MTU": ({"mtu-small"}, Tampering(sent={CONTROL_UUID: result(START, INVALID, OK)}, mtu=23)),
    "erases nothing": (
        {"bulk-erase"},
        Tampering(
            written={BULK_UUID: only_where(lambda v: v[1] == 4, lambda v: b"\x18\x03" + v[2:3] + b"\x00\x00")}
        ),
    ),
}
