"""Sensors that take commands only from a computer they are paired with, and bonds that one side has lost."""

from __future__ import annotations

import pytest
from bleak import BleakClient
from bleak.exc import BleakError, BleakGATTProtocolError

from firmware_protocol import gatt
from hardware_sim.bonds import BondStore
from hardware_sim.errors import HardwareSimError
from hardware_sim.radio import VirtualRadio
from hardware_sim.sensor_model import SensorModel, address_of
from sensor_bridge.ble.adapter import Adapter
from sensor_bridge.ble.bonding import PairingLink, forget_bond
from sensor_bridge.ble.connection import connected
from sensor_bridge.ble.flash_log import erase, survey
from sensor_bridge.ble.hipline_link import connect
from sensor_bridge.ble.link import FrameKind
from sensor_bridge.errors import BondLost, LinkLost, PairingNeeded
from sensor_bridge.host_clock import HostClock
from tests.sensor_bridge.ble.radio_bench import QUICK, source, wish

PELVIS = wish("pelvis")


@pytest.fixture
async def radio():
    model = SensorModel(requires_pairing=True, flash_capacity_samples=1000)
    async with VirtualRadio([source()], radio=QUICK, model=model) as opened:
        yield opened


@pytest.fixture
def adapter(radio):
    return Adapter(*radio.bleak_backends())


async def found(adapter):
    return await adapter.find(PELVIS, 3)


async def pair(adapter):
    link = PairingLink(PELVIS, HostClock())
    async with connected(link, adapter, await found(adapter), timeout_s=10):
        pass
    adapter.paired = frozenset({PELVIS.address})


async def blink(adapter):
    async with connect(adapter, await found(adapter), PELVIS, HostClock(), timeout_s=10) as link:
        await link.identify(2)


async def test_a_stranger_is_told_to_pair(adapter, radio):
    with pytest.raises(PairingNeeded, match=r"is paired with: hipline sensors pair pelvis$"):
        await blink(adapter)
    assert not radio.peripherals["pelvis"].is_identifying


async def test_who_has_paired_is_served_now_and_later(adapter, radio):
    await pair(adapter)
    await blink(adapter)
    assert radio.peripherals["pelvis"].is_identifying
    async with connect(adapter, await found(adapter), PELVIS, HostClock(), timeout_s=10) as link:
        await link.start(None)
        async for frame in link.frames():
            if frame.kind is FrameKind.DATA:
                break
    await radio.reboot("pelvis")
    await blink(adapter)


async def test_the_flash_of_a_sensor_that_wants_pairing_is_for_who_has_paired(adapter):
    async with connect(adapter, await found(adapter), PELVIS, HostClock(), timeout_s=10) as link:
        for request in (survey, erase):  # written without response: nobody refuses those aloud
            with pytest.raises(PairingNeeded, match=r"is paired with: hipline sensors pair pelvis$"):
                await request(link)
    await pair(adapter)
    async with connect(adapter, await found(adapter), PELVIS, HostClock(), timeout_s=10) as link:
        assert (await survey(link)).capacity_samples > 0
        await erase(link)


async def test_the_bond_is_of_secure_connections(adapter, radio):
    await pair(adapter)
    for bonds in (radio._bonds, radio.peripherals["pelvis"]._gatt.bonds):
        ((_, keys),) = await bonds.get_all()
        assert keys.ltk is not None
        assert keys.ltk_central is keys.ltk_peripheral is None


async def test_a_sensor_that_lost_its_bond_is_named_with_the_mend(adapter, radio):
    await pair(adapter)
    await radio.forget_bonds("pelvis")
    with pytest.raises(
        BondLost, match=r"^pelvis: the sensor has forgotten .*; pair them again: hipline sensors pair pelvis$"
    ):
        await blink(adapter)
    await forget_bond(adapter, "pelvis", PELVIS.address)
    adapter.paired = frozenset()
    await pair(adapter)
    await blink(adapter)


async def test_a_computer_that_lost_its_bond_does_not_pair_by_itself(adapter, radio):
    await pair(adapter)
    await forget_bond(adapter, "pelvis", PELVIS.address)
    with pytest.raises(BondLost, match="this computer has forgotten the sensor; pair them again"):
        await blink(adapter)
    assert not radio._bonds.holds(PELVIS.address)


async def test_an_impostor_at_a_known_address_is_refused():
    async with VirtualRadio([source()], radio=QUICK) as radio:
        adapter = Adapter(*radio.bleak_backends())
        adapter.paired = frozenset({PELVIS.address})
        with pytest.raises(BondLost):
            await blink(adapter)


async def test_a_sensor_that_does_not_pair_says_so():
    async with VirtualRadio([source()], radio=QUICK) as radio:
        adapter = Adapter(*radio.bleak_backends())
        with pytest.raises(LinkLost, match=r"^pelvis: does not pair \(.*\); hold its button"):
            await pair(adapter)
        await blink(adapter)


async def test_what_nobody_is_bonded_with_is_forgotten_in_peace(adapter):
    await forget_bond(adapter, "pelvis", PELVIS.address)


@pytest.mark.parametrize("uuid", [gatt.CONTROL_UUID, gatt.BULK_UUID, gatt.SMP_UUID])
async def test_protected_writes_are_refused_by_what_the_sensor_knows_of_the_host(radio, adapter, uuid):
    client_class, _ = radio.bleak_backends()
    sensor = await found(adapter)
    for code in (0x05, 0x0F):
        async with BleakClient(sensor.device, backend=client_class) as client:
            assert len(await client.read_gatt_char(gatt.INFO_UUID)) > 18
            await client.start_notify(gatt.STATUS_UUID, lambda *_: None)
            with pytest.raises(BleakGATTProtocolError) as refusal:
                await client.write_gatt_char(uuid, b"\x14\x04\x01\x01", response=True)
            assert refusal.value.code == code
            await client.pair()
            await client.pair()  # once encrypted it stays so


async def test_pairing_needs_a_link(radio):
    client_class, _ = radio.bleak_backends()
    with pytest.raises(BleakError, match="not connected"):
        await BleakClient(address_of("pelvis"), backend=client_class).pair()


async def test_bonds_outlive_the_process_in_a_file_of_their_owner(tmp_path, adapter, radio):
    await pair(adapter)
    path = tmp_path / "new" / "bonds.json"
    kept = BondStore(path)
    for name, keys in await radio._bonds.get_all():
        await kept.update(name, keys)
    assert path.stat().st_mode & 0o777 == 0o600
    again = BondStore(path)
    assert again.holds(PELVIS.address.lower())
    assert (await again.get(PELVIS.address)).ltk.value == (await kept.get(PELVIS.address)).ltk.value
    await again.forget(PELVIS.address)
    assert not BondStore(path).holds(PELVIS.address)


@pytest.mark.parametrize("text", ["", "[]", '{"x": 3}', '{"x": {"ltk": {}}}'])
def test_a_file_that_holds_no_bonds_is_said(tmp_path, text):
    path = tmp_path / "bonds.json"
    path.write_text(text)
    with pytest.raises(HardwareSimError, match="delete it"):
        BondStore(path)
