from __future__ import annotations

import asyncio

import pytest
from bleak.backends.scanner import BaseBleakScanner
from bleak.exc import BleakError

from hardware_sim.peripheral import address_of
from hardware_sim.radio import VirtualRadio
from hardware_sim.radio_conditions import RadioConditions
from sensor_bridge.ble.adapter import Adapter
from sensor_bridge.errors import BluetoothUnavailable, SensorNotFound
from tests.sensor_bridge.ble.radio_bench import QUICK, source, wish


@pytest.fixture
async def radio():
    sources = [source("pelvis"), source("left"), source("right")]
    names = {"left": "clip", "right": "clip"}
    async with VirtualRadio(sources, radio=QUICK, names=names) as opened:
        yield opened


@pytest.fixture
def adapter(radio):
    return Adapter(*radio.bleak_backends())


async def test_scan_lists_the_strongest_first(radio, adapter):
    radio.set_conditions("left", RadioConditions(rssi_dbm=-40))
    radio.set_conditions("right", RadioConditions(rssi_dbm=-80))
    seen = [found.sighting for found in await adapter.scan(0.5)]
    assert [each.address for each in seen] == [address_of(name) for name in ("left", "pelvis", "right")]
    assert [each.name for each in seen] == ["clip", "Hipline pelvis", "clip"]
    assert seen[0].rssi_dbm > -50
    assert seen[2].rssi_dbm < -70


async def test_find_by_address_in_any_case_and_by_name(adapter):
    by_address = await adapter.find(wish("left", address=address_of("left").lower()), 3)
    assert by_address.sighting.address == address_of("left")
    by_name = await adapter.find(wish("x", address=None, name="Hipline pelvis"), 3)
    assert by_name.sighting.address == address_of("pelvis")


async def test_a_name_that_two_sensors_have_is_refused_with_both_addresses(adapter):
    with pytest.raises(SensorNotFound, match="2 sensors are called 'clip'") as refused:
        await adapter.find(wish("x", address=None, name="clip"), 3)
    assert address_of("left") in str(refused.value)
    assert address_of("right") in str(refused.value)


async def test_a_sensor_out_of_range_is_not_found_in_time(radio, adapter):
    radio.set_in_range("pelvis", in_range=False)
    with pytest.raises(SensorNotFound, match=r"was not heard for 0\.4 s"):
        await adapter.find(wish("pelvis"), 0.4)
    assert not adapter.is_scanning


async def test_searches_share_one_scan_that_ends_with_the_last(radio, adapter):
    radio.set_in_range("right", in_range=False)
    slow = asyncio.create_task(adapter.find(wish("right"), 5))
    await adapter.find(wish("left"), 3)
    assert adapter.is_scanning
    radio.set_in_range("right", in_range=True)
    await slow
    assert not adapter.is_scanning


async def test_connecting_pauses_a_search(radio, adapter):
    radio.set_in_range("right", in_range=False)
    search = asyncio.create_task(adapter.find(wish("right"), 5))
    await asyncio.sleep(0.05)
    async with adapter.quiet():
        assert not adapter.is_scanning
    assert adapter.is_scanning
    search.cancel()
    with pytest.raises(asyncio.CancelledError):
        await search
    assert not adapter.is_scanning


class OffScanner(BaseBleakScanner):
    def __init__(self, detection_callback, service_uuids, scanning_mode, **others):
        super().__init__(detection_callback, service_uuids)

    async def start(self):
        raise BleakError("Bluetooth device is turned off")

    async def stop(self):
        raise AssertionError("was never started")


async def test_bluetooth_that_is_off_is_named():
    adapter = Adapter(scanner_backend=OffScanner)
    for attempt in (adapter.scan(0.1), adapter.find(wish("pelvis"), 1)):
        with pytest.raises(BluetoothUnavailable, match="is the adapter there, switched on"):
            await attempt
