"""The virtual sensor's answers, byte by byte, as docs/protocol.md gives them."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from bleak import BleakClient, BleakScanner
from bleak.exc import BleakGATTProtocolError

from firmware_protocol import gatt
from firmware_protocol.codec import decode_frame, decode_reply, decode_status, decode_time_reply
from firmware_protocol.packets import CommandResult
from hardware_sim.peripheral import SensorModel, address_of
from hardware_sim.radio import VirtualRadio
from tests.sensor_bridge.ble.radio_bench import QUICK, in_virtual_time, source

OK, UNKNOWN, INVALID, BUSY, NOT_STREAMING = CommandResult


class Host:
    """A host that writes raw bytes."""

    def __init__(self, client):
        self.client = client
        self.replies = asyncio.Queue()
        self.times = asyncio.Queue()
        self.frames = asyncio.Queue()

    async def subscribe(self, *, data=True):
        await self.client.start_notify(gatt.CONTROL_UUID, lambda _, value: self.replies.put_nowait(value))
        await self.client.start_notify(gatt.TIME_UUID, lambda _, value: self.times.put_nowait(value))
        if data:
            await self.client.start_notify(gatt.DATA_UUID, lambda _, value: self.frames.put_nowait(value))

    async def ask(self, command):
        await self.client.write_gatt_char(gatt.CONTROL_UUID, bytes.fromhex(command), response=True)
        async with asyncio.timeout(20):
            return decode_reply(await self.replies.get())


def two_sensors():
    return VirtualRadio([source("pelvis", 100), source("left", 100)], radio=QUICK, seed=4)


@pytest.fixture
async def radio():
    async with two_sensors() as opened:
        yield opened


@asynccontextmanager
async def subscribed_to(radio):
    client_class, scanner = radio.bleak_backends()
    device = await BleakScanner.find_device_by_address(address_of("pelvis"), timeout=20, backend=scanner)
    async with BleakClient(device, backend=client_class) as client:
        host = Host(client)
        await host.subscribe()
        yield host


@pytest.fixture
async def host(radio):
    async with subscribed_to(radio) as opened:
        yield opened


START, STOP = "14 01 07 00 0000 00000000", "14 02 07"


IDLE_ANSWERS = {
    "stop what does not stream": (STOP, 2, NOT_STREAMING),
    "unknown opcode": ("14 09 07", 9, UNKNOWN),
    "another protocol version": ("24 02 07", 2, UNKNOWN),
    "identify without duration": ("14 04 07", 4, INVALID),
    "identify with a byte too many": ("14 04 07 03 00", 4, INVALID),
    "start with a reserved bit": ("14 01 07 02 0000 00000000", 1, INVALID),
    "configure a batch of 20": ("14 03 07 08 01 02 14", 3, INVALID),
    "configure no rate": ("14 03 07 00 01 02 0a", 3, INVALID),
    "configure 200 Hz, which it does not offer": ("14 03 07 0c 01 02 0a", 3, INVALID),
    "configure 8 g, which it does not offer": ("14 03 07 08 02 02 0a", 3, INVALID),
    "configure": ("14 03 07 08 01 02 0a", 3, OK),
    "identify": ("14 04 07 03", 4, OK),
}


async def test_answers_while_no_stream_runs(host):
    answers = {}
    for name, (command, _, _) in IDLE_ANSWERS.items():
        reply = await host.ask(command)
        answers[name] = (reply.tag, reply.opcode, reply.result, reply.stream_id, reply.next_sample_index)
    assert answers == {name: (7, opcode, result, 0, 0) for name, (_, opcode, result) in IDLE_ANSWERS.items()}


async def test_answers_while_a_stream_runs(host, radio):
    started = await host.ask(START)
    stream_id = started.stream_id
    assert (started.result, started.next_sample_index) == (OK, 0)
    assert (await host.ask(START)).result is BUSY
    assert (await host.ask("14 03 07 08 01 02 0a")).result is OK  # the same settings
    assert (await host.ask("14 03 07 08 01 02 05")).result is BUSY
    other = (stream_id + 1).to_bytes(2, "little").hex()
    assert (await host.ask(f"14 01 07 01 {other} 00000000")).result is BUSY
    own = stream_id.to_bytes(2, "little").hex()
    assert (await host.ask(f"14 01 07 01 {own} 64000000")).result is INVALID  # sample 100 is far off
    resumed = await host.ask(f"14 01 07 01 {own} 00000000")
    assert (resumed.result, resumed.stream_id) == (OK, stream_id)
    stopped = await host.ask(STOP)
    assert (stopped.result, stopped.stream_id, stopped.next_sample_index) == (OK, 0, 0)
    assert (await host.ask(START)).stream_id == stream_id + 1


async def test_start_needs_a_subscription_to_data(radio):
    client_class, scanner = radio.bleak_backends()
    device = await BleakScanner.find_device_by_address(address_of("left"), timeout=20, backend=scanner)
    async with BleakClient(device, backend=client_class) as client:
        host = Host(client)
        await host.subscribe(data=False)
        assert (await host.ask(START)).result is INVALID


async def test_what_cannot_be_answered_is_an_att_error(host):
    for value in (b"", b"\x14", b"\x14\x01"):
        with pytest.raises(BleakGATTProtocolError, match="Invalid Attribute Value Length"):
            await host.client.write_gatt_char(gatt.CONTROL_UUID, value, response=True)


async def test_a_command_without_subscription_to_replies_is_an_att_error(radio):
    client_class, scanner = radio.bleak_backends()
    device = await BleakScanner.find_device_by_address(address_of("left"), timeout=20, backend=scanner)
    async with BleakClient(device, backend=client_class) as client:
        with pytest.raises(BleakGATTProtocolError, match=r"(?i)improperly configured"):
            await client.write_gatt_char(gatt.CONTROL_UUID, bytes.fromhex(STOP), response=True)


@in_virtual_time
async def test_clock_requests():
    async with two_sensors() as radio, subscribed_to(radio) as host:
        request = bytes.fromhex("16 3412 8877665544332211")
        await host.client.write_gatt_char(gatt.TIME_UUID, request, response=False)
        await asyncio.sleep(0.1)
        assert host.times.empty()  # before the playback the clock stands
        radio.begin()
        await host.client.write_gatt_char(gatt.TIME_UUID, b"\x16\x34", response=False)  # malformed: ignored
        await host.client.write_gatt_char(gatt.TIME_UUID, request, response=False)
        async with asyncio.timeout(20):
            reply = decode_time_reply(await host.times.get())
        assert (reply.sequence, reply.host_send_us) == (0x1234, 0x1122334455667788)
        assert 1_000_000 <= reply.device_receive_us <= reply.device_send_us < 2_000_000
        assert host.times.empty()


async def test_a_batch_is_kept_to(host, radio):
    await host.ask("14 03 07 08 01 02 04")
    await host.ask(START)
    radio.begin()
    async with asyncio.timeout(20):
        frames = [decode_frame(await host.frames.get()) for _ in range(25)]
    assert [each.first_sample_index for each in frames] == list(range(0, 100, 4))
    assert b"".join(each.samples for each in frames) == source("pelvis", 100).counts.astype("<i2").tobytes()


@in_virtual_time
async def test_what_waits_for_a_lost_link_was_not_dropped_from_the_queue():
    model = SensorModel(queue_frames=2)
    async with VirtualRadio([source("pelvis", 100)], radio=QUICK, model=model, seed=4) as radio:
        client_class, scanner = radio.bleak_backends()
        device = await BleakScanner.find_device_by_address(address_of("pelvis"), timeout=20, backend=scanner)
        async with BleakClient(device, backend=client_class) as client:
            host = Host(client)
            await host.subscribe()
            await host.ask(START)
        await asyncio.sleep(0.6)  # 60 samples, 6 frames, and nobody there
        async with BleakClient(device, backend=client_class) as client:
            waiting = decode_status(await client.read_gatt_char(gatt.STATUS_UUID))
            host = Host(client)
            await host.subscribe()
            stream_id = waiting.stream_id.to_bytes(2, "little").hex()
            assert (await host.ask(f"14 01 07 01 {stream_id} 00000000")).next_sample_index == 0
    assert (waiting.oldest_sample_index, waiting.queue_depth, waiting.overflow_count) == (0, 0, 0)
    assert waiting.newest_sample_index >= 50


async def test_device_information(host):
    read = host.client.read_gatt_char
    assert bytes(await read(gatt.MANUFACTURER_NAME_UUID)) == b"Hipline"
    assert bytes(await read(gatt.SERIAL_NUMBER_UUID)) == b"pelvis"
    assert bytes(await read(gatt.FIRMWARE_REVISION_UUID)) == b"1.0.0"
    assert 60 <= (await read(gatt.BATTERY_LEVEL_UUID))[0] <= 100


def test_addresses_are_static_random_and_the_same_in_every_run():
    assert address_of("pelvis") == "C5:73:74:27:39:EF"
    assert all(int(address_of(f"sensor {n}")[:2], 16) >= 0xC0 for n in range(100))
