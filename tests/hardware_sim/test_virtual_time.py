from __future__ import annotations

import asyncio

import pytest
from bleak import BleakClient, BleakScanner

from hardware_sim.errors import HardwareSimError, NothingLeftToHappen
from hardware_sim.radio import VirtualRadio
from hardware_sim.virtual_time import run_in_virtual_time
from tests.sensor_bridge.ble.radio_bench import QUICK, source


def test_a_day_passes_at_once_and_timers_keep_their_order():
    told = []

    async def tell(after_s, word):
        await asyncio.sleep(after_s)
        told.append((asyncio.get_running_loop().time(), word))

    async def day():
        await asyncio.gather(tell(86_400.0, "a day"), tell(0.0075, "an interval"), tell(3600.0, "an hour"))

    run_in_virtual_time(day())
    assert told == [
        (pytest.approx(0.0075), "an interval"),
        (pytest.approx(3600.0), "an hour"),
        (pytest.approx(86_400.0), "a day"),
    ]


def test_a_time_limit_ends_what_takes_too_long():
    async def wait():
        async with asyncio.timeout(600.0):
            await asyncio.sleep(601.0)

    with pytest.raises(TimeoutError):
        run_in_virtual_time(wait())


def test_waiting_for_what_never_comes_is_an_error_and_no_hang():
    async def wait():
        await asyncio.Event().wait()

    with pytest.raises(NothingLeftToHappen, match="never comes"):
        run_in_virtual_time(wait())


def test_a_thread_is_refused():
    async def work():
        await asyncio.to_thread(print)

    with pytest.raises(HardwareSimError, match="no threads in virtual time"):
        run_in_virtual_time(work())


def test_a_host_without_power_is_missed_only_after_the_supervision_timeout():
    async def lose_power():
        async with VirtualRadio([source()], radio=QUICK) as radio:
            sensor = radio.peripherals["pelvis"]
            told = []
            client_class, scanner = radio.bleak_backends()
            device = await BleakScanner.find_device_by_address(sensor.address, timeout=3, backend=scanner)
            client = BleakClient(device, backend=client_class, disconnected_callback=told.append)
            await client.connect()
            await radio.replace_host()
            await asyncio.sleep(0.9 * QUICK.supervision_timeout_s)
            assert sensor.is_connected
            await asyncio.sleep(0.2 * QUICK.supervision_timeout_s)
            assert not sensor.is_connected
            client_class, scanner = radio.bleak_backends()
            device = await BleakScanner.find_device_by_address(sensor.address, timeout=3, backend=scanner)
            async with BleakClient(device, backend=client_class):
                assert sensor.is_connected
            assert told == []

    run_in_virtual_time(lose_power())
