"""The real bleak API over the virtual radio."""

from __future__ import annotations

import asyncio
import logging

import pytest
from bleak import BleakClient, BleakScanner
from bleak.exc import BleakError, BleakGATTProtocolError
from bleak_retry_connector import BleakClientWithServiceCache, establish_connection

from firmware_protocol import gatt
from hardware_sim.peripheral import address_of
from hardware_sim.radio import VirtualRadio
from hardware_sim.radio_conditions import RadioConditions
from tests.sensor_bridge.ble.radio_bench import QUICK, in_virtual_time, source


@pytest.fixture
async def radio():
    async with VirtualRadio([source()], radio=QUICK) as opened:
        yield opened


async def find(radio, sensor_id="pelvis"):
    _, scanner = radio.bleak_backends()
    device = await BleakScanner.find_device_by_address(address_of(sensor_id), timeout=20, backend=scanner)
    assert device is not None
    return device


async def connected(radio, sensor_id="pelvis", **options):
    client_class, _ = radio.bleak_backends()
    client = BleakClient(await find(radio, sensor_id), backend=client_class, **options)
    await client.connect()
    return client


@in_virtual_time
async def test_scan_finds_name_service_and_signal():
    async with VirtualRadio([source()], radio=QUICK) as radio:
        _, scanner = radio.bleak_backends()
        found = await BleakScanner.discover(
            0.5, return_adv=True, service_uuids=[gatt.SERVICE_UUID], backend=scanner
        )
    ((device, heard),) = found.values()
    assert device.address == address_of("pelvis")
    assert heard.local_name == "Hipline pelvis"
    assert heard.service_uuids == ["f6030001-813d-4b34-847c-dfb55a543c71"]
    assert -70 <= heard.rssi <= -50


async def test_scan_for_another_service_finds_nothing(radio):
    _, scanner = radio.bleak_backends()
    other = "0000180d-0000-1000-8000-00805f9b34fb"
    assert await BleakScanner.discover(0.4, service_uuids=[other], backend=scanner) == []


async def test_connect_discovers_the_whole_table(radio):
    client = await connected(radio)
    assert client.is_connected
    assert client.mtu_size == 247
    found = {each.uuid: set(each.properties) for each in client.services.characteristics.values()}
    for each in (one for one in gatt.CHARACTERISTICS if not one.is_optional):
        assert found[each.uuid] == {str(each_property) for each_property in each.properties}
    await client.disconnect()
    assert not client.is_connected


async def test_connect_by_address_scans_by_itself(radio):
    client_class, _ = radio.bleak_backends()
    async with BleakClient(address_of("pelvis"), backend=client_class, timeout=20) as client:
        assert bytes(await client.read_gatt_char(gatt.SERIAL_NUMBER_UUID)) == b"pelvis"


async def test_connect_to_an_unknown_address_fails_in_time(radio):
    client_class, _ = radio.bleak_backends()
    with pytest.raises((BleakError, TimeoutError)):
        await BleakClient("C0:00:00:00:00:01", backend=client_class, timeout=0.5).connect()


async def test_writing_what_cannot_be_written_is_refused(radio):
    client = await connected(radio)
    for uuid in (gatt.INFO_UUID, gatt.DATA_UUID, gatt.STATUS_UUID, gatt.BATTERY_LEVEL_UUID):
        with pytest.raises(BleakGATTProtocolError, match="Write Not Permitted"):
            await client.write_gatt_char(uuid, b"\x00", response=True)
    await client.disconnect()


async def test_reading_what_cannot_be_read_is_refused(radio):
    client = await connected(radio)
    with pytest.raises(BleakGATTProtocolError, match="Read Not Permitted"):
        await client.read_gatt_char(gatt.DATA_UUID)
    await client.disconnect()


async def test_a_lost_link_calls_back_and_ends_a_request_at_once(radio):
    lost = asyncio.Event()
    client = await connected(radio, disconnected_callback=lambda _: lost.set())
    radio.set_in_range("pelvis", in_range=False)
    async with asyncio.timeout(20):
        with pytest.raises(BleakError, match="disconnected"):
            await client.read_gatt_char(gatt.INFO_UUID)
        await lost.wait()
    with pytest.raises(BleakError, match="has not been performed"):
        await client.read_gatt_char(gatt.INFO_UUID)


async def test_the_sensor_can_hang_up(radio):
    lost = asyncio.Event()
    client = await connected(radio, disconnected_callback=lambda _: lost.set())
    await radio.hang_up("pelvis")
    await asyncio.wait_for(lost.wait(), 20)
    assert not client.is_connected


async def test_a_timeout_leaves_the_adapter_usable(radio):
    device = await find(radio)
    client_class, _ = radio.bleak_backends()
    radio.set_in_range("pelvis", in_range=False)
    with pytest.raises(TimeoutError):
        await BleakClient(device, backend=client_class, timeout=0.3).connect()
    radio.set_in_range("pelvis", in_range=True)
    async with BleakClient(device, backend=client_class, timeout=20) as client:
        assert client.is_connected


@pytest.mark.parametrize("after_s", [0.0, 0.03, 0.08, 0.11, 0.2])
async def test_a_cancelled_connect_leaves_the_adapter_usable(radio, after_s):
    device = await find(radio)
    client_class, _ = radio.bleak_backends()
    attempt = asyncio.create_task(BleakClient(device, backend=client_class, timeout=5).connect())
    await asyncio.sleep(after_s)
    attempt.cancel()
    with pytest.raises(asyncio.CancelledError):
        await attempt
    async with BleakClient(device, backend=client_class, timeout=20) as client:
        assert client.is_connected


async def test_a_connection_that_is_never_heard_fails_to_be_established():
    deaf = RadioConditions(connection_interval_ms=7.5, packet_error_rate=0.999)
    async with VirtualRadio([source()], radio=QUICK) as radio:
        device = await find(radio)
        radio.set_conditions("pelvis", deaf)
        client_class, _ = radio.bleak_backends()
        with pytest.raises((BleakError, TimeoutError)):
            await BleakClient(device, backend=client_class, timeout=1).connect()


async def test_the_adapter_refuses_more_connections_than_it_holds():
    sources = [source("a"), source("b")]
    async with VirtualRadio(sources, radio=QUICK, max_connections=1) as radio:
        first = await connected(radio, "a")
        with pytest.raises(BleakError, match="CONNECTION_LIMIT"):
            await connected(radio, "b")
        await first.disconnect()
        second = await connected(radio, "b")
        assert second.is_connected


async def test_retry_connector_waits_for_a_sensor_to_come_back(radio):
    device = await find(radio)
    client_class, _ = radio.bleak_backends()
    radio.set_in_range("pelvis", in_range=False)
    asyncio.get_running_loop().call_later(0.5, lambda: radio.set_in_range("pelvis", in_range=True))
    client = await establish_connection(
        BleakClientWithServiceCache, device, "pelvis", max_attempts=3, backend=client_class
    )
    assert client.is_connected
    await client.disconnect()


async def test_closing_leaves_no_task_behind(caplog):
    caplog.set_level(logging.ERROR)
    before = asyncio.all_tasks()
    async with VirtualRadio([source()], radio=QUICK) as radio:
        await connected(radio)
    await asyncio.sleep(0.05)
    assert asyncio.all_tasks() - before == set()
    assert caplog.records == []
