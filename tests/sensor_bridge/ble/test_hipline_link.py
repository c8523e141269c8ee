from __future__ import annotations

import asyncio

import pytest

from firmware_protocol.codec import decode_info, decode_status
from hardware_sim.peripheral import SensorModel
from hardware_sim.radio import VirtualRadio
from sensor_bridge.ble.adapter import Adapter
from sensor_bridge.ble.hipline_link import connect
from sensor_bridge.ble.link import FrameKind
from sensor_bridge.errors import LinkLost, WrongFirmware
from sensor_bridge.host_clock import HostClock
from sensor_bridge.virtual_radio import Playback, attached, on_air_for_others
from tests.sensor_bridge.ble.radio_bench import QUICK, clock_of_the_loop, in_virtual_time, source, wish


def two_sensors():
    return VirtualRadio([source("pelvis", 100), source("left", 100)], radio=QUICK)


@pytest.fixture
async def radio():
    async with two_sensors() as opened:
        yield opened


async def link_to(radio, sensor, timeout_s=20.0):
    adapter = Adapter(*radio.bleak_backends())
    found = await adapter.find(sensor, 20)
    return connect(adapter, found, sensor, clock_of_the_loop(), timeout_s=timeout_s)


async def test_what_the_sensor_said_of_itself(radio):
    async with await link_to(radio, wish("pelvis")) as link:
        assert link.info.serial == "pelvis"
        assert link.info.firmware_version == (1, 0, 0)
        assert link.settings.frame_s == pytest.approx(0.1)
        frames = link.frames()
        first = await anext(frames)
        assert first.kind is FrameKind.INFO
        assert decode_info(first.payload) == link.info
        assert (await anext(frames)).kind is FrameKind.BATTERY
        await frames.aclose()
    assert not radio.peripherals["pelvis"].is_connected


async def test_identify_can_be_seen(radio):
    async with await link_to(radio, wish("pelvis")) as link:
        assert not radio.peripherals["pelvis"].is_identifying
        await link.identify(3)
        assert radio.peripherals["pelvis"].is_identifying
        await link.identify(0)
        assert not radio.peripherals["pelvis"].is_identifying


async def test_commands_that_are_asked_at_once_are_asked_one_by_one(radio):
    async with await link_to(radio, wish("pelvis")) as link:
        await asyncio.gather(*(link.identify(seconds) for seconds in range(1, 6)))
        assert radio.peripherals["pelvis"].is_identifying


async def test_the_batch_is_as_wished(radio):
    async with await link_to(radio, wish("pelvis", batch=4)) as link:
        stream_id = await link.start(None)
        assert 1 <= stream_id <= 65535
        assert radio.peripherals["pelvis"].stream.batch == 4


async def test_resuming_a_stream_nobody_knows_begins_a_new_one(radio):
    async with await link_to(radio, wish("pelvis")) as link:
        stream_id = await link.start((4711, 250))
        assert stream_id != 4711
        assert radio.peripherals["pelvis"].stream.next_index() == 0


async def test_resuming_beyond_what_was_made_begins_a_new_one(radio):
    async with await link_to(radio, wish("pelvis")) as link:
        stream_id = await link.start(None)
    async with await link_to(radio, wish("pelvis")) as link:
        assert await link.start((stream_id, 5000)) == stream_id + 1


async def test_status_can_be_asked_for(radio):
    async with await link_to(radio, wish("pelvis")) as link:
        status = await link.read_status()
        assert 60 <= status.battery_percent <= 100
        assert status.mtu == 247
        assert not status.is_streaming


@in_virtual_time
async def test_status_comes_once_a_second():
    async with two_sensors() as radio, await link_to(radio, wish("pelvis")) as link:
        await asyncio.sleep(2.2)
        statuses = [frame async for frame in until_quiet(link) if frame.kind is FrameKind.STATUS]
        assert decode_status(statuses[0].payload).stream_id == 0
        assert (statuses[1].arrival_ns - statuses[0].arrival_ns) / 1e9 == pytest.approx(1.0, abs=0.3)


async def until_quiet(link):
    frames = link.frames()
    while True:
        try:
            async with asyncio.timeout(0.1):
                frame = await anext(frames)
        except TimeoutError:
            return
        yield frame


async def test_a_lost_link_ends_the_frames_and_refuses_requests(radio):
    async with await link_to(radio, wish("pelvis")) as link:
        radio.drop_link("pelvis")
        kinds = [frame.kind async for frame in link.frames()]
        assert kinds[:2] == [FrameKind.INFO, FrameKind.BATTERY]
        with pytest.raises(LinkLost, match="pelvis"):
            await link.identify(1)


async def test_a_link_lost_while_a_reply_is_awaited(radio):
    async with await link_to(radio, wish("pelvis")) as link:
        radio.set_in_range("pelvis", in_range=False)
        with pytest.raises(LinkLost):
            await link.identify(1)


async def test_closing_twice_is_fine(radio):
    async with await link_to(radio, wish("pelvis")) as link:
        await link.close()
        await link.close()


async def test_a_connection_that_takes_too_long(radio):
    linking = await link_to(radio, wish("pelvis"), timeout_s=0.3)
    radio.set_in_range("pelvis", in_range=False)
    with pytest.raises(LinkLost, match=r"no connection within 0\.3 s"):
        await linking.__aenter__()


@in_virtual_time
async def test_another_protocol_version_is_refused():
    async with VirtualRadio([source()], radio=QUICK, model=SensorModel(protocol_version=3)) as radio:
        linking = await link_to(radio, wish("pelvis"))
        with pytest.raises(WrongFirmware, match=r"protocol version 3, this program version 1"):
            await linking.__aenter__()
        await asyncio.sleep(0.05)
        assert not radio.peripherals["pelvis"].is_connected


@pytest.mark.parametrize("has_flash", [False, True])
async def test_a_flash_shows_in_the_characteristic_that_is_there(has_flash):
    playback = Playback((source("pelvis"),))
    async with on_air_for_others(playback, 1, 0, has_flash=has_flash) as (port, _), attached(port) as adapter:
        found = await adapter.find(wish("pelvis"), 20)
        async with connect(adapter, found, wish("pelvis"), HostClock(), timeout_s=20) as link:
            assert link.has_flash is has_flash
